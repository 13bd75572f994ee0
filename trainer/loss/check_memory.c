/* Checks of what a loss touches: buffers, its own statics, its instance, the heap. */
#include <link.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "loss/check_kit.h"

#ifndef GRADMILL_SANITIZED
#define GRADMILL_SANITIZED 0
#endif

/* ---- struct sizes ---- */

void check_forged(struct check *c)
{
    static const size_t tails[] = {8, 64, 1000};
    struct sample s = sample_make(c, 33, 1);
    struct outcome plain = outcome_make(c), other = outcome_make(c);
    /* 1.0 sizes, flush with a guard page: reading one byte further is a fault */
    c->buffers[BUFFER_BATCH].is_strict = c->buffers[BUFFER_RESULT].is_strict = true;
    check_evaluate(c, &s, WANT_ALL, &plain);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        check_call(c, &(struct call){.sample = &s, .want = WANT_ALL, .more_bytes = tails[i]}, &other);
        if (other.status != GM_LOSS_OK)
            check_fail(
                c,
                "With structs that are %zu bytes longer than ours evaluate returns %d. Accept any struct_size that "
                "is large enough for the fields you use.",
                tails[i], other.status);
        require_same(c, &plain, &other, s.rows, WANT_ALL, "structs of a later time, with a longer tail");
    }
}

/* ---- bounds ---- */

static void try_rows(struct check *c, size_t rows, struct outcome *o)
{
    struct sample s = sample_make(c, rows, 1);
    for (unsigned want = 0; want <= WANT_ALL;
         want = want ? 2 * want + 1 : 1) /* none, grad, grad and diagonal ... all */
        for (int front = 0; front < 2; front++) {
            struct call call = {.sample = &s, .want = want, .at_front = front, .no_weight = rows % 3 == 2};
            check_call(c, &call, o);
            if (o->status != GM_LOSS_OK)
                check_fail(c, "evaluate returned %d for %zu ordinary rows. %s", o->status, rows, c->said.text);
        }
}

/* The other functions, on the same guarded targets. */
static void try_functions(struct check *c, struct outcome *o)
{
    const struct gm_loss *vtable = &c->plugin.vtable;
    struct sample s = sample_make(c, 33, 1);
    struct gm_loss_host host;
    check_evaluate(c, &s, WANT_ALL, o);
    struct gm_loss_batch batch = check_batch(c, &s, &host);
    batch.pred = (const void *)c->buffers[BUFFER_PRED].at;
    batch.target = c->shape.targets ? (const void *)c->buffers[BUFFER_TARGET].at : NULL;
    batch.weight = (const void *)c->buffers[BUFFER_WEIGHT].at;
    struct guarded *response = &c->buffers[BUFFER_GRAD], *raw = &c->buffers[BUFFER_HESS_DIAG];
    size_t bad_row = 0;
    c->shared->doing = "check_targets";
    if (vtable->check_targets)
        vtable->check_targets(&batch, &bad_row);
    c->shared->doing = "inverse_link (its response stands in grad)";
    guarded_place(response, s.rows * c->shape.outputs * sizeof(double), sizeof(double), false);
    if (vtable->inverse_link)
        vtable->inverse_link(&batch, (double *)(void *)response->at);
    batch.pred = NULL;
    c->shared->doing = "baseline (its result stands in hess_diag)";
    guarded_place(raw, c->shape.outputs * sizeof(double), sizeof(double), false);
    if (vtable->baseline)
        vtable->baseline(&batch, (double *)(void *)raw->at);
    c->shared->doing = "the check itself";
    if (!guarded_is_clean(response) || !guarded_is_clean(raw) || !guarded_is_clean(&c->buffers[BUFFER_SCRATCH]))
        check_fail(c, "inverse_link or baseline wrote outside its result or its scratch.");
}

void check_bounds(struct check *c)
{
    struct outcome o = outcome_make(c);
    guarded_strict(c, true);
    for (size_t rows = 0; rows <= 33; rows++)
        try_rows(c, rows, &o);
    try_functions(c, &o);
}

/* ---- unwritten output ---- */

static size_t first_nan(const double *values, size_t count)
{
    size_t i = 0;
    while (i < count && !isnan(values[i]))
        i++;
    return i;
}

static void require_written(struct check *c, const double *values, size_t count, size_t per_row, const char *name)
{
    if (!values || count == 0)
        return;
    size_t at = first_nan(values, count);
    if (at < count)
        check_fail(c, "%s[%zu] (row %zu of %zu) was not written. Every row of an output that is asked for is written.",
                   name, at, at / per_row, count / per_row);
}

static void require_added(struct check *c, const struct sample *s, struct outcome *o, const double *plain)
{
    size_t n_theta = c->loss.spec.n_theta;
    check_call(c, &(struct call){.sample = s, .want = WANT_ALL, .theta_before = 1000}, o);
    for (size_t i = 0; i < n_theta; i++)
        if (!(fabs(o->theta_grad[i] - 1000 - plain[i]) <= 1e-9 * (1000 + fabs(plain[i]))))
            check_fail(c,
                       "theta_grad[%zu] was %g before and %g after the call; on zeros the call gives %g. It is added "
                       "into, not overwritten.",
                       i, 1000.0, o->theta_grad[i], plain[i]);
}

void check_unwritten(struct check *c)
{
    size_t outputs = c->shape.outputs;
    struct outcome o = outcome_make(c), added = outcome_make(c);
    for (size_t rows = 1; rows <= 20; rows++) {
        struct sample s = sample_make(c, rows, 1);
        for (size_t row = 0; row < rows && rows % 4 == 3; row += 2)
            s.weight[row] = 0; /* rows that count for nothing are written too */
        check_evaluate(c, &s, WANT_ALL, &o);
        require_written(c, &o.loss, 1, 1, "loss");
        require_written(c, o.grad, rows * outputs, outputs, "grad");
        require_written(c, o.hess_diag, rows * outputs, outputs, "hess_diag");
        require_written(c, o.hess, rows * outputs * outputs, outputs * outputs, "hess");
        require_written(c, o.row_loss, rows, 1, "row_loss");
        if (o.theta_grad)
            require_added(c, &s, &added, o.theta_grad);
    }
}

/* ---- purity ---- */

struct protection {
    const void *inside; /* an address in the plugin */
    int mode;
};

/* The plugin's writable segments, made read-only or writable again. What the loader relocated is read-only already. */
static int protect_segments(struct dl_phdr_info *info, size_t size, void *context)
{
    const struct protection *p = context;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), address = (size_t)p->inside;
    bool is_it = false;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        size_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && address >= start && address < start + info->dlpi_phdr[i].p_memsz)
            is_it = true;
    }
    size_t relro_end = 0;
    for (int i = 0; is_it && i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO)
            relro_end = (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz) / page * page;
    for (int i = 0; is_it && i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_W))
            continue;
        size_t start = (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) / page * page;
        size_t end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
        if (start < relro_end)
            start = relro_end;
        if (end > start)
            mprotect((char *)info->dlpi_addr + (start - info->dlpi_addr), (end - start + page - 1) / page * page,
                     p->mode);
    }
    return is_it;
}

/* The pages of the instance, as far as malloc knows its size. One that lies elsewhere is static, and covered above. */
static void protect_instance(struct check *c, int mode)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), start = (size_t)c->loss.instance, first = start / page * page,
           bytes = 1;
    const char *top = sbrk(0);
    static const size_t reach = (size_t)1 << 30;
    if (!c->loss.instance)
        return;
    if (!GRADMILL_SANITIZED && (const char *)c->loss.instance < top && start + reach > (size_t)top)
        bytes = malloc_usable_size(c->loss.instance);
    mprotect((char *)c->loss.instance - (start - first), (start + bytes - first + page - 1) / page * page, mode);
}

void protect_own_memory(struct check *c, bool writable)
{
    union {
        int (*function)(const struct gm_loss_batch *, struct gm_loss_result *);
        const void *address;
    } evaluate = {.function = c->plugin.vtable.evaluate};
    struct protection p = {.inside = evaluate.address, .mode = writable ? PROT_READ | PROT_WRITE : PROT_READ};
    c->shared->is_pure_call = !writable;
    protect_instance(c, p.mode);
    dl_iterate_phdr(protect_segments, &p);
}

void check_purity(struct check *c)
{
    struct outcome o = outcome_make(c);
    c->protect_own = true;
    for (size_t rows = 0; rows <= 33; rows += 11) {
        struct sample s = sample_make(c, rows, 1);
        check_evaluate(c, &s, WANT_ALL, &o);
    }
    c->protect_own = false;
}

/* ---- leaks ---- */

extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

enum { LEAK_TIMES = 1000, LEAK_ROUNDS = 3 };
static const double leak_seconds = 0.15; /* of processor time a round: what is costly to make is made less often */

static void make_and_destroy(struct check *c)
{
    struct loss loss;
    struct gm_error err = {0};
    if (loss_bind(&loss, &c->plugin, c->options->settings, c->options->n_settings, c->shape.targets, c->shape.classes,
                  &err))
        check_fail(c, "The same instance made again is refused: %s", err.text);
    loss_release(&loss);
}

struct work {
    struct check *c;
    void (*once)(struct work *);
    struct sample sample;
    struct outcome o;
};

static void instance_once(struct work *w)
{
    make_and_destroy(w->c);
}

static void call_once(struct work *w)
{
    check_evaluate(w->c, &w->sample, WANT_ALL, &w->o);
}

/* Bytes that every round of the work leaves behind, and how many times a round does it. The first round may leave some:
 * malloc's own caches fill up. */
static size_t left_behind(struct work *w, int *times)
{
    size_t least = SIZE_MAX;
    clock_t start = clock();
    *times = 0;
    while (*times < LEAK_TIMES && (double)(clock() - start) < leak_seconds * CLOCKS_PER_SEC) {
        w->once(w);
        ++*times;
    }
    for (int round = 0; round < LEAK_ROUNDS && least > 0; round++) {
        size_t before = allocated();
        for (int i = 0; i < *times; i++)
            w->once(w);
        size_t after = allocated(), left = after > before ? after - before : 0;
        least = left < least ? left : least;
    }
    return least;
}

void check_leaks(struct check *c)
{
    int times;
    struct work w = {.c = c, .once = instance_once, .sample = sample_make(c, 13, 1), .o = outcome_make(c)};
    size_t left = left_behind(&w, &times);
    if (left)
        check_fail(
            c,
            "%d instances made and destroyed leave %zu bytes behind (%.1f each). destroy() must free what create() "
            "allocated.",
            times, left, (double)left / times);
    w.once = call_once;
    left = left_behind(&w, &times);
    if (left)
        check_fail(
            c,
            "%d calls of evaluate leave %zu bytes behind. It should not allocate at all: ask for scratch in the spec.",
            times, left);
}

/* See harness.h. */
#include "plugins/harness.h"

#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { ROWS = HARNESS_ROWS, SIZE = HARNESS_ROWS * HARNESS_OUTPUTS };

/* ---- opening --------------------------------------------------------------------------------------------------- */

static const struct gm_loss *find(const char *id)
{
    const char *directory = getenv("GRADMILL_LOSSES");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.so", directory ? directory : ".", id);
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    gm_loss_entry_fn *entry = NULL;
    if (file)
        *(void **)&entry = dlsym(file, "gm_loss_entry_v1");
    if (!entry)
        printf("\n    %s\n", dlerror());
    return entry ? entry(0) : NULL;
}

static void keep_text(const struct gm_loss_host *host, const char *text)
{
    struct harness *h = host->context;
    snprintf(h->said, sizeof h->said, "%s", text);
}

static void set_default(struct harness *h, size_t i)
{
    const struct gm_loss_param *p = &h->loss->params[i];
    h->lists[i][0] = p->fallback;
    if (p->type == GM_PARAM_LIST) {
        h->param[i].list.values = h->lists[i];
        h->param[i].list.count = isnan(p->fallback) ? 0 : 1;
    } else if (p->type == GM_PARAM_REAL) {
        h->param[i].real = p->fallback;
    } else {
        h->param[i].integer = (int64_t)p->fallback;
    }
}

/* "name=value" with value a number or a list of numbers. */
static bool set_one(struct harness *h, const char *text)
{
    for (size_t i = 0; i < h->loss->n_params; i++) {
        const struct gm_loss_param *p = &h->loss->params[i];
        size_t length = strlen(p->name);
        if (strncmp(text, p->name, length) != 0 || text[length] != '=')
            continue;
        size_t count = 0;
        char *at = (char *)(uintptr_t)(text + length);
        do
            h->lists[i][count++] = strtod(at + 1, &at);
        while (*at == ',');
        if (p->type == GM_PARAM_LIST)
            h->param[i].list.count = count;
        else if (p->type == GM_PARAM_REAL)
            h->param[i].real = h->lists[i][0];
        else
            h->param[i].integer = (int64_t)h->lists[i][0];
        return true;
    }
    return false;
}

static bool set_params(struct harness *h, const char *params)
{
    for (size_t i = 0; i < h->loss->n_params; i++)
        set_default(h, i);
    for (const char *at = params; at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (!set_one(h, at))
            return false;
    return true;
}

static void choose_outputs(struct harness *h, const struct subject *subject)
{
    const int32_t outputs = h->spec.outputs;
    h->outputs = outputs > 0 ? (size_t)outputs : outputs == GM_OUTPUTS_PER_CLASS ? h->classes : h->targets;
    if (outputs == GM_OUTPUTS_ANY)
        h->outputs = subject->outputs;
}

int harness_open(struct harness *h, const struct subject *subject)
{
    memset(h, 0, sizeof *h);
    h->loss = find(subject->id);
    if (!h->loss || h->loss->n_params > HARNESS_PARAMS || !set_params(h, subject->params))
        return -1;
    if (h->loss->spec)
        h->spec = *h->loss->spec;
    h->targets = h->spec.target_kind == GM_TARGET_NONE ? 0 : subject->targets ? subject->targets : 1;
    h->classes = h->spec.target_kind == GM_TARGET_CLASS ? subject->classes : 0;
    h->host = (struct gm_loss_host){.struct_size = sizeof h->host, .context = h, .error = keep_text};
    struct gm_loss_batch b = {
        .struct_size = sizeof b, .outputs = h->classes, .targets = h->targets, .param = h->param, .host = &h->host};
    int status = h->loss->create ? h->loss->create(&b, &h->spec, &h->instance) : GM_LOSS_OK;
    if (status != GM_LOSS_OK)
        return status;
    choose_outputs(h, subject);
    size_t bytes = h->spec.scratch_fixed + h->spec.scratch_per_row * ROWS;
    h->scratch = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
    for (size_t i = 0; i < HARNESS_THETA; i++)
        h->theta[i] = 0.3 * (double)(i % 3) - 0.2;
    return h->spec.n_theta <= HARNESS_THETA && h->outputs <= HARNESS_OUTPUTS ? GM_LOSS_OK : -1;
}

void harness_close(struct harness *h)
{
    if (h->loss && h->loss->destroy)
        h->loss->destroy(h->instance);
    free(h->scratch);
    memset(h, 0, sizeof *h);
}

struct gm_loss_batch harness_batch(struct harness *h, size_t rows, const double *pred, const double *target)
{
    return (struct gm_loss_batch){.struct_size = sizeof(struct gm_loss_batch),
                                  .rows = rows,
                                  .outputs = h->outputs,
                                  .targets = h->targets,
                                  .pred = pred,
                                  .target = h->targets ? target : NULL,
                                  .theta = h->spec.n_theta ? h->theta : NULL,
                                  .param = h->param,
                                  .instance = h->instance,
                                  .scratch = h->scratch,
                                  .host = &h->host};
}

double harness_value(const struct subject *subject, const double *pred, const double *target)
{
    struct harness h;
    double value = NAN;
    if (harness_open(&h, subject) == 0) {
        struct gm_loss_batch b = harness_batch(&h, 1, pred, target);
        struct gm_loss_result r = {.struct_size = sizeof r};
        if (h.loss->evaluate(&b, &r) == GM_LOSS_OK)
            value = r.loss;
    }
    harness_close(&h);
    return value;
}

/* ---- one trial: random rows and every output --------------------------------------------------------------------- */

struct trial {
    struct harness *h;
    const char *id;
    double pred[SIZE], target[SIZE], weight[ROWS];
    int64_t group[ROWS];
    double loss, grad[SIZE], diag[SIZE], hess[SIZE * HARNESS_OUTPUTS], theta_grad[HARNESS_THETA], row_loss[ROWS];
};

static unsigned long long state = 7;
static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

static double draw_target(const struct harness *h, const struct subject *s)
{
    const bool whole = s->flags & SUBJECT_WHOLE || h->spec.target_rule & GM_TARGET_INTEGER;
    if (h->spec.target_kind == GM_TARGET_CLASS)
        return floor(uniform() * (double)h->classes);
    double low = s->low, high = s->high;
    if (low == 0 && high == 0) {
        low = h->spec.target_kind == GM_TARGET_MULTILABEL ? 0 : -2;
        high = low < 0 ? 2 : 1;
    }
    return whole ? low + floor(uniform() * (high - low + 1)) : low + (high - low) * uniform();
}

static void fill_trial(struct trial *t, struct harness *h, const struct subject *s)
{
    static const size_t group_of[ROWS] = {0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5};
    const bool plain = s->pred_low == 0 && s->pred_high == 0;
    const double low = plain ? -2 : s->pred_low, high = plain ? 2 : s->pred_high;
    memset(t, 0, sizeof *t);
    t->h = h;
    t->id = s->id;
    for (size_t i = 0; i < ROWS * h->outputs; i++)
        t->pred[i] = low + (high - low) * uniform();
    for (size_t i = 0; i < ROWS * h->targets; i++)
        t->target[i] = draw_target(h, s);
    for (size_t i = 0; i < ROWS; i++) {
        t->weight[i] = 0.25 + 2 * uniform();
        t->group[i] = (int64_t)group_of[i];
    }
}

enum wanted { WANT_GRAD = 1, WANT_DIAG = 2, WANT_HESS = 4, WANT_THETA = 8, WANT_ROW = 16, WANT_ALL = 31 };

/* Evaluate rows [first, first + rows) into the trial's arrays. */
static double evaluate(struct trial *t, size_t first, size_t rows, unsigned want)
{
    struct harness *h = t->h;
    const size_t outputs = h->outputs;
    struct gm_loss_batch b = harness_batch(h, rows, t->pred + first * outputs, t->target + first * h->targets);
    struct gm_loss_result r = {.struct_size = sizeof r, .loss = NAN};
    b.weight = t->weight + first;
    b.group = h->spec.coupling == GM_ROWS_GROUPED ? t->group + first : NULL;
    memset(t->theta_grad, 0, sizeof t->theta_grad);
    r.grad = want & WANT_GRAD ? t->grad + first * outputs : NULL;
    r.theta_grad = want & WANT_THETA && h->spec.n_theta ? t->theta_grad : NULL;
    if (want & WANT_DIAG && h->spec.gives & GM_GIVES_HESS_DIAG)
        r.hess_diag = t->diag + first * outputs;
    if (want & WANT_HESS && h->spec.gives & GM_GIVES_HESS)
        r.hess = t->hess + first * outputs * outputs;
    if (want & WANT_ROW && h->spec.gives & GM_GIVES_ROW_LOSS)
        r.row_loss = t->row_loss + first;
    CU_ASSERT_EQUAL(h->loss->evaluate(&b, &r), GM_LOSS_OK);
    return r.loss;
}

static void report(bool fine, const struct trial *t, const char *what, size_t at, double got, double want)
{
    if (!fine)
        printf("\n    %s: %s, element %zu: %.17g against %.17g", t->id, what, at, got, want);
    CU_ASSERT(fine);
}

/* ---- derivatives ----------------------------------------------------------------------------------------------- */

/* What is differentiated: the loss (index < 0) or one component of the gradient, by *x. */
static double value_at(struct trial *t, double *x, double there, long index)
{
    const double keep = *x;
    *x = there;
    double loss = evaluate(t, 0, ROWS, index < 0 ? 0 : WANT_GRAD);
    double value = index < 0 ? loss : t->grad[index];
    *x = keep;
    return value;
}

/* Central differences, extrapolated once (Richardson); false when the two steps disagree: a kink is near. */
static bool difference(struct trial *t, double *x, long index, double scale, double *slope)
{
    const double h = 1e-3, at = *x;
    double wide = (value_at(t, x, at + h, index) - value_at(t, x, at - h, index)) / (2 * h);
    double narrow = (value_at(t, x, at + h / 2, index) - value_at(t, x, at - h / 2, index)) / h;
    *slope = (4 * narrow - wide) / 3;
    return fabs(wide - narrow) <= 2e-4 * (scale + fabs(narrow));
}

static double largest(const double *x, size_t n)
{
    double top = 1e-3;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, fabs(x[i]));
    return top;
}

/* Compare `analytic` [n] with differences by x[0..n) of the loss (stride 0) or of gradient components. */
static void compare(struct trial *t, double *x, const double *analytic, size_t n, bool second, const char *what)
{
    double copy[SIZE], tolerance = second ? 1e-5 : 1e-6;
    memcpy(copy, analytic, n * sizeof *copy);
    const double scale = largest(copy, n);
    size_t skipped = 0;
    for (size_t i = 0; i < n; i++) {
        double slope;
        if (!difference(t, x + i, second ? (long)i : -1, scale, &slope)) {
            skipped++;
            continue;
        }
        report(fabs(slope - copy[i]) <= tolerance * (fabs(copy[i]) + scale), t, what, i, copy[i], slope);
    }
    report(2 * skipped <= n, t, "points skipped", skipped, (double)skipped, (double)n);
}

static void check_full_hessian(struct trial *t)
{
    const size_t K = t->h->outputs;
    static double keep[SIZE * HARNESS_OUTPUTS];
    memcpy(keep, t->hess, sizeof keep);
    const double scale = largest(keep, ROWS * K * K);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t k = 0; k < K; k++)
            for (size_t l = 0; l < K; l++) {
                double slope, got = keep[(row * K + k) * K + l];
                report(fabs(got - keep[(row * K + l) * K + k]) <= 1e-13 * scale, t, "Hessian symmetric", row, got,
                       keep[(row * K + l) * K + k]);
                if (difference(t, t->pred + row * K + l, (long)(row * K + k), scale, &slope))
                    report(fabs(slope - got) <= 1e-5 * scale, t, "Hessian", row, got, slope);
            }
}

static void check_derivatives(struct trial *t)
{
    struct harness *h = t->h;
    const size_t n = ROWS * h->outputs;
    evaluate(t, 0, ROWS, WANT_ALL);
    static struct trial all;
    all = *t;
    compare(t, t->pred, all.grad, n, false, "gradient");
    if (h->spec.gives & GM_GIVES_HESS_DIAG && !(h->spec.nature & GM_NATURE_HESS_BOUND))
        compare(t, t->pred, all.diag, n, true, "Hessian diagonal");
    if (h->spec.n_theta)
        compare(t, h->theta, all.theta_grad, h->spec.n_theta, false, "theta gradient");
    memcpy(t->hess, all.hess, sizeof t->hess);
    if (h->spec.gives & GM_GIVES_HESS && !(h->spec.nature & GM_NATURE_HESS_BOUND))
        check_full_hessian(t);
    for (size_t i = 0; i < n && !(h->spec.nature & GM_NATURE_NON_CONVEX) && h->spec.gives & GM_GIVES_HESS_DIAG; i++)
        report(all.diag[i] >= 0, t, "curvature of a convex loss", i, all.diag[i], 0);
}

/* ---- the other promises ---------------------------------------------------------------------------------------- */

static void same_bits(const struct trial *t, const char *what, const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        report(memcmp(a + i, b + i, sizeof *a) == 0, t, what, i, a[i], b[i]);
}

/* Outputs of the whole are the outputs of the parts, bit for bit. */
static void check_blocks(struct trial *t)
{
    const size_t outputs = t->h->outputs;
    static const size_t cuts[] = {0, 1, 5, 10, 13, ROWS}; /* between groups */
    static struct trial whole;
    double sum = 0;
    if (t->h->spec.coupling == GM_ROWS_BATCH)
        return;
    double loss = evaluate(t, 0, ROWS, WANT_ALL);
    whole = *t;
    for (size_t i = 0; i + 1 < sizeof cuts / sizeof *cuts; i++)
        sum += evaluate(t, cuts[i], cuts[i + 1] - cuts[i], WANT_ALL);
    report(fabs(sum - loss) <= 1e-12 * (fabs(loss) + 1), t, "sum of the parts", 0, sum, loss);
    same_bits(t, "gradient in parts", t->grad, whole.grad, ROWS * outputs);
    same_bits(t, "diagonal in parts", t->diag, whole.diag, ROWS * outputs);
    same_bits(t, "Hessian in parts", t->hess, whole.hess, ROWS * outputs * outputs);
    same_bits(t, "row losses in parts", t->row_loss, whole.row_loss, ROWS);
}

static void check_subsets(struct trial *t)
{
    const size_t outputs = t->h->outputs;
    static struct trial all;
    double loss = evaluate(t, 0, ROWS, WANT_ALL);
    all = *t;
    for (unsigned want = 0; want < WANT_ALL; want++) {
        double again = evaluate(t, 0, ROWS, want);
        report(again == loss, t, "loss when less is wanted", want, again, loss);
        same_bits(t, "gradient when less is wanted", t->grad, all.grad, ROWS * outputs);
        if (want & WANT_THETA)
            same_bits(t, "theta when less is wanted", t->theta_grad, all.theta_grad, t->h->spec.n_theta);
        same_bits(t, "diagonal when less is wanted", t->diag, all.diag, ROWS * outputs);
    }
}

/* Weight 3 is three times weight 1; weight 0 is nothing; row losses carry no weight. */
static void check_weights(struct trial *t)
{
    const size_t outputs = t->h->outputs;
    double grad[SIZE];
    for (size_t i = 0; i < ROWS; i++)
        t->weight[i] = 1;
    double one = evaluate(t, 0, ROWS, WANT_ALL);
    memcpy(grad, t->grad, sizeof grad);
    double rows = 0;
    for (size_t i = 0; i < ROWS; i++)
        rows += t->row_loss[i];
    if (t->h->spec.gives & GM_GIVES_ROW_LOSS)
        report(fabs(rows - one) <= 1e-12 * (fabs(one) + 1), t, "sum of row losses", 0, rows, one);
    for (size_t i = 0; i < ROWS; i++)
        t->weight[i] = 3;
    double three = evaluate(t, 0, ROWS, WANT_GRAD);
    report(fabs(three - 3 * one) <= 1e-12 * (fabs(three) + 1), t, "weight 3", 0, three, 3 * one);
    for (size_t i = 0; i < ROWS * outputs; i++)
        report(fabs(t->grad[i] - 3 * grad[i]) <= 1e-12 * (fabs(t->grad[i]) + 1), t, "gradient, weight 3", i, t->grad[i],
               3 * grad[i]);
    for (size_t i = 0; i < ROWS; i++)
        t->weight[i] = 0;
    double none = evaluate(t, 0, ROWS, WANT_ALL);
    report(none == 0, t, "weight 0", 0, none, 0);
    for (size_t i = 0; i < ROWS * outputs; i++)
        report(t->grad[i] == 0, t, "gradient, weight 0", i, t->grad[i], 0);
    report(evaluate(t, 0, 0, WANT_ALL) == 0, t, "no rows", 0, 0, 0);
}

/* The gradient vanishes at the baseline. */
static void check_baseline(struct trial *t, const struct subject *s)
{
    struct harness *h = t->h;
    const size_t outputs = h->outputs;
    double raw[HARNESS_OUTPUTS], sum[HARNESS_OUTPUTS] = {0}, size = 1e-3;
    struct gm_loss_batch b = harness_batch(h, ROWS, NULL, t->target);
    b.weight = t->weight;
    if (h->loss->theta_start)
        CU_ASSERT_EQUAL(h->loss->theta_start(&b, h->theta), GM_LOSS_OK);
    for (size_t k = 0; k < h->spec.n_theta; k++)
        report(isfinite(h->theta[k]), t, "start of theta", k, h->theta[k], 0);
    if (!h->loss->baseline)
        return;
    CU_ASSERT_EQUAL(h->loss->baseline(&b, raw), GM_LOSS_OK);
    for (size_t i = 0; i < ROWS * outputs; i++)
        t->pred[i] = raw[i % outputs];
    evaluate(t, 0, ROWS, WANT_GRAD);
    for (size_t i = 0; i < ROWS * outputs; i++) {
        sum[i % outputs] += t->grad[i];
        size += fabs(t->grad[i]);
    }
    /* A kinked loss has its optimum on a kink, where one row's subgradient is free. */
    const double slack = h->spec.nature & GM_NATURE_NON_SMOOTH ? 2 * largest(t->grad, ROWS * outputs) : 1e-9 * size;
    for (size_t k = 0; k < outputs; k++)
        report(isfinite(raw[k]) && (s->flags & SUBJECT_NO_OPTIMUM || fabs(sum[k]) <= slack), t,
               "gradient at the baseline", k, sum[k], 0);
}

/* Finite values and derivatives far out, unless the loss itself grows like e^pred. */
static void check_extremes(struct trial *t, const struct subject *s)
{
    static const double far[] = {0, 5e-324, 1e-310, 40, -40, 700, -700, 1e8, -1e8};
    const size_t outputs = t->h->outputs;
    const double low = s->pred_low == 0 && s->pred_high == 0 ? -HUGE_VAL : s->pred_low;
    for (size_t e = 0; e < sizeof far / sizeof *far; e++) {
        if (s->flags & SUBJECT_GROWS && fabs(far[e]) > 300)
            continue;
        for (size_t i = 0; i < ROWS * outputs; i++)
            t->pred[i] = far[(e + i % 3 * (i % outputs)) % (s->flags & SUBJECT_GROWS ? 5 : 9)];
        for (size_t i = 0; i < ROWS * outputs; i++)
            t->pred[i] = low >= 0 ? fabs(t->pred[i]) : t->pred[i];
        double loss = evaluate(t, 0, ROWS, WANT_ALL);
        report(isfinite(loss), t, "loss far out", e, loss, 0);
        for (size_t i = 0; i < ROWS * outputs; i++)
            report(isfinite(t->grad[i]) && isfinite(t->diag[i]), t, "derivatives far out", i, t->grad[i], t->diag[i]);
        for (size_t i = 0; i < ROWS * outputs * outputs; i++)
            report(isfinite(t->hess[i]), t, "Hessian far out", i, t->hess[i], 0);
    }
}

/* A NaN prediction makes its own row's loss NaN and leaves the other rows alone. */
static void check_sick_row(struct trial *t)
{
    const size_t outputs = t->h->outputs, sick = 6;
    static struct trial well;
    if (t->h->spec.coupling != GM_ROWS_INDEPENDENT)
        return;
    evaluate(t, 0, ROWS, WANT_ALL);
    well = *t;
    for (size_t k = 0; k < outputs; k++)
        t->pred[sick * outputs + k] = NAN;
    double loss = evaluate(t, 0, ROWS, WANT_ALL);
    report(isnan(loss), t, "loss with a NaN row", sick, loss, NAN);
    if (t->h->spec.gives & GM_GIVES_ROW_LOSS) {
        report(isnan(t->row_loss[sick]), t, "loss of the NaN row", sick, t->row_loss[sick], NAN);
        same_bits(t, "rows before a NaN", t->row_loss, well.row_loss, sick);
        same_bits(t, "rows after a NaN", t->row_loss + sick + 1, well.row_loss + sick + 1, ROWS - sick - 1);
    }
    same_bits(t, "gradient before a NaN", t->grad, well.grad, sick * outputs);
    same_bits(t, "gradient after a NaN", t->grad + (sick + 1) * outputs, well.grad + (sick + 1) * outputs,
              (ROWS - sick - 1) * outputs);
}

static void check_words(const struct gm_loss *loss, const struct subject *subject)
{
    CU_ASSERT(strcmp(loss->id, subject->id) == 0);
    CU_ASSERT(loss->magic == GM_LOSS_MAGIC && loss->abi_major == 1 && loss->struct_size == sizeof *loss);
    CU_ASSERT(loss->version && loss->formula && loss->license && loss->spec);
    CU_ASSERT(loss->spec && loss->spec->task != GM_TASK_OTHER && loss->spec->struct_size == sizeof *loss->spec);
    ASSERT_HOLDS(loss->help, "Use it ");
    ASSERT_HOLDS(loss->help, "Not ");
    for (size_t i = 0; i < loss->n_params; i++)
        CU_ASSERT(loss->params[i].name && loss->params[i].help && *loss->params[i].help);
}

void harness_check(const struct subject *subject)
{
    struct harness h;
    int status = harness_open(&h, subject);
    if (status != 0)
        printf("\n    %s does not open: %d %s", subject->id, status, h.said);
    CU_ASSERT_EQUAL(status, 0);
    if (status == 0) {
        static struct trial start, t;
        check_words(h.loss, subject);
        for (int round = 0; round < 3; round++) {
            fill_trial(&start, &h, subject);
            t = start, check_derivatives(&t);
            t = start, check_blocks(&t);
            t = start, check_subsets(&t);
            t = start, check_weights(&t);
            t = start, check_extremes(&t, subject);
            t = start, check_sick_row(&t);
        }
        t = start, check_baseline(&t, subject);
    }
    harness_close(&h);
}

static bool takes(const struct subject *subject, const char *name, double value)
{
    struct harness h;
    struct subject changed = *subject;
    char params[256];
    snprintf(params, sizeof params, "%s=%.17g", name, value);
    changed.params = params;
    int status = harness_open(&h, &changed);
    bool fine = status == GM_LOSS_OK;
    for (size_t i = 0; fine && i < h.loss->n_params; i++) {
        const struct gm_loss_param *p = &h.loss->params[i];
        if (strcmp(p->name, name) == 0 && p->low != p->high)
            fine = (p->flags & GM_PARAM_LOW_OPEN ? value > p->low : value >= p->low) &&
                   (p->flags & GM_PARAM_HIGH_OPEN ? value < p->high : value <= p->high);
    }
    CU_ASSERT(status == GM_LOSS_OK || *h.said);
    harness_close(&h);
    return fine;
}

void harness_check_bounds(const struct subject *subject, const char *name, double good, double bad)
{
    CU_ASSERT(takes(subject, name, good));
    CU_ASSERT(!takes(subject, name, bad));
}

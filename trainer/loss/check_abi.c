/* Checks of what a plugin is and how it behaves as a guest in the process. */
#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "loss/check_kit.h"
#include "loss/elf.h"
#include "loss/fpmode.h"
#include "loss/object.h"

/* ---- abi ---- */

/* Loading has looked at magic, versions, sizes, enums and schema; here is what loading lets pass. */
void check_abi(struct check *c)
{
    struct gm_error err = {0};
    struct elf_file elf;
    struct loss_object object;
    const struct gm_loss *vtable = &c->plugin.vtable;
    int fd = open(c->plugin.path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || elf_open(&elf, fd, c->plugin.path, &err))
        check_fail(c, "%s cannot be read again. %s", c->plugin.path, err.text);
    size_t cursor = 0;
    for (const char *name; (name = elf_next_export(&elf, &cursor));)
        if (strcmp(name, "gm_loss_entry_v1") != 0 && name[0] != '_') /* reserved names are the compiler's */
            check_fail(
                c,
                "It exports \"%s\" as well. Export nothing but gm_loss_entry_v1: make functions static, or build "
                "with -fvisibility=hidden.",
                name);
    elf_release(&elf);
    close(fd);
    if (object_open(&object, c->plugin.path, NULL, &err))
        check_fail(c, "The second time it cannot be loaded: %s", err.text);
    c->shared->doing = "gm_loss_entry_v1";
    for (uint32_t i = 0; i < 8; i++)
        if (object.entry(i) != object.entry(i))
            check_fail(c,
                       "gm_loss_entry_v1(%u) gives another pointer the second time. Return the address of a static "
                       "const struct.",
                       i);
    for (uint32_t i = 1000; i < 1003; i++)
        if (object.entry(i))
            check_fail(c, "gm_loss_entry_v1(%u) is not NULL. It must be, past the last loss.", i);
    object_release(&object);
    if (vtable->extension) {
        c->shared->doing = "extension";
        if (vtable->extension("gradmill.no.such.extension"))
            check_fail(
                c, "extension() knows \"gradmill.no.such.extension\". It must give NULL for what it does not know.");
    }
    if (!vtable->version || !*vtable->version)
        check_warn(c, "There is no version. It goes into every model that is trained with the loss.");
    if (!vtable->formula || !vtable->help)
        check_warn(c, "There is no %s: `gradmill losses %s` will have nothing to say.",
                   vtable->formula ? "help" : "formula", vtable->id);
}

/* ---- calls ---- */

void check_calls(struct check *c)
{
    static const size_t row_counts[] = {0, 1, 2, 37, 200};
    subject_find_shapes(c);
    for (size_t i = 0; i < c->shared->n_shapes; i++) {
        subject_bind(c, &c->shared->shapes[i]);
        struct outcome o = outcome_make(c);
        for (size_t k = 0; k < sizeof row_counts / sizeof *row_counts; k++) {
            size_t rows = row_counts[k] < c->rows_most ? row_counts[k] : c->rows_most;
            struct sample s = sample_make(c, rows, 1);
            check_evaluate(c, &s, WANT_ALL, &o);
            if (rows == 0 && o.loss != 0)
                check_fail(c, "The loss of 0 rows is %g; the sum over no rows is 0.", o.loss);
        }
        subject_unbind(c);
    }
}

/* ---- floating-point mode ---- */

static void compare_mode(struct check *c, uint64_t before, const char *function)
{
    uint64_t after = fpmode_get();
    fpmode_set(before);
    if (after != before || c->mode_changed)
        check_fail(
            c,
            "%s changed the floating-point mode (control register %llx, before %llx): rounding, flush to zero and "
            "traps belong to the host.",
            function, (unsigned long long)after, (unsigned long long)before);
}

void check_mode(struct check *c)
{
    const struct gm_loss *vtable = &c->plugin.vtable;
    struct outcome o = outcome_make(c);
    struct sample s = sample_make(c, 33, 1);
    struct gm_loss_host host;
    struct gm_loss_batch batch = check_batch(c, &s, &host);
    size_t bad_row = 0;
    uint64_t mode = fpmode_get();
    check_evaluate(c, &s, WANT_ALL, &o);
    compare_mode(c, mode, "evaluate");
    if (vtable->check_targets)
        vtable->check_targets(&batch, &bad_row);
    compare_mode(c, mode, "check_targets");
    if (vtable->inverse_link)
        vtable->inverse_link(&batch, o.grad);
    compare_mode(c, mode, "inverse_link");
    batch.pred = NULL;
    if (vtable->baseline)
        vtable->baseline(&batch, o.grad);
    compare_mode(c, mode, "baseline");
    if (vtable->theta_start && o.theta_grad)
        vtable->theta_start(&batch, o.theta_grad);
    compare_mode(c, mode, "theta_start");
    subject_unbind(c);
    compare_mode(c, mode, "destroy");
}

/* ---- behaviour ---- */

static size_t entries(const char *directory)
{
    size_t count = 0;
    DIR *dir = opendir(directory);
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

struct surroundings {
    size_t threads, files;
    char locale[256], place[1024];
    struct sigaction actions[32];
    long printed;
};

static void look_around(struct surroundings *s)
{
    memset(s, 0, sizeof *s);
    s->threads = entries("/proc/self/task");
    s->files = entries("/proc/self/fd");
    const char *locale = setlocale(LC_ALL, NULL);
    snprintf(s->locale, sizeof s->locale, "%s", locale ? locale : "");
    if (!getcwd(s->place, sizeof s->place))
        s->place[0] = 0;
    for (int i = 1; i < 32; i++)
        sigaction(i, NULL, &s->actions[i]);
    fflush(NULL);
    s->printed = (long)lseek(STDOUT_FILENO, 0, SEEK_CUR);
}

/* Both streams into one file of this process's own, whose length then says whether anything was printed. */
static void catch_output(void)
{
    char name[] = "/tmp/gradmill-check-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0)
        return;
    unlink(name);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

static void use_everything(struct check *c)
{
    const struct gm_loss *vtable = &c->plugin.vtable;
    struct outcome o = outcome_make(c);
    struct sample s = sample_make(c, 33, 1);
    check_evaluate(c, &s, WANT_ALL, &o);
    s.pred[0] = NAN; /* the branch where people print */
    check_call(c, &(struct call){.sample = &s, .want = WANT_ALL}, &o);
    struct gm_loss_host host;
    struct gm_loss_batch batch = check_batch(c, &s, &host);
    batch.pred = NULL;
    c->shared->doing = "baseline";
    if (vtable->baseline)
        vtable->baseline(&batch, o.grad);
    c->shared->doing = "the check itself";
}

void check_behaviour(struct check *c)
{
    struct surroundings before, after;
    catch_output();
    look_around(&before);
    use_everything(c);
    look_around(&after);
    if (after.printed != before.printed)
        check_fail(c, "It prints (%ld bytes). Say it through gm_fail(): the host decides where it goes.",
                   after.printed - before.printed);
    if (after.threads != before.threads)
        check_fail(c, "It started %zu threads. A loss is called from many threads already.",
                   after.threads - before.threads);
    if (after.files != before.files)
        check_fail(c, "It left %zu files open.", after.files - before.files);
    if (strcmp(after.locale, before.locale) != 0)
        check_fail(c, "It changed the locale from %s to %s, for the whole process.", before.locale, after.locale);
    if (strcmp(after.place, before.place) != 0)
        check_fail(c, "It changed the current directory to %s.", after.place);
    for (int i = 1; i < 32; i++)
        if (memcmp(&after.actions[i].sa_handler, &before.actions[i].sa_handler, sizeof after.actions[i].sa_handler) !=
            0)
            check_fail(c, "It changed what happens on the signal \"%s\".", strsignal(i));
    if (waitpid(-1, NULL, WNOHANG) >= 0)
        check_fail(c, "It started a process.");
}

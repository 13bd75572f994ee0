/* The short check before every training: in this process, without children or signals, in some milliseconds. */
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "loss/check_kit.h"

enum { ROWS = 8, BATCH_ROWS = 6, PLACES = 24 };

static void try_results(struct check *c, struct sample *s)
{
    struct outcome a = outcome_make(c), b = outcome_make(c);
    check_evaluate(c, s, WANT_GRAD, &a);
    check_call(c, &(struct call){.sample = s, .want = WANT_GRAD, .at_front = true, .litter = 0x7F}, &b);
    require_same(c, &a, &b, s->rows, WANT_GRAD, "the same rows again");
    if (!isfinite(a.loss))
        check_fail(c, "the loss of %zu ordinary rows is %g", s->rows, a.loss);
    for (size_t i = 0; i < s->rows * c->shape.outputs; i++)
        if (!isfinite(a.grad[i]))
            check_fail(c, "grad of ordinary row %zu is %g: not written, or not finite", i / c->shape.outputs,
                       a.grad[i]);
    if (c->mode_changed)
        check_fail(c, "evaluate changed the floating-point mode");
}

static void run(struct check *c)
{
    size_t rows = c->loss.spec.coupling == GM_ROWS_BATCH ? BATCH_ROWS : ROWS;
    struct tally tally = {0};
    struct sample s = sample_make(c, rows, 1);
    guarded_strict(c, true); /* guard pages and read-only inputs for two calls; the many that follow do without */
    try_results(c, &s);
    guarded_strict(c, false);
    if (c->loss.spec.coupling != GM_ROWS_BATCH) /* a mean in place of a sum */
        blocks_of(c, rows);
    gradient_of_unit(c, &s, PLACES < rows * c->shape.outputs ? PLACES : rows * c->shape.outputs, &tally);
}

enum gm_code loss_check_quick(const struct loss *loss, struct gm_error *err)
{
    jmp_buf escape;
    struct check_shared shared = {.verdict = CHECK_RUNNING, .doing = "evaluate"};
    struct check_options options = {.name = loss->plugin->vtable.id};
    struct check c = {
        .options = &options,
        .shared = &shared,
        .plugin = *loss->plugin,
        .loss = *loss,
        .shape = {.targets = loss->targets, .classes = loss->classes, .outputs = loss->outputs},
        .key = {.seed = 1, .purpose = RANDOM_CHECK},
        .escape = &escape,
    };
    if (loss->outputs == 0)
        return GM_OK;      /* not known yet what to call it with */
    c.loss.spec.gives = 0; /* loss and gradient are what training stands on */
    if (setjmp(escape) == 0) {
        subject_adopt(&c);
        run(&c);
    }
    subject_release_memory(&c);
    if (shared.verdict != CHECK_FAILED)
        return GM_OK;
    if (shared.no_memory)
        return error_set(err, GM_SYSTEM, "%s", shared.text);
    return error_set(
        err, GM_PLUGIN_BROKEN,
        "Loss %s (%s) is wrong: %s `gradmill check-loss` says more; loss.trust: true trains with it all the same.",
        loss->plugin->vtable.id, loss->plugin->path, shared.text);
}

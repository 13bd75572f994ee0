/* The loss under check, bound for a shape: numbers of targets, classes and outputs that it takes. */
#include "loss/check_kit.h"

#include <string.h>

enum { ROWS_MOST = 256, WIDE = 64, ROWS_WIDE = 40, PROBE_ROWS = 24 };

/* ---- buffers ---- */

static void make_buffers(struct check *c)
{
    size_t rows = c->rows_most, outputs = c->shape.outputs, n_theta = c->loss.spec.n_theta, reals = 0;
    for (size_t i = 0; i < c->plugin.vtable.n_params; i++)
        if (c->plugin.vtable.params[i].type == GM_PARAM_LIST)
            reals += c->loss.param[i].list.count;
    const size_t bytes[BUFFER_COUNT] = {
        [BUFFER_PRED] = rows * outputs * sizeof(double),
        [BUFFER_TARGET] = rows * c->shape.targets * sizeof(double),
        [BUFFER_WEIGHT] = rows * sizeof(double),
        [BUFFER_GROUP] = rows * sizeof(int64_t),
        [BUFFER_THETA] = n_theta * sizeof(double),
        [BUFFER_PARAM] = c->plugin.vtable.n_params * sizeof(union gm_loss_value),
        [BUFFER_LISTS] = reals * sizeof(double),
        [BUFFER_BATCH] = 4096,
        [BUFFER_GRAD] = rows * outputs * sizeof(double),
        [BUFFER_HESS_DIAG] = rows * outputs * sizeof(double),
        [BUFFER_HESS] = rows * outputs * outputs * sizeof(double),
        [BUFFER_THETA_GRAD] = n_theta * sizeof(double),
        [BUFFER_ROW_LOSS] = rows * sizeof(double),
        [BUFFER_RESULT] = 4096,
        [BUFFER_SCRATCH] = loss_scratch_bytes(&c->loss, rows),
    };
    for (int i = 0; i < BUFFER_COUNT; i++)
        if (!guarded_make(&c->buffers[i], bytes[i]))
            check_fail(c, "There is no memory for %zu bytes of %s.", bytes[i], buffer_name((enum check_buffer)i));
}

/* ---- theta ---- */

static void make_theta(struct check *c)
{
    size_t n_theta = c->loss.spec.n_theta;
    c->theta = check_memory(c, n_theta, sizeof(double));
    if (n_theta == 0)
        return;
    if (c->plugin.vtable.theta_start) {
        struct gm_loss_host host;
        struct sample s = sample_make(c, PROBE_ROWS, 1);
        struct gm_loss_batch batch = check_batch(c, &s, &host);
        batch.pred = NULL;
        batch.theta = NULL;
        c->shared->doing = "theta_start";
        int status = c->plugin.vtable.theta_start(&batch, c->theta);
        c->shared->doing = "the check itself";
        if (status != GM_LOSS_OK)
            check_fail(c, "theta_start returned %d for ordinary targets. %s", status, c->said.text);
    }
    for (size_t i = 0; i < n_theta; i++)
        c->theta[i] += 0.2 * check_normal(c);
    c->loss.theta = c->theta;
}

/* ---- binding ---- */

static enum gm_code try_bind(struct check *c, const struct check_shape *shape, struct gm_error *err)
{
    c->shape = *shape;
    c->shared->doing = "create";
    enum gm_code code = loss_bind(&c->loss, &c->plugin, c->options->settings, c->options->n_settings, shape->targets,
                                  shape->classes, err);
    c->shared->doing = "the check itself";
    if (code)
        return code;
    if (c->loss.outputs == 0)
        c->loss.outputs = shape->outputs; /* whatever the model gives */
    c->shape.outputs = c->loss.outputs;
    c->shape.targets = c->loss.targets;
    c->rows_most = c->shape.outputs > WIDE ? ROWS_WIDE : ROWS_MOST;
    make_buffers(c);
    return GM_OK;
}

void subject_bind(struct check *c, const struct check_shape *shape)
{
    struct gm_error err = {0};
    if (try_bind(c, shape, &err))
        check_fail(c, "It was bound once and is refused now: %s", err.text);
    make_theta(c);
}

bool subject_try(struct check *c, const struct check_shape *shape, struct gm_error *err)
{
    if (try_bind(c, shape, err))
        return false;
    make_theta(c);
    return true;
}

void subject_release_memory(struct check *c)
{
    check_memory_release(c);
    c->theta = NULL;
    for (int i = 0; i < BUFFER_COUNT; i++)
        guarded_free(&c->buffers[i]);
}

void subject_unbind(struct check *c)
{
    c->shared->doing = "destroy";
    loss_release(&c->loss);
    c->shared->doing = "the check itself";
    subject_release_memory(c);
}

/* ---- finding shapes ---- */

/* The first way of drawing targets that the loss accepts. */
static bool find_style(struct check *c, struct gm_error *err)
{
    for (c->shape.target_style = 0;; c->shape.target_style++) {
        struct sample s = sample_room(c, PROBE_ROWS);
        bool there_is = sample_targets(c, &s, c->shape.target_style);
        struct gm_error why = {0};
        c->shared->doing = "check_targets";
        bool taken = there_is && loss_check_targets(&c->loss, s.target, s.rows, 0, "sample", &why) == GM_OK;
        c->shared->doing = "the check itself";
        if (taken)
            return true;
        if (!there_is)
            return false;
        if (c->shape.target_style == 0)
            *err = why;
    }
}

static void try_shape(struct check *c, const struct check_shape *shape, struct gm_error *err)
{
    struct gm_error why = {0};
    struct check_shared *shared = c->shared;
    enum gm_code code = try_bind(c, shape, &why);
    if (code == GM_PLUGIN_BROKEN)
        check_fail(c, "%s", why.text);
    if (!code && find_style(c, &why)) {
        make_theta(c);
        struct sample s = sample_make(c, PROBE_ROWS, 1);
        struct outcome o = outcome_make(c);
        check_call(c, &(struct call){.sample = &s, .want = WANT_ALL}, &o);
        if (o.status == GM_LOSS_OK)
            shared->shapes[shared->n_shapes++] = c->shape;
        else
            why = c->said;
        if (o.status != GM_LOSS_OK && o.status != GM_LOSS_UNSUPPORTED)
            check_fail(c, "evaluate returned %d for %zu ordinary rows (%zu outputs, %zu targets, %zu classes). %s",
                       o.status, s.rows, c->shape.outputs, c->shape.targets, c->shape.classes, c->said.text);
    }
    if (!code)
        subject_unbind(c);
    if (shared->n_shapes == 0 && err->code == GM_OK && (why.text[0] || code)) {
        *err = why;
        err->code = code ? code : GM_BAD_DATA;
    }
}

static bool enough(const struct check *c)
{
    const struct gm_loss_spec *spec = &c->plugin.spec;
    bool is_flexible = spec->outputs <= 0 || (spec->target_kind == GM_TARGET_CLASS && c->plugin.vtable.create);
    return c->shared->n_shapes >= (is_flexible ? CHECK_SHAPES : 1);
}

void subject_find_shapes(struct check *c)
{
    static const size_t outputs[] = {6, 4, 2, 3, 8, 1}, targets[] = {1, 3, 2}, classes[] = {2, 5, 3};
    const struct gm_loss_spec *spec = &c->plugin.spec;
    struct gm_error err = {0};
    size_t n_outputs = spec->outputs == GM_OUTPUTS_ANY ? 6 : 1;
    size_t n_classes = spec->target_kind == GM_TARGET_CLASS ? 3 : 1;
    size_t n_targets = spec->target_kind == GM_TARGET_REAL || spec->target_kind == GM_TARGET_MULTILABEL ? 3 : 1;
    for (size_t t = 0; t < n_targets; t++)
        for (size_t k = 0; k < n_classes; k++)
            for (size_t o = 0; o < n_outputs && !enough(c); o++) {
                struct check_shape shape = {.targets = spec->target_kind == GM_TARGET_NONE ? 0 : targets[t],
                                            .classes = n_classes > 1 ? classes[k] : 0,
                                            .outputs = outputs[o]};
                try_shape(c, &shape, &err);
            }
    if (c->shared->n_shapes > 0)
        return;
    if (err.code == GM_BAD_JOB)
        check_stop(c, &err);
    check_fail(c, "No number of targets, classes and outputs was found that the loss takes. %s", err.text);
}

void subject_adopt(struct check *c)
{
    struct gm_error err = {0};
    c->rows_most = c->shape.outputs > WIDE ? ROWS_WIDE : ROWS_MOST;
    make_buffers(c);
    if (!find_style(c, &err))
        check_skip(c, "%s", err.text);
    make_theta(c);
}

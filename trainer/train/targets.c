/* Facts about the targets before training. */
#include "train/targets.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define BASELINE_ROWS ((size_t)1 << 20)
#define CHECK_ROWS    ((size_t)4096)

static const void *target_at(const struct data_schema *schema, const struct data_window *w, size_t row)
{
    return (const char *)w->target + row * schema->targets * data_type_size(schema->target_type);
}

static enum gm_code check_window(const struct problem *p, const struct problem_data *d, const struct data_window *w,
                                 double *buffer, struct gm_error *err)
{
    const struct data_schema *schema = d->schema;
    for (size_t row = 0; row < w->rows; row += CHECK_ROWS) {
        size_t rows = w->rows - row < CHECK_ROWS ? w->rows - row : CHECK_ROWS;
        convert_to_f64(schema->target_type, target_at(schema, w, row), rows * schema->targets, buffer);
        enum gm_code code = loss_check_targets(&p->loss, buffer, rows, w->first_row + row, schema->target_at, err);
        if (code)
            return code;
    }
    return GM_OK;
}

static enum gm_code check_data(const struct problem *p, const struct problem_data *d, struct gm_error *err)
{
    if (!d->set || !d->schema->targets || p->loss.spec.target_kind == GM_TARGET_NONE)
        return GM_OK;
    void *buffer = NULL;
    struct data_pass *pass = NULL;
    const struct data_window *window = NULL;
    enum gm_code code = memory_alloc(&buffer, CHECK_ROWS * d->schema->targets, sizeof(double), "targets", err);
    if (!code)
        code = data_pass_open(&pass, d->set, &(struct data_order){0}, err);
    while (!code && !(code = data_pass_next(pass, &window, err)) && window)
        code = check_window(p, d, window, buffer, err);
    data_pass_close(pass);
    memory_free(buffer);
    return code;
}

enum gm_code targets_check(const struct problem *p, struct gm_error *err)
{
    enum gm_code code = check_data(p, &p->train, err);
    return code ? code : check_data(p, &p->validation, err);
}

/* Training rows' targets and weights, one after the other. */
struct sample {
    double *target, *weight;
    size_t rows, most;
    bool weighted;
};

static void sample_window(const struct problem *p, const struct data_window *w, struct sample *s)
{
    const struct data_schema *schema = p->train.schema;
    s->weighted = w->weight != NULL;
    for (size_t i = 0; i < w->rows && s->rows < s->most; i++) {
        if (split_held_out(&p->split, w->first_row + i))
            continue;
        if (w->target)
            convert_to_f64(schema->target_type, target_at(schema, w, i), schema->targets,
                           s->target + s->rows * schema->targets);
        s->weight[s->rows++] = w->weight ? w->weight[i] : 1;
    }
}

static enum gm_code take_sample(const struct problem *p, struct sample *s, struct gm_error *err)
{
    const struct data_schema *schema = p->train.schema;
    s->most = schema->rows < BASELINE_ROWS ? schema->rows : BASELINE_ROWS;
    struct data_pass *pass = NULL;
    const struct data_window *window = NULL;
    enum gm_code code;
    if ((code = memory_alloc((void **)&s->target, s->most * schema->targets, sizeof(double), "targets", err)) ||
        (code = memory_alloc((void **)&s->weight, s->most, sizeof(double), "weights", err)))
        return code;
    code = data_pass_open(&pass, p->train.set, &(struct data_order){0}, err);
    while (!code && s->rows < s->most && !(code = data_pass_next(pass, &window, err)) && window)
        sample_window(p, window, s);
    data_pass_close(pass);
    return code;
}

/* A start, not a result: where the plugin has no answer, or none that is finite, zeros serve as well. */
static void keep_finite(int status, double *values, size_t count)
{
    bool good = status == GM_LOSS_OK;
    for (size_t k = 0; k < count; k++)
        good = good && isfinite(values[k]);
    if (!good)
        memset(values, 0, count * sizeof *values);
}

enum gm_code targets_start(const struct problem *p, double *raw, double *theta, struct gm_error *err)
{
    const struct loss *loss = &p->loss;
    const struct gm_loss *vtable = &loss->plugin->vtable;
    size_t n_theta = loss->spec.n_theta;
    memset(raw, 0, loss->outputs * sizeof *raw);
    memset(theta, 0, n_theta * sizeof *theta);
    bool learns = n_theta && vtable->theta_start, based = vtable->baseline && loss->targets;
    if (!learns && !based)
        return GM_OK;
    struct sample s = {0};
    struct loss_call call;
    enum gm_code code = take_sample(p, &s, err);
    if (!code && !(code = loss_call_open(&call, loss, s.rows, err))) {
        call.batch.target = loss->targets ? s.target : NULL;
        call.batch.weight = s.weighted ? s.weight : NULL;
        if (learns)
            keep_finite(vtable->theta_start(&call.batch, theta), theta, n_theta);
        call.batch.theta = n_theta ? theta : NULL;
        if (based)
            keep_finite(vtable->baseline(&call.batch, raw), raw, loss->outputs);
        loss_call_close(&call);
    }
    memory_free(s.target);
    memory_free(s.weight);
    return code;
}

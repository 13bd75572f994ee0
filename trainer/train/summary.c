/* The end of a run and its metrics as JSON. */
#include "train/summary.h"

#include <math.h>

#include <jansson.h>

json_t *summary_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static void put_real(json_t *object, const char *name, double value)
{
    if (!isnan(value))
        json_object_set_new(object, name, summary_real(value));
}

static json_t *confusion(const struct gm_metrics *m)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < m->classes; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < m->classes; j++)
            json_array_append_new(row, summary_real(m->confusion[i * m->classes + j]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *terms(const struct gm_metrics *m)
{
    json_t *list = json_array();
    for (size_t i = 0; i < m->n_terms; i++)
        json_array_append_new(list, summary_metrics(&m->terms[i]));
    return list;
}

json_t *summary_metrics(const struct gm_metrics *m)
{
    json_t *o = json_object();
    json_object_set_new(o, "rows", json_integer((json_int_t)m->rows));
    put_real(o, "loss", m->loss);
    put_real(o, "mse", m->mse);
    put_real(o, "rmse", m->rmse);
    put_real(o, "mae", m->mae);
    put_real(o, "r2", m->r2);
    put_real(o, "accuracy", m->accuracy);
    put_real(o, "log_loss", m->log_loss);
    put_real(o, "top5_accuracy", m->top5_accuracy);
    put_real(o, "inertia", m->inertia);
    put_real(o, "hit_rate", m->hit_rate);
    put_real(o, "ndcg", m->ndcg);
    put_real(o, "auc", m->auc);
    if (m->loss_id) {
        json_object_set_new(o, "loss_id", json_string(m->loss_id));
        json_object_set_new(o, "columns", json_pack("[I, I]", (json_int_t)m->column_first, (json_int_t)m->column_end));
        json_object_set_new(o, "weight", summary_real(m->weight));
    }
    if (m->n_terms)
        json_object_set_new(o, "terms", terms(m));
    if (m->confusion)
        json_object_set_new(o, "confusion", confusion(m));
    return o;
}

json_t *summary_object(const struct gm_summary *s)
{
    json_t *o = json_object();
    json_object_set_new(o, "event", json_string("end"));
    json_object_set_new(o, "stop_reason", json_string(s->stop_reason));
    json_object_set_new(o, "epochs", json_integer((json_int_t)s->epochs));
    json_object_set_new(o, "best_epoch", json_integer((json_int_t)s->best_epoch));
    json_object_set_new(o, "passes", json_integer((json_int_t)s->passes));
    if (s->undetermined)
        json_object_set_new(o, "undetermined", json_true());
    json_object_set_new(o, "train_loss", summary_real(s->train_loss));
    json_object_set_new(o, "objective", summary_real(s->objective));
    json_object_set_new(o, "validation_loss", summary_real(s->validation_loss));
    json_object_set_new(o, "gradient_norm", summary_real(s->gradient_norm));
    json_object_set_new(o, "seconds", summary_real(s->seconds));
    json_object_set_new(o, "rows", json_integer((json_int_t)s->rows));
    json_object_set_new(o, "features", json_integer((json_int_t)s->features));
    json_object_set_new(o, "outputs", json_integer((json_int_t)s->outputs));
    json_object_set_new(o, "parameters", json_integer((json_int_t)s->parameters));
    json_object_set_new(o, "threads", json_integer(s->threads));
    json_object_set_new(o, "resident", json_boolean(s->resident));
    json_object_set_new(o, "bytes_per_pass", json_integer((json_int_t)s->data_bytes_per_pass));
    json_object_set_new(o, "peak_memory_bytes", json_integer((json_int_t)s->peak_memory_bytes));
    if (s->train.rows)
        json_object_set_new(o, "train", summary_metrics(&s->train));
    if (s->validation.rows)
        json_object_set_new(o, "validation", summary_metrics(&s->validation));
    return o;
}

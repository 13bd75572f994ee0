/* Metrics for scripts. */
#include "cli/metrics.h"

#include <math.h>

static void real(struct json *json, const char *name, double value)
{
    if (!isnan(value))
        json_real(json, name, value);
}

void metrics_json(struct json *json, const char *name, const struct gm_metrics *m)
{
    if (name)
        json_open(json, name);
    json_count(json, "rows", m->rows);
    json_real(json, "weight_sum", m->weight_sum);
    real(json, "loss", m->loss);
    real(json, "mse", m->mse);
    real(json, "rmse", m->rmse);
    real(json, "mae", m->mae);
    real(json, "r2", m->r2);
    real(json, "accuracy", m->accuracy);
    real(json, "log_loss", m->log_loss);
    if (m->confusion) {
        json_list(json, "confusion");
        for (size_t k = 0; k < m->classes; k++) {
            json_list(json, NULL);
            for (size_t j = 0; j < m->classes; j++)
                json_real(json, NULL, m->confusion[k * m->classes + j]);
            json_list_end(json);
        }
        json_list_end(json);
    }
    if (name)
        json_close(json);
}

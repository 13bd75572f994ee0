/* The end of a run: a table for people, a line of JSON for scripts. */
#include "cli/train_report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "cli/progress.h"
#include "cli/table.h"

const char *train_reason(const char *stop_reason)
{
    static const char *const words[][2] = {
        {"loss_change", "converged: the loss no longer changes enough"},
        {"max_epochs", "stop.max_epochs was reached; the loss was still improving"},
        {"max_time", "stop.max_time was reached"},
        {"target_loss", "stop.target_loss was reached"},
        {"gradient_norm", "converged: stop.gradient_norm was reached"},
        {"diverged", "diverged: loss or weights are not finite"},
        {"interrupted", "interrupted"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], stop_reason) == 0)
            return words[i][1];
    return stop_reason;
}

static double rows_per_second(const struct gm_summary *s)
{
    return s->seconds > 0 ? (double)s->rows * (double)s->passes / s->seconds : NAN;
}

static void add_losses(struct table *table, const struct gm_summary *s)
{
    bool validation = !isnan(s->validation_loss);
    table_gap(table);
    if (validation)
        table_heading(table, "training", "validation");
    if (s->train.rows) /* a run that diverged at once has no metrics */
        table_add(table, "rows", "%zu", s->train.rows);
    if (s->train.rows && s->validation.rows)
        snprintf(table->rows[table->count - 1].second, sizeof table->rows[0].second, "%zu", s->validation.rows);
    table_pair(table, "loss", s->train_loss, s->validation_loss);
    if (s->train.rows)
        table_metrics(table, &s->train, s->validation.rows ? &s->validation : NULL);
    table_terms(table, &s->train, s->validation.rows ? &s->validation : NULL);
    if (s->objective != s->train_loss)
        table_real(table, "objective", s->objective);
    table_real(table, "gradient norm", s->gradient_norm);
    table_gap(table);
}

void train_report_table(const struct gm_job *job, const struct gm_summary *s, FILE *out)
{
    struct table table = {0};
    char number[32], speed[32];
    table_add(&table, "stopped", "%s", train_reason(s->stop_reason));
    if (s->undetermined)
        table_add(&table, "not converged",
                  "the data do not determine all parameters: one of many models that fit alike");
    table_add(&table, "epochs", "%zu, the best was %zu", s->epochs, s->best_epoch);
    add_losses(&table, s);
    table_add(&table, "data", "%" PRIu64 " rows x %" PRIu64 " features, %s", s->rows, s->features,
              s->resident ? "in memory" : "streamed");
    table_add(&table, "time", "%.3g s on %d thread%s, %s rows/s", s->seconds, s->threads, s->threads == 1 ? "" : "s",
              progress_count(rows_per_second(s), speed));
    table_add(&table, "peak memory", "%s", text_from_bytes(s->peak_memory_bytes, number));
    if (job->output.model)
        table_add(&table, "model", "%s", job->output.model);
    if (job->output.log)
        table_add(&table, "log", "%s", job->output.log);
    table_print(&table, out);
}

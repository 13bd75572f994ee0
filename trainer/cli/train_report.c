/* The end of a run: a table for people, a line of JSON for scripts. */
#include "cli/train_report.h"

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

void train_report_table(const struct gm_job *job, const struct gm_summary *s, FILE *out)
{
    struct table table = {0};
    char number[32], speed[32];
    table_add(&table, "stopped", "%s", train_reason(s->stop_reason));
    table_add(&table, "epochs", "%zu, the best was %zu", s->epochs, s->best_epoch);
    table_real(&table, "training loss", s->train_loss);
    if (s->objective != s->train_loss)
        table_real(&table, "objective", s->objective);
    table_metrics(&table, "training ", &s->train);
    table_real(&table, "validation loss", s->validation_loss);
    table_metrics(&table, "validation ", &s->validation);
    table_real(&table, "gradient norm", s->gradient_norm);
    table_add(&table, "data", "%s rows x %s features, %s", progress_count((double)s->rows, number),
              progress_count((double)s->features, speed), s->resident ? "in memory" : "streamed");
    table_add(&table, "time", "%.3g s on %d thread%s, %s rows/s", s->seconds, s->threads, s->threads == 1 ? "" : "s",
              progress_count(rows_per_second(s), speed));
    table_add(&table, "peak memory", "%s", text_from_bytes(s->peak_memory_bytes, number));
    if (job->output.model)
        table_add(&table, "model", "%s", job->output.model);
    if (job->output.log)
        table_add(&table, "log", "%s", job->output.log);
    if (job->output.checkpoint)
        table_add(&table, "checkpoint", "%s", job->output.checkpoint);
    table_print(&table, out);
}

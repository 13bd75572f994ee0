/* Aligned tables for people. */
#include "cli/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

static struct table_row *add_row(struct table *table, const char *name)
{
    struct table_row *row = &table->rows[table->count < TABLE_ROWS ? table->count++ : TABLE_ROWS - 1];
    *row = (struct table_row){0};
    snprintf(row->name, sizeof row->name, "%s", name);
    return row;
}

void table_add(struct table *table, const char *name, const char *format, ...)
{
    struct table_row *row = add_row(table, name);
    va_list args;
    va_start(args, format);
    vsnprintf(row->text, sizeof row->text, format, args);
    va_end(args);
}

void table_real(struct table *table, const char *name, double value)
{
    if (!isnan(value))
        table_add(table, name, "%.7g", value);
}

void table_pair(struct table *table, const char *name, double first, double second)
{
    if (isnan(first) && isnan(second))
        return;
    struct table_row *row = add_row(table, name);
    if (!isnan(first))
        snprintf(row->text, sizeof row->text, "%.7g", first);
    if (!isnan(second))
        snprintf(row->second, sizeof row->second, "%.7g", second);
}

void table_heading(struct table *table, const char *first, const char *second)
{
    struct table_row *row = add_row(table, "");
    snprintf(row->text, sizeof row->text, "%s", first);
    snprintf(row->second, sizeof row->second, "%s", second);
}

void table_gap(struct table *table)
{
    add_row(table, "");
}

static void percent(double share, char *out, size_t size)
{
    if (!isnan(share))
        snprintf(out, size, "%.2f %%", 100 * share);
}

void table_metrics(struct table *table, const struct gm_metrics *m, const struct gm_metrics *second)
{
    static const struct gm_metrics none = {.mse = NAN,
                                           .rmse = NAN,
                                           .mae = NAN,
                                           .r2 = NAN,
                                           .accuracy = NAN,
                                           .log_loss = NAN,
                                           .loss = NAN,
                                           .top5_accuracy = NAN,
                                           .inertia = NAN,
                                           .hit_rate = NAN,
                                           .ndcg = NAN,
                                           .auc = NAN};
    const struct gm_metrics *o = second ? second : &none;
    /* A loss that is a metric itself is not told twice. */
    bool is_mse = fabs(m->mse - m->loss) <= 1e-9 * fabs(m->loss);
    bool is_log_loss = fabs(m->log_loss - m->loss) <= 1e-9 * fabs(m->loss);
    if (!isnan(m->accuracy)) {
        struct table_row *row = add_row(table, "accuracy");
        percent(m->accuracy, row->text, sizeof row->text);
        percent(o->accuracy, row->second, sizeof row->second);
    }
    if (!isnan(m->top5_accuracy)) {
        struct table_row *row = add_row(table, "top-5 accuracy");
        percent(m->top5_accuracy, row->text, sizeof row->text);
        percent(o->top5_accuracy, row->second, sizeof row->second);
    }
    if (!is_log_loss)
        table_pair(table, "log loss", m->log_loss, o->log_loss);
    if (!is_mse)
        table_pair(table, "mse", m->mse, o->mse);
    table_pair(table, "rmse", m->rmse, o->rmse);
    table_pair(table, "mae", m->mae, o->mae);
    table_pair(table, "r2", m->r2, o->r2);
    table_pair(table, "hit rate at 10", m->hit_rate, o->hit_rate);
    table_pair(table, "ndcg at 10", m->ndcg, o->ndcg);
    table_pair(table, "auc", m->auc, o->auc);
    table_pair(table, "inertia", m->inertia, o->inertia);
}

void table_terms(struct table *table, const struct gm_metrics *m, const struct gm_metrics *second)
{
    char what[96];
    for (size_t i = 0; i < m->n_terms; i++) {
        const struct gm_metrics *term = &m->terms[i], *other = second ? &second->terms[i] : NULL;
        snprintf(what, sizeof what, "%.60s %zu:%zu", term->loss_id, term->column_first, term->column_end);
        table_gap(table);
        table_add(table, what, "weight %.4g", term->weight);
        if (!isnan(term->loss))
            table_pair(table, "loss", term->loss, other ? other->loss : NAN);
        table_metrics(table, term, other);
    }
}

void table_print(const struct table *table, FILE *out)
{
    size_t width = 0, first = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        width = strlen(row->name) > width ? strlen(row->name) : width;
        if (row->second[0] && strlen(row->text) > first)
            first = strlen(row->text);
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        if (row->second[0])
            fprintf(out, "%-*s  %-*s  %s\n", (int)width, row->name, (int)first, row->text, row->second);
        else if (row->text[0] || row->name[0])
            fprintf(out, "%-*s  %s\n", (int)width, row->name, row->text);
        else
            fputc('\n', out);
    }
}

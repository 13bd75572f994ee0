/* Aligned tables: collected first so that each column fits its longest text. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include <gradmill/gradmill.h>

#define TABLE_ROWS 256

/* Rows of a name and one text, or, between table_columns and the next table_gap, two short ones. */
struct table {
    size_t count;
    struct table_row {
        char name[32], text[160], second[32];
    } rows[TABLE_ROWS];
};

void table_add(struct table *table, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* With 7 significant digits; NaN: left out. */
void table_real(struct table *table, const char *name, double value);
/* Two numbers side by side; NaN: an empty cell, both: left out. */
void table_pair(struct table *table, const char *name, double first, double second);
/* A row without a name: headings or an empty line. */
void table_heading(struct table *table, const char *first, const char *second);
void table_gap(struct table *table);

/* What gm_metrics knows of `first` and, in a second column, of `second` (NULL: one column). */
void table_metrics(struct table *table, const struct gm_metrics *first, const struct gm_metrics *second);
/* Of a list of losses: a section for each. */
void table_terms(struct table *table, const struct gm_metrics *first, const struct gm_metrics *second);
void table_print(const struct table *table, FILE *out);

/* [classes x classes] counts with percentages of each row; name(context, k) names class k. */
typedef const char *table_name_fn(const void *context, size_t index);
void table_confusion(const struct gm_metrics *metrics, table_name_fn *name, const void *context, FILE *out);

#endif

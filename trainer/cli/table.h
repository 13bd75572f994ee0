/* Aligned "name  value" lines, collected first so that the column fits the longest name. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include <gradmill/gradmill.h>

#define TABLE_ROWS 48

struct table {
    size_t count;
    struct table_row {
        char name[32], text[160];
    } rows[TABLE_ROWS];
};

void table_add(struct table *table, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* With 7 significant digits; NaN: left out. */
void table_real(struct table *table, const char *name, double value);
/* What gm_metrics knows, each name behind `prefix` ("validation "). */
void table_metrics(struct table *table, const char *prefix, const struct gm_metrics *metrics);
void table_print(const struct table *table, FILE *out);

/* [classes x classes] counts with percentages of each row; class_name(model, k) names them. */
typedef const char *table_name_fn(const void *context, size_t index);
void table_confusion(const struct gm_metrics *metrics, table_name_fn *name, const void *context, FILE *out);

#endif

/* The confusion matrix for people. */
#include "cli/table.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define WIDEST_NAME 14
#define NARROWEST   4
#define MOST_SHOWN  30 /* classes that still fit a screen */

/* Columns a text takes on a terminal, taking every UTF-8 character for one. */
static size_t columns(const char *text)
{
    size_t count = 0;
    for (const char *c = text; *c; c++)
        count += ((unsigned char)*c & 0xC0) != 0x80;
    return count;
}

/* Right-aligned in `width` columns, cut when too long, control characters masked. */
static void cell(FILE *out, const char *text, size_t width)
{
    size_t used = columns(text), printed = 0;
    for (size_t i = used; i < width; i++)
        fputc(' ', out);
    for (const char *c = text; *c; c++) {
        printed += ((unsigned char)*c & 0xC0) != 0x80;
        if (printed > width)
            break;
        fputc((unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c, out);
    }
}

static const char *class_name(table_name_fn *name, const void *context, size_t index, char buffer[24])
{
    const char *known = name ? name(context, index) : NULL;
    if (known)
        return known;
    snprintf(buffer, 24, "%zu", index);
    return buffer;
}

/* "412" or, for weighted rows, "41.25". */
static const char *count_text(double value, char buffer[32])
{
    snprintf(buffer, 32, value == floor(value) ? "%.0f" : "%.2f", value);
    return buffer;
}

static size_t cell_width(const struct gm_metrics *m, table_name_fn *name, const void *context)
{
    char buffer[32];
    size_t width = NARROWEST;
    for (size_t k = 0; k < m->classes; k++) {
        size_t used = columns(class_name(name, context, k, buffer));
        width = used > width ? used : width;
        for (size_t j = 0; j < m->classes; j++) {
            used = strlen(count_text(m->confusion[k * m->classes + j], buffer));
            width = used > width ? used : width;
        }
    }
    return width > WIDEST_NAME ? WIDEST_NAME : width;
}

/* Most frequent mistakes instead of a matrix that no screen holds. */
static void worst_pairs(const struct gm_metrics *m, table_name_fn *name, const void *context, FILE *out)
{
    char true_name[24], predicted[24], count[32];
    double below = INFINITY; /* the last one shown, and where: equal counts come in order */
    size_t last = 0;
    fprintf(out, "most frequent mistakes\n");
    for (int shown = 0; shown < 10; shown++) {
        size_t worst = 0;
        double most = 0;
        for (size_t i = 0; i < m->classes * m->classes; i++) {
            double count_here = m->confusion[i];
            bool later = count_here < below || (count_here == below && i > last);
            if (i / m->classes != i % m->classes && count_here > most && later) {
                most = count_here;
                worst = i;
            }
        }
        if (most == 0)
            break;
        below = most;
        last = worst;
        fprintf(out, "  %s taken for %s: %s\n", class_name(name, context, worst / m->classes, true_name),
                class_name(name, context, worst % m->classes, predicted), count_text(most, count));
    }
}

void table_confusion(const struct gm_metrics *m, table_name_fn *name, const void *context, FILE *out)
{
    char buffer[32];
    if (!m->confusion || m->classes == 0)
        return;
    if (m->classes > MOST_SHOWN) {
        worst_pairs(m, name, context, out);
        return;
    }
    size_t width = cell_width(m, name, context);
    fprintf(out, "confusion matrix: a row per true class, a column per prediction\n");
    cell(out, "", width);
    for (size_t k = 0; k < m->classes; k++) {
        fputs("  ", out);
        cell(out, class_name(name, context, k, buffer), width);
    }
    fputs("    correct\n", out);
    for (size_t k = 0; k < m->classes; k++) {
        const double *row = m->confusion + k * m->classes;
        double sum = 0;
        cell(out, class_name(name, context, k, buffer), width);
        for (size_t j = 0; j < m->classes; j++) {
            sum += row[j];
            fputs("  ", out);
            cell(out, row[j] == 0 ? "." : count_text(row[j], buffer), width);
        }
        if (sum > 0)
            fprintf(out, "    %5.1f %%\n", 100 * row[k] / sum);
        else
            fputs("      none\n", out);
    }
}

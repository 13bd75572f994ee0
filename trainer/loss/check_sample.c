/* Random rows that a loss takes: predictions, targets from its domain, weights, groups. */
#include "loss/check_kit.h"

#include <math.h>
#include <string.h>

double check_uniform(struct check *c)
{
    return random_uniform(c->key, c->drawn++);
}

double check_normal(struct check *c)
{
    return random_normal(c->key, c->drawn++);
}

size_t check_below(struct check *c, size_t n)
{
    return (size_t)random_below(c->key, c->drawn++, n);
}

struct sample sample_room(struct check *c, size_t rows)
{
    return (struct sample){
        .rows = rows,
        .pred = check_memory(c, rows * c->shape.outputs + CHECK_MARGIN, sizeof(double)),
        .target = check_memory(c, rows * c->shape.targets + CHECK_MARGIN, sizeof(double)),
        .weight = check_memory(c, rows + CHECK_MARGIN, sizeof(double)),
        .group = c->loss.spec.coupling == GM_ROWS_GROUPED ? check_memory(c, rows, sizeof(int64_t)) : NULL,
    };
}

void sample_copy_row(const struct check *c, struct sample *to, size_t to_row, const struct sample *from,
                     size_t from_row)
{
    size_t outputs = c->shape.outputs, targets = c->shape.targets;
    memcpy(to->pred + to_row * outputs, from->pred + from_row * outputs, outputs * sizeof(double));
    memcpy(to->target + to_row * targets, from->target + from_row * targets, targets * sizeof(double));
    to->weight[to_row] = from->weight[from_row];
    if (to->group)
        to->group[to_row] = from->group[from_row];
}

struct sample sample_slice(const struct check *c, const struct sample *s, size_t first, size_t end)
{
    return (struct sample){
        .rows = end - first,
        .pred = s->pred + first * c->shape.outputs,
        .target = s->target + first * c->shape.targets,
        .weight = s->weight + first,
        .group = s->group ? s->group + first : NULL,
    };
}

size_t sample_unit_end(const struct check *c, const struct sample *s, size_t first)
{
    if (c->loss.spec.coupling == GM_ROWS_BATCH)
        return s->rows;
    size_t end = first + 1;
    while (s->group && end < s->rows && s->group[end] == s->group[first])
        end++;
    return end;
}

/* ---- targets ---- */

/* A value inside the spec's interval; its closed ends now and then. */
static double draw_in_domain(struct check *c)
{
    const struct gm_loss_spec *spec = &c->loss.spec;
    uint32_t rule = spec->target_rule;
    bool low = rule & (GM_TARGET_LOW | GM_TARGET_LOW_OPEN), high = rule & (GM_TARGET_HIGH | GM_TARGET_HIGH_OPEN);
    double value, u = check_uniform(c), n = check_normal(c);
    if (low && high)
        value = spec->target_low + (spec->target_high - spec->target_low) * (0.02 + 0.96 * u);
    else if (low)
        value = spec->target_low + exp(0.8 * n);
    else if (high)
        value = spec->target_high - exp(0.8 * n);
    else
        value = 1.5 * n;
    if (rule & GM_TARGET_INTEGER)
        value = rint(value);
    size_t end = check_below(c, 12);
    if (end == 0 && rule & GM_TARGET_LOW && !(rule & GM_TARGET_LOW_OPEN))
        value = spec->target_low;
    if (end == 1 && rule & GM_TARGET_HIGH && !(rule & GM_TARGET_HIGH_OPEN))
        value = spec->target_high;
    return value;
}

/* A row whose values are positive and add up to one. */
static void draw_shares(struct check *c, double *row, size_t count)
{
    double sum = 0;
    for (size_t k = 0; k < count; k++)
        sum += row[k] = 0.05 + check_uniform(c);
    for (size_t k = 0; k < count; k++)
        row[k] /= sum;
}

/* Ways to draw targets, for losses whose check_targets asks for more than the spec can say. */
enum { STYLE_SPEC, STYLE_SHARES, STYLE_ONE_HOT, STYLE_BINARY, STYLE_SIGNS, STYLE_COUNTS, STYLE_POSITIVE, STYLE_COUNT };

static void draw_row(struct check *c, double *row, int style)
{
    size_t count = c->shape.targets, hot = count ? check_below(c, count) : 0;
    if (style == STYLE_SHARES) {
        draw_shares(c, row, count);
        return;
    }
    for (size_t k = 0; k < count; k++) {
        double in_domain = draw_in_domain(c);
        size_t number = check_below(c, 5);
        switch (style) {
        case STYLE_ONE_HOT:
            row[k] = k == hot;
            break;
        case STYLE_BINARY:
            row[k] = (double)(number % 2);
            break;
        case STYLE_SIGNS:
            row[k] = number % 2 ? 1 : -1;
            break;
        case STYLE_COUNTS:
            row[k] = (double)number;
            break;
        case STYLE_POSITIVE:
            row[k] = exp(0.5 * check_normal(c));
            break;
        default:
            if (c->loss.spec.target_kind == GM_TARGET_CLASS)
                row[k] = (double)check_below(c, c->shape.classes ? c->shape.classes : 2);
            else if (c->loss.spec.target_kind == GM_TARGET_MULTILABEL && !c->loss.spec.target_rule)
                row[k] = (double)(number % 2);
            else
                row[k] = in_domain;
        }
    }
}

bool sample_targets(struct check *c, struct sample *s, int style)
{
    if (style >= STYLE_COUNT)
        return false;
    for (size_t row = 0; row < s->rows; row++)
        draw_row(c, s->target + row * c->shape.targets, style);
    return true;
}

struct sample sample_make(struct check *c, size_t rows, double scale)
{
    struct sample s = sample_room(c, rows);
    int64_t group = (int64_t)check_below(c, 1000);
    size_t left = 0;
    for (size_t i = 0; i < rows * c->shape.outputs; i++)
        s.pred[i] = scale * check_normal(c);
    for (size_t row = 0; row < rows; row++) {
        s.weight[row] = exp(0.5 * check_normal(c));
        if (left == 0) {
            left = 1 + check_below(c, 6);
            group += 1 + (int64_t)check_below(c, 3);
        }
        left--;
        if (s.group)
            s.group[row] = group;
    }
    sample_targets(c, &s, c->shape.target_style);
    return s;
}

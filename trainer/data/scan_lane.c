/* One lane of the scan. */
#include "data/scan_lane.h"

#include <math.h>
#include <string.h>

/* A unit of rows, looked at as float or double. */
struct unit {
    size_t first, n;               /* rows of the dataset */
    const void *x;                 /* [n x features] float or double */
    uint32_t rows[SCAN_UNIT_ROWS]; /* training rows of weight above 0 */
    double weight[SCAN_UNIT_ROWS];
    size_t n_rows;
    bool all, weighted; /* all rows take part; some weight is not 1 */
};

static double value_at(const struct scan_task *task, const struct unit *unit, size_t row, size_t column)
{
    size_t at = row * task->schema->features + column;
    return task->as_double ? ((const double *)unit->x)[at] : (double)((const float *)unit->x)[at];
}

static const void *look(const struct scan_task *task, const void *stored, size_t values, void *scratch)
{
    if (task->direct)
        return stored;
    if (task->as_double)
        KERNEL_PICK(convert_f64, task->isa)(task->schema->type, stored, values, scratch);
    else
        KERNEL_PICK(convert_f32, task->isa)(task->schema->type, stored, values, scratch, CONVERT_AHEAD);
    return scratch;
}

static bool is_finite(const struct scan_task *task, const void *x, size_t values)
{
    if (task->schema->type < DATA_F16)
        return true;
    return task->as_double ? KERNEL_PICK(scan_finite_f64, task->isa)(x, values)
                           : KERNEL_PICK(scan_finite_f32, task->isa)(x, values);
}

static void add_weight(struct scan_lane *lane, struct unit *unit, size_t row, double weight, bool held_out)
{
    if (held_out) {
        lane->held_out_weight += weight;
        return;
    }
    lane->weight += weight;
    if (weight > 0) {
        unit->rows[unit->n_rows] = (uint32_t)row;
        unit->weight[unit->n_rows++] = weight;
        unit->weighted = unit->weighted || weight != 1.0;
    }
}

/* Which rows of the unit count, and with what weight. */
static void choose_rows(struct scan_lane *lane, const struct scan_task *task, struct unit *unit)
{
    bool split = task->split && task->split->mask;
    unit->all = !split && !task->weights;
    unit->n_rows = 0;
    unit->weighted = false;
    if (unit->all) {
        unit->n_rows = unit->n;
        lane->weight += (double)unit->n;
        return;
    }
    for (size_t i = 0; i < unit->n; i++)
        add_weight(lane, unit, i, task->weights ? task->weights[unit->first + i] : 1.0,
                   split && split_held_out(task->split, unit->first + i));
}

static void start(struct scan_lane *lane, const struct scan_task *task, const struct unit *unit)
{
    size_t row = unit->all ? 0 : unit->rows[0];
    for (size_t j = 0; j < task->schema->features; j++) {
        double value = value_at(task, unit, row, j);
        lane->shift[j] = isfinite(value) ? value : 0.0;
    }
    lane->started = true;
}

static void add_rows(struct scan_lane *lane, const struct scan_task *task, const struct unit *unit)
{
    if (unit->n_rows == 0)
        return;
    if (!lane->started)
        start(lane, task, unit);
    struct scan_block block = {.x = unit->x,
                               .stride = task->schema->features,
                               .columns = task->schema->features,
                               .rows = unit->all ? NULL : unit->rows,
                               .n_rows = unit->n_rows,
                               .weight = unit->weighted ? unit->weight : NULL};
    if (task->as_double)
        KERNEL_PICK(scan_sums_f64, task->isa)(&block, &lane->sums);
    else
        KERNEL_PICK(scan_sums_f32, task->isa)(&block, &lane->sums);
}

enum content { CONTENT_FINE, CONTENT_MISSING, CONTENT_BAD };

/* Does the row hold NaN, and may it? */
static enum content look_at_row(struct scan_lane *lane, const struct scan_task *task, const struct unit *unit,
                                size_t row)
{
    enum content content = CONTENT_FINE;
    for (size_t j = 0; j < task->schema->features; j++) {
        double value = value_at(task, unit, row, j);
        if (isfinite(value))
            continue;
        if (isnan(value) && task->missing != DATA_MISSING_ERROR) {
            content = CONTENT_MISSING;
            lane->found_nan = true;
            continue;
        }
        lane->bad = true;
        lane->bad_row = unit->first + row;
        lane->bad_column = j;
        lane->bad_value = value;
        return CONTENT_BAD;
    }
    return content;
}

/* A row with holes under DATA_MISSING_MEAN: each column by itself. */
static void add_holed_row(struct scan_lane *lane, const struct scan_task *task, const struct unit *unit, size_t which)
{
    struct scan_sums *sums = &lane->sums;
    size_t row = unit->rows[which];
    double weight = unit->weight[which];
    if (!lane->started)
        start(lane, task, unit);
    for (size_t j = 0; j < task->schema->features; j++) {
        double value = value_at(task, unit, row, j), distance = value - lane->shift[j];
        if (isnan(value)) {
            lane->missing[j] += weight;
            continue;
        }
        sums->sum[j] += weight * distance;
        sums->square[j] += weight * distance * distance;
        sums->low[j] = value < sums->low[j] ? value : sums->low[j];
        sums->high[j] = value > sums->high[j] ? value : sums->high[j];
    }
}

/* A unit with NaN or Inf: row by row, then the whole rows together. Returns false at a value that cannot be used. */
static bool add_careful(struct scan_lane *lane, const struct scan_task *task, struct unit *unit)
{
    bool missing[SCAN_UNIT_ROWS];
    for (size_t i = 0; i < unit->n; i++) {
        enum content content = look_at_row(lane, task, unit, i);
        if (content == CONTENT_BAD)
            return false;
        missing[i] = content == CONTENT_MISSING;
        if (missing[i] && task->missing == DATA_MISSING_SKIP)
            task->weights[unit->first + i] = 0.0;
    }
    choose_rows(lane, task, unit);
    if (unit->all) /* name the rows, to leave some out */
        for (size_t i = 0; i < unit->n; i++) {
            unit->rows[i] = (uint32_t)i;
            unit->weight[i] = 1.0;
        }
    unit->all = false;
    struct unit whole = *unit;
    whole.n_rows = 0;
    for (size_t i = 0; i < unit->n_rows; i++)
        if (!missing[unit->rows[i]]) {
            whole.rows[whole.n_rows] = unit->rows[i];
            whole.weight[whole.n_rows++] = unit->weight[i];
        }
    add_rows(lane, task, &whole);
    for (size_t i = 0; i < unit->n_rows; i++)
        if (missing[unit->rows[i]])
            add_holed_row(lane, task, unit, i);
    return true;
}

void scan_lane_add(struct scan_lane *lane, const struct scan_task *task, const struct data_window *window,
                   struct row_range rows, uint64_t (*digests)[2], void *scratch)
{
    size_t features = task->schema->features, row_bytes = features * data_type_size(task->schema->type);
    for (size_t first = rows.first; first < rows.end && !lane->bad; first += task->unit_rows, digests++) {
        struct unit unit = {.first = first,
                            .n = rows.end - first < task->unit_rows ? rows.end - first : task->unit_rows};
        const char *stored = (const char *)window->x + (first - window->first_row) * window->stride;
        KERNEL_PICK(scan_hash, task->isa)(stored, unit.n * row_bytes, *digests);
        unit.x = look(task, stored, unit.n * features, scratch);
        if (is_finite(task, unit.x, unit.n * features)) {
            choose_rows(lane, task, &unit);
            add_rows(lane, task, &unit);
        } else if (!add_careful(lane, task, &unit)) {
            return;
        }
    }
}

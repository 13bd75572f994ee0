/* One pass over the data before training. */
#include "data/scan.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/fingerprint.h"
#include "data/scan_lane.h"
#include "data/set.h"
#include "data/sparse_scan.h"

#define UNIT_BYTES ((size_t)64 << 10) /* a unit stays in the second-level cache for its three looks */

struct scan {
    struct scan_task task;
    struct scan_lane *lanes; /* [plan.lanes] */
    double *numbers;         /* all arrays of all lanes */
    char *scratch;           /* [threads][task.scratch_bytes] */
    uint64_t (*digests)[2];  /* of a slab's units */
    int threads;
};

static void release(struct scan *scan)
{
    memory_free(scan->lanes);
    memory_free(scan->numbers);
    memory_free(scan->scratch);
    memory_free(scan->digests);
}

static struct scan_task make_task(struct data_set *set, const struct data_split *split)
{
    const struct data_schema *schema = &set->schema;
    enum data_type type = schema->type;
    struct scan_task task = {
        .schema = schema, .split = split, .missing = set->options.missing, .weights = set->weights};
    task.isa = cpu_isa();
    task.direct = type == DATA_F32 || type == DATA_F64;
    task.as_double = type == DATA_F64 || (type >= DATA_U32 && type <= DATA_I64); /* float holds the others exactly */
    size_t row_bytes = set->features.row_bytes;
    task.unit_rows = row_bytes <= UNIT_BYTES / SCAN_UNIT_ROWS ? SCAN_UNIT_ROWS : row_bytes <= UNIT_BYTES / 8 ? 8 : 1;
    size_t value_bytes = task.as_double ? sizeof(double) : sizeof(float);
    task.scratch_bytes = task.direct ? 0 : (task.unit_rows * schema->features * value_bytes + 63) / 64 * 64;
    return task;
}

static enum gm_code prepare(struct scan *scan, struct data_set *set, struct gm_error *err)
{
    const struct lane_plan *plan = &set->plan;
    size_t features = set->schema.features, arrays = set->options.missing == DATA_MISSING_MEAN ? 6 : 5, count;
    size_t units = (plan->slab_rows - 1) / scan->task.unit_rows + 1;
    if (!memory_product(features * arrays, plan->lanes, &count))
        return error_memory(err, "column sums", SIZE_MAX);
    enum gm_code code = memory_alloc((void **)&scan->lanes, plan->lanes, sizeof *scan->lanes, "column sums", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&scan->numbers, count, sizeof(double), "column sums", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&scan->scratch, (size_t)scan->threads, scan->task.scratch_bytes, "scratch", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&scan->digests, units, sizeof *scan->digests, "hashes", err);
    for (size_t l = 0; code == GM_OK && l < plan->lanes; l++) {
        struct scan_lane *lane = &scan->lanes[l];
        double *next = scan->numbers + l * arrays * features;
        lane->shift = next;
        lane->sums =
            (struct scan_sums){next, next + features, next + 2 * features, next + 3 * features, next + 4 * features};
        lane->missing = arrays == 6 ? next + 5 * features : NULL;
        for (size_t j = 0; j < features; j++) {
            lane->sums.low[j] = INFINITY;
            lane->sums.high[j] = -INFINITY;
        }
    }
    return code;
}

/* The lowest row of a slab is in its lowest lane. */
static enum gm_code check_lanes(const struct scan *scan, const struct data_set *set, struct gm_error *err)
{
    for (size_t l = 0; l < set->plan.lanes; l++) {
        const struct scan_lane *lane = &scan->lanes[l];
        if (!lane->bad)
            continue;
        const char *name = set->feature_names ? set->feature_names[lane->bad_column] : NULL;
        bool nan = isnan(lane->bad_value);
        size_t row, column;
        const struct data_set *file = set_of_row(set, lane->bad_row, &row);
        file = set_of_column(file, lane->bad_column, &column);
        return error_set(err, GM_BAD_DATA, "%s: row %zu, column %zu%s%s%s (both counted from 0) is %s.%s",
                         file->features.at, row, column, name ? " ('" : "", name ? name : "", name ? "')" : "",
                         nan                   ? "NaN"
                         : lane->bad_value > 0 ? "Inf"
                                               : "-Inf",
                         nan ? " Set data.missing to skip or mean if that means a missing value." : "");
    }
    return GM_OK;
}

static enum gm_code scan_slab(struct scan *scan, const struct data_set *set, const struct data_window *window,
                              struct gm_error *err)
{
    const struct lane_plan *plan = &set->plan;
    size_t slab = window->first_row / plan->slab_rows;
    bool small = window->rows * set->features.row_bytes < UNIT_BYTES;
#pragma omp parallel for num_threads(scan->threads) schedule(dynamic, 1) if (!small)
    for (size_t l = 0; l < plan->lanes; l++) {
        struct row_range rows = lane_run(plan, slab, l);
        size_t unit = (rows.first - window->first_row) / scan->task.unit_rows;
        if (rows.first < rows.end)
            scan_lane_add(&scan->lanes[l], &scan->task, window, rows, scan->digests + unit,
                          scan->scratch + (size_t)omp_get_thread_num() * scan->task.scratch_bytes);
    }
    return check_lanes(scan, set, err);
}

static enum gm_code scan_features(struct scan *scan, struct data_set *set, struct fingerprint *fingerprint,
                                  struct gm_error *err)
{
    struct data_pass *pass;
    struct data_order order = {.shuffled = false};
    enum gm_code code = data_pass_open(&pass, set, &order, err);
    while (code == GM_OK) {
        const struct data_window *window;
        code = data_pass_next(pass, &window, err);
        if (code != GM_OK || !window)
            break;
        code = scan_slab(scan, set, window, err);
        if (code == GM_OK)
            fingerprint_add(fingerprint, scan->digests,
                            ((window->rows - 1) / scan->task.unit_rows + 1) * sizeof *scan->digests);
    }
    data_pass_close(pass);
    return code;
}

/* Sums become mean and squared distance from it. */
static void finish_lane(struct scan_lane *lane, size_t features)
{
    for (size_t j = 0; j < features; j++) {
        double weight = lane->weight - (lane->missing ? lane->missing[j] : 0.0), sum = lane->sums.sum[j];
        double square = weight > 0 ? lane->sums.square[j] - sum * sum / weight : 0.0;
        lane->sums.square[j] = square > 0 ? square : 0.0;
        lane->sums.sum[j] = weight > 0 ? lane->shift[j] + sum / weight : 0.0;
    }
}

/* Chan, Golub, LeVeque 1979, equation 2.1 with weights: `b` is added to `a`. */
static void merge_lanes(struct scan_lane *a, const struct scan_lane *b, size_t features)
{
    for (size_t j = 0; j < features; j++) {
        double wa = a->weight - (a->missing ? a->missing[j] : 0.0), wb = b->weight - (b->missing ? b->missing[j] : 0.0);
        if (!(wb > 0))
            continue;
        double distance = b->sums.sum[j] - a->sums.sum[j], share = wb / (wa + wb);
        a->sums.square[j] += b->sums.square[j] + (wa > 0 ? distance * distance * wa * share : 0.0);
        a->sums.sum[j] = wa > 0 ? a->sums.sum[j] + distance * share : b->sums.sum[j];
        a->sums.low[j] = b->sums.low[j] < a->sums.low[j] ? b->sums.low[j] : a->sums.low[j];
        a->sums.high[j] = b->sums.high[j] > a->sums.high[j] ? b->sums.high[j] : a->sums.high[j];
    }
    a->weight += b->weight;
    a->held_out_weight += b->held_out_weight;
    a->found_nan = a->found_nan || b->found_nan;
    for (size_t j = 0; a->missing && j < features; j++)
        a->missing[j] += b->missing[j];
}

static enum gm_code fill_stats(struct data_stats *stats, struct scan *scan, const struct data_set *set,
                               struct gm_error *err)
{
    size_t features = set->schema.features, lanes = set->plan.lanes;
    for (size_t l = 0; l < lanes; l++)
        finish_lane(&scan->lanes[l], features);
    for (size_t step = 1; step < lanes; step *= 2)
        for (size_t l = 0; l + step < lanes; l += 2 * step)
            merge_lanes(&scan->lanes[l], &scan->lanes[l + step], features);
    const struct scan_lane *all = &scan->lanes[0];
    if (!(all->weight > 0))
        return error_set(err, GM_BAD_DATA, "%s: the weights of all training rows are 0%s.", set->features.at,
                         all->found_nan ? " after skipping rows with missing values" : "");
    stats->weight_sum = all->weight;
    stats->held_out_weight_sum = all->held_out_weight;
    enum gm_code code = memory_alloc((void **)&stats->mean, 5 * features, sizeof(double), "column statistics", err);
    if (code != GM_OK)
        return code;
    stats->deviation = stats->mean + features;
    stats->low = stats->mean + 2 * features;
    stats->high = stats->mean + 3 * features;
    stats->fill = all->found_nan ? stats->mean + 4 * features : NULL;
    for (size_t j = 0; j < features; j++) {
        double weight = all->weight - (all->missing ? all->missing[j] : 0.0);
        stats->mean[j] = all->sums.sum[j];
        stats->deviation[j] = weight > 0 ? sqrt(all->sums.square[j] / weight) : 0.0;
        stats->low[j] = weight > 0 ? all->sums.low[j] : 0.0;
        stats->high[j] = weight > 0 ? all->sums.high[j] : 0.0;
        if (stats->fill)
            stats->fill[j] = stats->mean[j];
    }
    return GM_OK;
}

static enum gm_code check_target(const struct data_set *set, enum cpu_isa isa, struct gm_error *err)
{
    enum { AT_ONCE = 1024 };
    enum data_type type = set->schema.target_type;
    if (!set->target_values || type < DATA_F16 || set->schema.classes)
        return GM_OK;
    size_t all = set->schema.rows * set->schema.targets, size = data_type_size(type);
    for (size_t first = 0; first < all; first += AT_ONCE) {
        double values[AT_ONCE];
        size_t n = all - first < AT_ONCE ? all - first : AT_ONCE;
        KERNEL_PICK(convert_f64, isa)(type, (const char *)set->target_values + first * size, n, values);
        if (KERNEL_PICK(scan_finite_f64, isa)(values, n))
            continue;
        size_t at = first;
        while (isfinite(values[at - first]))
            at++;
        size_t row;
        const struct data_set *file = set_of_row(set, at / set->schema.targets, &row);
        return error_set(err, GM_BAD_DATA, "%s: the target of row %zu, column %zu (both counted from 0) is %s.",
                         file->target.at, row, at % set->schema.targets,
                         isnan(values[at - first]) ? "NaN" : "infinite");
    }
    return GM_OK;
}

static enum gm_code check_weights(const struct data_set *set, struct gm_error *err)
{
    for (size_t row = 0; set->weights && row < set->schema.rows; row++) {
        double weight = set->weights[row];
        if (weight >= 0 && isfinite(weight))
            continue;
        char text[32];
        size_t within;
        const struct data_set *file = set_of_row(set, row, &within);
        return error_set(err, GM_BAD_DATA, "%s: the weight of row %zu (counted from 0) is %s; weights are 0 or more.",
                         file->weight.at, within, text_from_real(weight, text));
    }
    return GM_OK;
}

enum gm_code scan_run(struct data_stats *stats, struct data_set *set, const struct lane_plan *plan,
                      const struct data_split *split, int threads, struct gm_error *err)
{
    *stats = (struct data_stats){0};
    if (!set->loaded || memcmp(plan, &set->plan, sizeof *plan) != 0 || plan->block_rows % SCAN_UNIT_ROWS != 0)
        return error_set(err, GM_BUG, "%s: a scan before loading, or with another plan.", set->features.at);
    struct scan scan = {.task = make_task(set, split), .threads = threads > 0 ? threads : 1};
    enum gm_code code = check_target(set, scan.task.isa, err);
    if (code == GM_OK)
        code = check_weights(set, err);
    struct fingerprint *fingerprint = NULL;
    if (code == GM_OK)
        code = fingerprint_open(&fingerprint, set, err);
    if (code == GM_OK && set->sparse) {
        code = sparse_scan(stats, set, split, fingerprint, err);
    } else if (code == GM_OK) {
        code = prepare(&scan, set, err);
        if (code == GM_OK)
            code = scan_features(&scan, set, fingerprint, err);
        if (code == GM_OK)
            code = fill_stats(stats, &scan, set, err);
    }
    if (code == GM_OK)
        fingerprint_finish(fingerprint, stats->fingerprint);
    fingerprint_close(fingerprint);
    release(&scan);
    return code;
}

void scan_release(struct data_stats *stats)
{
    memory_free(stats->mean);
    memory_free(stats->most);
    *stats = (struct data_stats){0};
}

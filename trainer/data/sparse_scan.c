/*
 * The pass over sparse rows before training.
 *
 * The largest magnitude of a column does not depend on the order in which it is looked for, so the threads share one
 * array; the bits of a double that is not negative are ordered as the numbers are.
 */
#include "data/sparse_scan.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/kernels.h"
#include "data/set.h"

enum { UNIT_ROWS = 32, VALUES_AT_ONCE = 256 };

struct scan {
    const struct data_set *set;
    const struct data_split *split;
    uint64_t *most;         /* [features] the bits of doubles */
    uint64_t (*digests)[4]; /* of the units of a slab: columns, values */
    size_t bad_unit;        /* the first with a value that is not finite */
};

static void raise_most(uint64_t *most, double value)
{
    uint64_t bits, now = __atomic_load_n(most, __ATOMIC_RELAXED);
    value = fabs(value);
    memcpy(&bits, &value, sizeof bits);
    while (bits > now && !__atomic_compare_exchange_n(most, &now, bits, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

static bool counts(const struct scan *scan, size_t row)
{
    return !(scan->split && split_held_out(scan->split, row)) && !(scan->set->weights && scan->set->weights[row] == 0);
}

/* The entries of a window's row. */
struct entries {
    const char *value;
    const uint32_t *index;
    size_t count;
};

static struct entries entries_of(const struct data_window *w, enum data_type type, size_t row)
{
    uint64_t first = w->start[row] - w->base;
    return (struct entries){(const char *)w->x + first * data_type_size(type), w->index + first,
                            (size_t)(w->start[row + 1] - w->start[row])};
}

/* false: a value is not finite; *at is which. */
static bool look_at_row(const struct scan *scan, const struct entries *e, bool count, size_t *at)
{
    enum data_type type = scan->set->schema.type;
    for (size_t first = 0; first < e->count; first += VALUES_AT_ONCE) {
        double value[VALUES_AT_ONCE];
        size_t n = e->count - first < VALUES_AT_ONCE ? e->count - first : VALUES_AT_ONCE;
        /* They lie anywhere, and a comparison that was guessed wrong would wait for one at a time. */
        for (size_t i = 0; count && i < n; i++)
            __builtin_prefetch(&scan->most[e->index[first + i]]);
        convert_to_f64(type, e->value + first * data_type_size(type), n, value);
        for (size_t i = 0; i < n; i++) {
            if (!isfinite(value[i])) {
                *at = first + i;
                return false;
            }
            if (count)
                raise_most(&scan->most[e->index[first + i]], value[i]);
        }
    }
    return true;
}

static bool look_at_unit(const struct scan *scan, const struct data_window *w, size_t unit)
{
    enum data_type type = scan->set->schema.type;
    size_t first = unit * UNIT_ROWS, end = first + UNIT_ROWS < w->rows ? first + UNIT_ROWS : w->rows, at;
    struct entries all = entries_of(w, type, first);
    all.count = (size_t)(w->start[end] - w->start[first]);
    enum cpu_isa isa = kernels_isa();
    KERNEL_PICK(scan_hash, isa)(all.index, all.count * sizeof *all.index, scan->digests[unit]);
    KERNEL_PICK(scan_hash, isa)(all.value, all.count * data_type_size(type), scan->digests[unit] + 2);
    for (size_t row = first; row < end; row++) {
        struct entries e = entries_of(w, type, row);
        if (!look_at_row(scan, &e, counts(scan, w->first_row + row), &at))
            return false;
    }
    return true;
}

static enum gm_code say_bad(const struct scan *scan, const struct data_window *w, struct gm_error *err)
{
    const struct data_set *set = scan->set;
    for (size_t row = scan->bad_unit * UNIT_ROWS;; row++) {
        struct entries e = entries_of(w, set->schema.type, row);
        size_t at;
        if (look_at_row(scan, &e, false, &at))
            continue;
        double value;
        convert_to_f64(set->schema.type, e.value + at * data_type_size(set->schema.type), 1, &value);
        return error_set(err, GM_BAD_DATA,
                         "%s: row %zu, column %" PRIu32 " (both counted from 0) is %s. Sparse rows leave out what is "
                         "missing.",
                         set->features.at, w->first_row + row, e.index[at],
                         isnan(value) ? "NaN"
                         : value > 0  ? "Inf"
                                      : "-Inf");
    }
}

static enum gm_code scan_window(struct scan *scan, const struct data_window *w, struct fingerprint *fingerprint,
                                struct gm_error *err)
{
    size_t units = (w->rows - 1) / UNIT_ROWS + 1;
    scan->bad_unit = SIZE_MAX;
#pragma omp parallel for num_threads(scan->set->threads) schedule(dynamic, 8) if (units > 16)
    for (size_t unit = 0; unit < units; unit++)
        if (!look_at_unit(scan, w, unit)) {
#pragma omp critical(sparse_scan_bad)
            scan->bad_unit = unit < scan->bad_unit ? unit : scan->bad_unit;
        }
    if (scan->bad_unit != SIZE_MAX)
        return say_bad(scan, w, err);
    fingerprint_add(fingerprint, scan->digests, units * sizeof *scan->digests);
    return GM_OK;
}

static enum gm_code scan_entries(struct scan *scan, struct data_set *set, struct fingerprint *fingerprint,
                                 struct gm_error *err)
{
    struct data_pass *pass;
    enum gm_code code = data_pass_open(&pass, set, &(struct data_order){0}, err);
    while (code == GM_OK) {
        const struct data_window *window;
        code = data_pass_next(pass, &window, err);
        if (code != GM_OK || !window)
            break;
        code = scan_window(scan, window, fingerprint, err);
    }
    data_pass_close(pass);
    return code;
}

static enum gm_code sum_weights(struct data_stats *stats, const struct scan *scan, struct gm_error *err)
{
    for (size_t row = 0; row < scan->set->schema.rows; row++) {
        bool held = scan->split && split_held_out(scan->split, row);
        *(held ? &stats->held_out_weight_sum : &stats->weight_sum) += scan->set->weights ? scan->set->weights[row] : 1;
    }
    if (stats->weight_sum > 0)
        return GM_OK;
    return error_set(err, GM_BAD_DATA, "%s: the weights of all training rows are 0.", scan->set->features.at);
}

enum gm_code sparse_scan(struct data_stats *stats, struct data_set *set, const struct data_split *split,
                         struct fingerprint *fingerprint, struct gm_error *err)
{
    struct scan scan = {.set = set, .split = split && split->mask ? split : NULL};
    size_t units = (set->plan.slab_rows - 1) / UNIT_ROWS + 1;
    enum gm_code code =
        memory_alloc((void **)&stats->most, set->schema.features, sizeof *stats->most, "column statistics", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&scan.digests, units, sizeof *scan.digests, "hashes", err);
    scan.most = (uint64_t *)(void *)stats->most;
    if (code == GM_OK)
        code = sum_weights(stats, &scan, err);
    if (code == GM_OK)
        code = scan_entries(&scan, set, fingerprint, err);
    for (size_t j = 0; code == GM_OK && j < set->schema.features; j++) {
        double most;
        memcpy(&most, &scan.most[j], sizeof most);
        stats->most[j] = most;
    }
    memory_free(scan.digests);
    return code;
}

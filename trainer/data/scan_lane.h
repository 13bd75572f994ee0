/* One lane of the scan: column sums over its runs, kept apart from the other lanes until scan.c combines them. */
#ifndef DATA_SCAN_LANE_H
#define DATA_SCAN_LANE_H

#include <stdbool.h>

#include "base/cpu.h"
#include "data/data.h"
#include "data/kernels.h"
#include "data/split.h"

/* Rows of a hash unit at most. It divides every block of a lane_plan, so units never cross runs or slabs. */
enum { SCAN_UNIT_ROWS = 32 };

struct scan_lane {
    struct scan_sums sums;
    double *shift;   /* [features] the lane's first row: sums.shift */
    double *missing; /* [features] weight of NaN; NULL unless missing is DATA_MISSING_MEAN */
    double weight, held_out_weight;
    bool started; /* shift is set */
    bool found_nan;
    bool bad; /* a value that cannot be used: the lane's first */
    size_t bad_row, bad_column;
    double bad_value;
};

/* What all lanes share. */
struct scan_task {
    const struct data_schema *schema;
    const struct data_split *split; /* or NULL */
    enum data_missing missing;
    double *weights; /* [rows] of the dataset, or NULL; SKIP writes zeros */
    enum cpu_isa isa;
    bool as_double; /* values are looked at as double, else as float */
    bool direct;    /* stored as float or double: no conversion */
    size_t unit_rows;
    size_t scratch_bytes; /* of a thread */
};

/* Add rows [first, end) of the dataset, which are in `window`; digests [ceil(rows / unit_rows)][2] gets the hash of
 * each unit. scratch: task->scratch_bytes of the calling thread. Stops at the first value that cannot be used. */
void scan_lane_add(struct scan_lane *lane, const struct scan_task *task, const struct data_window *window,
                   struct row_range rows, uint64_t (*digests)[2], void *scratch);

#endif

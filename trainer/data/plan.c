/* What a dataset will need of memory, found before its features are read; and whether its order needs a warning. */
#include "data/set.h"

#include "base/error.h"
#include "data/order.h"
#include "data/sparse.h"

/* Of a shuffled pass, in bytes. */
struct shuffled {
    uint64_t numbers; /* of rows and slabs */
    uint64_t group;   /* the features of a group, streamed */
    uint64_t beside;  /* its target, weights and groups */
};

static struct shuffled shuffled_bytes(const struct data_set *set)
{
    if (!set->shuffled)
        return (struct shuffled){0};
    size_t slabs = order_group_slabs(&set->plan, set->features.row_bytes);
    uint64_t rows = slabs < set->plan.slabs ? slabs * set->plan.slab_rows : set->plan.rows;
    return (struct shuffled){
        .numbers = (set->plan.slabs + (set->sparse ? 4 * rows + 1 : 3 * rows)) * sizeof(size_t),
        .group = set_buffer_bytes(set, slabs),
        .beside = rows * (set_target_row_bytes(set) + sizeof(double) + sizeof(int64_t)),
    };
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

enum gm_code data_plan(struct data_set *set, const struct lane_plan *plan, const struct data_budget *budget,
                       struct data_need *need, struct gm_error *err)
{
    *need = (struct data_need){0};
    if (plan->rows != set->schema.rows)
        return error_set(err, GM_BUG, "A plan for %zu rows does not fit the %zu rows of %s.", plan->rows,
                         set->schema.rows, set->features.at);
    set->plan = *plan;
    set->threads = budget->threads > 0 ? budget->threads : 1;
    set->shuffled = budget->shuffled;
    enum gm_code code = set_choose_io(set, err);
    if (code != GM_OK)
        return code;
    struct shuffled shuffled = shuffled_bytes(set);
    uint64_t all = set_feature_bytes(set), window = set_window_bytes(set);
    uint64_t reading = set_sparse_reading(set); /* only while it is loaded, where it is resident */
    uint64_t one = set->shuffled ? shuffled.numbers + shuffled.beside + shuffled.group + reading : 0;
    need->sides = set_side_bytes(set);
    need->resident = set_fits(set, budget->memory);
    need->features = need->resident ? all : 0;
    bool two = need->sides + one + shuffled.group <= budget->memory; /* a second buffer, to read ahead */
    need->buffers =
        need->resident ? most_of(shuffled.numbers, reading) : most_of(window, two ? one + shuffled.group : one);
    need->least = set_resident_bytes(set);
    if (set_streams(set))
        need->least = least_of(need->least, need->sides + most_of(least_of(window, all + reading), one));
    return GM_OK;
}

bool set_streams(const struct data_set *set)
{
    return !set->sparse || set->sparse->form == SPARSE_CSR;
}

uint64_t set_resident_bytes(const struct data_set *set)
{
    return set_side_bytes(set) + set_feature_bytes(set) + most_of(shuffled_bytes(set).numbers, set_sparse_reading(set));
}

bool set_fits(const struct data_set *set, uint64_t memory)
{
    return memory >= set_resident_bytes(set);
}

/* Share of the variance of the target's first column that lies between the slabs, beyond what chance gives: 1 - within
 * / total, less (slabs - 1) / (rows - 1), its expectation for rows in random order (eta squared, Fisher 1925). */
static double share_between(const struct data_set *set)
{
    const struct lane_plan *plan = &set->plan;
    size_t size = data_type_size(set->schema.target_type), step = set->schema.targets * size;
    double all = 0, square = 0, between = 0, rows = (double)plan->rows, first = 0;
    for (size_t slab = 0; slab < plan->slabs; slab++) {
        double sum = 0;
        size_t row = slab * plan->slab_rows,
               end = row + plan->slab_rows < plan->rows ? row + plan->slab_rows : plan->rows;
        double n = (double)(end - row);
        for (; row < end; row++) {
            double value;
            convert_to_f64(set->schema.target_type, (const char *)set->target_values + row * step, 1, &value);
            first = row == 0 ? value : first; /* shifted: less is lost where the mean is large */
            sum += value - first;
            square += (value - first) * (value - first);
        }
        all += sum;
        between += sum * sum / n;
    }
    double total = square - all * all / rows;
    return total > 0 ? (between - all * all / rows) / total - (double)(plan->slabs - 1) / (rows - 1) : 0;
}

bool data_is_sorted(const struct data_set *set, double *share)
{
    *share = 0;
    if (!set->target_values || set->plan.rows < 2 ||
        order_group_slabs(&set->plan, set->features.row_bytes) >= set->plan.slabs)
        return false;
    *share = share_between(set);
    return *share > 0.1;
}

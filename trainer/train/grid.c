/* Ratings cut into blocks. */
#include "train/grid.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/size.h"

#define CACHE_BYTES  ((size_t)256 << 10) /* of factors that a tile touches: half of a second-level cache of 512 KiB */
#define SIDE_USUAL   16                  /* enough for this many threads, where there are ratings for it */
#define SIDE_MOST    64
#define INNER_MOST   64
#define LARGE_BLOCK  16384 /* ratings: where blocks get larger than this, there are more than SIDE_USUAL */
#define TILE_RATINGS 256   /* of a tile on average, at least */
#define REPEATS      4

size_t grid_side(const struct grid_shape *s)
{
    size_t side = (size_t)sqrt((double)s->rows / LARGE_BLOCK), small = (size_t)sqrt((double)s->rows / TILE_RATINGS);
    side = side > SIDE_USUAL ? size_least(side, SIDE_MOST) : size_least(SIDE_USUAL, small);
    side = size_least(side, size_least(s->users, s->items));
    return side ? side : 1;
}

size_t grid_inner(const struct grid_shape *s, size_t side)
{
    size_t items = s->items / side * s->row_bytes, users = s->users / side * s->row_bytes;
    size_t room = items < CACHE_BYTES / 2 ? CACHE_BYTES - items : CACHE_BYTES / 2;
    size_t inner = size_least(users / room + 1, s->rows / (side * side * TILE_RATINGS));
    inner = size_least(size_least(inner, INNER_MOST), s->users / side);
    return inner ? inner : 1;
}

static size_t size_of(enum data_type type)
{
    return data_type_size(type);
}

double grid_rating(const struct grid_set *set, size_t at)
{
    return set->rating_type == DATA_F32 ? (double)((const float *)set->rating)[at] : ((const double *)set->rating)[at];
}

static void put_rating(struct grid_set *set, size_t at, const struct ratings *r, size_t row)
{
    if (!set->rating)
        return;
    size_t size = size_of(r->rating_type);
    memcpy((char *)set->rating + at * size, (const char *)r->rating + row * size, size);
}

static enum gm_code alloc_set(struct grid_set *set, const struct ratings *r, size_t rows, struct gm_error *err)
{
    set->rows = rows;
    set->rating_type = r->rating_type;
    enum gm_code code = memory_alloc((void **)&set->pair, rows, sizeof *set->pair, "ratings by block", err);
    if (!code && r->rating)
        code = memory_alloc(&set->rating, rows, size_of(r->rating_type), "ratings by block", err);
    return code;
}

void grid_set_release(struct grid_set *set)
{
    memory_free(set->pair);
    memory_free(set->rating);
    *set = (struct grid_set){0};
}

/* ---- users and items: an order, cut into ranges of equal work ---- */

static void shuffle(uint32_t *order, size_t count, struct random_key key)
{
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)random_below(key, i, i);
        uint32_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}

/* used comes by index of the vocabulary and leaves by row. scratch [2 x count]. range [count + 1] of each row. */
static void arrange(struct grid *g, int which, uint64_t seed, uint32_t *scratch, uint16_t *range)
{
    size_t count = g->count[which], ranges = g->ranges[which];
    uint32_t *order = scratch, *used = scratch + count;
    uint64_t all = 0, before = 0;
    shuffle(order, count, (struct random_key){seed, RANDOM_GRID, (uint32_t)which});
    for (size_t i = 0; i < count; i++)
        all += g->used[which][i];
    for (size_t row = 0; row < count; row++) {
        g->row_of[which][order[row]] = (uint32_t)row;
        used[row] = g->used[which][order[row]];
        double middle = (double)before + 0.5 * used[row];
        size_t at = all ? (size_t)(middle * (double)ranges / (double)all) : 0;
        range[row] = (uint16_t)(at < ranges ? at : ranges - 1);
        before += used[row];
    }
    memcpy(g->used[which], used, count * sizeof *used);
    size_t row = 0;
    for (size_t i = 0; i <= ranges; i++) {
        while (row < count && range[row] < i)
            row++;
        g->first[which][i] = row;
    }
    g->first[which][ranges] = count;
}

static void count_used(struct grid *g, const struct ratings *r, const struct data_split *split)
{
    for (size_t row = 0; row < r->rows; row++)
        if (!split_held_out(split, row)) {
            g->used[0][r->user[row]]++;
            g->used[1][r->item[row]]++;
        }
}

/* ---- ratings: a counting sort by block ---- */

struct sorting {
    const struct ratings *ratings;
    const struct data_split *split;
    const uint16_t *range[2];
    size_t *start; /* [blocks + 1] */
};

static void sort_side(const struct grid *g, const struct sorting *s, bool held, struct grid_set *set)
{
    const struct ratings *r = s->ratings;
    size_t blocks = g->tiles;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t row = 0; row < r->rows; row++) {
            if (split_held_out(s->split, row) != held)
                continue;
            struct grid_pair pair = {g->row_of[0][r->user[row]], g->row_of[1][r->item[row]]};
            size_t block = s->range[0][pair.user] * g->side + s->range[1][pair.item];
            size_t at = s->start[block + 1]++;
            if (pass == 1) {
                set->pair[at] = pair;
                put_rating(set, at, r, row);
            }
        }
        if (pass == 0) { /* counts become the ends of the blocks before */
            size_t before = 0;
            for (size_t b = 0; b < blocks; b++) {
                size_t n = s->start[b + 1];
                s->start[b + 1] = before;
                before += n;
            }
        }
    }
}

/* How often the most frequent user or item of the block occurs in it. */
static size_t most_repeated(const struct grid *g, size_t block, uint32_t *seen[2])
{
    size_t most = 0;
    for (size_t i = g->start[block]; i < g->start[block + 1]; i++) {
        uint32_t u = ++seen[0][g->train.pair[i].user], v = ++seen[1][g->train.pair[i].item];
        most = u > most ? u : most;
        most = v > most ? v : most;
    }
    for (size_t i = g->start[block]; i < g->start[block + 1]; i++)
        seen[0][g->train.pair[i].user] = seen[1][g->train.pair[i].item] = 0;
    return most;
}

static void choose_batches(struct grid *g, uint32_t *seen[2])
{
    for (size_t b = 0; b < g->tiles; b++) {
        size_t n = g->start[b + 1] - g->start[b], most = n ? most_repeated(g, b, seen) : 1;
        size_t batch = REPEATS * n / most;
        g->batch[b] = (uint16_t)(batch < REPEATS ? REPEATS : batch > GRID_BATCH ? GRID_BATCH : batch);
        g->largest = n > g->largest ? n : g->largest;
    }
}

static enum gm_code alloc_grid(struct grid *g, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    for (int i = 0; !code && i < 2; i++)
        if (!(code = memory_alloc((void **)&g->row_of[i], g->count[i], sizeof **g->row_of, "the grid", err)) &&
            !(code = memory_alloc((void **)&g->used[i], g->count[i], sizeof **g->used, "the grid", err)))
            code = memory_alloc((void **)&g->first[i], g->ranges[i] + 1, sizeof **g->first, "the grid", err);
    if (!code)
        code = memory_alloc((void **)&g->start, g->tiles + 1, sizeof *g->start, "the grid", err);
    return code ? code : memory_alloc((void **)&g->batch, g->tiles, sizeof *g->batch, "the grid", err);
}

/* scratch[i] [2 x count] zeros at the end again; range[i] [count]. */
static enum gm_code fill_grid(struct grid *g, struct sorting *s, uint64_t seed, uint32_t *scratch[2],
                              uint16_t *range[2], struct gm_error *err)
{
    count_used(g, s->ratings, s->split);
    for (int i = 0; i < 2; i++) {
        arrange(g, i, seed, scratch[i], range[i]);
        memset(scratch[i], 0, g->count[i] * sizeof **scratch);
        s->range[i] = range[i];
    }
    size_t held = s->split->held_out;
    enum gm_code code = alloc_set(&g->train, s->ratings, s->ratings->rows - held, err);
    if (!code)
        code = alloc_set(&g->held, s->ratings, held, err);
    if (code)
        return code;
    s->start = g->start;
    if (held)
        sort_side(g, s, true, &g->held);
    memset(g->start, 0, (g->tiles + 1) * sizeof *g->start);
    sort_side(g, s, false, &g->train);
    choose_batches(g, scratch);
    return GM_OK;
}

enum gm_code grid_init(struct grid *g, const struct ratings *r, const struct data_split *split, size_t row_bytes,
                       uint64_t seed, struct gm_error *err)
{
    const struct grid_shape shape = {r->rows, r->users.count, r->items.count, row_bytes};
    size_t side = grid_side(&shape), inner = grid_inner(&shape, side);
    *g = (struct grid){.side = side,
                       .inner = inner,
                       .tiles = side * inner * side,
                       .ranges = {side * inner, side},
                       .count = {r->users.count, r->items.count}};
    struct sorting sorting = {.ratings = r, .split = split};
    uint32_t *scratch[2] = {0};
    uint16_t *range[2] = {0};
    enum gm_code code = alloc_grid(g, err);
    for (int i = 0; !code && i < 2; i++)
        if (!(code = memory_alloc((void **)&scratch[i], g->count[i], 2 * sizeof **scratch, "the grid", err)))
            code = memory_alloc((void **)&range[i], g->count[i], sizeof **range, "the grid", err);
    if (!code)
        code = fill_grid(g, &sorting, seed, scratch, range, err);
    for (int i = 0; i < 2; i++) {
        memory_free(scratch[i]);
        memory_free(range[i]);
    }
    if (code)
        grid_release(g);
    return code;
}

void grid_release(struct grid *g)
{
    for (int i = 0; i < 2; i++) {
        memory_free(g->row_of[i]);
        memory_free(g->used[i]);
        memory_free(g->first[i]);
    }
    memory_free(g->start);
    memory_free(g->batch);
    grid_set_release(&g->train);
    grid_set_release(&g->held);
    *g = (struct grid){0};
}

enum gm_code grid_place(struct grid_set *set, const struct grid *g, const struct ratings *r, struct gm_error *err)
{
    *set = (struct grid_set){0};
    enum gm_code code = alloc_set(set, r, r->rows, err);
    for (size_t row = 0; !code && row < r->rows; row++) {
        uint32_t u = r->user[row], v = r->item[row];
        set->pair[row].user = u == RATINGS_UNKNOWN ? (uint32_t)g->count[0] : g->row_of[0] ? g->row_of[0][u] : u;
        set->pair[row].item = v == RATINGS_UNKNOWN ? (uint32_t)g->count[1] : g->row_of[1] ? g->row_of[1][v] : v;
        put_rating(set, row, r, row);
    }
    return code;
}

/* Generators of data that are not a table: ratings, and sparse rows. */
#include "datasets/make_rows.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

#define MEAN_RATING 3.5
#define BIAS_SPREAD 0.5
#define MOST_IDS    ((size_t)1 << 31)
#define SPREAD      3.0 /* of the scores of sparse rows */
#define INDPTR_BAND ((size_t)1 << 16)

/* ---- a permutation without memory ---------------------------------------------------------------------------------
 */

/* Place of `index` in a permutation of 0 .. count - 1: a balanced Feistel network (Luby and Rackoff 1988) of 6 rounds
 * over the next power of four, walked along its cycle until it lands below count (Black and Rogaway 2002); some 2
 * steps. */
static uint64_t permuted(struct random_key key, uint64_t index, uint64_t count)
{
    unsigned half = 1;
    while (half < 31 && (uint64_t)1 << 2 * half < count)
        half++;
    const uint64_t mask = ((uint64_t)1 << half) - 1;
    uint64_t at = index;
    do {
        uint64_t left = at >> half, right = at & mask;
        for (uint64_t round = 0; round < 6; round++) {
            uint32_t bits[4];
            random_bits(key, round << 32 | right, bits);
            uint64_t next = left ^ (bits[0] & mask);
            left = right;
            right = next;
        }
        at = left << half | right;
    } while (at >= count);
    return at;
}

/* ---- ratings ------------------------------------------------------------------------------------------------------
 */

struct ratings {
    size_t users, items, rank;
    double *user_factors, *item_factors; /* [users x rank], [items x rank] */
    double *user_bias, *item_bias;
};

static void rating_pairs(const struct make_job *job, struct make_tile tile, double *const values[], double *scratch)
{
    (void)scratch;
    const struct ratings *r = job->truth;
    const struct random_key key = {job->options->seed, RANDOM_MAKE, (uint32_t)MAKE_CHOICE << 28};
    for (size_t i = 0; i < tile.rows; i++) {
        uint64_t pair = permuted(key, tile.first + i, (uint64_t)r->users * r->items);
        values[0][i] = (double)(pair / r->items);
        values[1][i] = (double)(pair % r->items);
    }
}

static void rating_values(const struct make_job *job, struct make_tile tile, double *const values[], double *scratch)
{
    const struct ratings *r = job->truth;
    const struct make_stream stream = make_stream(job->options->seed, MAKE_NOISE);
    KERNEL_PICK(make_normals, job->isa)(&stream, &tile, 1, scratch);
    for (size_t i = 0; i < tile.rows; i++) {
        size_t user = (size_t)values[0][i], item = (size_t)values[1][i];
        double sum = MEAN_RATING + r->user_bias[user] + r->item_bias[item];
        for (size_t k = 0; k < r->rank; k++)
            sum += r->user_factors[user * r->rank + k] * r->item_factors[item * r->rank + k];
        values[2][i] = sum + job->options->noise * scratch[i];
    }
}

/* Factors [count x rank] and bias [count] of one side. */
static enum gm_code draw_side(struct make_stream stream, size_t count, size_t rank, double *to[2], struct gm_error *err)
{
    size_t values;
    if (!memory_product(count, rank, &values))
        return error_memory(err, "the truth", SIZE_MAX);
    enum gm_code code = memory_alloc((void **)&to[0], values, sizeof(double), "the truth", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&to[1], count, sizeof(double), "the truth", err);
    if (code)
        return code;
    make_fill_normals(stream, (struct make_tile){0, count}, rank, to[0]);
    make_fill_normals(stream, (struct make_tile){(uint64_t)1 << 32, count}, 1, to[1]);
    double scale = 1 / sqrt(sqrt((double)rank)); /* p . q: rank products of variance 1 / rank */
    for (size_t i = 0; i < values; i++)
        to[0][i] *= scale;
    for (size_t i = 0; i < count; i++)
        to[1][i] *= BIAS_SPREAD;
    return GM_OK;
}

static enum gm_code write_ratings_truth(struct output *out, const struct ratings *r, struct gm_error *err)
{
    const double mean = MEAN_RATING;
    const struct output_shape scalar = {.rank = 0}, users = {.rank = 2, .dims = {r->users, r->rank}},
                              items = {.rank = 2, .dims = {r->items, r->rank}};
    const struct output_shape each_user = {.rank = 1, .dims = {r->users}}, each_item = {.rank = 1, .dims = {r->items}};
    enum gm_code code;
    if ((code = output_whole(out, "/truth/mean", DATA_F64, &scalar, &mean, err)) ||
        (code = output_whole(out, "/truth/users/factors", DATA_F64, &users, r->user_factors, err)) ||
        (code = output_whole(out, "/truth/users/bias", DATA_F64, &each_user, r->user_bias, err)) ||
        (code = output_whole(out, "/truth/items/factors", DATA_F64, &items, r->item_factors, err)))
        return code;
    return output_whole(out, "/truth/items/bias", DATA_F64, &each_item, r->item_bias, err);
}

static enum gm_code check_ratings(const struct ratings *r, const struct make_options *options, struct gm_error *err)
{
    if (r->users >= MOST_IDS || r->items >= MOST_IDS || r->rank > (size_t)1 << 20)
        return error_set(err, GM_USAGE, "make ratings: expected fewer than 2^31 users and items, rank up to 2^20.");
    if (options->rows > r->users * r->items)
        return error_set(err, GM_USAGE,
                         "make ratings: rows: %zu users and %zu items make %zu different pairs, found %zu rows.",
                         r->users, r->items, r->users * r->items, options->rows);
    return GM_OK;
}

enum gm_code make_ratings(const char *to, const struct make_options *options, struct gm_error *err)
{
    struct output *out = NULL;
    struct ratings r = {
        .users = options->users ? options->users : 1000,
        .items = options->items ? options->items : 500,
        .rank = options->rank ? options->rank : 8,
    };
    const uint64_t shape[2] = {r.users, r.items};
    const struct make_job job = {
        .options = options,
        .isa = cpu_isa(),
        .columns = 3,
        .column = {{"user_id", DATA_I32, 0, false},
                   {"item_id", DATA_I32, 0, false},
                   {"rating", options->float64 ? DATA_F64 : DATA_F32, 0, false}},
        .scratch = 1,
        .features = rating_pairs,
        .rest = rating_values,
        .truth = &r,
    };
    double *users[2] = {0}, *items[2] = {0};
    enum gm_code code = check_ratings(&r, options, err);
    if (code == GM_OK)
        code = make_open(&out, to, "ratings", options, err);
    if (code == GM_OK)
        code = draw_side(make_stream(options->seed, MAKE_TRUTH), r.users, r.rank, users, err);
    if (code == GM_OK)
        code = draw_side(make_stream(options->seed, MAKE_ITEMS), r.items, r.rank, items, err);
    r.user_factors = users[0], r.user_bias = users[1], r.item_factors = items[0], r.item_bias = items[1];
    if (code == GM_OK && (code = output_numbers(out, "/", "shape", shape, 2, err)) == GM_OK &&
        (code = make_rows(out, &job, err)) == GM_OK)
        code = write_ratings_truth(out, &r, err);
    for (size_t i = 0; i < 2; i++) {
        memory_free(users[i]);
        memory_free(items[i]);
    }
    return make_finish(out, code, err);
}

/* ---- sparse rows --------------------------------------------------------------------------------------------------
 */

struct sparse {
    size_t features, nonzeros;
    double *weights, bias; /* [features] */
};

/* values[0]: the non-zeros, values[1]: their columns, both [rows x nonzeros]; values[2]: the label. */
static void sparse_values(const struct make_job *job, struct make_tile tile, double *const values[], double *scratch)
{
    (void)scratch;
    const struct sparse *s = job->truth;
    const struct make_stream stream = make_stream(job->options->seed, MAKE_FEATURES);
    const struct random_key key = {job->options->seed, RANDOM_MAKE, (uint32_t)MAKE_CHOICE << 28};
    KERNEL_PICK(make_normals, job->isa)(&stream, &tile, s->nonzeros, values[0]);
    for (size_t i = 0; i < tile.rows * s->nonzeros; i++) {
        size_t range = i % s->nonzeros, first = range * s->features / s->nonzeros;
        size_t size = (range + 1) * s->features / s->nonzeros - first;
        uint64_t index = tile.first * s->nonzeros + i;
        values[1][i] = (double)(first + random_below(key, index, size));
    }
}

static void sparse_labels(const struct make_job *job, struct make_tile tile, double *const values[], double *scratch)
{
    const struct sparse *s = job->truth;
    const struct random_key key = {job->options->seed, RANDOM_MAKE, (uint32_t)MAKE_LABELS << 28};
    for (size_t row = 0; row < tile.rows; row++) {
        double score = s->bias;
        for (size_t i = row * s->nonzeros; i < (row + 1) * s->nonzeros; i++)
            score += values[0][i] * s->weights[(size_t)values[1][i]];
        scratch[row] = -score;
    }
    KERNEL_PICK(make_exp, job->isa)(scratch, tile.rows);
    for (size_t row = 0; row < tile.rows; row++) {
        uint32_t bits[4];
        random_bits(key, tile.first + row, bits);
        bool one = (double)bits[0] * 0x1p-32 * (1 + scratch[row]) < 1; /* u < 1 / (1 + e^-score) */
        if ((double)bits[1] * 0x1p-32 < job->options->noise)
            one = bits[2] & 1;
        values[2][row] = one;
    }
}

/* indptr is i * nonzeros. */
static enum gm_code write_indptr(struct output *out, size_t rows, size_t nonzeros, struct gm_error *err)
{
    const struct output_shape shape = {.rank = 1, .dims = {rows + 1}};
    struct output_array *array;
    int64_t *band;
    enum gm_code code = output_array(out, "/X/indptr", DATA_I64, &shape, &array, err);
    if (code)
        return code;
    if ((code = memory_alloc((void **)&band, INDPTR_BAND, sizeof *band, "row pointers", err)))
        return code;
    for (size_t first = 0; first <= rows && code == GM_OK; first += INDPTR_BAND) {
        size_t left = rows + 1 - first, count = left < INDPTR_BAND ? left : INDPTR_BAND;
        for (size_t i = 0; i < count; i++)
            band[i] = (int64_t)((first + i) * nonzeros);
        code = output_rows(array, first, count, band, err);
    }
    memory_free(band);
    return code;
}

static enum gm_code sparse_truth(struct sparse *s, const struct make_options *options, struct gm_error *err)
{
    enum gm_code code = memory_alloc((void **)&s->weights, s->features, sizeof(double), "the truth", err);
    if (code)
        return code;
    struct make_stream stream = make_stream(options->seed, MAKE_TRUTH);
    make_fill_normals(stream, (struct make_tile){0, 1}, s->features, s->weights);
    make_fill_normals(stream, (struct make_tile){(uint64_t)1 << 32, 1}, 1, &s->bias);
    for (size_t i = 0; i < s->features; i++)
        s->weights[i] *= SPREAD / sqrt((double)s->nonzeros);
    return GM_OK;
}

static enum gm_code write_sparse_group(struct output *out, const struct sparse *s, size_t rows, struct gm_error *err)
{
    const struct output_shape shape = {.rank = 2, .dims = {1, s->features}}, one = {.rank = 1, .dims = {1}};
    const uint64_t csr_shape[2] = {rows, s->features};
    enum gm_code code;
    if ((code = write_indptr(out, rows, s->nonzeros, err)) ||
        (code = output_text(out, "/X", "encoding-type", "csr_matrix", err)) ||
        (code = output_text(out, "/X", "encoding-version", "0.1.0", err)) ||
        (code = output_numbers(out, "/X", "shape", csr_shape, 2, err)) ||
        (code = output_whole(out, "/truth/coefficients", DATA_F64, &shape, s->weights, err)))
        return code;
    return output_whole(out, "/truth/intercept", DATA_F64, &one, &s->bias, err);
}

enum gm_code make_sparse(const char *to, const struct make_options *options, struct gm_error *err)
{
    struct output *out = NULL;
    struct sparse s = {.features = options->features, .nonzeros = options->nonzeros ? options->nonzeros : 50};
    if (options->nonzeros == 0 && s.nonzeros > s.features)
        s.nonzeros = s.features;
    size_t total;
    if (!memory_product(options->rows, s.nonzeros, &total))
        return error_set(err, GM_USAGE, "make sparse: rows times non-zeros: too many.");
    if (s.features == 0 || s.features > MOST_IDS - 1 || s.nonzeros > s.features)
        return error_set(
            err, GM_USAGE,
            "make sparse: expected 1 to 2^31 - 1 features and at most as many non-zeros a row, found %zu and "
            "%zu.",
            s.features, s.nonzeros);
    const struct make_job job = {
        .options = options,
        .isa = cpu_isa(),
        .columns = 3,
        .column = {{"/X/data", options->float64 ? DATA_F64 : DATA_F32, s.nonzeros, true},
                   {"/X/indices", DATA_I32, s.nonzeros, true},
                   {"y", DATA_U8, 0, false}},
        .scratch = 1,
        .features = sparse_values,
        .rest = sparse_labels,
        .truth = &s,
    };
    enum gm_code code = make_open(&out, to, "sparse", options, err);
    if (code == GM_OK && (code = sparse_truth(&s, options, err)) == GM_OK &&
        (code = make_rows(out, &job, err)) == GM_OK)
        code = write_sparse_group(out, &s, options->rows, err);
    memory_free(s.weights);
    return make_finish(out, code, err);
}

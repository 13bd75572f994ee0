/* Metrics of the order of all rows. */
#include "train/ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum gm_code ranking_init(struct ranking *r, size_t count, uint64_t most, struct gm_error *err)
{
    size_t bytes;
    *r = (struct ranking){.count = count};
    if (!memory_product(count, 2 * sizeof *r->rows, &bytes) || bytes > most)
        return GM_OK;
    enum gm_code code = memory_alloc((void **)&r->rows, count, sizeof *r->rows, "the rows' scores", err);
    if (!code && (code = memory_alloc((void **)&r->sorting, count, sizeof *r->rows, "the rows' scores", err)))
        ranking_release(r);
    return code;
}

void ranking_release(struct ranking *r)
{
    memory_free(r->rows);
    memory_free(r->sorting);
    *r = (struct ranking){0};
}

/* ---- sorting: by digits of the score's bits, so that equal scores stay in the order of their rows ---- */

#define DIGIT_BITS 11
#define DIGITS     (1 << DIGIT_BITS)

/* Orders as the number does; -0 is 0. */
static uint64_t key_of(double score)
{
    uint64_t bits;
    score += 0.0;
    memcpy(&bits, &score, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/* One pass by the digit at `shift`; false when all rows have the same one. */
static bool pass(const struct ranked_row *from, struct ranked_row *to, size_t n, unsigned shift)
{
    size_t counts[DIGITS] = {0}, at = 0;
    for (size_t i = 0; i < n; i++)
        counts[key_of(from[i].score) >> shift & (DIGITS - 1)]++;
    if (n == 0 || counts[key_of(from[0].score) >> shift & (DIGITS - 1)] == n)
        return false;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t count = counts[d];
        counts[d] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++)
        to[counts[key_of(from[i].score) >> shift & (DIGITS - 1)]++] = from[i];
    return true;
}

/* Ascending. Returns whichever of the two arrays holds the result. */
static struct ranked_row *sort(struct ranked_row *a, struct ranked_row *b, size_t n)
{
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS)
        if (pass(a, b, n, shift)) {
            struct ranked_row *c = a;
            a = b;
            b = c;
        }
    return a;
}

static double area(const struct ranked_row *rows, size_t n)
{
    double below = 0, pairs = 0, positive = 0;
    for (size_t i = 0, end; i < n; i = end) {
        double up = 0, down = 0;
        for (end = i; end == i || (end < n && rows[end].score == rows[i].score); end++)
            *(rows[end].value > 0 ? &up : &down) += fabs(rows[end].value);
        pairs += up * (below + down / 2);
        below += down;
        positive += up;
    }
    return positive > 0 && below > 0 ? pairs / positive / below : NAN;
}

void ranking_auc(struct ranking *r, const struct data_split *split, double sides[2])
{
    sides[0] = sides[1] = NAN;
    if (!r->rows)
        return;
    size_t held = 0, at[2];
    for (size_t i = 0; split && i < r->count; i++)
        held += split_held_out(split, i);
    at[0] = 0;
    at[1] = r->count - held;
    for (size_t i = 0; i < r->count; i++)
        r->sorting[at[split && split_held_out(split, i)]++] = r->rows[i];
    size_t trains = r->count - held;
    sides[0] = area(sort(r->sorting, r->rows, trains), trains);
    sides[1] = area(sort(r->sorting + trains, r->rows + trains, held), held);
}

/* ---- groups ---- */

static int by_score(const void *a, const void *b)
{
    double x = ((const struct ranked_row *)a)->score, y = ((const struct ranked_row *)b)->score;
    return (x < y) - (x > y);
}

static int by_value(const void *a, const void *b)
{
    double x = ((const struct ranked_row *)a)->value, y = ((const struct ranked_row *)b)->value;
    return (x < y) - (x > y);
}

static double discount(size_t place)
{
    return place < RANKING_FIRST ? 1 / log2((double)place + 2) : 0;
}

/* DCG over its ideal; rows [n] are sorted here. NaN without a relevant row. */
static double gain_of_group(struct ranked_row *rows, size_t n)
{
    double found = 0, ideal = 0;
    qsort(rows, n, sizeof *rows, by_value);
    for (size_t i = 0; i < n && i < RANKING_FIRST; i++)
        ideal += (exp2(rows[i].value) - 1) * discount(i);
    if (!(ideal > 0))
        return NAN;
    qsort(rows, n, sizeof *rows, by_score); /* equal scores are averaged: their order does not matter ... */
    for (size_t i = 0, end; i < n && i < RANKING_FIRST; i = end) {
        double gain = 0, share = 0;
        for (end = i; end == i || (end < n && rows[end].score == rows[i].score); end++) {
            gain += exp2(rows[end].value) - 1; /* ... but for relevances whose sum of gains rounds */
            share += discount(end);
        }
        found += gain / (double)(end - i) * share;
    }
    return found / ideal;
}

void ranking_ndcg(struct ranking *r, const int64_t *group, const struct data_split *split, double sides[2])
{
    double sum[2] = {0}, count[2] = {0};
    for (size_t i = 0, end; r->rows && group && i < r->count; i = end) {
        int side = split && split_held_out(split, i);
        for (end = i; end < r->count && group[end] == group[i]; end++)
            ;
        double gain = gain_of_group(r->rows + i, end - i);
        sum[side] += isnan(gain) ? 0 : gain;
        count[side] += !isnan(gain);
    }
    for (int side = 0; side < 2; side++)
        sides[side] = count[side] > 0 ? sum[side] / count[side] : NAN;
}

/* Parameters of a factorization: memory, start values, arithmetic over all of them. */
#include "model/factorization.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

static size_t real_bytes(const struct factorization *f)
{
    return f->single ? sizeof(float) : sizeof(double);
}

size_t factor_stride(size_t rank, bool single)
{
    size_t pad = FACTOR_PAD / (single ? sizeof(float) : sizeof(double));
    return (rank + pad - 1) / pad * pad;
}

enum gm_code factorization_alloc(struct factorization *f, struct gm_error *err)
{
    f->stride = factor_stride(f->rank, f->single);
    f->kernels = factor_kernels_for(cpu_isa(), f->single);
    enum gm_code code = GM_OK;
    for (int s = 0; !code && s < 2; s++) {
        struct factor_rows *rows = &f->side[s].rows;
        size_t count = f->side[s].count + 1;
        code = memory_alloc(&rows->factors, count, f->stride * real_bytes(f), "the factors", err);
        if (!code)
            code = memory_alloc(&rows->side, count, FACTOR_SIDE * real_bytes(f), "the biases", err);
    }
    if (code)
        factorization_free(f);
    return code;
}

void factorization_free(struct factorization *f)
{
    for (int s = 0; s < 2; s++) {
        memory_free(f->side[s].rows.factors);
        memory_free(f->side[s].rows.side);
        f->side[s].rows = (struct factor_rows){0};
    }
}

void factorization_copy(struct factorization *to, const struct factorization *from)
{
    for (int s = 0; s < 2; s++) {
        size_t count = from->side[s].count + 1;
        memcpy(to->side[s].rows.factors, from->side[s].rows.factors, count * from->stride * real_bytes(from));
        memcpy(to->side[s].rows.side, from->side[s].rows.side, count * FACTOR_SIDE * real_bytes(from));
    }
    to->mean = from->mean;
}

static void set(void *values, bool single, size_t at, double value)
{
    if (single)
        ((float *)values)[at] = (float)value;
    else
        ((double *)values)[at] = value;
}

static double get(const void *values, bool single, size_t at)
{
    return single ? (double)((const float *)values)[at] : ((const double *)values)[at];
}

static void start_side(struct factorization *f, int side, uint64_t seed, const uint32_t *used)
{
    struct factor_side *s = &f->side[side];
    const struct random_key key = {seed, RANDOM_INIT, (uint32_t)side};
    const double most = sqrt(3.0) * sqrt(sqrt(0.01 / (double)f->rank));
    const size_t calls = (f->rank + 3) / 4;
    memset(s->rows.factors, 0,
           (s->count + 1) * f->stride * real_bytes(f)); /* a trial may have left NaN in the padding */
    memset(s->rows.side, 0, (s->count + 1) * FACTOR_SIDE * real_bytes(f));
    for (size_t i = 0; i < s->count; i++) {
        size_t row = s->row_of ? s->row_of[i] : i;
        set(s->rows.side, f->single, row * FACTOR_SIDE + FACTOR_BIAS_SQUARES, 1);
        set(s->rows.side, f->single, row * FACTOR_SIDE + FACTOR_SQUARES, 1);
        uint32_t bits[4] = {0};
        for (size_t k = 0; used[row] && k < f->rank; k++) {
            if (k % 4 == 0)
                random_bits(key, i * calls + k / 4, bits);
            set(s->rows.factors, f->single, row * f->stride + k, most * ((double)bits[k % 4] * 0x1p-31 - 1));
        }
    }
}

void factorization_start(struct factorization *f, uint64_t seed, const uint32_t *const used[2])
{
    start_side(f, FACTOR_USERS, seed, used[FACTOR_USERS]);
    start_side(f, FACTOR_ITEMS, seed, used[FACTOR_ITEMS]);
}

/* Four sums side by side, added in order. */
#define SQUARES(type)                                                  \
    do {                                                               \
        const type *p = (const type *)rows->factors + row * f->stride; \
        for (size_t k = 0; k < f->stride; k += 4)                      \
            for (size_t l = 0; l < 4; l++)                             \
                part[l] += (double)p[k + l] * (double)p[k + l];        \
    } while (0)

double factorization_squares(const struct factorization *f, int side, size_t first, size_t end, const double *weight)
{
    const struct factor_rows *rows = &f->side[side].rows;
    double sum = 0;
    for (size_t row = first; row < end; row++) {
        double bias = factorization_bias(f, side, row), part[4] = {bias * bias, 0, 0, 0};
        if (f->single)
            SQUARES(float);
        else
            SQUARES(double);
        sum += weight[row] * ((part[0] + part[1]) + (part[2] + part[3]));
    }
    return sum;
}

double factorization_bias(const struct factorization *f, int side, size_t row)
{
    return get(f->side[side].rows.side, f->single, row * FACTOR_SIDE + FACTOR_BIAS);
}

double factorization_factor(const struct factorization *f, int side, size_t row, size_t k)
{
    return get(f->side[side].rows.factors, f->single, row * f->stride + k);
}

size_t factorization_parameters(const struct factorization *f)
{
    return (f->side[0].count + f->side[1].count) * (f->rank + 1) + 1;
}

struct factor_step factorization_step(const struct factorization *f, const uint32_t *user, const uint32_t *item,
                                      size_t n)
{
    return (struct factor_step){.users = f->side[FACTOR_USERS].rows,
                                .items = f->side[FACTOR_ITEMS].rows,
                                .rank = f->rank,
                                .stride = f->stride,
                                .user = user,
                                .item = item,
                                .n = n,
                                .mean = f->mean};
}

/*
 * The arithmetic of the generators, in loops that vectorise.
 *
 * Compiled for each instruction set WITHOUT fused multiply-add and with nothing but correctly rounded operations (+ - *
 * / sqrt), so every processor gives the same bits. This is why exp, log and sin are written out here: the C library's
 * differ between machines in the last bit.
 */
#include "datasets/kernels/make.h"

#include <math.h>
#include <string.h>

#define BATCH 64 /* counters at a time: all arrays stay in L1 */

/* ---- Philox4x32-10 (Salmon et al., SC'11) on BATCH counters -------------------------------------------------------
 */

struct batch {
    uint32_t word[4][BATCH]; /* the counters, then 128 random bits each */
};

static void philox_round(struct batch *b, uint32_t key0, uint32_t key1)
{
    for (size_t i = 0; i < BATCH; i++) {
        uint64_t p0 = (uint64_t)b->word[0][i] * 0xD2511F53u, p1 = (uint64_t)b->word[2][i] * 0xCD9E8D57u;
        b->word[0][i] = (uint32_t)(p1 >> 32) ^ b->word[1][i] ^ key0;
        b->word[1][i] = (uint32_t)p1;
        b->word[2][i] = (uint32_t)(p0 >> 32) ^ b->word[3][i] ^ key1;
        b->word[3][i] = (uint32_t)p0;
    }
}

static void philox(struct batch *b, uint64_t seed)
{
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        philox_round(b, key0, key1);
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

/* ---- elementary functions -----------------------------------------------------------------------------------------
 */

static double bits_to_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t double_to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ln x for normal x > 0, within 3 ulp away from 1: x = m 2^e with m in [0.707, 1.414], ln m = 2 atanh((m-1)/(m+1)) by
 * its series; 11 terms leave 1e-18. */
static double log_series(double x)
{
    uint64_t bits =
        double_to_bits(x) + (0x3FF0000000000000u - 0x3FE6A09E667F3BCDu); /* carries when m > sqrt(1/2) * 2 */
    double e = bits_to_double(bits >> 52 | 0x4330000000000000u) - (0x1p52 + 1023);
    double m = bits_to_double((bits & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu);
    double s = (m - 1) / (m + 1), z = s * s;
    double p = 1.0 / 21;
    p = p * z + 1.0 / 19;
    p = p * z + 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    return e * 0.69314718055994530942 + (2 * s + 2 * s * z * p);
}

/* sin and cos of an angle in [-pi/4, pi/4] by their series; the terms left out are below 1e-17. */
static double sin_series(double a)
{
    double z = a * a, p = 1.0 / 355687428096000.0;
    p = -1.0 / 1307674368000.0 + z * p;
    p = 1.0 / 6227020800.0 + z * p;
    p = -1.0 / 39916800.0 + z * p;
    p = 1.0 / 362880.0 + z * p;
    p = -1.0 / 5040.0 + z * p;
    p = 1.0 / 120.0 + z * p;
    p = -1.0 / 6.0 + z * p;
    return a + a * z * p;
}

static double cos_series(double a)
{
    double z = a * a, p = -1.0 / 6402373705728000.0;
    p = 1.0 / 20922789888000.0 + z * p;
    p = -1.0 / 87178291200.0 + z * p;
    p = 1.0 / 479001600.0 + z * p;
    p = -1.0 / 3628800.0 + z * p;
    p = 1.0 / 40320.0 + z * p;
    p = -1.0 / 720.0 + z * p;
    p = 1.0 / 24.0 + z * p;
    return 1 + z * (-0.5 + z * p);
}

/* e^x for -700 <= x <= 700: 2^k e^r with |r| <= 0.35; 14 terms leave 1e-18. */
static double exp_series(double x)
{
    const double shift = 0x1.8p52; /* adding it rounds to a whole number in the low bits */
    double shifted = x * 1.4426950408889634074 + shift, k = shifted - shift;
    double r = x - k * 6.93147180369123816490e-01 - k * 1.90821492927058770002e-10; /* ln 2 in two parts */
    static const double inverse[] = {1.0 / 1, 1.0 / 2, 1.0 / 3,  1.0 / 4,  1.0 / 5,  1.0 / 6,  1.0 / 7,
                                     1.0 / 8, 1.0 / 9, 1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13, 1.0 / 14};
    double p = 1;
    for (int n = 14; n >= 1; n--)
        p = 1 + p * (r * inverse[n - 1]);
    return p * bits_to_double((double_to_bits(shifted) + 1023) << 52);
}

/* ---- normals ------------------------------------------------------------------------------------------------------
 */

/* Box and Muller 1958: words 0, 1 give normals 0, 1; words 2, 3 give 2, 3. */
static void box_muller(const uint32_t *first, const uint32_t *second, double *even, double *odd)
{
    for (size_t i = 0; i < BATCH; i++) {
        double u = ((double)(int32_t)(first[i] ^ 0x80000000u) + 2147483648.5) * 0x1p-32; /* in (0, 1) */
        double radius = sqrt(-2 * log_series(u));
        uint64_t quarter = (second[i] + 0x20000000u) >> 30; /* the nearest quarter turn, and the angle from there */
        double angle = (double)(int32_t)(second[i] << 2) * (6.28318530717958647692 * 0x1p-34);
        uint64_t s = double_to_bits(sin_series(angle)), c = double_to_bits(cos_series(angle));
        uint64_t swap = (s ^ c) & -(quarter & 1); /* without branches, for the vectoriser */
        even[i] = radius * bits_to_double(c ^ swap ^ (quarter + 1) >> 1 << 63);
        odd[i] = radius * bits_to_double(s ^ swap ^ quarter >> 1 << 63);
    }
}

void KERNEL(make_normals)(const struct make_stream *stream, const struct make_tile *tile, size_t columns, double *out)
{
    size_t blocks = (columns + 3) / 4, total = tile->rows * blocks, row = 0, block = 0;
    struct batch b;
    double z[4][BATCH];
    for (size_t done = 0; done < total; done += BATCH) {
        size_t first_row = row, first_block = block;
        for (size_t i = 0; i < BATCH; i++) {
            uint64_t at = tile->first + row;
            b.word[0][i] = (uint32_t)at;
            b.word[1][i] = (uint32_t)(at >> 32);
            b.word[2][i] = stream->purpose;
            b.word[3][i] = stream->stream << 28 | (uint32_t)block;
            row += block + 1 == blocks;
            block = block + 1 == blocks ? 0 : block + 1;
        }
        philox(&b, stream->seed);
        box_muller(b.word[0], b.word[1], z[0], z[1]);
        box_muller(b.word[2], b.word[3], z[2], z[3]);
        size_t count = total - done < BATCH ? total - done : BATCH;
        double *to = out + first_row * columns + 4 * first_block;
        if (columns % 4 == 0) {
            for (size_t i = 0; i < count; i++)
                for (size_t k = 0; k < 4; k++)
                    to[4 * i + k] = z[k][i];
            continue;
        }
        for (size_t i = 0, at = first_block; i < count; i++, at = at + 1 == blocks ? 0 : at + 1)
            for (size_t k = 0; k < 4 && 4 * at + k < columns; k++)
                *to++ = z[k][i];
    }
}

/* ---- the rest -----------------------------------------------------------------------------------------------------
 */

void KERNEL(make_project)(const double *x, const struct make_tile *tile, const struct make_truth *truth, double *out)
{
    size_t features = truth->features, whole = features / 8 * 8;
    for (size_t row = 0; row < tile->rows; row++)
        for (size_t o = 0; o < truth->outputs; o++) {
            const double *a = x + row * features, *w = truth->weights + o * features;
            double lane[8] = {0};
            for (size_t i = 0; i < whole; i += 8)
                for (size_t k = 0; k < 8; k++)
                    lane[k] += a[i + k] * w[i + k];
            for (size_t i = whole; i < features; i++)
                lane[i - whole] += a[i] * w[i];
            out[row * truth->outputs + o] = truth->bias[o] + (((lane[0] + lane[4]) + (lane[2] + lane[6])) +
                                                              ((lane[1] + lane[5]) + (lane[3] + lane[7])));
        }
}

void KERNEL(make_exp)(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double x = values[i] < -700 ? -700 : values[i];
        values[i] = exp_series(x > 700 ? 700 : x);
    }
}

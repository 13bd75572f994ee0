/*
 * gradmill/loss_math.h - mathematics for loss plugins: exp, log, softplus, sigmoid ... that compilers vectorise.
 *
 *     #include <gradmill/loss_math.h>
 *
 *     GM_LOSS_KERNEL static void slopes(const double *pred, double *slope, size_t n)
 *     {
 *         for (size_t i = 0; i < n; i++)
 *             slope[i] = gm_sigmoid(pred[i]);
 *     }
 *
 * Three promises:
 *  - Speed. Every function of one number is free of branches, tables and calls, so that gcc -O3 and clang -O2 turn a
 *    loop over it into vector instructions without -ffast-math.
 *  - Same bits. Only IEEE additions, multiplications, divisions and bit operations are used, in a written order, and
 *    contraction into fused multiply-adds is switched off for the file that includes this header. So a number gives
 *    the same bits in a vector body, in the remainder of a loop, and on any instruction set.
 *  - Accuracy. Each function states its largest error in units in the last place (ulp) of its result, NaN and
 *    infinities included; tests/plugins/test_loss_math.c measures it against long double.
 *
 * Include it before defining functions: the switch holds from here to the end of the file.
 *
 * Methods: argument reduction x = n ln2 + r with ln2 in two parts (Cody and Waite 1980); log(m) = 2 atanh(f / (2 + f))
 * with f = m - 1 (Tang 1990); polynomials interpolated at Chebyshev nodes in 60-digit arithmetic for this file.
 */
#ifndef GRADMILL_LOSS_MATH_H
#define GRADMILL_LOSS_MATH_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "no-trapping-math", "no-math-errno")
#endif

#if defined(__GNUC__)
#define GM_RESTRICT __restrict
#else
#define GM_RESTRICT
#endif
#if !defined(GM_INLINE) && defined(__GNUC__)
#define GM_INLINE static inline __attribute__((always_inline))
#elif !defined(GM_INLINE)
#define GM_INLINE static inline
#endif

/*
 * Marks the hot functions of a plugin: gcc builds them for AVX-512, AVX2 and the baseline, and the loader of the C
 * library picks the best for the machine. The clones give the same bits (see above): no fused operation is used.
 * Functions they call must be inlined (GM_INLINE). Empty where the means is missing: other compilers, machines and C
 * libraries, and under sanitizers, whose run time is not up when the choice is made.
 */
#if defined(__has_feature)
#define GM_HAS_FEATURE(x) __has_feature(x)
#else
#define GM_HAS_FEATURE(x) 0
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) &&                 \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !GM_HAS_FEATURE(address_sanitizer) && \
    !GM_HAS_FEATURE(thread_sanitizer)
#define GM_LOSS_KERNEL __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define GM_LOSS_KERNEL
#endif

/* Before a loop of vectors' length that shall become vectors, and is not to be unrolled before it does. */
#if defined(__GNUC__) && !defined(__clang__)
#define GM_NO_UNROLL _Pragma("GCC unroll 1")
#else
#define GM_NO_UNROLL
#endif

#define GM_LN2_HIGH 0x1.62e42fefa38p-1 /* 42 bits of ln 2: n * high is exact for |n| < 2048 */
#define GM_LN2_LOW  0x1.ef35793c7673p-45
#define GM_LN2      0x1.62e42fefa39efp-1

/* ---- bits ------------------------------------------------------------------------------------------------------ */

GM_INLINE uint64_t gm_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

GM_INLINE double gm_from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* |x|. Exact. */
GM_INLINE double gm_abs(double x)
{
    return gm_from_bits(gm_bits(x) & UINT64_C(0x7fffffffffffffff));
}

/* |size| with the sign of `sign`. Exact. */
GM_INLINE double gm_copysign(double size, double sign)
{
    const uint64_t top = UINT64_C(0x8000000000000000);
    return gm_from_bits((gm_bits(size) & ~top) | (gm_bits(sign) & top));
}

/* x times the sign of `sign`, 1 or -1. Exact. */
GM_INLINE double gm_flip(double x, double sign)
{
    const uint64_t top = UINT64_C(0x8000000000000000);
    return gm_from_bits(gm_bits(x) ^ (gm_bits(sign) & top));
}

/* The larger and the smaller; a NaN in x comes through. Exact. */
GM_INLINE double gm_max(double x, double bound)
{
    return x < bound ? bound : x;
}

GM_INLINE double gm_min(double x, double bound)
{
    return x > bound ? bound : x;
}

/* 1, 0 or -1; NaN gives 0. */
GM_INLINE double gm_sign(double x)
{
    return (double)(x > 0) - (double)(x < 0);
}

/* ---- exponentials ---------------------------------------------------------------------------------------------- */

/* x = n ln2 + r with |r| <= 0.3466; e^r = 1 + r + rest, scale = 2^n. Only between GM_EXP_LOW and GM_EXP_HIGH, where the
 * scale is a normal number; the callers put in the limits beyond. */
struct gm_exp_parts {
    double r, rest, scale;
};
#define GM_EXP_LOW  (-708.0) /* below it, 3.3e-308, e^x is given as 0 */
#define GM_EXP_HIGH 709.4    /* above it, 1.2e308, as infinite */

/* Adding 1.5 * 2^52 rounds to a whole number and leaves it in the low bits; 1023 is the exponent bias. */
#define GM_EXP_SHIFT (0x1.8p52 + 1023)
GM_INLINE double gm_exp_shifted(double x)
{
    return x * 0x1.71547652b82fep+0 + GM_EXP_SHIFT;
}

/* r of x */
GM_INLINE double gm_exp_rest(double x)
{
    double n = gm_exp_shifted(x) - GM_EXP_SHIFT;
    return (x - n * GM_LN2_HIGH) - n * GM_LN2_LOW;
}

GM_INLINE struct gm_exp_parts gm_exp_split_from(double x, double r)
{
    struct gm_exp_parts parts;
    double r2 = r * r, r4 = r2 * r2;
    /* (e^r - 1 - r) / r^2, relative error 8e-18 in e^r. */
    double low =
        (0x1.0000000000008p-1 + 0x1.55555555554fdp-3 * r) + (0x1.5555555550e66p-5 + 0x1.11111111275b7p-7 * r) * r2;
    double middle =
        (0x1.6c16c18318ce7p-10 + 0x1.a01a012a70aa3p-13 * r) + (0x1.a0199c8a3b52fp-16 + 0x1.71df285127641p-19 * r) * r2;
    double high = 0x1.28ab69c01be6bp-22 + 0x1.ad76dc259cc31p-26 * r;
    parts.r = r;
    parts.rest = r2 * (low + r4 * (middle + r4 * high));
    parts.scale = gm_from_bits(gm_bits(gm_exp_shifted(x)) << 52);
    return parts;
}

GM_INLINE struct gm_exp_parts gm_exp_split(double x)
{
    return gm_exp_split_from(x, gm_exp_rest(x));
}

/* gm_exp(x) from rest = gm_exp_rest(x): the same bits. */
GM_INLINE double gm_exp_from(double x, double rest)
{
    struct gm_exp_parts parts = gm_exp_split_from(x, rest);
    double y = ((1.0 + parts.r) + parts.rest) * parts.scale;
    y = x > GM_EXP_HIGH ? (double)INFINITY : y;
    return x < GM_EXP_LOW ? 0.0 : y;
}

/* e^x. Error < 1.5 ulp; 0 for x < -708 and infinite for x > 709.4, a hair inside the range of a double. */
GM_INLINE double gm_exp(double x)
{
    return gm_exp_from(x, gm_exp_rest(x));
}

/* e^x - 1. Error < 2.5 ulp; infinite for x > 709.4. */
GM_INLINE double gm_expm1(double x)
{
    struct gm_exp_parts parts = gm_exp_split(x);
    double y = parts.scale * (parts.r + parts.rest) + (parts.scale - 1.0);
    y = x > GM_EXP_HIGH ? (double)INFINITY : y;
    return x < -40.0 ? -1.0 : y;
}

/* ---- logarithms ------------------------------------------------------------------------------------------------ */

/* x = m 2^k with m in [sqrt(1/2), sqrt(2)). */
struct gm_log_parts {
    double k, f, s, z; /* f = m - 1, s = f / (2 + f), z = s^2 */
    uint64_t biased;   /* k + 1023 */
};

GM_INLINE struct gm_log_parts gm_log_split(double x)
{
    const uint64_t root_half = UINT64_C(0x3fe6a09e667f3bcd);
    struct gm_log_parts parts;
    uint64_t bits = gm_bits(x) + (UINT64_C(0x3ff0000000000000) - root_half);
    parts.biased = bits >> 52;
    parts.k = gm_from_bits(parts.biased | UINT64_C(0x4330000000000000)) - (0x1p52 + 1023.0);
    parts.f = gm_from_bits((bits & UINT64_C(0x000fffffffffffff)) + root_half) - 1.0;
    parts.s = parts.f / (2.0 + parts.f);
    parts.z = parts.s * parts.s;
    return parts;
}

/* log(1 + f) + k ln2 + small, where small is far below one ulp of 1. */
GM_INLINE double gm_log_join(struct gm_log_parts parts, double k, double small)
{
    double z = parts.z, z2 = z * z;
    double even =
        0x1.5555555555558p-1 + z2 * (0x1.2492492dfd86cp-2 + z2 * (0x1.7462b91b8df65p-3 + z2 * 0x1.2b5f68a50d903p-3));
    double odd = 0x1.9999999995273p-2 + z2 * (0x1.c71c62d5e53e0p-3 + z2 * 0x1.39fdcceb4bb45p-3);
    double rest = z * (even + z * odd), half_square = 0.5 * parts.f * parts.f;
    double tail = parts.s * (half_square + rest) + (k * GM_LN2_LOW + small);
    return k * GM_LN2_HIGH - ((half_square - tail) - parts.f);
}

/* Natural logarithm. Error < 1 ulp. log(0) = -inf, NaN below 0. */
GM_INLINE double gm_log(double x)
{
    double tiny = x < 0x1p-1022 ? 54.0 : 0.0;
    struct gm_log_parts parts = gm_log_split(x * (x < 0x1p-1022 ? 0x1p54 : 1.0));
    double y = gm_log_join(parts, parts.k - tiny, 0.0);
    double edge = x == 0.0 ? -(double)INFINITY : (double)NAN;
    y = x > 0.0 ? y : edge;
    return x < (double)INFINITY ? y : x;
}

/* log(1 + x). Error < 1 ulp. log1p(-1) = -inf, NaN below -1. */
GM_INLINE double gm_log1p(double x)
{
    double u = 1.0 + x, back = u - 1.0;
    double lost = (1.0 - (u - back)) + (x - back); /* u + lost = 1 + x exactly (Knuth's two-sum) */
    struct gm_log_parts parts = gm_log_split(u);
    /* lost / u = lost 2^-k (1 - s)^2 / (1 - s^2); three digits of it are plenty. */
    double scale = gm_from_bits((UINT64_C(2046) - parts.biased) << 52);
    double slope = (1.0 - parts.s) * (1.0 - parts.s) * (1.0 + parts.z);
    double small = x > 0x1p60 ? 0.0 : lost * scale * slope;
    double y = gm_log_join(parts, parts.k, small);
    double edge = x == -1.0 ? -(double)INFINITY : (double)NAN;
    y = x > -1.0 ? y : edge;
    return x < (double)INFINITY ? y : x;
}

/* log(1 + e) for 0 <= e <= 1, cheaper than gm_log1p. Error < 2 ulp. NaN comes through. */
GM_INLINE double gm_log1p_unit(double e)
{
    double s = e / (2.0 + e), z = s * s, z2 = z * z, z4 = z2 * z2;
    double low =
        (0x1.5555555555555p-1 + 0x1.999999999a3dfp-2 * z) + (0x1.24924923d422cp-2 + 0x1.c71c727164156p-3 * z) * z2;
    double middle =
        (0x1.745cf0aa6a011p-3 + 0x1.3b18b34a260a3p-3 * z) + (0x1.10ac6a3d3e5f6p-3 + 0x1.eb913ba3ef69ep-4 * z) * z2;
    double high = 0x1.687604d0c86a1p-4 + 0x1.4b0ed4be611b2p-3 * z;
    double rest = z * (low + z4 * (middle + z4 * high)), half_square = 0.5 * e * e;
    return e - (half_square - s * (half_square + rest));
}

/* ---- what losses are made of ----------------------------------------------------------------------------------- */

/* gm_softplus(x), gm_sigmoid(x) and gm_sigmoid_slope(x) from decay = e^-|x|, which the three share: the same bits. */
GM_INLINE double gm_softplus_from(double x, double decay)
{
    return gm_max(x, 0.0) + gm_log1p_unit(decay);
}
GM_INLINE double gm_sigmoid_from(double x, double decay)
{
    return (x < 0.0 ? decay : 1.0) / (1.0 + decay);
}
GM_INLINE double gm_sigmoid_slope_from(double decay)
{
    double one = 1.0 + decay;
    return decay / (one * one);
}

/* log(1 + e^x) = -log(sigmoid(-x)), never overflowing. Error < 2.5 ulp. */
GM_INLINE double gm_softplus(double x)
{
    return gm_softplus_from(x, gm_exp(-gm_abs(x)));
}

/* 1 / (1 + e^-x), accurate in both tails. Error < 3.5 ulp. */
GM_INLINE double gm_sigmoid(double x)
{
    return gm_sigmoid_from(x, gm_exp(-gm_abs(x)));
}

/* sigmoid(x) (1 - sigmoid(x)), its slope. Error < 5 ulp. */
GM_INLINE double gm_sigmoid_slope(double x)
{
    return gm_sigmoid_slope_from(gm_exp(-gm_abs(x)));
}

/* Error < 3 ulp. */
GM_INLINE double gm_tanh(double x)
{
    double t = gm_expm1(-2.0 * gm_abs(x));
    return gm_copysign(t / (2.0 + t), x);
}

/* log(cosh(x)), accurate at 0 (x^2 / 2) and far out (|x| - ln 2). Error < 7 ulp. */
GM_INLINE double gm_logcosh(double x)
{
    double a = gm_abs(x), u = gm_expm1(-a), e = 1.0 + u;
    /* cosh = 1 + (1 - e^-a)^2 / (2 e^-a) = e^a (1 + e^-2a) / 2, each where it does not cancel. */
    double bulk = a < 1.0 ? 0.0 : a - GM_LN2;
    double rest = a < 1.0 ? u * u / (2.0 * e) : e * e;
    return bulk + gm_log1p_unit(rest);
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

#define GM_STRIP ((size_t)128) /* numbers handled at a time where a buffer is needed */

/* Sum in eight fixed strands, which lets it vectorise: the order depends on n only. */
GM_INLINE double gm_sum(const double *x, size_t n)
{
    double strand[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++)
            strand[j] += x[i + j];
    for (size_t j = 0; i + j < n; j++)
        strand[j] += x[i + j];
    return ((strand[0] + strand[4]) + (strand[2] + strand[6])) + ((strand[1] + strand[5]) + (strand[3] + strand[7]));
}

GM_INLINE double gm_dot(const double *x, const double *y, size_t n)
{
    double strand[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; j++)
            strand[j] += x[i + j] * y[i + j];
    for (size_t j = 0; i + j < n; j++)
        strand[j] += x[i + j] * y[i + j];
    return (strand[0] + strand[2]) + (strand[1] + strand[3]);
}

/* Euclidean length, without overflow or underflow on the way. */
GM_INLINE double gm_length(const double *x, size_t n)
{
    double top = 0.0, sum = 0.0;
    for (size_t i = 0; i < n; i++)
        top = gm_max(gm_abs(x[i]), top);
    for (size_t i = 0; top > 0.0 && i < n; i++)
        sum += (x[i] / top) * (x[i] / top);
    return top > 0.0 ? top * sqrt(sum) : top;
}

/* Largest of n >= 1 numbers; NaN are passed over unless the first is one. */
GM_INLINE double gm_row_max(const double *x, size_t n)
{
    double top = x[0];
    for (size_t i = 1; i < n; i++)
        top = gm_max(top, x[i]);
    return top;
}

/* sum_i e^(x_i - top), in strips. */
GM_INLINE double gm_sum_exp(const double *x, size_t n, double top)
{
    double e[GM_STRIP], sum = 0.0;
    for (size_t at = 0; at < n; at += GM_STRIP) {
        size_t some = n - at < GM_STRIP ? n - at : GM_STRIP;
        for (size_t i = 0; i < some; i++)
            e[i] = gm_exp(x[at + i] - top);
        sum += gm_sum(e, some);
    }
    return sum;
}

/* log sum_i e^x_i of n >= 1 numbers. Absolute error < 2 ulp of the larger of |largest x| and log n, plus n / 8 * 2^-53.
 */
GM_INLINE double gm_logsumexp(const double *x, size_t n)
{
    double top = gm_row_max(x, n);
    if (top - top != 0.0) /* an infinity decides (or a NaN first) */
        return top;
    return top + gm_log(gm_sum_exp(x, n, top));
}

/* out_i = e^x_i / sum_j e^x_j, [n]; out may be x. Returns the logsumexp. Error of out_i < 3 + n / 8 ulp. */
GM_INLINE double gm_softmax(const double *x, size_t n, double *out)
{
    double top = gm_row_max(x, n);
    for (size_t i = 0; i < n; i++)
        out[i] = gm_exp(x[i] - top);
    double sum = gm_sum(out, n), scale = 1.0 / sum;
    for (size_t i = 0; i < n; i++)
        out[i] *= scale;
    return top + gm_log(sum);
}

#endif

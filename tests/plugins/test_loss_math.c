/*
 * The functions of loss_math.h against long double (64-bit mantissa on x86, 113 on aarch64): the stated error bounds,
 * the edges, and the promise of the same bits in vector bodies, loop remainders and every instruction set.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* the loops below are to be vectorised in every preset */
#endif
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gradmill/loss_math.h>

#include "support.h"

static long double softplus_l(long double x)
{
    return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

static long double sigmoid_l(long double x)
{
    return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

static long double sigmoid_slope_l(long double x)
{
    long double e = expl(-fabsl(x));
    return e / ((1 + e) * (1 + e));
}

static long double logcosh_l(long double x)
{
    long double a = fabsl(x), s = sinhl(a / 2);
    return a < 1 ? log1pl(2 * s * s) : a - logl(2.0L) + log1pl(expl(-2 * a));
}

/* Each function as a loop, plain, and with GM_LOSS_KERNEL's instruction sets written out. */
#define LOOP(attribute, name, function)                              \
    attribute static void name(const double *x, double *y, size_t n) \
    {                                                                \
        for (size_t i = 0; i < n; i++)                               \
            y[i] = function(x[i]);                                   \
    }
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LOOPS(function)                                                             \
    LOOP(__attribute__((noinline)), plain_##function, function)                     \
    LOOP(__attribute__((noinline, target("avx2,fma"))), avx2_##function, function)  \
    LOOP(__attribute__((noinline, target("avx512f"))), avx512_##function, function) \
    LOOP(GM_LOSS_KERNEL, kernel_##function, function)
#define HAS_AVX2   (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define HAS_AVX512 __builtin_cpu_supports("avx512f")
#else
#define LOOPS(function)                                          \
    LOOP(__attribute__((noinline)), plain_##function, function)  \
    LOOP(__attribute__((noinline)), avx2_##function, function)   \
    LOOP(__attribute__((noinline)), avx512_##function, function) \
    LOOP(GM_LOSS_KERNEL, kernel_##function, function)
#define HAS_AVX2   1
#define HAS_AVX512 1
#endif
LOOPS(gm_exp)
LOOPS(gm_expm1)
LOOPS(gm_log)
LOOPS(gm_log1p)
LOOPS(gm_log1p_unit)
LOOPS(gm_softplus)
LOOPS(gm_sigmoid)
LOOPS(gm_sigmoid_slope)
LOOPS(gm_tanh)
LOOPS(gm_logcosh)

struct subject {
    const char *name;
    void (*plain)(const double *, double *, size_t), (*avx2)(const double *, double *, size_t);
    void (*avx512)(const double *, double *, size_t), (*kernel)(const double *, double *, size_t);
    long double (*truth)(long double);
    double ulp;       /* the bound stated in the header */
    double low, high; /* where the bound holds; the wide test keeps inside */
};
#define SUBJECT(name, truth, ulp, low, high)                                                  \
    {                                                                                         \
#name, plain_##name, avx2_##name, avx512_##name, kernel_##name, truth, ulp, low, high \
    }
static const struct subject subjects[] = {
    SUBJECT(gm_exp, expl, 1.5, -708, 709.4),
    SUBJECT(gm_expm1, expm1l, 2.5, -DBL_MAX, 709.4),
    SUBJECT(gm_log, logl, 1.0, 0, DBL_MAX),
    SUBJECT(gm_log1p, log1pl, 1.0, -1, DBL_MAX),
    SUBJECT(gm_log1p_unit, log1pl, 2.0, 0, 1),
    SUBJECT(gm_softplus, softplus_l, 2.5, -708, DBL_MAX),
    SUBJECT(gm_sigmoid, sigmoid_l, 3.5, -708, DBL_MAX),
    SUBJECT(gm_sigmoid_slope, sigmoid_slope_l, 5.0, -708, 708),
    SUBJECT(gm_tanh, tanhl, 3.0, -DBL_MAX, DBL_MAX),
    SUBJECT(gm_logcosh, logcosh_l, 7.0, -DBL_MAX, DBL_MAX),
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects, COUNT = 20011 };

static unsigned long long state = 42;
static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

/* |got - want| in units of the last place of want as a double. */
static double ulps(double got, long double want)
{
    const double near = (double)want;
    if (isnan(near) || isinf(near))
        return (isnan(near) && isnan(got)) || got == near ? 0 : HUGE_VAL;
    if (!isfinite(got))
        return HUGE_VAL;
    int exponent = DBL_MIN_EXP;
    if (near != 0)
        frexp(near, &exponent);
    if (exponent < DBL_MIN_EXP)
        exponent = DBL_MIN_EXP;
    return (double)(fabsl((long double)got - want) / ldexpl(1, exponent - DBL_MANT_DIG));
}

/* Numbers of every size, and evenly in the ranges where the formulas change. */
static void fill(double *x, const struct subject *s)
{
    static const double spans[] = {1e-3, 1.1, 3, 50, 800};
    for (size_t i = 0; i < COUNT; i++) {
        double v =
            i % 6 < 5 ? spans[i % 6] * (2 * uniform() - 1) : ldexp(uniform() - 0.5, (int)(2098 * uniform()) - 1074);
        if (v < s->low || v > s->high)
            v = s->low > -2 && s->high < 2 ? uniform() : -v;
        x[i] = v < s->low || v > s->high ? uniform() : v;
    }
}

static void errors_stay_within_the_stated_bounds(void)
{
    static double x[COUNT], y[COUNT];
    for (int k = 0; k < SUBJECTS; k++) {
        const struct subject *s = &subjects[k];
        double worst = 0, where = 0;
        for (int turn = 0; turn < 20; turn++) {
            fill(x, s);
            s->plain(x, y, COUNT);
            for (size_t i = 0; i < COUNT; i++) {
                double error = ulps(y[i], s->truth(x[i]));
                if (error > worst) {
                    worst = error;
                    where = x[i];
                }
            }
        }
        if (worst > s->ulp)
            printf("\n    %s: %.3f ulp at %a, bound %.1f", s->name, worst, where, s->ulp);
        CU_ASSERT(worst <= s->ulp);
        CU_ASSERT(worst > 0.01); /* a test that measures nothing would say 0 */
    }
}

static void edges_are_right(void)
{
    static const double edges[] = {0.0,     -0.0,   INFINITY, -INFINITY, NAN,    DBL_MIN, -DBL_MIN, 5e-324,
                                   -5e-324, 1e-310, 700,      -700,      1e300,  -1e300,  1,        -1,
                                   -1.5,    1e17,   1e18,     1e19,      0x1p60, DBL_MAX, -DBL_MAX, 0x1p1023,
                                   709.3,   -707.9, 0.5,      -0.5,      40,     -40.5};
    for (int k = 0; k < SUBJECTS; k++)
        for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
            const struct subject *s = &subjects[k];
            double x = edges[i], y;
            if (s->plain == plain_gm_log1p_unit && (x < 0 || x > 1))
                continue; /* outside what it is for */
            s->plain(&x, &y, 1);
            double error = ulps(y, s->truth(x));
            if (error > s->ulp && fabsl(s->truth(x)) > 5e-308L)
                printf("\n    %s(%g) = %.17g, not %.17Lg", s->name, x, y, s->truth(x));
            CU_ASSERT(error <= s->ulp || (fabsl(s->truth(x)) < 5e-308L && y >= 0 && y < 5e-308));
        }
}

static void exp_has_the_stated_limits(void)
{
    const double x[] = {-708.001, -745, -1e300, -INFINITY, 709.41, 710, 1e300, INFINITY, NAN};
    double y[9];
    plain_gm_exp(x, y, 9);
    for (int i = 0; i < 4; i++)
        CU_ASSERT(y[i] == 0);
    for (int i = 4; i < 8; i++)
        CU_ASSERT(y[i] == INFINITY);
    CU_ASSERT(isnan(y[8]));
}

static void bits_do_not_depend_on_the_place(void)
{
    static double x[COUNT], whole[COUNT], cut[COUNT];
    for (int k = 0; k < SUBJECTS; k++) {
        fill(x, &subjects[k]);
        subjects[k].plain(x, whole, COUNT);
        for (size_t at = 0, n = 1; at < COUNT; at += n, n = n % 37 + 1)
            subjects[k].plain(x + at, cut + at, COUNT - at < n ? COUNT - at : n);
        CU_ASSERT(memcmp(whole, cut, sizeof whole) == 0);
    }
}

static void bits_do_not_depend_on_the_instruction_set(void)
{
    static double x[COUNT], plain[COUNT], other[COUNT];
    for (int k = 0; k < SUBJECTS; k++) {
        const struct subject *s = &subjects[k];
        fill(x, s);
        s->plain(x, plain, COUNT);
        s->kernel(x, other, COUNT);
        CU_ASSERT(memcmp(plain, other, sizeof plain) == 0);
        if (HAS_AVX2) {
            s->avx2(x, other, COUNT);
            CU_ASSERT(memcmp(plain, other, sizeof plain) == 0);
        }
        if (HAS_AVX512) {
            s->avx512(x, other, COUNT);
            CU_ASSERT(memcmp(plain, other, sizeof plain) == 0);
        }
    }
}

static void rows_add_up(void)
{
    double x[300], share[300];
    for (size_t n = 1; n < 300; n = n * 2 + 1) {
        long double sum = 0, exps = 0, top = -INFINITY;
        for (size_t i = 0; i < n; i++) {
            x[i] = 40 * uniform() - 20;
            sum += x[i];
            top = x[i] > top ? x[i] : top;
        }
        for (size_t i = 0; i < n; i++)
            exps += expl(x[i] - top);
        ASSERT_CLOSE(gm_sum(x, n), (double)sum, 1e-13);
        ASSERT_CLOSE(gm_logsumexp(x, n), (double)(top + logl(exps)), 1e-15);
        ASSERT_CLOSE(gm_softmax(x, n, share), (double)(top + logl(exps)), 1e-15);
        for (size_t i = 0; i < n; i++)
            CU_ASSERT(fabsl(share[i] - expl(x[i] - top) / exps) <= 1e-14L * expl(x[i] - top) / exps);
    }
    const double far[] = {1e8, 1e8 - 1, -1e8}, infinite[] = {-INFINITY, 2, INFINITY}, sick[] = {1, NAN, 2};
    ASSERT_CLOSE(gm_logsumexp(far, 3), 1e8 + log1p(exp(-1)), 1e-15);
    CU_ASSERT(gm_logsumexp(infinite, 3) == INFINITY);
    CU_ASSERT(gm_logsumexp(infinite, 2) == 2);
    CU_ASSERT(gm_logsumexp(infinite, 1) == -INFINITY);
    CU_ASSERT(isnan(gm_logsumexp(sick, 3)));
}

static void small_helpers(void)
{
    CU_ASSERT(gm_abs(-3.5) == 3.5 && gm_abs(2) == 2 && isnan(gm_abs(NAN)) && !signbit(gm_abs(-0.0)));
    CU_ASSERT(gm_sign(-2) == -1 && gm_sign(0) == 0 && gm_sign(1e-320) == 1);
    CU_ASSERT(gm_copysign(2, -1) == -2 && gm_copysign(-2, 1) == 2);
    CU_ASSERT(gm_flip(2, -1) == -2 && gm_flip(-2, -0.0) == 2 && gm_flip(-2, 1) == -2 && isnan(gm_flip(NAN, -1)));
    CU_ASSERT(gm_max(1, 2) == 2 && gm_min(1, 2) == 1 && isnan(gm_max(NAN, 0)) && isnan(gm_min(NAN, 0)));
    const double x[] = {1, 2, 3, 4, 5, 6, 7}, y[] = {2, 3, 4, 5, 6, 7, 8};
    CU_ASSERT(gm_dot(x, y, 7) == 168); /* sum k (k + 1), k = 1 .. 7 */
    CU_ASSERT(gm_sum(x, 7) == 28 && gm_sum(x, 0) == 0 && gm_row_max(x, 7) == 7);
}

TEST_MAIN("loss_math", TEST(errors_stay_within_the_stated_bounds), TEST(edges_are_right),
          TEST(exp_has_the_stated_limits), TEST(bits_do_not_depend_on_the_place),
          TEST(bits_do_not_depend_on_the_instruction_set), TEST(rows_add_up), TEST(small_helpers))

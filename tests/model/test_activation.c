/*
 * Activations and their slopes on every instruction set, against the long double functions of the C library: the error
 * bounds that model/activation.h states.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "model/activation.h"
#include "model/panel.h"

enum { COUNT = 20011 };

static long double reference(enum activation kind, long double z)
{
    switch (kind) {
    case ACTIVATION_RELU:
        return z > 0 ? z : 0;
    case ACTIVATION_TANH:
        return tanhl(z);
    case ACTIVATION_GELU:
        return z * erfcl(-z * M_SQRT1_2l) / 2;
    case ACTIVATION_SIGMOID:
        return 1 / (1 + expl(-z));
    }
    return NAN;
}

static long double reference_slope(enum activation kind, long double z)
{
    long double y = reference(kind, z);
    switch (kind) {
    case ACTIVATION_RELU:
        return z > 0;
    case ACTIVATION_TANH:
        return 1 - y * y;
    case ACTIVATION_GELU:
        return erfcl(-z * M_SQRT1_2l) / 2 + z * expl(-z * z / 2) * 0.398942280401432677939946L;
    case ACTIVATION_SIGMOID:
        return y / (1 + expl(z));
    }
    return NAN;
}

/* Errors of the value (relative; for gelu against max(|z|, 1)) and of the slope (absolute), in units of 2^-digits. */
static void errors(enum activation kind, bool single, enum cpu_isa isa, double *value, double *slope)
{
    static union {
        float f[COUNT];
        double d[COUNT];
    } z, s;
    struct activation_kernels k = activation_kernels_for(isa);
    double range = single ? 30 : 40;
    long double unit = single ? 0x1p-23L : 0x1p-52L;
    static double in[COUNT];
    for (size_t i = 0; i < COUNT; i++) { /* dense near 0, and far out */
        double u = 2.0 * (double)i / (COUNT - 1) - 1;
        in[i] = range * u * u * u;
        if (single)
            in[i] = z.f[i] = (float)in[i];
        else
            z.d[i] = in[i];
    }
    (single ? k.apply_f32 : k.apply_f64)(kind, &z, COUNT, &s);
    *value = *slope = 0;
    for (size_t i = 0; i < COUNT; i++) {
        long double expected = reference(kind, in[i]), found = single ? z.f[i] : z.d[i];
        long double size = kind == ACTIVATION_GELU ? fmaxl(fabsl(in[i]), 1) : fmaxl(fabsl(expected), 1e-30L);
        *value = fmax(*value, (double)(fabsl(found - expected) / size / unit));
        found = single ? s.f[i] : s.d[i];
        *slope = fmax(*slope, (double)(fabsl(found - reference_slope(kind, in[i])) / unit));
    }
}

static void errors_stay_within_their_bounds(void)
{
    static const double bounds[] = {
        [ACTIVATION_RELU] = 0, [ACTIVATION_TANH] = 3, [ACTIVATION_GELU] = 2, [ACTIVATION_SIGMOID] = 4};
    for (int isa = CPU_BASELINE; isa <= (int)cpu_isa(); isa++)
        for (int single = 0; single < 2; single++)
            for (int kind = ACTIVATION_RELU; kind <= ACTIVATION_SIGMOID; kind++) {
                double value, slope;
                errors((enum activation)kind, single, (enum cpu_isa)isa, &value, &slope);
                CU_ASSERT(value <= bounds[kind]);
                CU_ASSERT(slope <= 3);
            }
}

static void a_number_has_the_same_bits_anywhere(void)
{
    for (int kind = ACTIVATION_RELU; kind <= ACTIVATION_SIGMOID; kind++)
        for (int isa = CPU_BASELINE; isa <= (int)cpu_isa(); isa++) {
            struct activation_kernels k = activation_kernels_for((enum cpu_isa)isa);
            float all[37], slopes[37], one, slope;
            for (size_t i = 0; i < 37; i++)
                all[i] = (float)sin((double)i) * 4;
            k.apply_f32((enum activation)kind, all, 37, slopes);
            for (size_t i = 0; i < 37; i++) {
                one = (float)sin((double)i) * 4;
                k.apply_f32((enum activation)kind, &one, 1, &slope);
                CU_ASSERT(memcmp(&one, &all[i], sizeof one) == 0 && memcmp(&slope, &slopes[i], sizeof slope) == 0);
            }
        }
}

static void nan_comes_through(void)
{
    for (int kind = ACTIVATION_RELU; kind <= ACTIVATION_SIGMOID; kind++)
        for (int isa = CPU_BASELINE; isa <= (int)cpu_isa(); isa++) {
            struct activation_kernels k = activation_kernels_for((enum cpu_isa)isa);
            float f[20], fs[20];
            double d[20], ds[20];
            for (size_t i = 0; i < 20; i++)
                d[i] = f[i] = NAN;
            k.apply_f32((enum activation)kind, f, 20, fs);
            k.apply_f64((enum activation)kind, d, 20, ds);
            for (size_t i = 0; i < 20; i++)
                CU_ASSERT(isnan(f[i]) && isnan(d[i]));
        }
}

/* Rows of 19 columns become two panels of floats: standardised, the last 13 places 0. */
static void rows_enter_panels_standardised(void)
{
    enum { ROWS = 3, COLUMNS = 19 };
    static float x[ROWS * COLUMNS], center[COLUMNS], factor[COLUMNS];
    static float out[2 * ROWS * PANEL_F32] __attribute__((aligned(PANEL_BYTES)));
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        x[i] = (float)i;
    for (size_t j = 0; j < COLUMNS; j++) {
        center[j] = (float)j / 2;
        factor[j] = 1 + (float)j;
    }
    static const size_t in_order[ROWS] = {0, 1, 2}, anyhow[ROWS] = {2, 0, 2};
    const size_t *const orders[] = {NULL, in_order, anyhow};
    for (int isa = CPU_BASELINE; isa <= (int)cpu_isa(); isa++)
        for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
            struct activation_entry e = {x, COLUMNS, ROWS, COLUMNS, orders[o], center, factor, out, ROWS * PANEL_F32};
            memset(out, 0xFF, sizeof out);
            activation_kernels_for((enum cpu_isa)isa).enter_f32(&e);
            for (size_t i = 0; i < ROWS; i++)
                for (size_t j = 0; j < 2 * PANEL_F32; j++) {
                    size_t row = orders[o] ? orders[o][i] : i;
                    float expected = j < COLUMNS ? (x[row * COLUMNS + j] - center[j]) * factor[j] : 0;
                    CU_ASSERT_EQUAL(out[(j / PANEL_F32 * ROWS + i) * PANEL_F32 + j % PANEL_F32], expected);
                }
        }
}

TEST_MAIN("activation", TEST(errors_stay_within_their_bounds), TEST(a_number_has_the_same_bits_anywhere),
          TEST(nan_comes_through), TEST(rows_enter_panels_standardised))

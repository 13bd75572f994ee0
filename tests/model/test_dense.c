/*
 * The dense kernels of every instruction set this machine has, against the plain triple loop in double.
 *
 * Expected values: dense_reference(). Tolerances: a float sum of n terms of size <= 1 is within n * 2^-24 of the exact
 * one.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/dense.h"

#define MOST_ROWS     70
#define MOST_FEATURES 300
#define MOST_OUTPUTS  11

struct arrays {
    float x[MOST_ROWS * MOST_FEATURES], c[MOST_FEATURES], u[MOST_OUTPUTS * MOST_FEATURES], r[MOST_ROWS * MOST_OUTPUTS];
    double xd[MOST_ROWS * MOST_FEATURES], cd[MOST_FEATURES], ud[MOST_OUTPUTS * MOST_FEATURES],
        rd[MOST_ROWS * MOST_OUTPUTS];
};
static struct arrays a;

static float noise(uint64_t i)
{
    return (float)(2 * random_uniform((struct random_key){7, RANDOM_CHECK, 0}, i) - 1);
}

static void fill(void)
{
    size_t n = 0;
    for (size_t i = 0; i < MOST_ROWS * MOST_FEATURES; i++)
        a.xd[i] = a.x[i] = noise(n++);
    for (size_t i = 0; i < MOST_FEATURES; i++)
        a.cd[i] = a.c[i] = noise(n++);
    for (size_t i = 0; i < MOST_OUTPUTS * MOST_FEATURES; i++)
        a.ud[i] = a.u[i] = noise(n++);
    for (size_t i = 0; i < MOST_ROWS * MOST_OUTPUTS; i++)
        a.rd[i] = a.r[i] = noise(n++);
}

static const size_t feature_counts[] = {1,  2,  3,  5,  7,  8,   9,   15,  16,  17, 30,
                                        31, 33, 63, 64, 65, 100, 128, 129, 257, 300};
static const size_t row_counts[] = {1, 2, 3, 4, 5, 31, 32, 33, 70};
static const size_t output_counts[] = {1, 2, 3, 4, 5, 6, 10, 11};

static double worst; /* largest error over its bound */

static void compare(double found, double expected, double bound)
{
    double ratio = fabs(found - expected) / bound;
    worst = isnan(ratio) || ratio > worst ? ratio : worst;
}

static void check_f32(struct dense_kernels k, struct dense_f32 b, size_t outputs)
{
    static float z[MOST_ROWS * MOST_OUTPUTS], ze[MOST_ROWS * MOST_OUTPUTS];
    static double g[MOST_OUTPUTS * MOST_FEATURES], ge[MOST_OUTPUTS * MOST_FEATURES];
    struct dense_kernels reference = dense_reference();
    k.forward_f32(&b, a.u, outputs, z);
    reference.forward_f32(&b, a.u, outputs, ze);
    for (size_t i = 0; i < b.rows * outputs; i++)
        compare(z[i], ze[i], (double)(b.features + 4) * 0x1p-23);
    for (size_t i = 0; i < outputs * b.features; i++)
        g[i] = ge[i] = 0.5;
    k.backward_f32(&b, a.r, outputs, g);
    reference.backward_f32(&b, a.r, outputs, ge);
    for (size_t i = 0; i < outputs * b.features; i++)
        compare(g[i], ge[i], (double)(b.rows + 4) * 0x1p-23);
}

static void check_f64(struct dense_kernels k, struct dense_f64 b, size_t outputs)
{
    static double z[MOST_ROWS * MOST_OUTPUTS], ze[MOST_ROWS * MOST_OUTPUTS];
    static double g[MOST_OUTPUTS * MOST_FEATURES], ge[MOST_OUTPUTS * MOST_FEATURES];
    struct dense_kernels reference = dense_reference();
    k.forward_f64(&b, a.ud, outputs, z);
    reference.forward_f64(&b, a.ud, outputs, ze);
    for (size_t i = 0; i < b.rows * outputs; i++)
        compare(z[i], ze[i], (double)(b.features + 4) * 0x1p-52);
    memset(g, 0, sizeof g);
    memset(ge, 0, sizeof ge);
    k.backward_f64(&b, a.rd, outputs, g);
    reference.backward_f64(&b, a.rd, outputs, ge);
    for (size_t i = 0; i < outputs * b.features; i++)
        compare(g[i], ge[i], (double)(b.rows + 4) * 0x1p-52);
}

/* Between products and loss: pred and narrow have one right answer, sums of n terms of size <= 1 are within n * 2^-53
 * times the largest partial sum, n, of the exact one. */
static void check_ends(struct dense_kernels k, size_t rows, size_t outputs)
{
    static double p[MOST_ROWS * MOST_OUTPUTS], pe[MOST_ROWS * MOST_OUTPUTS];
    static float r[MOST_ROWS * MOST_OUTPUTS], re[MOST_ROWS * MOST_OUTPUTS];
    double s[MOST_OUTPUTS], se[MOST_OUTPUTS];
    struct dense_kernels reference = dense_reference();
    size_t n = rows * outputs;
    k.pred_f32(a.x, rows, outputs, a.cd, p);
    reference.pred_f32(a.x, rows, outputs, a.cd, pe);
    CU_ASSERT_EQUAL(memcmp(p, pe, n * sizeof *p), 0);
    k.pred_f64(a.xd, rows, outputs, a.cd, p);
    reference.pred_f64(a.xd, rows, outputs, a.cd, pe);
    CU_ASSERT_EQUAL(memcmp(p, pe, n * sizeof *p), 0);
    k.narrow(p, n, r);
    reference.narrow(p, n, re);
    CU_ASSERT_EQUAL(memcmp(r, re, n * sizeof *r), 0);
    for (size_t i = 0; i < outputs; i++)
        s[i] = se[i] = 0.5;
    k.add_columns(p, rows, outputs, s);
    reference.add_columns(p, rows, outputs, se);
    for (size_t i = 0; i < outputs; i++)
        compare(s[i], se[i], (double)(rows * rows + 1) * 0x1p-52);
}

#define EACH(i, list) for (size_t i = 0; i < sizeof list / sizeof *list; i++)

static void check_isa(enum cpu_isa isa)
{
    struct dense_kernels k = dense_kernels_for(isa);
    worst = 0;
    EACH(f, feature_counts) EACH(r, row_counts) EACH(o, output_counts)
    {
        size_t n = feature_counts[f];
        for (int centered = 0; centered < 2; centered++) {
            check_f32(k, (struct dense_f32){a.x, n, row_counts[r], n, centered ? a.c : NULL, NULL}, output_counts[o]);
            check_f64(k, (struct dense_f64){a.xd, n, row_counts[r], n, centered ? a.cd : NULL, a.xd}, output_counts[o]);
        }
    }
    EACH(r, row_counts) EACH(o, output_counts) check_ends(k, row_counts[r], output_counts[o]);
    printf("[%s: worst error %.2f of its bound] ", cpu_isa_name(isa), worst);
    CU_ASSERT(worst <= 1);
}

static void every_instruction_set_agrees_with_the_reference(void)
{
    fill();
    for (int isa = CPU_BASELINE; isa <= (int)cpu_isa(); isa++)
        check_isa((enum cpu_isa)isa);
}

static void a_row_has_the_same_bits_wherever_it_stands(void)
{
    fill();
    struct dense_kernels k = dense_kernels_for(cpu_isa());
    EACH(f, feature_counts) EACH(o, output_counts)
    {
        size_t n = feature_counts[f], outputs = output_counts[o];
        float all[MOST_ROWS * MOST_OUTPUTS], one[MOST_OUTPUTS];
        struct dense_f32 block = {a.x, n, MOST_ROWS, n, a.c, NULL};
        k.forward_f32(&block, a.u, outputs, all);
        for (size_t i = 0; i < MOST_ROWS; i++) {
            struct dense_f32 row = {a.x + i * n, n, 1, n, a.c, NULL};
            k.forward_f32(&row, a.u, outputs, one);
            CU_ASSERT_EQUAL(memcmp(one, all + i * outputs, outputs * sizeof *one), 0);
        }
    }
}

/* Rows may be further apart than they are wide, and start anywhere. */
static void strides_and_unaligned_rows_change_nothing(void)
{
    fill();
    struct dense_kernels k = dense_kernels_for(cpu_isa());
    static float spread[MOST_ROWS * (MOST_FEATURES + 3) + 1];
    size_t n = 37, stride = 43;
    for (size_t i = 0; i < 20; i++)
        memcpy(spread + 1 + i * stride, a.x + i * n, n * sizeof(float));
    float z1[20 * 3], z2[20 * 3];
    double g1[3 * 37] = {0}, g2[3 * 37] = {0};
    struct dense_f32 packed = {a.x, n, 20, n, a.c, NULL}, loose = {spread + 1, stride, 20, n, a.c, NULL};
    k.forward_f32(&packed, a.u, 3, z1);
    k.forward_f32(&loose, a.u, 3, z2);
    CU_ASSERT_EQUAL(memcmp(z1, z2, sizeof z1), 0);
    k.backward_f32(&packed, a.r, 3, g1);
    k.backward_f32(&loose, a.r, 3, g2);
    CU_ASSERT_EQUAL(memcmp(g1, g2, sizeof g1), 0);
}

/* ---- rows as they are stored ---- */

/* A finite half, by its definition in IEEE 754. */
static float half_value(uint16_t h)
{
    int exponent = h >> 10 & 31, fraction = h & 1023;
    float size = exponent ? ldexpf((float)(1024 + fraction), exponent - 25) : ldexpf((float)fraction, -24);
    return h & 0x8000 ? -size : size;
}

/* [MOST_ROWS x MOST_FEATURES] in every type, and the same numbers as floats. */
static struct {
    uint8_t u8[MOST_ROWS * MOST_FEATURES];
    int16_t i16[MOST_ROWS * MOST_FEATURES];
    uint16_t f16[MOST_ROWS * MOST_FEATURES];
    float as_float[DENSE_STORED][MOST_ROWS * MOST_FEATURES];
} stored;

static void fill_stored(void)
{
    for (size_t i = 0; i < MOST_ROWS * MOST_FEATURES; i++) {
        uint64_t bits = random_below((struct random_key){9, RANDOM_CHECK, 0}, i, (uint64_t)1 << 40);
        stored.u8[i] = (uint8_t)bits;
        stored.i16[i] = (int16_t)(bits >> 8);
        stored.f16[i] = (uint16_t)(bits >> 24);
        if ((stored.f16[i] & 0x7c00) == 0x7c00) /* infinite or no number */
            stored.f16[i] ^= 0x4000;
        stored.as_float[DENSE_U8][i] = stored.u8[i];
        stored.as_float[DENSE_I16][i] = stored.i16[i];
        stored.as_float[DENSE_F16][i] = half_value(stored.f16[i]);
    }
}

static void check_stored(const struct dense_kernels *k, enum dense_stored type, struct dense_f32 block, size_t outputs)
{
    const void *const rows[DENSE_STORED] = {NULL, stored.u8, stored.i16, stored.f16};
    static float z[2][MOST_ROWS * MOST_OUTPUTS];
    static double g[2][MOST_OUTPUTS * MOST_FEATURES];
    memset(g, 0, sizeof g);
    block.x = stored.as_float[type];
    k->forward_f32(&block, a.u, outputs, z[0]);
    k->backward_f32(&block, a.r, outputs, g[0]);
    block.x = block.next = rows[type];
    k->forward_stored[type](&block, a.u, outputs, z[1]);
    k->backward_stored[type](&block, a.r, outputs, g[1]);
    CU_ASSERT_EQUAL(memcmp(z[0], z[1], block.rows * outputs * sizeof(float)), 0);
    CU_ASSERT_EQUAL(memcmp(g[0], g[1], sizeof g[0]), 0);
}

/* Expected: the kernels for floats, on numbers that C and IEEE 754 convert. */
static void rows_as_they_are_stored_give_the_bits_of_converted_rows(void)
{
    fill();
    fill_stored();
    for (int isa = CPU_BASELINE; isa <= (int)cpu_isa(); isa++) {
        struct dense_kernels k = dense_kernels_for((enum cpu_isa)isa);
        CU_ASSERT(k.forward_stored[DENSE_REAL] == k.forward_f32 && k.backward_stored[DENSE_REAL] == k.backward_f32);
        EACH(f, feature_counts) EACH(r, row_counts) EACH(o, output_counts)
        {
            size_t n = feature_counts[f];
            struct dense_f32 block = {NULL, n, row_counts[r], n, o % 2 ? a.c : NULL, NULL};
            for (int type = DENSE_U8; n >= DENSE_STORED_LEAST && type < DENSE_STORED; type++)
                if (k.forward_stored[type])
                    check_stored(&k, (enum dense_stored)type, block, output_counts[o]);
        }
    }
}

TEST_MAIN("dense", TEST(rows_as_they_are_stored_give_the_bits_of_converted_rows),
          TEST(every_instruction_set_agrees_with_the_reference), TEST(a_row_has_the_same_bits_wherever_it_stands),
          TEST(strides_and_unaligned_rows_change_nothing))

/*
 * The panel products of every instruction set this machine has, against plain triple loops in double, and their
 * promise: a row has the same bits whichever rows stand beside it.
 *
 * Tolerance: a sum of n terms of size <= 1 in a precision of unit roundoff u is within (n + 1)^2 * u of the exact one;
 * a term too few or too many is far above.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/panel.h"

enum { MOST = 600 };

static double noise(uint64_t i)
{
    return 2 * random_uniform((struct random_key){7, RANDOM_CHECK, 0}, i) - 1;
}

/* A matrix of a precision, in panels. */
struct matrix {
    bool single;
    size_t rows, columns, wide;
    void *at;
};

static struct matrix make(bool single, size_t rows, size_t columns, uint64_t seed)
{
    size_t wide = single ? PANEL_F32 : PANEL_F64, panels = (columns + wide - 1) / wide;
    struct matrix m = {single, rows, columns, wide, NULL};
    size_t bytes = (panels ? panels : 1) * (rows ? rows : 1) * PANEL_BYTES;
    CU_ASSERT_EQUAL_FATAL(posix_memalign(&m.at, PANEL_BYTES, bytes), 0);
    memset(m.at, 0, bytes);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            size_t place = (j / wide * rows + i) * wide + j % wide;
            double value = seed ? noise(seed * 1000000 + i * columns + j) : 0;
            if (single)
                ((float *)m.at)[place] = (float)value;
            else
                ((double *)m.at)[place] = value;
        }
    return m;
}

static double get(const struct matrix *m, size_t i, size_t j)
{
    size_t place = (j / m->wide * m->rows + i) * m->wide + j % m->wide;
    return m->single ? (double)((const float *)m->at)[place] : ((const double *)m->at)[place];
}

static double worst(double found, double expected, bool single, size_t terms, double so_far)
{
    double unit = single ? 0x1p-24 : 0x1p-53, n = (double)terms + 1, error = fabs(found - expected) / (unit * n * n);
    return isnan(error) || error > so_far ? error : so_far;
}

/* c = start + a b for two panels of b. */
static void rows_are(const struct panel_kernels *k, bool single, size_t rows, size_t n)
{
    struct matrix a = make(single, rows, n, 1);
    size_t k_panels = (n + a.wide - 1) / a.wide, columns = 2 * a.wide;
    struct matrix b = make(single, k_panels * a.wide, columns, 2), start = make(single, 1, columns, 3);
    struct matrix c = make(single, rows, columns, 0);
    struct panel_rows p = {.a = a.at,
                           .a_stride = rows * a.wide,
                           .rows = rows,
                           .k_panels = k_panels,
                           .panels = 2,
                           .b = b.at,
                           .start = start.at,
                           .c = c.at,
                           .c_stride = rows * a.wide};
    (single ? k->rows_f32 : k->rows_f64)(&p);
    double most = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double sum = get(&start, 0, j);
            for (size_t l = 0; l < n; l++)
                sum += get(&a, i, l) * get(&b, l, j);
            most = worst(get(&c, i, j), sum, single, n, most);
        }
    CU_ASSERT(most < 1);
    for (size_t i = 0; i < rows; i++) { /* alone, a row has the same bits */
        char alone[2 * PANEL_BYTES] __attribute__((aligned(PANEL_BYTES)));
        p.rows = 1;
        p.a = (const char *)a.at + i * PANEL_BYTES;
        p.c = alone;
        p.c_stride = a.wide;
        (single ? k->rows_f32 : k->rows_f64)(&p);
        for (size_t panel = 0; panel < 2; panel++)
            CU_ASSERT(memcmp(alone + panel * PANEL_BYTES, (const char *)c.at + (panel * rows + i) * PANEL_BYTES,
                             PANEL_BYTES) == 0);
    }
    free(a.at);
    free(b.at);
    free(c.at);
    free(start.at);
}

/* c = a' b, for one panel of a and three of b; twice, the second time added. */
static void columns_are(const struct panel_kernels *k, bool single, size_t rows)
{
    struct matrix a = make(single, rows, single ? PANEL_F32 : PANEL_F64, 4), b = make(single, rows, 3 * a.wide - 1, 5);
    struct matrix c = make(single, 3 * a.wide * a.wide, a.wide, 0);
    struct panel_columns p = {.a = a.at,
                              .b = b.at,
                              .b_stride = rows * a.wide,
                              .rows = rows,
                              .b_panels = 3,
                              .c = c.at,
                              .c_stride = 3 * a.wide};
    double most = 0;
    for (int twice = 0; twice < 2; twice++) {
        p.add = twice;
        (single ? k->columns_f32 : k->columns_f64)(&p);
        for (size_t u = 0; u < a.wide; u++)
            for (size_t j = 0; j < b.columns; j++) {
                double sum = 0;
                for (size_t i = 0; i < rows; i++)
                    sum += get(&a, i, u) * get(&b, i, j) * (1 + twice);
                size_t place = u * p.c_stride + j;
                double found = single ? (double)((const float *)c.at)[place] : ((const double *)c.at)[place];
                most = worst(found, sum, single, 2 * rows, most);
            }
    }
    CU_ASSERT(most < 1);
    free(a.at);
    free(b.at);
    free(c.at);
}

static void products_agree_with_plain_loops(void)
{
    static const size_t rows[] = {1, 2, 3, 5, 6, 7, 11, 12, 13, 24, 64}, terms[] = {1, 15, 16, 17, 256, 257, MOST};
    for (int isa = CPU_BASELINE; isa <= (int)cpu_isa(); isa++) {
        struct panel_kernels k = panel_kernels_for((enum cpu_isa)isa);
        for (int single = 0; single < 2; single++) {
            for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                for (size_t j = 0; j < sizeof terms / sizeof *terms; j++)
                    rows_are(&k, single, rows[i], terms[j]);
            for (size_t j = 0; j < sizeof terms / sizeof *terms; j++)
                columns_are(&k, single, terms[j]);
        }
    }
}

/* Rounded once, every number is where it belongs: exactly. */
static void turned_rows_are(const struct panel_kernels *k, bool single, size_t rows, size_t columns)
{
    enum { STRIDE = 45 };
    size_t wide = single ? PANEL_F32 : PANEL_F64;
    double a[PANEL_F32 * STRIDE];
    struct matrix c = make(single, columns, wide, 6); /* what stood there goes */
    for (size_t i = 0; i < PANEL_F32 * STRIDE; i++)
        a[i] = noise(7000000 + i);
    const struct panel_turn p = {.a = a, .a_stride = STRIDE, .rows = rows, .columns = columns, .c = c.at};
    (single ? k->turn_f32 : k->turn_f64)(&p);
    for (size_t j = 0; j < columns; j++)
        for (size_t u = 0; u < wide; u++) {
            double value = u < rows ? a[u * STRIDE + j] : 0;
            CU_ASSERT(get(&c, j, u) == (single ? (double)(float)value : value));
        }
    free(c.at);
}

static void turned_rows_are_the_same_numbers(void)
{
    static const size_t columns[] = {1, 7, 8, 9, 16, 45};
    for (int isa = CPU_BASELINE; isa <= (int)cpu_isa(); isa++) {
        struct panel_kernels k = panel_kernels_for((enum cpu_isa)isa);
        for (size_t j = 0; j < sizeof columns / sizeof *columns; j++) {
            for (size_t rows = 1; rows <= PANEL_F32; rows++)
                turned_rows_are(&k, true, rows, columns[j]);
            for (size_t rows = 1; rows <= PANEL_F64; rows++)
                turned_rows_are(&k, false, rows, columns[j]);
        }
    }
}

TEST_MAIN("panel", TEST(products_agree_with_plain_loops), TEST(turned_rows_are_the_same_numbers))

/* The Gram kernels of every instruction set this machine has, against the definition, summed in long double. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/gram.h"

#define MOST_ROWS    67
#define MOST_COLUMNS 131
#define MOST_STRIDE  192

static double xd[MOST_ROWS * MOST_STRIDE], wd[MOST_ROWS], workd[MOST_ROWS * GRAM_COLUMNS];
static float xf[MOST_ROWS * MOST_STRIDE], wf[MOST_ROWS], workf[MOST_ROWS * GRAM_COLUMNS];
static double sums[(MOST_COLUMNS + GRAM_TILE) * MOST_STRIDE];

static void fill(size_t rows, size_t columns)
{
    const struct random_key key = {3, RANDOM_CHECK, (uint32_t)columns};
    size_t stride = gram_stride(columns);
    CU_ASSERT_FATAL(stride <= MOST_STRIDE);
    memset(xd, 0, sizeof xd);
    memset(xf, 0, sizeof xf);
    for (size_t i = 0; i < rows; i++) {
        wd[i] = wf[i] = (float)random_uniform(key, i) - 0.2f; /* Hessians of losses that are not convex */
        for (size_t j = 0; j < columns; j++)
            xd[i * stride + j] = xf[i * stride + j] = (float)random_normal(key, 1000 + i * columns + j);
    }
}

/* Float sums of n terms are within n * 2^-24 of the exact one, relative to the sum of sizes. */
static void check(const struct gram_panel *p, double rounding)
{
    double worst = 0;
    for (size_t i = 0; i < p->columns; i++)
        for (size_t j = i; j < p->columns; j++) {
            long double sum = 1, size = 1; /* the sums start at 1: they are added into */
            for (size_t r = 0; r < p->rows; r++) {
                long double term = (long double)wd[r] * xd[r * p->stride + i] * xd[r * p->stride + j];
                sum += term;
                size += fabsl(term);
            }
            worst = fmax(worst, fabs((double)(sums[i * p->stride + j] - sum) / (double)size));
        }
    CU_ASSERT(worst <= rounding);
}

static void sums_are_those_of_the_definition(void)
{
    const size_t row_counts[] = {1, 2, 5, 64, 67}, column_counts[] = {1, 2, 5, 6, 7, 16, 17, 31, 32, 33, 64, 101, 131};
    for (enum cpu_isa isa = CPU_BASELINE; isa <= cpu_isa(); isa++)
        for (size_t a = 0; a < sizeof row_counts / sizeof *row_counts; a++)
            for (size_t b = 0; b < sizeof column_counts / sizeof *column_counts; b++) {
                size_t rows = row_counts[a], columns = column_counts[b], stride = gram_stride(columns);
                fill(rows, columns);
                struct gram_panel f = {xf, wf, workf, rows, columns, stride},
                                  d = {xd, wd, workd, rows, columns, stride};
                for (int precision = 0; precision < 2; precision++) {
                    for (size_t i = 0; i < gram_sums(columns); i++)
                        sums[i] = 1;
                    struct gram_kernels k = gram_kernels_for(isa);
                    (precision ? k.add_f64 : k.add_f32)(precision ? &d : &f, sums);
                    check(&d, precision ? 1e-14 : 70 * 0x1p-24);
                }
            }
}

TEST_MAIN("gram", TEST(sums_are_those_of_the_definition))

/*
 * Networks on sparse rows: predictions of the dense network, gradients against central differences in float64, both
 * ways of making them (by lanes, and column by column); kernels of every instruction set against plain sums.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "model/numbers.h"
#include "model/sparse_panel.h"

enum { ROWS = 70, FEATURES = 40, OUTPUTS = 2, MOST_UNITS = 140 };

static struct {
    struct model m;
    double scale[FEATURES], *params, *gradient, *lane;
    void *weights, *scratch;
    double x[ROWS * FEATURES], pred[ROWS * OUTPUTS], slope[ROWS * OUTPUTS]; /* x: dense, value: of the sparse rows */
    double value[ROWS * FEATURES];
    float single[ROWS * FEATURES];
    uint32_t index[ROWS * FEATURES], count[ROWS];
    uint64_t first[ROWS];
} s;

static struct model_block block_of(bool sparse, bool single)
{
    if (!sparse)
        return (struct model_block){.x = s.x, .stride = FEATURES, .rows = ROWS};
    return (struct model_block){.x = single ? (void *)s.single : (void *)s.value,
                                .rows = ROWS,
                                .index = s.index,
                                .first = s.first,
                                .count = s.count};
}

/* One cell in five; column 3 is in all rows, column 5 in none, each 9th row has column 3 alone. */
static void make_rows(void)
{
    size_t entries = 0;
    for (size_t i = 0; i < ROWS; i++) {
        s.first[i] = entries;
        for (size_t j = 0; j < FEATURES; j++) {
            bool there = j == 3 || (j != 5 && i % 9 != 4 && noise(i * FEATURES + j) > 0.8);
            s.x[i * FEATURES + j] = there ? (double)(float)noise(9000 + i * FEATURES + j) : 0;
            if (!there)
                continue;
            s.single[entries] = (float)(s.value[entries] = s.x[i * FEATURES + j]);
            s.index[entries++] = (uint32_t)j;
        }
        s.count[i] = (uint32_t)(entries - s.first[i]);
    }
    for (size_t i = 0; i < ROWS * OUTPUTS; i++)
        s.slope[i] = noise(70000 + i);
}

static void set_up(bool sparse, size_t units, enum model_precision precision)
{
    struct gm_error err;
    struct model_spec spec = {.type = MODEL_MLP,
                              .features = FEATURES,
                              .outputs = OUTPUTS,
                              .intercept = true,
                              .precision = precision,
                              .sparse = sparse,
                              .hidden = {units, 7},
                              .n_hidden = 2,
                              .activation = ACTIVATION_TANH,
                              .seed = 8};
    for (size_t j = 0; j < FEATURES; j++)
        s.scale[j] = 1 + 0.5 * fabs(noise(2000 + j));
    CU_ASSERT_EQUAL_FATAL(model_init(&s.m, &spec, NULL, s.scale, &err), GM_OK);
    s.params = room(s.m.n_params * sizeof(double));
    s.gradient = room(s.m.n_params * sizeof(double));
    s.lane = room(s.m.n_params * sizeof(double));
    s.weights = room(s.m.ops->weights_bytes(&s.m));
    s.scratch = room(s.m.ops->scratch_bytes(&s.m, ROWS));
    s.m.ops->start(&s.m, (const double[]){0.5, -0.25}, s.params);
}

static void tear_down(void)
{
    memory_free(s.params);
    memory_free(s.gradient);
    memory_free(s.lane);
    memory_free(s.weights);
    memory_free(s.scratch);
    model_release(&s.m);
}

/* sum of slope * output: what backward differentiates. */
static double forward(void)
{
    const struct model_block block = block_of(s.m.spec.sparse, s.m.spec.precision == MODEL_F32);
    double sum = 0;
    s.m.ops->prepare(&s.m, s.params, s.weights);
    s.m.ops->forward(&s.m, s.weights, &block, s.scratch, s.pred);
    for (size_t i = 0; i < ROWS * OUTPUTS; i++)
        sum += s.slope[i] * s.pred[i];
    return sum;
}

static void start_values_and_predictions_are_those_of_dense_rows(void)
{
    static const size_t units[] = {1, 5, 16, 33, MOST_UNITS};
    static double expected[ROWS * OUTPUTS], start[FEATURES * MOST_UNITS];
    make_rows();
    for (size_t n = 0; n < sizeof units / sizeof *units; n++) {
        set_up(false, units[n], MODEL_F64);
        memcpy(start, s.params, FEATURES * units[n] * sizeof *start);
        forward();
        memcpy(expected, s.pred, sizeof expected);
        tear_down();
        for (int single = 0; single < 2; single++) {
            set_up(true, units[n], single ? MODEL_F32 : MODEL_F64);
            for (size_t j = 0; j < FEATURES; j++)
                for (size_t u = 0; u < units[n]; u++)
                    CU_ASSERT_EQUAL(s.params[j * units[n] + u], start[u * FEATURES + j]);
            forward();
            for (size_t i = 0; i < ROWS * OUTPUTS; i++)
                ASSERT_CLOSE(s.pred[i], expected[i], single ? 2e-5 : 1e-12);
            tear_down();
        }
    }
}

/* The gradient by lanes, on the optimiser's scale, into s.gradient. */
static void by_lanes(void)
{
    const struct model_block block = block_of(true, s.m.spec.precision == MODEL_F32);
    forward();
    memset(s.lane, 0, s.m.n_params * sizeof *s.lane);
    s.m.ops->backward(&s.m, s.weights, &block, s.scratch, s.slope, s.lane);
    s.m.ops->finish(&s.m, s.lane, 1, 0, s.m.n_params, s.gradient);
}

static void gradients_agree_with_central_differences(void)
{
    static const size_t units[] = {5, 33};
    for (size_t n = 0; n < sizeof units / sizeof *units; n++) {
        set_up(true, units[n], MODEL_F64);
        by_lanes();
        for (size_t i = 0; i < s.m.n_params; i += 3) {
            double kept = s.params[i], h = 1e-5;
            s.params[i] = kept + h;
            double up = forward();
            s.params[i] = kept - h;
            double down = forward();
            s.params[i] = kept;
            ASSERT_CLOSE(s.gradient[i], (up - down) / (2 * h), 1e-7);
        }
        for (size_t u = 0; u < units[n]; u++)
            CU_ASSERT_EQUAL(s.gradient[5 * units[n] + u], 0); /* never seen */
        tear_down();
    }
}

/* The entries of a column, by a plain search. */
static struct model_column column_of(size_t j, uint32_t *row, double *value, float *single)
{
    struct model_column c = {
        .column = j, .row = row, .value = s.m.spec.precision == MODEL_F32 ? (void *)single : (void *)value};
    for (size_t i = 0; i < ROWS; i++)
        for (size_t e = s.first[i]; e < s.first[i] + s.count[i]; e++)
            if (s.index[e] == j) {
                row[c.count] = (uint32_t)i;
                value[c.count] = s.value[e];
                single[c.count++] = s.single[e];
            }
    return c;
}

/* Against the lanes, which the differences have vouched for; tiles have all other parameters, once. */
static void columns_and_tiles_are_all_of_the_gradient(void)
{
    static const size_t units[] = {1, 16, 33, MOST_UNITS};
    static uint32_t row[ROWS];
    static double value[ROWS];
    static float single[ROWS];
    for (size_t n = 0; n < 2 * sizeof units / sizeof *units; n++) {
        set_up(true, units[n / 2], n % 2 ? MODEL_F32 : MODEL_F64);
        const struct model_tape_ops *ops = s.m.ops->tape;
        const struct model_block block = block_of(true, n % 2);
        size_t k = units[n / 2], seen = 0;
        double tolerance = n % 2 ? 3e-5 : 1e-12;
        struct model_tape tape = {.memory = room(ops->bytes(&s.m, ROWS + 3)), .capacity = ROWS + 3, .rows = ROWS};
        void *scratch = room(ops->tile_bytes(&s.m)), *sums = room((MOST_UNITS + 16) * sizeof(double));
        by_lanes();
        CU_ASSERT_EQUAL(ops->column_units(&s.m), k);
        ops->forward(&s.m, s.weights, &tape, &block, s.pred);
        ops->backward(&s.m, s.weights, &tape, s.slope);
        for (size_t j = 0; j < FEATURES; j++) {
            const struct model_column column = column_of(j, row, value, single);
            ops->column_gradient(&s.m, &tape, &column, sums);
            for (size_t u = 0; u < k; u++, seen++)
                ASSERT_CLOSE((n % 2 ? (double)((float *)sums)[u] : ((double *)sums)[u]) / s.scale[j],
                             s.gradient[j * k + u], tolerance);
        }
        for (size_t tile = 0; tile < ops->tiles(&s.m); tile++) {
            struct model_run run;
            ops->gradient(&s.m, &tape, tile, scratch);
            for (size_t r = 0; ops->run(&s.m, tile, r, scratch, &run); r++)
                for (size_t i = run.first; i < run.end; i++, seen++) {
                    CU_ASSERT(i >= FEATURES * k);
                    ASSERT_CLOSE(n % 2 ? (double)((const float *)run.gradient)[i - run.first]
                                       : ((const double *)run.gradient)[i - run.first],
                                 s.gradient[i], tolerance);
                }
        }
        CU_ASSERT_EQUAL(seen, s.m.n_params);
        memory_free(tape.memory);
        memory_free(scratch);
        memory_free(sums);
        tear_down();
    }
}

/* Changed parameters of one column reach its weights, and no others. */
static void weights_of_a_column_are_refreshed(void)
{
    set_up(true, 33, MODEL_F32);
    size_t bytes = s.m.ops->weights_bytes(&s.m);
    void *expected = room(bytes);
    s.m.ops->prepare(&s.m, s.params, s.weights);
    for (size_t u = 0; u < 33; u++)
        s.params[12 * 33 + u] += 1;
    s.m.ops->prepare(&s.m, s.params, expected);
    CU_ASSERT(memcmp(expected, s.weights, bytes) != 0);
    s.m.ops->refresh(&s.m, s.params, (const uint32_t[]){12}, 1, s.weights);
    CU_ASSERT_EQUAL(memcmp(expected, s.weights, bytes), 0);
    memory_free(expected);
    tear_down();
}

/* ---- kernels: within (terms + 1)^2 roundings of a plain sum in double ---- */

static void kernels_of_every_instruction_set_agree(void)
{
    enum { PANELS = 7, WIDE = PANELS * PANEL_F32 };
    float *u = room(FEATURES * WIDE * sizeof *u), *start = room(WIDE * sizeof *start);
    float *c = room(ROWS * WIDE * sizeof *c), sums[WIDE] __attribute__((aligned(PANEL_BYTES)));
    double tolerance = 42 * 42 * 0x1p-24;
    static uint32_t row[ROWS];
    static double value[ROWS];
    static float single[ROWS];
    s.m.spec.precision = MODEL_F32;
    const struct model_column column = column_of(3, row, value, single);
    for (size_t i = 0; i < (size_t)FEATURES * WIDE; i++)
        u[i] = (float)noise(40000 + i);
    for (size_t k = 0; k < WIDE; k++)
        start[k] = (float)noise(90000 + k);
    for (int isa = CPU_BASELINE; isa <= (int)cpu_isa(); isa++) {
        struct sparse_panel_kernels kernels = sparse_panel_kernels_for((enum cpu_isa)isa);
        for (size_t panels = 1; panels <= PANELS; panels++) {
            const struct sparse_rows rows = {
                .value = s.single, .index = s.index, .first = s.first, .count = s.count, .rows = ROWS};
            kernels.rows_f32(&(struct sparse_panel_rows){rows, u, panels, start, c, ROWS * PANEL_F32});
            for (size_t i = 0; i < ROWS; i += 3)
                for (size_t k = 0; k < panels * PANEL_F32; k += 5) {
                    double sum = (double)start[k];
                    for (size_t e = s.first[i]; e < s.first[i] + s.count[i]; e++)
                        sum += s.value[e] * (double)u[s.index[e] * panels * PANEL_F32 + k];
                    ASSERT_CLOSE((double)c[(k / PANEL_F32 * ROWS + i) * PANEL_F32 + k % PANEL_F32], sum, tolerance);
                }
            kernels.column_f32(&(struct sparse_panel_column){column.row, column.value, column.count, c,
                                                             ROWS * PANEL_F32, panels, sums});
            for (size_t k = 0; k < panels * PANEL_F32; k++) {
                double sum = 0;
                for (size_t e = 0; e < column.count; e++)
                    sum += value[e] * (double)c[(k / PANEL_F32 * ROWS + row[e]) * PANEL_F32 + k % PANEL_F32];
                ASSERT_CLOSE((double)sums[k], sum, 5 * tolerance);
            }
        }
    }
    memory_free(u);
    memory_free(start);
    memory_free(c);
}

TEST_MAIN("mlp on sparse rows", TEST(start_values_and_predictions_are_those_of_dense_rows),
          TEST(gradients_agree_with_central_differences), TEST(columns_and_tiles_are_all_of_the_gradient),
          TEST(weights_of_a_column_are_refreshed), TEST(kernels_of_every_instruction_set_agree))

/* Two towers: gradients against central differences in float64, by tape and by lanes, and float32 against float64. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "base/memory.h"
#include "base/random.h"
#include "model/model.h"
#include "model/numbers.h"

enum { ROWS = 70, FEATURES = 21, FIRST = 14, OUTPUTS_MOST = 12, PARAMS_MOST = 2000 };

struct setup {
    struct model model;
    double *params, *lane, *tiles;
    void *weights, *scratch, *tile;
    struct model_tape tape;
    double x[ROWS * FEATURES], pred[ROWS * OUTPUTS_MOST], slope[ROWS * OUTPUTS_MOST];
    float x_single[ROWS * FEATURES];
};
static struct setup s;

static struct model_spec spec_of(enum model_fuse fuse, size_t layers)
{
    return (struct model_spec){.type = MODEL_TWO_TOWER,
                               .features = FEATURES,
                               .first_features = FIRST,
                               .outputs = fuse == MODEL_FUSE_PAIR  ? 2 * 5
                                          : fuse == MODEL_FUSE_DOT ? 1
                                                                   : 3,
                               .intercept = true,
                               .precision = MODEL_F64,
                               .hidden = {9, 18},
                               .n_hidden = layers,
                               .hidden_second = {17},
                               .n_hidden_second = layers > 1,
                               .embedding = 5,
                               .fuse = fuse,
                               .activation = ACTIVATION_TANH,
                               .seed = 4};
}

static void set_up(const struct model_spec *spec)
{
    double center[FEATURES], scale[FEATURES];
    struct gm_error err;
    for (size_t j = 0; j < FEATURES; j++) {
        center[j] = noise(900 + j) / 10;
        scale[j] = 1 + 0.5 * fabs(noise(2000 + j));
    }
    CU_ASSERT_EQUAL_FATAL(model_init(&s.model, spec, center, scale, &err), GM_OK);
    const struct model_ops *ops = s.model.ops;
    size_t n = s.model.n_params;
    CU_ASSERT_FATAL(n <= PARAMS_MOST);
    s.params = room(n * sizeof(double));
    s.lane = room(n * sizeof(double));
    s.tiles = room(n * sizeof(double));
    s.weights = room(ops->weights_bytes(&s.model));
    s.scratch = room(ops->scratch_bytes(&s.model, ROWS));
    s.tile = room(ops->tape->tile_bytes(&s.model));
    size_t bytes = ops->tape->bytes(&s.model, ROWS + 3);
    s.tape = (struct model_tape){.memory = room(bytes), .capacity = ROWS + 3, .rows = ROWS, .seed = 5, .step = 2};
    memset(s.tape.memory, 0xFF, bytes); /* NaN: need not be cleared */
    ops->start(&s.model, (const double[OUTPUTS_MOST]){0.25}, s.params);
    for (size_t i = 0; i < n; i++)
        s.params[i] += 0.1 * noise(i); /* biases too */
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        s.x_single[i] = (float)(s.x[i] = noise(5000 + i));
    for (size_t i = 0; i < ROWS * spec->outputs; i++)
        s.slope[i] = noise(70000 + i);
}

static void tear_down(void)
{
    void *const all[] = {s.params, s.lane, s.tiles, s.weights, s.scratch, s.tile, s.tape.memory};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        memory_free(all[i]);
    model_release(&s.model);
}

static struct model_block block(void)
{
    bool single = s.model.spec.precision == MODEL_F32;
    return (struct model_block){
        .x = single ? (const void *)s.x_single : (const void *)s.x, .stride = FEATURES, .rows = ROWS};
}

static double sum_of_outputs(void)
{
    double sum = 0;
    for (size_t i = 0; i < ROWS * s.model.spec.outputs; i++)
        sum += s.slope[i] * s.pred[i];
    return sum;
}

/* sum of slope * output, by the tape: what backward differentiates. */
static double by_tape(void)
{
    struct model_block rows = block();
    s.model.ops->prepare(&s.model, s.params, s.weights);
    s.model.ops->tape->forward(&s.model, s.weights, &s.tape, &rows, s.pred);
    return sum_of_outputs();
}

/* Every tile's runs into s.tiles; each parameter is seen once. */
static void collect(void)
{
    const struct model_tape_ops *ops = s.model.ops->tape;
    size_t seen = 0;
    for (size_t i = 0; i < s.model.n_params; i++)
        s.tiles[i] = NAN;
    ops->backward(&s.model, s.weights, &s.tape, s.slope);
    for (size_t tile = 0; tile < ops->tiles(&s.model); tile++) {
        struct model_run run;
        ops->gradient(&s.model, &s.tape, tile, s.tile);
        for (size_t r = 0; ops->run(&s.model, tile, r, s.tile, &run); r++)
            for (size_t i = run.first; i < run.end; i++, seen++) {
                CU_ASSERT(isnan(s.tiles[i]));
                s.tiles[i] = s.model.spec.precision == MODEL_F32 ? (double)((const float *)run.gradient)[i - run.first]
                                                                 : ((const double *)run.gradient)[i - run.first];
            }
    }
    CU_ASSERT_EQUAL(seen, s.model.n_params);
}

static void gradient_agrees(const struct model_spec *spec)
{
    double worst = 0, size = 0;
    set_up(spec);
    s.tape.training = spec->dropout > 0;
    double value = by_tape();
    collect();
    if (!s.tape.training) { /* by lanes: the same numbers in another order */
        struct model_block rows = block();
        s.model.ops->forward(&s.model, s.weights, &rows, s.scratch, s.pred);
        ASSERT_CLOSE(sum_of_outputs(), value, 1e-12);
        s.model.ops->backward(&s.model, s.weights, &rows, s.scratch, s.slope, s.lane);
    }
    for (size_t i = 0; i < s.model.n_params; i++)
        size = fmax(size, fabs(s.tiles[i]));
    for (size_t i = 0; i < s.model.n_params; i++) {
        double kept = s.params[i], h = 1e-5;
        if (!s.tape.training)
            CU_ASSERT(fabs(s.lane[i] - s.tiles[i]) <= 1e-12 * size);
        s.params[i] = kept + h;
        double up = by_tape();
        s.params[i] = kept - h;
        double down = by_tape();
        s.params[i] = kept;
        worst = fmax(worst, fabs((up - down) / (2 * h) - s.tiles[i]));
    }
    CU_ASSERT(worst < 1e-6 * fmax(1, size));
    tear_down();
}

static void gradients_agree_with_central_differences(void)
{
    for (int fuse = MODEL_FUSE_PAIR; fuse <= MODEL_FUSE_CONCAT; fuse++)
        for (size_t layers = 0; layers < 3; layers++)
            for (int intercept = 0; intercept < 2; intercept++) {
                struct model_spec spec = spec_of((enum model_fuse)fuse, layers);
                spec.intercept = intercept;
                gradient_agrees(&spec);
            }
}

static void dropped_units_have_no_slope(void)
{
    for (int fuse = MODEL_FUSE_PAIR; fuse <= MODEL_FUSE_CONCAT; fuse++) {
        struct model_spec spec = spec_of((enum model_fuse)fuse, 2);
        spec.dropout = 0.4;
        gradient_agrees(&spec);
    }
}

/* The towers draw their own units, also where both are of one shape. */
static void towers_do_not_share_their_random_numbers(void)
{
    struct model_spec spec = spec_of(MODEL_FUSE_PAIR, 1);
    spec.features = 2 * (spec.first_features = 10);
    spec.n_hidden_second = 1;
    spec.hidden_second[0] = spec.hidden[0];
    set_up(&spec);
    s.model.ops->start(&s.model, (const double[OUTPUTS_MOST]){0}, s.params);
    CU_ASSERT(memcmp(s.params, s.params + s.model.n_params / 2, 90 * sizeof(double)) != 0);
    tear_down();
}

/* float32 against float64, whose gradients the differences have vouched for. */
static void single_precision_agrees_with_double(void)
{
    static double expected[PARAMS_MOST], pred[ROWS * OUTPUTS_MOST];
    for (int fuse = MODEL_FUSE_PAIR; fuse <= MODEL_FUSE_CONCAT; fuse++)
        for (int single = 0; single < 2; single++) {
            struct model_spec spec = spec_of((enum model_fuse)fuse, 2);
            double size = 0;
            spec.precision = single ? MODEL_F32 : MODEL_F64;
            set_up(&spec);
            by_tape();
            collect();
            for (size_t i = 0; i < s.model.n_params; i++)
                size = fmax(size, fabs(s.tiles[i]));
            for (size_t i = 0; i < s.model.n_params; i++)
                CU_ASSERT(!single || fabs(s.tiles[i] - expected[i]) < 2e-6 * size);
            for (size_t i = 0; i < ROWS * spec.outputs; i++)
                CU_ASSERT(!single || fabs(s.pred[i] - pred[i]) < 1e-5);
            memcpy(expected, s.tiles, s.model.n_params * sizeof(double));
            memcpy(pred, s.pred, sizeof pred);
            tear_down();
        }
}

/* A row's outputs and slopes do not mind which range of the tape it is made in. */
static void ranges_of_rows_are_as_the_whole(void)
{
    static double pred[ROWS * OUTPUTS_MOST], gradient[PARAMS_MOST];
    for (int fuse = MODEL_FUSE_PAIR; fuse <= MODEL_FUSE_CONCAT; fuse++) {
        struct model_spec spec = spec_of((enum model_fuse)fuse, 2);
        set_up(&spec);
        by_tape();
        collect();
        memcpy(pred, s.pred, sizeof pred);
        memcpy(gradient, s.tiles, s.model.n_params * sizeof(double));
        const struct model_tape_ops *ops = s.model.ops->tape;
        for (size_t first = 0; first < ROWS; first += 16) {
            struct model_tape part = s.tape;
            part.first = first;
            part.rows = ROWS - first < 16 ? ROWS - first : 16;
            struct model_block rows = block();
            rows.x = s.x + first * FEATURES;
            rows.rows = part.rows;
            ops->forward(&s.model, s.weights, &part, &rows, s.pred + first * spec.outputs);
            ops->backward(&s.model, s.weights, &part, s.slope + first * spec.outputs);
        }
        CU_ASSERT_EQUAL(memcmp(s.pred, pred, ROWS * spec.outputs * sizeof *pred), 0);
        struct model_tape whole = s.tape;
        memset(s.lane, 0, s.model.n_params * sizeof *s.lane);
        model_tape_add(&s.model, &whole, s.tile, s.lane);
        CU_ASSERT_EQUAL(memcmp(s.lane, gradient, s.model.n_params * sizeof *gradient), 0);
        tear_down();
    }
}

/* A layer of zeros. */
static void put_layer(struct archive *a, const char *prefix, size_t out, size_t in)
{
    static const double zeros[100];
    char name[64];
    struct gm_error err;
    const struct archive_shape matrix = {2, {out, in}}, column = {1, {out}};
    snprintf(name, sizeof name, "%s/layers/0/weights", prefix);
    CU_ASSERT_EQUAL(archive_put(a, name, ARCHIVE_F64, &matrix, zeros, &err), GM_OK);
    snprintf(name, sizeof name, "%s/layers/0/bias", prefix);
    CU_ASSERT_EQUAL(archive_put(a, name, ARCHIVE_F64, &column, zeros, &err), GM_OK);
}

static void files_that_do_not_fit_together_are_refused(void)
{
    const struct {
        const char *fuse;
        size_t first, second, head; /* outputs of the towers, inputs of the head; 0: none */
        const char *why;            /* NULL: it fits */
    } files[] = {{"dot", 3, 3, 0, NULL},
                 {"pair", 3, 3, 0, NULL},
                 {"concat", 3, 3, 6, NULL},
                 {"dot", 3, 4, 0, "the towers end in 3 and 4 numbers"},
                 {"concat", 3, 3, 5, "the head takes 5 numbers, the towers give 2 x 3"},
                 {"concat", 3, 3, 0, "/head/layers/0"},
                 {"sum", 3, 3, 0, "fused by 'sum', which this gradmill does not know"}};
    const struct model_ops *ops = model_ops_of(MODEL_TWO_TOWER);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct archive *a = NULL;
        struct gm_error err = {0};
        struct model_spec spec = {0};
        CU_ASSERT_EQUAL_FATAL(archive_create(&a, &err), GM_OK);
        put_layer(a, "/first", files[i].first, 5);
        put_layer(a, "/second", files[i].second, 2);
        if (files[i].head)
            put_layer(a, "/head", 4, files[i].head);
        CU_ASSERT(!archive_put_text(a, "fuse", files[i].fuse, &err) &&
                  !archive_put_text(a, "activation", "relu", &err) && !archive_put_real(a, "dropout", 0, &err) &&
                  !archive_put_integer(a, "has_intercept", 1, &err));
        enum gm_code code = ops->open(a, "m.h5", &spec, &err);
        CU_ASSERT_EQUAL(code, files[i].why ? GM_BAD_DATA : GM_OK);
        if (files[i].why)
            ASSERT_HOLDS(err.text, files[i].why);
        else
            CU_ASSERT(spec.features == 7 && spec.first_features == 5 && spec.embedding == 3);
        archive_close(a);
    }
}

TEST_MAIN("two_tower", TEST(gradients_agree_with_central_differences), TEST(dropped_units_have_no_slope),
          TEST(towers_do_not_share_their_random_numbers), TEST(single_precision_agrees_with_double),
          TEST(ranges_of_rows_are_as_the_whole), TEST(files_that_do_not_fit_together_are_refused))

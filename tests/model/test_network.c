/*
 * Networks: gradients against central differences in float64, tiles that cover every parameter once, rows that do not
 * mind who computes them.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/network.h"
#include "model/numbers.h"

enum { ROWS = 70, MOST_IN = 300, MOST_OUT = 80 }; /* 70 rows: more than go forward at a time */

struct setup {
    struct network net;
    double *params, *gradient;
    void *weights, *scratch;
    struct model_tape tape;
    double x[ROWS * MOST_IN], pred[ROWS * MOST_OUT], slope[ROWS * MOST_OUT];
    float x_single[ROWS * MOST_IN];
};
static struct setup s;

static void set_up(const struct network_shape *shape)
{
    double center[MOST_IN], scale[MOST_IN];
    struct gm_error err;
    for (size_t j = 0; j < shape->in; j++) {
        center[j] = noise(900 + j) / 10;
        scale[j] = 1 + 0.5 * fabs(noise(2000 + j));
    }
    CU_ASSERT_EQUAL_FATAL(network_init(&s.net, shape, center, scale, &err), GM_OK);
    CU_ASSERT_EQUAL(s.net.n_params, network_count(shape));
    s.params = room(s.net.n_params * sizeof(double));
    s.gradient = room(s.net.n_params * sizeof(double));
    s.weights = room(s.net.weights_bytes);
    s.scratch = room(network_tile_bytes(&s.net));
    s.tape = (struct model_tape){
        .memory = room(network_tape_bytes(&s.net, ROWS + 3)), .capacity = ROWS + 3, .rows = ROWS, .seed = 5, .step = 2};
    memset(s.tape.memory, 0xFF, network_tape_bytes(&s.net, ROWS + 3)); /* NaN: need not be cleared */
    network_start(&s.net, NETWORK_AUTO, 8, s.params);
    for (size_t i = 0; i < s.net.n_params; i++)
        s.params[i] += 0.1 * noise(i); /* biases too */
    for (size_t i = 0; i < ROWS * shape->in; i++)
        s.x_single[i] = (float)(s.x[i] = noise(5000 + i));
    for (size_t i = 0; i < ROWS * shape->out; i++)
        s.slope[i] = noise(70000 + i);
}

static void tear_down(void)
{
    memory_free(s.params);
    memory_free(s.gradient);
    memory_free(s.weights);
    memory_free(s.scratch);
    memory_free(s.tape.memory);
    network_release(&s.net);
}

/* sum of slope * output: what backward differentiates. */
static double forward(const struct network_shape *shape)
{
    double sum = 0;
    network_prepare(&s.net, s.params, s.weights);
    const struct network_rows rows = {.x = shape->single ? (void *)s.x_single : (void *)s.x, .stride = shape->in};
    network_forward(&s.net, s.weights, &s.tape, &rows);
    network_output(&s.net, &s.tape, s.pred, shape->out);
    for (size_t i = 0; i < ROWS * shape->out; i++)
        sum += s.slope[i] * s.pred[i];
    return sum;
}

/* Every tile's runs into s.gradient; each parameter is seen once. */
static void collect(const struct network_shape *shape)
{
    size_t seen = 0;
    for (size_t i = 0; i < s.net.n_params; i++)
        s.gradient[i] = NAN;
    network_backward(&s.net, s.weights, &s.tape, s.slope, shape->out);
    for (size_t tile = 0; tile < s.net.n_tiles; tile++) {
        struct model_run run;
        network_tile_gradient(&s.net, &s.tape, tile, s.scratch);
        for (size_t r = 0; network_tile_run(&s.net, tile, r, s.scratch, &run); r++)
            for (size_t i = run.first; i < run.end; i++, seen++) {
                CU_ASSERT(isnan(s.gradient[i]));
                s.gradient[i] = shape->single ? (double)((const float *)run.gradient)[i - run.first]
                                              : ((const double *)run.gradient)[i - run.first];
            }
    }
    CU_ASSERT_EQUAL(seen, s.net.n_params);
}

static void gradient_agrees(const struct network_shape *shape)
{
    set_up(shape);
    s.tape.training = true;
    forward(shape);
    collect(shape);
    size_t stride = s.net.n_params / 150 + 1;
    double worst = 0, size = 0;
    for (size_t i = 0; i < s.net.n_params; i++)
        size = fmax(size, fabs(s.gradient[i]));
    for (size_t i = 0; i < s.net.n_params; i += stride) {
        double kept = s.params[i], h = 1e-5;
        s.params[i] = kept + h;
        double up = forward(shape);
        s.params[i] = kept - h;
        double down = forward(shape);
        s.params[i] = kept;
        worst = fmax(worst, fabs((up - down) / (2 * h) - s.gradient[i]));
    }
    CU_ASSERT(worst < 1e-6 * fmax(1, size));
    tear_down();
}

/* What passes back to the inputs, of a network without standardisation. */
static void slopes_reach_the_inputs(void)
{
    static double slopes[ROWS * MOST_IN];
    static const size_t units[] = {21};
    for (size_t hidden = 0; hidden < 2; hidden++) {
        struct network_shape shape = {37, 3, units, hidden, true, ACTIVATION_TANH, 0, false, true, 0, false};
        set_up(&shape);
        for (size_t j = 0; j < shape.in; j++) {
            ((double *)s.net.center)[j] = 0;
            ((double *)s.net.factor)[j] = 1;
        }
        forward(&shape);
        collect(&shape);
        network_input_gradient(&s.net, s.weights, &s.tape, slopes, shape.in);
        for (size_t i = 0; i < ROWS * shape.in; i += 41) {
            double kept = s.x[i], h = 1e-5;
            s.x[i] = kept + h;
            double up = forward(&shape);
            s.x[i] = kept - h;
            double down = forward(&shape);
            s.x[i] = kept;
            ASSERT_CLOSE(slopes[i], (up - down) / (2 * h), 1e-6);
        }
        tear_down();
    }
}

static const size_t small[] = {5, 17}, large[] = {140, 33, 70};

static void gradients_agree_with_central_differences(void)
{
    for (int kind = ACTIVATION_RELU; kind <= ACTIVATION_SIGMOID; kind++) {
        gradient_agrees(
            &(struct network_shape){3, 2, small, 2, true, (enum activation)kind, 0, false, false, 0, false});
        gradient_agrees(
            &(struct network_shape){9, 1, small, 1, false, (enum activation)kind, 0, false, false, 0, false});
    }
    gradient_agrees(
        &(struct network_shape){300, 10, large, 3, true, ACTIVATION_TANH, 0, false, false, 0, false}); /* many tiles */
    gradient_agrees(
        &(struct network_shape){4, 3, NULL, 0, true, ACTIVATION_TANH, 0, false, false, 0, false}); /* a linear tower */
}

static void dropped_units_have_no_slope(void)
{
    gradient_agrees(&(struct network_shape){3, 2, small, 2, true, ACTIVATION_TANH, 0.4, false, false, 0, false});
    gradient_agrees(&(struct network_shape){3, 2, small, 2, true, ACTIVATION_GELU, 0.4, false, false, 0, false});
}

/* float32 against float64, whose gradients the differences have vouched for. */
static void single_precision_agrees_with_double(void)
{
    struct network_shape shape = {300, 10, large, 3, true, ACTIVATION_GELU, 0, false, false, 0, false};
    set_up(&shape);
    double expected = forward(&shape), most = 0, worst = 0;
    collect(&shape);
    size_t n = s.net.n_params;
    double *gradient = room(n * sizeof *gradient);
    memcpy(gradient, s.gradient, n * sizeof *gradient);
    tear_down();
    shape.single = true;
    set_up(&shape);
    ASSERT_CLOSE(forward(&shape), expected, 1e-4);
    collect(&shape);
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs(gradient[i]));
        worst = fmax(worst, fabs(gradient[i] - s.gradient[i]));
    }
    CU_ASSERT(worst < 2e-6 * most);
    memory_free(gradient);
    tear_down();
}

/* Forward and backward in ranges of odd sizes, out of order: the tape has the same bits. */
static void rows_do_not_mind_their_company(void)
{
    struct network_shape shape = {300, 10, large, 3, true, ACTIVATION_TANH, 0.25, true, false, 0, false};
    static const size_t cuts[] = {0, 1, 8, 21, 40, ROWS};
    set_up(&shape);
    s.tape.training = true;
    forward(&shape);
    collect(&shape);
    double *gradient = room(s.net.n_params * sizeof *gradient);
    memcpy(gradient, s.gradient, s.net.n_params * sizeof *gradient);
    memset(s.tape.memory, 0xFF, network_tape_bytes(&s.net, s.tape.capacity));
    for (size_t i = 5; i-- > 0;) {
        struct model_tape part = s.tape;
        part.first = cuts[i];
        part.rows = cuts[i + 1] - cuts[i];
        const struct network_rows rows = {.x = s.x_single + part.first * shape.in, .stride = shape.in};
        network_forward(&s.net, s.weights, &part, &rows);
        network_backward(&s.net, s.weights, &part, s.slope + part.first * shape.out, shape.out);
    }
    for (size_t tile = 0; tile < s.net.n_tiles; tile++) {
        struct model_run run;
        network_tile_gradient(&s.net, &s.tape, tile, s.scratch);
        for (size_t r = 0; network_tile_run(&s.net, tile, r, s.scratch, &run); r++)
            for (size_t i = run.first; i < run.end; i++)
                CU_ASSERT_EQUAL((double)((const float *)run.gradient)[i - run.first], gradient[i]);
    }
    memory_free(gradient);
    tear_down();
}

/* Through identities by hand: one hidden unit after another, weights 1. The share of zeros is the rate, what is left is
 * scaled so that the mean stays: 3 standard errors of 70 x 80 draws. */
static void dropout_keeps_the_mean(void)
{
    static const size_t units[] = {MOST_OUT};
    struct network_shape shape = {1, 1, units, 1, true, ACTIVATION_RELU, 0.3, false, false, 0, false};
    set_up(&shape);
    for (size_t i = 0; i < s.net.n_params; i++)
        s.params[i] = 0;
    for (size_t u = 0; u < MOST_OUT; u++) {
        s.params[s.net.layers[0].bias + u] = 1;
        s.params[s.net.layers[1].weight + u] = 1;
    }
    s.tape.training = true;
    forward(&shape);
    double sum = 0;
    for (size_t i = 0; i < ROWS; i++)
        sum += s.pred[i];
    double mean = sum / (ROWS * MOST_OUT), error = sqrt(0.3 / 0.7 / (ROWS * MOST_OUT));
    CU_ASSERT(fabs(mean - 1) < 3 * error);
    CU_ASSERT(fabs(mean - 1) > 0);
    double first = s.pred[0];
    s.tape.step++; /* another step drops others */
    forward(&shape);
    CU_ASSERT(s.pred[0] != first || s.pred[1] != s.pred[0]);
    s.tape.training = false; /* and no step none */
    forward(&shape);
    for (size_t i = 0; i < ROWS; i++)
        CU_ASSERT_EQUAL(s.pred[i], MOST_OUT);
    tear_down();
}

/* Variances of He et al. 2015 and of Glorot and Bengio 2010, within 5 standard errors. */
static void start_values_have_the_published_variance(void)
{
    static const size_t units[] = {100};
    struct network_shape shape = {300, MOST_OUT, units, 1, true, ACTIVATION_RELU, 0, false, false, 0, false};
    for (int kind = 0; kind < 2; kind++) {
        double expected[] = {kind ? 2.0 / 400 : 2.0 / 300, 2.0 / 180};
        shape.activation = kind ? ACTIVATION_TANH : ACTIVATION_RELU;
        set_up(&shape);
        network_start(&s.net, NETWORK_AUTO, 4, s.params);
        for (size_t l = 0; l < 2; l++) {
            const struct network_layer *layer = &s.net.layers[l];
            size_t n = layer->in * layer->out;
            double sum = 0;
            for (size_t i = 0; i < n; i++)
                sum += s.params[layer->weight + i] * s.params[layer->weight + i];
            CU_ASSERT(fabs(sum / (double)n / expected[l] - 1) < 5 * sqrt(2.0 / (double)n));
            for (size_t u = 0; u < layer->out; u++)
                CU_ASSERT_EQUAL(s.params[layer->bias + u], 0);
        }
        tear_down();
    }
}

TEST_MAIN("network", TEST(gradients_agree_with_central_differences), TEST(slopes_reach_the_inputs),
          TEST(dropped_units_have_no_slope), TEST(single_precision_agrees_with_double),
          TEST(rows_do_not_mind_their_company), TEST(dropout_keeps_the_mean),
          TEST(start_values_have_the_published_variance))

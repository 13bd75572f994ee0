/*
 * One set of checks for every shipped loss, straight through the ABI: the .so is opened from the directory in
 * GRADMILL_LOSSES and called with buffers of the test's own. Nothing of the trainer is involved.
 */
#ifndef TESTS_PLUGINS_HARNESS_H
#define TESTS_PLUGINS_HARNESS_H

#include <gradmill/loss.h>

enum subject_flags {
    SUBJECT_GROWS = 1,      /* the loss itself leaves the range of a double at |pred| 1e8 (log link) */
    SUBJECT_NO_OPTIMUM = 2, /* baseline() is not where the sum of gradients vanishes */
    SUBJECT_WHOLE = 4       /* targets are whole numbers */
};

/* A loss and the shape it is tried with. Zeros: one target, no classes, outputs as the spec says, targets -2 .. 2. */
struct subject {
    const char *id;
    const char *params; /* "delta=0.7 levels=0.1,0.9"; NULL: defaults */
    size_t targets, classes, outputs;
    double low, high;           /* range of targets */
    double pred_low, pred_high; /* range of predictions; both 0: -2 .. 2 */
    unsigned flags;
};

enum { HARNESS_PARAMS = 8, HARNESS_THETA = 16, HARNESS_ROWS = 16, HARNESS_OUTPUTS = 8 };
struct harness {
    const struct gm_loss *loss;
    struct gm_loss_spec spec; /* after create() */
    union gm_loss_value param[HARNESS_PARAMS];
    double lists[HARNESS_PARAMS][16];
    void *instance, *scratch;
    size_t outputs, targets, classes;
    double theta[HARNESS_THETA];
    struct gm_loss_host host;
    char said[256]; /* the last text from the plugin */
};

/* 0 when open; else the status of create() or, -1, no such plugin or parameter. */
int harness_open(struct harness *h, const struct subject *subject);
void harness_close(struct harness *h);
/* A batch of rows (<= HARNESS_ROWS) with the rest filled in. */
struct gm_loss_batch harness_batch(struct harness *h, size_t rows, const double *pred, const double *target);

/* Loss of one row; opens and closes. NaN when it cannot be had. */
double harness_value(const struct subject *subject, const double *pred, const double *target);

/* All checks: gradient, Hessians and theta against differences; block cuts, output subsets, weights, baseline,
 * extremes, bad rows. Assertions name the loss. */
void harness_check(const struct subject *subject);

/* The plugin takes `good` and refuses `bad` when `name` is set to it, by its bounds or in create(). */
void harness_check_bounds(const struct subject *subject, const char *name, double good, double bad);

#endif

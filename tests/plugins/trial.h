/* One trial of a loss: random rows and every output; what is promised of them, checked. */
#ifndef TESTS_PLUGINS_TRIAL_H
#define TESTS_PLUGINS_TRIAL_H

#include <stdbool.h>

#include "plugins/harness.h"

enum { ROWS = HARNESS_ROWS, SIZE = HARNESS_ROWS * HARNESS_OUTPUTS };

struct trial {
    struct harness *h;
    const char *id;
    double pred[SIZE], target[SIZE], weight[ROWS];
    int64_t group[ROWS];
    double loss, grad[SIZE], diag[SIZE], hess[SIZE * HARNESS_OUTPUTS], theta_grad[HARNESS_THETA], row_loss[ROWS];
};

enum wanted { WANT_GRAD = 1, WANT_DIAG = 2, WANT_HESS = 4, WANT_THETA = 8, WANT_ROW = 16, WANT_ALL = 31 };

void trial_fill(struct trial *t, struct harness *h, const struct subject *s);
double trial_uniform(void); /* of the numbers that fill the trials */
/* Evaluate rows [first, first + rows) into the trial's arrays. */
double trial_evaluate(struct trial *t, size_t first, size_t rows, unsigned want);
void trial_report(bool fine, const struct trial *t, const char *what, size_t at, double got, double want);

double trial_largest(const double *x, size_t n); /* magnitude */
void trial_derivatives(struct trial *t);
void trial_blocks(struct trial *t);
void trial_subsets(struct trial *t);
void trial_weights(struct trial *t);
void trial_baseline(struct trial *t, const struct subject *s);
void trial_extremes(struct trial *t, const struct subject *s);
void trial_sick_row(struct trial *t);

#endif

/* Small trainings for tests: a job over a dataset, the trained model's numbers. */
#ifndef TESTS_TRAIN_LAB_H
#define TESTS_TRAIN_LAB_H

#include <stddef.h>

#include <gradmill/gradmill.h>

/* A job in float64 on `data` with one loss, gd, no stop but max_epochs, model at `model`, nothing logged. */
struct lab {
    struct gm_job job;
    struct gm_job_loss loss;
};
void lab_job(struct lab *lab, const char *data, const char *loss, const char *model);
/* Train; the code is returned and the summary kept until the next call. */
enum gm_code lab_train(struct lab *lab, struct gm_error *err);
const struct gm_summary *lab_summary(void);

/* The trained linear model: coefficients [outputs x features], intercept [outputs], what the loss learned [n_theta]. */
struct lab_model {
    size_t outputs, features, n_theta;
    double *coefficients, *intercept, *theta;
};
struct lab_model lab_read(const char *path);
void lab_free(struct lab_model *model);

/* A dataset file with /X [rows x features] and /y [rows] in double. */
void lab_write(const char *path, const double *x, const double *y, size_t rows, size_t features);
/* The same with /y [rows x targets], and /group [rows] where not NULL. */
void lab_write_wide(const char *path, const double *x, const double *y, const int64_t *group, const size_t shape[3]);
/* /X [rows x features] of random bytes (rows x features a multiple of 16), /y of the first two and some noise; /second
 * [rows x second] where not 0. */
void lab_write_bytes(const char *path, size_t rows, size_t features, size_t second, double noise);
/* A CSV of tests/oracles as a dataset in the test directory; its path. */
const char *lab_oracle(const char *name);
/* Do two files hold the same bytes? */
int lab_same_bytes(const char *a, const char *b);

#endif

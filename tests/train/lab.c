/* Small trainings for tests. */
#include "train/lab.h"

#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/memory.h"
#include "datasets/datasets.h"

static struct gm_summary summary;

void lab_job(struct lab *lab, const char *data, const char *loss, const char *model)
{
    gm_job_init(&lab->job);
    lab->loss = (struct gm_job_loss){.name = loss, .weight = 1};
    lab->job.data.train.path = data;
    lab->job.loss.terms = &lab->loss;
    lab->job.loss.count = 1;
    lab->job.output.model = model;
    lab->job.output.log = NULL;
    lab->job.run.precision = GM_FLOAT64;
    lab->job.stop.loss_change = NAN;
}

enum gm_code lab_train(struct lab *lab, struct gm_error *err)
{
    gm_summary_release(&summary);
    *err = (struct gm_error){0};
    return gm_train(&lab->job, NULL, &summary, err);
}

const struct gm_summary *lab_summary(void)
{
    return &summary;
}

static void give_up(const char *what, const struct gm_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(99);
}

struct lab_model lab_read(const char *path)
{
    struct lab_model m = {0};
    struct archive *a = NULL;
    struct gm_error err;
    struct archive_shape matrix = {.rank = 2}, column = {.rank = 1}, learned = {.rank = 1};
    if (archive_open(&a, path, &err) ||
        archive_get(a, "/coefficients", ARCHIVE_F64, &matrix, (void **)&m.coefficients, &err) ||
        archive_get(a, "/intercept", ARCHIVE_F64, &column, (void **)&m.intercept, &err) ||
        (archive_has(a, "/loss_theta") &&
         archive_get(a, "/loss_theta", ARCHIVE_F64, &learned, (void **)&m.theta, &err)))
        give_up(path, &err);
    m.outputs = matrix.dims[0];
    m.features = matrix.dims[1];
    m.n_theta = learned.dims[0];
    archive_close(a);
    return m;
}

void lab_free(struct lab_model *m)
{
    memory_free(m->coefficients);
    memory_free(m->intercept);
    memory_free(m->theta);
    *m = (struct lab_model){0};
}

void lab_write(const char *path, const double *x, const double *y, size_t rows, size_t features)
{
    lab_write_wide(path, x, y, NULL, (const size_t[]){rows, features, 1});
}

void lab_write_wide(const char *path, const double *x, const double *y, const int64_t *group, const size_t shape[3])
{
    struct archive *a = NULL;
    struct gm_error err;
    struct archive_shape matrix = {2, {shape[0], shape[1]}}, column = {1, {shape[0]}};
    struct archive_shape target = {shape[2] > 1 ? 2 : 1, {shape[0], shape[2]}};
    if (archive_create(&a, &err) || archive_put(a, "/X", ARCHIVE_F64, &matrix, x, &err) ||
        archive_put(a, "/y", ARCHIVE_F64, &target, y, &err) ||
        (group && archive_put(a, "/group", ARCHIVE_I64, &column, group, &err)) || archive_save(a, path, &err))
        give_up(path, &err);
    archive_close(a);
}

const char *lab_oracle(const char *name)
{
    char from[64], to[64];
    snprintf(from, sizeof from, "tests/oracles/%s.csv", name);
    snprintf(to, sizeof to, "%s.h5", name);
    const char *path = test_path(to);
    struct gm_error err;
    struct import_report report;
    struct import_options options = {.target = "target", .floats = IMPORT_FLOAT64}; /* 0.2 stays 0.2 */
    if (import_csv(test_source(from), path, &options, &report, &err))
        give_up(from, &err);
    return path;
}

int lab_same_bytes(const char *a, const char *b)
{
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    int same = f && g, c = 0, d = 0;
    while (same && c != EOF) {
        c = fgetc(f);
        d = fgetc(g);
        same = c == d;
    }
    if (f)
        fclose(f);
    if (g)
        fclose(g);
    return same;
}

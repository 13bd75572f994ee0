/* Datasets of ratings and trained factorizations, for tests. */
#ifndef TESTS_TRAIN_RATINGS_LAB_H
#define TESTS_TRAIN_RATINGS_LAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/archive.h"
#include "support.h"
#include "train/lab.h"

/* Triples as /user_id, /item_id, /rating; rating NULL: events. */
struct triples {
    size_t rows;
    const int64_t *user, *item;
    const double *rating;
};

static inline void ratings_write(const char *path, const struct triples *t)
{
    struct archive *a = NULL;
    struct gm_error err;
    const struct archive_shape shape = {1, {t->rows}};
    CU_ASSERT_FATAL(!archive_create(&a, &err) && !archive_put(a, "/user_id", ARCHIVE_I64, &shape, t->user, &err) &&
                    !archive_put(a, "/item_id", ARCHIVE_I64, &shape, t->item, &err) &&
                    (!t->rating || !archive_put(a, "/rating", ARCHIVE_F64, &shape, t->rating, &err)) &&
                    !archive_save(a, path, &err));
    archive_close(a);
}

/* A job in float64 by sgd on ratings. */
static inline void ratings_job(struct lab *lab, const char *data, const char *loss, const char *model)
{
    lab_job(lab, data, loss, model);
    lab->job.model.type = GM_MODEL_FACTORIZATION;
    lab->job.optimizer.type = GM_OPTIMIZER_SGD;
}

/* An array of a model file; free it with memory_free. */
static inline double *ratings_array(const char *path, const char *name, size_t *count)
{
    struct archive *a = NULL;
    struct gm_error err;
    struct archive_shape shape = {0};
    double *values = NULL;
    CU_ASSERT_FATAL(!archive_open(&a, path, &err) &&
                    !archive_get(a, name, ARCHIVE_F64, &shape, (void **)&values, &err));
    archive_close(a);
    *count = 1;
    for (size_t i = 0; i < shape.rank; i++)
        *count *= shape.dims[i];
    return values;
}

#endif

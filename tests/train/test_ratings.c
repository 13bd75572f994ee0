/* Datasets of ratings from file to prediction: ids of every kind, layouts, users nobody knows, and what is refused. */
#include "train/ratings_lab.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

static const int64_t users[] = {0, 0, 1, 1, 2, 2, 3, 3}, items[] = {0, 1, 1, 2, 2, 0, 0, 2};
static const double stars[] = {5, 3, 4, 1, 2, 4, 3, 2};
static const struct triples small = {8, users, items, stars};

/* Trains on data in the test directory; the code. */
static enum gm_code train(const char *data, const char *model, void (*adjust)(struct gm_job *), struct gm_error *err)
{
    struct lab lab;
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    ratings_job(&lab, data, "mse", model);
    lab.job.model.rank = 2;
    lab.job.optimizer.learning_rate = 0.05;
    lab.job.stop.max_epochs = 5;
    if (adjust)
        adjust(&lab.job);
    return lab_train(&lab, err);
}

static void write_small(const char *path)
{
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    ratings_write(path, &small);
}

struct predicted {
    double values[16];
    size_t rows;
};

static bool keep(void *context, size_t first, size_t rows, const double *pred)
{
    struct predicted *p = context;
    CU_ASSERT_FATAL(first + rows <= 16);
    memcpy(p->values + first, pred, rows * sizeof *pred);
    p->rows = first + rows;
    return true;
}

static enum gm_code predict(const char *model, const char *data, struct predicted *to, struct gm_error *err)
{
    struct gm_model *m = NULL;
    enum gm_code code = gm_model_open(&m, model, NULL, err);
    CU_ASSERT_EQUAL(code, GM_OK);
    *to = (struct predicted){.rows = 0};
    if (!code)
        code = gm_predict(m, &(struct gm_data){.path = data}, NULL, keep, to, err);
    gm_model_close(m);
    return code;
}

/* The definition, from the arrays of the model file. */
static double by_hand(const char *model, size_t u, size_t v)
{
    static const char *const names[] = {"/users/factors", "/users/bias", "/items/factors", "/items/bias", "/mean"};
    double *arrays[5], sum = 0;
    size_t counts[5];
    for (int i = 0; i < 5; i++)
        arrays[i] = ratings_array(model, names[i], &counts[i]);
    if (u < counts[1] && v < counts[3])
        for (size_t k = 0; k < 2; k++)
            sum += arrays[0][u * 2 + k] * arrays[2][v * 2 + k];
    sum += arrays[4][0] + (u < counts[1] ? arrays[1][u] : 0) + (v < counts[3] ? arrays[3][v] : 0);
    for (int i = 0; i < 5; i++)
        memory_free(arrays[i]);
    return sum;
}

static void predictions_are_mean_biases_and_product(void)
{
    struct gm_error err;
    struct predicted p;
    write_small("small.h5");
    CU_ASSERT_EQUAL(train("small.h5", "model.h5", NULL, &err), GM_OK);
    CU_ASSERT_EQUAL(predict("model.h5", "small.h5", &p, &err), GM_OK);
    CU_ASSERT_EQUAL(p.rows, 8);
    for (size_t i = 0; i < 8; i++)
        ASSERT_CLOSE(p.values[i], by_hand("model.h5", (size_t)users[i], (size_t)items[i]), 1e-14);
}

static void unknown_users_and_items_get_the_mean_and_the_known_bias(void)
{
    static const int64_t u[] = {0, 99, 99}, v[] = {77, 1, 77};
    struct gm_error err;
    struct predicted p;
    write_small("small.h5");
    ratings_write("new.h5", &(struct triples){3, u, v, NULL}); /* ratings need not be there to predict */
    CU_ASSERT_EQUAL(train("small.h5", "model.h5", NULL, &err), GM_OK);
    CU_ASSERT_EQUAL(predict("model.h5", "new.h5", &p, &err), GM_OK);
    for (size_t i = 0; i < 3; i++)
        ASSERT_CLOSE(p.values[i], by_hand("model.h5", (size_t)u[i], (size_t)v[i]), 1e-14);
}

/* The ids 10^12 + 7 u and the words "u3" sort as 0, 1, 2, 3 do: the parameters are the same. */
static void ids_may_be_any_numbers_or_words(void)
{
    static const char *const user_words[] = {"ann", "ann", "bob", "bob", "eva", "eva", "joe", "joe"};
    static const char *const item_words[] = {"ark", "bus", "bus", "car", "car", "ark", "ark", "car"};
    int64_t far_users[8], far_items[8];
    struct gm_error err;
    struct archive *a = NULL;
    struct predicted p[3];
    const struct archive_shape shape = {1, {8}};
    write_small("small.h5");
    for (int i = 0; i < 8; i++) {
        far_users[i] = 1000000000000 + 7 * users[i];
        far_items[i] = 5 + 3 * items[i];
    }
    ratings_write("far.h5", &(struct triples){8, far_users, far_items, stars});
    CU_ASSERT(!archive_create(&a, &err) && !archive_put(a, "/user", ARCHIVE_TEXT, &shape, user_words, &err) &&
              !archive_put(a, "/item", ARCHIVE_TEXT, &shape, item_words, &err) &&
              !archive_put(a, "/rating", ARCHIVE_F64, &shape, stars, &err) && !archive_save(a, "words.h5", &err));
    archive_close(a);
    static const char *const data[] = {"small.h5", "far.h5", "words.h5"};
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(train(data[i], "model.h5", NULL, &err), GM_OK);
        CU_ASSERT_EQUAL(predict("model.h5", data[i], &p[i], &err), GM_OK);
        CU_ASSERT(memcmp(p[i].values, p[0].values, sizeof p[0].values) == 0);
    }
    CU_ASSERT_EQUAL(predict("model.h5", "small.h5", &p[0], &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "its ids are numbers, but those that were trained on are words");
}

/* The same ratings as a sparse matrix, rows in order: the same model, to the byte. */
static void a_sparse_matrix_is_ratings_too(void)
{
    static const int64_t indptr[] = {0, 2, 4, 6, 8};
    struct gm_error err;
    struct archive *a = NULL;
    const struct archive_shape rows = {1, {5}}, entries = {1, {8}};
    write_small("small.h5");
    CU_ASSERT(!archive_create(&a, &err) && !archive_put(a, "/X/indptr", ARCHIVE_I64, &rows, indptr, &err) &&
              !archive_put(a, "/X/indices", ARCHIVE_I64, &entries, items, &err) &&
              !archive_put(a, "/X/data", ARCHIVE_F64, &entries, stars, &err) && !archive_save(a, "sparse.h5", &err));
    archive_close(a);
    CU_ASSERT_EQUAL(train("small.h5", "model.h5", NULL, &err), GM_OK);
    CU_ASSERT_EQUAL(train("sparse.h5:/X", "other.h5", NULL, &err), GM_OK);
    CU_ASSERT(lab_same_bytes("model.h5", "other.h5"));
    CU_ASSERT(!archive_create(&a, &err) && !archive_put(a, "/indptr", ARCHIVE_I64, &rows, indptr, &err) &&
              !archive_put(a, "/indices", ARCHIVE_I64, &entries, items, &err) &&
              !archive_put_text(a, "encoding-type", "csc_matrix", &err) && !archive_save(a, "columns.h5", &err));
    archive_close(a);
    CU_ASSERT_EQUAL(train("columns.h5", "other.h5", NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "holds compressed columns");
    /* without a word, the shape tells: 4 columns, 5 pointers */
    const double users_by_items[] = {7, 4};
    const struct archive_shape two = {1, {2}};
    CU_ASSERT(!archive_create(&a, &err) && !archive_put(a, "/indptr", ARCHIVE_I64, &rows, indptr, &err) &&
              !archive_put(a, "/indices", ARCHIVE_I64, &entries, items, &err) &&
              !archive_put(a, "/shape", ARCHIVE_F64, &two, users_by_items, &err) &&
              !archive_save(a, "columns.h5", &err));
    archive_close(a);
    CU_ASSERT_EQUAL(train("columns.h5", "other.h5", NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "holds compressed columns");
}

static void with_file(struct gm_job *job)
{
    job->data.validation.path = "held.h5";
}

static void a_file_of_its_own_may_validate(void)
{
    static const int64_t u[] = {3, 50}, v[] = {1, 2};
    static const double r[] = {4, 2};
    struct gm_error err;
    write_small("small.h5");
    ratings_write("held.h5", &(struct triples){2, u, v, r});
    CU_ASSERT_EQUAL(train("small.h5", "model.h5", with_file, &err), GM_OK);
    double a = by_hand("model.h5", 3, 1) - 4, b = by_hand("model.h5", 50, 2) - 2;
    ASSERT_CLOSE(lab_summary()->validation.mse, (a * a + b * b) / 2, 1e-12);
    ASSERT_CLOSE(lab_summary()->validation_loss, (a * a + b * b) / 2, 1e-12);
    struct gm_model *m = NULL;
    struct gm_metrics metrics;
    CU_ASSERT_EQUAL(gm_model_open(&m, "model.h5", NULL, &err), GM_OK);
    CU_ASSERT_EQUAL(gm_evaluate(m, &(struct gm_data){.path = "held.h5"}, NULL, &metrics, &err), GM_OK);
    ASSERT_CLOSE(metrics.rmse, sqrt((a * a + b * b) / 2), 1e-12);
    ASSERT_CLOSE(metrics.mae, (fabs(a) + fabs(b)) / 2, 1e-12);
    gm_metrics_release(&metrics);
    gm_model_close(m);
}

/* ---- what is refused ---- */

static void bad_ratings_are_refused_with_their_row(void)
{
    int64_t u[8], v[8];
    double r[8];
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    memcpy(u, users, sizeof u);
    memcpy(v, items, sizeof v);
    memcpy(r, stars, sizeof r);
    const struct triples t = {8, u, v, r};
    r[5] = NAN;
    ratings_write("bad.h5", &t);
    CU_ASSERT_EQUAL(train("bad.h5", "model.h5", NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "bad.h5:/rating: row 5: the rating is NaN");
    r[5] = 1;
    v[2] = -4;
    ratings_write("bad.h5", &t);
    CU_ASSERT_EQUAL(train("bad.h5", "model.h5", NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "bad.h5:/item_id: row 2: the id is -4");
    lab_write("bad.h5", stars, stars, 4, 2);
    CU_ASSERT_EQUAL(train("bad.h5", "model.h5", NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "no users found");
    ASSERT_HOLDS(err.text, "'X' float64 [4 x 2]");
}

static void by_gd(struct gm_job *job)
{
    job->optimizer.type = GM_OPTIMIZER_GD;
}
static void with_batches(struct gm_job *job)
{
    job->optimizer.batch_size = 10;
}
static void with_l1(struct gm_job *job)
{
    job->optimizer.l1 = 0.1;
}
static const struct gm_job_loss softmax = {.name = "cross_entropy", .weight = 1};
static const struct gm_job_loss counts = {.name = "poisson", .weight = 1};
static void by_classes(struct gm_job *job)
{
    job->loss.terms = &softmax;
}
static void by_counts(struct gm_job *job)
{
    job->loss.terms = &counts;
}
static void in_little_memory(struct gm_job *job)
{
    job->run.memory = 400;
}

static void jobs_that_it_cannot_do_are_refused(void)
{
    static const double negative[] = {5, 3, 4, 1, 2, 4, -3, 2};
    struct gm_error err;
    write_small("small.h5");
    CU_ASSERT_EQUAL(train("small.h5", "m.h5", by_gd, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "optimizer.type: a factorization is trained by sgd or adagrad");
    CU_ASSERT_EQUAL(train("small.h5", "m.h5", with_batches, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "optimizer.batch_size");
    CU_ASSERT_EQUAL(train("small.h5", "m.h5", with_l1, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "optimizer.l1");
    CU_ASSERT(train("small.h5", "m.h5", by_classes, &err) != GM_OK);
    CU_ASSERT_EQUAL(train("small.h5", "m.h5", in_little_memory, &err), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "of memory, but run.memory allows 400 B");
    ratings_write("negative.h5", &(struct triples){8, users, items, negative});
    CU_ASSERT_EQUAL(train("negative.h5", "m.h5", by_counts, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "row 6");
}

/* The example job on the data that its comment makes: the generator's noise is 0.5. */
static void the_example_trains_to_the_noise(void)
{
    char job[600];
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    struct test_result made = PROGRAM("make", "ratings", "-o", "ratings.h5", "--rows", "200000", "--users", "2000",
                                      "--items", "1000", "--rank", "8", "--noise", "0.5", "--seed", "1");
    CU_ASSERT_EQUAL(made.exit_code, 0);
    test_result_free(&made);
    snprintf(job, sizeof job, "%s", test_source("datasets/jobs/ratings.yaml"));
    struct test_result trained = PROGRAM("train", job, "--json");
    CU_ASSERT_EQUAL(trained.exit_code, 0);
    const char *validation = strstr(trained.out, "\"validation\":");
    const char *rmse = validation ? strstr(validation, "\"rmse\":") : NULL;
    double found = NAN;
    if (rmse)
        sscanf(rmse, "\"rmse\":%lf", &found);
    CU_ASSERT(found > 0.49 && found < 0.56);
    test_result_free(&trained);
    struct test_result seen = PROGRAM("inspect", "ratings.h5");
    ASSERT_HOLDS(seen.out, "2000");
    test_result_free(&seen);
}

TEST_MAIN("ratings", TEST(predictions_are_mean_biases_and_product),
          TEST(unknown_users_and_items_get_the_mean_and_the_known_bias), TEST(ids_may_be_any_numbers_or_words),
          TEST(a_sparse_matrix_is_ratings_too), TEST(a_file_of_its_own_may_validate),
          TEST(bad_ratings_are_refused_with_their_row), TEST(jobs_that_it_cannot_do_are_refused),
          TEST(the_example_trains_to_the_noise))

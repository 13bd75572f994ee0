/*
 * AUC and NDCG of rows, and what evaluate makes of them. Literals are those of scikit-learn 1.9.1 (roc_auc_score,
 * ndcg_score with gains 2^relevance - 1), where nothing else is said.
 */
#include "support.h"

#include <math.h>

#include "base/random.h"
#include "train/lab.h"
#include "train/ranking.h"

static const double labels[] = {0, 1, 1, 0, 1, 0, 0, 1, 1, 0};
static const double scores[] = {0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.2, 0.9, 0.1, 0.35};
static const double weights[] = {1, 2, 0.5, 1.5, 1, 1, 3, 0.25, 2, 1};

static double auc_of(size_t n, const double *label, const double *score, const double *weight)
{
    struct ranking r;
    struct gm_error err;
    double sides[2];
    CU_ASSERT_EQUAL_FATAL(ranking_init(&r, n, UINT64_MAX, &err), GM_OK);
    for (size_t i = 0; i < n; i++) {
        double w = weight ? weight[i] : 1;
        r.rows[i] = (struct ranked_row){score[i], label[i] > 0 ? w : -w};
    }
    ranking_auc(&r, NULL, sides);
    CU_ASSERT(isnan(sides[1]));
    ranking_release(&r);
    return sides[0];
}

static void the_area_counts_ties_half_and_weights(void)
{
    ASSERT_CLOSE(auc_of(10, labels, scores, NULL), 0.6, 1e-15);
    ASSERT_CLOSE(auc_of(10, labels, scores, weights), 0.5014492753623188, 1e-15);
    const double ones[] = {1, 1};
    CU_ASSERT(isnan(auc_of(2, ones, scores, NULL))); /* one class alone has no order */
}

/* The definition: all pairs of a positive and a negative row. */
static void the_area_is_that_of_all_pairs(void)
{
    enum { N = 700 };
    static double label[N], score[N], weight[N];
    const struct random_key key = {4, RANDOM_CHECK, 0};
    double pairs = 0, won = 0;
    for (size_t i = 0; i < N; i++) {
        label[i] = random_uniform(key, i) < 0.3;
        score[i] = floor(40 * random_normal(key, N + i)) / 10 * (i % 7 ? 1 : 1e-30); /* ties, signs, all sizes */
        weight[i] = random_uniform(key, 2 * N + i);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            if (label[i] > 0 && label[j] == 0) {
                pairs += weight[i] * weight[j];
                won += weight[i] * weight[j] * (score[i] > score[j] ? 1 : score[i] == score[j] ? 0.5 : 0);
            }
    ASSERT_CLOSE(auc_of(N, label, score, weight), won / pairs, 1e-13);
}

static const double relevance[] = {3, 2, 3, 0, 1, 2, 3, 2, 3, 0, 1, 2, 0, 0, 0, 0, 1, 4, 2, 0, 1, 3, 0, 0, 2, 1};
static const double score[] = {6, 5, 4, 3, 2, 1, 5, 5, 4, 4, 4, 1, 7, 8, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
static const int64_t group[] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
/* At 10: the last group has 12 rows. */
static const double ndcg[] = {0.9488107485678984, 0.8726509747174545, 0.45790533529370014};

static void ndcg_is_the_mean_over_groups(void)
{
    struct ranking r;
    struct gm_error err;
    double sides[2];
    CU_ASSERT_EQUAL_FATAL(ranking_init(&r, 26, UINT64_MAX, &err), GM_OK);
    for (size_t i = 0; i < 26; i++)
        r.rows[i] = (struct ranked_row){score[i], relevance[i]};
    ranking_ndcg(&r, group, NULL, sides); /* group 3 has nothing relevant, and does not count */
    ASSERT_CLOSE(sides[0], (ndcg[0] + ndcg[1] + ndcg[2]) / 3, 1e-14);
    CU_ASSERT(isnan(sides[1]));
    ranking_release(&r);
}

static void scores_that_would_fill_the_memory_are_not_kept(void)
{
    struct ranking r;
    struct gm_error err;
    double sides[2];
    CU_ASSERT_EQUAL(ranking_init(&r, 1000, 31999, &err), GM_OK);
    CU_ASSERT_PTR_NULL(r.rows);
    ranking_auc(&r, NULL, sides);
    CU_ASSERT(isnan(sides[0]));
    ranking_release(&r);
}

/* One feature with a positive weight ranks as the feature does; held-out rows have an area of their own. */
static void a_trained_model_reports_its_area(void)
{
    struct lab lab;
    struct gm_error err;
    lab_write(test_path("auc.h5"), scores, labels, 10, 1);
    lab_write(test_path("held.h5"), (const double[]){1, 2, 3, 4}, (const double[]){0, 1, 0, 1}, 4, 1);
    lab_job(&lab, test_path("auc.h5"), "logistic", test_path("model.h5"));
    lab.job.data.validation.path = test_path("held.h5");
    lab.job.stop.max_epochs = 3;
    lab.job.stop.restore_best = false;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    double sign = lab_summary()->train.auc;
    CU_ASSERT(fabs(sign - 0.6) < 1e-15 || fabs(1 - sign - 0.6) < 1e-15);
    CU_ASSERT(fabs(lab_summary()->validation.auc - 0.75) < 1e-15 ||
              fabs(lab_summary()->validation.auc - 0.25) < 1e-15); /* 3 of 4 pairs */
}

static struct gm_metrics evaluate(const char *path)
{
    struct gm_model *model;
    struct gm_metrics metrics;
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, test_path("model.h5"), NULL, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(gm_evaluate(model, &(struct gm_data){.path = path}, NULL, &metrics, &err), GM_OK);
    gm_model_close(model);
    return metrics;
}

/* Trained where a larger feature is better, the model ranks the groups above by their scores. */
static void evaluate_tells_the_ndcg_of_groups(void)
{
    struct lab lab;
    struct gm_error err;
    static const char *const losses[] = {"listnet", "lambdarank"};
    lab_write_wide(test_path("rising.h5"), (const double[]){1, 2, 3, 1, 2, 4}, (const double[]){0, 1, 2, 0, 1, 2},
                   (const int64_t[]){1, 1, 1, 2, 2, 2}, (const size_t[]){6, 1, 1});
    lab_write_wide(test_path("groups.h5"), score, relevance, group, (const size_t[]){26, 1, 1});
    for (size_t i = 0; i < 2; i++) {
        lab_job(&lab, test_path("rising.h5"), losses[i], test_path("model.h5"));
        lab.job.stop.max_epochs = 3;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        struct gm_metrics m = evaluate(test_path("groups.h5"));
        ASSERT_CLOSE(m.ndcg, (ndcg[0] + ndcg[1] + ndcg[2]) / 3, 1e-14);
        gm_metrics_release(&m);
    }
}

/* Rows whose class has fewer than 5 others above it, counted from the coefficients in the model file. */
static double among_five(const struct lab_model *m, const double *x, const double *y, size_t rows)
{
    double count = 0;
    for (size_t i = 0; i < rows; i++) {
        double pred[8];
        size_t above = 0;
        for (size_t k = 0; k < m->outputs; k++) {
            pred[k] = m->intercept[k];
            for (size_t j = 0; j < m->features; j++)
                pred[k] += m->coefficients[k * m->features + j] * x[i * m->features + j];
        }
        for (size_t k = 0; k < m->outputs; k++)
            above += pred[k] > pred[(size_t)y[i]];
        count += above < 5;
    }
    return count / (double)rows;
}

static void the_true_class_is_looked_for_among_five(void)
{
    enum { ROWS = 300, FEATURES = 3 };
    static double x[ROWS * FEATURES], y[ROWS];
    const struct random_key key = {6, RANDOM_CHECK, 0};
    for (size_t classes = 5; classes <= 8; classes += 3) {
        struct lab lab;
        struct gm_error err;
        for (size_t i = 0; i < ROWS * FEATURES; i++)
            x[i] = random_normal(key, i);
        for (size_t i = 0; i < ROWS; i++)
            y[i] = (double)random_below(key, 5000 + i, classes);
        lab_write(test_path("classes.h5"), x, y, ROWS, FEATURES);
        lab_job(&lab, test_path("classes.h5"), "cross_entropy", test_path("model.h5"));
        lab.job.stop.max_epochs = 20;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        struct lab_model model = lab_read(test_path("model.h5"));
        struct gm_metrics m = evaluate(test_path("classes.h5"));
        CU_ASSERT_EQUAL(isnan(m.top5_accuracy), classes == 5);
        if (classes > 5) {
            ASSERT_CLOSE(m.top5_accuracy, among_five(&model, x, y, ROWS), 1e-15);
            CU_ASSERT(m.top5_accuracy > m.accuracy && m.top5_accuracy < 1);
        }
        gm_metrics_release(&m);
        lab_free(&model);
    }
}

TEST_MAIN("ranking", TEST(the_area_counts_ties_half_and_weights), TEST(the_area_is_that_of_all_pairs),
          TEST(ndcg_is_the_mean_over_groups), TEST(evaluate_tells_the_ndcg_of_groups),
          TEST(the_true_class_is_looked_for_among_five), TEST(scores_that_would_fill_the_memory_are_not_kept),
          TEST(a_trained_model_reports_its_area))

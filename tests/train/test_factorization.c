/* Factorization: its steps against an independent computation, its gradient, known answers, and the same bits. */
#include "train/ratings_lab.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "datasets/datasets.h"

/* ---- against an independent computation ----
 *
 * Plain stochastic gradient descent in Python (NumPy in double, Philox written out), same order of ratings:
 *
 *   M = 0xFFFFFFFF
 *   def philox(index, purpose, epoch, seed):
 *       c = [index & M, index >> 32, purpose, epoch]; k = [seed & M, seed >> 32]
 *       for _ in range(10):
 *           a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
 *           c = [(b >> 32) ^ c[1] ^ k[0], b & M, (a >> 32) ^ c[3] ^ k[1], a & M]
 *           k = [(k[0] + 0x9E3779B9) & M, (k[1] + 0xBB67AE85) & M]
 *       return c
 *   def start(side, count, rank, seed):
 *       a, calls = np.sqrt(3.0) * (0.01 / rank) ** 0.25, (rank + 3) // 4
 *       return np.array([[a * (philox(i * calls + k // 4, 4, side, seed)[k % 4] * 2.0**-31 - 1) for k in range(rank)]
 *                        for i in range(count)])
 *   def order(n, epoch, seed):
 *       o = []
 *       for k in range(n):
 *           j = philox(k // 4, 3, epoch, seed)[k % 4] * (k + 1) >> 32
 *           o.append(k)
 *           if j < k: o[k], o[j] = o[j], k
 *       return o
 *   def train(u, v, r, rank, rate, l2, epochs, seed, adagrad):
 *       U, V, n = max(u) + 1, max(v) + 1, len(r)
 *       p, q, b, c = start(0, U, rank, seed), start(1, V, rank, seed), np.zeros(U), np.zeros(V)
 *       Gp, Gq, Gb, Gc = np.ones(U), np.ones(V), np.ones(U), np.ones(V)
 *       mean = np.mean(r)
 *       size = min(32, max(4, 4 * n // max(np.bincount(u).max(), np.bincount(v).max())))
 *       for e in range(epochs):
 *           o = order(n, e, seed)
 *           for s in range(0, n, size):
 *               batch = o[s:s + size]
 *               g = [2 * (mean + b[u[i]] + c[v[i]] + p[u[i]] @ q[v[i]] - r[i]) for i in batch]
 *               for gi, i in zip(g, batch):
 *                   x, y = u[i], v[i]
 *                   gp, gq, gb, gc = gi * q[y] + l2 * p[x], gi * p[x] + l2 * q[y], gi + l2 * b[x], gi + l2 * c[y]
 *                   d = [np.sqrt(t) if adagrad else 1.0 for t in (Gp[x], Gq[y], Gb[x], Gc[y])]
 *                   p[x] -= rate / d[0] * gp; q[y] -= rate / d[1] * gq
 *                   b[x] -= rate / d[2] * gb; c[y] -= rate / d[3] * gc
 *                   Gp[x] += gp @ gp / rank; Gq[y] += gq @ gq / rank; Gb[x] += gb * gb; Gc[y] += gc * gc
 *       return p, q, b, c
 */
static const int64_t trace_user[] = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4}, trace_item[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 0};
static const double trace_rating[] = {5, 3, 4, 1, 2, 4.5, 3.5, 2.5, 1.5, 4};
static const struct triples trace = {10, trace_user, trace_item, trace_rating};

struct traced { /* train(u, v, r, rank 3, rate 0.05, l2 0.1, epochs 3, seed 7) */
    double p[15], b[5], c[5];
};
static const struct traced traced_sgd = {
    {0.2056723259249485, 0.078053175942447275, -0.3884588389854941, -0.094950442663735174, -0.21083586868947762,
     0.510561011199551, -0.21132438400467146, -0.39305348503700249, -0.25958426140036189, -0.28541029577050075,
     -0.26670370140967259, 0.045886208119231837, -0.22621326680544218, 0.41602818879265696, 0.25749433136598288},
    {0.34774246433027478, -0.26677955314710855, 0.051531537883964057, -0.042829665171260183, -0.087061017691350578},
    {0.65972806884420543, 0.16679209650095772, -0.76624158714082724, 0.3854364203898919, -0.44203564063906892}};
static const struct traced traced_adagrad = {
    {0.20198185259864701, 0.080547702049692471, -0.36268660148163329, -0.092900567850118326, -0.19872201003551013,
     0.48010175840679425, -0.20880120491329873, -0.37695218360760041, -0.25719064200800168, -0.2920547771936185,
     -0.26590517829594468, 0.04918106255887085, -0.20050534250846219, 0.41021381660604533, 0.25738244312248348},
    {0.23599418102969869, -0.095523577002535498, 0.078882589517846824, -0.027054139443707444, -0.10474320952926025},
    {0.30143256610241143, 0.11332934659697957, -0.29905813377597518, 0.2148204952481729, -0.2356879794181107}};

static void same_values(const char *path, const char *name, const double *expected, double tolerance)
{
    size_t count;
    double *found = ratings_array(path, name, &count);
    for (size_t i = 0; i < count; i++)
        ASSERT_CLOSE(found[i], expected[i], tolerance);
    memory_free(found);
}

static void steps_agree_with_an_independent_computation(void)
{
    ratings_write(test_path("trace.h5"), &trace);
    for (int k = 0; k < 4; k++) {
        struct lab lab;
        struct gm_error err;
        const struct traced *expected = k & 1 ? &traced_adagrad : &traced_sgd;
        double tolerance = k & 2 ? 1e-6 : 1e-13; /* float32, float64 */
        ratings_job(&lab, test_path("trace.h5"), "mse", test_path("model.h5"));
        lab.job.optimizer.type = k & 1 ? GM_OPTIMIZER_ADAGRAD : GM_OPTIMIZER_SGD;
        lab.job.run.precision = k & 2 ? GM_FLOAT32 : GM_FLOAT64;
        lab.job.model.rank = 3;
        lab.job.optimizer.learning_rate = 0.05;
        lab.job.optimizer.l2 = 0.1;
        lab.job.stop.max_epochs = 3;
        lab.job.stop.restore_best = false;
        lab.job.run.seed = 7;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        same_values(test_path("model.h5"), "/users/factors", expected->p, tolerance);
        same_values(test_path("model.h5"), "/users/bias", expected->b, tolerance);
        same_values(test_path("model.h5"), "/items/bias", expected->c, tolerance);
        same_values(test_path("model.h5"), "/mean", &(double){3.1}, tolerance);
    }
}

/* ---- the gradient: with a tiny rate, an epoch moves by rate * terms * gradient of the objective ---- */

enum { USERS = 9, ITEMS = 7, RANK = 3, SIDE = RANK + 1, PARAMS = (USERS + ITEMS) * SIDE };

static void read_params(const char *path, double params[PARAMS])
{
    static const char *const names[] = {"/users/factors", "/users/bias", "/items/factors", "/items/bias"};
    for (size_t i = 0, at = 0, count; i < 4; i++, at += count) {
        double *values = ratings_array(path, names[i], &count);
        memcpy(params + at, values, count * sizeof *values);
        memory_free(values);
    }
}

/* The objective as docs/ratings.md writes it, times the number of ratings. */
static double objective(const double *params, const struct triples *t, double mean, double l2)
{
    const double *p = params, *b = p + USERS * RANK, *q = b + USERS, *c = q + ITEMS * RANK;
    double sum = 0;
    for (size_t i = 0; i < t->rows; i++) {
        int64_t u = t->user[i], v = t->item[i];
        double z = mean + b[u] + c[v], square = b[u] * b[u] + c[v] * c[v];
        for (int k = 0; k < RANK; k++) {
            z += p[u * RANK + k] * q[v * RANK + k];
            square += p[u * RANK + k] * p[u * RANK + k] + q[v * RANK + k] * q[v * RANK + k];
        }
        sum += (z - t->rating[i]) * (z - t->rating[i]) + l2 / 2 * square;
    }
    return sum;
}

static void the_gradient_agrees_with_central_differences(void)
{
    int64_t user[40], item[40];
    double rating[40], before[PARAMS], after[PARAMS], mean = 0, rates[2] = {1e-300, 1e-8};
    for (int i = 0; i < 40; i++) {
        user[i] = i % USERS;
        item[i] = i * 5 % ITEMS;
        rating[i] = (i * 37 % 11) * 0.5;
        mean += rating[i] / 40;
    }
    const struct triples t = {40, user, item, rating};
    ratings_write(test_path("gradient.h5"), &t);
    for (int k = 0; k < 2; k++) {
        struct lab lab;
        struct gm_error err;
        ratings_job(&lab, test_path("gradient.h5"), "mse", test_path("model.h5"));
        lab.job.model.rank = RANK;
        lab.job.optimizer.learning_rate = rates[k];
        lab.job.optimizer.l2 = 0.3;
        lab.job.stop.max_epochs = 1;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        read_params(test_path("model.h5"), k ? after : before);
        if (k == 0) /* the objective is told per rating */
            ASSERT_CLOSE(lab_summary()->objective, objective(before, &t, mean, 0.3) / 40, 1e-12);
    }
    for (int i = 0; i < PARAMS; i++) {
        double h = 1e-4, at = before[i], high, low;
        before[i] = at + h;
        high = objective(before, &t, mean, 0.3);
        before[i] = at - h;
        low = objective(before, &t, mean, 0.3);
        before[i] = at;
        ASSERT_CLOSE((before[i] - after[i]) / rates[1], (high - low) / (2 * h), 1e-6);
    }
}

/* ---- known answers ---- */

/* r = 1 + a_u b_v for every user and item: mean, biases and one factor can say it without error. */
static void a_matrix_of_rank_one_is_recovered(void)
{
    int64_t user[80], item[80];
    double rating[80];
    for (int i = 0; i < 80; i++) {
        user[i] = i / 8;
        item[i] = i % 8;
        rating[i] = 1 + (0.3 * (double)(user[i] - 4)) * (0.4 * (double)(item[i] * item[i] % 5) - 0.5);
    }
    struct lab lab;
    struct gm_error err;
    ratings_write(test_path("one.h5"), &(struct triples){80, user, item, rating});
    ratings_job(&lab, test_path("one.h5"), "mse", test_path("model.h5"));
    lab.job.model.rank = 1;
    lab.job.stop.max_epochs = 3000;
    lab.job.stop.target_loss = 1e-16;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    CU_ASSERT(lab_summary()->train.rmse < 1e-7);
    CU_ASSERT(lab_summary()->train.r2 > 1 - 1e-12);
}

/* The generator's noise has a deviation of 0.5: no model can do better on ratings it has not seen, and one that has
 * some 8 parameters for 55 ratings loses little. */
static void held_out_ratings_are_predicted_to_the_noise(void)
{
    struct gm_error err;
    const struct make_options options = {
        .rows = 100000, .users = 600, .items = 400, .rank = 4, .noise = 0.5, .seed = 2};
    CU_ASSERT_EQUAL_FATAL(make_ratings(test_path("noise.h5"), &options, &err), GM_OK);
    for (int k = 0; k < 2; k++) {
        struct lab lab;
        ratings_job(&lab, test_path("noise.h5"), "mse", test_path("model.h5"));
        lab.job.optimizer.type = k ? GM_OPTIMIZER_ADAGRAD : GM_OPTIMIZER_SGD; /* the rate is found by itself */
        lab.job.run.precision = GM_FLOAT32;
        lab.job.model.rank = 4;
        lab.job.optimizer.l2 = 0.01;
        lab.job.data.validation_fraction = 0.1;
        lab.job.stop.loss_change = 1e-4;
        lab.job.stop.max_epochs = 100;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        CU_ASSERT(lab_summary()->validation.rmse > 0.49 && lab_summary()->validation.rmse < 0.525);
    }
}

/* With 18 ratings a user, 28 parameters each, what fits the ratings best in a few epochs predicts others badly: the
 * rate that is found is as good as the best of a ladder. */
static void the_rate_of_few_ratings_is_judged_by_others(void)
{
    const double rates[] = {NAN, 0.0025, 0.01, 0.04, 0.08};
    struct gm_error err;
    const struct make_options options = {
        .rows = 20000, .users = 1000, .items = 500, .rank = 8, .noise = 0.5, .seed = 1};
    double found = 0, best = INFINITY;
    CU_ASSERT_EQUAL_FATAL(make_ratings(test_path("sparse.h5"), &options, &err), GM_OK);
    for (size_t k = 0; k < sizeof rates / sizeof *rates; k++) {
        struct lab lab;
        ratings_job(&lab, test_path("sparse.h5"), "mse", NULL);
        lab.job.optimizer.type = GM_OPTIMIZER_SGD;
        lab.job.optimizer.learning_rate = rates[k];
        lab.job.optimizer.l2 = 0.02;
        lab.job.run.precision = GM_FLOAT32;
        lab.job.model.rank = 28;
        lab.job.data.validation_fraction = 0.1;
        lab.job.stop.max_epochs = 30;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        double rmse = lab_summary()->validation.rmse;
        printf("\n    rate %g: %.4f", rates[k], rmse);
        if (k == 0)
            found = rmse;
        else
            best = fmin(best, rmse);
    }
    CU_ASSERT(found < 1.005 * best);
}

/* Users like the items of their own kind: an event is an item of the same residue as the user, so a ranking that
 * knows has auc 1 - (share of its own kind) / 2. */
static void events_are_ranked_above_drawn_items(void)
{
    enum { ROWS = 12000 };
    static int64_t user[ROWS], item[ROWS];
    const struct random_key key = {5, RANDOM_CHECK, 0};
    for (int i = 0; i < ROWS; i++) {
        user[i] = (int64_t)random_below(key, 2 * (uint64_t)i, 400);
        item[i] = (int64_t)random_below(key, 2 * (uint64_t)i + 1, 50) * 4 + user[i] % 4;
    }
    struct lab lab;
    struct gm_error err;
    ratings_write(test_path("events.h5"), &(struct triples){ROWS, user, item, NULL});
    ratings_job(&lab, test_path("events.h5"), "logistic", test_path("model.h5"));
    lab.job.run.precision = GM_FLOAT32;
    lab.job.model.rank = 8;
    lab.job.optimizer.l2 = 0.01;
    lab.job.data.validation_fraction = 0.1;
    lab.job.stop.max_epochs = 40;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    const struct gm_metrics *m = &lab_summary()->validation;
    CU_ASSERT(m->auc > 0.84 && m->auc < 0.9); /* at best 1 - 0.25 / 2 */
    CU_ASSERT(m->hit_rate > 0.3 && m->ndcg > 0.1 && m->ndcg < m->hit_rate);
    CU_ASSERT(isnan(m->rmse) && isnan(m->accuracy));
}

/* ---- the same bits ---- */

static void same_on_any_threads(void (*adjust)(struct gm_job *), const char *data)
{
    static const int counts[] = THREADS_COMPARED;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct lab lab;
        struct gm_error err;
        ratings_job(&lab, data, "mse", test_path(i ? "other.h5" : "first.h5"));
        lab.job.run.precision = GM_FLOAT32;
        lab.job.data.validation_fraction = 0.2;
        lab.job.optimizer.l2 = 0.02;
        lab.job.stop.max_epochs = 3;
        lab.job.model.rank = 5;
        adjust(&lab.job);
        lab.job.run.threads = counts[i];
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        CU_ASSERT_EQUAL(lab_summary()->threads, counts[i]);
        if (i)
            CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
    }
}

static void by_sgd(struct gm_job *job)
{
    job->run.seed = 3;
}
static void by_adagrad(struct gm_job *job)
{
    job->optimizer.type = GM_OPTIMIZER_ADAGRAD;
    job->run.precision = GM_FLOAT64;
    job->optimizer.learning_rate = 0.1;
    job->optimizer.schedule = GM_SCHEDULE_COSINE;
}
static void as_events(struct gm_job *job)
{
    job->model.negatives = 3;
}

/* So many users that blocks have several tiles. */
static void with_tiles(struct gm_job *job)
{
    job->model.rank = 32;
    job->stop.max_epochs = 2;
    job->optimizer.learning_rate = 0.02;
}

static void blocks_of_several_tiles_give_the_same_model(void)
{
    struct gm_error err;
    const struct make_options options = {
        .rows = 140000, .users = 40000, .items = 300, .rank = 4, .noise = 0.5, .seed = 4};
    char data[512];
    snprintf(data, sizeof data, "%s", test_path("tiles.h5"));
    CU_ASSERT_EQUAL_FATAL(make_ratings(data, &options, &err), GM_OK);
    same_on_any_threads(with_tiles, data);
}

static void models_are_the_same_on_any_threads(void)
{
    struct gm_error err;
    const struct make_options options = {.rows = 30000, .users = 500, .items = 300, .rank = 4, .noise = 0.5, .seed = 4};
    char data[512];
    snprintf(data, sizeof data, "%s", test_path("same.h5")); /* test_path's buffers rotate */
    CU_ASSERT_EQUAL_FATAL(make_ratings(data, &options, &err), GM_OK);
    same_on_any_threads(by_sgd, data);
    same_on_any_threads(by_adagrad, data);
    same_on_any_threads(as_events, data);
}

static void fewer_ratings_than_threads_are_enough(void)
{
    ratings_write(test_path("few.h5"), &(struct triples){3, trace_user, trace_item, trace_rating});
    struct lab lab;
    struct gm_error err;
    ratings_job(&lab, test_path("few.h5"), "mse", test_path("model.h5"));
    lab.job.run.threads = 8;
    lab.job.stop.max_epochs = 2;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    CU_ASSERT(isfinite(lab_summary()->train.rmse));
}

TEST_MAIN("factorization", TEST(steps_agree_with_an_independent_computation),
          TEST(the_gradient_agrees_with_central_differences), TEST(a_matrix_of_rank_one_is_recovered),
          TEST(held_out_ratings_are_predicted_to_the_noise), TEST(the_rate_of_few_ratings_is_judged_by_others),
          TEST(events_are_ranked_above_drawn_items), TEST(models_are_the_same_on_any_threads),
          TEST(blocks_of_several_tiles_give_the_same_model), TEST(fewer_ratings_than_threads_are_enough))

/* Clustering and metric losses. Expected values by plain loops here. */
#include <math.h>

#include "plugins/harness.h"
#include "support.h"

enum { N = 5, WIDTH = 4 };
static const double pred[N * WIDTH] = {1, 2, 0.5, 1, -1, 0.3, -2, 1, 0.2, 0.4, 1, -1, 2, 2, 1, 3, -0.5, 1, 1, 0.1};

static struct gm_loss_result evaluate(struct harness *h, const double *x, const double *target, const double *weight,
                                      double *grad)
{
    struct gm_loss_result r = {.struct_size = sizeof r, .loss = NAN, .grad = grad};
    struct gm_loss_batch b = harness_batch(h, N, x, target);
    b.weight = weight;
    CU_ASSERT_EQUAL(h->loss->evaluate(&b, &r), GM_LOSS_OK);
    return r;
}

static double value(const struct subject *s, const double *target, const double *weight)
{
    struct harness h;
    CU_ASSERT_EQUAL(harness_open(&h, s), 0);
    double loss = evaluate(&h, pred, target, weight, NULL).loss;
    harness_close(&h);
    return loss;
}

static void kmeans_is_right(void)
{
    struct subject s = {.id = "kmeans", .outputs = 4};
    harness_check(&(struct subject){.id = "kmeans", .outputs = 3, .pred_high = 4});
    ASSERT_CLOSE(value(&s, NULL, NULL), 0.5 - 2 - 1 + 1 - 0.5, 1e-15);
}

/* More centres than fit into a strip of loss_rows.h, against the formula in long double. */
static void soft_kmeans_takes_many_centres(void)
{
    enum { CENTRES = 130 };
    struct harness h;
    double distance[CENTRES], grad[CENTRES], curve[CENTRES], b = 1.5;
    long double sum = 0;
    CU_ASSERT_EQUAL_FATAL(
        harness_open(&h, &(struct subject){.id = "soft_kmeans", .outputs = 4, .params = "stiffness=1.5"}), 0);
    h.outputs = CENTRES;
    for (int k = 0; k < CENTRES; k++) {
        distance[k] = (double)(k * k % 37) / 4;
        sum += expl(-b * distance[k]);
    }
    const struct gm_loss_batch batch = harness_batch(&h, 1, distance, NULL);
    struct gm_loss_result r = {.struct_size = sizeof r, .grad = grad, .hess_diag = curve};
    CU_ASSERT_EQUAL(h.loss->evaluate(&batch, &r), GM_LOSS_OK);
    ASSERT_CLOSE(r.loss, (double)(-logl(sum) / b), 1e-14);
    for (int k = 0; k < CENTRES; k++) {
        const double share = (double)(expl(-b * distance[k]) / sum);
        ASSERT_CLOSE(grad[k], share, 1e-15);
        ASSERT_CLOSE(curve[k], -b * share * (1 - share), 1e-15);
    }
    harness_close(&h);
}

static void soft_kmeans_is_right(void)
{
    struct subject s = {.id = "soft_kmeans", .outputs = 4, .params = "stiffness=1.5"};
    double expected = 0;
    harness_check(&(struct subject){.id = "soft_kmeans", .outputs = 3, .pred_high = 4});
    harness_check(&(struct subject){.id = "soft_kmeans", .outputs = 2, .params = "stiffness=0.2"});
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int k = 0; k < WIDTH; k++)
            sum += exp(-1.5 * pred[i * WIDTH + k]);
        expected -= log(sum) / 1.5;
    }
    ASSERT_CLOSE(value(&s, NULL, NULL), expected, 1e-14);
    harness_check_bounds(&s, "stiffness", 1e-3, 0);
}

static double similarity(int i, int j, double temperature, int normalize)
{
    const double *a = pred + i * WIDTH, *b = pred + j * WIDTH + 2;
    double dot = a[0] * b[0] + a[1] * b[1];
    return dot / (normalize ? hypot(a[0], a[1]) * hypot(b[0], b[1]) : 1) / temperature;
}

/* Rows of `weight` 0 take no part. */
static double info_nce(double temperature, int normalize, int symmetric, const double *weight)
{
    double loss = 0;
    for (int i = 0; i < N; i++) {
        double across = 0, down = 0, own = similarity(i, i, temperature, normalize);
        for (int j = 0; j < N; j++) {
            across += weight[j] > 0 ? exp(similarity(i, j, temperature, normalize)) : 0;
            down += weight[j] > 0 ? exp(similarity(j, i, temperature, normalize)) : 0;
        }
        loss += weight[i] * (symmetric ? (log(across) + log(down)) / 2 - own : log(across) - own);
    }
    return loss;
}

static void contrastive_is_right(void)
{
    static const double ones[N] = {1, 1, 1, 1, 1}, some[N] = {1, 0, 2, 1, 0.5};
    struct subject s = {.id = "contrastive", .outputs = 4};
    struct subject rough = {.id = "contrastive", .outputs = 4, .params = "temperature=0.5 symmetric=0 normalize=0"};
    harness_check(&(struct subject){.id = "contrastive", .outputs = 4, .params = "temperature=0.5"});
    harness_check(&(struct subject){.id = "contrastive", .outputs = 6});
    harness_check(&rough);
    ASSERT_CLOSE(value(&s, NULL, NULL), info_nce(0.07, 1, 1, ones), 1e-13);
    ASSERT_CLOSE(value(&s, NULL, some), info_nce(0.07, 1, 1, some), 1e-13);
    ASSERT_CLOSE(value(&rough, NULL, some), info_nce(0.5, 0, 0, some), 1e-13);
    struct harness h;
    struct gm_loss_result r = {.struct_size = sizeof r};
    CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = "contrastive", .outputs = 3}), 0);
    struct gm_loss_batch b = harness_batch(&h, 2, pred, NULL);
    CU_ASSERT_EQUAL(h.loss->evaluate(&b, &r), GM_LOSS_UNSUPPORTED);
    ASSERT_HOLDS(h.said, "even");
    harness_close(&h);
}

static void triplet_is_right(void)
{
    static const double label[N] = {0, 1, 0, 1, 2};
    struct subject s = {.id = "triplet", .outputs = 4, .classes = 3};
    double expected = 0;
    harness_check(&(struct subject){.id = "triplet", .outputs = 3, .classes = 3});
    harness_check(&(struct subject){.id = "triplet", .outputs = 2, .classes = 2, .params = "shape=1 margin=1"});
    for (int i = 0; i < N; i++) {
        double far = -1, near = HUGE_VAL;
        for (int j = 0; j < N; j++) {
            double d = 0;
            for (int k = 0; k < WIDTH; k++)
                d += pow(pred[i * WIDTH + k] - pred[j * WIDTH + k], 2);
            if (j != i && label[j] == label[i])
                far = fmax(far, sqrt(d));
            if (label[j] != label[i])
                near = fmin(near, sqrt(d));
        }
        expected += far >= 0 ? fmax(0, 0.2 + far - near) : 0; /* row 4 has no fellow */
    }
    ASSERT_CLOSE(value(&s, label, NULL), expected, 1e-14);
}

/* Whatever the order of the rows, loss and gradients are the same. */
static void batch_losses_do_not_see_the_order(void)
{
    static const int order[N] = {3, 0, 4, 2, 1};
    static const double label[N] = {0, 1, 0, 1, 2};
    static const char *ids[] = {"contrastive", "triplet"};
    for (int k = 0; k < 2; k++) {
        double mixed[N * WIDTH], mixed_label[N], grad[N * WIDTH], mixed_grad[N * WIDTH];
        struct harness h;
        for (int i = 0; i < N * WIDTH; i++)
            mixed[i] = pred[order[i / WIDTH] * WIDTH + i % WIDTH];
        for (int i = 0; i < N; i++)
            mixed_label[i] = label[order[i]];
        CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = ids[k], .outputs = 4, .classes = 3}), 0);
        double loss = evaluate(&h, pred, label, NULL, grad).loss;
        ASSERT_CLOSE(evaluate(&h, mixed, mixed_label, NULL, mixed_grad).loss, loss, 1e-12);
        for (int i = 0; i < N * WIDTH; i++)
            ASSERT_CLOSE(mixed_grad[i], grad[order[i / WIDTH] * WIDTH + i % WIDTH], 1e-11);
        harness_close(&h);
    }
}

TEST_MAIN("embedding", TEST(kmeans_is_right), TEST(soft_kmeans_is_right), TEST(soft_kmeans_takes_many_centres),
          TEST(contrastive_is_right), TEST(triplet_is_right), TEST(batch_losses_do_not_see_the_order))

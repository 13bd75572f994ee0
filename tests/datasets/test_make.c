/*
 * The generators. Expected values: moments of the distributions asked for, with their standard errors; the stored
 * truth, found again by least squares solved here; and a second computation of single numbers from the definition in
 * kernels/make.h with the C library's functions.
 */
#include "support.h"

#include <math.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/random.h"
#include "datasets/datasets.h"
#include "datasets/kernels/make.h"
#include "h5read.h"

static enum gm_code (*const makers[])(const char *, const struct make_options *, struct gm_error *) = {
    make_regression, make_classification, make_blobs, make_ratings, make_sparse};
enum { kinds = sizeof makers / sizeof *makers };

static const struct make_options small = {.rows = 3001,
                                          .features = 37,
                                          .classes = 5,
                                          .noise = 0.25,
                                          .seed = 42,
                                          .users = 211,
                                          .items = 97,
                                          .nonzeros = 7,
                                          .threads = 2};

static void make(enum gm_code (*maker)(const char *, const struct make_options *, struct gm_error *), const char *path,
                 const struct make_options *options)
{
    struct gm_error err = {0};
    enum gm_code code = maker(path, options, &err);
    if (code)
        printf("\n    %s\n", err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
}

/* ---- normals ---- */

static void normals_follow_their_definition(void)
{
    enum { rows = 50, columns = 11 };
    double got[rows * columns];
    const struct make_stream stream = {.seed = 12345678901234u, .purpose = RANDOM_MAKE, .stream = 3};
    const struct make_tile tile = {((uint64_t)1 << 32) - 20, rows}; /* across the low word's end */
    make_normals_baseline(&stream, &tile, columns, got);
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++) {
            struct random_key key = {stream.seed, RANDOM_MAKE, (uint32_t)(3u << 28 | column / 4)};
            uint32_t w[4];
            random_bits(key, tile.first + row, w);
            const uint32_t *pair = w + column % 4 / 2 * 2;
            double radius = sqrt(-2 * log((pair[0] + 0.5) * 0x1p-32)), angle = 6.283185307179586 * 0x1p-32 * pair[1];
            ASSERT_CLOSE(got[row * columns + column], radius * (column % 2 ? sin(angle) : cos(angle)), 1e-14);
        }
}

static void every_instruction_set_gives_the_same_bits(void)
{
    enum { rows = 300, columns = 13, outputs = 3 };
    static double a[rows * columns], b[rows * columns], p[rows * outputs], q[rows * outputs],
        weights[outputs * columns];
    const double bias[outputs] = {0.1, -2, 3};
    const struct make_stream stream = {.seed = 7, .purpose = RANDOM_MAKE, .stream = 1};
    const struct make_tile tile = {5, rows}, few = {0, outputs};
    const struct make_truth truth = {outputs, columns, weights, bias};
    make_normals_baseline(&stream, &few, columns, weights);
    make_normals_baseline(&stream, &tile, columns, a);
    make_project_baseline(a, &tile, &truth, p);
    make_exp_baseline(p, rows * outputs);
#if defined(__x86_64__)
    for (enum cpu_isa isa = CPU_AVX2; isa <= cpu_isa(); isa++) {
        KERNEL_PICK(make_normals, isa)(&stream, &tile, columns, b);
        CU_ASSERT(memcmp(a, b, sizeof a) == 0);
        KERNEL_PICK(make_project, isa)(b, &tile, &truth, q);
        KERNEL_PICK(make_exp, isa)(q, rows * outputs);
        CU_ASSERT(memcmp(p, q, sizeof p) == 0);
    }
#else
    (void)b, (void)q;
#endif
}

static void exponentials_are_accurate(void)
{
    double values[2001];
    for (int i = 0; i <= 2000; i++)
        values[i] = (i - 1000) * 0.6789;
    make_exp_baseline(values, 2001);
    for (int i = 0; i <= 2000; i++) {
        double expected = exp((i - 1000) * 0.6789);
        CU_ASSERT(fabs(values[i] - expected) <= 1e-15 * expected);
    }
}

/* ---- same bits ---- */

static void threads_and_repeats_change_no_byte(void)
{
    static const int threads[] = {2, 3, 5, 8};
    for (size_t k = 0; k < kinds; k++) {
        struct make_options options = small;
        options.threads = 1;
        make(makers[k], test_path("one.h5"), &options);
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            options.threads = threads[i];
            make(makers[k], test_path("many.h5"), &options);
            CU_ASSERT(same_files(test_path("one.h5"), test_path("many.h5")));
        }
        options.seed++;
        make(makers[k], test_path("many.h5"), &options);
        CU_ASSERT(!same_files(test_path("one.h5"), test_path("many.h5")));
    }
}

static void compression_changes_no_value(void)
{
    static const char *const names[kinds][3] = {{"X", "y", NULL},
                                                {"X", "y", NULL},
                                                {"X", "y", NULL},
                                                {"user_id", "item_id", "rating"},
                                                {"X/data", "X/indices", "y"}};
    for (size_t k = 0; k < kinds; k++) {
        struct make_options options = small;
        make(makers[k], test_path("plain.h5"), &options);
        options.compress = true;
        make(makers[k], test_path("packed.h5"), &options);
        make(makers[k], test_path("again.h5"), &options);
        CU_ASSERT(same_files(test_path("packed.h5"), test_path("again.h5")));
        for (size_t i = 0; i < 3 && names[k][i]; i++) {
            struct h5array a = h5array(test_path("plain.h5"), names[k][i]),
                           b = h5array(test_path("packed.h5"), names[k][i]);
            CU_ASSERT(!a.is_chunked && b.is_chunked && a.rows == b.rows && a.columns == b.columns);
            CU_ASSERT(memcmp(a.values, b.values, a.rows * a.columns * sizeof(double)) == 0);
            h5free(&a);
            h5free(&b);
        }
    }
}

static void more_rows_and_features_keep_the_numbers_that_were_there(void)
{
    struct make_options options = small;
    make(make_regression, test_path("a.h5"), &options);
    options.rows *= 2;
    options.features += 30;
    make(make_regression, test_path("b.h5"), &options);
    struct h5array a = h5array(test_path("a.h5"), "X"), b = h5array(test_path("b.h5"), "X");
    bool same = true;
    for (size_t row = 0; row < a.rows; row++)
        same = same && memcmp(a.values + row * a.columns, b.values + row * b.columns, a.columns * sizeof(double)) == 0;
    CU_ASSERT(same);
    h5free(&a);
    h5free(&b);
}

static void float64_is_the_same_data_unrounded(void)
{
    struct make_options options = small;
    make(make_blobs, test_path("a.h5"), &options);
    options.float64 = true;
    make(make_blobs, test_path("b.h5"), &options);
    struct h5array a = h5array(test_path("a.h5"), "X"), b = h5array(test_path("b.h5"), "X");
    CU_ASSERT(a.size == 4 && b.size == 8);
    for (size_t i = 0; i < a.rows * a.columns; i++)
        CU_ASSERT(a.values[i] == (double)(float)b.values[i]);
    h5free(&a);
    h5free(&b);
}

/* ---- distributions ---- */

static void features_are_standard_normal(void)
{
    struct make_options options = {.rows = 40000, .features = 25, .seed = 3};
    make(make_regression, test_path("n.h5"), &options);
    struct h5array x = h5array(test_path("n.h5"), "X");
    CU_ASSERT(x.is_float && x.size == 4 && x.rows == 40000 && x.columns == 25);
    double n = 1e6, sum[5] = {0}, neighbours = 0, below = 0;
    for (size_t i = 0; i < 1000000; i++) {
        double v = x.values[i], power = 1;
        for (int k = 1; k <= 4; k++)
            sum[k] += power *= v;
        neighbours += i % 25 ? v * x.values[i - 1] : 0;
        below += v < -1.959963984540054;
    }
    /* moments 0, 1, 0, 3 with variances 1, 2, 15, 96 over n; five standard errors */
    CU_ASSERT(fabs(sum[1] / n) < 5 * sqrt(1 / n));
    CU_ASSERT(fabs(sum[2] / n - 1) < 5 * sqrt(2 / n));
    CU_ASSERT(fabs(sum[3] / n) < 5 * sqrt(15 / n));
    CU_ASSERT(fabs(sum[4] / n - 3) < 5 * sqrt(96 / n));
    CU_ASSERT(fabs(neighbours / n) < 5 * sqrt(1 / n));
    CU_ASSERT(fabs(below / n - 0.025) < 5 * sqrt(0.025 * 0.975 / n)); /* the table's 2.5 % point */
    h5free(&x);
}

/* Solve the n x n system in place by elimination with row exchanges. */
static void solve(double *a, double *b, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        size_t pivot = k;
        for (size_t i = k + 1; i < n; i++)
            pivot = fabs(a[i * n + k]) > fabs(a[pivot * n + k]) ? i : pivot;
        for (size_t j = 0; j < n; j++) {
            double t = a[k * n + j];
            a[k * n + j] = a[pivot * n + j];
            a[pivot * n + j] = t;
        }
        double t = b[k];
        b[k] = b[pivot];
        b[pivot] = t;
        for (size_t i = 0; i < n; i++) {
            double f = i == k ? 0 : a[i * n + k] / a[k * n + k];
            for (size_t j = k; j < n && f != 0; j++)
                a[i * n + j] -= f * a[k * n + j];
            b[i] -= f * b[k];
        }
    }
    for (size_t k = 0; k < n; k++)
        b[k] /= a[k * n + k];
}

/* Ordinary least squares of y on [X 1] by the normal equations; coefficients then intercept in b[features + 1]. */
static void least_squares(const struct h5array *x, const struct h5array *y, double *b)
{
    size_t d = x->columns, n = d + 1;
    double *a = calloc(n * n, sizeof(double));
    memset(b, 0, n * sizeof(double));
    for (size_t row = 0; row < x->rows; row++)
        for (size_t i = 0; i < n; i++) {
            double xi = i < d ? x->values[row * d + i] : 1;
            for (size_t j = 0; j < n; j++)
                a[i * n + j] += xi * (j < d ? x->values[row * d + j] : 1);
            b[i] += xi * y->values[row];
        }
    solve(a, b, n);
    free(a);
}

static void least_squares_finds_the_truth_of_a_regression(void)
{
    static const struct {
        double noise, tolerance;
        bool float64;
    } cases[] = {
        {0, 1e-12, true},          /* exact but for rounding */
        {0, 1e-6, false},          /* y is rounded to float32 */
        {0.5, 5 * 0.5 / 140, true} /* standard error noise / sqrt(rows), rows = 20000 */
    };
    for (size_t c = 0; c < 3; c++) {
        struct make_options options = {.rows = 20000,
                                       .features = 12,
                                       .informative = 5,
                                       .noise = cases[c].noise,
                                       .seed = 9,
                                       .float64 = cases[c].float64};
        make(make_regression, test_path("r.h5"), &options);
        struct h5array x = h5array(test_path("r.h5"), "X"), y = h5array(test_path("r.h5"), "y");
        struct h5array w = h5array(test_path("r.h5"), "truth/coefficients"),
                       b = h5array(test_path("r.h5"), "truth/intercept");
        double found[13];
        least_squares(&x, &y, found);
        size_t zeros = 0;
        for (size_t i = 0; i < 12; i++) {
            ASSERT_CLOSE(found[i], w.values[i], cases[c].tolerance);
            zeros += w.values[i] == 0;
        }
        ASSERT_CLOSE(found[12], b.values[0], cases[c].tolerance);
        CU_ASSERT_EQUAL(zeros, 7);
        CU_ASSERT(w.rank == 2 && w.rows == 1 && w.columns == 12 && b.rank == 1);
        h5free(&x), h5free(&y), h5free(&w), h5free(&b);
    }
}

/* The mean over rows of (label is k) - (probability of k) times each feature is 0 at the truth: the gradient of the
 * likelihood. Standard error at most 0.5 / sqrt(rows). */
static void classes_follow_the_softmax_of_the_truth(void)
{
    enum { rows = 40000, d = 6, classes = 4 };
    struct make_options options = {.rows = rows, .features = d, .classes = classes, .seed = 21};
    make(make_classification, test_path("c.h5"), &options);
    struct h5array x = h5array(test_path("c.h5"), "X"), y = h5array(test_path("c.h5"), "y");
    struct h5array w = h5array(test_path("c.h5"), "truth/coefficients"),
                   b = h5array(test_path("c.h5"), "truth/intercept");
    CU_ASSERT(y.size == 1 && !y.is_float && w.rows == classes && w.columns == d && b.rows == classes);
    double gradient[classes][d + 1] = {0};
    for (size_t row = 0; row < rows; row++) {
        double p[classes], sum = 0;
        for (size_t k = 0; k < classes; k++) {
            p[k] = b.values[k];
            for (size_t i = 0; i < d; i++)
                p[k] += w.values[k * d + i] * x.values[row * d + i];
            sum += p[k] = exp(p[k]);
        }
        for (size_t k = 0; k < classes; k++)
            for (size_t i = 0; i <= d; i++)
                gradient[k][i] += ((y.values[row] == (double)k) - p[k] / sum) * (i < d ? x.values[row * d + i] : 1);
    }
    for (size_t k = 0; k < classes; k++)
        for (size_t i = 0; i <= d; i++)
            CU_ASSERT(fabs(gradient[k][i] / rows) < 5 * 0.5 / sqrt(rows));
    h5free(&x), h5free(&y), h5free(&w), h5free(&b);
}

static void noise_replaces_labels(void)
{
    struct make_options options = {.rows = 50000, .features = 8, .classes = 4, .seed = 5};
    make(make_classification, test_path("c0.h5"), &options);
    options.noise = 0.2;
    make(make_classification, test_path("c2.h5"), &options);
    struct h5array a = h5array(test_path("c0.h5"), "y"), b = h5array(test_path("c2.h5"), "y");
    double other = 0;
    for (size_t i = 0; i < a.rows; i++)
        other += a.values[i] != b.values[i];
    /* a fifth is replaced, three quarters of those by another class: 0.15 */
    CU_ASSERT(fabs(other / 50000 - 0.15) < 5 * sqrt(0.15 * 0.85 / 50000));
    h5free(&a), h5free(&b);
}

static void blobs_lie_around_their_centres(void)
{
    enum { rows = 30000, d = 3, classes = 5 };
    struct make_options options = {.rows = rows, .features = d, .classes = classes, .noise = 0.5, .seed = 2};
    make(make_blobs, test_path("b.h5"), &options);
    struct h5array x = h5array(test_path("b.h5"), "X"), y = h5array(test_path("b.h5"), "y");
    struct h5array c = h5array(test_path("b.h5"), "truth/centroids");
    double count[classes] = {0}, mean[classes][d] = {0}, squares = 0;
    for (size_t row = 0; row < rows; row++) {
        size_t k = (size_t)y.values[row];
        CU_ASSERT_FATAL(k < classes);
        count[k]++;
        for (size_t i = 0; i < d; i++) {
            double off = x.values[row * d + i] - c.values[k * d + i];
            mean[k][i] += off;
            squares += off * off;
        }
    }
    for (size_t k = 0; k < classes; k++) {
        CU_ASSERT(fabs(count[k] / rows - 0.2) < 5 * sqrt(0.2 * 0.8 / rows));
        for (size_t i = 0; i < d; i++)
            CU_ASSERT(fabs(mean[k][i] / count[k]) < 5 * 0.5 / sqrt(count[k]));
    }
    CU_ASSERT(fabs(squares / (rows * d) - 0.25) < 5 * 0.25 * sqrt(2.0 / (rows * d)));
    h5free(&x), h5free(&y), h5free(&c);
}

static void ratings_are_distinct_pairs_with_the_values_of_the_truth(void)
{
    enum { users = 60, items = 37, rank = 4, rows = users * items }; /* every pair exactly once */
    struct make_options options = {
        .rows = rows, .users = users, .items = items, .rank = rank, .seed = 13, .float64 = true};
    make(make_ratings, test_path("u.h5"), &options);
    struct h5array u = h5array(test_path("u.h5"), "user_id"), i = h5array(test_path("u.h5"), "item_id");
    struct h5array r = h5array(test_path("u.h5"), "rating"), mean = h5array(test_path("u.h5"), "truth/mean");
    struct h5array p = h5array(test_path("u.h5"), "truth/users/factors"),
                   pb = h5array(test_path("u.h5"), "truth/users/bias");
    struct h5array q = h5array(test_path("u.h5"), "truth/items/factors"),
                   qb = h5array(test_path("u.h5"), "truth/items/bias");
    CU_ASSERT(u.rank == 1 && u.rows == rows && p.rows == users && p.columns == rank && q.rows == items);
    char seen[users * items] = {0};
    for (size_t k = 0; k < rows; k++) {
        size_t user = (size_t)u.values[k], item = (size_t)i.values[k];
        CU_ASSERT_FATAL(user < users && item < items && !seen[user * items + item]);
        seen[user * items + item] = 1;
        double expected = mean.values[0] + pb.values[user] + qb.values[item];
        for (size_t j = 0; j < rank; j++)
            expected += p.values[user * rank + j] * q.values[item * rank + j];
        ASSERT_CLOSE(r.values[k], expected, 1e-14);
    }
    uint64_t shape[2];
    CU_ASSERT(h5numbers(test_path("u.h5"), "/", "shape", shape) == 2 && shape[0] == users && shape[1] == items);
    h5free(&u), h5free(&i), h5free(&r), h5free(&mean), h5free(&p), h5free(&pb), h5free(&q), h5free(&qb);
}

static void ratings_of_a_few_pairs_are_spread_evenly(void)
{
    struct make_options options = {.rows = 20000, .users = 1000, .items = 200, .seed = 1};
    make(make_ratings, test_path("v.h5"), &options);
    struct h5array u = h5array(test_path("v.h5"), "user_id"), i = h5array(test_path("v.h5"), "item_id");
    double users = 0, items = 0;
    for (size_t k = 0; k < u.rows; k++)
        users += u.values[k], items += i.values[k];
    CU_ASSERT(fabs(users / 20000 - 499.5) < 5 * 1000 / sqrt(12.0 * 20000)); /* of a uniform: width / sqrt(12 n) */
    CU_ASSERT(fabs(items / 20000 - 99.5) < 5 * 200 / sqrt(12.0 * 20000));
    h5free(&u), h5free(&i);
}

static void sparse_rows_are_valid_csr_with_labels_of_the_truth(void)
{
    enum { rows = 20000, d = 1000, k = 9 };
    struct make_options options = {.rows = rows, .features = d, .nonzeros = k, .seed = 31};
    make(make_sparse, test_path("s.h5"), &options);
    struct h5array data = h5array(test_path("s.h5"), "X/data"), at = h5array(test_path("s.h5"), "X/indices");
    struct h5array start = h5array(test_path("s.h5"), "X/indptr"), y = h5array(test_path("s.h5"), "y");
    struct h5array w = h5array(test_path("s.h5"), "truth/coefficients"),
                   b = h5array(test_path("s.h5"), "truth/intercept");
    uint64_t shape[2];
    CU_ASSERT(h5numbers(test_path("s.h5"), "/X", "shape", shape) == 2 && shape[0] == rows && shape[1] == d);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("s.h5"), "/X", "encoding-type"), "csr_matrix");
    CU_ASSERT(data.rank == 1 && data.rows == rows * k && at.rows == rows * k && start.rows == rows + 1);
    double gradient = 0, intercept = 0;
    for (size_t row = 0; row < rows; row++) {
        CU_ASSERT_EQUAL(start.values[row], (double)(row * k));
        double score = b.values[0];
        for (size_t j = row * k; j < (row + 1) * k; j++) {
            CU_ASSERT_FATAL(at.values[j] >= 0 && at.values[j] < d && (j == row * k || at.values[j] > at.values[j - 1]));
            score += data.values[j] * w.values[(size_t)at.values[j]];
        }
        double residual = y.values[row] - 1 / (1 + exp(-score));
        gradient += residual * score; /* along the truth: 0 at the truth, as in the classes' test */
        intercept += residual;
    }
    CU_ASSERT(fabs(gradient / rows) < 5 * 0.5 * 3.5 / sqrt(rows)); /* scores spread by sqrt(3^2 + b^2) */
    CU_ASSERT(fabs(intercept / rows) < 5 * 0.5 / sqrt(rows));
    h5free(&data), h5free(&at), h5free(&start), h5free(&y), h5free(&w), h5free(&b);
}

/* ---- edges ---- */

static void one_row_and_one_feature_are_enough(void)
{
    for (size_t k = 0; k < kinds; k++) {
        struct make_options options = {.rows = 1, .features = 1, .users = 1, .items = 1, .seed = 1, .threads = 8};
        make(makers[k], test_path("tiny.h5"), &options);
    }
    struct make_options wide = {.rows = 3, .features = 300000, .seed = 1, .threads = 2};
    make(make_regression, test_path("wide.h5"), &wide);
    struct h5array x = h5array(test_path("wide.h5"), "X");
    CU_ASSERT(x.rows == 3 && x.columns == 300000);
    h5free(&x);
}

static void counts_that_make_no_sense_are_refused(void)
{
    static const struct {
        enum gm_code (*maker)(const char *, const struct make_options *, struct gm_error *);
        struct make_options options;
        const char *part;
    } cases[] = {
        {make_regression, {.rows = 0, .features = 2}, "rows: expected 1 to 2^48, found 0"},
        {make_regression, {.rows = 2, .features = 0}, "features: expected 1 to"},
        {make_regression, {.rows = 2, .features = 2, .noise = -1}, "noise: expected a number >= 0, found -1"},
        {make_regression, {.rows = 2, .features = 2, .noise = NAN}, "noise"},
        {make_regression, {.rows = 2, .features = 2, .informative = 3}, "informative: expected at most the 2"},
        {make_classification, {.rows = 2, .features = 2, .classes = 1}, "classes: expected 2 to"},
        {make_classification, {.rows = 2, .features = 2, .noise = 1.5}, "expected a share"},
        {make_ratings, {.rows = 7, .users = 2, .items = 3}, "2 users and 3 items make 6 different pairs, found 7 rows"},
        {make_sparse, {.rows = 2, .features = 3, .nonzeros = 4}, "at most as many non-zeros"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gm_error err = {0};
        CU_ASSERT_EQUAL(cases[i].maker(test_path("bad.h5"), &cases[i].options, &err), GM_USAGE);
        ASSERT_HOLDS(err.text, cases[i].part);
        CU_ASSERT(access(test_path("bad.h5"), F_OK) != 0 && access(test_path("bad.h5.tmp"), F_OK) != 0);
    }
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(make_blobs(test_path("none/bad.h5"), &small, &err), GM_CANNOT_CREATE);
}

static void the_list_of_kinds_makes_files(void)
{
    CU_ASSERT_EQUAL(make_kind_count, kinds);
    for (size_t k = 0; k < make_kind_count; k++) {
        make(make_kinds[k].make, test_path("kind.h5"), &small);
        ASSERT_HOLDS(h5text(test_path("kind.h5"), "/", "source"), make_kinds[k].name);
        uint64_t seed = 0;
        CU_ASSERT(h5numbers(test_path("kind.h5"), "/", "seed", &seed) == 1 && seed == 42);
    }
}

TEST_MAIN("make", TEST(normals_follow_their_definition), TEST(every_instruction_set_gives_the_same_bits),
          TEST(exponentials_are_accurate), TEST(threads_and_repeats_change_no_byte), TEST(compression_changes_no_value),
          TEST(more_rows_and_features_keep_the_numbers_that_were_there), TEST(float64_is_the_same_data_unrounded),
          TEST(features_are_standard_normal), TEST(least_squares_finds_the_truth_of_a_regression),
          TEST(classes_follow_the_softmax_of_the_truth), TEST(noise_replaces_labels),
          TEST(blobs_lie_around_their_centres), TEST(ratings_are_distinct_pairs_with_the_values_of_the_truth),
          TEST(ratings_of_a_few_pairs_are_spread_evenly), TEST(sparse_rows_are_valid_csr_with_labels_of_the_truth),
          TEST(one_row_and_one_feature_are_enough), TEST(counts_that_make_no_sense_are_refused),
          TEST(the_list_of_kinds_makes_files))

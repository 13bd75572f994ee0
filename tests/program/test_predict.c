/*
 * gradmill predict and evaluate as a script sees them. Truths: data made without noise are predicted exactly; metrics
 * are computed here, in another order of summation, from the predictions that were written.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <hdf5.h>
#include <jansson.h>

#include "base/text.h"

enum { ROWS = 300, IRIS = 150, SPECIES = 3 };

static void run(const char *const *arguments)
{
    struct test_result result = test_program(arguments);
    if (result.exit_code != 0)
        printf("\n    %s %s\n", arguments[0], result.err);
    CU_ASSERT_EQUAL_FATAL(result.exit_code, 0);
    test_result_free(&result);
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

/* linear.h5 on r.h5, and iris_model.h5 on iris.h5 (150 rows, classes setosa, versicolor, virginica). */
static void prepare(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    test_write(test_path("linear.yaml"), "data: {train: r.h5}\nloss: mse\nrun: {precision: float64}\n"
                                         "output: {model: linear.h5, log: null}\nstop: {loss_change: 1e-14}\n");
    test_write(test_path("iris.yaml"), "data: {train: iris.h5}\nloss: cross_entropy\n"
                                       "output: {model: iris_model.h5, log: null}\noptimizer: {l2: 0.01}\n");
    RUN("make", "regression", "-o", "r.h5", "--rows", "300", "--features", "3", "--float64", "--seed", "5");
    RUN("import", test_source("datasets/samples/iris.csv"), "-o", "iris.h5");
    RUN("train", "linear.yaml", "-q");
    RUN("train", "iris.yaml", "-q");
}

static void read_array(const char *file, const char *name, double *values, size_t count)
{
    hid_t f = H5Fopen(test_path(file), H5F_ACC_RDONLY, H5P_DEFAULT), d = H5Dopen2(f, name, H5P_DEFAULT);
    CU_ASSERT_FATAL(d >= 0);
    hid_t space = H5Dget_space(d);
    CU_ASSERT_EQUAL_FATAL(H5Sget_simple_extent_npoints(space), (hssize_t)count);
    CU_ASSERT_FATAL(H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Sclose(space);
    H5Dclose(d);
    H5Fclose(f);
}

static void exact_data_are_predicted_exactly(void)
{
    double pred[ROWS], target[ROWS];
    prepare();
    struct test_result result = PROGRAM("predict", "linear.h5", "r.h5", "-o", "p.h5");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    CU_ASSERT_STRING_EQUAL(result.out, "");
    ASSERT_HOLDS(result.err, "wrote p.h5: /predictions [300 x 1]");
    test_result_free(&result);
    read_array("p.h5", "/predictions", pred, ROWS);
    read_array("r.h5", "/y", target, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        ASSERT_CLOSE(pred[i], target[i], 1e-6);
}

/* The numbers of the CSV read back as the very doubles of the HDF5 file. */
static void csv_holds_the_same_bits(void)
{
    double pred[ROWS], value;
    prepare();
    RUN("predict", "linear.h5", "r.h5", "-o", "same.h5", "--quiet");
    read_array("same.h5", "/predictions", pred, ROWS);
    struct test_result result = PROGRAM("predict", "linear.h5", "r.h5", "-o", "-");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    CU_ASSERT_STRING_EQUAL(result.err, "");
    char *save = NULL, *line = strtok_r(result.out, "\n", &save);
    CU_ASSERT_STRING_EQUAL(line, "prediction");
    size_t rows = 0;
    for (line = strtok_r(NULL, "\n", &save); line; line = strtok_r(NULL, "\n", &save), rows++) {
        CU_ASSERT_FATAL(rows < ROWS);
        CU_ASSERT(text_real(line, &value) && value == pred[rows]);
    }
    CU_ASSERT_EQUAL(rows, ROWS);
    test_result_free(&result);
}

static void a_classifier_gives_probabilities_and_classes(void)
{
    static double pred[IRIS * SPECIES], classes[IRIS];
    prepare();
    RUN("predict", "iris_model.h5", "iris.h5", "-o", "species.h5");
    read_array("species.h5", "/predictions", pred, IRIS * SPECIES);
    read_array("species.h5", "/classes", classes, IRIS);
    for (size_t i = 0; i < IRIS; i++) {
        const double *row = pred + i * SPECIES;
        ASSERT_CLOSE(row[0] + row[1] + row[2], 1, 1e-12);
        CU_ASSERT(row[(size_t)classes[i]] == fmax(row[0], fmax(row[1], row[2])));
    }
    struct test_result result = PROGRAM("predict", "iris_model.h5", "iris.h5", "-o", "-");
    ASSERT_HOLDS(result.out, "class,setosa,versicolor,virginica\nsetosa,0.9");
    test_result_free(&result);
}

/* Softmax of the link scale is the response scale: log p_a - log p_b = raw_a - raw_b. */
static void raw_is_the_link_scale(void)
{
    static double pred[IRIS * SPECIES], raw[IRIS * SPECIES];
    prepare();
    RUN("predict", "iris_model.h5", "iris.h5", "-o", "response.h5");
    RUN("predict", "iris_model.h5", "iris.h5", "-o", "raw.h5", "--raw");
    read_array("response.h5", "/predictions", pred, IRIS * SPECIES);
    read_array("raw.h5", "/predictions", raw, IRIS * SPECIES);
    for (size_t i = 0; i < IRIS * SPECIES; i += SPECIES)
        for (size_t k = 1; k < SPECIES; k++)
            ASSERT_CLOSE(log(pred[i + k]) - log(pred[i]), raw[i + k] - raw[i], 1e-9);
}

static void evaluate_agrees_with_the_predictions(void)
{
    static double pred[IRIS * SPECIES], classes[IRIS], truth[IRIS];
    double right = 0, log_loss = 0;
    prepare();
    RUN("predict", "iris_model.h5", "iris.h5", "-o", "e.h5");
    read_array("e.h5", "/predictions", pred, IRIS * SPECIES);
    read_array("e.h5", "/classes", classes, IRIS);
    read_array("iris.h5", "/y", truth, IRIS);
    for (size_t i = IRIS; i-- > 0;) {
        right += classes[i] == truth[i];
        log_loss -= log(pred[i * SPECIES + (size_t)truth[i]]) / IRIS;
    }
    struct test_result result = PROGRAM("evaluate", "iris_model.h5", "iris.h5", "--json");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    CU_ASSERT_PTR_EQUAL(strchr(result.out, '\n'), result.out + strlen(result.out) - 1);
    json_t *object = json_loads(result.out, 0, NULL);
    CU_ASSERT_FATAL(json_is_object(object));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(object, "rows")), IRIS);
    ASSERT_CLOSE(json_number_value(json_object_get(object, "accuracy")), right / IRIS, 1e-12);
    ASSERT_CLOSE(json_number_value(json_object_get(object, "log_loss")), log_loss, 1e-10);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(json_object_get(object, "class_names"), 2)), "virginica");
    json_t *confusion = json_object_get(object, "confusion");
    double diagonal = 0;
    for (size_t k = 0; k < SPECIES; k++)
        diagonal += json_number_value(json_array_get(json_array_get(confusion, k), k));
    CU_ASSERT_EQUAL(diagonal, right);
    json_decref(object);
    test_result_free(&result);
}

static void evaluate_prints_an_aligned_table(void)
{
    prepare();
    struct test_result result = PROGRAM("evaluate", "iris_model.h5", "iris.h5");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    CU_ASSERT_STRING_EQUAL(result.err, "");
    ASSERT_HOLDS(result.out, "rows      150\n");
    ASSERT_HOLDS(result.out, "(cross_entropy)\n");
    ASSERT_HOLDS(result.out, "    setosa          50           .           .    100.0 %\n");
    test_result_free(&result);
    result = PROGRAM("evaluate", "linear.h5", "r.h5");
    ASSERT_HOLDS(result.out, "\nr2     1\n");
    test_result_free(&result);
}

static void inspect_tells_what_a_file_holds(void)
{
    prepare();
    struct test_result result = PROGRAM("inspect", "iris_model.h5");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    CU_ASSERT_STRING_EQUAL(result.err, "");
    ASSERT_HOLDS(result.out, "cross_entropy");
    ASSERT_HOLDS(result.out, "virginica");
    test_result_free(&result);
    result = PROGRAM("inspect", "iris.h5");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    ASSERT_HOLDS(result.out, "150");
    test_result_free(&result);
    result = PROGRAM("inspect", "nothere.h5");
    CU_ASSERT_EQUAL(result.exit_code, 66);
    CU_ASSERT_STRING_EQUAL(result.out, "");
    test_result_free(&result);
    result = PROGRAM("inspect", "iris.yaml");
    CU_ASSERT_EQUAL(result.exit_code, 65);
    test_result_free(&result);
}

/* ---- mistakes ---- */

struct mistake {
    const char *model, *data, *output;
    int code;
    const char *message;
};

static void mistakes_have_their_code_and_leave_nothing(void)
{
    static const struct mistake cases[] = {
        {"nothere.h5", "r.h5", "x.h5", 66, "nothere.h5"},
        {"linear.h5", "nothere.h5", "x.h5", 66, "nothere.h5"},
        {"r.h5", "r.h5", "x.h5", 65, "not a gradmill model"},
        {"linear.yaml", "r.h5", "x.h5", 65, "linear.yaml"},
        {"linear.h5", "iris.h5", "x.h5", 65, "4 features"},
        {"linear.h5", "r.h5", "nowhere/x.h5", 73, "nowhere/x.h5: cannot be created"},
        {"linear.h5", "r.h5", "r.h5", 64, "is one of the inputs"},
        {"linear.h5", "r.h5:/", "r.h5", 64, "is one of the inputs"},
        {"linear.h5", "r.h5", "linear.h5", 64, "is one of the inputs"},
    };
    struct stat status;
    prepare();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_result result = PROGRAM("predict", cases[i].model, cases[i].data, "-o", cases[i].output);
        if (result.exit_code != cases[i].code)
            printf("\n    %s on %s: exit code %d", cases[i].model, cases[i].data, result.exit_code);
        CU_ASSERT_EQUAL(result.exit_code, cases[i].code);
        ASSERT_HOLDS(result.err, cases[i].message);
        CU_ASSERT_STRING_EQUAL(result.out, "");
        CU_ASSERT(stat(test_path("x.h5"), &status) != 0 && stat(test_path("x.h5.tmp"), &status) != 0);
        test_result_free(&result);
        if (cases[i].code == 64 || cases[i].code == 73)
            continue;
        result = PROGRAM("evaluate", cases[i].model, cases[i].data);
        CU_ASSERT_EQUAL(result.exit_code, cases[i].code);
        test_result_free(&result);
    }
}

static bool same_bytes(const char *a, const char *b)
{
    char one[1 << 16], two[1 << 16];
    FILE *first = fopen(test_path(a), "rb"), *second = fopen(test_path(b), "rb");
    CU_ASSERT_FATAL(first && second);
    size_t n = fread(one, 1, sizeof one, first), m = fread(two, 1, sizeof two, second);
    fclose(first);
    fclose(second);
    return n == m && n < sizeof one && memcmp(one, two, n) == 0;
}

/* The same values whichever way they are read: gzipped chunks, HDF5's own reading; a way that cannot be is refused. */
static void every_way_of_reading_gives_the_same_model_and_predictions(void)
{
    static double chunks[ROWS], bands[ROWS];
    prepare();
    RUN("make", "regression", "-o", "gzip.h5", "--rows", "300", "--features", "3", "--float64", "--seed", "5",
        "--compress");
    test_write(test_path("gzip.yaml"), "data: {train: gzip.h5, io: chunks}\nloss: mse\n"
                                       "output: {model: chunks.h5, log: null}\nrun: {precision: float64}\n");
    RUN("train", "gzip.yaml", "-q");
    struct test_result result = PROGRAM("train", "gzip.yaml", "--io=bands", "--set", "output.model=bands.h5");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    ASSERT_HOLDS(result.err, "slow path, HDF5 itself reads the features, because it was asked for.");
    test_result_free(&result);
    CU_ASSERT(same_bytes("chunks.h5", "bands.h5"));
    RUN("predict", "chunks.h5", "gzip.h5", "-o", "pc.h5", "-q");
    RUN("predict", "chunks.h5", "gzip.h5", "-o", "pb.h5", "--io", "bands", "-q");
    read_array("pc.h5", "/predictions", chunks, ROWS);
    read_array("pb.h5", "/predictions", bands, ROWS);
    CU_ASSERT_EQUAL(memcmp(chunks, bands, sizeof chunks), 0);
    result = PROGRAM("evaluate", "chunks.h5", "gzip.h5", "--io", "mapped");
    CU_ASSERT_EQUAL(result.exit_code, 65);
    ASSERT_HOLDS(result.err, "cannot be read as mapped, because it is stored in chunks");
    test_result_free(&result);
    result = PROGRAM("evaluate", "chunks.h5", "gzip.h5", "--io", "fast");
    CU_ASSERT_EQUAL(result.exit_code, 64);
    test_result_free(&result);
}

TEST_MAIN("predict", TEST(exact_data_are_predicted_exactly), TEST(csv_holds_the_same_bits),
          TEST(a_classifier_gives_probabilities_and_classes), TEST(raw_is_the_link_scale),
          TEST(evaluate_agrees_with_the_predictions), TEST(evaluate_prints_an_aligned_table),
          TEST(inspect_tells_what_a_file_holds), TEST(mistakes_have_their_code_and_leave_nothing),
          TEST(every_way_of_reading_gives_the_same_model_and_predictions))

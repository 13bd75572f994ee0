/* gradmill import, make and plot as a script sees them. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool exists(const char *name)
{
    struct stat status;
    return stat(test_path(name), &status) == 0;
}

static void same_bytes(const char *a, const char *b, bool same)
{
    char command[1200];
    snprintf(command, sizeof command, "cmp -s '%s' '%s'", test_path(a), test_path(b));
    CU_ASSERT_EQUAL(system(command) == 0, same);
}

static void expect(const char *const *arguments, int code, const char *err)
{
    struct test_result result = test_program(arguments);
    if (result.exit_code != code)
        printf("\n    %s %s: exit code %d\n%s", arguments[0], arguments[1], result.exit_code, result.err);
    CU_ASSERT_EQUAL(result.exit_code, code);
    CU_ASSERT_STRING_EQUAL(result.out, "");
    if (err)
        ASSERT_HOLDS(result.err, err);
    else
        CU_ASSERT_STRING_EQUAL(result.err, "");
    test_result_free(&result);
}
#define EXPECT(code, err, ...) expect((const char *const[]){__VA_ARGS__, NULL}, code, err)

static void import_says_what_it_wrote(void)
{
    EXPECT(0, "wrote iris.h5: 150 rows x 4 features, target \"target\" with 3 classes", "import",
           test_source("datasets/samples/iris.csv"), "-o", "iris.h5");
    test_write(test_path("a.csv"), "x,y,z\n1,2,3\n4,5,6\n");
    EXPECT(0, "wrote a.h5: 2 rows x 2 features, target \"z\"", "import", "-o", "a.h5", "a.csv", "--target", "z");
    EXPECT(0, "wrote a.h5: 2 rows x 3 features, no target", "import", "a.csv", "-o", "a.h5", "--no-target");
    EXPECT(0, "wrote a.h5: 2 rows x 1 features, target \"y\"", "import", "a.csv", "-o", "a.h5", "--drop", "x");
    EXPECT(0, NULL, "import", "a.csv", "a.csv", "-o", "twice.h5", "--quiet", "--compress", "--shuffle", "3");
    CU_ASSERT(exists("twice.h5"));
}

/* Each format twice, shuffled and compressed: all of a file's bytes are a function of the input and the options. */
static void every_importer_writes_the_same_bytes_twice(void)
{
    static const unsigned char idx[] = {0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6};
    static const char npy[] = "\x93NUMPY\x01\x00\x46\x00{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }"
                              "             \n\x01\x02\x03\x04\x05\x06";
    test_write(test_path("one.csv"), "a,b\n1,2\n3,4\n5,6\n");
    test_write(test_path("one.libsvm"), "1 1:2 3:4\n0 2:5\n1 1:1\n");
    FILE *file = fopen(test_path("one.idx"), "wb");
    CU_ASSERT(fwrite(idx, 1, sizeof idx, file) == sizeof idx && fclose(file) == 0);
    file = fopen(test_path("one.npy"), "wb");
    CU_ASSERT(fwrite(npy, 1, sizeof npy - 1, file) == sizeof npy - 1 && fclose(file) == 0);
    static const char *const inputs[] = {"one.csv", "one.libsvm", "one.idx", "one.npy"};
    for (size_t i = 0; i < 4; i++) {
        EXPECT(0, NULL, "import", inputs[i], "-o", "once.h5", "--compress", "--shuffle", "7", "--quiet");
        EXPECT(0, NULL, "import", inputs[i], "-o", "again.h5", "--compress", "--shuffle", "7", "--quiet");
        same_bytes("once.h5", "again.h5", true);
    }
}

static void import_names_what_is_wrong(void)
{
    test_write(test_path("bad.csv"), "a,b\n1,2\n3,x\n");
    EXPECT(65, "bad.csv", "import", "bad.csv", "-o", "none.h5", "--no-target");
    EXPECT(66, "nothere.csv", "import", "nothere.csv", "-o", "none.h5");
    EXPECT(64, "nothere", "import", "bad.csv", "-o", "none.h5", "--target", "nothere");
    EXPECT(73, "nowhere/x.h5", "import", test_source("datasets/samples/iris.csv"), "-o", "nowhere/x.h5");
    EXPECT(64, "is one of the inputs", "import", "bad.csv", "-o", "bad.csv");
    CU_ASSERT(!exists("none.h5") && !exists("none.h5.tmp"));
}

static void make_gives_the_same_bytes_for_a_seed(void)
{
    static const char *const kinds[] = {"regression", "classification", "blobs", "ratings", "sparse"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        EXPECT(0, NULL, "make", kinds[i], "-o", "1.h5", "--rows", "200", "--features", "5", "--seed", "7", "-q",
               "--threads", "1");
        EXPECT(0, "wrote 2.h5: ", "make", kinds[i], "-o", "2.h5", "--rows", "200", "--features", "5", "--seed", "7",
               "--threads", "3");
        EXPECT(0, NULL, "make", kinds[i], "-o", "3.h5", "--rows", "200", "--features", "5", "--seed", "8", "-q");
        same_bytes("1.h5", "2.h5", true);
        same_bytes("1.h5", "3.h5", false);
    }
    EXPECT(73, "nowhere/x.h5", "make", "regression", "-o", "nowhere/x.h5", "--rows", "2", "--features", "2");
}

static void plot_draws_the_log_of_a_run(void)
{
    test_write(test_path("j.yaml"),
               "data: {train: r.h5, validation: 0.2}\nloss: mse\noutput: {model: m.h5, log: l.jsonl}\n");
    EXPECT(0, NULL, "make", "regression", "-o", "r.h5", "--rows", "200", "--features", "5", "-q");
    EXPECT(0, NULL, "train", "j.yaml", "-q");
    EXPECT(0, NULL, "plot", "l.jsonl", "-o", "l.svg", "--title", "a run");
    CU_ASSERT(exists("l.svg"));
    EXPECT(0, NULL, "plot", "l.jsonl", "l.jsonl", "-o", "two.svg", "--log", "--time");
    struct test_result result = PROGRAM("plot", "l.jsonl", "-o", "-", "--linear");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    ASSERT_HOLDS(result.out, "<svg xmlns=");
    ASSERT_HOLDS(result.out, ">validation</text>");
    test_result_free(&result);
}

static void plot_names_what_is_wrong(void)
{
    test_write(test_path("broken.jsonl"), "{\"event\":\"start\"}\noops\n");
    EXPECT(65, "broken.jsonl:2: ", "plot", "broken.jsonl", "-o", "none.svg");
    EXPECT(66, "nothere.jsonl", "plot", "nothere.jsonl", "-o", "none.svg");
    EXPECT(64, "is one of the logs", "plot", "broken.jsonl", "-o", "broken.jsonl");
    test_write(test_path("one.jsonl"), "{\"event\":\"epoch\",\"epoch\":0,\"train_loss\":1}\n");
    EXPECT(73, "nowhere/x.svg", "plot", "one.jsonl", "-o", "nowhere/x.svg");
    CU_ASSERT(!exists("none.svg"));
}

TEST_MAIN("files", TEST(import_says_what_it_wrote), TEST(every_importer_writes_the_same_bytes_twice),
          TEST(import_names_what_is_wrong), TEST(make_gives_the_same_bytes_for_a_seed),
          TEST(plot_draws_the_log_of_a_run), TEST(plot_names_what_is_wrong))

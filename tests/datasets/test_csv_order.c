/* CSV shuffled, compressed and imported again: rows stay whole, bytes equal. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/datasets.h"
#include "h5read.h"
#include "support.h"

enum { many = 5000 };

/* A file of `many` rows: i, 2i, target i % 10. */
static const char *many_rows(void)
{
    FILE *file = fopen(test_path("many.csv"), "w");
    fputs("a,b,target\n", file);
    for (int i = 0; i < many; i++)
        fprintf(file, "%d,%d,%d\n", i, 2 * i, i % 10);
    fclose(file);
    return test_path("many.csv");
}

static void shuffling_is_a_permutation_of_whole_rows(void)
{
    struct gm_error err = {0};
    struct import_options options = {.shuffle = true, .seed = 7};
    CU_ASSERT_EQUAL_FATAL(import_csv(many_rows(), test_path("s1.h5"), &options, NULL, &err), GM_OK);
    struct h5array x = h5array(test_path("s1.h5"), "X"), y = h5array(test_path("s1.h5"), "y");
    char seen[many] = {0};
    double early = 0;
    for (size_t i = 0; i < many; i++) {
        size_t row = (size_t)x.values[2 * i];
        CU_ASSERT_FATAL(row < many && !seen[row]);
        seen[row] = 1;
        CU_ASSERT(x.values[2 * i + 1] == 2 * (double)row && y.values[i] == (double)(row % 10));
        early += i < many / 2 ? (double)row : 0;
    }
    /* mean of 2,500 draws without replacement from 0..4999: 2499.5, standard error 20.4 */
    CU_ASSERT(fabs(early / (many / 2) - 2499.5) < 5 * 20.4);
    h5free(&x);
    h5free(&y);
}

static void shuffling_out_of_memory_gives_the_same_bytes(void)
{
    struct gm_error err = {0};
    const char *from = many_rows();
    for (int compress = 0; compress < 2; compress++) {
        struct import_options options = {.shuffle = true, .seed = 7, .compress = compress};
        CU_ASSERT_EQUAL_FATAL(import_csv(from, test_path("whole.h5"), &options, NULL, &err), GM_OK);
        options.memory = 4000; /* some 800 rows: 7 passes */
        CU_ASSERT_EQUAL_FATAL(import_csv(from, test_path("parts.h5"), &options, NULL, &err), GM_OK);
        CU_ASSERT(same_files(test_path("whole.h5"), test_path("parts.h5")));
        options.seed = 8;
        CU_ASSERT_EQUAL_FATAL(import_csv(from, test_path("other.h5"), &options, NULL, &err), GM_OK);
        CU_ASSERT(!same_files(test_path("whole.h5"), test_path("other.h5")));
    }
}

static void compression_is_lossless_in_full_width_chunks(void)
{
    struct gm_error err = {0};
    struct import_options options = {.compress = true};
    CU_ASSERT_EQUAL_FATAL(import_csv(many_rows(), test_path("c.h5"), &options, NULL, &err), GM_OK);
    struct h5array x = h5array(test_path("c.h5"), "X");
    CU_ASSERT(x.is_chunked && x.size == 2);
    for (size_t i = 0; i < many; i++)
        CU_ASSERT(x.values[2 * i] == (double)i && x.values[2 * i + 1] == 2 * (double)i);
    h5free(&x);
    hid_t file = H5Fopen(test_path("c.h5"), H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(file, "X", H5P_DEFAULT);
    hid_t storage = H5Dget_create_plist(set);
    hsize_t chunk[2];
    H5Pget_chunk(storage, 2, chunk);
    CU_ASSERT(chunk[1] == 2 && chunk[0] * chunk[1] * 2 <= 1 << 20);
    CU_ASSERT_EQUAL(H5Pget_nfilters(storage), 2);
    H5Pclose(storage);
    H5Dclose(set);
    H5Fclose(file);
}

static void two_runs_write_the_same_bytes(void)
{
    struct gm_error err = {0};
    for (int compress = 0; compress < 2; compress++) {
        struct import_options options = {.compress = compress};
        const char *from = test_source("datasets/samples/iris.csv");
        CU_ASSERT_EQUAL_FATAL(import_csv(from, test_path("r1.h5"), &options, NULL, &err), GM_OK);
        usleep(1100000); /* into another second: no time may be in the file */
        CU_ASSERT_EQUAL_FATAL(import_csv(from, test_path("r2.h5"), &options, NULL, &err), GM_OK);
        CU_ASSERT(same_files(test_path("r1.h5"), test_path("r2.h5")));
    }
}

static void count_progress(void *context, uint64_t done, uint64_t all)
{
    uint64_t *last = context;
    CU_ASSERT(done >= last[0] && done <= all);
    last[0] = done;
    last[1] = all;
}

static void progress_ends_at_all(void)
{
    struct gm_error err = {0};
    uint64_t last[2] = {0};
    struct import_options options = {.progress = count_progress, .context = last};
    CU_ASSERT_EQUAL_FATAL(
        import_csv(test_source("datasets/samples/digits.csv"), test_path("d.h5"), &options, NULL, &err), GM_OK);
    CU_ASSERT(last[0] > 0 && last[0] == last[1]);
}

TEST_MAIN("csv_order", TEST(shuffling_is_a_permutation_of_whole_rows),
          TEST(shuffling_out_of_memory_gives_the_same_bytes), TEST(compression_is_lossless_in_full_width_chunks),
          TEST(two_runs_write_the_same_bytes), TEST(progress_ends_at_all))

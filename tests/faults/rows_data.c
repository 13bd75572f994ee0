/* Faults of the data: rows 8 to 15. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include "support.h"

#include "base/archive.h"
#include "tests/faults/kit.h"

/* d.h5: /X [rows x columns], /y [y_rows], /weight [rows] where not NULL. */
static void write_data(const double *x, size_t rows, size_t columns, const double *y, size_t y_rows,
                       const double *weight)
{
    struct archive *a = NULL;
    struct gm_error err = {0};
    faults_run("rm -f d.h5");
    struct archive_shape matrix = {2, {rows, columns}}, column = {1, {y_rows}}, weights = {1, {rows}};
    if (archive_create(&a, &err) || archive_put(a, "/X", ARCHIVE_F64, &matrix, x, &err) ||
        archive_put(a, "/y", ARCHIVE_F64, &column, y, &err) ||
        (weight && archive_put(a, "/weight", ARCHIVE_F64, &weights, weight, &err)) || archive_save(a, "d.h5", &err)) {
        fprintf(stderr, "d.h5: %s\n", err.text);
        exit(99);
    }
    archive_close(a);
}

#define ROWS    40
#define COLUMNS 3
static double x[ROWS * COLUMNS], y[ROWS], w[ROWS];

static void good_data(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < COLUMNS; j++)
            x[i * COLUMNS + j] = (double)((i * (j + 3) + j) % 11);
        y[i] = 2 * x[i * COLUMNS] - x[i * COLUMNS + 1] + 1;
        w[i] = 1 + (double)(i % 3);
    }
}

static const char *const train = "$G train d.yaml -q";

static int train_on(const char *loss)
{
    faults_run("rm -f m.h5");
    test_write(test_path("d.yaml"), "data: {train: d.h5}\nloss: mse\noutput: {model: m.h5, log: null}\n");
    return faults_run("%s --set 'loss=%s'", train, loss);
}

static void refused(const char *loss, const char *says, const char *what)
{
    int code = train_on(loss);
    CASE(code == 65 && faults_err_holds(says) && access("m.h5", F_OK) != 0, "%s: left with %d", what, code);
}

/* Cut at every 4 KiB, bytes flipped anywhere: what HDF5 or our checks find is 65; a flip may also fall into the values,
 * which is no damage that anybody can see. */
void row_corrupt(void)
{
    static const char *const made[] = {"$G make regression -o whole.h5 --rows 600 --features 8 -q",
                                       "$G import whole.csv -o whole.h5 --compress -q --target y"};
    faults_run(
        "awk 'BEGIN { print \"a,b,y\"; for (i = 0; i < 3000; i++) print i %% 7, i %% 11, i %% 5 }' OFS=, >whole.csv");
    for (size_t m = 0; m < 2; m++) {
        faults_run("%s", made[m]);
        long size = atol((faults_run("wc -c <whole.h5 >&2"), faults_err()));
        for (long at = 0; at < size; at += 4096 * (long)faults_count(3, 1)) {
            faults_run("head -c %ld whole.h5 >d.h5", at);
            int code = train_on("mse");
            CASE(code == 65 && faults_err_holds("d.h5"), "cut at %ld of %ld: left with %d", at, size, code);
        }
        for (size_t i = 0; i < faults_count(20, 500); i++) {
            unsigned at =
                i % 2 ? faults_random((unsigned)size) : faults_random(2048); /* HDF5's own structures are there */
            faults_flip("whole.h5", "d.h5", at);
            int code = train_on("mse");
            CASE(code == 0 || (code == 65 && faults_err_holds("d.h5")) || code == 66 || code == 71 || code == 80,
                 "byte %u flipped: left with %d", at, code);
        }
    }
    faults_job();
    faults_run("$G train j.yaml -q --set stop.max_epochs=3; cp c.h5 keep.h5; cp c.h5.1 keep.h5.1");
    for (size_t i = 0; i < faults_count(8, 100); i++) { /* a checkpoint: its checksum finds every flip */
        unsigned at = faults_random(8000);
        faults_run("rm -f c.h5.1");
        faults_flip("keep.h5", "c.h5", at);
        int code = faults_run("$G train j.yaml -q --resume");
        CASE(code == 65 && faults_err_holds("c.h5: is damaged"), "checkpoint, byte %u: left with %d", at, code);
        faults_run("cp keep.h5.1 c.h5.1");
        CASE(faults_resumed_to_the_same(), "going on from the older checkpoint: other bytes");
    }
}

void row_read_error(void)
{
    static const char *const ways[] = {"chunks", "bands"};
    faults_run(
        "[ -e big.h5 ] || { $G make regression -o flat.h5 --rows 700000 --features 16 -q; h5repack -l X:CHUNK=2048x16 "
        "flat.h5 big.h5 2>/dev/null || $G make regression -o big.h5 --rows 700000 --features 16 -q --compress; }");
    test_write(test_path("big.yaml"),
               "data: {train: big.h5}\nloss: mse\nstop: {max_epochs: 6, loss_change: null}\nrun: {memory: 42MiB}\n"
               "optimizer: {learning_rate: 0.1}\n"
               "output: {model: m.h5, log: null, checkpoint: {path: c.h5, every_epochs: 1}}\n");
    for (size_t i = 0; i < 2; i++) {
        faults_clean();
        int code = faults_run("$G train big.yaml --io %s", ways[i]);
        bool streams = faults_err_holds("streaming");
        CASE(code == 0 && streams, "big.yaml by %s: left with %d, %s", ways[i], code, streams ? "" : "not streaming");
        faults_run(
            "mv m.h5 big_ref.h5; rm -f calls; FAULT_LOG=calls faulty pread,read big.h5 0 0 $G train big.yaml -q --io "
            "%s; wc -l <calls >&2",
            ways[i]);
        size_t calls = (size_t)atol(faults_err());
        for (size_t k = 1; k <= faults_count(1, 6); k++) { /* the second half: a first epoch has been saved */
            faults_clean();
            size_t n = calls - calls * k / 12;
            code = faults_run("faulty pread,read big.h5 %zu+ 5 $G train big.yaml -q --io %s", n, ways[i]);
            CASE(code == 74 && faults_err_holds("big.h5") && access("c.h5", F_OK) == 0,
                 "%s: read %zu of %zu fails: left with %d", ways[i], n, calls, code);
            code = faults_run("$G train big.yaml -q --resume --io %s && cmp m.h5 big_ref.h5", ways[i]);
            CASE(code == 0, "%s: resumed after a read error: %d, or other bytes", ways[i], code);
        }
    }
}

void row_other_data(void)
{
    static const char *const changes[] = {"--seed 2", "--rows 601", "--features 9", "--noise 0.5000001"};
    for (size_t i = 0; i < 4; i++) {
        faults_job();
        faults_run(
            "$G train j.yaml -q --set stop.max_epochs=3; cp r.h5 keep_r.h5; $G make regression -o r.h5 --rows 600 "
            "--features 8 --noise 0.5 -q %s",
            changes[i]);
        int code = faults_run("$G train j.yaml -q --resume");
        CASE(code == 65 && faults_err_holds("r.h5") + faults_err_holds("data.train") > 0, "%s: left with %d",
             changes[i], code);
        faults_run("mv keep_r.h5 r.h5");
        CASE(faults_resumed_to_the_same(), "with the old data again: other bytes");
    }
}

void row_not_finite(void)
{
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++)
        for (size_t at = 0; at < ROWS; at += faults_count(19, 5)) {
            char says[64];
            snprintf(says, sizeof says, "row %zu", at);
            good_data();
            x[at * COLUMNS + 1] = bad[i];
            write_data(x, ROWS, COLUMNS, y, ROWS, w);
            refused("mse", says, "a feature that is not finite");
            CASE(faults_err_holds("column 1"), "the column of a bad feature is not named");
            good_data();
            y[at] = bad[i];
            write_data(x, ROWS, COLUMNS, y, ROWS, w);
            refused("mse", says, "a target that is not finite");
            good_data();
            w[at] = bad[i];
            write_data(x, ROWS, COLUMNS, y, ROWS, w);
            refused("mse", says, "a weight that is not finite");
        }
}

void row_bad_target(void)
{
    static const struct {
        const char *loss;
        double value;
    } bad[] = {{"poisson", -1},   {"gamma", 0},       {"gamma", -2}, {"inverse_gaussian", 0},
               {"logistic", 1.5}, {"logistic", -0.1}, {"hinge", 2},  {"negative_binomial", -1},
               {"focal", 3}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        good_data();
        for (size_t row = 0; row < ROWS; row++)
            y[row] = bad[i].value == 0 || bad[i].value == -2 ? 1 + (double)(row % 4) : (double)(row % 2);
        y[17] = bad[i].value;
        write_data(x, ROWS, COLUMNS, y, ROWS, NULL);
        refused(bad[i].loss, "row 17", bad[i].loss);
    }
    const double shares[] = {0.5, 0.5}, wrong[][2] = {{-1, 2}, {0.5, 0.4}, {1.5, -0.5}};
    for (size_t i = 0; i < 3; i++) { /* rows of shares */
        for (size_t row = 0; row < ROWS; row++)
            memcpy(x + 2 * row, row == 17 ? wrong[i] : shares, sizeof shares);
        struct archive *a = NULL;
        struct gm_error err;
        struct archive_shape matrix = {2, {ROWS, 2}};
        if (archive_create(&a, &err) || archive_put(a, "/X", ARCHIVE_F64, &matrix, x, &err) ||
            archive_put(a, "/y", ARCHIVE_F64, &matrix, x, &err) || archive_save(a, "d.h5", &err))
            CASE(false, "d.h5: %s", err.text);
        archive_close(a);
        refused("kl_divergence", "row 17", "kl_divergence");
    }
    good_data();
    y[5] = 0.5; /* no class */
    write_data(x, ROWS, COLUMNS, y, ROWS, NULL);
    refused("cross_entropy", "d.h5", "a class that is no whole number");
}

void row_bad_shape(void)
{
    good_data();
    write_data(x, ROWS, COLUMNS, y, ROWS - 1, NULL);
    refused("mse", "39", "one target too few");
    write_data(x, 0, COLUMNS, y, 0, NULL);
    refused("mse", "d.h5", "no rows");
    write_data(x, ROWS, 0, y, ROWS, NULL);
    refused("mse", "d.h5", "no columns");
    memset(w, 0, sizeof w);
    write_data(x, ROWS, COLUMNS, y, ROWS, w);
    refused("mse", "weight", "all weights 0");
    w[3] = -1;
    write_data(x, ROWS, COLUMNS, y, ROWS, w);
    refused("mse", "row 3", "a negative weight");
    for (size_t n = 0; faults_full() && n <= ROWS; n++) /* every number of rows of features, beside 40 of the target */
        for (size_t columns = 0; columns <= COLUMNS; columns++) {
            good_data();
            write_data(x, n, columns, y, ROWS, NULL);
            if (n != ROWS || columns == 0)
                refused("mse", "d.h5", "rows and columns that do not fit");
        }
    struct archive *a = NULL;
    struct gm_error err;
    const char *words[ROWS];
    struct archive_shape matrix = {2, {ROWS, 1}}, column = {1, {ROWS}};
    for (size_t i = 0; i < ROWS; i++)
        words[i] = "word";
    if (!archive_create(&a, &err) && !archive_put(a, "/X", ARCHIVE_TEXT, &matrix, words, &err) &&
        !archive_put(a, "/y", ARCHIVE_F64, &column, y, &err))
        (void)archive_save(a, "d.h5", &err);
    archive_close(a);
    refused("mse", "d.h5", "features that are words");
}

void row_tiny(void)
{
    static const char *const optimizers[] = {"{type: gd}", "{type: lbfgs}", "{type: adam, batch_size: 7}"};
    for (size_t o = 0; o < 3; o++)
        for (size_t rows = 1; rows <= 3; rows++)
            for (int threads = 1; threads <= 8; threads += 7) {
                good_data();
                for (size_t i = 0; i < ROWS; i++)
                    x[i * COLUMNS + 2] = 5; /* a constant column */
                y[0] = 4;
                write_data(x, rows, COLUMNS, y, rows, NULL);
                test_write(test_path("d.yaml"), "data: {train: d.h5}\nloss: mse\noutput: {model: m.h5, log: null}\n"
                                                "run: {precision: float64}\nstop: {max_epochs: 3000}\n");
                int code =
                    faults_run("$G train d.yaml -q --set 'optimizer=%s' --set run.threads=%d && $G predict m.h5 d.h5 "
                               "-o - -q | sed -n 2p >&2",
                               optimizers[o], threads);
                double got = atof(faults_err());
                CASE(code == 0 && isfinite(got) && (rows > 1 || fabs(got - 4) < 1e-3),
                     "%zu rows, %d threads, %s: %d, predicts %g", rows, threads, optimizers[o], code, got);
            }
}

/* d.h5 says that it is enormous, with nothing stored behind it. */
static void write_huge(const hsize_t shape[2], bool chunked)
{
    hid_t file = H5Fcreate("d.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), how = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[2] = {1, 1};
    if (chunked)
        H5Pset_chunk(how, 2, chunk);
    hid_t both = H5Screate_simple(2, shape, NULL), one = H5Screate_simple(1, shape, NULL);
    hid_t features = H5Dcreate2(file, "X", H5T_NATIVE_UINT8, both, H5P_DEFAULT, how, H5P_DEFAULT);
    hid_t target = H5Dcreate2(file, "y", H5T_NATIVE_UINT8, one, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(features);
    H5Dclose(target);
    H5Sclose(both);
    H5Sclose(one);
    H5Pclose(how);
    H5Fclose(file);
}

void row_huge(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    static const unsigned char powers[][2] = {{40, 20}, {62, 0}, {0, 50}, {32, 31}, {45, 1}};
    faults_run("rm -f d.h5");
    for (size_t i = 0; i < faults_count(sizeof powers / sizeof *powers, 150); i++) {
        bool given = i < sizeof powers / sizeof *powers;
        unsigned rows = given ? powers[i][0] : faults_random(63), least = rows > 42 ? 0 : 42 - rows;
        unsigned columns = given ? powers[i][1] : least + faults_random(63 - least);
        for (int chunked = 0; chunked < 2; chunked++) {
            write_huge((const hsize_t[2]){1ULL << rows, 1ULL << columns}, chunked);
            int code = train_on("mse");
            CASE(code == 65 || code == 71, "2^%u x 2^%u: left with %d", rows, columns, code);
        }
    }
}

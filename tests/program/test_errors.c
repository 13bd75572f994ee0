/*
 * Mistakes that people make, a row each: the command, the exit code it leaves with and what it says. The codes are
 * those of gradmill(1). What other tests of a room provoke and read is not repeated here.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/archive.h"
#include "cli/cli.h"
#include "data/data.h"

struct mistake {
    const char *command; /* of a shell in the test directory; $G is the program */
    int code;
    const char *says;
};

static char said[1 << 16];

static int leaves(const char *command)
{
    static char line[20000];
    snprintf(line, sizeof line, "{ %s\n} >out 2>err", command);
    fflush(NULL);
    int status = system(line);
    FILE *file = fopen("err", "r");
    said[file ? fread(said, 1, sizeof said - 1, file) : 0] = 0;
    if (file)
        fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void check(const struct mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int code = leaves(mistakes[i].command);
        if (code != mistakes[i].code || !strstr(said, mistakes[i].says))
            printf("\n    %s: left with %d\n%s", mistakes[i].command, code, said);
        CU_ASSERT_EQUAL(code, mistakes[i].code);
        ASSERT_HOLDS(said, mistakes[i].says);
    }
}
#define CHECK(mistakes) check((mistakes), sizeof(mistakes) / sizeof *(mistakes))

/* ---- what the commands work on ---- */

static struct archive *making;

static void put(const char *name, enum archive_type type, size_t rows, size_t columns, const void *data)
{
    struct gm_error err = {0};
    struct archive_shape shape = {columns ? 2 : 1, {rows, columns}};
    CU_ASSERT_EQUAL_FATAL(archive_put(making, name, type, &shape, data, &err), GM_OK);
}

/* NAME/X of 4 rows in `columns` columns by row pointers, NAME/y. */
static void put_sparse(const char *name, const int64_t *starts, const int64_t *indices, const double *values,
                       const int64_t *shape)
{
    static const double y[4] = {1, 2, 3, 4};
    char path[80];
#define PART(part) (snprintf(path, sizeof path, "/%s/" part, name), path)
    put(PART("X/indptr"), ARCHIVE_I64, 5, 0, starts);
    put(PART("X/indices"), ARCHIVE_I64, indices[4] ? 5 : 4, 0, indices);
    put(PART("X/data"), ARCHIVE_F64, 4, 0, values);
    put(PART("X/shape"), ARCHIVE_I64, 2, 0, shape);
    put(PART("y"), ARCHIVE_F64, 4, 0, y);
#undef PART
}

static void put_all_sparse(void)
{
    static const int64_t good[5] = {0, 1, 2, 3, 4}, late[5] = {1, 1, 2, 3, 4}, falls[5] = {0, 2, 1, 3, 4},
                         ends[5] = {0, 1, 2, 3, 3}, pair[5] = {0, 2, 3, 4, 4};
    static const int64_t in[5] = {0, 1, 2, 0, 0}, out[5] = {0, 1, 5, 0, 0}, below[5] = {0, -1, 2, 0, 0},
                         twice[5] = {1, 1, 2, 0, 0}, more[5] = {0, 1, 2, 0, 1};
    static const double values[4] = {1, 2, 3, 4}, nan[4] = {1, 0.0 / 0.0, 3, 4};
    static const int64_t shape[2] = {4, 3}, negative[2] = {4, -3};
    put_sparse("late", late, in, values, shape);
    put_sparse("falls", falls, in, values, shape);
    put_sparse("ends", ends, in, values, shape);
    put_sparse("out", good, out, values, shape);
    put_sparse("below", good, below, values, shape);
    put_sparse("twice", pair, twice, values, shape);
    put_sparse("more", good, more, values, shape);
    put_sparse("nan", good, in, nan, shape);
    put_sparse("negative", good, in, values, negative);
}

static void put_ratings(const char *name, const int64_t *users, enum archive_type type, size_t rows, size_t columns,
                        const void *ratings)
{
    static const int64_t items[4] = {0, 1, 0, 1};
    char path[80];
    snprintf(path, sizeof path, "/%s/user_id", name);
    put(path, ARCHIVE_I64, 4, 0, users);
    snprintf(path, sizeof path, "/%s/item_id", name);
    put(path, ARCHIVE_I64, 4, 0, items);
    snprintf(path, sizeof path, "/%s/rating", name);
    put(path, type, rows, columns, ratings);
}

static void prepare(void)
{
    static bool done;
    static const double x[8] = {1, 2, 3, 4, 5, 7, 7, 8}, y[4] = {1, 0, 1, 0}, half[4] = {0, 0.5, 1, 0};
    static const char *const words[8] = {"a", "b", "a", "b", "a", "b", "c", "a"};
    static const int64_t users[4] = {0, 0, 1, 1}, below[4] = {0, -7, 1, 1};
    struct gm_error err = {0};
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    if (done)
        return;
    done = true;
    setenv("G", getenv("GRADMILL"), 1);
    CU_ASSERT_EQUAL_FATAL(archive_create(&making, &err), GM_OK);
    put("/X", ARCHIVE_F64, 4, 2, x);
    put("/y", ARCHIVE_F64, 4, 0, y);
    put("/short", ARCHIVE_F64, 3, 0, y);
    put("/wide", ARCHIVE_F64, 4, 2, x);
    put("/half", ARCHIVE_F64, 4, 0, half);
    put("/words", ARCHIVE_TEXT, 4, 0, words);
    put("/other_words", ARCHIVE_TEXT, 4, 0, words + 4);
    put("/many_words", ARCHIVE_TEXT, 4, 2, words);
    put("/lone/X", ARCHIVE_F64, 4, 2, x);
    put("/narrow/X", ARCHIVE_F64, 4, 0, y);
    put("/narrow/y", ARCHIVE_F64, 4, 0, y);
    put("/wider/X", ARCHIVE_F64, 4, 2, x);
    put("/wider/y", ARCHIVE_F64, 4, 2, x);
    put_ratings("ratings", users, ARCHIVE_F64, 4, 0, y);
    put_ratings("rating_columns", users, ARCHIVE_F64, 4, 2, x);
    put_ratings("rating_short", users, ARCHIVE_F64, 3, 0, y);
    put_ratings("rating_words", users, ARCHIVE_TEXT, 4, 0, words);
    put_ratings("rating_below", below, ARCHIVE_F64, 4, 0, y);
    put_all_sparse();
    CU_ASSERT_EQUAL_FATAL(archive_save(making, "d.h5", &err), GM_OK);
    archive_close(making);
    test_write("j.yaml", "data: {train: d.h5}\nloss: mse\nstop: {max_epochs: 2}\noutput: {model: m.h5, log: null}\n");
    test_write("f.yaml", "data: {train: 'd.h5:/ratings'}\nmodel: {type: factorization, rank: 2}\nloss: mse\n"
                         "optimizer: {type: sgd}\nstop: {max_epochs: 2}\noutput: {model: f.h5, log: null}\n");
    CU_ASSERT_EQUAL(leaves("$G train j.yaml -q && $G train f.yaml -q"), 0);
    if (said[0])
        printf("%s", said);
}

#define TRAIN "$G train j.yaml -q --set output.model=none.h5 "
#define RATE  "$G train f.yaml -q --set output.model=none.h5 "

/* ---- the tables ---- */

static void files_to_import(void)
{
    static const struct mistake mistakes[] = {
        {"$G import -o o.h5", 64, "Which file?"},
        {"printf 'none of it' >x.idx; $G import x.idx -o o.h5 -q", 65, "neither npy nor idx"},
        {"printf '\\0\\0\\10\\2\\0\\0\\0\\1\\0\\0\\0\\5ab' >y.idx; $G import y.idx -o o.h5 -q", 65,
         "its shape needs 3 bytes more than there are"},
        {"printf 'a,b,y\\n,1,2\\n,2,3\\n' >x.csv; $G import x.csv -o o.h5 -q", 65,
         "has no number in any row. Drop it."},
        {"printf 'a,b,y\\n1,1,2\\n' >g.csv; $G import g.csv -o o.h5 -q --target z", 64, "no column 'z'"},
        {"printf 'a,b\\n1,1\\n' >h.csv; $G import g.csv h.csv -o o.h5 -q", 65,
         "expected 3 columns as in the file before"},
        {"printf '1,1,2\\n' >n.csv; $G import g.csv n.csv -o o.h5 -q", 65, "header line as in the file before"},
        {"printf '\\377\\376a\\0,\\0' >u.csv; $G import u.csv -o o.h5 -q", 65, "UTF-16 text. Convert it first: iconv"},
        {"printf 'PK\\3\\4xxxxxxxx' >z.csv; $G import z.csv -o o.h5 -q", 65, "Save the sheet as CSV first."},
        {"gzip -c g.csv | head -c 20 >c.csv.gz; $G import c.csv.gz -o o.h5 -q", 65, "too early: is the file cut off?"},
        {"{ gzip -c g.csv | head -c 16; printf '\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377'; } >r.csv.gz; $G "
         "import r.csv.gz -o o.h5 -q",
         65, "damaged gzip data"},
        {": >e.libsvm; $G import e.libsvm -o o.h5 -q", 65, "no rows. Expected lines of 'label index:value ...'."},
        {"printf '1 qid:1 1:2\\n2 1:3\\n' >q.libsvm; $G import q.libsvm -o o.h5 -q", 65, "Expected all or none."},
        {"$G make ratings -o o.h5 --rows 5 --users 3000000000 -q", 64, "fewer than 2^31 users and items"},
        {"$G make sparse -o o.h5 --rows 281474976710656 --features 100000 --nonzeros 99999 -q", 64,
         "rows times non-zeros: too many"},
        {"$G import g.csv -o nowhere/o.h5 -q", 73, "nowhere/o.h5: cannot be created"},
        {"$G import missing.csv -o o.h5 -q", 66, "missing.csv"},
    };
    prepare();
    CHECK(mistakes);
}

static void datasets(void)
{
    static const struct mistake mistakes[] = {
        {TRAIN "--set data.train=:/x", 66, "expected FILE.h5 or FILE.h5:/group"},
        {TRAIN "--set 'data.train={features: \"d.h5:/words\", target: \"d.h5:/y\"}'", 65, "these are words"},
        {TRAIN "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/short\"}'", 65,
         "the target has 3 rows but the features d.h5:/X have 4"},
        {TRAIN "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/X\"}'", 65,
         "is both the features and the target"},
        {TRAIN "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/many_words\"}'", 65,
         "words are class labels, one for each row, but there are 2"},
        {TRAIN "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/y\", weight: \"d.h5:/wide\"}'", 65,
         "the weight must be one number for each row"},
        {TRAIN "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/y\", group: \"d.h5:/y\"}' --set loss=listnet",
         65, "group numbers must be of an integer type"},
        {TRAIN "--set 'data.train={features: \"d.h5:/lone\", target: \"d.h5:/lone\"}'", 65, "It holds "},
        {TRAIN "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/half\"}' --set loss=cross_entropy", 65,
         "row 1: the label 0.5 is not a whole number"},
        {TRAIN "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/words\"}' --set 'data.validation={features: "
               "\"d.h5:/X\", target: \"d.h5:/other_words\"}' --set loss=cross_entropy",
         65, "row 2: the label 'c' is none of the 2 known classes"},
        {TRAIN "--set data.split=stored", 66, "there is no dataset 'split' beside the features"},
        {TRAIN "--set 'data.train={features: [\"d.h5:/X\"], target: \"d.h5:/y\"}'", 78, "data.train.features"},
        {TRAIN "--set 'data.train=[\"d.h5\", \"d.h5:/narrow\"]'", 65, "are to be one dataset, but"},
        {TRAIN "--set data.train='nothing-*.h5'", 66, "no file matches"},
        {"cut -c 1-5000 d.h5 | head -c 900 >cut.h5; " TRAIN "--set data.train=cut.h5", 65, "cut.h5"},
    };
    prepare();
    CHECK(mistakes);
}

static void sparse_rows(void)
{
    static const struct mistake mistakes[] = {
        {TRAIN "--set data.train=d.h5:/late", 65, "begins with 1, expected 0"},
        {TRAIN "--set data.train=d.h5:/falls", 65, "falls from 2 to 1 at number 2"},
        {TRAIN "--set data.train=d.h5:/ends", 65, "ends with 3, but "},
        {TRAIN "--set data.train=d.h5:/out", 65, "expected 0 to 2"},
        {TRAIN "--set data.train=d.h5:/below", 65, "expected 0"},
        {TRAIN "--set data.train=d.h5:/twice", 65, "(both counted from 0) more than once"},
        {TRAIN "--set data.train=d.h5:/more", 65, "has 5 entries, but "},
        {TRAIN "--set data.train=d.h5:/nan", 65, "Sparse rows leave out what is missing"},
        {TRAIN "--set data.train=d.h5:/negative", 65, "-3"},
    };
    prepare();
    CHECK(mistakes);
}

static void ratings(void)
{
    static const struct mistake mistakes[] = {
        {RATE "--set data.train=d.h5:/rating_columns", 65, "one value for each rating is expected; it has 2 columns"},
        {RATE "--set data.train=d.h5:/rating_short", 65, "has 3 rows but "},
        {RATE "--set data.train=d.h5:/rating_words", 65, "ratings must be numbers; these are words"},
        {RATE "--set data.train=d.h5:/rating_below", 65, "row 1: the id is -7; ids are numbers from 0, or words"},
        {RATE "--set data.train=d.h5:/y", 65, "is one dataset; ratings are a file or group of several"},
        {RATE "--set data.split=group --set data.validation=0.5", 78, "ratings are held out by a hash of their row"},
        {RATE "--set 'data.train={features: \"d.h5:/X\"}'", 78, "ratings are named as one FILE.h5 or FILE.h5:/group"},
        {RATE "--set optimizer.type=adam", 78, "trained by sgd or adagrad"},
        {RATE "--set optimizer.batch_size=4", 78, "mini-batches of its own"},
        {RATE "--set optimizer.l1=1", 78, "penalised by l2 only"},
    };
    prepare();
    CHECK(mistakes);
}

static void jobs_and_losses(void)
{
    static const struct mistake mistakes[] = {
        {TRAIN "--set output.log=none.h5", 78, "'none.h5' is named twice"},
        {"ln -sf d.h5 link.h5; " TRAIN "--set output.model=link.h5", 78, "would replace 'd.h5"},
        {TRAIN "--set data.train=d.h5 --set 'data.validation=[d.h5:/X]' --set output.log=d.h5", 78,
         "would replace 'd.h5"},
        {"cp d.h5 d2.h5; " TRAIN "--set data.validation=d2.h5 --set output.checkpoint=d2.h5", 78,
         "which data.validation reads"},
        {"cp d.h5 marks.h5; " TRAIN "--set data.split=marks.h5:/y --set output.log=marks.h5", 78,
         "which data.split reads"},
        {"cp $G own.so; " TRAIN "--set loss.name=./own.so --set output.log=own.so", 78,
         "would replace the loss './own.so'"},
        {TRAIN "--set loss.5.name=mse --set 'loss=[mse, huber]' --set loss.5.name=mse", 78, "loss"},
        {TRAIN "--set 'loss=[{name: mse, columns: \"2:2\"}]'", 78, "columns"},
        {TRAIN "--set 'loss=[{name: mse, columns: 0, target: 7}]'", 78, "is not within the 1 columns of the target"},
        {TRAIN "--set 'loss=[{name: mse, columns: 0}, {name: mse, columns: 2, target: 0}]'", 78,
         "Output 1 belongs to no loss of the list"},
        {TRAIN "--set 'data.train=d.h5:/wider' --set 'loss=[{name: mse, columns: \"0:5\"}]'", 78,
         "reach beyond the 2 columns of the target"},
        {TRAIN "--set 'loss=[{name: mse, weight: 0}]'", 78, "loss.weight: expected"},
        {TRAIN "--set loss=contrastive", 78, "works with any number of outputs; say how many"},
        {TRAIN "--set 'loss={name: huber, params: {nonsense: 1}}'", 78, "has no parameter \"nonsense\""},
        {TRAIN "--set 'data.train=d.h5:/wider' --set loss=cross_entropy", 65,
         "a class label is one column, but there are 2"},
        {TRAIN "--set model.type=mlp", 78, "model.hidden: expected 1 to"},
        {"$G check-loss mse --only nonsense", 64, "There is no check \"nonsense\""},
        {"ln -sf m.h5 x.so; $G check-loss ./x.so", 81, "is not a shared object (no ELF header)"},
        {"GRADMILL_LOSS_PATH=$(head -c 9000 /dev/zero | tr '\\0' a) " TRAIN, 64, "loss search path"},
        {"$G new-loss 9th --formula pred", 64, "cannot name a loss"},
        {"$G new-loss n --formula '(pred - target)^2' --param d=1", 64, "--param: the formula does not use 'd'"},
        {"$G new-loss n --formula '(pred - target)^2' --theta d=1", 64, "--theta: the formula does not use 'd'"},
        {"$G new-loss n --formula 'd * (pred - target)^2' --param d=1 --theta d=1", 64,
         "is both a --param and a --theta"},
        {"CC=nonsense-cc $G new-loss n --formula '(pred - target)^2' -o made", 71,
         "There is no C compiler 'nonsense-cc'"},
        {"CC=false $G new-loss n --formula '(pred - target)^2' -o made2", 71, "The C compiler 'false' failed on "},
        {"CC=\"$(yes a | head -n 500 | tr '\\n' ' ')\" $G new-loss n --formula '(pred - target)^2' -o made3", 71,
         "environment variable CC"},
        {": >file; $G new-loss n --formula '(pred - target)^2' -o file", 73, "exists and is not a directory"},
    };
    prepare();
    CHECK(mistakes);
}

static void models_on_other_data(void)
{
    static const struct mistake mistakes[] = {
        {"$G evaluate m.h5 d.h5:/narrow", 65, "has 1 features, but the model m.h5 was trained on 2"},
        {"$G evaluate m.h5 d.h5:/wider", 65, "has 2 columns, but the model m.h5 was trained on targets of 1"},
        {"$G predict m.h5 d.h5 -o nowhere/p.h5", 73, "nowhere/p.h5: cannot be created"},
        {"$G predict nothere.h5 d.h5", 66, "nothere.h5"},
        {"$G predict d.h5 d.h5", 65, "d.h5"},
        {"$G predict f.h5 d.h5:/y", 65, "is one dataset; ratings are a file or group of several"},
        {"$G inspect j.yaml", 65, "not an HDF5 file"},
        {"head -c 3000 m.h5 >half.h5; $G predict half.h5 d.h5", 65, "half.h5"},
        {"$G predict m.h5 d.h5 -o /dev/full", 73, "not a file that can be replaced"},
        {"$G plot nothere.jsonl -o p.svg", 66, "nothere.jsonl"},
    };
    prepare();
    CHECK(mistakes);
}

static void what_may_not_be_read(void)
{
    static const struct mistake mistakes[] = {
        {"cp d.h5 secret.h5; chmod 0 secret.h5; " TRAIN "--set data.train=secret.h5", 77,
         "secret.h5: permission denied"},
        {"cp j.yaml secret.yaml; chmod 0 secret.yaml; $G train secret.yaml", 77, "secret.yaml"},
    };
    prepare();
    if (geteuid() == 0) {
        printf("\n    root may read everything: left out");
        CU_PASS("as root");
        return;
    }
    CHECK(mistakes);
}

/* No command provokes a mistake of ours; the library's callers can, and the program's way out is seen here. */
static void our_own_mistakes_are_70(void)
{
    struct gm_error err = {0};
    struct data_set *set = NULL;
    struct data_pass *pass = NULL;
    const struct data_order order = {0};
    const struct data_source source = {.path = "d.h5"};
    prepare();
    CU_ASSERT_EQUAL(message_fail("test", &err), 70);
    CU_ASSERT_EQUAL_FATAL(data_open(&set, &source, &(struct data_options){.need_target = true}, &err), GM_OK);
    CU_ASSERT_EQUAL(data_pass_open(&pass, set, &order, &err), GM_BUG);
    ASSERT_HOLDS(err.text, "a pass before the dataset is loaded");
    CU_ASSERT_EQUAL(message_fail("test", &err), 70);
    data_close(set);
}

TEST_MAIN("errors", TEST(files_to_import), TEST(datasets), TEST(sparse_rows), TEST(ratings), TEST(jobs_and_losses),
          TEST(models_on_other_data), TEST(what_may_not_be_read), TEST(our_own_mistakes_are_70))

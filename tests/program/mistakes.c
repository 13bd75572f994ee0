/* What the tables of mistakes share: the files that the commands work on, and the commands' check. */
#include "program/mistakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/archive.h"

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

void mistakes_check(const struct mistake *mistakes, size_t count)
{
    mistakes_prepare();
    for (size_t i = 0; i < count; i++) {
        int code = leaves(mistakes[i].command);
        if (code != mistakes[i].code || !strstr(said, mistakes[i].says))
            printf("\n    %s: left with %d\n%s", mistakes[i].command, code, said);
        CU_ASSERT_EQUAL(code, mistakes[i].code);
        ASSERT_HOLDS(said, mistakes[i].says);
    }
}
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
                         twice[5] = {1, 1, 2, 0, 0}, more[5] = {0, 1, 2, 0, 1}, good_of_two[5] = {0, 1, 0, 1, 0};
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
    put_sparse("good", good, in, values, shape);
    put_sparse("two_columns", good, good_of_two, values, (const int64_t[2]){4, 2});
    put("/triples/X/row", ARCHIVE_I64, 4, 0, good);
    put("/triples/X/col", ARCHIVE_I64, 4, 0, in);
    put("/triples/X/data", ARCHIVE_F64, 4, 0, values);
    put("/triples/X/shape", ARCHIVE_I64, 2, 0, shape);
    put("/triples/y", ARCHIVE_F64, 4, 0, values);
    put("/lonely/X/indptr", ARCHIVE_I64, 1, 0, good);
    put("/lonely/X/indices", ARCHIVE_I64, 4, 0, in);
    put("/lonely/X/data", ARCHIVE_F64, 4, 0, values);
    put("/lonely/y", ARCHIVE_F64, 4, 0, values);
}

/* Ratings as a group of rows by row pointers. */
static void put_rating_rows(const char *name, const int64_t *starts)
{
    static const int64_t indices[4] = {0, 1, 0, 1};
    static const double values[4] = {1, 0, 1, 0};
    char path[80];
    snprintf(path, sizeof path, "/%s/indptr", name);
    put(path, ARCHIVE_I64, 3, 0, starts);
    snprintf(path, sizeof path, "/%s/indices", name);
    put(path, ARCHIVE_I64, 4, 0, indices);
    snprintf(path, sizeof path, "/%s/data", name);
    put(path, ARCHIVE_F64, 4, 0, values);
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

void mistakes_prepare(void)
{
    static bool done;
    static const double x[8] = {1, 2, 3, 4, 5, 7, 7, 8}, y[4] = {1, 0, 1, 0}, half[4] = {0, 0.5, 1, 0},
                        halves[8] = {0, 1, 0.5, 1, 1, 1, 0, 1};
    static const char *const words[8] = {"a", "b", "a", "b", "a", "b", "c", "a"};
    static const int64_t users[4] = {0, 0, 1, 1}, below[4] = {0, -7, 1, 1}, zeros[4] = {0, 0, 0, 0},
                         twos[4] = {2, 2, 2, 2};
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
    put("/halves", ARCHIVE_F64, 4, 2, halves);
    put("/two/a", ARCHIVE_F64, 4, 2, x);
    put("/two/b", ARCHIVE_F64, 4, 2, x);
    put("/none", ARCHIVE_F64, 0, 2, x);
    put("/one_group", ARCHIVE_I64, 4, 0, zeros);
    put("/all_test", ARCHIVE_I64, 4, 0, twos);
    put("/wide_one/X", ARCHIVE_F64, 4, 2, x);
    put("/wide_one/y", ARCHIVE_F64, 4, 0, y);
    put("/weighted/X", ARCHIVE_F64, 4, 2, x);
    put("/weighted/y", ARCHIVE_F64, 4, 0, y);
    put("/weighted/weight", ARCHIVE_F64, 4, 0, half);
    put("/grouped/X", ARCHIVE_F64, 4, 2, x);
    put("/grouped/y", ARCHIVE_F64, 4, 0, y);
    put("/grouped/group", ARCHIVE_I64, 4, 0, zeros);
    put("/word_ratings/user_id", ARCHIVE_TEXT, 4, 0, words);
    put("/word_ratings/item_id", ARCHIVE_TEXT, 4, 0, words);
    put("/word_ratings/rating", ARCHIVE_F64, 4, 0, y);
    put("/events/user_id", ARCHIVE_I64, 4, 0, users);
    put("/events/item_id", ARCHIVE_I64, 4, 0, users);
    put_rating_rows("sparse_ratings", (const int64_t[3]){0, 2, 4});
    put_rating_rows("falling_ratings", (const int64_t[3]){0, 5, 4});
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

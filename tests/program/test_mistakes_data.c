/* Mistakes in datasets, sparse rows and ratings. */
#include "program/mistakes.h"

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
        {TRAIN "--set 'data.train={features: \"d.h5:/lone\", target: \"d.h5:/lone\"}'", 65, " It holds "},
        {TRAIN "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/half\"}' --set loss=cross_entropy", 65,
         "row 1: the label 0.5 is not a whole number"},
        {TRAIN "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/words\"}' --set 'data.validation={features: "
               "\"d.h5:/X\", target: \"d.h5:/other_words\"}' --set loss=cross_entropy",
         65, "row 2: the label 'c' is none of the 2 known classes"},
        {TRAIN "--set data.split=stored", 66, "there is no dataset 'split' beside the features"},
        {TRAIN "--set 'data.train={features: [\"d.h5:/X\"], target: \"d.h5:/y\"}'", 78, "data.train.features"},
        {TRAIN "--set 'data.train=[\"d.h5\", \"d.h5:/narrow\"]'", 65, "are to be one dataset, but"},
        {TRAIN "--set data.train='nothing-*.h5'", 66, "no file matches"},
        {"cut -c 1-5000 d.h5 | head -c 900 >cut.h5; " TRAIN "--set data.train=cut.h5", 65,
         "the file is damaged or incomplete (HDF5: "},
        {TRAIN "--set data.train=d.h5:/lone/Y", 66, "there is no dataset '/lone/Y'"},
        {TRAIN "--set 'data.train={features: \"d.h5:/none\", target: \"d.h5:/y\"}'", 65, ": has no rows"},
        {TRAIN "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/y\", group: \"d.h5:/one_group\"}' --set "
               "data.split=group --set data.validation=0.5 --set loss=listnet",
         65, "leaves no row "},
        {TRAIN "--set data.split=d.h5:/all_test", 65, "its split marks no row for training"},
        {TRAIN "--set 'data.train=[d.h5:/weighted, d.h5:/wide_one]'", 65, "only one of them has weights"},
        {TRAIN "--set 'data.train=[d.h5:/grouped, d.h5:/wide_one]' --set loss=listnet", 65,
         "only one of them has groups"},
        {TRAIN
         "--set 'data.train={features: \"d.h5:/X\", target: \"d.h5:/halves\"}' --set 'loss=[{name: cross_entropy, "
         "columns: \"0:2\", target: 0}, {name: mse, columns: 2, target: 1}]'",
         65, "row 1, column 0: 0.5 is no class; they are 0, 1, 2"},
        {"flock none.h5.tmp -c \"" TRAIN "\"", 77, "none.h5: another process is writing it just now."},
        {TRAIN "--set data.train=d.h5:/two", 65, "no features found: none of X, x, data, features, images"},
    };
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
        {TRAIN "--set data.train=d.h5:/lonely", 65, "one number alone describes no row"},
        {TRAIN "--set 'data.train=[d.h5:/triples, d.h5:/triples]'", 65,
         "columns or triples are not one dataset with other files"},
        {TRAIN "--set data.validation=d.h5:/two_columns", 65, "has sparse rows, but the training data "},
    };
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
        {RATE "--set data.train=d.h5:/lone", 65, "found. Ratings are datasets user_id, item_id and rating"},
        {RATE "--set data.validation=d.h5:/word_ratings", 65,
         "its ids are words, but those that were trained on are numbers"},
        {RATE "--set data.train=d.h5:/falling_ratings", 65, "row pointers start at 0, never fall, and end at"},
        {RATE "--set data.train=d.h5:/word_ratings --set data.validation=d.h5:/sparse_ratings", 65,
         "a sparse matrix has users 0, 1, 2 ..., but"},
        {RATE "--set data.validation=d.h5:/events", 65, "has no ratings, but the training data "},
    };
    CHECK(mistakes);
}

TEST_MAIN("mistakes_data", TEST(datasets), TEST(sparse_rows), TEST(ratings))

/* Mistakes in applying models, and what may not be read. */
#include "program/mistakes.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "data/data.h"

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
        {"$G predict f.h5 d.h5:/ratings d.h5:/ratings", 64, "Expected one model and one dataset; "},
        {"$G plot $(yes l.jsonl | head -n 100 | tr '\\n' ' ') -o p.svg", 64, "logs in one picture"},
        {"mkdir -p dir; $G plot dir -o p.svg", 74, "cannot be read: Is a directory"},
    };
    CHECK(mistakes);
}

static void what_may_not_be_read(void)
{
    static const struct mistake mistakes[] = {
        {"cp d.h5 secret.h5; chmod 0 secret.h5; " TRAIN "--set data.train=secret.h5", 77,
         "secret.h5: permission denied"},
        {"cp j.yaml secret.yaml; chmod 0 secret.yaml; $G train secret.yaml", 77, "secret.yaml"},
    };
    if (geteuid() == 0) {
        printf("\n    root may read everything: left out");
        CU_PASS("as root");
        return;
    }
    CHECK(mistakes);
}

static void our_own_mistakes_are_70(void)
{
    struct gm_error err = {0};
    struct data_set *set = NULL;
    struct data_pass *pass = NULL;
    const struct data_order order = {0};
    const struct data_source source = {.path = "d.h5"};
    mistakes_prepare();
    CU_ASSERT_EQUAL(message_fail("test", &err), 70);
    CU_ASSERT_EQUAL_FATAL(data_open(&set, &source, &(struct data_options){.need_target = true}, &err), GM_OK);
    CU_ASSERT_EQUAL(data_pass_open(&pass, set, &order, &err), GM_BUG);
    ASSERT_HOLDS(err.text, "a pass before the dataset is loaded");
    CU_ASSERT_EQUAL(message_fail("test", &err), 70);
    data_close(set);
}

/* The program names ratings by one file; the library's callers can name them otherwise. */
static void ratings_named_as_features_are_refused(void)
{
    struct gm_error err = {0};
    struct gm_model *model = NULL;
    struct gm_metrics metrics;
    const struct gm_data data = {.features = "d.h5:/X"};
    mistakes_prepare();
    CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, "f.h5", NULL, &err), GM_OK);
    CU_ASSERT_EQUAL(gm_evaluate(model, &data, NULL, &metrics, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "f.h5 takes ratings: one FILE.h5 or FILE.h5:/group");
    gm_model_close(model);
}

TEST_MAIN("mistakes_model", TEST(models_on_other_data), TEST(what_may_not_be_read), TEST(our_own_mistakes_are_70),
          TEST(ratings_named_as_features_are_refused))

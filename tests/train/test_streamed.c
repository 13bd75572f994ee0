/*
 * Networks on data that do not fit into memory: small batches of a shuffled pass, which mixes 64 MiB of rows at a time.
 * The bytes are those of training on resident data. 76 MB of features.
 */
#include "support.h"

#include <string.h>

#include "train/lab.h"

enum { ROWS = 100000, FEATURES = 750, SECOND = 6 };

static const char *data(void)
{
    static const char *path;
    if (!path)
        lab_write_bytes(path = test_path("bytes.h5"), ROWS, FEATURES, SECOND, 0);
    return path;
}

static void streamed_is_resident(const char *loss, void (*adjust)(struct gm_job *))
{
    static const size_t hidden[] = {4};
    struct gm_error err;
    char path[300];
    snprintf(path, sizeof path, "%s", data());
    for (int streamed = 0; streamed < 2; streamed++) {
        struct lab lab;
        lab_job(&lab, path, loss, test_path(streamed ? "other.h5" : "first.h5"));
        lab.job.run.precision = GM_FLOAT32;
        lab.job.model.hidden = (struct gm_wholes){hidden, 1};
        lab.job.model.embedding = 3;
        lab.job.stop.max_epochs = 1;
        adjust(&lab.job);
        lab.job.run.threads = streamed ? 3 : 2;
        lab.job.run.memory = streamed ? (uint64_t)72 << 20 : 0;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        printf("%s", err.text);
        CU_ASSERT_EQUAL(lab_summary()->resident, !streamed);
    }
    CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
}

static void small_batches(struct gm_job *job)
{
    job->optimizer.type = GM_OPTIMIZER_ADAM;
    job->optimizer.learning_rate = 0.01;
    job->optimizer.batch_size = 512;
}

static void network(struct gm_job *job)
{
    job->model.type = GM_MODEL_MLP;
    job->data.validation_fraction = 0.2;
    small_batches(job);
}

static void product(struct gm_job *job)
{
    job->model.type = GM_MODEL_TWO_TOWER;
    job->model.fuse = GM_FUSE_DOT;
    small_batches(job);
}

static void networks_in_small_batches(void)
{
    streamed_is_resident("mse", network);
}

static void towers_in_small_batches(void)
{
    streamed_is_resident("mse", product);
}

TEST_MAIN("streamed", TEST(networks_in_small_batches), TEST(towers_in_small_batches))

/*
 * Fuzzing the reader of checkpoints. A small training is stopped once; each input bends what its checkpoint holds,
 * dataset by dataset and number by number, and what then is accepted trains on: to any end but a crash.
 */
#include <float.h>
#include <math.h>

#include "base/archive.h"
#include "base/memory.h"
#include "tests/fuzz/recipe.h"
#include "train/checkpoint.h"
#include "train/state.h"

static struct gm_job job;
static struct gm_job_loss loss = {.name = "mse", .weight = 1};
static struct problem problem;
static char data_path[256], checkpoint_path[256];

static bool stop_now(void *context)
{
    return ++*(size_t *)context > 6;
}

static void make_data(void)
{
    double x[32], y[16];
    struct archive *a = NULL;
    struct gm_error err;
    struct archive_shape matrix = {2, {16, 2}}, column = {1, {16}};
    for (int i = 0; i < 16; i++) {
        x[2 * i] = i;
        x[2 * i + 1] = i * i % 7;
        y[i] = 3 * i - x[2 * i + 1];
    }
    require(!archive_create(&a, &err) && !archive_put(a, "/X", ARCHIVE_F64, &matrix, x, &err) &&
                !archive_put(a, "/y", ARCHIVE_F64, &column, y, &err) && !archive_save(a, data_path, &err),
            "data");
    archive_close(a);
}

static void start(void)
{
    struct gm_error err = {0};
    if (problem.job)
        return;
    in_directory(data_path, "data.h5");
    in_directory(checkpoint_path, "c.h5");
    make_data();
    gm_job_init(&job);
    job.data.train.path = data_path;
    job.loss.terms = &loss;
    job.loss.count = 1;
    job.stop.max_epochs = 3;
    job.output.model = job.output.log = NULL;
    job.output.checkpoint = checkpoint_path;
    job.output.checkpoint_every = 1e9;
    require(problem_init(&problem, &job, NULL, &err) == GM_OK, err.text);
}

/* One dataset or list of the checkpoint, as it is or bent. */
static void put(struct archive *a, struct recipe *r, const char *name, const struct state_array *array)
{
    struct gm_error err;
    double bent[2048] = {0};
    float single[2048] = {0};
    size_t count = array->count;
    uint8_t how = recipe_byte(r);
    if (how == 1 || count > 1000)
        return;
    struct archive_shape shape = {1, {how == 2 ? count + 1 : how == 3 ? count / 2 : count}};
    for (size_t i = 0; i < count; i++)
        bent[i] = array->singles ? (double)array->singles[i] : array->values[i];
    for (uint8_t i = 4; i < how && count; i++)
        bent[recipe_byte(r) % count] = recipe_real(r);
    for (size_t i = 0; array->singles && i < count; i++)
        single[i] = fabs(bent[i]) < FLT_MAX ? (float)bent[i] : NAN;
    require((array->singles ? archive_put(a, name, ARCHIVE_F32, &shape, single, &err)
                            : archive_put(a, name, ARCHIVE_F64, &shape, bent, &err)) == GM_OK,
            "an array");
}

static void write_checkpoint(struct run *run, struct recipe *r)
{
    struct archive *a = NULL;
    struct gm_error err;
    struct run_state state;
    const char *names[128];
    double numbers[128];
    uint8_t how = recipe_byte(r);
    require(archive_create(&a, &err) == GM_OK, "an archive");
    if (how != 1)
        (void)archive_put_text(a, "format", CHECKPOINT_FORMAT, &err);
    if (how != 2)
        (void)archive_put_integer(a, "format_version", how == 3 ? 2 : 1, &err);
    for (int kind = 0; kind < IDENTITY_KINDS; kind++)
        if (how != 4 + kind)
            (void)archive_put_texts(a, identity_name((enum identity_kind)kind),
                                    (const char *const *)run->identity.lines[kind],
                                    run->identity.count[kind] - (how == 7 + kind), &err);
    for (size_t i = 0; i < state_numbers(); i++)
        names[i] = state_number_name(i);
    state_get_numbers(run, numbers);
    (void)archive_put_texts(a, "number_names", names, state_numbers() - (how == 10), &err);
    put(a, r, "/numbers", &(struct state_array){.values = numbers, .count = state_numbers()});
    run_state(run, &state);
    for (size_t i = 0; i < state.count; i++) {
        char name[STATE_NAME + 8];
        snprintf(name, sizeof name, "/state/%s", state.arrays[i].name);
        put(a, r, name, &state.arrays[i]);
    }
    require(archive_save(a, checkpoint_path, &err) == GM_OK, "the checkpoint");
    archive_close(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum gm_optimizer methods[] = {GM_OPTIMIZER_GD, GM_OPTIMIZER_LBFGS, GM_OPTIMIZER_ADAM,
                                                GM_OPTIMIZER_MOMENTUM};
    struct recipe r = {data, size};
    struct run run;
    struct gm_error err = {0};
    size_t asks = 0;
    const struct gm_watch watch = {.context = &asks, .interrupted = stop_now};
    if (size > 4096)
        return 0;
    start();
    uint8_t method = recipe_byte(&r);
    job.optimizer.type = methods[method % 4];
    job.optimizer.batch_size = method % 4 > 1 ? 5 : 0;
    job.optimizer.learning_rate = method & 4 ? 0.01 : NAN;
    job.output.resume = false;
    require(run_init(&run, &problem, &watch, &err) == GM_OK, err.text);
    require_reason(run_train(&run, &err), &err);
    write_checkpoint(&run, &r);
    run_release(&run);

    asks = 0;
    job.output.resume = true;
    enum gm_code code = run_init(&run, &problem, &watch, &err);
    require_reason(code, &err);
    if (code == GM_OK) {
        require_reason(run_train(&run, &err), &err);
        run_release(&run);
    }
    return 0;
}

/*
 * Model files: what is written is what is read, on the raw feature scale.
 *
 * Expected values: w / scale and b - sum w * center / scale, computed by hand for small whole numbers.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/file.h"

static const double params[] = {2, -3, 0.5, 8, 1, -1}; /* 2 outputs x 2 features, then 2 intercepts */

static struct model_file facts(void)
{
    static char *classes[] = {"cat", "dog"}, *features[] = {"tail", "ears"};
    return (struct model_file){.loss_id = "mse",
                               .loss_version = "1.0",
                               .loss_params = "{}",
                               .loss_sha256 = "00",
                               .targets = 2,
                               .class_names = classes,
                               .feature_names = features,
                               .n_classes = 2,
                               .n_feature_names = 2,
                               .fingerprint = "ff",
                               .gradmill_version = "0",
                               .stop_reason = "loss_change",
                               .objective = 0.25,
                               .train_loss = 0.125,
                               .validation_loss = 0.5,
                               .epochs = 7,
                               .best_epoch = 5,
                               .seed = 3};
}

static void make(struct model *m, const double *center, const double *scale)
{
    struct gm_error err = {0};
    const struct model_spec spec = {
        .type = MODEL_LINEAR, .features = 2, .outputs = 2, .intercept = true, .precision = MODEL_F64};
    CU_ASSERT_EQUAL_FATAL(model_init(m, &spec, center, scale, &err), GM_OK);
}

static const char *written(const char *name, const double *center, const double *scale)
{
    struct model m;
    struct gm_error err = {0};
    struct model_file file = facts();
    const char *path = test_path(name);
    make(&m, center, scale);
    CU_ASSERT_EQUAL_FATAL(model_file_write(&file, &m, params, path, &err), GM_OK);
    model_release(&m);
    return path;
}

static void standardisation_is_folded_into_the_file(void)
{
    const double center[] = {10, 4}, scale[] = {2, 4};
    const double expected[] = {1, -0.75, 0.25, 2, 1 - 10 + 3, -1 - 2.5 - 8};
    struct gm_error err = {0};
    struct model_file file;
    struct model m;
    double *read;
    CU_ASSERT_EQUAL_FATAL(model_file_read(&file, written("folded.h5", center, scale), &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(model_file_load(&file, &m, &read, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(m.n_params, 6);
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(read[i], expected[i]);
    memory_free(read);
    model_release(&m);
    model_file_release(&file);
}

static void facts_of_the_run_come_back(void)
{
    struct gm_error err = {0};
    struct model_file file;
    CU_ASSERT_EQUAL_FATAL(model_file_read(&file, written("facts.h5", NULL, NULL), &err), GM_OK);
    CU_ASSERT_EQUAL(file.spec.type, MODEL_LINEAR);
    CU_ASSERT_EQUAL(file.spec.features, 2);
    CU_ASSERT_EQUAL(file.spec.outputs, 2);
    CU_ASSERT_STRING_EQUAL(file.loss_id, "mse");
    CU_ASSERT_STRING_EQUAL(file.class_names[1], "dog");
    CU_ASSERT_STRING_EQUAL(file.feature_names[0], "tail");
    CU_ASSERT_EQUAL(file.validation_loss, 0.5);
    CU_ASSERT_EQUAL(file.epochs, 7);
    CU_ASSERT_EQUAL(file.best_epoch, 5);
    CU_ASSERT_PTR_NULL(file.fill);
    model_file_release(&file);
}

static void a_file_of_another_kind_is_refused(void)
{
    struct gm_error err = {0};
    struct model_file file;
    const char *path = test_path("text.h5");
    test_write(path, "not a model\n");
    CU_ASSERT_EQUAL(model_file_read(&file, path, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "text.h5");
    CU_ASSERT_EQUAL(model_file_read(&file, test_path("absent.h5"), &err), GM_NO_INPUT);
}

/* Each byte of the file in turn: the checksum must find it. */
static void every_changed_byte_is_found(void)
{
    const char *path = written("damaged.h5", NULL, NULL);
    FILE *f = fopen(path, "r+b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    for (long at = 0; at < size; at += 97) {
        struct gm_error err = {0};
        struct model_file file;
        fseek(f, at, SEEK_SET);
        int byte = fgetc(f);
        fseek(f, at, SEEK_SET);
        fputc(byte ^ 0x10, f);
        fflush(f);
        CU_ASSERT_EQUAL(model_file_read(&file, path, &err), GM_BAD_DATA);
        fseek(f, at, SEEK_SET);
        fputc(byte, f);
        fflush(f);
    }
    fclose(f);
}

TEST_MAIN("model/file", TEST(standardisation_is_folded_into_the_file), TEST(facts_of_the_run_come_back),
          TEST(a_file_of_another_kind_is_refused), TEST(every_changed_byte_is_found))

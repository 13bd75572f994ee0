/*
 * Fuzzing the readers of model files and of archives.
 *
 * First byte even: the rest is a file as it is; damage that HDF5 itself does not survive must be found in the child
 * process that tries it. Odd: the rest is a recipe for a file that HDF5 takes for good and that may be no model: each
 * step takes a name of a model file and says what stands there, its type, its shape and its values.
 */
#include <math.h>

#include <gradmill/gradmill.h>

#include "base/archive.h"
#include "base/memory.h"
#include "model/file.h"
#include "tests/fuzz/recipe.h"

static const char *const arrays[] = {"/coefficients",  "/intercept",     "/missing_fill",  "/theta",
                                     "/loss_theta",    "/class_names",   "/feature_names", "/layers/0/weights",
                                     "/layers/0/bias", "/users/factors", "/items/factors", "/centroids",
                                     "/mean"};
static const char *const texts[] = {"format",           "gradmill_version", "model_type",  "loss_id",
                                    "loss_version",     "loss_params",      "loss_sha256", "stop_reason",
                                    "data_fingerprint", "activation"};
static const char *const integers[] = {"format_version", "has_intercept", "link",   "targets", "epochs",
                                       "best_epoch",     "seed",          "hidden", "rank",    "objective"};

static void ignore(void *context, const char *name, const char *text)
{
    (void)context, (void)name, (void)text;
}

static void read_model(const char *path)
{
    struct model_file file;
    struct model model = {0};
    struct gm_error err = {0};
    double *params = NULL;
    enum gm_code code = model_file_read(&file, path, &err);
    require_reason(code, &err);
    if (code == GM_OK) {
        code = model_file_load(&file, &model, &params, &err);
        require_reason(code, &err);
        require(code || (params && model.n_params > 0), "parameters of a model");
        if (code == GM_OK)
            model_release(&model);
        memory_free(params);
        model_file_release(&file);
    }
    err = (struct gm_error){0};
    require_reason(gm_inspect(path, ignore, NULL, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[256];
    if (size == 0)
        return 0;
    in_directory(path, "model.h5");
    const struct recipe_names names = {arrays,   sizeof arrays / sizeof *arrays,    texts, sizeof texts / sizeof *texts,
                                       integers, sizeof integers / sizeof *integers};
    if (data[0] & 1)
        recipe_cook(&(struct recipe){data + 1, size - 1}, &names, MODEL_FORMAT, path);
    else
        write_input(path, data + 1, size - 1);
    read_model(path);
    unlink(path);
    return 0;
}

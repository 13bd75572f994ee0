/* Predictions to HDF5 or CSV, a block of rows at a time. */
#include "cli/predict_out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hdf5_lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "datasets/output.h"

/* Class indices are converted this many rows at a time. */
#define SLICE 1024

size_t predict_class(const struct predict_out *out, const double *pred)
{
    size_t best = 0;
    if (gm_model_gives_class(out->model))
        return pred[0] > 0 ? (size_t)pred[0] : 0;
    if (out->outputs == 1)
        return pred[0] > (out->raw ? 0.0 : 0.5);
    for (size_t k = 1; k < out->outputs; k++)
        if (pred[k] > pred[best])
            best = k;
    return best;
}

/* ---- CSV ---- */

static void csv_text(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void csv_header(const struct predict_out *out)
{
    if (out->classes)
        fputs("class", stdout);
    for (size_t k = 0; k < out->outputs; k++) {
        if (k || out->classes)
            putchar(',');
        if (out->classes == out->outputs)
            csv_text(gm_model_class_name(out->model, k));
        else if (out->outputs == 1)
            fputs(out->classes && !gm_model_gives_class(out->model) ? gm_model_class_name(out->model, 1) : "prediction",
                  stdout);
        else
            printf("prediction_%zu", k);
    }
    putchar('\n');
}

static bool csv_rows(struct predict_out *out, size_t rows, const double *pred)
{
    char number[32];
    errno = 0;
    for (size_t i = 0; i < rows && !ferror(stdout); i++, pred += out->outputs) {
        if (out->classes)
            csv_text(gm_model_class_name(out->model, predict_class(out, pred)));
        for (size_t k = 0; k < out->outputs; k++) {
            if (k || out->classes)
                putchar(',');
            fputs(text_from_real(pred[k], number), stdout);
        }
        putchar('\n');
    }
    if (!ferror(stdout))
        return true;
    error_set(&out->err, GM_IO, "Cannot write to standard output: %s.", errno ? strerror(errno) : "the write failed");
    return false;
}

/* ---- HDF5 ---- */

static enum gm_code create_arrays(struct predict_out *out)
{
    const struct output_shape shape = {2, {out->rows, out->outputs}}, column = {1, {out->rows}};
    enum gm_code code = output_text(out->file, "/", "format", "gradmill-predictions", &out->err);
    if (code == GM_OK)
        code = output_text(out->file, "/", "scale", out->raw ? "link" : "response", &out->err);
    if (code == GM_OK)
        code = output_array(out->file, "predictions", DATA_F64, &shape, &out->predictions, &out->err);
    if (code == GM_OK && out->classes)
        code = output_array(out->file, "classes", DATA_U32, &column, &out->chosen, &out->err);
    return code;
}

static bool file_rows(struct predict_out *out, size_t first, size_t rows, const double *pred)
{
    uint32_t classes[SLICE];
    enum gm_code code = output_rows(out->predictions, first, rows, pred, &out->err);
    for (size_t done = 0; code == GM_OK && out->classes && done < rows; done += SLICE) {
        size_t count = rows - done < SLICE ? rows - done : SLICE;
        for (size_t i = 0; i < count; i++)
            classes[i] = (uint32_t)predict_class(out, pred + (done + i) * out->outputs);
        code = output_rows(out->chosen, first + done, count, classes, &out->err);
    }
    return code == GM_OK;
}

/* The classifier's names, 16 bytes a name while they are handed over. */
static enum gm_code put_class_names(struct predict_out *out)
{
    void *memory = NULL;
    enum gm_code code = memory_alloc(&memory, out->classes, sizeof(const char *), "class names", &out->err);
    if (code != GM_OK)
        return code;
    const char **names = memory;
    for (size_t k = 0; k < out->classes; k++)
        names[k] = gm_model_class_name(out->model, k);
    code = output_texts(out->file, "class_names", names, out->classes, &out->err);
    memory_free(memory);
    return code;
}

/* ---- either ---- */

/* Predictions arrive while the library reads ahead on another thread: each visit to HDF5 takes the lock. */

enum gm_code predict_out_open(struct predict_out *out, const char *path)
{
    if (strcmp(path, "-") == 0) {
        csv_header(out);
        return GM_OK;
    }
    hdf5_lock();
    enum gm_code code = output_open(&out->file, path, false, &out->err);
    if (code == GM_OK)
        code = create_arrays(out);
    if (code == GM_OK && out->classes)
        code = put_class_names(out);
    hdf5_unlock();
    return code;
}

bool predict_out_rows(void *context, size_t first_row, size_t rows, const double *pred)
{
    struct predict_out *out = context;
    if (!out->file)
        return csv_rows(out, rows, pred);
    hdf5_lock();
    bool written = file_rows(out, first_row, rows, pred);
    hdf5_unlock();
    return written;
}

enum gm_code predict_out_finish(struct predict_out *out)
{
    if (!out->file)
        return GM_OK;
    hdf5_lock();
    enum gm_code code = output_finish(out->file, &out->err);
    hdf5_unlock();
    return code;
}

void predict_out_release(struct predict_out *out)
{
    hdf5_lock();
    output_close(out->file);
    hdf5_unlock();
    *out = (struct predict_out){0};
}

/*
 * Model files: HDF5 with the parameters on the raw feature scale, and everything needed to use them and to know where
 * they come from. Which arrays hold the parameters is the model's own business (struct model_ops: save, open, load).
 * Two runs of one job write the same bytes.
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "model/model.h"

#define MODEL_FORMAT         "gradmill-model"
#define MODEL_FORMAT_VERSION 1

struct model_file {
    struct model_spec spec; /* of the model, without center and scale; float64 when read */
    /* the loss it was trained with */
    char *loss_id, *loss_version, *loss_params, *loss_sha256; /* params: canonical JSON */
    int64_t link;                                             /* enum gm_loss_link */
    int64_t targets;                                          /* columns of the target it was trained on */
    double *theta;                                            /* [n_theta] what the loss learned; NULL: nothing */
    size_t n_theta;
    /* the data */
    char **class_names, **feature_names; /* NULL: none */
    size_t n_classes, n_feature_names;
    char *fingerprint;
    double *fill; /* [features] what replaces a missing feature; NULL: missing features are errors */
    /* the run */
    char *gradmill_version, *stop_reason;
    double objective, train_loss, validation_loss; /* NaN: none */
    int64_t epochs, best_epoch, seed, batch_size;  /* batch_size 0: full */

    struct archive *archive; /* of model_file_read: where the model's arrays still are */
};

/* m and params [m->n_params] are written, on the raw feature scale; file->spec is not looked at. */
enum gm_code model_file_write(const struct model_file *file, const struct model *m, const double *params,
                              const char *path, struct gm_error *err);
/* GM_NO_INPUT, GM_DENIED, GM_IO, GM_BAD_DATA (not a model, damaged, of a newer format, shapes that do not fit). Every
 * pointer of file is then its own; model_file_release. */
enum gm_code model_file_read(struct model_file *file, const char *path, struct gm_error *err);
/* The model of a file that was read: model_release(m), memory_free(*params). */
enum gm_code model_file_load(const struct model_file *file, struct model *m, double **params, struct gm_error *err);
void model_file_release(struct model_file *file); /* only of what model_file_read filled */

#endif

/*
 * Model files: HDF5 with the parameters on the raw feature scale, and everything needed to use them and to know where
 * they come from. Two runs of one job write the same bytes.
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#define MODEL_FORMAT         "gradmill-model"
#define MODEL_FORMAT_VERSION 1

struct model_file {
    /* linear */
    size_t outputs, features;
    double *coefficients; /* [outputs x features] */
    double *intercept;    /* [outputs] */
    bool has_intercept;
    /* the loss it was trained with */
    char *loss_id, *loss_version, *loss_params, *loss_sha256; /* params: canonical JSON */
    int64_t link;                                             /* enum gm_loss_link */
    int64_t targets;                                          /* columns of the target it was trained on */
    /* the data */
    char **class_names, **feature_names; /* NULL: none */
    size_t n_classes, n_feature_names;
    char *fingerprint;
    double *fill; /* [features] what replaces a missing feature; NULL: missing features are errors */
    /* the run */
    char *gradmill_version, *stop_reason;
    double objective, train_loss, validation_loss; /* NaN: none */
    int64_t epochs, best_epoch, seed;
};

enum gm_code model_file_write(const struct model_file *m, const char *path, struct gm_error *err);
/* GM_NO_INPUT, GM_DENIED, GM_IO, GM_BAD_DATA (not a model, damaged, of a newer format, shapes that do not fit). Every
 * pointer of m is then its own; model_file_release. */
enum gm_code model_file_read(struct model_file *m, const char *path, struct gm_error *err);
void model_file_release(struct model_file *m); /* only of what model_file_read filled */

#endif

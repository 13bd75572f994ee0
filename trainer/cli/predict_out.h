/* Where predictions go: an HDF5 file, or CSV on stdout; both in bounded memory. */
#ifndef CLI_PREDICT_OUT_H
#define CLI_PREDICT_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include <gradmill/gradmill.h>

struct output;
struct output_array;

struct predict_out {
    const struct gm_model *model;
    bool raw;
    size_t rows; /* of the dataset */
    size_t outputs, classes;
    struct output *file; /* NULL: CSV */
    struct output_array *predictions, *chosen;
    struct gm_error err; /* of the first failure; its code is GM_OK until then */
};

/* Create the temporary file and its arrays, or print CSV's header. GM_CANNOT_CREATE, GM_DENIED, GM_IO. */
enum gm_code predict_out_open(struct predict_out *out, const char *path);
/* A gm_predictions_fn; false once something failed (out->err says what). */
bool predict_out_rows(void *out, size_t first_row, size_t rows, const double *pred);
/* Make the file appear. */
enum gm_code predict_out_finish(struct predict_out *out);
void predict_out_release(struct predict_out *out);

/* The class a row of predictions [outputs] stands for. */
size_t predict_class(const struct predict_out *out, const double *pred);

#endif

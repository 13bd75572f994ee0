/* Networks in model files: for each layer K from 0, PREFIX/K/weights [out x in] and PREFIX/K/bias [out], float64, for
 * raw rows. */
#ifndef MODEL_NETWORK_FILE_H
#define MODEL_NETWORK_FILE_H

#include "base/archive.h"
#include "model/network.h"

const char *network_activation_name(enum activation activation); /* "relu" ... as in job files */
/* The file's attribute "activation". GM_BAD_DATA. */
enum gm_code network_activation_read(const struct archive *a, const char *path, enum activation *out,
                                     struct gm_error *err);

/* center, scale [in]: what the network's rows were standardised with, folded into the first layer. */
enum gm_code network_save(const struct network *net, const char *prefix, const double *center, const double *scale,
                          const double *params, struct archive *a, struct gm_error *err);

struct network_sizes {
    size_t in, out, n_hidden;
    size_t *hidden; /* [most], filled */
    size_t most;
};
/* GM_BAD_DATA: layers that do not fit each other. */
enum gm_code network_open(const struct archive *a, const char *path, const char *prefix, struct network_sizes *sizes,
                          struct gm_error *err);
/* For a network of those sizes without center and scale. */
enum gm_code network_load(const struct network *net, const char *prefix, const struct archive *a, double *params,
                          struct gm_error *err);

#endif

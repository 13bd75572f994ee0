/* Where features, target, weights and groups are, by name or by convention. Callers hold hdf5_lock. */
#ifndef DATA_FIND_H
#define DATA_FIND_H

#include "data/stored.h"

/* What a person named: a file, a group of it, or one dataset. */
struct place {
    struct h5_file *file;
    char *group; /* absolute: to look in */
    char *name;  /* absolute: of the dataset; NULL: to be found in `group` */
};

/* From "FILE.h5", "FILE.h5:/group" or "FILE.h5:/group/dataset". GM_NO_INPUT, GM_BAD_DATA, GM_DENIED, GM_SYSTEM. */
enum gm_code place_open(struct place *place, struct h5_files *files, const char *where, struct gm_error *err);
void place_release(struct place *place);

/* Set place->name by convention. Features: X, x, data, features, images, else the only dataset of two dimensions.
 * GM_BAD_DATA with the candidates. */
enum gm_code find_features(struct place *place, struct gm_error *err);

/* Target: y, label, labels, target, targets, else the only one-dimensional dataset with as many rows as the features.
 * place->name stays NULL when there is none; GM_BAD_DATA with the candidates when it is required. */
enum gm_code find_target(struct place *place, const struct stored *features, bool required, struct gm_error *err);

/* The first of names[] (NULL-terminated) that is a dataset of place->group becomes place->name, else it stays NULL. */
enum gm_code find_named(struct place *place, const char *const *names, struct gm_error *err);

#endif

/* Going through the losses of one file, and of every file of the search path. */
#ifndef LOSS_COLLECT_H
#define LOSS_COLLECT_H

#include "loss/plugin.h"

typedef enum gm_code collect_fn(void *context, struct loss_plugin *plugin, bool *stop, struct gm_error *err);

/* Hand every loss of a file to `use`, which takes it over. */
enum gm_code collect_file(const char *path, const char *sha256, collect_fn *use, void *context, struct gm_error *err);

struct collection {
    const char *sha256;          /* pin: no other file is loaded; NULL: any. Borrowed */
    struct loss_plugin *plugins; /* [count] in order of id, once collect_path is done */
    size_t count, room;
};

/* Every loss on the path; of two with the same id the first one found stays. Files that fail go to `broken`. */
enum gm_code collect_path(struct collection *all, char *const *directories, size_t count, loss_broken_fn *broken,
                          void *context, struct gm_error *err);
void collection_release(struct collection *all);

#endif

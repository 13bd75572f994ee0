/* A plugin's file: checked, hashed and loaded. The only place that calls the dynamic loader. */
#ifndef LOSS_OBJECT_H
#define LOSS_OBJECT_H

#include <gradmill/loss.h>
#include <gradmill/status.h>

struct loss_object {
    gm_loss_entry_fn *entry;
    char *path; /* real path, owned */
    char sha256[65];
};

/* Nothing of the plugin runs until its permissions, its hash (`sha256`: pin or NULL), its machine, its needed libraries
 * and its symbol are found good. GM_PLUGIN_LOAD. The code stays loaded for the life of the process; opening the same
 * file again gives the same code. */
enum gm_code object_open(struct loss_object *object, const char *path, const char *sha256, struct gm_error *err);
void object_release(struct loss_object *object); /* frees the text only */

#endif

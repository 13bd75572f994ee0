/* From what a plugin's entry function returns to a struct loss_plugin that the rest can rely on. */
#ifndef LOSS_VTABLE_H
#define LOSS_VTABLE_H

#include "loss/object.h"
#include "loss/plugin.h"

/* The smallest sizes a plugin may declare: the fields that ABI 1.0 makes mandatory, and its whole spec. */
#define VTABLE_SMALLEST (offsetof(struct gm_loss, evaluate) + sizeof(((struct gm_loss *)0)->evaluate))
#define SPEC_SMALLEST   (offsetof(struct gm_loss_spec, scratch_per_row) + sizeof(uint64_t))

/* [a-z][a-z0-9_]* of at most 63 characters. */
bool vtable_is_id(const char *text);

/* Copy and check loss number `index` of the object. *found false: past the last. Checks magic, versions, sizes, id,
 * spec, schema. GM_PLUGIN_LOAD. Takes no ownership of the object. */
enum gm_code vtable_read(struct loss_plugin *plugin, const struct loss_object *object, uint32_t index, bool *found,
                         struct gm_error *err);

/* A spec as read, or as refined by create(). GM_PLUGIN_LOAD. */
enum gm_code vtable_check_spec(const struct gm_loss_spec *spec, const struct gm_loss *vtable, const char *path,
                               struct gm_error *err);

/* The parameter schema alone (schema.c). */
enum gm_code schema_check(const struct gm_loss *vtable, const char *path, struct gm_error *err);

#endif

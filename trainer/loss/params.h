/* Parameters as people type them, against a plugin's schema. */
#ifndef LOSS_PARAMS_H
#define LOSS_PARAMS_H

#include "loss/plugin.h"

/* Fill loss->param and loss->list_storage. GM_BAD_JOB: unknown, twice, missing, not a number, out of range. */
enum gm_code params_parse(struct loss *loss, const struct loss_setting *settings, size_t count, struct gm_error *err);

#endif

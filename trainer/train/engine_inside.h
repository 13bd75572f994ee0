/* What the ways through a batch share of the engine. */
#ifndef TRAIN_ENGINE_INSIDE_H
#define TRAIN_ENGINE_INSIDE_H

#include "train/engine.h"

/* Adds the first `count` sums in the fixed tree into totals. GM_PLUGIN_BROKEN. */
enum gm_code engine_add_sums(struct engine *e, size_t count, struct engine_totals *totals, struct gm_error *err);
/* What the loss learns, from the prepared parameters. */
void engine_take_theta(struct engine *e);
/* A batch's own sums into those of the epoch. */
void engine_add_batch(const struct engine_totals *own, struct engine_totals *totals);

#endif

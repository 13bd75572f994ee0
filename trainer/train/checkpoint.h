/*
 * Checkpoints: the whole state of a run in a file, often enough that little is lost, and never half of one.
 *
 * Two are kept: `path`, and `path`.1, the one before. A save writes a temporary file, brings it to the disk, and only
 * then moves the names; whatever happens in between, one of the two is whole (base/file.h). Loading takes the older
 * when the newer is damaged or missing. A run that has ended says so in its last checkpoint, so that running it again
 * with --resume does nothing.
 */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include <stdbool.h>

#include "train/identity.h"
#include "train/run.h"

#define CHECKPOINT_FORMAT         "gradmill-checkpoint"
#define CHECKPOINT_FORMAT_VERSION 1

/* "path.1"; memory_free it. GM_SYSTEM. */
enum gm_code checkpoint_older(char **older, const char *path, struct gm_error *err);

/* Save now, if the job wants checkpoints at all. GM_SYSTEM, GM_IO, GM_CANNOT_CREATE, GM_DENIED: then the file is as it
 * was. */
enum gm_code checkpoint_save(struct run *r, struct gm_error *err);
/* Save when it is time: so many seconds or epochs after the last, or when the watcher asks. */
enum gm_code checkpoint_due(struct run *r, struct gm_error *err);

/* Put r, just initialised, where the checkpoint is. *found false: there is none, start at the beginning. GM_BAD_DATA:
 * other data, or neither file can be read; GM_BAD_JOB: another job; GM_PLUGIN_LOAD: another loss. */
enum gm_code checkpoint_load(struct run *r, bool *found, struct gm_error *err);

#endif

/* The training log: one JSON object a line, written as training goes. */
#ifndef TRAIN_LOG_H
#define TRAIN_LOG_H

#include <stdio.h>

#include <gradmill/gradmill.h>

#include "train/problem.h"

struct train_log {
    FILE *file; /* NULL: no log is kept */
    const char *path;
    bool kept; /* what an earlier run wrote is still there, up to its checkpoint */
};

/* bytes > 0: keep so many of the file's and write behind them, dropping the rest, which a resumed run writes again; a
 * file that is shorter is begun anew. */
enum gm_code log_open(struct train_log *log, const char *path, uint64_t bytes, struct gm_error *err);
enum gm_code log_start(struct train_log *log, const struct problem *p, struct gm_error *err);
/* {"event":"resume","epoch":..,"batch":..}: from here on another process writes. */
enum gm_code log_resume(struct train_log *log, const struct gm_epoch *last, uint64_t batch, struct gm_error *err);
enum gm_code log_epoch(struct train_log *log, const struct gm_epoch *epoch, struct gm_error *err);
enum gm_code log_end(struct train_log *log, const struct gm_summary *summary, struct gm_error *err);
/* Bring the log to the disk; *bytes: its length. */
enum gm_code log_sync(struct train_log *log, uint64_t *bytes, struct gm_error *err);
/* GM_IO when the last bytes could not be written. A zeroed struct is fine. */
enum gm_code log_close(struct train_log *log, struct gm_error *err);

#endif

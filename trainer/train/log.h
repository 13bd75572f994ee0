/* The training log: one JSON object a line, written as training goes. */
#ifndef TRAIN_LOG_H
#define TRAIN_LOG_H

#include <stdio.h>

#include <gradmill/gradmill.h>

#include "train/problem.h"

struct train_log {
    FILE *file; /* NULL: no log is kept */
    const char *path;
};

enum gm_code log_open(struct train_log *log, const char *path, struct gm_error *err);
enum gm_code log_start(struct train_log *log, const struct problem *p, struct gm_error *err);
enum gm_code log_epoch(struct train_log *log, const struct gm_epoch *epoch, struct gm_error *err);
enum gm_code log_end(struct train_log *log, const struct gm_summary *summary, struct gm_error *err);
/* GM_IO when the last bytes could not be written. A zeroed struct is fine. */
enum gm_code log_close(struct train_log *log, struct gm_error *err);

#endif

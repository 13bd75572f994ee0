/*
 * What a run is, as lines "key=value": the job's meaning, its losses, its data. A checkpoint keeps them, and a run goes
 * on from one only when all are the same; the first line that differs is what the refusal names.
 *
 * The job's meaning is every key that changes the model's bits. Not in it, and free to change between the runs:
 * run.threads, run.memory and run.watchdog (same bits), output.* and where data and plugins lie (those are known by
 * their content), stop.max_epochs and stop.max_time (when to end, not how to get there; max_epochs does count under the
 * cosine schedule, which ends there). tests/cli/test_identity.c walks over all keys: a new one is
 * in identity.c, or among those that may change, or fails there.
 */
#ifndef TRAIN_IDENTITY_H
#define TRAIN_IDENTITY_H

#include "train/problem.h"

enum identity_kind { IDENTITY_JOB, IDENTITY_LOSS, IDENTITY_DATA, IDENTITY_KINDS };

struct identity {
    char **lines[IDENTITY_KINDS]; /* [count] */
    size_t count[IDENTITY_KINDS], room[IDENTITY_KINDS];
};

/* The name of a list in files: "job", "losses", "data". */
const char *identity_name(enum identity_kind kind);

/* GM_SYSTEM. To be released in any case. */
enum gm_code identity_of_job(struct identity *id, const struct gm_job *job, struct gm_error *err);
/* The job's, with the losses and data that were found. */
enum gm_code identity_of_problem(struct identity *id, const struct problem *p, struct gm_error *err);
enum gm_code identity_add(struct identity *id, enum identity_kind kind, const char *key, const char *value,
                          struct gm_error *err);
void identity_release(struct identity *id); /* a zeroed struct is fine */

/* GM_OK when equal. `then` is the checkpoint's, `path` its name. GM_BAD_JOB, GM_PLUGIN_LOAD, GM_BAD_DATA, naming what
 * differs. */
enum gm_code identity_compare(const struct identity *now, const struct identity *then, const char *path,
                              struct gm_error *err);

#endif

/*
 * A job made concrete: loss loaded and bound, data opened, read and checked, model sized. Constant from then on.
 *
 * Everything that can be wrong with a job is found here, before the first epoch: outputs that cannot be written,
 * plugins, parameters, data, targets.
 */
#ifndef TRAIN_PROBLEM_H
#define TRAIN_PROBLEM_H

#include <gradmill/gradmill.h>

#include "base/file.h"
#include "base/lanes.h"
#include "data/data.h"
#include "data/scan.h"
#include "data/split.h"
#include "loss/plugin.h"
#include "loss/sum.h"
#include "model/model.h"
#include "train/pieces.h"
#include "train/rated.h"

/* A dataset with how it is walked. */
struct problem_data {
    struct data_set *set;
    const struct data_schema *schema;
    struct lane_plan plan;
    struct pieces pieces; /* of a loss that couples rows; else empty */
};

struct problem {
    const struct gm_job *job; /* borrowed */
    struct loss loss;         /* of one plugin, or of the sum of a list */
    struct loss_plugin plugin;
    struct loss_sum sum; /* count 0: the loss is a plugin's */
    struct loss_wants {
        bool target, classes, labels; /* any; class indices; 0 and 1, which may be the names of two classes */
    } loss_wants;
    struct problem_data train, validation; /* validation.set NULL: no separate dataset */
    struct data_split split;               /* rows of `train` that are held out */
    struct data_stats stats;               /* of the training rows */
    char validation_fingerprint[33];       /* "": no separate dataset */
    struct model model;
    const double *fill;  /* [features] what replaces a missing feature; NULL: none is missing */
    struct rated *rated; /* factorization: the ratings, in place of train.set and validation.set; else NULL */
    bool has_validation;
    bool applied; /* a trained model is put to use */
    int threads;
    uint64_t memory;           /* bytes the run may use */
    struct file_lock locks[3]; /* of the outputs */
};

enum gm_code problem_init(struct problem *p, const struct gm_job *job, const struct gm_watch *watch,
                          struct gm_error *err);
void problem_release(struct problem *p);

/* Cut the loaded data into the calls of a loss that couples rows; nothing to do for others. GM_BAD_DATA. */
enum gm_code problem_cut(struct problem *p, struct gm_error *err);

/* The split of a batch of `rows` rows. */
struct lane_plan problem_batch_plan(const struct problem *p, size_t rows);

/* A note to the watcher, printf style. */
void problem_note(const struct gm_watch *watch, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for who asked for details (--verbose). */
void problem_detail(const struct gm_watch *watch, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The model's shape and its parameters, known before it is made. */
struct model_spec problem_spec(const struct problem *p);
size_t problem_parameter_count(const struct problem *p);

/* The dataset's place, as the data room takes it. */
struct data_source problem_source(const struct gm_data *data);

/* What a loaded dataset is and how it is read; the slow path with its reason. */
void problem_note_data(const struct gm_watch *watch, const struct data_set *set);

#endif

/*
 * A weighted sum of losses on columns of the outputs (multi-task). It is presented as one loss: a vtable of our own
 * whose instance is the sum, so that whoever trains calls it like any plugin.
 *
 * A term with columns [first, end) sees these outputs and, of a target with several columns, these columns of it; a
 * target of one column is seen by every term. Fixed weights: sum over terms of weight * loss. Learned weights (Kendall,
 * Gal, Cipolla 2018): sum over terms of weight * exp(-s) * loss + s / 2 for each unit of row weight, one s a term,
 * behind the terms' own theta.
 */
#ifndef LOSS_SUM_H
#define LOSS_SUM_H

#include "loss/plugin.h"

struct sum_request {
    const char *name, *sha256; /* as for loss_load */
    double weight;             /* finite, > 0 */
    size_t first, end;         /* outputs [first, end); 0, 0: all */
    const struct loss_setting *settings;
    size_t n_settings;
};

struct sum_data {
    const char *search_path;
    size_t targets, classes, outputs; /* as for loss_bind; outputs: the model's, 0: as many as the terms ask for */
    bool learned;                     /* weights are learned */
};

struct sum_term {
    struct loss_plugin plugin;
    struct loss loss;
    double weight;
    size_t first, end;               /* outputs */
    size_t target_first, target_end; /* columns of the target */
    size_t theta;                    /* offset of its theta */
};

struct loss_sum {              /* must not move while the loss is in use */
    struct loss_plugin plugin; /* ours: what the bound loss refers to */
    struct sum_term *terms;    /* [count] */
    size_t count, outputs, targets;
    bool learned;
};

/* Load and bind every term. GM_PLUGIN_LOAD; GM_BAD_JOB: a weight or a range makes no sense, a term does not have as
 * many outputs as its range, a column belongs to no term; GM_BAD_DATA as loss_bind. */
enum gm_code sum_bind(struct loss *loss, struct loss_sum *sum, const struct sum_request *requests, size_t count,
                      const struct sum_data *data, struct gm_error *err);
/* Both together; zeroed structs are fine. */
void sum_release(struct loss *loss, struct loss_sum *sum);

/* [{"loss":"mse","weight":1,"columns":[0,2],"params":{}}, ...]: canonical text for model files. memory_free it. */
enum gm_code sum_text(const struct loss_sum *sum, char **text, struct gm_error *err);

#endif

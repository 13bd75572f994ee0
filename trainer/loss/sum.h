/*
 * A weighted sum of losses on columns of the outputs (multi-task). It is presented as one loss: a vtable of our own
 * whose instance is the sum, so that whoever trains calls it like any plugin.
 *
 * A term with columns [first, end) sees these outputs and, unless it is told which columns of the target, these columns
 * of a target with several; a target of one column is seen by every term. A term with a fixed weight adds weight *
 * loss; one whose weight is learned (Kendall, Gal, Cipolla, Multi-task learning using uncertainty to weigh losses, CVPR
 * 2018, eq. 7 with s = log sigma^2) adds exp(-s) * loss + s / 2 for each unit of row weight. These s stand behind the
 * terms' own theta, and start at 0.
 */
#ifndef LOSS_SUM_H
#define LOSS_SUM_H

#include "loss/plugin.h"

struct sum_request {
    const char *name, *sha256;       /* as for loss_load */
    double weight;                   /* finite, > 0; NaN: learned */
    size_t first, end;               /* outputs [first, end); 0, 0: all */
    size_t target_first, target_end; /* columns of the target; 0, 0: see above */
    size_t classes;                  /* that its target has, for a loss of classes */
    const struct loss_setting *settings;
    size_t n_settings;
};

struct sum_data {
    const char *search_path;
    size_t targets, outputs; /* as for loss_bind; outputs: the model's, 0: as many as the terms ask for */
};

struct sum_term {
    struct loss_plugin plugin;
    struct loss loss;
    double weight; /* 1 when it is learned */
    bool learned;
    size_t first, end;               /* outputs */
    size_t target_first, target_end; /* columns of the target */
    size_t theta, weight_theta;      /* offsets of its own theta, and of its learned weight */
};

struct loss_sum {              /* must not move while the loss is in use */
    struct loss_plugin plugin; /* ours: what the bound loss refers to */
    struct sum_term *terms;    /* [count] */
    size_t count, outputs, targets;
};

/* Load and bind every term. GM_PLUGIN_LOAD; GM_BAD_JOB: a weight or a range makes no sense, a term does not have as
 * many outputs as its range, a column belongs to no term, terms couple rows in different ways; GM_BAD_DATA as
 * loss_bind. */
enum gm_code sum_bind(struct loss *loss, struct loss_sum *sum, const struct sum_request *requests, size_t count,
                      const struct sum_data *data, struct gm_error *err);
/* The sum behind a loss, or NULL when it is a plugin's. */
const struct loss_sum *sum_of(const struct loss *loss);
/* Both together; zeroed structs are fine. */
void sum_release(struct loss *loss, struct loss_sum *sum);

/* [{"loss":"mse","weight":1,"columns":[0,2],"target":[0,2],"params":{}}, ...], a learned weight as "learned": canonical
 * text for model files. memory_free it. */
enum gm_code sum_text(const struct loss_sum *sum, char **text, struct gm_error *err);

#endif

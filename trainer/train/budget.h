/* How run.memory is shared out, before anything large is read. */
#ifndef TRAIN_BUDGET_H
#define TRAIN_BUDGET_H

#include "train/problem.h"

struct budget {
    uint64_t model; /* parameters, their copies, the state of the optimiser */
    uint64_t
        gradients; /* of all lanes, or the activations of a batch; the column sums of the scan take their place before
                    */
    bool tape;     /* activations */
    uint64_t loss; /* what a loss that couples rows, or newton, holds */
    struct data_need train, validation;
    uint64_t train_memory, validation_memory; /* what data_load may use */
};

/* The plans of both datasets must be made. GM_SYSTEM: run.memory is too little; the message tells the least.
 * GM_BAD_DATA as data_plan. */
enum gm_code budget_make(struct budget *b, const struct problem *p, struct gm_error *err);
/* "64MiB allowed: data 1.2GiB ..." for --verbose. */
void budget_note(const struct budget *b, const struct problem *p, const struct gm_watch *watch);

#endif

/*
 * Everything that changes while a run trains, as one list: what a checkpoint keeps, and what a resumed run gets back.
 *
 * The list is made in one place (run_state) from the run, its optimiser and its model. Saving and loading walk over it
 * and know nothing else. Whatever is not in the list is lost when a run is resumed, and tests/train/test_resume.c,
 * which stops every optimiser on every model at every step, then finds other bytes. So:
 *  - an optimiser keeps its state in optim's vectors and numbers (optim/method.h), where optim_state finds it;
 *  - a number of the run stands between `stop` and `numbers_end` in struct run, and has a row in state.c's table (the
 *    compiler compares the sizes);
 *  - an array of the run or its model is a line in run_state.
 */
#ifndef TRAIN_STATE_H
#define TRAIN_STATE_H

#include "train/run.h"

#define STATE_ARRAYS 32
#define STATE_NAME   64

struct state_array {
    char name[STATE_NAME]; /* "optimizer/velocity" */
    double *values;        /* [count], the run's own */
    size_t count;
    float *singles; /* in place of values: kept as float */
};

struct run_state {
    struct state_array arrays[STATE_ARRAYS];
    size_t count;
};

/* Points into r, valid while r lives. */
void run_state(struct run *r, struct run_state *s);

/* The run's numbers as doubles, in the order of state_number_name. */
size_t state_numbers(void);
const char *state_number_name(size_t i);
void state_get_numbers(const struct run *r, double *values);
/* False, with nothing changed, when one is not what it can be: a count that is no whole number. */
bool state_set_numbers(struct run *r, const double *values);

#endif

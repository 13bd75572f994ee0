/*
 * The spine: epochs of a problem until a rule says stop.
 */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include <gradmill/gradmill.h>

#include "optim/optim.h"
#include "optim/stop.h"
#include "train/engine.h"
#include "train/log.h"

/* A training run: the problem, where it stands, and the best it has seen. */
struct run {
    const struct problem *problem; /* borrowed */
    const struct gm_watch *watch;  /* borrowed, or NULL */
    struct engine engine;
    struct optim_config config;
    struct optim *optim;
    struct stop_rule rule;
    struct stop_state stop;
    struct train_log log;
    size_t n;           /* parameters: the model's, then the loss's */
    uint8_t *penalised; /* [n] 1 where l1 and l2 apply */
    double *params;     /* [n] where the optimiser is */
    double *gradient;   /* [n] */
    double *best;       /* [n] parameters of the best epoch */
    double *kept;       /* [n] the result: best, or the last iterate */
    double rate;        /* resolved learning rate of minibatch methods */
    double start_time;
    struct gm_epoch last, best_epoch; /* as they were reported */
    struct engine_totals totals;      /* of the last evaluation, for messages */
    enum stop_reason reason;
};

enum gm_code run_init(struct run *r, const struct problem *p, const struct gm_watch *watch, struct gm_error *err);
void run_release(struct run *r);

/* Train until a rule says stop; r->reason and r->kept are the result. GM_OK for every reason, also diverged and
 * interrupted; other codes are failures. */
enum gm_code run_train(struct run *r, struct gm_error *err);

/* Report an epoch to the log and the watcher, keep it when it is the best, ask the stop rule. point [n]: its weights.
 */
enum gm_code run_epoch(struct run *r, const struct gm_epoch *epoch, const double *point, struct gm_error *err);
/* The watcher wants to stop. */
bool run_interrupted(const struct run *r);

/* The two families of methods (full.c, minibatch.c). */
enum gm_code run_full(struct run *r, struct gm_error *err);
enum gm_code run_minibatch(struct run *r, struct gm_error *err);

#endif

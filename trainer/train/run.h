/*
 * The spine: epochs of a problem until a rule says stop.
 */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include <gradmill/gradmill.h>

#include "optim/optim.h"
#include "optim/stop.h"
#include "train/clusters.h"
#include "train/engine.h"
#include "train/sparse_step.h"
#include "train/group_order.h"
#include "train/hessian.h"
#include "train/identity.h"
#include "train/log.h"

/* The search for a learning rate (rate.c), between two trials. */
struct rate_search {
    double loss; /* of the best trial, which was at run.rate */
    uint64_t tried;
    uint64_t moves;    /* trials that were better, in this direction */
    uint64_t downhill; /* 1: towards lower rates */
    uint64_t found;    /* 1: run.rate is resolved */
};

/* What is known of the checkpoints of a run. */
struct run_saved {
    char *older;   /* the name of the checkpoint before the last */
    double at;     /* when, clock_seconds() */
    size_t epoch;  /* at which epoch */
    bool good;     /* the file at output.checkpoint may become the older one */
    bool durable;  /* one was saved or loaded: the run can be resumed */
    bool resumed;  /* this run went on from one */
    bool finished; /* and there was nothing left to do */
};

/* What a minibatch step keeps (step.c); NULL where the job's method does without. */
struct run_step {
    double *average;                  /* [n] of the weights */
    double *snapshot, *full, *anchor; /* [n] svrg: weights at the epoch's start, their gradient, a batch's there */
};

/* A training run: the problem, where it stands, and the best it has seen. */
struct run {
    const struct problem *problem; /* borrowed */
    const struct gm_watch *watch;  /* borrowed, or NULL */
    struct engine engine;
    struct sparse_step *sparse; /* steps of batches of sparse rows, or NULL */
    struct group_order groups;  /* of batches of whole groups */
    struct hessian hessian;     /* newton's */
    struct run_step step;
    struct clusters clusters; /* centroids */
    struct strata *strata;    /* factorization: what trains, in place of engine, params, best and kept; else NULL */
    struct optim_config config;
    struct optim *optim;
    struct stop_rule rule;
    struct train_log log;
    struct identity identity;
    struct run_saved saved;
    size_t n;           /* parameters: the model's, then the loss's */
    uint8_t *penalised; /* [n] 1 where l1 and l2 apply */
    double *params;     /* [n] where the optimiser is */
    double *gradient;   /* [n]; empty where steps go by the columns of sparse rows, and nothing else wants it */
    double *best;       /* [n] parameters of the best epoch */
    double *kept;       /* [n] the result: best, or the last iterate */
    double start_time;
    enum stop_reason reason;

    /* Numbers that a checkpoint keeps, 8 bytes each: everything from here to numbers_end has a row in state.c. */
    struct stop_state stop;
    struct gm_epoch last, best_epoch; /* as they were reported */
    struct engine_totals totals;      /* of the last evaluation, for messages; minibatch: of the epoch so far */
    double rate;                      /* resolved learning rate of minibatch methods */
    struct rate_search search;
    double lowest;      /* minibatch: objective so far */
    uint64_t epochs;    /* complete ones; full batch: the start counts */
    uint64_t batches;   /* minibatch: steps done in the epoch after those */
    uint64_t steps;     /* minibatch: steps of complete epochs */
    uint64_t averaged;  /* minibatch: weights in the average */
    uint64_t passes;    /* engine.passes, when it was saved */
    double seconds;     /* of training, when it was saved */
    uint64_t ended;     /* enum stop_reason, STOP_NONE: there is more to do */
    uint64_t log_bytes; /* of the log, when it was saved */
    char numbers_end;
};

enum gm_code run_init(struct run *r, const struct problem *p, const struct gm_watch *watch, struct gm_error *err);
void run_release(struct run *r);

/* Train until a rule says stop; r->reason and r->kept are the result. GM_OK for every reason, also diverged and
 * interrupted; other codes are failures. */
enum gm_code run_train(struct run *r, struct gm_error *err);

/* The objective at r->params from a pass's totals and gradient, to which l2's part is added. */
struct run_value {
    double smooth, objective, norm; /* without l1; with it; of the objective's gradient */
};
struct run_value run_value(struct run *r, const struct engine_totals *totals);

/* Report an epoch to the log and the watcher, keep it when it is the best, ask the stop rule. point [n]: its weights.
 */
enum gm_code run_epoch(struct run *r, const struct gm_epoch *epoch, const double *point, struct gm_error *err);
/* Between two steps, where r is a whole state (state.h): saves a checkpoint when one is due, and asks the watcher. When
 * that wants to stop, r->reason is STOP_INTERRUPTED afterwards. */
enum gm_code run_pause(struct run *r, struct gm_error *err);
/* The watcher wants to stop. */
bool run_interrupted(const struct run *r);

/* The families of methods (full.c, minibatch.c). */
enum gm_code run_full(struct run *r, struct gm_error *err);
enum gm_code run_minibatch(struct run *r, struct gm_error *err);
/* Ratings (strata_run.c). */
enum gm_code run_strata(struct run *r, struct gm_error *err);
enum gm_code run_init_strata(struct run *r, struct gm_error *err);
void run_release_strata(struct run *r);

#endif

/*
 * Stochastic gradient descent over a grid of ratings (grid.h), with the same bits at any number of threads.
 *
 * An EPOCH takes the strata in an order drawn from (seed, epoch); the blocks of a stratum are shared out among threads.
 * Within a tile the ratings are shuffled by (seed, epoch, tile) and taken a mini-batch at a time: predictions of all
 * its ratings, one call of the loss, then the updates one rating after the other (model/factor.h).
 *
 * What is minimised, with n terms in all:  1/n * sum over terms ( loss + l2/2 (|p_u|^2 + b_u^2 + |q_v|^2 + b_v^2) ).
 * l2 counts once for every rating of a user or item, as in LIBMF: compared with l2/2 * |W|^2, that of a user with n_u
 * of n ratings is n_u / n.
 *
 * Events without ratings: each has the target 1, and `negatives` terms of target 0 are added whose items are drawn
 * evenly from the block's range of items, anew every epoch, a pure function of (seed, epoch, event).
 */
#ifndef TRAIN_STRATA_H
#define TRAIN_STRATA_H

#include <stdatomic.h>

#include "model/factorization.h"
#include "optim/optim.h"
#include "train/problem.h"
#include "train/rated.h"

/* Half of a thread's buffers: one mini-batch is worked on while the rows of the next are fetched. */
struct strata_batch {
    uint32_t *user, *item; /* [terms] rows of the model */
    double *target;        /* [terms] */
    size_t ratings, terms;
};

/* A rating on its way; of an event, value is its number in the grid's set. */
struct strata_rating {
    struct grid_pair pair;
    double value;
};

struct strata_worker {
    struct strata_batch half[2];
    double *pred, *grad;            /* [most terms]; grad stands between canaries */
    struct strata_rating *shuffled; /* [ratings of the largest tile] */
    void *scratch;                  /* the loss's */
    struct gm_loss_host host;
    struct gm_error error; /* the loss's own words when it refused */
};

/* Sums of pieces of a set of ratings, for losses and metrics. */
#define STRATA_PIECE 8192 /* ratings */
#define STRATA_SUMS  16
struct strata_pieces {
    double *sums; /* [pieces x STRATA_SUMS] */
    int *status;  /* [pieces] what the loss returned */
};

struct strata {
    const struct problem *problem; /* borrowed */
    const struct grid *grid;       /* of the problem */
    bool adagrad;
    double l2;
    size_t negatives;
    size_t most_terms; /* of a batch */
    struct factorization now, best;
    const struct factorization *kept; /* the result: the best, or the last */
    double *weight[2]; /* [count] by row: terms of it in an epoch (of negatives: expected), for the penalty */
    struct strata_worker *workers; /* [threads] */
    double *sums;                  /* [tiles] loss of a tile; [ranges] of the penalty */
    int *status;                   /* [tiles] what the loss returned */
    struct strata_pieces pieces;   /* for the largest set */
    size_t *strata;                /* [side] order of an epoch */
    atomic_size_t *state;          /* [side] where each range of users is, see strata.c */
};

/* For a problem whose job->optimizer is sgd or adagrad. GM_SYSTEM. */
enum gm_code strata_init(struct strata *s, const struct problem *p, struct gm_error *err);
/* Only what strata_measure.h needs, for sets of up to `rows` ratings. */
enum gm_code strata_init_measure(struct strata *s, const struct problem *p, size_t rows, struct gm_error *err);
void strata_release(struct strata *s); /* a zeroed struct is fine */

/* Start values and the mean: the loss's best constant. */
enum gm_code strata_start(struct strata *s, struct gm_error *err);

struct strata_sweep {
    const struct optim_config *config; /* of the schedule */
    uint32_t epoch;                    /* of the random numbers */
    double time;                       /* epoch of the schedule */
    double rate;
    size_t side; /* only blocks below in both directions; the grid's side: all */
};
/* One epoch. *loss: mean over its terms, each before its update; NaN when it was not finite. GM_PLUGIN_BROKEN. */
enum gm_code strata_sweep(struct strata *s, const struct strata_sweep *sweep, double *loss, struct gm_error *err);

/* l2 part of the objective at s->now. */
double strata_penalty(const struct strata *s);

/* Terms of an epoch. */
size_t strata_terms(const struct strata *s);

/* Calls the loss on n terms; grad NULL: loss only. Returns what it returned. */
int strata_evaluate(const struct strata *s, struct strata_worker *w, const struct strata_batch *batch, double *grad,
                    double *loss);

/* What a loss that failed said, as GM_PLUGIN_BROKEN. */
enum gm_code strata_refused(const struct strata *s, int status, struct gm_error *err);

/* Did the loss write outside its gradient buffers? GM_PLUGIN_BROKEN. */
enum gm_code strata_check(const struct strata *s, struct gm_error *err);

/* Everything a checkpoint between two epochs must keep, as named arrays, borrowed; writing through `values` restores.
 * Returns how many there are, at most STRATA_ARRAYS, and fills the first `most`. */
#define STRATA_ARRAYS 8
struct strata_array {
    const char *name;
    void *values; /* float when `single`, else double */
    size_t count;
    bool single;
};
size_t strata_state(struct strata *s, struct strata_array *arrays, size_t most);

#endif

/*
 * Minibatch steps that touch few parameters: those of the columns that occur in the batch.
 *
 * A touched parameter takes the same step as in a step over all of them. A parameter that is not touched has gradient 0
 * but for the penalties, and waits; lazy_catch_up makes good what it missed, before it is looked at again:
 *   - sgd: exactly (in real arithmetic). T steps of w = shrink((1 - r l2) w, r l1) are, with P_t the product of the
 *     first t factors and Q_t the sum of r_i / P_i:  |w_T| = P_T max(0, |w_0| / P_0 - l1 (Q_T - Q_0)).
 *   - momentum, nesterov: the velocity carries the parameter on: v_T = m^T v_0 and w_T = w_0 + (m + .. + m^T) v_0
 * (times m for nesterov's look-ahead). Exact without penalties; these act afterwards, as for sgd with
 *     the rate that a slope comes to in the end, r / (1 - m).
 *   - adagrad, rmsprop, adam, adamw: their squares and means wait; l1, l2 and weight decay act in the metric of the
 * last step, |w|' = -(l1 + l2 |w|) / d - decay |w| over the sum of the rates missed. Exact without l2 and decay.
 * Without velocity, l1, l2 and weight decay there is nothing to make good. Langford, Li, Zhang, "Sparse online learning
 * via truncated gradient", 2009; Duchi and Singer, "Efficient online and batch learning using forward backward
 * splitting", 2009, section 5.
 */
#ifndef OPTIM_LAZY_H
#define OPTIM_LAZY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "optim/optim.h"

struct lazy_flow; /* optim/lazy_flow.h */

/* Steps since the last time that all parameters were caught up. A zeroed struct is empty. */
struct lazy {
    double *product, *pull, *rates; /* [room + 1] P, Q and the sum of rates after so many steps */
    size_t steps, room;
    void (*flow)(const struct lazy_flow *f, double *w); /* the kernel for this processor */
};

/* room: steps until all parameters are caught up. GM_SYSTEM. */
enum gm_code lazy_init(struct lazy *lazy, size_t room, struct gm_error *err);
void lazy_release(struct lazy *lazy);
void lazy_restart(struct lazy *lazy); /* all parameters are caught up */

/* Is there anything to make good? */
bool lazy_needed(const struct optim_config *config);
/* After optim_step_begin: a step of that rate is under way. */
void lazy_step(struct lazy *lazy, const struct optim *o);
/* After a step: all parameters are to be caught up now. */
bool lazy_is_full(const struct lazy *lazy);

/* Parameters w[first .. first + count) as they are after `now` steps, having been caught up after `then`. */
struct lazy_span {
    size_t then, now;
};
void lazy_catch_up(const struct lazy *lazy, struct optim *o, double *w, size_t first, size_t count,
                   struct lazy_span span);

/* The parameters of some columns: column * width .. column * width + width - 1 of each. */
struct optim_list {
    const uint32_t *columns; /* [count] */
    size_t count, width;
};
/* As optim_step_range, for the parameters of a list; g [count x width] is theirs, in the order of the list. Lists
 * without a common column may be updated by different threads. */
void optim_step_list(struct optim *o, double *w, const double *g, const struct optim_list *list);
/* That will be wanted soon: what it reads is fetched. */
void optim_fetch_list(const struct optim *o, const double *w, const struct optim_list *list);

#endif

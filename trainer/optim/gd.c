/* Full-batch gradient descent with a given rate: w - rate * g, soft-thresholded by rate * l1 (proximal gradient,
 * Combettes and Wajs 2005). Every point is taken, also one that is not finite: whether the rate was too large is the
 * stop rule's to see. */
#include <math.h>

#include "optim/method.h"
#include "optim/penalty.h"

static enum optim_judgement judge(struct optim *o, const struct optim_trial *trial)
{
    (void)trial;
    o->numbers[NUMBER_RATE] = schedule_epoch_rate(&o->config, o->config.learning_rate, o->numbers[NUMBER_EPOCHS]);
    return OPTIM_TAKE;
}

/* A rate of 0 (the end of a cosine) stands still without being the end. */
static bool propose(struct optim *o, double *w)
{
    const double *x = optim_vector(o, VECTOR_ITERATE), *g = optim_vector(o, VECTOR_GRADIENT);
    double rate = o->numbers[NUMBER_RATE];
    bool moved = rate == 0;
    for (size_t i = 0; i < o->n; i++) {
        w[i] = penalty_shrink(x[i] - rate * g[i], rate * optim_l1_at(o, i));
        moved = moved || w[i] != x[i];
    }
    return moved;
}

const struct optim_family optim_gd = {
    .vectors = (const struct optim_vectors[]){{"iterate", 1}, {"gradient", 1}, {0}},
    .judge = judge,
    .propose = propose,
    .patience = INFINITY, /* a given rate is obeyed to the end */
};

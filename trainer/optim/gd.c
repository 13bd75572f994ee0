/* Full-batch gradient descent with a given rate: w - rate * g, soft-thresholded by rate * l1 (proximal gradient,
 * Combettes and Wajs 2005). Every point is accepted: whether the rate was too large is the stop rule's to see. */
#include "optim/method.h"

#include <string.h>

#include "optim/penalty.h"

enum { ITERATE };               /* vectors */
enum { EPOCH = NUMBER_COMMON }; /* numbers: steps taken */

static enum optim_verdict tell(struct optim *o, double *w, double f, const double *g)
{
    (void)f;
    double *x = optim_vector(o, ITERATE);
    if (o->numbers[EPOCH] > 0 && o->numbers[NUMBER_RATE] > 0 && memcmp(x, w, o->n * sizeof *w) == 0)
        return OPTIM_STUCK; /* the step no longer changes any bit */
    memcpy(x, w, o->n * sizeof *w);
    double rate = schedule_epoch_rate(&o->config, o->config.learning_rate, o->numbers[EPOCH]);
    for (size_t i = 0; i < o->n; i++)
        w[i] = penalty_shrink(w[i] - rate * g[i], rate * optim_l1_at(o, i));
    o->numbers[NUMBER_RATE] = rate;
    o->numbers[EPOCH]++;
    return OPTIM_ACCEPTED;
}

static const double *iterate(const struct optim *o)
{
    return optim_vector(o, ITERATE);
}

const struct optim_family optim_gd = {
    .vectors = (const char *const[]){"iterate", NULL},
    .numbers = 1,
    .tell = tell,
    .iterate = iterate,
};

/* What penalties do over some missed steps to the parameters of methods whose squares wait (optim/lazy.h): the closed
 * form of |w|' = -(l1 + l2 |w|) / d - decay |w|. */
#include <gradmill/loss_math.h>

#include "optim/lazy_flow.h"

#define TIME_MOST     1e300 /* of a metric of 0: no infinity takes part in a difference */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* size after that flow; proportional: l2 or decay is above 0. */
ALWAYS_INLINE double flow(const struct lazy_flow *f, double size, double square, bool proportional)
{
    double time = gm_min(f->rates / (sqrt(square * f->unbias2) + f->epsilon), TIME_MOST), left;
    if (proportional) {
        double pull = f->l2 * time + f->decay, floor = f->l1 * time / (pull > 0 ? pull : 1);
        left = (size + floor) * gm_exp(-pull) - floor;
    } else {
        left = size - f->l1 * time;
    }
    return left <= 0 ? 0 : left; /* NaN stays NaN */
}

ALWAYS_INLINE void all(const struct lazy_flow *f, double *restrict w, bool proportional, bool single)
{
    for (size_t i = 0; i < f->count; i++) {
        double square = single ? (double)f->squares_single[i] : f->squares[i];
        double size = __builtin_copysign(flow(f, fabs(w[i]), square, proportional), w[i]);
        w[i] = f->penalised[i] ? size : w[i];
    }
}

ALWAYS_INLINE void scale(const struct lazy_flow *f, double *restrict w, double by)
{
    for (size_t i = 0; i < f->count; i++)
        w[i] = f->penalised[i] ? w[i] * by : w[i];
}

void KERNEL(lazy_flow)(const struct lazy_flow *f, double *w)
{
    bool proportional = f->l2 > 0 || f->decay > 0;
    if (f->l1 == 0 && f->l2 == 0) /* weight decay alone: the same for all */
        scale(f, w, gm_exp(-f->decay));
    else if (f->squares_single)
        all(f, w, proportional, true);
    else
        all(f, w, proportional, false);
}

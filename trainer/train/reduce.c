/* Adding lanes in a fixed tree. */
#include "train/reduce.h"

void reduce_lanes(double *lanes, size_t n_lanes, size_t stride, size_t first, size_t end)
{
    for (size_t step = 1; step < n_lanes; step *= 2)
        for (size_t lane = 0; lane + step < n_lanes; lane += 2 * step) {
            double *to = lanes + lane * stride;
            const double *from = lanes + (lane + step) * stride;
            for (size_t i = first; i < end; i++)
                to[i] += from[i];
        }
}

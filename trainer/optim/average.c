/* Averaged weights: see average.h. */
#include "optim/average.h"

#include <math.h>

double average_weight_uniform(size_t before)
{
    return 1 / ((double)before + 1);
}

double average_weight_decay(size_t before, double decay)
{
    return fmax(1 - decay, average_weight_uniform(before));
}

void average_range(double *mean, const double *w, double weight, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        mean[i] = weight == 1 ? w[i] : mean[i] + weight * (w[i] - mean[i]);
}

/*
 * Averaged weights: a second copy of the parameters that follows the first, smoother and often better than its last
 * value.
 *
 * Both averages are mean += weight * (w - mean), with the weight a function of how many points came before:
 *  - average_weight_uniform: the plain mean of all points since averaging began (Ruppert 1988; Polyak and Juditsky
 * 1992);
 *  - average_weight_decay: exponential, remembering about 1 / (1 - decay) points; its first points weigh as in the
 * plain mean, so that there is no bias towards where it began (as in Kingma and Ba 2015, section 7.2). Evaluate the
 * model at the mean, train at w.
 */
#ifndef OPTIM_AVERAGE_H
#define OPTIM_AVERAGE_H

#include <stddef.h>

/* `before`: points averaged already. The first point has weight 1, so the mean needs no start. */
double average_weight_uniform(size_t before);
double average_weight_decay(size_t before, double decay); /* 0 <= decay < 1 */

/* Parameters [first, end) of mean [n] take in w [n]. Ranges are independent: any partition gives the same bits. */
void average_range(double *mean, const double *w, double weight, size_t first, size_t end);

#endif

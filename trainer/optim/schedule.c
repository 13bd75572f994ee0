/* The learning rate as a function of time. */
#include "optim/method.h"

#include <math.h>

static double decayed(const struct optim_config *config, double base, double epoch)
{
    const double pi = 3.14159265358979323846;
    switch (config->schedule) {
    case SCHEDULE_CONSTANT:
        return base;
    case SCHEDULE_STEP:
        return base * pow(config->step_factor, floor(epoch / config->step_epochs));
    case SCHEDULE_COSINE:
        return epoch < config->max_epochs ? base * 0.5 * (1 + cos(pi * epoch / config->max_epochs)) : 0;
    case SCHEDULE_INVERSE:
        return base / (1 + config->decay * epoch);
    }
    return base;
}

static double warm_up(const struct optim_config *config, double epoch)
{
    return epoch < config->warmup_epochs ? epoch / config->warmup_epochs : 1;
}

double schedule_rate(const struct optim_config *config, double base, double epoch)
{
    return decayed(config, base, epoch) * warm_up(config, epoch);
}

double schedule_epoch_rate(const struct optim_config *config, double base, double epoch)
{
    return decayed(config, base, epoch) * warm_up(config, epoch + 1);
}

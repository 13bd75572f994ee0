/* A loss that goes wrong after some calls: squared error, and then what its parameter says. */
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <gradmill/loss.h>

static const char words[] = "nan|crash|abort|hang|overrun|underrun|refuse";
enum { NAN_LOSS, CRASH, ABORT, HANG, OVERRUN, UNDERRUN, REFUSE };

static const struct gm_loss_param params[] = {
    {.name = "after", .type = GM_PARAM_INTEGER, .fallback = 100, .low = 0, .high = 1e9, .help = "good calls"},
    {.name = "kind", .type = GM_PARAM_CHOICE, .choices = words, .help = "what then happens"},
};

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    static atomic_long calls;
    volatile size_t nowhere = 16; /* the compiler must not see that it is no place to write to */
    double sum = 0;
    for (size_t i = 0; i < b->rows * b->outputs; i++) {
        double d = b->pred[i] - b->target[i], w = gm_weight(b, i / b->outputs) / (double)b->outputs;
        if (r->grad)
            r->grad[i] = 2 * w * d;
        sum += w * d * d;
    }
    r->loss = sum;
    if (++calls <= b->param[0].integer || !r->grad)
        return GM_LOSS_OK;
    switch (b->param[1].integer) {
    case NAN_LOSS:
        r->loss = NAN;
        break;
    case CRASH:
        *(volatile int *)nowhere = 1;
        break;
    case ABORT:
        abort();
    case HANG:
        fputs("late.so hangs\n", stderr);
        for (volatile int forever = 1; forever;)
            ;
        break;
    case OVERRUN:
        r->grad[b->rows * b->outputs] = 1;
        break;
    case UNDERRUN:
        r->grad[-1] = 1;
        break;
    default:
        return GM_LOSS_NUMERIC;
    }
    return GM_LOSS_OK;
}

GM_LOSS_PLUGIN(.id = "late", .version = "1.0", .formula = "(pred - target)^2, until it goes wrong",
               .help = "For tests only.", .params = params, .n_params = 2, .evaluate = evaluate)

/* Links an OpenMP runtime; were its code run, the mark would show it. */
#include <stdlib.h>

#include "common.h"

__attribute__((constructor)) static void run(void)
{
    setenv("GRADMILL_TEST_MARK", "openmp ran", 1);
}

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
#pragma omp parallel
    {
        r->loss = 0;
    }
    return squared(b, r);
}

GM_LOSS_PLUGIN(.id = "openmp", .evaluate = evaluate)

/* Sets the locale. */
#include <locale.h>

#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    setlocale(LC_NUMERIC, "C.UTF-8");
    return status;
}

MUTANT(.id = "locale", .spec = &good_spec, .evaluate = evaluate)

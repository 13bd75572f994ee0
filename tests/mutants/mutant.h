/*
 * What the mutants are mutations of: the loss w sqrt(1 + (pred - target)^2), summed over outputs, correct in
 * everything. Source of the formula: Charbonnier et al. 1994 (pseudo-Huber with delta = 1, plus 1).
 *
 * A mutant is this loss with one mistake; tests/loss/test_check.c says which check must find it.
 */
#ifndef TESTS_MUTANTS_MUTANT_H
#define TESTS_MUTANTS_MUTANT_H

#include <math.h>
#include <stdlib.h>

#include <gradmill/loss.h>

#define GIVES_ALL (GM_GIVES_HESS_DIAG | GM_GIVES_HESS | GM_GIVES_ROW_LOSS)

__attribute__((unused)) static int good(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    r->loss = 0;
    for (size_t i = 0; i < b->rows; i++) {
        double w = gm_weight(b, i), sum = 0;
        for (size_t k = 0; k < b->outputs; k++) {
            size_t at = i * b->outputs + k;
            double d = b->pred[at] - b->target[at], root = sqrt(1 + d * d);
            sum += root;
            if (r->grad)
                r->grad[at] = w * d / root;
            if (r->hess_diag)
                r->hess_diag[at] = w / (root * root * root);
            for (size_t j = 0; r->hess && j < b->outputs; j++)
                r->hess[at * b->outputs + j] = j == k ? w / (root * root * root) : 0;
        }
        r->loss += w * sum;
        if (r->row_loss)
            r->row_loss[i] = sum;
    }
    return GM_LOSS_OK;
}

static const struct gm_loss_spec good_spec
    __attribute__((unused)) = {.struct_size = sizeof good_spec, .gives = GIVES_ALL};

#define MUTANT(...) \
    GM_LOSS_PLUGIN(.version = "1.0", .formula = "sqrt(1 + (pred - target)^2)", .help = "For tests only.", __VA_ARGS__)

#endif

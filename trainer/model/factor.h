/*
 * The inner loops of factorization: predictions of a few ratings, and stochastic gradient steps from them in order.
 *
 *     predict   pred[i]  = mean + b_u + b_v + p_u . q_v                     for the user u and the item v of rating i
 *     sgd       p_u     -= rate * (g_i q_v + l2 p_u)                        q_v, b_u, b_v alike, all from the values
 * before adagrad   p_u     -= rate / sqrt(G_u) * (g_i q_v + l2 p_u),  G_u += |g_i q_v + l2 p_u|^2 / rank
 *
 * adagrad keeps one number a row of factors, and one a bias: the reduced per-coordinate schedule of Chin, Zhuang, Juan
 * and Lin, "A learning-rate schedule for stochastic gradient methods to matrix factorization", PAKDD 2015, eq. (11) to
 * (13); all numbers start from 1 as in LIBMF.
 *
 * Rows of factors are padded with zeros to whole vectors; zeros stay zeros. Chosen at run time for the processor.
 */
#ifndef MODEL_FACTOR_H
#define MODEL_FACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

#define FACTOR_PAD  64 /* bytes that a row of factors is padded to a multiple of */
#define FACTOR_SIDE 4  /* numbers of a row beside its factors, in this order: */
enum { FACTOR_BIAS, FACTOR_BIAS_SQUARES, FACTOR_SQUARES };

/* Users or items, in float or double. */
struct factor_rows {
    void *factors; /* [count x stride] */
    void *side;    /* [count x FACTOR_SIDE] */
};

struct factor_step {
    struct factor_rows users, items;
    size_t rank, stride;         /* stride: numbers between rows, a multiple of FACTOR_PAD bytes */
    const uint32_t *user, *item; /* [n] of the ratings */
    size_t n;
    const uint32_t *next_user, *next_item; /* [n_next] of the ratings that come next, to prefetch */
    size_t n_next;
    double mean;
    double rate, l2; /* of the update */
};

struct factor_kernels {
    void (*predict)(const struct factor_step *step, double *pred);   /* [n] */
    void (*sgd)(const struct factor_step *step, const double *grad); /* [n] d loss / d pred */
    void (*adagrad)(const struct factor_step *step, const double *grad);
};

struct factor_kernels factor_kernels_for(enum cpu_isa isa, bool single);

#endif

/*
 * Factorization: the rating of item v by user u is mean + b_u + b_v + p_u . q_v.
 *
 * Parameters live in the precision of the computation, one padded row a user and one an item (factor.h); behind the
 * last row stands one of zeros, which everyone unknown is given: their prediction is the mean and the known bias.
 * Training orders rows as it likes; row_of tells which row belongs to an index of the vocabulary.
 */
#ifndef MODEL_FACTORIZATION_H
#define MODEL_FACTORIZATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "model/factor.h"

struct archive;
struct model_ops;

enum { FACTOR_USERS, FACTOR_ITEMS };
#define FACTOR_NEGATIVES_MOST 255

/* Users or items. The vocabulary is borrowed while training, and the model's own after factorization_read. */
struct factor_side {
    size_t count;
    struct factor_rows rows; /* [count + 1] */
    const uint32_t *row_of;  /* [count] row of each index of the vocabulary; NULL: the same */
    const uint64_t *ids;     /* [count] ascending; NULL: words, or 0 .. count-1 */
    char *const *words;      /* [count] in strcmp's order; NULL: numbers */
};

struct factorization {
    struct factor_side side[2]; /* FACTOR_USERS, FACTOR_ITEMS */
    size_t rank, stride;
    bool single; /* float, else double */
    double mean;
    size_t negatives; /* terms that training added to each event; 0: it was trained on ratings */
    struct factor_kernels kernels;
};

size_t factor_stride(size_t rank, bool single);
/* Zeros for the rank, single and side[].count that are set in f. GM_SYSTEM. */
enum gm_code factorization_alloc(struct factorization *f, struct gm_error *err);
void factorization_free(struct factorization *f); /* not the vocabulary; a zeroed struct is fine */
/* Parameters and sums of squares of an equal one. */
void factorization_copy(struct factorization *to, const struct factorization *from);

/* Start values: biases 0, sums of squares 1, factors even in +-a with a = sqrt(3) (0.01 / rank)^(1/4), so that p . q
 * has a deviation of 0.1; a pure function of (seed, side, index of the vocabulary, factor). Rows of used[side][row] ==
 * 0 (training has nothing on them) stay zero. */
void factorization_start(struct factorization *f, uint64_t seed, const uint32_t *const used[2]);

/* Sum of squares of the factors and the bias of rows [first, end), each times weight[row]. */
double factorization_squares(const struct factorization *f, int side, size_t first, size_t end, const double *weight);

double factorization_bias(const struct factorization *f, int side, size_t row);
double factorization_factor(const struct factorization *f, int side, size_t row, size_t k);
size_t factorization_parameters(const struct factorization *f); /* of users, items and the mean */

/* A step over n pairs of rows, everything of f filled in. */
struct factor_step factorization_step(const struct factorization *f, const uint32_t *user, const uint32_t *item,
                                      size_t n);

/* The model of an archive that save wrote, in double; factorization_close. GM_BAD_DATA. */
enum gm_code factorization_read(struct factorization *f, const struct archive *a, const char *path,
                                struct gm_error *err);
void factorization_close(struct factorization *f); /* with the vocabulary */

extern const struct model_ops model_factorization; /* of a struct model whose `factors` is set; files only */

#endif

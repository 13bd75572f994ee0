/*
 * Body of the factorization kernels for one element type REAL of REAL_BYTES. Included by factor.c once a type.
 *
 * predict reads the rows into the first-level cache, where the update finds them; while it works it asks for the rows
 * of the next call. A row of factors is a whole number of vectors and aligned to one.
 */

#define LANES (KERNEL_VECTOR / REAL_BYTES)

typedef REAL LOCAL(vec) __attribute__((vector_size(KERNEL_VECTOR), may_alias));
#define VEC    LOCAL(vec)
#define INLINE static inline __attribute__((always_inline))

/* The sum of the lanes, in a fixed tree: upper half to lower half. */
INLINE REAL LOCAL(sum)(VEC v)
{
#if LANES == 16
    typedef REAL half __attribute__((vector_size(KERNEL_VECTOR / 2)));
    half h = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
             __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    h += __builtin_shufflevector(h, h, 4, 5, 6, 7, 0, 1, 2, 3);
    h += __builtin_shufflevector(h, h, 2, 3, 0, 1, 6, 7, 4, 5);
    return h[0] + h[1];
#elif LANES == 8
    typedef REAL half __attribute__((vector_size(KERNEL_VECTOR / 2)));
    half h = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
    h += __builtin_shufflevector(h, h, 2, 3, 0, 1);
    return h[0] + h[1];
#elif LANES == 4
    v += __builtin_shufflevector(v, v, 2, 3, 0, 1);
    return v[0] + v[1];
#else
    return v[0] + v[1];
#endif
}

INLINE void LOCAL(prefetch)(const struct factor_step *s, const struct factor_rows *rows, uint32_t row)
{
    const REAL *factors = (const REAL *)rows->factors + row * s->stride;
    for (size_t i = 0; i < s->stride; i += FACTOR_PAD / sizeof(REAL))
        __builtin_prefetch(factors + i, 1);
    __builtin_prefetch((const REAL *)rows->side + row * FACTOR_SIDE, 1);
}

void NAME(predict)(const struct factor_step *s, double *pred)
{
    const REAL *users = s->users.factors, *items = s->items.factors, *user_side = s->users.side,
               *item_side = s->items.side;
    for (size_t i = 0; i < s->n; i++) {
        size_t u = s->user[i], v = s->item[i];
        const REAL *p = users + u * s->stride, *q = items + v * s->stride;
        VEC sum = *(const VEC *)p * *(const VEC *)q;
        for (size_t k = LANES; k < s->stride; k += LANES)
            sum += *(const VEC *)(p + k) * *(const VEC *)(q + k);
        pred[i] =
            s->mean + (double)user_side[u * FACTOR_SIDE] + (double)item_side[v * FACTOR_SIDE] + (double)LOCAL(sum)(sum);
        if (i < s->n_next) {
            LOCAL(prefetch)(s, &s->users, s->next_user[i]);
            LOCAL(prefetch)(s, &s->items, s->next_item[i]);
        }
    }
}

void NAME(sgd)(const struct factor_step *s, const double *grad)
{
    REAL *users = s->users.factors, *items = s->items.factors, *user_side = s->users.side, *item_side = s->items.side;
    const REAL rate = (REAL)s->rate, keep = (REAL)(1 - s->rate * s->l2);
    for (size_t i = 0; i < s->n; i++) {
        size_t u = s->user[i], v = s->item[i];
        REAL *p = users + u * s->stride, *q = items + v * s->stride;
        REAL *bu = user_side + u * FACTOR_SIDE, *bv = item_side + v * FACTOR_SIDE;
        const REAL step = rate * (REAL)grad[i];
        for (size_t k = 0; k < s->stride; k += LANES) {
            VEC *pk = (VEC *)(p + k), *qk = (VEC *)(q + k);
            VEC before = *pk;
            *pk = keep * before - step * *qk;
            *qk = keep * *qk - step * before;
        }
        *bu = keep * *bu - step;
        *bv = keep * *bv - step;
    }
}

/* A bias with its own sum of squares. */
INLINE void LOCAL(adapt_bias)(REAL *side, REAL rate, REAL g, REAL l2)
{
    REAL slope = g + l2 * side[FACTOR_BIAS];
    side[FACTOR_BIAS] -= rate / ROOT(side[FACTOR_BIAS_SQUARES]) * slope;
    side[FACTOR_BIAS_SQUARES] += slope * slope;
}

void NAME(adagrad)(const struct factor_step *s, const double *grad)
{
    REAL *users = s->users.factors, *items = s->items.factors, *user_side = s->users.side, *item_side = s->items.side;
    const REAL rate = (REAL)s->rate, l2 = (REAL)s->l2, share = (REAL)1 / (REAL)s->rank;
    for (size_t i = 0; i < s->n; i++) {
        size_t u = s->user[i], v = s->item[i];
        REAL *p = users + u * s->stride, *q = items + v * s->stride;
        REAL *bu = user_side + u * FACTOR_SIDE, *bv = item_side + v * FACTOR_SIDE;
        const REAL g = (REAL)grad[i], rate_p = rate / ROOT(bu[FACTOR_SQUARES]),
                   rate_q = rate / ROOT(bv[FACTOR_SQUARES]);
        VEC squares_p = {0}, squares_q = {0};
        for (size_t k = 0; k < s->stride; k += LANES) {
            VEC *pk = (VEC *)(p + k), *qk = (VEC *)(q + k);
            VEC slope_p = g * *qk + l2 * *pk, slope_q = g * *pk + l2 * *qk;
            squares_p += slope_p * slope_p;
            squares_q += slope_q * slope_q;
            *pk -= rate_p * slope_p;
            *qk -= rate_q * slope_q;
        }
        bu[FACTOR_SQUARES] += share * LOCAL(sum)(squares_p);
        bv[FACTOR_SQUARES] += share * LOCAL(sum)(squares_q);
        LOCAL(adapt_bias)(bu, rate, g, l2);
        LOCAL(adapt_bias)(bv, rate, g, l2);
    }
}

#undef LANES
#undef VEC
#undef INLINE

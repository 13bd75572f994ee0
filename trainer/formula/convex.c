/* Convexity that can be proven. */
#include "formula/convex.h"

#include <math.h>

#include "base/memory.h"

/* As a function of pred. CONSTANT and AFFINE are both CONVEX and CONCAVE. */
enum curvature { UNKNOWN = 0, CONVEX = 1, CONCAVE = 2, AFFINE = 3 };

static enum curvature flip(enum curvature c)
{
    return c == CONVEX ? CONCAVE : c == CONCAVE ? CONVEX : c;
}

/* factor times something of curvature c, where the factor does not depend on pred */
static enum curvature scale(struct range factor, enum curvature c)
{
    return factor.low >= 0 ? c : factor.high <= 0 ? flip(c) : c == AFFINE ? AFFINE : UNKNOWN;
}

/* f(x) for an f of curvature `own` that rises (+1), falls (-1) or neither (0) over the range of x */
static enum curvature compose(enum curvature own, int slope, enum curvature x)
{
    unsigned result = 0;
    if ((own & CONVEX) && (x == AFFINE || (slope > 0 && (x & CONVEX)) || (slope < 0 && (x & CONCAVE))))
        result |= CONVEX;
    if ((own & CONCAVE) && (x == AFFINE || (slope > 0 && (x & CONCAVE)) || (slope < 0 && (x & CONVEX))))
        result |= CONCAVE;
    return (enum curvature)result;
}

static int rising_on(struct range r)
{
    return r.low >= 0 ? 1 : r.high <= 0 ? -1 : 0;
}

static enum curvature power_curvature(struct range x, struct range e, enum curvature cx)
{
    if (e.low != e.high)
        return x.low >= 0 && e.low >= 1 ? compose(CONVEX, 1, cx) : UNKNOWN;
    if (e.low >= 1 && fmod(e.low, 2) == 0)
        return compose(CONVEX, rising_on(x), cx);
    if (x.low < 0)
        return UNKNOWN;
    if (e.low >= 1)
        return compose(CONVEX, 1, cx);
    return e.low < 0 ? compose(CONVEX, -1, cx) : compose(CONCAVE, 1, cx);
}

static enum curvature function_curvature(enum dag_op op, struct range x, enum curvature cx)
{
    switch (op) {
    case DAG_NEG:
        return flip(cx);
    case DAG_ABS:
        return compose(CONVEX, rising_on(x), cx);
    case DAG_EXP:
    case DAG_EXPM1:
    case DAG_SOFTPLUS:
    case DAG_LSE_J:
        return compose(CONVEX, 1, cx);
    case DAG_LOG:
    case DAG_LOG1P:
    case DAG_SQRT:
        return compose(CONCAVE, 1, cx);
    case DAG_TANH:
    case DAG_SIGMOID: /* convex below 0, concave above */
        return x.high <= 0 ? compose(CONVEX, 1, cx) : x.low >= 0 ? compose(CONCAVE, 1, cx) : UNKNOWN;
    case DAG_SUM_J:
        return cx;
    default:
        return UNKNOWN;
    }
}

static enum curvature node_curvature(const struct dag *d, const struct dag_node *n, const struct range *r,
                                     const enum curvature *c)
{
    bool a_fixed = !dag_has(d, n->a, DAG_ON_PRED), b_fixed = !dag_has(d, n->b, DAG_ON_PRED);
    switch (n->op) {
    case DAG_ADD:
        return c[n->a] & c[n->b];
    case DAG_SUB:
        return c[n->a] & flip(c[n->b]);
    case DAG_MUL:
        return n->a == n->b ? power_curvature(r[n->a], (struct range){2, 2}, c[n->a])
               : a_fixed    ? scale(r[n->a], c[n->b])
               : b_fixed    ? scale(r[n->b], c[n->a])
                            : UNKNOWN;
    case DAG_DIV:
        if (b_fixed)
            return scale(r[n->b], c[n->a]);
        if (a_fixed && r[n->a].low >= 0 && r[n->b].low >= 0)
            return compose(CONVEX, -1, c[n->b]);
        return UNKNOWN;
    case DAG_POW:
        return b_fixed ? power_curvature(r[n->a], r[n->b], c[n->a]) : UNKNOWN;
    case DAG_MIN:
        return c[n->a] & c[n->b] & CONCAVE;
    case DAG_MAX:
        return c[n->a] & c[n->b] & CONVEX;
    case DAG_WHERE: /* a condition of the row's own only: one branch or the other */
        return a_fixed ? c[n->b] & c[n->c] : UNKNOWN;
    default:
        return dag_arity(n->op) == 1 ? function_curvature(n->op, r[n->a], c[n->a]) : UNKNOWN;
    }
}

static bool by_composition(const struct formula *f, dag_id root, const struct range *r, enum curvature *c)
{
    const struct dag *d = &f->dag;
    for (dag_id id = 0; id <= root; id++) {
        const struct dag_node *n = dag_at(d, id);
        if (!(n->flags & DAG_ON_PRED) || dag_arity(n->op) == 0)
            c[id] = AFFINE;
        else
            c[id] = node_curvature(d, n, r, c);
    }
    return c[root] & CONVEX;
}

static bool by_second_derivative(const struct formula *f, const struct derivatives *s, const struct range *r)
{
    if (dag_has(&f->dag, f->loss, DAG_KINK))
        return false;
    if (f->shape == FORMULA_INDEXED)
        return s->parts == 0 && r[s->own_j].low >= 0;
    for (size_t i = 0; i < f->outputs; i++)
        for (size_t k = 0; k <= i; k++)
            if (k == i ? !(r[s->hess[i][i]].low >= 0) : s->hess[i][k] != DAG_ZERO)
                return false;
    return true;
}

enum gm_code convex_proven(const struct formula *f, const struct derivatives *s, bool *proven, struct gm_error *err)
{
    struct range *ranges = NULL;
    enum curvature *curvatures = NULL;
    enum gm_code code = memory_alloc((void **)&ranges, f->dag.count, sizeof *ranges, "the formula's ranges", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&curvatures, f->dag.count, sizeof *curvatures, "the formula's ranges", err);
    if (code == GM_OK) {
        range_all(f, ranges);
        *proven = by_composition(f, f->loss, ranges, curvatures) || by_second_derivative(f, s, ranges);
    }
    memory_free(ranges);
    memory_free(curvatures);
    return code;
}

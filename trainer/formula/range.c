/* Interval arithmetic over a graph: the values a node can take. */
#include <math.h>

#include "formula/convex.h"

static const struct range everything = {-INFINITY, INFINITY};

static struct range interval(double low, double high)
{
    if (isnan(low) || isnan(high))
        return everything;
    return (struct range){low, high};
}

static struct range bounds_of(const struct formula_bounds *b)
{
    return (struct range){b->low, b->high};
}

static double product(double x, double y)
{
    return x == 0 || y == 0 ? 0 : x * y; /* 0 * infinity: a bound, not a value */
}

static struct range multiply(struct range x, struct range y)
{
    double a = product(x.low, y.low), b = product(x.low, y.high), c = product(x.high, y.low),
           e = product(x.high, y.high);
    return interval(fmin(fmin(a, b), fmin(c, e)), fmax(fmax(a, b), fmax(c, e)));
}

static struct range divide(struct range x, struct range y)
{
    if (y.low < 0 && y.high > 0)
        return everything;
    /* the reciprocal of [0, h] is [1 / h, inf), of [l, 0] (-inf, 1 / l] */
    struct range r = {y.high == 0 ? -INFINITY : 1 / y.high, y.low == 0 ? INFINITY : 1 / y.low};
    return multiply(x, r);
}

static struct range power(struct range x, const struct range *e)
{
    if (e->low == e->high && fmod(e->low, 2) == 0 && e->low > 0) {
        double a = pow(x.low, e->low), b = pow(x.high, e->low);
        return interval(x.low <= 0 && x.high >= 0 ? 0 : fmin(a, b), fmax(a, b));
    }
    if (e->low == e->high && fmod(e->low, 2) == 0)
        return (struct range){0, INFINITY};
    if (x.low >= 0)
        return (struct range){0, INFINITY};
    return everything;
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static struct range apply(enum dag_op op, struct range x)
{
    switch (op) {
    case DAG_NEG:
        return interval(-x.high, -x.low);
    case DAG_ABS:
        return interval(x.low <= 0 && x.high >= 0 ? 0 : fmin(fabs(x.low), fabs(x.high)),
                        fmax(fabs(x.low), fabs(x.high)));
    case DAG_SIGN:
    case DAG_SIDE:
        return interval(x.low >= 0 ? 0 : -1, x.high <= 0 ? 0 : 1);
    case DAG_EXP:
        return interval(exp(x.low), exp(x.high));
    case DAG_LOG:
        return interval(log(fmax(x.low, 0)), log(fmax(x.high, 0)));
    case DAG_LOG1P:
        return interval(log1p(fmax(x.low, -1)), log1p(fmax(x.high, -1)));
    case DAG_EXPM1:
        return interval(expm1(x.low), expm1(x.high));
    case DAG_SQRT:
        return interval(sqrt(fmax(x.low, 0)), sqrt(fmax(x.high, 0)));
    case DAG_TANH:
        return interval(tanh(x.low), tanh(x.high));
    case DAG_SIGMOID:
        return interval(1 / (1 + exp(-x.low)), 1 / (1 + exp(-x.high)));
    case DAG_SOFTPLUS:
        return interval(softplus(x.low), softplus(x.high));
    case DAG_SIGMOID_SLOPE:
        return (struct range){0, 0.25};
    default:
        return everything;
    }
}

static struct range leaf_range(const struct formula *f, const struct dag_node *n)
{
    switch (n->op) {
    case DAG_CONST:
        return (struct range){n->value, n->value};
    case DAG_PARAM:
        return bounds_of(&f->request->params[n->a].bounds);
    case DAG_TARGET:
    case DAG_TARGET_J:
        return f->request->target_kind == GM_TARGET_CLASS ? (struct range){0, INFINITY}
                                                          : bounds_of(&f->request->target);
    case DAG_INDEX_J:
        return (struct range){0, INFINITY};
    case DAG_OUTPUTS:
        return (struct range){1, INFINITY};
    default:
        return everything;
    }
}

static struct range node_range(const struct formula *f, const struct dag_node *n, const struct range *r)
{
    switch (n->op) {
    case DAG_ADD:
        return interval(r[n->a].low + r[n->b].low, r[n->a].high + r[n->b].high);
    case DAG_SUB:
        return interval(r[n->a].low - r[n->b].high, r[n->a].high - r[n->b].low);
    case DAG_MUL:
        return n->a == n->b ? power(r[n->a], &(struct range){2, 2}) : multiply(r[n->a], r[n->b]);
    case DAG_DIV:
        return divide(r[n->a], r[n->b]);
    case DAG_POW:
        return power(r[n->a], &r[n->b]);
    case DAG_MIN:
        return interval(fmin(r[n->a].low, r[n->b].low), fmin(r[n->a].high, r[n->b].high));
    case DAG_MAX:
        return interval(fmax(r[n->a].low, r[n->b].low), fmax(r[n->a].high, r[n->b].high));
    case DAG_WHERE:
        return interval(fmin(r[n->b].low, r[n->c].low), fmax(r[n->b].high, r[n->c].high));
    case DAG_SUM_J:
        return interval(r[n->a].low >= 0 ? 0 : -INFINITY, r[n->a].high <= 0 ? 0 : INFINITY);
    case DAG_LSE_J:
        return interval(r[n->a].low, INFINITY);
    default:
        return dag_arity(n->op) == 0      ? leaf_range(f, n)
               : n->flags & DAG_CONDITION ? (struct range){0, 1}
                                          : apply(n->op, r[n->a]);
    }
}

void range_all(const struct formula *f, struct range *ranges)
{
    for (dag_id id = 0; id < f->dag.count; id++)
        ranges[id] = node_range(f, dag_at(&f->dag, id), ranges);
}

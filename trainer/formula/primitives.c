/*
 * Functions, conditions, choices and reductions of expressions, with the rewrites that keep digits:
 *     log(1 + exp(x)), log1p(exp(x)) -> softplus(x)          log(sigmoid(x)) -> -softplus(-x)
 *     log(1 + x) -> log1p(x)                                 log(sum_j(exp(e))) -> logsumexp_j(e)
 *     log(exp(u) / s) -> u - log(s)                          sum_j(exp(e - logsumexp_j(e))) -> 1
 */
#include <math.h>

#include "formula/dag.h"

static bool is_const(const struct dag *d, dag_id id)
{
    return dag_is(d, id, DAG_CONST);
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double function_value(enum dag_op op, double x)
{
    switch (op) {
    case DAG_ABS:
        return fabs(x);
    case DAG_SIGN:
        return (x > 0) - (x < 0);
    case DAG_SIDE:
        return copysign(1, x);
    case DAG_EXP:
        return exp(x);
    case DAG_LOG:
        return log(x);
    case DAG_LOG1P:
        return log1p(x);
    case DAG_EXPM1:
        return expm1(x);
    case DAG_SQRT:
        return sqrt(x);
    case DAG_TANH:
        return tanh(x);
    case DAG_SIGMOID:
        return 1 / (1 + exp(-x));
    case DAG_SOFTPLUS:
        return softplus(x);
    case DAG_SIGMOID_SLOPE:
        return exp(-fabs(x)) / ((1 + exp(-fabs(x))) * (1 + exp(-fabs(x))));
    default:
        return NAN;
    }
}

/* Never negative, whatever the leaves are: seen without knowing them. */
static bool not_negative(const struct dag *d, dag_id x)
{
    const struct dag_node *n = dag_at(d, x);
    switch (n->op) {
    case DAG_CONST:
        return n->value >= 0;
    case DAG_ABS:
    case DAG_EXP:
    case DAG_SQRT:
    case DAG_SIGMOID:
    case DAG_SOFTPLUS:
    case DAG_SIGMOID_SLOPE:
    case DAG_OUTPUTS:
    case DAG_INDEX_J:
        return true;
    case DAG_POW:
        return is_const(d, n->b) && fmod(dag_at(d, n->b)->value, 2) == 0;
    default:
        return false;
    }
}

static dag_id abs_of(struct dag *d, dag_id a)
{
    if (not_negative(d, a))
        return a;
    if (dag_is(d, a, DAG_NEG))
        return dag_function(d, DAG_ABS, dag_at(d, a)->a);
    return dag_raw(d, DAG_ABS, a, 0, 0);
}

/* log(a) where a = x + 1 */
static dag_id log_one_plus(struct dag *d, dag_id x)
{
    struct dag_node n = *dag_at(d, x);
    if (n.op == DAG_EXP)
        return dag_function(d, DAG_SOFTPLUS, n.a);
    if (n.op == DAG_EXPM1)
        return n.a;
    if (n.op == DAG_NEG && dag_is(d, n.a, DAG_SIGMOID))
        return dag_neg(d, dag_function(d, DAG_SOFTPLUS, dag_at(d, n.a)->a));
    return dag_raw(d, DAG_LOG1P, x, 0, 0);
}

static dag_id log_of(struct dag *d, dag_id a)
{
    struct dag_node n = *dag_at(d, a);
    if (n.op == DAG_EXP)
        return n.a;
    if (n.op == DAG_ADD && n.b == DAG_ONE)
        return log_one_plus(d, n.a);
    if (n.op == DAG_SUB && n.a == DAG_ONE)
        return log_one_plus(d, dag_neg(d, n.b));
    if (n.op == DAG_SIGMOID)
        return dag_neg(d, dag_function(d, DAG_SOFTPLUS, dag_neg(d, n.a)));
    if (n.op == DAG_SUM_J && dag_is(d, n.a, DAG_EXP))
        return dag_reduce(d, DAG_LSE_J, dag_at(d, n.a)->a);
    if (n.op == DAG_DIV && n.a == DAG_ONE)
        return dag_neg(d, log_of(d, n.b));
    if (n.op == DAG_DIV && dag_is(d, n.a, DAG_EXP))
        return dag_sub(d, dag_at(d, n.a)->a, log_of(d, n.b));
    return dag_raw(d, DAG_LOG, a, 0, 0);
}

/* sign, tanh: f(-x) = -f(x) */
static dag_id odd_function(struct dag *d, enum dag_op op, dag_id a)
{
    struct dag_node n = *dag_at(d, a);
    return n.op == DAG_NEG ? dag_neg(d, dag_raw(d, op, n.a, 0, 0)) : dag_raw(d, op, a, 0, 0);
}

dag_id dag_function(struct dag *d, enum dag_op op, dag_id a)
{
    struct dag_node n = *dag_at(d, a);
    if (n.op == DAG_CONST && isfinite(function_value(op, n.value)))
        return dag_const(d, function_value(op, n.value));
    switch (op) {
    case DAG_ABS:
        return abs_of(d, a);
    case DAG_SIGN:
    case DAG_TANH:
        return odd_function(d, op, a);
    case DAG_LOG:
        return log_of(d, a);
    case DAG_LOG1P:
        return log_one_plus(d, a);
    case DAG_EXPM1:
        return n.op == DAG_LOG1P ? n.a : dag_raw(d, op, a, 0, 0);
    case DAG_SIGMOID_SLOPE: /* even */
        return dag_raw(d, op, n.op == DAG_NEG ? n.a : a, 0, 0);
    case DAG_SQRT:
        if (n.op == DAG_POW && dag_is_value(d, n.b, 2))
            return abs_of(d, n.a);
        return dag_raw(d, op, a, 0, 0);
    default:
        return dag_raw(d, op, a, 0, 0);
    }
}

/* A constant stands first: generated code `a > b ? a : b` then hands a NaN of b on. */
static dag_id extreme(struct dag *d, enum dag_op op, dag_id a, dag_id b)
{
    if (a == b)
        return a;
    if (is_const(d, a) && is_const(d, b)) {
        double x = dag_at(d, a)->value, y = dag_at(d, b)->value;
        return dag_const(d, op == DAG_MIN ? fmin(x, y) : fmax(x, y));
    }
    return is_const(d, b) ? dag_raw(d, op, b, a, 0) : dag_raw(d, op, a, b, 0);
}

dag_id dag_min(struct dag *d, dag_id a, dag_id b)
{
    return extreme(d, DAG_MIN, a, b);
}

dag_id dag_max(struct dag *d, dag_id a, dag_id b)
{
    return extreme(d, DAG_MAX, a, b);
}

static bool compare_values(enum dag_op op, double x, double y)
{
    switch (op) {
    case DAG_LESS:
        return x < y;
    case DAG_LESS_EQUAL:
        return x <= y;
    case DAG_EQUAL:
        return x == y;
    case DAG_AND:
        return x != 0 && y != 0;
    default:
        return x != 0 || y != 0;
    }
}

dag_id dag_compare(struct dag *d, enum dag_op op, dag_id a, dag_id b)
{
    if (is_const(d, a) && is_const(d, b))
        return compare_values(op, dag_at(d, a)->value, dag_at(d, b)->value) ? DAG_ONE : DAG_ZERO;
    if (op == DAG_AND || op == DAG_OR) {
        dag_id absorbing = op == DAG_AND ? DAG_ZERO : DAG_ONE, neutral = op == DAG_AND ? DAG_ONE : DAG_ZERO;
        if (a == absorbing || b == absorbing)
            return absorbing;
        if (a == neutral || a == b)
            return b;
        if (b == neutral)
            return a;
    }
    if ((op == DAG_EQUAL || op == DAG_AND || op == DAG_OR) && a > b)
        return dag_raw(d, op, b, a, 0);
    return dag_raw(d, op, a, b, 0);
}

dag_id dag_not(struct dag *d, dag_id a)
{
    if (is_const(d, a))
        return a == DAG_ZERO ? DAG_ONE : DAG_ZERO;
    return dag_is(d, a, DAG_NOT) ? dag_at(d, a)->a : dag_raw(d, DAG_NOT, a, 0, 0);
}

/* The expression where x is known not to be 0: sign(x) has two values only. `depth` levels are looked at. */
static dag_id where_not_zero(struct dag *d, dag_id id, dag_id x, int depth)
{
    struct dag_node n = *dag_at(d, id);
    if (n.op == DAG_SIGN && n.a == x)
        return dag_raw(d, DAG_SIDE, x, 0, 0);
    if (depth == 0 || !(n.flags & DAG_KINK))
        return id;
    switch (n.op) {
    case DAG_NEG:
        return dag_neg(d, where_not_zero(d, n.a, x, depth - 1));
    case DAG_MUL:
        return dag_mul(d, where_not_zero(d, n.a, x, depth - 1), where_not_zero(d, n.b, x, depth - 1));
    case DAG_DIV:
        return dag_div(d, where_not_zero(d, n.a, x, depth - 1), n.b);
    case DAG_ADD:
        return dag_add(d, where_not_zero(d, n.a, x, depth - 1), where_not_zero(d, n.b, x, depth - 1));
    case DAG_SUB:
        return dag_sub(d, where_not_zero(d, n.a, x, depth - 1), where_not_zero(d, n.b, x, depth - 1));
    default:
        return id;
    }
}

/* abs(x) <= limit ? a : b, as in huber: b is where x is far from 0 (or limit is negative, and a is nowhere: then b
 * takes the slope of one side at 0, as at any kink). */
static void use_distance(struct dag *d, dag_id condition, dag_id *a, dag_id *b)
{
    enum { DEPTH = 6 };
    struct dag_node c = *dag_at(d, condition);
    if (c.op != DAG_LESS && c.op != DAG_LESS_EQUAL)
        return;
    if (dag_is(d, c.a, DAG_ABS))
        *b = where_not_zero(d, *b, dag_at(d, c.a)->a, DEPTH);
    else if (dag_is(d, c.b, DAG_ABS))
        *a = where_not_zero(d, *a, dag_at(d, c.b)->a, DEPTH);
}

dag_id dag_where(struct dag *d, dag_id condition, dag_id a, dag_id b)
{
    struct dag_node c = *dag_at(d, condition);
    if (c.op == DAG_CONST)
        return condition == DAG_ZERO ? b : a;
    use_distance(d, condition, &a, &b);
    struct dag_node x = *dag_at(d, a), y = *dag_at(d, b);
    if (x.op == DAG_WHERE && x.a == condition)
        a = x.b;
    if (y.op == DAG_WHERE && y.a == condition)
        b = y.c;
    if (a == b)
        return a;
    if (c.op == DAG_NOT)
        return dag_where(d, c.a, b, a);
    return dag_raw(d, DAG_WHERE, condition, a, b);
}

/* exp(e - logsumexp_j(e)) */
static bool is_softmax(const struct dag *d, dag_id x)
{
    const struct dag_node *n = dag_at(d, x);
    if (n->op != DAG_EXP || !dag_is(d, n->a, DAG_SUB))
        return false;
    const struct dag_node *s = dag_at(d, n->a);
    return dag_is(d, s->b, DAG_LSE_J) && dag_at(d, s->b)->a == s->a;
}

static dag_id sum_of(struct dag *d, dag_id body)
{
    struct dag_node n = *dag_at(d, body);
    if (body == DAG_ZERO)
        return DAG_ZERO;
    if (!(n.flags & DAG_ELEMENT))
        return dag_mul(d, dag_leaf(d, DAG_OUTPUTS, 0), body);
    if (n.op == DAG_NEG)
        return dag_neg(d, sum_of(d, n.a));
    if (n.op == DAG_MUL && !dag_has(d, n.a, DAG_ELEMENT))
        return dag_mul(d, n.a, sum_of(d, n.b));
    if (n.op == DAG_MUL && !dag_has(d, n.b, DAG_ELEMENT))
        return dag_mul(d, n.b, sum_of(d, n.a));
    if (n.op == DAG_DIV && !dag_has(d, n.b, DAG_ELEMENT))
        return dag_div(d, sum_of(d, n.a), n.b);
    if (is_softmax(d, body))
        return DAG_ONE;
    return dag_raw(d, DAG_SUM_J, body, 0, 0);
}

dag_id dag_reduce(struct dag *d, enum dag_op op, dag_id body)
{
    if (op == DAG_SUM_J)
        return sum_of(d, body);
    if (!dag_has(d, body, DAG_ELEMENT))
        return dag_add(d, body, dag_function(d, DAG_LOG, dag_leaf(d, DAG_OUTPUTS, 0)));
    return dag_raw(d, DAG_LSE_J, body, 0, 0);
}

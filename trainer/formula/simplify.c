/*
 * Arithmetic of expressions. Each function looks for the few patterns that matter to a derivative (neutral elements,
 * like terms, signs and factors that can be pulled out) or to its digits, and else makes the plain node.
 *
 * Canonical forms the rules rely on: a constant stands second in a sum and first in a product; a product holds at most
 * one constant, outermost; the operands of + and * are otherwise ordered by number; signs are pulled out of products.
 * Identities that hold except at NaN and infinity (x - x = 0, 0 * x = 0) are used.
 */
#include <math.h>

#include "formula/dag.h"

static bool is_const(const struct dag *d, dag_id id)
{
    return dag_is(d, id, DAG_CONST);
}

static double value_of(const struct dag *d, dag_id id)
{
    return dag_at(d, id)->value;
}

/* The constant, when the folded value is finite; else the plain node: the overflow then shows at run time. */
static dag_id folded(struct dag *d, enum dag_op op, dag_id a, dag_id b, double value)
{
    return isfinite(value) ? dag_const(d, value) : dag_raw(d, op, a, b, 0);
}

/* x as factor * rest. */
static dag_id split_factor(const struct dag *d, dag_id x, double *factor)
{
    const struct dag_node *n = dag_at(d, x);
    *factor = 1;
    if (n->op == DAG_NEG) {
        *factor = -1;
        return n->a;
    }
    if (n->op == DAG_MUL && is_const(d, n->a)) {
        *factor = value_of(d, n->a);
        return n->b;
    }
    return x;
}

/* x as rest + offset. */
static dag_id split_offset(const struct dag *d, dag_id x, double *offset)
{
    const struct dag_node *n = dag_at(d, x);
    *offset = 0;
    if ((n->op == DAG_ADD || n->op == DAG_SUB) && is_const(d, n->b)) {
        *offset = n->op == DAG_ADD ? value_of(d, n->b) : -value_of(d, n->b);
        return n->a;
    }
    return x;
}

static void order(dag_id *a, dag_id *b)
{
    if (*a > *b) {
        dag_id t = *a;
        *a = *b;
        *b = t;
    }
}

/* Both are where() of one condition: the sum or difference goes into the branches. */
static bool same_condition(const struct dag *d, dag_id a, dag_id b)
{
    return dag_is(d, a, DAG_WHERE) && dag_is(d, b, DAG_WHERE) && dag_at(d, a)->a == dag_at(d, b)->a;
}

/* where(c, p, 0) or where(c, 0, p): a factor goes into the branch, so that 0 * infinity of a branch not taken never
 * becomes NaN. */
static bool is_gate(const struct dag *d, dag_id x)
{
    const struct dag_node *n = dag_at(d, x);
    return n->op == DAG_WHERE && (n->b == DAG_ZERO || n->c == DAG_ZERO);
}

/* sum of x and a constant that is not zero */
static dag_id add_constant(struct dag *d, dag_id x, double value)
{
    double offset;
    dag_id rest = split_offset(d, x, &offset);
    value += offset;
    if (value == 0)
        return rest;
    if (value == -1 && dag_is(d, rest, DAG_EXP))
        return dag_function(d, DAG_EXPM1, dag_at(d, rest)->a);
    if (dag_is(d, rest, DAG_NEG))
        return dag_sub(d, dag_const(d, value), dag_at(d, rest)->a);
    return value < 0 ? dag_raw(d, DAG_SUB, rest, dag_const(d, -value), 0)
                     : dag_raw(d, DAG_ADD, rest, dag_const(d, value), 0);
}

dag_id dag_add(struct dag *d, dag_id a, dag_id b)
{
    double fa, fb;
    if (is_const(d, a) && is_const(d, b))
        return folded(d, DAG_ADD, a, b, value_of(d, a) + value_of(d, b));
    if (a == DAG_ZERO)
        return b;
    if (b == DAG_ZERO)
        return a;
    if (is_const(d, a))
        return add_constant(d, b, value_of(d, a));
    if (is_const(d, b))
        return add_constant(d, a, value_of(d, b));
    if (split_factor(d, a, &fa) == split_factor(d, b, &fb))
        return dag_mul(d, dag_const(d, fa + fb), split_factor(d, a, &fa));
    if (dag_is(d, b, DAG_NEG))
        return dag_sub(d, a, dag_at(d, b)->a);
    if (dag_is(d, a, DAG_NEG))
        return dag_sub(d, b, dag_at(d, a)->a);
    if (same_condition(d, a, b)) {
        struct dag_node x = *dag_at(d, a), y = *dag_at(d, b);
        return dag_where(d, x.a, dag_add(d, x.b, y.b), dag_add(d, x.c, y.c));
    }
    order(&a, &b);
    return dag_raw(d, DAG_ADD, a, b, 0);
}

dag_id dag_sub(struct dag *d, dag_id a, dag_id b)
{
    double fa, fb;
    if (is_const(d, a) && is_const(d, b))
        return folded(d, DAG_SUB, a, b, value_of(d, a) - value_of(d, b));
    if (a == b)
        return DAG_ZERO;
    if (a == DAG_ZERO)
        return dag_neg(d, b);
    if (b == DAG_ZERO)
        return a;
    if (is_const(d, b))
        return add_constant(d, a, -value_of(d, b));
    if (is_const(d, a)) {
        dag_id rest = split_offset(d, b, &fb);
        if (fb != 0)
            return dag_sub(d, dag_const(d, value_of(d, a) - fb), rest);
    }
    if (a == DAG_ONE && dag_is(d, b, DAG_SIGMOID))
        return dag_function(d, DAG_SIGMOID, dag_neg(d, dag_at(d, b)->a));
    if (split_factor(d, a, &fa) == split_factor(d, b, &fb))
        return dag_mul(d, dag_const(d, fa - fb), split_factor(d, a, &fa));
    if (dag_is(d, b, DAG_NEG))
        return dag_add(d, a, dag_at(d, b)->a);
    if (dag_is(d, a, DAG_NEG))
        return dag_neg(d, dag_add(d, dag_at(d, a)->a, b));
    if (same_condition(d, a, b)) {
        struct dag_node x = *dag_at(d, a), y = *dag_at(d, b);
        return dag_where(d, x.a, dag_sub(d, x.b, y.b), dag_sub(d, x.c, y.c));
    }
    return dag_raw(d, DAG_SUB, a, b, 0);
}

dag_id dag_neg(struct dag *d, dag_id a)
{
    struct dag_node n = *dag_at(d, a);
    if (n.op == DAG_CONST)
        return dag_const(d, -n.value);
    if (n.op == DAG_NEG)
        return n.a;
    if (n.op == DAG_SUB)
        return dag_sub(d, n.b, n.a);
    if (n.op == DAG_MUL && is_const(d, n.a))
        return dag_mul(d, dag_const(d, -value_of(d, n.a)), n.b);
    if (is_gate(d, a))
        return dag_where(d, n.a, dag_neg(d, n.b), dag_neg(d, n.c));
    return dag_raw(d, DAG_NEG, a, 0, 0);
}

/* Exponent of x as a power of `base` with a whole positive exponent; 0: it is none. */
static double whole_power(const struct dag *d, dag_id x, dag_id base)
{
    const struct dag_node *n = dag_at(d, x);
    if (x == base)
        return 1;
    if (n->op != DAG_POW || n->a != base || !is_const(d, n->b))
        return 0;
    double e = value_of(d, n->b);
    return e > 0 && e == floor(e) ? e : 0;
}

static dag_id mul_constant(struct dag *d, double value, dag_id x)
{
    double factor;
    dag_id rest = split_factor(d, x, &factor);
    value *= factor;
    if (value == 0)
        return DAG_ZERO;
    if (value == 1)
        return rest;
    if (is_gate(d, rest)) {
        struct dag_node n = *dag_at(d, rest);
        dag_id c = dag_const(d, value);
        return dag_where(d, n.a, dag_mul(d, c, n.b), dag_mul(d, c, n.c));
    }
    if (value == -1)
        return dag_neg(d, rest);
    return isfinite(value) ? dag_raw(d, DAG_MUL, dag_const(d, value), rest, 0)
                           : dag_raw(d, DAG_MUL, dag_const(d, value / factor), x, 0);
}

/* Products of two equal or inverse things; DAG_ZERO: none found (a product of the callers is never zero). */
static dag_id mul_pair(struct dag *d, dag_id a, dag_id b)
{
    struct dag_node x = *dag_at(d, a), y = *dag_at(d, b);
    dag_id base = x.op == DAG_POW ? x.a : y.op == DAG_POW ? y.a : a;
    double ea = whole_power(d, a, base), eb = whole_power(d, b, base);
    if (ea > 0 && eb > 0)
        return dag_pow(d, base, dag_const(d, ea + eb));
    if (x.op == DAG_SIGMOID && y.op == DAG_SIGMOID &&
        ((dag_is(d, x.a, DAG_NEG) && dag_at(d, x.a)->a == y.a) ||
         (dag_is(d, y.a, DAG_NEG) && dag_at(d, y.a)->a == x.a)))
        return dag_function(d, DAG_SIGMOID_SLOPE, x.a);
    if (x.op == DAG_SIGN && x.a == b)
        return dag_function(d, DAG_ABS, b);
    if (x.op == DAG_SIGN && y.op == DAG_ABS && x.a == y.a)
        return x.a;
    if (x.op == DAG_DIV && x.b == b)
        return x.a;
    if (x.op == DAG_DIV && x.a == DAG_ONE)
        return dag_div(d, b, x.b);
    if (is_gate(d, a))
        return dag_where(d, x.a, dag_mul(d, x.b, b), dag_mul(d, x.c, b));
    return DAG_ZERO;
}

dag_id dag_mul(struct dag *d, dag_id a, dag_id b)
{
    double fa, fb;
    if (is_const(d, a) && is_const(d, b))
        return folded(d, DAG_MUL, a, b, value_of(d, a) * value_of(d, b));
    if (is_const(d, a))
        return mul_constant(d, value_of(d, a), b);
    if (is_const(d, b))
        return mul_constant(d, value_of(d, b), a);
    dag_id ra = split_factor(d, a, &fa), rb = split_factor(d, b, &fb);
    if (fa != 1 || fb != 1)
        return mul_constant(d, fa * fb, dag_mul(d, ra, rb));
    dag_id pair = mul_pair(d, a, b);
    if (pair == DAG_ZERO)
        pair = mul_pair(d, b, a);
    if (pair != DAG_ZERO)
        return pair;
    order(&a, &b);
    return dag_raw(d, DAG_MUL, a, b, 0);
}

static bool is_power_of_two(double x)
{
    int exponent;
    return isfinite(x) && fabs(frexp(x, &exponent)) == 0.5 && exponent > -1000 && exponent < 1000;
}

/* exp(u) when the node is 1 + exp(u), else DAG_ZERO. */
static dag_id one_plus_exp(const struct dag *d, dag_id x)
{
    const struct dag_node *n = dag_at(d, x);
    return n->op == DAG_ADD && n->b == DAG_ONE && dag_is(d, n->a, DAG_EXP) ? n->a : DAG_ZERO;
}

dag_id dag_div(struct dag *d, dag_id a, dag_id b)
{
    double fa, fb;
    if (is_const(d, a) && is_const(d, b))
        return folded(d, DAG_DIV, a, b, value_of(d, a) / value_of(d, b));
    if (a == DAG_ZERO)
        return a;
    if (a == b)
        return DAG_ONE;
    dag_id ra = split_factor(d, a, &fa), rb = split_factor(d, b, &fb);
    if (is_const(d, b)) {
        double c = value_of(d, b);
        if (is_power_of_two(c) || fa != 1)
            return mul_constant(d, fa / c, ra);
        return dag_raw(d, DAG_DIV, a, b, 0);
    }
    if (is_const(d, a) && fb != 1 && fb != -1)
        return dag_div(d, dag_const(d, value_of(d, a) / fb), rb);
    if (!is_const(d, a) && (fa != 1 || fb != 1))
        return mul_constant(d, fa / fb, dag_div(d, ra, rb));
    if (fb == -1)
        return dag_neg(d, dag_div(d, a, rb));
    dag_id e = one_plus_exp(d, b);
    if (e != DAG_ZERO && a == DAG_ONE)
        return dag_function(d, DAG_SIGMOID, dag_neg(d, dag_at(d, e)->a));
    if (e != DAG_ZERO && a == e)
        return dag_function(d, DAG_SIGMOID, dag_at(d, e)->a);
    struct dag_node x = *dag_at(d, a);
    if (x.op == DAG_MUL && (x.a == b || x.b == b))
        return x.a == b ? x.b : x.a;
    if (is_gate(d, a))
        return dag_where(d, x.a, dag_div(d, x.b, b), dag_div(d, x.c, b));
    return dag_raw(d, DAG_DIV, a, b, 0);
}

/* x ^ e for a constant e */
static dag_id pow_constant(struct dag *d, dag_id a, double e)
{
    struct dag_node n = *dag_at(d, a);
    bool whole = e == floor(e), even = whole && fmod(e, 2) == 0;
    if (e == 0)
        return DAG_ONE;
    if (e == 1)
        return a;
    if (e == -1)
        return dag_div(d, DAG_ONE, a);
    if (e == 0.5)
        return dag_function(d, DAG_SQRT, a);
    if (even && (n.op == DAG_NEG || n.op == DAG_ABS))
        return pow_constant(d, n.a, e);
    if (whole && n.op == DAG_NEG)
        return dag_neg(d, pow_constant(d, n.a, e));
    if (even && n.op == DAG_SQRT)
        return pow_constant(d, n.a, e / 2);
    if (n.op == DAG_POW && whole && whole_power(d, a, n.a) > 0)
        return pow_constant(d, n.a, e * whole_power(d, a, n.a));
    return dag_raw(d, DAG_POW, a, dag_const(d, e), 0);
}

dag_id dag_pow(struct dag *d, dag_id a, dag_id b)
{
    if (is_const(d, a) && is_const(d, b))
        return folded(d, DAG_POW, a, b, pow(value_of(d, a), value_of(d, b)));
    if (a == DAG_ONE)
        return a;
    bool square = dag_is_value(d, b, 2); /* cheaper than another exponential */
    if (dag_is(d, a, DAG_EXP) && !square)
        return dag_function(d, DAG_EXP, dag_mul(d, dag_at(d, a)->a, b));
    if (is_const(d, b))
        return pow_constant(d, a, value_of(d, b));
    if (is_const(d, a) && value_of(d, a) > 0)
        return dag_function(d, DAG_EXP, dag_mul(d, b, dag_const(d, log(value_of(d, a)))));
    return dag_raw(d, DAG_POW, a, b, 0);
}

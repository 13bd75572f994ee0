/*
 * Expressions as a directed acyclic graph with shared nodes.
 *
 * A node is made by the functions below and never changes. Two equal expressions are one node (hash-consing), so a
 * common subexpression is written once in the generated source. The functions simplify as they build: constants fold,
 * neutral elements vanish, and patterns that lose digits become their stable primitive (log(1 + exp(x)) is
 * softplus(x)).
 *
 * Levels: a formula over several outputs has SCALAR nodes (one value a row) and ELEMENT nodes (one value for each
 * output j). DAG_SUM_J and DAG_LSE_J take an element node to a scalar one; a scalar node below an element node is
 * broadcast.
 *
 * Children are made before their parents, so a walk by falling number is a walk in reverse topological order.
 */
#ifndef FORMULA_DAG_H
#define FORMULA_DAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

enum dag_op {
    /* leaves */
    DAG_CONST,      /* value */
    DAG_PARAM,      /* a: index of the parameter */
    DAG_THETA,      /* a: index of the learned parameter */
    DAG_PRED,       /* a: constant output; 0 for a plain `pred` */
    DAG_PRED_LABEL, /* pred[target] */
    DAG_PRED_J,     /* pred[j] */
    DAG_TARGET,     /* a: constant column; for a class target the class */
    DAG_TARGET_J,   /* target[j] */
    DAG_INDEX_J,    /* j */
    DAG_OUTPUTS,    /* number of outputs */
    /* arithmetic: a, b */
    DAG_ADD,
    DAG_SUB,
    DAG_MUL,
    DAG_DIV,
    DAG_NEG,
    DAG_POW,
    DAG_MIN,
    DAG_MAX,
    /* functions: a */
    DAG_ABS,
    DAG_SIGN, /* -1, 0, 1 */
    DAG_SIDE, /* -1, 1: the sign of something that is not 0, which is cheaper */
    DAG_EXP,
    DAG_LOG,
    DAG_LOG1P,
    DAG_EXPM1,
    DAG_SQRT,
    DAG_TANH,
    DAG_SIGMOID,
    DAG_SOFTPLUS,
    DAG_SIGMOID_SLOPE, /* sigmoid(x) * sigmoid(-x): only derivatives make it */
    /* conditions: a, b */
    DAG_LESS,
    DAG_LESS_EQUAL,
    DAG_EQUAL,
    DAG_NOT,
    DAG_AND,
    DAG_OR,
    DAG_WHERE, /* a ? b : c */
    /* reductions over the outputs: a */
    DAG_SUM_J,
    DAG_LSE_J,
    DAG_OPS
};

/* What a node depends on (its leaves), and what it is. */
enum dag_flags {
    DAG_ON_PARAM = 1,
    DAG_ON_THETA = 2,
    DAG_ON_PRED = 4,
    DAG_ON_ROW = 8,     /* target, pred: differs from row to row */
    DAG_ELEMENT = 16,   /* one value for each j */
    DAG_CONDITION = 32, /* true or false, not a number */
    DAG_KINK = 64,      /* holds abs, min, max or where of something that depends on pred */
    DAG_REDUCES = 128   /* holds sum_j or logsumexp_j */
};

typedef uint32_t dag_id;
#define DAG_ZERO 0u /* the constant 0 is node 0 of every graph, */
#define DAG_ONE  1u /* and 1 is node 1 */

struct dag_node {
    uint8_t op, flags;
    dag_id a, b, c; /* children, or the index of a leaf; 0 when not used */
    double value;   /* of DAG_CONST */
};

/* When memory runs out or the graph grows beyond DAG_LIMIT nodes, `failure` is set once and every further call returns
 * DAG_ZERO: look at it after building, not at every step. */
#define DAG_LIMIT 200000u
struct dag {
    struct dag_node *nodes; /* [count] */
    size_t count, room;
    dag_id *table; /* [table_size] open addressing; UINT32_MAX: free */
    size_t table_size;
    struct gm_error failure;
};

enum gm_code dag_init(struct dag *d, struct gm_error *err);
void dag_release(struct dag *d); /* a zeroed struct may be released */

static inline const struct dag_node *dag_at(const struct dag *d, dag_id id)
{
    return &d->nodes[id];
}
static inline bool dag_is(const struct dag *d, dag_id id, enum dag_op op)
{
    return d->nodes[id].op == op;
}
static inline bool dag_has(const struct dag *d, dag_id id, unsigned flag)
{
    return (d->nodes[id].flags & flag) != 0;
}
static inline bool dag_is_value(const struct dag *d, dag_id id, double value)
{
    return d->nodes[id].op == DAG_CONST && d->nodes[id].value == value;
}
/* Children of an operation: 0 for leaves. */
unsigned dag_arity(enum dag_op op);
/* "softplus", "+", "pred": for messages and listings. */
const char *dag_op_name(enum dag_op op);

/* The node as it is, without simplification: only the functions below and the lowering should need it. */
dag_id dag_raw(struct dag *d, enum dag_op op, dag_id a, dag_id b, dag_id c);

dag_id dag_const(struct dag *d, double value);
dag_id dag_leaf(struct dag *d, enum dag_op op, uint32_t index);

/* Arithmetic, with simplification. */
dag_id dag_add(struct dag *d, dag_id a, dag_id b);
dag_id dag_sub(struct dag *d, dag_id a, dag_id b);
dag_id dag_mul(struct dag *d, dag_id a, dag_id b);
dag_id dag_div(struct dag *d, dag_id a, dag_id b);
dag_id dag_neg(struct dag *d, dag_id a);
dag_id dag_pow(struct dag *d, dag_id a, dag_id b);
dag_id dag_min(struct dag *d, dag_id a, dag_id b);
dag_id dag_max(struct dag *d, dag_id a, dag_id b);
/* DAG_ABS .. DAG_SIGMOID_SLOPE */
dag_id dag_function(struct dag *d, enum dag_op op, dag_id a);
/* DAG_LESS .. DAG_OR */
dag_id dag_compare(struct dag *d, enum dag_op op, dag_id a, dag_id b);
dag_id dag_not(struct dag *d, dag_id a);
dag_id dag_where(struct dag *d, dag_id condition, dag_id a, dag_id b);
/* DAG_SUM_J, DAG_LSE_J */
dag_id dag_reduce(struct dag *d, enum dag_op op, dag_id body);

#endif

/* Values of a graph's nodes in long double, by a plain walk: independent of the code that is generated from it. */
#ifndef TESTS_FORMULA_DAG_VALUE_H
#define TESTS_FORMULA_DAG_VALUE_H

#include <math.h>
#include <stdlib.h>

#include "formula/dag.h"

#define DAG_VALUE_OUTPUTS 4

struct dag_inputs {
    long double pred[DAG_VALUE_OUTPUTS], target[DAG_VALUE_OUTPUTS], param[4], theta[4];
    size_t outputs, label;
    bool class_target;
};

static inline long double dag_leaf_value(const struct dag_node *n, const struct dag_inputs *in, size_t j)
{
    switch (n->op) {
    case DAG_CONST:
        return n->value;
    case DAG_PARAM:
        return in->param[n->a];
    case DAG_THETA:
        return in->theta[n->a];
    case DAG_PRED:
        return in->pred[n->a];
    case DAG_PRED_LABEL:
        return in->pred[in->label];
    case DAG_PRED_J:
        return in->pred[j];
    case DAG_TARGET:
        return in->class_target ? (long double)in->label : in->target[n->a];
    case DAG_TARGET_J:
        return in->target[j];
    case DAG_INDEX_J:
        return (long double)j;
    default:
        return (long double)in->outputs;
    }
}

static inline long double dag_operation_value(const struct dag_node *n, long double x, long double y, long double z)
{
    switch (n->op) {
    case DAG_ADD:
        return x + y;
    case DAG_SUB:
        return x - y;
    case DAG_MUL:
        return x * y;
    case DAG_DIV:
        return x / y;
    case DAG_NEG:
        return -x;
    case DAG_POW:
        return powl(x, y);
    case DAG_MIN:
        return x <= y ? x : y;
    case DAG_MAX:
        return x >= y ? x : y;
    case DAG_ABS:
        return fabsl(x);
    case DAG_SIGN:
        return (x > 0) - (x < 0);
    case DAG_SIDE:
        return copysignl(1, x);
    case DAG_EXP:
        return expl(x);
    case DAG_LOG:
        return logl(x);
    case DAG_LOG1P:
        return log1pl(x);
    case DAG_EXPM1:
        return expm1l(x);
    case DAG_SQRT:
        return sqrtl(x);
    case DAG_TANH:
        return tanhl(x);
    case DAG_SIGMOID:
        return 1 / (1 + expl(-x));
    case DAG_SOFTPLUS:
        return fmaxl(x, 0) + log1pl(expl(-fabsl(x)));
    case DAG_SIGMOID_SLOPE:
        return 1 / ((1 + expl(-x)) * (1 + expl(x)));
    case DAG_LESS:
        return x < y;
    case DAG_LESS_EQUAL:
        return x <= y;
    case DAG_EQUAL:
        return x == y;
    case DAG_NOT:
        return !(x != 0);
    case DAG_AND:
        return x != 0 && y != 0;
    case DAG_OR:
        return x != 0 || y != 0;
    case DAG_WHERE:
        return x != 0 ? y : z;
    default:
        return NAN;
    }
}

/* [root + 1][DAG_VALUE_OUTPUTS], free() it: value of each node for each j. */
static inline long double (*dag_values(const struct dag *d, const struct dag_inputs *in))[DAG_VALUE_OUTPUTS]
{
    long double(*v)[DAG_VALUE_OUTPUTS] = calloc(d->count, sizeof *v);
    for (dag_id id = 0; v && id < d->count; id++) {
        const struct dag_node *n = dag_at(d, id);
        unsigned arity = dag_arity(n->op);
        for (size_t j = 0; j < in->outputs; j++) {
            if (arity == 0) {
                v[id][j] = dag_leaf_value(n, in, j);
            } else if (n->op == DAG_SUM_J || n->op == DAG_LSE_J) {
                long double sum = 0;
                for (size_t k = 0; k < in->outputs; k++)
                    sum += n->op == DAG_LSE_J ? expl(v[n->a][k]) : v[n->a][k];
                v[id][j] = n->op == DAG_LSE_J ? logl(sum) : sum;
            } else {
                v[id][j] = dag_operation_value(n, v[n->a][j], arity > 1 ? v[n->b][j] : 0, arity > 2 ? v[n->c][j] : 0);
            }
        }
    }
    return v;
}

#endif

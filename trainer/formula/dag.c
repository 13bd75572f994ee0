/* The pool of nodes and the table that finds equal ones. What the nodes mean is in simplify.c and primitives.c. */
#include "formula/dag.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define FREE_SLOT UINT32_MAX

static const struct {
    const char *name;
    unsigned arity;
} ops[DAG_OPS] = {
    [DAG_CONST] = {"number", 0},
    [DAG_PARAM] = {"parameter", 0},
    [DAG_THETA] = {"learned parameter", 0},
    [DAG_PRED] = {"pred", 0},
    [DAG_PRED_LABEL] = {"pred[target]", 0},
    [DAG_PRED_J] = {"pred[j]", 0},
    [DAG_TARGET] = {"target", 0},
    [DAG_TARGET_J] = {"target[j]", 0},
    [DAG_INDEX_J] = {"j", 0},
    [DAG_OUTPUTS] = {"outputs", 0},
    [DAG_ADD] = {"+", 2},
    [DAG_SUB] = {"-", 2},
    [DAG_MUL] = {"*", 2},
    [DAG_DIV] = {"/", 2},
    [DAG_NEG] = {"-", 1},
    [DAG_POW] = {"^", 2},
    [DAG_MIN] = {"min", 2},
    [DAG_MAX] = {"max", 2},
    [DAG_ABS] = {"abs", 1},
    [DAG_SIGN] = {"sign", 1},
    [DAG_SIDE] = {"sign", 1},
    [DAG_EXP] = {"exp", 1},
    [DAG_LOG] = {"log", 1},
    [DAG_LOG1P] = {"log1p", 1},
    [DAG_EXPM1] = {"expm1", 1},
    [DAG_SQRT] = {"sqrt", 1},
    [DAG_TANH] = {"tanh", 1},
    [DAG_SIGMOID] = {"sigmoid", 1},
    [DAG_SOFTPLUS] = {"softplus", 1},
    [DAG_SIGMOID_SLOPE] = {"sigmoid_slope", 1},
    [DAG_LESS] = {"<", 2},
    [DAG_LESS_EQUAL] = {"<=", 2},
    [DAG_EQUAL] = {"==", 2},
    [DAG_NOT] = {"not", 1},
    [DAG_AND] = {"and", 2},
    [DAG_OR] = {"or", 2},
    [DAG_WHERE] = {"where", 3},
    [DAG_SUM_J] = {"sum_j", 1},
    [DAG_LSE_J] = {"logsumexp_j", 1},
};

unsigned dag_arity(enum dag_op op)
{
    return ops[op].arity;
}

const char *dag_op_name(enum dag_op op)
{
    return ops[op].name;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    h ^= x + 0x9E3779B97F4A7C15u + (h << 6) + (h >> 2);
    return h * 0xFF51AFD7ED558CCDu;
}

static size_t slot_of(const struct dag *d, const struct dag_node *n)
{
    uint64_t bits;
    memcpy(&bits, &n->value, sizeof bits);
    uint64_t h = mix(mix(mix(mix(n->op, n->a), n->b), n->c), bits);
    return (size_t)(h ^ (h >> 32)) & (d->table_size - 1);
}

static bool same(const struct dag_node *x, const struct dag_node *y)
{
    return x->op == y->op && x->a == y->a && x->b == y->b && x->c == y->c &&
           memcmp(&x->value, &y->value, sizeof x->value) == 0;
}

/* The slot that holds an equal node, or the free one where it belongs. */
static size_t find_slot(const struct dag *d, const struct dag_node *n)
{
    size_t slot = slot_of(d, n);
    while (d->table[slot] != FREE_SLOT && !same(&d->nodes[d->table[slot]], n))
        slot = (slot + 1) & (d->table_size - 1);
    return slot;
}

/* Twice the room for nodes, and a table of four slots a node. */
static enum gm_code grow(struct dag *d, struct gm_error *err)
{
    size_t room = d->room ? 2 * d->room : 256;
    struct dag_node *nodes = NULL;
    dag_id *table = NULL;
    enum gm_code code = memory_alloc((void **)&nodes, room, sizeof *nodes, "the formula's expressions", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&table, 4 * room, sizeof *table, "the formula's expressions", err);
    if (code != GM_OK) {
        memory_free(nodes);
        return code;
    }
    if (d->count)
        memcpy(nodes, d->nodes, d->count * sizeof *nodes);
    memory_free(d->nodes);
    memory_free(d->table);
    d->nodes = nodes;
    d->room = room;
    d->table = table;
    d->table_size = 4 * room;
    memset(table, 0xFF, d->table_size * sizeof *table);
    for (size_t i = 0; i < d->count; i++)
        table[find_slot(d, &nodes[i])] = (dag_id)i;
    return GM_OK;
}

/* What a leaf depends on. */
static unsigned leaf_flags(enum dag_op op)
{
    switch (op) {
    case DAG_PARAM:
        return DAG_ON_PARAM;
    case DAG_THETA:
        return DAG_ON_THETA;
    case DAG_PRED:
    case DAG_PRED_LABEL:
        return DAG_ON_PRED | DAG_ON_ROW;
    case DAG_PRED_J:
        return DAG_ON_PRED | DAG_ON_ROW | DAG_ELEMENT;
    case DAG_TARGET:
        return DAG_ON_ROW;
    case DAG_TARGET_J:
        return DAG_ON_ROW | DAG_ELEMENT;
    case DAG_INDEX_J:
        return DAG_ELEMENT;
    case DAG_OUTPUTS:
        return DAG_ON_PARAM; /* known before the rows, but not when the source is written */
    default:
        return 0;
    }
}

static unsigned node_flags(const struct dag *d, const struct dag_node *n)
{
    unsigned arity = dag_arity(n->op), flags = arity ? 0 : leaf_flags(n->op);
    const dag_id child[3] = {n->a, n->b, n->c};
    for (unsigned i = 0; i < arity; i++)
        flags |= d->nodes[child[i]].flags;
    flags &= ~(unsigned)DAG_CONDITION;
    if (n->op >= DAG_LESS && n->op <= DAG_OR)
        flags |= DAG_CONDITION;
    bool bends = n->op == DAG_ABS || n->op == DAG_MIN || n->op == DAG_MAX || n->op == DAG_SIGN || n->op == DAG_SIDE ||
                 n->op == DAG_WHERE;
    if (bends && (n->op == DAG_WHERE ? d->nodes[n->a].flags & DAG_ON_PRED : flags & DAG_ON_PRED))
        flags |= DAG_KINK;
    if (n->op == DAG_SUM_J || n->op == DAG_LSE_J)
        flags = (flags & ~(unsigned)DAG_ELEMENT) | DAG_REDUCES;
    return flags;
}

static dag_id intern(struct dag *d, struct dag_node n)
{
    if (d->failure.code != GM_OK)
        return DAG_ZERO;
    size_t slot = find_slot(d, &n);
    if (d->table[slot] != FREE_SLOT)
        return d->table[slot];
    if (d->count >= DAG_LIMIT) {
        error_set(&d->failure, GM_USAGE,
                  "The formula and its derivatives need more than %u operations: split it or write the loss by hand.",
                  DAG_LIMIT);
        return DAG_ZERO;
    }
    if (d->count == d->room) {
        if (grow(d, &d->failure) != GM_OK)
            return DAG_ZERO;
        slot = find_slot(d, &n);
    }
    n.flags = (uint8_t)node_flags(d, &n);
    d->nodes[d->count] = n;
    d->table[slot] = (dag_id)d->count;
    return (dag_id)d->count++;
}

enum gm_code dag_init(struct dag *d, struct gm_error *err)
{
    *d = (struct dag){0};
    enum gm_code code = grow(d, err);
    if (code != GM_OK)
        return code;
    dag_const(d, 0.0); /* DAG_ZERO */
    dag_const(d, 1.0); /* DAG_ONE */
    return GM_OK;
}

void dag_release(struct dag *d)
{
    memory_free(d->nodes);
    memory_free(d->table);
    *d = (struct dag){0};
}

dag_id dag_raw(struct dag *d, enum dag_op op, dag_id a, dag_id b, dag_id c)
{
    return intern(d, (struct dag_node){.op = (uint8_t)op, .a = a, .b = b, .c = c});
}

dag_id dag_const(struct dag *d, double value)
{
    if (value == 0.0)
        value = 0.0; /* -0.0 is 0.0: one zero, and rules that look for it find it */
    return intern(d, (struct dag_node){.op = DAG_CONST, .value = value});
}

dag_id dag_leaf(struct dag *d, enum dag_op op, uint32_t index)
{
    return dag_raw(d, op, index, 0, 0);
}

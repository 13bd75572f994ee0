/* Operators, functions and leaves as text, with as few brackets as the reader needs. */
#include "formula/expression.h"

#include <math.h>
#include <stdio.h>

/* How tightly text binds. A child that binds less tightly than its place asks for gets brackets. */
enum binding {
    BIND_CHOICE = 1, /* ?: */
    BIND_OR,
    BIND_AND,
    BIND_EQUAL,
    BIND_LESS,
    BIND_SUM,
    BIND_PRODUCT,
    BIND_SIGN,
    BIND_POWER,
    BIND_TIGHT
};

static const char *const prefixes[PRINT_PREFIXES] = {
    [DAG_ADD] = "sum",         [DAG_SUB] = "difference",    [DAG_MUL] = "product",       [DAG_DIV] = "quotient",
    [DAG_NEG] = "minus",       [DAG_POW] = "power",         [DAG_MIN] = "low",           [DAG_MAX] = "high",
    [DAG_ABS] = "size",        [DAG_SIGN] = "sign",         [DAG_SIDE] = "side",         [DAG_EXP] = "exp",
    [DAG_LOG] = "log",         [DAG_LOG1P] = "log1p",       [DAG_EXPM1] = "expm1",       [DAG_SQRT] = "root",
    [DAG_TANH] = "tanh",       [DAG_SIGMOID] = "sigmoid",   [DAG_SOFTPLUS] = "softplus", [DAG_SIGMOID_SLOPE] = "bell",
    [DAG_LESS] = "less",       [DAG_LESS_EQUAL] = "within", [DAG_EQUAL] = "equal",       [DAG_NOT] = "not",
    [DAG_AND] = "both",        [DAG_OR] = "either",         [DAG_WHERE] = "choice",      [DAG_SUM_J] = "sum_j",
    [DAG_LSE_J] = "logsumexp", [DAG_OPS] = "residual",      [DAG_OPS + 1] = "softmax",
};

static bool is_leaf_pair(const struct dag *d, const struct dag_node *n)
{
    unsigned a = dag_at(d, n->a)->op, b = dag_at(d, n->b)->op;
    bool pred = a == DAG_PRED || a == DAG_PRED_J || b == DAG_PRED || b == DAG_PRED_J;
    bool target = a == DAG_TARGET || a == DAG_TARGET_J || b == DAG_TARGET || b == DAG_TARGET_J;
    return pred && target;
}

unsigned expression_prefix_index(const struct dag *d, dag_id id)
{
    const struct dag_node *n = dag_at(d, id);
    if (n->op == DAG_SUB && is_leaf_pair(d, n))
        return DAG_OPS;
    if (n->op == DAG_EXP && dag_is(d, n->a, DAG_SUB) && dag_is(d, dag_at(d, n->a)->b, DAG_LSE_J))
        return DAG_OPS + 1;
    return n->op;
}

void expression_name(const struct printer *p, dag_id id, char name[FORMULA_NAME])
{
    unsigned prefix = expression_prefix_index(p->dag, id);
    snprintf(name, FORMULA_NAME, "%s_%u", prefixes[prefix] ? prefixes[prefix] : "term", p->names[id]);
}

/* ---- both languages ---- */

struct style {
    bool c;
};

static void print(struct printer *p, dag_id id, enum binding place, struct style s);

static void print_binary(struct printer *p, const struct dag_node *n, const char *symbol, enum binding bind,
                         struct style s)
{
    print(p, n->a, bind, s);
    buffer_add(p->out, " %s ", symbol);
    print(p, n->b, bind + 1, s);
}

/* -2 * x, written out here: a sum shows it as a difference */
static bool is_negative_product(const struct printer *p, dag_id id, struct style s)
{
    const struct dag_node *n = dag_at(p->dag, id);
    if (s.c && p->names[id])
        return false;
    return n->op == DAG_MUL && dag_is(p->dag, n->a, DAG_CONST) && dag_at(p->dag, n->a)->value < 0;
}

static void print_real(struct printer *p, double value, struct style s);

/* a + b, or a - 2 * c for b = -2 * c */
static void print_sum(struct printer *p, const struct dag_node *n, struct style s)
{
    dag_id a = n->a, b = n->b;
    bool plus = n->op == DAG_ADD;
    if (plus && is_negative_product(p, a, s) && !is_negative_product(p, b, s)) {
        a = n->b;
        b = n->a;
    }
    print(p, a, BIND_SUM, s);
    if (!is_negative_product(p, b, s)) {
        buffer_add(p->out, plus ? " + " : " - ");
        print(p, b, BIND_SUM + 1, s);
        return;
    }
    buffer_add(p->out, plus ? " - " : " + ");
    print_real(p, -dag_at(p->dag, dag_at(p->dag, b)->a)->value, s);
    buffer_add(p->out, " * ");
    print(p, dag_at(p->dag, b)->b, BIND_PRODUCT + 1, s);
}

static void print_call(struct printer *p, const char *name, const dag_id *arguments, unsigned n, struct style s)
{
    buffer_add(p->out, "%s(", name);
    for (unsigned i = 0; i < n; i++) {
        if (i)
            buffer_add(p->out, ", ");
        print(p, arguments[i], BIND_CHOICE, s);
    }
    buffer_add(p->out, ")");
}

/* How tightly the node's own text binds when it is written out. */
static enum binding binding_of(const struct printer *p, dag_id id, struct style s)
{
    const struct dag_node *n = dag_at(p->dag, id);
    switch (n->op) {
    case DAG_CONST:
        return n->value < 0 ? BIND_SIGN : BIND_TIGHT;
    case DAG_INDEX_J:
    case DAG_OUTPUTS:
        return s.c ? BIND_SIGN : BIND_TIGHT;
    case DAG_ADD:
    case DAG_SUB:
        return BIND_SUM;
    case DAG_MUL:
    case DAG_DIV:
        return BIND_PRODUCT;
    case DAG_NEG:
        return BIND_SIGN;
    case DAG_POW:
        return s.c ? BIND_TIGHT : BIND_POWER;
    case DAG_LESS:
    case DAG_LESS_EQUAL:
        return BIND_LESS;
    case DAG_EQUAL:
        return BIND_EQUAL;
    case DAG_NOT:
        return dag_is(p->dag, n->a, DAG_EQUAL) ? BIND_EQUAL : BIND_SIGN;
    case DAG_AND:
        return BIND_AND;
    case DAG_OR:
        return BIND_OR;
    case DAG_WHERE:
        return s.c ? BIND_CHOICE : BIND_TIGHT;
    default:
        return BIND_TIGHT;
    }
}

static void print_index(struct printer *p, const char *array, struct style s)
{
    buffer_add(p->out, "%s[%c]", array, s.c ? p->output : 'j');
}

static void print_real(struct printer *p, double value, struct style s)
{
    if (s.c || !isfinite(value) || value != floor(value) || fabs(value) > 1e15)
        buffer_add_real(p->out, value);
    else
        buffer_add(p->out, "%.0f", value);
}

static void print_leaf(struct printer *p, const struct dag_node *n, struct style s)
{
    const struct formula *f = p->formula;
    bool row = s.c && f->shape == FORMULA_FIXED, many = f->targets > 1;
    switch (n->op) {
    case DAG_CONST:
        print_real(p, n->value, s);
        break;
    case DAG_PARAM:
        buffer_add(p->out, "%s", f->request->params[n->a].name);
        break;
    case DAG_THETA:
        buffer_add(p->out, "%s", f->request->thetas[n->a].name);
        break;
    case DAG_PRED:
        if (f->shape == FORMULA_EACH || f->plain)
            buffer_add(p->out, "pred");
        else
            buffer_add(p->out, row ? "pred_%u" : "pred[%u]", n->a);
        break;
    case DAG_PRED_LABEL:
        buffer_add(p->out, s.c ? "pred[label]" : "pred[target]");
        break;
    case DAG_PRED_J:
        print_index(p, "pred", s);
        break;
    case DAG_TARGET:
        if (many || (f->shape == FORMULA_INDEXED && f->request->target_kind != GM_TARGET_CLASS && s.c))
            buffer_add(p->out, row ? "target_%u" : "target[%u]", n->a);
        else
            buffer_add(p->out, "target");
        break;
    case DAG_TARGET_J:
        print_index(p, "target", s);
        break;
    case DAG_INDEX_J:
        buffer_add(p->out, s.c ? "(double)%c" : "%c", s.c ? p->output : 'j');
        break;
    default:
        buffer_add(p->out, s.c ? "(double)outputs" : "outputs");
        break;
    }
}

/* j == 2, j == label: compared as whole numbers */
static bool print_index_equal(struct printer *p, const struct dag_node *n, const char *symbol)
{
    const struct dag_node *x = dag_at(p->dag, n->a), *y = dag_at(p->dag, n->b);
    if (y->op == DAG_INDEX_J) {
        const struct dag_node *t = x;
        x = y;
        y = t;
    }
    if (x->op != DAG_INDEX_J)
        return false;
    if (y->op == DAG_TARGET && p->formula->request->target_kind == GM_TARGET_CLASS)
        buffer_add(p->out, "%c %s label", p->output, symbol);
    else if (y->op == DAG_CONST && y->value >= 0 && y->value < FORMULA_OUTPUTS && y->value == floor(y->value))
        buffer_add(p->out, "%c %s %.0f", p->output, symbol, y->value);
    else
        return false;
    return true;
}

static void print_relation(struct printer *p, const struct dag_node *n, struct style s)
{
    const char *symbol = n->op == DAG_EQUAL ? "==" : dag_op_name(n->op);
    if (n->op == DAG_NOT) {
        const struct dag_node *x = dag_at(p->dag, n->a);
        if (x->op == DAG_EQUAL && !p->names[n->a]) {
            if (!s.c || !print_index_equal(p, x, "!="))
                print_binary(p, x, "!=", BIND_LESS, s);
            return;
        }
        buffer_add(p->out, s.c ? "!" : "not ");
        print(p, n->a, s.c ? BIND_TIGHT : BIND_LESS, s);
        return;
    }
    if (n->op == DAG_EQUAL && s.c && print_index_equal(p, n, "=="))
        return;
    print_binary(p, n, symbol, BIND_SUM, s);
}

static void print_where(struct printer *p, const struct dag_node *n, struct style s)
{
    const dag_id arguments[3] = {n->a, n->b, n->c};
    if (!s.c) {
        print_call(p, "where", arguments, 3, s);
        return;
    }
    print(p, n->a, BIND_OR, s);
    buffer_add(p->out, " ? ");
    print(p, n->b, BIND_OR, s);
    buffer_add(p->out, " : ");
    print(p, n->c, BIND_OR, s);
}

/* A function whose beginning has been computed before (loss_rows.h: gm_pointwise_via). */
static bool takes_via(const struct printer *p, const struct dag_node *n)
{
    bool turned = dag_is(p->dag, n->a, DAG_NEG) && dag_at(p->dag, n->a)->a == p->via;
    if (!p->via || (n->a != p->via && !turned))
        return false;
    if (p->via_of == DAG_EXP)
        return n->op == DAG_EXP && !turned;
    return n->op >= DAG_SIGMOID && n->op <= DAG_SIGMOID_SLOPE;
}

static void print_from_via(struct printer *p, const struct dag_node *n, struct style s)
{
    buffer_add(p->out, "gm_%s_from(", dag_op_name(n->op));
    if (n->op != DAG_SIGMOID_SLOPE) {
        print(p, n->a, BIND_CHOICE, s);
        buffer_add(p->out, ", ");
    }
    buffer_add(p->out, "via)");
}

static void print_function(struct printer *p, const struct dag_node *n, struct style s)
{
    if (s.c && takes_via(p, n)) {
        print_from_via(p, n, s);
        return;
    }
    char name[FORMULA_NAME];
    dag_id arguments[2] = {n->a, n->b};
    if (s.c && n->op == DAG_SIDE) {
        buffer_add(p->out, "gm_copysign(1.0, ");
        print(p, n->a, BIND_CHOICE, s);
        buffer_add(p->out, ")");
        return;
    }
    bool swap = s.c && (n->op == DAG_MIN || n->op == DAG_MAX) && dag_is(p->dag, n->a, DAG_CONST);
    if (swap) { /* gm_min and gm_max hand on a NaN of their first argument */
        arguments[0] = n->b;
        arguments[1] = n->a;
    }
    snprintf(name, sizeof name, "%s%s", s.c && n->op != DAG_SQRT ? "gm_" : "", dag_op_name(n->op));
    print_call(p, name, arguments, dag_arity(n->op), s);
}

/* A product with a sign, in C: no multiplication. */
static bool print_flip(struct printer *p, const struct dag_node *n, struct style s)
{
    bool first = dag_is(p->dag, n->a, DAG_SIDE) && !p->names[n->a];
    bool second = dag_is(p->dag, n->b, DAG_SIDE) && !p->names[n->b];
    if (!s.c || n->op != DAG_MUL || !(first || second))
        return false;
    const dag_id arguments[2] = {first ? n->b : n->a, dag_at(p->dag, first ? n->a : n->b)->a};
    print_call(p, "gm_flip", arguments, 2, s);
    return true;
}

/* The node written out, without brackets around it. */
static void print_node(struct printer *p, dag_id id, struct style s)
{
    const struct dag_node *n = dag_at(p->dag, id);
    const dag_id arguments[2] = {n->a, n->b};
    switch (n->op) {
    case DAG_ADD:
    case DAG_SUB:
        print_sum(p, n, s);
        break;
    case DAG_MUL:
    case DAG_DIV:
        if (!print_flip(p, n, s))
            print_binary(p, n, dag_op_name(n->op), BIND_PRODUCT, s);
        break;
    case DAG_NEG:
        buffer_add(p->out, "-");
        print(p, n->a, BIND_POWER, s);
        break;
    case DAG_POW:
        if (s.c) {
            print_call(p, "power", arguments, 2, s);
            break;
        }
        print(p, n->a, BIND_TIGHT, s);
        buffer_add(p->out, "^");
        print(p, n->b, BIND_POWER, s);
        break;
    case DAG_LESS:
    case DAG_LESS_EQUAL:
    case DAG_EQUAL:
    case DAG_NOT:
        print_relation(p, n, s);
        break;
    case DAG_AND:
        print_binary(p, n, s.c ? "&&" : "and", BIND_AND, s);
        break;
    case DAG_OR:
        print_binary(p, n, s.c ? "||" : "or", BIND_OR, s);
        break;
    case DAG_WHERE:
        print_where(p, n, s);
        break;
    default:
        if (dag_arity(n->op) == 0)
            print_leaf(p, n, s);
        else
            print_function(p, n, s);
        break;
    }
}

/* In a place that asks for `place` or tighter. */
static void print(struct printer *p, dag_id id, enum binding place, struct style s)
{
    char name[FORMULA_NAME];
    if (s.c && p->names[id]) {
        expression_name(p, id, name);
        buffer_add(p->out, "%s", name);
        return;
    }
    bool brackets = binding_of(p, id, s) < place;
    /* && within || is right without brackets, but compilers and readers ask for them. */
    brackets |= dag_is(p->dag, id, DAG_AND) && place == BIND_OR;
    buffer_add(p->out, brackets ? "(" : "");
    print_node(p, id, s);
    buffer_add(p->out, brackets ? ")" : "");
}

void print_c(struct printer *p, dag_id id)
{
    print(p, id, BIND_CHOICE, (struct style){.c = true});
}

void print_c_factor(struct printer *p, dag_id id)
{
    print(p, id, BIND_SIGN, (struct style){.c = true});
}

void print_formula(struct printer *p, dag_id id)
{
    print(p, id, BIND_CHOICE, (struct style){.c = false});
}

/* Symbolic derivatives in reverse order. */
#include "formula/derive.h"

#include "base/error.h"
#include "base/memory.h"

/* A sweep in progress. */
struct sweep {
    struct dag *d;
    dag_id *adjoint;
    bool inside;
};

/* Add `share` to the derivative by `child`, a child of `parent`. */
static void give(struct sweep *s, dag_id parent, dag_id child, dag_id share)
{
    struct dag *d = s->d;
    if (!dag_has(d, child, DAG_ON_PRED | DAG_ON_THETA))
        return;
    bool crosses = dag_has(d, parent, DAG_ELEMENT) && !dag_has(d, child, DAG_ELEMENT);
    if (crosses && !s->inside)
        share = dag_reduce(d, DAG_SUM_J, share);
    s->adjoint[child] = dag_add(d, s->adjoint[child], share);
}

/* d function(x) / d x, where `id` is the node function(x) */
static dag_id function_slope(struct dag *d, dag_id id)
{
    const struct dag_node n = *dag_at(d, id);
    switch (n.op) {
    case DAG_NEG:
        return dag_const(d, -1);
    case DAG_ABS:
        return dag_function(d, DAG_SIGN, n.a);
    case DAG_EXP:
        return id;
    case DAG_LOG:
        return dag_div(d, DAG_ONE, n.a);
    case DAG_LOG1P:
        return dag_div(d, DAG_ONE, dag_add(d, n.a, DAG_ONE));
    case DAG_EXPM1:
        return dag_function(d, DAG_EXP, n.a);
    case DAG_SQRT:
        return dag_div(d, dag_const(d, 0.5), id);
    case DAG_TANH:
        return dag_mul(d, dag_sub(d, DAG_ONE, id), dag_add(d, id, DAG_ONE));
    case DAG_SIGMOID:
        return dag_function(d, DAG_SIGMOID_SLOPE, n.a);
    case DAG_SOFTPLUS:
        return dag_function(d, DAG_SIGMOID, n.a);
    case DAG_SIGMOID_SLOPE: /* s(x) s(-x) (s(-x) - s(x)) */
        return dag_mul(d, id,
                       dag_sub(d, dag_function(d, DAG_SIGMOID, dag_neg(d, n.a)), dag_function(d, DAG_SIGMOID, n.a)));
    default: /* sign, side */
        return DAG_ZERO;
    }
}

static void give_power(struct sweep *s, dag_id id, dag_id g)
{
    struct dag *d = s->d;
    const struct dag_node n = *dag_at(d, id);
    dag_id lower = dag_pow(d, n.a, dag_sub(d, n.b, DAG_ONE));
    give(s, id, n.a, dag_mul(d, g, dag_mul(d, n.b, lower)));
    if (dag_has(d, n.b, DAG_ON_PRED | DAG_ON_THETA))
        give(s, id, n.b, dag_mul(d, g, dag_mul(d, id, dag_function(d, DAG_LOG, n.a))));
}

/* Ties of min and max go to the first, sign(0) is 0: a subgradient at each kink. */
static void give_choice(struct sweep *s, dag_id id, dag_id g)
{
    struct dag *d = s->d;
    const struct dag_node n = *dag_at(d, id);
    dag_id condition = n.a, first = n.b, second = n.c;
    if (n.op != DAG_WHERE) {
        first = n.a;
        second = n.b;
        condition = n.op == DAG_MIN ? dag_compare(d, DAG_LESS_EQUAL, first, second)
                                    : dag_compare(d, DAG_LESS_EQUAL, second, first);
    }
    give(s, id, first, dag_where(d, condition, g, DAG_ZERO));
    give(s, id, second, dag_where(d, condition, DAG_ZERO, g));
}

/* Hand the derivative g by node `id` on to its children. */
static void hand_on(struct sweep *s, dag_id id, dag_id g)
{
    struct dag *d = s->d;
    const struct dag_node n = *dag_at(d, id);
    switch (n.op) {
    case DAG_ADD:
    case DAG_SUB:
        give(s, id, n.a, g);
        give(s, id, n.b, n.op == DAG_ADD ? g : dag_neg(d, g));
        break;
    case DAG_MUL:
        give(s, id, n.a, dag_mul(d, g, n.b));
        give(s, id, n.b, dag_mul(d, g, n.a));
        break;
    case DAG_DIV:
        give(s, id, n.a, dag_div(d, g, n.b));
        if (dag_has(d, n.b, DAG_ON_PRED | DAG_ON_THETA))
            give(s, id, n.b, dag_neg(d, dag_mul(d, g, dag_div(d, id, n.b))));
        break;
    case DAG_POW:
        give_power(s, id, g);
        break;
    case DAG_MIN:
    case DAG_MAX:
    case DAG_WHERE:
        give_choice(s, id, g);
        break;
    case DAG_SUM_J:
        give(s, id, n.a, g);
        break;
    case DAG_LSE_J: /* softmax */
        give(s, id, n.a, dag_mul(d, g, dag_function(d, DAG_EXP, dag_raw(d, DAG_SUB, n.a, id, 0))));
        break;
    default:
        if (dag_arity(n.op) == 1 && !(n.flags & DAG_CONDITION))
            give(s, id, n.a, dag_mul(d, g, function_slope(d, id)));
        break;
    }
}

enum gm_code derive_sweep(struct dag *d, dag_id root, bool inside, dag_id *adjoint, struct gm_error *err)
{
    struct sweep s = {d, adjoint, inside};
    for (dag_id id = 0; id <= root; id++)
        adjoint[id] = DAG_ZERO;
    adjoint[root] = DAG_ONE;
    for (dag_id id = root + 1; id-- > 0;) {
        bool enter = !inside || dag_has(d, id, DAG_ELEMENT);
        if (adjoint[id] != DAG_ZERO && enter && dag_has(d, id, DAG_ON_PRED | DAG_ON_THETA))
            hand_on(&s, id, adjoint[id]);
        if (d->failure.code != GM_OK)
            return error_set(err, d->failure.code, "%s", d->failure.text);
    }
    return GM_OK;
}

/* Room for a sweep over the graph as it is now. */
static enum gm_code adjoint_room(const struct dag *d, dag_id **out, struct gm_error *err)
{
    return memory_alloc((void **)out, d->count, sizeof **out, "the formula's derivatives", err);
}

/* Derivative of the scalar `root` by pred[j], j free: the share of pred[j] itself and those of single outputs. */
static dag_id by_pred_j(struct dag *d, dag_id root, const dag_id *adjoint)
{
    dag_id sum = DAG_ZERO, j = dag_leaf(d, DAG_INDEX_J, 0);
    for (dag_id id = 0; id <= root; id++) {
        const struct dag_node n = *dag_at(d, id);
        if (adjoint[id] == DAG_ZERO)
            continue;
        if (n.op == DAG_PRED_J)
            sum = dag_add(d, sum, adjoint[id]);
        if (n.op == DAG_PRED_LABEL || n.op == DAG_PRED) {
            dag_id which = n.op == DAG_PRED ? dag_const(d, n.a) : dag_leaf(d, DAG_TARGET, 0);
            sum = dag_add(d, sum, dag_where(d, dag_compare(d, DAG_EQUAL, j, which), adjoint[id], DAG_ZERO));
        }
    }
    return sum;
}

static enum gm_code gradient_j(struct dag *d, dag_id scalar, dag_id *out, struct gm_error *err)
{
    dag_id *adjoint = NULL;
    enum gm_code code = adjoint_room(d, &adjoint, err);
    if (code == GM_OK)
        code = derive_sweep(d, scalar, false, adjoint, err);
    if (code == GM_OK)
        *out = by_pred_j(d, scalar, adjoint);
    memory_free(adjoint);
    return code;
}

/* D, U_s and V_s of the header, from the gradient's element j. */
static enum gm_code hessian_j(struct dag *d, struct derivatives *out, struct gm_error *err)
{
    dag_id *adjoint = NULL, g = out->grad_j;
    enum gm_code code = adjoint_room(d, &adjoint, err);
    if (code == GM_OK)
        code = derive_sweep(d, g, true, adjoint, err);
    for (dag_id id = 0; code == GM_OK && id <= g; id++) {
        if (adjoint[id] == DAG_ZERO || !dag_has(d, id, DAG_ON_PRED))
            continue;
        if (dag_is(d, id, DAG_PRED_J)) {
            out->own_j = adjoint[id];
        } else if (!dag_has(d, id, DAG_ELEMENT)) {
            if (out->parts == DERIVE_PARTS) {
                code =
                    error_set(err, GM_USAGE, "--formula: the gradient holds more than %d sums; write the loss by hand.",
                              DERIVE_PARTS);
                break;
            }
            out->by_scalar[out->parts] = adjoint[id];
            code = gradient_j(d, id, &out->of_scalar[out->parts++], err);
        }
    }
    memory_free(adjoint);
    out->hess_diag_j = out->own_j;
    for (size_t s = 0; code == GM_OK && s < out->parts; s++)
        out->hess_diag_j = dag_add(d, out->hess_diag_j, dag_mul(d, out->by_scalar[s], out->of_scalar[s]));
    return code;
}

/* adjoint of the leaf (op, index) after a sweep from root; DAG_ZERO when the root does not hold it */
static dag_id leaf_adjoint(struct dag *d, dag_id root, const dag_id *adjoint, enum dag_op op, uint32_t index)
{
    dag_id leaf = dag_leaf(d, op, index);
    return leaf <= root ? adjoint[leaf] : DAG_ZERO;
}

static enum gm_code hessian_fixed(struct formula *f, struct derivatives *out, struct gm_error *err)
{
    struct dag *d = &f->dag;
    enum gm_code code = GM_OK;
    for (uint32_t i = 0; code == GM_OK && i < f->outputs; i++) {
        dag_id *adjoint = NULL;
        code = adjoint_room(d, &adjoint, err);
        if (code == GM_OK)
            code = derive_sweep(d, out->grad[i], false, adjoint, err);
        for (uint32_t k = 0; code == GM_OK && k <= i; k++)
            out->hess[i][k] = leaf_adjoint(d, out->grad[i], adjoint, DAG_PRED, k);
        memory_free(adjoint);
    }
    return code;
}

enum gm_code derive_all(struct formula *f, struct derivatives *out, struct gm_error *err)
{
    struct dag *d = &f->dag;
    dag_id *adjoint = NULL;
    *out = (struct derivatives){.loss = f->loss};
    enum gm_code code = adjoint_room(d, &adjoint, err);
    if (code == GM_OK)
        code = derive_sweep(d, f->loss, false, adjoint, err);
    for (uint32_t t = 0; code == GM_OK && t < f->request->n_thetas; t++)
        out->theta_grad[t] = leaf_adjoint(d, f->loss, adjoint, DAG_THETA, t);
    if (code == GM_OK && f->shape == FORMULA_INDEXED) {
        out->grad_j = by_pred_j(d, f->loss, adjoint);
        code = hessian_j(d, out, err);
    } else if (code == GM_OK) {
        for (uint32_t i = 0; i < f->outputs; i++)
            out->grad[i] = leaf_adjoint(d, f->loss, adjoint, DAG_PRED, i);
        code = hessian_fixed(f, out, err);
    }
    memory_free(adjoint);
    if (code == GM_OK && d->failure.code != GM_OK)
        code = error_set(err, d->failure.code, "%s", d->failure.text);
    return code;
}

/* evaluate() of a formula of one prediction and one target: the loop is gm_pointwise of loss_rows.h, or, with learned
 * parameters or without a target, one of the plugin's own. */
#include <stdio.h>

#include "formula/source.h"

/* The expressions of the function that is inlined into the loop. */
static size_t point_roots(const struct writer *w, dag_id *roots)
{
    const struct derivatives *s = w->s;
    size_t n = 0;
    roots[n++] = s->loss;
    roots[n++] = s->grad[0];
    roots[n++] = s->hess[0][0];
    for (size_t t = 0; t < w->f->request->n_thetas; t++)
        roots[n++] = s->theta_grad[t];
    return n;
}

static void write_value(struct writer *w, const char *to, dag_id id)
{
    buffer_add(w->out, "    %s = ", to);
    print_c(&w->p, id);
    buffer_add(w->out, ";\n");
}

/* A NaN in pred or target must show in the loss, also where a comparison would hide it. */
static enum gm_code write_loss(struct writer *w, const char *to, struct gm_error *err)
{
    struct dag *d = &w->f->dag;
    bool pred = false, target = true;
    enum gm_code code = nan_reaches(d, w->s->loss, dag_leaf(d, DAG_PRED, 0), &pred, err);
    if (code == GM_OK && w->f->targets > 0)
        code = nan_reaches(d, w->s->loss, dag_leaf(d, DAG_TARGET, 0), &target, err);
    if (code != GM_OK)
        return code;
    buffer_add(w->out, "    %s = ", to);
    if (!pred || !target)
        buffer_add(w->out, "%s%s%s ? ", pred ? "" : "pred == pred", pred || target ? "" : " && ",
                   target ? "" : "target == target");
    print_c(&w->p, w->s->loss);
    buffer_add(w->out, pred && target ? ";\n" : " : (double)NAN; /* comparisons would hide a NaN */\n");
    return GM_OK;
}

/* Made of pred, target, parameters and a few operations: computed twice without a loss. */
static bool is_short(const struct dag *d, dag_id id, unsigned *nodes)
{
    const struct dag_node *n = dag_at(d, id);
    const dag_id child[3] = {n->a, n->b, n->c};
    if (++*nodes > 8 || n->op > DAG_NEG ||
        (dag_arity(n->op) == 0 && n->op != DAG_CONST && n->op != DAG_PARAM && n->op != DAG_PRED && n->op != DAG_TARGET))
        return false;
    for (unsigned i = 0; i < dag_arity(n->op); i++)
        if (!is_short(d, child[i], nodes))
            return false;
    return true;
}

/* The x of the first function of this kind that has a short one with pred in it; 0: there is none. After
 * printer_mark. */
static dag_id find_argument(const struct writer *w, enum dag_op op)
{
    const struct dag *d = &w->f->dag;
    for (dag_id id = 0; id < w->p.count; id++) {
        dag_id x = dag_at(d, id)->a;
        unsigned nodes = 0;
        if (!w->p.uses[id] || !dag_is(d, id, op))
            continue;
        if (op == DAG_SOFTPLUS && dag_is(d, x, DAG_NEG))
            x = dag_at(d, x)->a;
        if (dag_has(d, x, DAG_ON_PRED) && is_short(d, x, &nodes))
            return x;
    }
    return 0;
}

/* A softplus is an exp and a log of it, a chain too long for the processor to overlap rows: the exp is then computed by
 * a function of its own, for a strip of rows. Of a mere exp the same goes for its beginning. */
static void write_via(struct writer *w)
{
    if (w->f->request->n_thetas > 0 || w->f->targets == 0)
        return;
    enum dag_op op = DAG_SOFTPLUS;
    dag_id x = find_argument(w, op);
    if (!x) {
        op = DAG_EXP;
        x = find_argument(w, op);
    }
    if (!x)
        return;
    buffer_add(w->out,
               "/* Computed first for some rows, then handed to point(): what %s with. */\n"
               "GM_INLINE double via(double pred, double target, const double *constant)\n{\n",
               op == DAG_EXP ? "exp begins" : "softplus and sigmoid begin");
    printer_mark(&w->p, &x, 1);
    write_constants(w);
    if (!w->p.uses[dag_leaf(&w->f->dag, DAG_TARGET, 0)])
        buffer_add(w->out, "    (void)target;\n");
    buffer_add(w->out, op == DAG_EXP ? "    return gm_exp_rest(" : "    return gm_exp(-gm_abs(");
    print_c(&w->p, x);
    buffer_add(w->out, op == DAG_EXP ? ");\n}\n\n" : "));\n}\n\n");
    w->p.via = x;
    w->p.via_of = (uint8_t)op;
}

static enum gm_code write_point(struct writer *w, struct gm_error *err)
{
    dag_id roots[3 + FORMULA_NAMES];
    size_t n = point_roots(w, roots);
    const struct formula_request *r = w->f->request;
    printer_mark(&w->p, roots, n);
    write_via(w);
    buffer_add(w->out, "/* Loss of one prediction, its first (slope) and second (curve) derivative by pred%s. */\n",
               r->n_thetas ? ", and its\n * derivatives by the learned parameters" : "");
    buffer_add(w->out, "GM_INLINE struct gm_point point(double pred, double target, %sconst double *constant%s)\n{\n",
               w->p.via ? "double via, " : "", r->n_thetas ? ", double *theta_slope" : "");
    printer_mark(&w->p, roots, n);
    write_constants(w);
    if (!w->p.uses[dag_leaf(&w->f->dag, DAG_TARGET, 0)])
        buffer_add(w->out, "    (void)target;\n");
    printer_temporaries(&w->p, roots, n, false);
    buffer_add(w->out, "    struct gm_point result;\n");
    enum gm_code code = write_loss(w, "result.loss", err);
    write_value(w, "result.slope", w->s->grad[0]);
    write_value(w, "result.curve", w->s->hess[0][0]);
    for (size_t t = 0; t < r->n_thetas; t++) {
        char to[48];
        snprintf(to, sizeof to, "theta_slope[%zu]", t);
        write_value(w, to, w->s->theta_grad[t]);
    }
    buffer_add(w->out, "    return result;\n}\n\n");
    return code;
}

static void write_own_loop(struct writer *w, const char *constant)
{
    size_t n = w->f->request->n_thetas;
    const char *target = w->f->targets ? "b->target[strip.at + i]" : "0.0";
    struct buffer *out = w->out;
    buffer_add(out, "    const size_t count = b->rows * b->outputs;\n    struct gm_strip strip;\n");
    if (n)
        buffer_add(out, "    double by_theta[%zu][GM_STRIP];\n", n);
    buffer_add(out, "    r->loss = 0.0;\n    strip.row = strip.column = 0;\n"
                    "    for (size_t i = 0; i < GM_STRIP; i++)\n"
                    "        strip.weight[i] = 1.0 / (double)b->outputs;\n"
                    "    for (strip.at = 0; strip.at < count; strip.at += strip.n) {\n"
                    "        strip.n = count - strip.at < GM_STRIP ? count - strip.at : GM_STRIP;\n"
                    "        gm_strip_weights(b, &strip);\n"
                    "        for (size_t i = 0; i < strip.n; i++) {\n");
    if (n)
        buffer_add(out, "            double theta_slope[%zu];\n", n);
    buffer_add(out, "            const struct gm_point p = point(b->pred[strip.at + i], %s, %s%s);\n", target, constant,
               n ? ", theta_slope" : "");
    buffer_add(out, "            strip.loss[i] = p.loss;\n            strip.slope[i] = p.slope;\n"
                    "            strip.curve[i] = p.curve;\n");
    for (size_t t = 0; t < n; t++)
        buffer_add(out, "            by_theta[%zu][i] = theta_slope[%zu];\n", t, t);
    buffer_add(out, "        }\n");
    if (n)
        buffer_add(out,
                   "        for (size_t t = 0; r->theta_grad && t < %zu; t++)\n"
                   "            r->theta_grad[t] += gm_dot(strip.weight, by_theta[t], strip.n);\n",
                   n);
    buffer_add(out, "        r->loss += gm_strip_finish(b, r, &strip);\n    }\n    return GM_LOSS_OK;\n}\n\n");
}

enum gm_code write_points(struct writer *w, struct gm_error *err)
{
    enum gm_code code = write_point(w, err);
    buffer_add(w->out,
               "/* All rows. One loop without branches, which the compiler turns into vector instructions. */\n"
               "GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)\n{\n");
    const char *constant = write_constant_array(w);
    if (w->f->request->n_thetas == 0 && w->f->targets > 0)
        buffer_add(w->out, "    return gm_pointwise%s(b, r, %spoint, %s);\n}\n\n", w->p.via ? "_via" : "",
                   w->p.via ? "via, " : "", constant);
    else
        write_own_loop(w, constant);
    return code;
}

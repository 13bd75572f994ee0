/* evaluate() of a formula whose outputs belong together: a function of one row for gm_rowwise of loss_rows.h. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "formula/scope.h"

/* Is a node of this kind marked? */
static bool in_use(const struct writer *w, enum dag_op op)
{
    for (dag_id id = 0; id < w->p.count; id++)
        if (w->p.uses[id] && dag_is(&w->f->dag, id, op))
            return true;
    return false;
}

/* pred[target], or j == target of a class target */
static bool label_in_use(const struct writer *w)
{
    for (dag_id id = 0; id < w->p.count; id++) {
        const struct dag_node *n = dag_at(&w->f->dag, id);
        if (w->p.uses[id] && n->op == DAG_PRED_LABEL)
            return true;
        if (w->p.uses[id] && n->op == DAG_EQUAL)
            if ((dag_is(w->p.dag, n->a, DAG_INDEX_J) && dag_is(w->p.dag, n->b, DAG_TARGET)) ||
                (dag_is(w->p.dag, n->b, DAG_INDEX_J) && dag_is(w->p.dag, n->a, DAG_TARGET)))
                return true;
    }
    return false;
}

/* `loss`: of the function that gives the loss, where outputs and is_class are always in use. */
static void write_indexed_variables(struct writer *w, bool loss)
{
    const struct formula *f = w->f;
    struct buffer *out = w->out;
    bool class_target = f->request->target_kind == GM_TARGET_CLASS && f->targets,
         label = class_target && label_in_use(w);
    bool sums = in_use(w, DAG_SUM_J) || in_use(w, DAG_LSE_J) || in_use(w, DAG_OUTPUTS);
    if (loss || sums || label)
        buffer_add(out, "    const size_t outputs = row->outputs;\n");
    if (in_use(w, DAG_PRED) || in_use(w, DAG_PRED_J) || in_use(w, DAG_PRED_LABEL))
        buffer_add(out, "    const double *const pred = row->pred;\n");
    if (class_target && (loss || label || in_use(w, DAG_TARGET)))
        buffer_add(out, "    const double target = row->target[0];\n");
    if (class_target && (loss || label))
        buffer_add(out, "    const int is_class = target >= 0.0 && target < (double)outputs;\n");
    if (label)
        buffer_add(out, "    const size_t label = is_class ? (size_t)target : 0;\n");
    if (!class_target && (in_use(w, DAG_TARGET) || in_use(w, DAG_TARGET_J)))
        buffer_add(out, "    const double *const target = row->target;\n");
}

static void write_row_variables(struct writer *w, bool loss)
{
    const struct formula *f = w->f;
    struct buffer *out = w->out;
    if (f->shape == FORMULA_INDEXED) {
        write_indexed_variables(w, loss);
        return;
    }
    for (size_t k = 0; k < f->outputs; k++)
        if (w->p.uses[dag_leaf(&w->f->dag, DAG_PRED, (uint32_t)k)])
            buffer_add(out,
                       f->plain ? "    const double pred = row->pred[%zu];\n"
                                : "    const double pred_%zu = row->pred[%zu];\n",
                       k, k);
    for (size_t k = 0; k < f->targets; k++)
        if (w->p.uses[dag_leaf(&w->f->dag, DAG_TARGET, (uint32_t)k)])
            buffer_add(out,
                       f->targets == 1 ? "    const double target = row->target[%zu];\n"
                                       : "    const double target_%zu = row->target[%zu];\n",
                       k, k);
}

/* ---- formulas of pred[0], pred[1] ... ---- */

static enum gm_code write_fixed_gradient(struct writer *w, struct gm_error *err)
{
    char to[64];
    uint32_t *kept = NULL;
    enum gm_code code = open_scope(w, &kept, err);
    buffer_add(w->out, "    if (row->grad) {\n");
    w->p.indent = "        ";
    printer_temporaries(&w->p, w->s->grad, w->f->outputs, false);
    for (size_t k = 0; k < w->f->outputs; k++) {
        snprintf(to, sizeof to, "row->grad[%zu] = ", k);
        write_statement(w, to, w->s->grad[k]);
    }
    buffer_add(w->out, "    }\n");
    w->p.indent = "    ";
    close_scope(w, kept);
    return code;
}

static enum gm_code write_fixed_hessian(struct writer *w, struct gm_error *err)
{
    size_t n = w->f->outputs, count = 0;
    dag_id roots[FORMULA_OUTPUTS * FORMULA_OUTPUTS];
    uint32_t *kept = NULL;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k <= i; k++)
            roots[count++] = w->s->hess[i][k];
    enum gm_code code = open_scope(w, &kept, err);
    buffer_add(w->out, "    if (row->hess_diag || row->hess) {\n");
    w->p.indent = "        ";
    printer_temporaries(&w->p, roots, count, false);
    buffer_add(w->out, "        const double hess[%zu] = { /* lower triangle, row by row */\n", count);
    w->p.indent = "            ";
    for (size_t i = 0; i < count; i++) {
        buffer_add(w->out, "%s", w->p.indent);
        print_c(&w->p, roots[i]);
        buffer_add(w->out, ",\n");
    }
    buffer_add(w->out, "        };\n");
    w->p.indent = "        ";
    buffer_add(w->out,
               "        for (size_t i = 0, at = 0; i < %zu; i++)\n"
               "            for (size_t k = 0; k <= i; k++, at++) {\n"
               "                if (row->hess) {\n"
               "                    row->hess[i * %zu + k] = hess[at];\n"
               "                    row->hess[k * %zu + i] = hess[at];\n"
               "                }\n"
               "                if (row->hess_diag && i == k)\n"
               "                    row->hess_diag[i] = hess[at];\n"
               "            }\n    }\n",
               n, n, n);
    w->p.indent = "    ";
    close_scope(w, kept);
    return code;
}

/* ---- formulas of any number of outputs ---- */

/* A block `if (row-><name>) { ... }` that fills the array's element j. */
static enum gm_code write_element_block(struct writer *w, const char *array, dag_id element, struct gm_error *err)
{
    char to[64];
    uint32_t *kept = NULL;
    enum gm_code code = open_scope(w, &kept, err);
    buffer_add(w->out, "    if (row->%s) {\n", array);
    w->p.indent = "        ";
    if (code == GM_OK)
        code = write_scalars(w, &element, 1, err);
    snprintf(to, sizeof to, "row->%s[j] = ", array);
    if (code == GM_OK)
        code = write_loop(w, to, "", element, err);
    buffer_add(w->out, "    }\n");
    w->p.indent = "    ";
    close_scope(w, kept);
    return code;
}

/* The inner loop over k <= j: the sum of U_s(j) V_s(k), then D(j) on the diagonal. */
static enum gm_code write_hessian_loops(struct writer *w, struct gm_error *err)
{
    const struct derivatives *s = w->s;
    uint32_t *inner = NULL;
    w->p.indent = "            ";
    buffer_add(w->out, "        for (size_t j = 0; j < outputs; j++) {\n");
    printer_temporaries(&w->p, s->by_scalar, s->parts, true);
    for (size_t i = 0; i < s->parts; i++) {
        buffer_add(w->out, "            const double left_%zu = ", i);
        print_c(&w->p, s->by_scalar[i]);
        buffer_add(w->out, ";\n");
    }
    enum gm_code code = open_scope(w, &inner, err);
    buffer_add(w->out, "            for (size_t k = 0; k <= j; k++) {\n");
    w->p.indent = "                ";
    w->p.output = 'k';
    memset(w->p.names, 0, w->p.count * sizeof *w->p.names);
    for (dag_id id = 0; code == GM_OK && id < w->p.count; id++) /* names of scalars hold for any output */
        w->p.names[id] = dag_has(w->p.dag, id, DAG_ELEMENT) ? 0 : inner[id];
    printer_temporaries(&w->p, s->of_scalar, s->parts, true);
    buffer_add(w->out, "                const double entry = ");
    for (size_t i = 0; i < s->parts; i++) {
        buffer_add(w->out, "%sleft_%zu * ", i ? " + " : "", i);
        print_c_factor(&w->p, s->of_scalar[i]);
    }
    buffer_add(w->out,
               "%s;\n                row->hess[j * outputs + k] = entry;\n"
               "                row->hess[k * outputs + j] = entry;\n"
               "            }\n",
               s->parts ? "" : "0.0");
    w->p.output = 'j';
    w->p.indent = "            ";
    close_scope(w, inner);
    printer_temporaries(&w->p, &s->own_j, 1, true);
    if (s->own_j != DAG_ZERO)
        write_statement(w, "row->hess[j * outputs + j] += ", s->own_j);
    buffer_add(w->out, "        }\n");
    return code;
}

static enum gm_code write_indexed_hessian(struct writer *w, struct gm_error *err)
{
    const struct derivatives *s = w->s;
    dag_id roots[2 * DERIVE_PARTS + 1];
    size_t n = 0;
    for (size_t i = 0; i < s->parts; i++) {
        roots[n++] = s->by_scalar[i];
        roots[n++] = s->of_scalar[i];
    }
    roots[n++] = s->own_j;
    uint32_t *kept = NULL;
    enum gm_code code = open_scope(w, &kept, err);
    buffer_add(w->out, "    if (row->hess) { /* the lower triangle, mirrored */\n");
    w->p.indent = "        ";
    if (code == GM_OK)
        code = write_scalars(w, roots, n, err);
    if (code == GM_OK)
        code = write_hessian_loops(w, err);
    buffer_add(w->out, "    }\n");
    w->p.indent = "    ";
    close_scope(w, kept);
    return code;
}

/* ---- the function of a row ---- */

static enum gm_code write_derivatives(struct writer *w, struct gm_error *err)
{
    enum gm_code code;
    if (w->f->shape == FORMULA_FIXED) {
        code = write_fixed_gradient(w, err);
        return code == GM_OK && w->hessian ? write_fixed_hessian(w, err) : code;
    }
    code = write_element_block(w, "grad", w->s->grad_j, err);
    if (code == GM_OK && w->hessian)
        code = write_element_block(w, "hess_diag", w->s->hess_diag_j, err);
    if (code == GM_OK && w->hessian)
        code = write_indexed_hessian(w, err);
    return code;
}

/* Every expression of the row's function, for the parameters and variables it needs. */
static size_t all_roots(const struct writer *w, dag_id *roots)
{
    const struct derivatives *s = w->s;
    size_t n = 0;
    roots[n++] = s->loss;
    for (size_t i = 0; w->f->shape == FORMULA_FIXED && i < w->f->outputs; i++) {
        roots[n++] = s->grad[i];
        for (size_t k = 0; w->hessian && k <= i; k++)
            roots[n++] = s->hess[i][k];
    }
    if (w->f->shape == FORMULA_INDEXED) {
        roots[n++] = s->grad_j;
        roots[n++] = s->hess_diag_j;
        roots[n++] = s->own_j;
        for (size_t i = 0; i < s->parts; i++) {
            roots[n++] = s->by_scalar[i];
            roots[n++] = s->of_scalar[i];
        }
    }
    return n;
}

/* `return value;`, NaN when an input is NaN that a comparison would hide, or when the class is none. */
static enum gm_code write_return(struct writer *w, struct gm_error *err)
{
    struct formula *f = w->f;
    enum gm_code code = GM_OK;
    bool tested = false;
    buffer_add(w->out, "    return ");
    for (uint32_t k = 0; code == GM_OK && f->shape == FORMULA_FIXED && k < f->outputs; k++) {
        bool reaches = false, used = w->p.uses[dag_leaf(&f->dag, DAG_PRED, k)] > 0;
        code = nan_reaches(&f->dag, w->s->loss, dag_leaf(&f->dag, DAG_PRED, k), &reaches, err);
        if (used && !reaches) {
            buffer_add(w->out, f->plain ? "%spred == pred" : "%spred_%u == pred_%u", tested ? " && " : "", k, k);
            tested = true;
        }
    }
    if (f->shape == FORMULA_INDEXED && f->request->target_kind == GM_TARGET_CLASS && f->targets) {
        buffer_add(w->out, "is_class");
        tested = true;
    }
    buffer_add(w->out, tested ? " ? value : (double)NAN;\n}\n\n" : "value;\n}\n\n");
    return code;
}

static enum gm_code write_row(struct writer *w, struct gm_error *err)
{
    dag_id roots[1 + FORMULA_OUTPUTS * (FORMULA_OUTPUTS + 3) / 2];
    size_t n = all_roots(w, roots);
    buffer_add(w->out, "/* Loss of a row; its derivatives where they are wanted, without the row's weight. */\n"
                       "GM_INLINE double row_loss(const struct gm_row *row, const double *constant)\n{\n");
    printer_mark(&w->p, roots, n);
    write_constants(w);
    write_row_variables(w, true);
    enum gm_code code = write_scalars(w, &w->s->loss, 1, err);
    write_statement(w, "const double value = ", w->s->loss);
    if (code == GM_OK)
        code = write_derivatives(w, err);
    printer_mark(&w->p, roots, n);
    return code == GM_OK ? write_return(w, err) : code;
}

static enum gm_code write_theta(struct writer *w, struct gm_error *err)
{
    size_t n = w->f->request->n_thetas;
    memset(w->p.names, 0, w->p.count * sizeof *w->p.names);
    buffer_add(w->out,
               "/* Derivatives of a row's loss by the learned parameters. */\n"
               "GM_INLINE void row_theta(const struct gm_row *row, const double *constant, double *slope)\n{\n");
    printer_mark(&w->p, w->s->theta_grad, n);
    write_constants(w);
    buffer_add(w->out, "    (void)row;\n");
    write_row_variables(w, false);
    enum gm_code code = write_scalars(w, w->s->theta_grad, n, err);
    for (size_t t = 0; t < n; t++) {
        char to[48];
        snprintf(to, sizeof to, "slope[%zu] = ", t);
        write_statement(w, to, w->s->theta_grad[t]);
    }
    buffer_add(w->out, "}\n\n");
    return code;
}

enum gm_code write_rows(struct writer *w, struct gm_error *err)
{
    size_t n = w->f->request->n_thetas;
    enum gm_code code = write_row(w, err);
    if (code == GM_OK && n)
        code = write_theta(w, err);
    buffer_add(w->out,
               "GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)\n{\n");
    const char *constant = write_constant_array(w);
    if (n)
        buffer_add(w->out,
                   "    for (size_t i = 0; r->theta_grad && i < b->rows; i++) {\n"
                   "        const struct gm_row row = {\n"
                   "            .batch = b, .index = i, .outputs = b->outputs, .pred = b->pred + i * b->outputs,\n"
                   "            .target = b->target ? b->target + i * b->targets : NULL};\n"
                   "        double slope[%zu];\n"
                   "        row_theta(&row, constant, slope);\n"
                   "        for (size_t t = 0; t < %zu; t++)\n"
                   "            r->theta_grad[t] += gm_weight(b, i) * slope[t];\n    }\n",
                   n, n);
    buffer_add(w->out, "    return gm_rowwise(b, r, row_loss, %s);\n}\n\n", constant);
    return code;
}

/* The frame of a generated plugin: opening comment, helpers, and the order of the whole. */
#include "formula/source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "formula/convex.h"
#include "formula/lower.h"

enum { LONGEST_IN_WORDS = 60 }; /* nodes of a derivative that the opening comment spells out */

/* ---- the opening comment ---- */

/* Nodes of the expression when written out in full, at most LONGEST_IN_WORDS + 1. */
static size_t written_size(const struct dag *d, dag_id id, size_t budget)
{
    const struct dag_node *n = dag_at(d, id);
    const dag_id child[3] = {n->a, n->b, n->c};
    size_t size = 1;
    for (unsigned i = 0; i < dag_arity(n->op) && size <= budget; i++)
        size += written_size(d, child[i], budget - size);
    return size;
}

static enum gm_code write_in_words(struct writer *w, const char *what, dag_id id, struct gm_error *err)
{
    struct buffer text = {0}, *out = w->p.out;
    char label[80], *line = NULL;
    snprintf(label, sizeof label, " *     %-18s ", what);
    if (written_size(&w->f->dag, id, LONGEST_IN_WORDS) > LONGEST_IN_WORDS) {
        buffer_add(out, "%slong: see the code\n", label);
        return GM_OK;
    }
    w->p.out = &text;
    print_formula(&w->p, id);
    w->p.out = out;
    enum gm_code code = buffer_take(&text, &line, err);
    if (code == GM_OK)
        buffer_add_comment(out, label, " *                        ", line);
    memory_free(line);
    return code;
}

static enum gm_code write_derivatives_in_words(struct writer *w, const struct derivatives *s, struct gm_error *err)
{
    char what[96];
    const struct formula *f = w->f;
    enum gm_code code = GM_OK;
    if (f->shape == FORMULA_INDEXED) {
        code = write_in_words(w, "d loss / d pred[j]", s->grad_j, err);
        return code == GM_OK ? write_in_words(w, "d2 / d pred[j]^2", s->hess_diag_j, err) : code;
    }
    for (size_t i = 0; code == GM_OK && i < f->outputs; i++) {
        snprintf(what, sizeof what, f->plain ? "d loss / d pred" : "d loss / d pred[%zu]", i);
        code = write_in_words(w, what, s->grad[i], err);
    }
    for (size_t i = 0; code == GM_OK && i < f->outputs && f->outputs <= 4; i++)
        for (size_t k = 0; code == GM_OK && k <= i; k++) {
            snprintf(what, sizeof what, f->plain ? "d2 / d pred^2" : "d2 / d[%zu] d[%zu]", i, k);
            code = write_in_words(w, what, s->hess[i][k], err);
        }
    for (size_t t = 0; code == GM_OK && t < f->request->n_thetas; t++) {
        snprintf(what, sizeof what, "d / d %s", f->request->thetas[t].name);
        code = write_in_words(w, what, s->theta_grad[t], err);
    }
    return code;
}

static enum gm_code write_opening(struct writer *w, const struct derivatives *s, const struct facts *facts,
                                  struct gm_error *err)
{
    const struct formula_request *r = w->f->request;
    struct buffer *out = w->out;
    buffer_add(out, "/*\n * %s: a loss for gradmill, written by `gradmill new-loss` from the formula\n *\n", r->name);
    buffer_add_comment(out, " *     ", " *         ", r->formula);
    if (w->f->shape == FORMULA_EACH)
        buffer_add(out, " *\n * for each output; over several outputs their mean is taken.\n");
    else
        buffer_add(out, " *\n");
    buffer_add(out, " * It is yours to edit: nothing reads the formula again, and `gradmill check-loss` verifies what "
                    "you changed.\n"
                    " *\n * Derivatives, exact, as the code below computes them:\n");
    enum gm_code code = write_derivatives_in_words(w, s, err);
    if (facts->kinks)
        buffer_add(out, " *\n * The formula has kinks (abs, min, max, where): there the slope is that of one side, and "
                        "0 for abs.\n");
    if (!facts->convex)
        buffer_add(out,
                   " *\n * Convexity in pred could not be proven from the formula, so the loss is declared non-convex. "
                   "If you know\n"
                   " * better, take GM_NATURE_NON_CONVEX out below; optimisers for convex losses then accept it.\n");
    else if (r->convex)
        buffer_add(out, " *\n * Declared convex in pred, on the author's word.\n");
    buffer_add(out, " */\n#include <gradmill/loss_rows.h>\n\n");
    return code;
}

/* ---- pieces of functions ---- */

void write_constants(struct writer *w)
{
    const struct formula_request *r = w->f->request;
    bool any = false;
    for (size_t i = 0; i < r->n_params + r->n_thetas; i++) {
        bool learned = i >= r->n_params;
        size_t index = learned ? i - r->n_params : i;
        if (!w->p.uses[dag_leaf(&w->f->dag, learned ? DAG_THETA : DAG_PARAM, (uint32_t)index)])
            continue;
        buffer_add(w->out, "    const double %s = constant[%zu];\n",
                   learned ? r->thetas[index].name : r->params[index].name, i);
        any = true;
    }
    if (!any)
        buffer_add(w->out, "    (void)constant;\n");
}

const char *write_constant_array(struct writer *w)
{
    const struct formula_request *r = w->f->request;
    if (r->n_params + r->n_thetas == 0)
        return "NULL";
    buffer_add(w->out, "    const double constant[] = {");
    for (size_t i = 0; i < r->n_params; i++)
        buffer_add(w->out, r->params[i].bounds.integer ? "%s(double)b->param[%zu].integer" : "%sb->param[%zu].real",
                   i ? ", " : "", i);
    for (size_t i = 0; i < r->n_thetas; i++)
        buffer_add(w->out, "%sb->theta[%zu]", i + r->n_params ? ", " : "", i);
    buffer_add(w->out, "};\n");
    return "constant";
}

void write_helpers(struct writer *w)
{
    bool power = false;
    for (dag_id id = 0; id < w->p.count; id++)
        power |= w->p.uses[id] && dag_is(&w->f->dag, id, DAG_POW);
    if (power)
        buffer_add(w->out, "/* x to the power of y for x >= 0; NaN below. */\n"
                           "GM_INLINE double power(double x, double y)\n{\n"
                           "    return y == 0.0 ? 1.0 : gm_exp(y * gm_log(x));\n}\n\n");
}

/* ---- the whole ---- */

/* All roots of the derivatives, as places that the lowering can write to. */
static size_t collect_roots(const struct formula *f, struct derivatives *s, dag_id **roots)
{
    size_t n = 0;
    roots[n++] = &s->loss;
    for (size_t t = 0; t < f->request->n_thetas; t++)
        roots[n++] = &s->theta_grad[t];
    if (f->shape == FORMULA_INDEXED) {
        roots[n++] = &s->grad_j;
        roots[n++] = &s->own_j;
        roots[n++] = &s->hess_diag_j;
        for (size_t i = 0; i < s->parts; i++) {
            roots[n++] = &s->by_scalar[i];
            roots[n++] = &s->of_scalar[i];
        }
        return n;
    }
    for (size_t i = 0; i < f->outputs; i++) {
        roots[n++] = &s->grad[i];
        for (size_t k = 0; k <= i; k++)
            roots[n++] = &s->hess[i][k];
    }
    return n;
}

enum { MOST_ROOTS = FORMULA_NAMES + 4 + FORMULA_OUTPUTS * (FORMULA_OUTPUTS + 3) / 2 + 2 * DERIVE_PARTS };

static enum gm_code find_facts(const struct formula *f, const struct derivatives *s, struct facts *facts,
                               struct gm_error *err)
{
    *facts = (struct facts){.kinks = dag_has(&f->dag, f->loss, DAG_KINK), .constant_hessian = true};
    size_t outputs = f->shape == FORMULA_INDEXED ? 0 : f->outputs;
    for (size_t i = 0; i < outputs; i++)
        for (size_t k = 0; k <= i; k++) {
            facts->hessian |= s->hess[i][k] != DAG_ZERO;
            facts->constant_hessian &= !dag_has(&f->dag, s->hess[i][k], DAG_ON_PRED);
        }
    if (f->shape == FORMULA_INDEXED) {
        facts->hessian = s->parts > 0 || s->own_j != DAG_ZERO;
        facts->constant_hessian = !dag_has(&f->dag, s->own_j, DAG_ON_PRED);
        for (size_t i = 0; i < s->parts; i++)
            facts->constant_hessian &=
                !dag_has(&f->dag, s->by_scalar[i], DAG_ON_PRED) && !dag_has(&f->dag, s->of_scalar[i], DAG_ON_PRED);
    }
    enum gm_code code = convex_proven(f, s, &facts->convex, err);
    if (f->request->convex)
        facts->convex = true;
    return code;
}

/* Everything below the opening comment. */
static enum gm_code write_code(struct writer *w, const struct facts *facts, struct gm_error *err)
{
    dag_id *places[MOST_ROOTS], roots[MOST_ROOTS];
    size_t n = collect_roots(w->f, w->s, places);
    enum gm_code code = lower_roots(&w->f->dag, places, n, err);
    if (code == GM_OK)
        code = printer_init(&w->p, w->f, w->out, err);
    if (code != GM_OK)
        return code;
    for (size_t i = 0; i < n; i++)
        roots[i] = *places[i];
    printer_mark(&w->p, roots, n);
    write_helpers(w);
    code = w->f->shape == FORMULA_EACH ? write_points(w, err) : write_rows(w, err);
    write_declarations(w, facts);
    return code;
}

/* Leaves that the writers ask for by name: made while the graph may still grow. */
static void make_leaves(struct formula *f)
{
    for (uint32_t k = 0; k < (f->outputs ? f->outputs : 1); k++)
        dag_leaf(&f->dag, DAG_PRED, k);
    for (uint32_t k = 0; k < (f->targets ? f->targets : 1); k++)
        dag_leaf(&f->dag, DAG_TARGET, k);
}

static enum gm_code write_source(struct formula *f, struct buffer *out, struct gm_error *err)
{
    struct derivatives *s = NULL;
    struct facts facts = {0};
    struct writer w = {.f = f, .out = out};
    make_leaves(f);
    enum gm_code code = memory_alloc((void **)&s, 1, sizeof *s, "the formula's derivatives", err);
    if (code == GM_OK)
        code = derive_all(f, s, err);
    if (code == GM_OK)
        code = find_facts(f, s, &facts, err);
    if (code == GM_OK)
        code = printer_init(&w.p, f, out, err);
    if (code == GM_OK)
        code = write_opening(&w, s, &facts, err);
    printer_release(&w.p);
    w.s = s;
    w.hessian = facts.hessian;
    if (code == GM_OK)
        code = write_code(&w, &facts, err);
    printer_release(&w.p);
    memory_free(s);
    return code;
}

enum gm_code formula_source(char **source, const struct formula_request *request, struct gm_error *err)
{
    struct formula f;
    struct buffer out = {0};
    enum gm_code code = formula_parse(&f, request, err);
    if (code != GM_OK)
        return code;
    code = write_source(&f, &out, err);
    formula_release(&f);
    if (code != GM_OK) {
        buffer_release(&out);
        return code;
    }
    return buffer_take(&out, source, err);
}

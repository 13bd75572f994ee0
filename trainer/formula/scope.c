/* Blocks, loops over the outputs, and reductions of the generated function of a row. */
#include "formula/scope.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "formula/expression.h"

/* Names given from here on belong to a block of the generated code. */
enum gm_code open_scope(struct writer *w, uint32_t **kept, struct gm_error *err)
{
    enum gm_code code = memory_alloc((void **)kept, w->p.count, sizeof **kept, "the plugin's source", err);
    if (code == GM_OK)
        memcpy(*kept, w->p.names, w->p.count * sizeof **kept);
    return code;
}

void close_scope(struct writer *w, uint32_t *kept)
{
    if (kept)
        printer_restore(&w->p, kept);
    memory_free(kept);
}

void write_statement(struct writer *w, const char *to, dag_id id)
{
    buffer_add(w->out, "%s%s", w->p.indent, to);
    print_c(&w->p, id);
    buffer_add(w->out, ";\n");
}

/* for (j ...) { temporaries; <to> <element>; } */
enum gm_code write_loop(struct writer *w, const char *to, const char *after, dag_id element, struct gm_error *err)
{
    static const char *const deeper[] = {"    ", "        ", "            ", "                ",
                                         "                    "};
    const char *indent = w->p.indent, free_output[2] = {w->p.output, 0};
    uint32_t *kept = NULL;
    enum gm_code code = open_scope(w, &kept, err);
    if (code != GM_OK)
        return code;
    buffer_add(w->out, "%sfor (size_t %s = 0; %s < outputs; %s++) {\n", indent, free_output, free_output, free_output);
    w->p.indent = deeper[strlen(indent) / 4];
    printer_temporaries(&w->p, &element, 1, true);
    buffer_add(w->out, "%s%s", w->p.indent, to);
    print_c(&w->p, element);
    buffer_add(w->out, "%s;\n%s}\n", after, indent);
    w->p.indent = indent;
    close_scope(w, kept);
    return code;
}

/* double sum_j_1 = 0.0; and its loop, or the two loops of a logsumexp. */
static enum gm_code write_reduction(struct writer *w, dag_id id, struct gm_error *err)
{
    const struct dag_node n = *dag_at(&w->f->dag, id);
    char name[FORMULA_NAME], to[2 * FORMULA_NAME];
    printer_name(&w->p, id);
    expression_name(&w->p, id, name);
    const char *indent = w->p.indent;
    if (n.op == DAG_SUM_J) {
        buffer_add(w->out, "%sdouble %s = 0.0;\n", indent, name);
        snprintf(to, sizeof to, "%s += ", name);
        return write_loop(w, to, "", n.a, err);
    }
    if (dag_is(&w->f->dag, n.a, DAG_PRED_J)) {
        buffer_add(w->out, "%sconst double %s = gm_logsumexp(pred, outputs);\n", indent, name);
        return GM_OK;
    }
    uint32_t number = w->p.names[id];
    buffer_add(w->out, "%sdouble top_%u = -INFINITY, total_%u = 0.0; /* logsumexp against the largest term */\n",
               indent, number, number);
    snprintf(to, sizeof to, "top_%u = gm_max(top_%u, ", number, number);
    enum gm_code code = write_loop(w, to, ")", n.a, err);
    snprintf(to, sizeof to, "total_%u += gm_exp(-top_%u + ", number, number);
    if (code == GM_OK)
        code = write_loop(w, to, ")", n.a, err);
    buffer_add(w->out, "%sconst double %s = top_%u + gm_log(total_%u);\n", indent, name, number, number);
    return code;
}

/* What the roots need that does not depend on j: temporaries and reductions, in rising order. */
enum gm_code write_scalars(struct writer *w, const dag_id *roots, size_t n_roots, struct gm_error *err)
{
    struct printer *p = &w->p;
    uint32_t *uses = NULL;
    enum gm_code code = memory_alloc((void **)&uses, p->count, sizeof *uses, "the plugin's source", err);
    if (code != GM_OK)
        return code;
    printer_mark(p, roots, n_roots);
    memcpy(uses, p->uses, p->count * sizeof *uses);
    for (dag_id id = 0; code == GM_OK && id < p->count; id++) {
        const struct dag_node *n = dag_at(p->dag, id);
        if (!uses[id] || (n->flags & DAG_ELEMENT) || p->names[id]) {
            p->weight[id] = 1;
        } else if (n->op == DAG_SUM_J || n->op == DAG_LSE_J) {
            code = write_reduction(w, id, err);
            p->weight[id] = 1;
        } else {
            memcpy(p->uses, uses, p->count * sizeof *uses); /* a loop has marked its own since */
            printer_visit(p, id);
        }
    }
    memory_free(uses);
    return code;
}

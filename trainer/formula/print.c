/* Temporaries of generated code: which nodes get one, and under which name. */
#include "formula/print.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "formula/expression.h"

enum { LONG_EXPRESSION = 10 }; /* nodes */

enum gm_code printer_init(struct printer *p, const struct formula *f, struct buffer *out, struct gm_error *err)
{
    *p = (struct printer){
        .formula = f, .dag = &f->dag, .out = out, .count = f->dag.count, .indent = "    ", .output = 'j'};
    enum gm_code code = memory_alloc((void **)&p->names, p->count, sizeof *p->names, "the plugin's source", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&p->uses, p->count, sizeof *p->uses, "the plugin's source", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&p->weight, p->count, sizeof *p->weight, "the plugin's source", err);
    if (code != GM_OK)
        printer_release(p);
    return code;
}

void printer_release(struct printer *p)
{
    memory_free(p->names);
    memory_free(p->uses);
    memory_free(p->weight);
    *p = (struct printer){0};
}

void printer_mark(struct printer *p, const dag_id *roots, size_t n_roots)
{
    memset(p->uses, 0, p->count * sizeof *p->uses);
    for (size_t i = 0; i < n_roots; i++)
        p->uses[roots[i]]++;
    for (size_t id = p->count; id-- > 0;) {
        const struct dag_node *n = dag_at(p->dag, (dag_id)id);
        const dag_id child[3] = {n->a, n->b, n->c};
        if (p->uses[id] && !p->names[id])
            for (unsigned i = 0; i < dag_arity(n->op); i++)
                p->uses[child[i]]++;
    }
}

static bool collides(const struct printer *p, const char *name)
{
    const struct formula_request *r = p->formula->request;
    for (size_t i = 0; i < r->n_params; i++)
        if (strcmp(r->params[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < r->n_thetas; i++)
        if (strcmp(r->thetas[i].name, name) == 0)
            return true;
    return false;
}

void printer_name(struct printer *p, dag_id id)
{
    char name[FORMULA_NAME];
    uint32_t *counter = &p->counters[expression_prefix_index(p->dag, id)];
    do {
        p->names[id] = ++*counter;
        expression_name(p, id, name);
    } while (collides(p, name));
}

/* Not worth a name: -x of something that has one. */
static bool is_trivial(const struct printer *p, const struct dag_node *n)
{
    return n->op == DAG_NEG && (p->names[n->a] || dag_arity(dag_at(p->dag, n->a)->op) == 0);
}

void printer_visit(struct printer *p, dag_id id)
{
    const struct dag_node *n = dag_at(p->dag, id);
    const dag_id child[3] = {n->a, n->b, n->c};
    unsigned arity = dag_arity(n->op);
    p->weight[id] = 1;
    if (p->names[id] || arity == 0)
        return;
    for (unsigned i = 0; i < arity; i++)
        p->weight[id] += p->weight[child[i]];
    bool wanted = p->uses[id] > 1 || p->weight[id] > LONG_EXPRESSION;
    if (!wanted || is_trivial(p, n))
        return;
    char name[FORMULA_NAME];
    uint32_t number;
    printer_name(p, id);
    expression_name(p, id, name);
    number = p->names[id];
    p->names[id] = 0; /* written out once more: in its own definition */
    buffer_add(p->out, "%sconst %s %s = ", p->indent, n->flags & DAG_CONDITION ? "int" : "double", name);
    print_c(p, id);
    buffer_add(p->out, ";\n");
    p->names[id] = number;
    p->weight[id] = 1;
}

void printer_temporaries(struct printer *p, const dag_id *roots, size_t n_roots, bool elements)
{
    printer_mark(p, roots, n_roots);
    for (dag_id id = 0; id < p->count; id++)
        if (p->uses[id] && (!elements || dag_has(p->dag, id, DAG_ELEMENT)))
            printer_visit(p, id);
        else
            p->weight[id] = 1;
}

void printer_restore(struct printer *p, const uint32_t *kept)
{
    memcpy(p->names, kept, p->count * sizeof *kept);
}

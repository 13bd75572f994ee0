/*
 * Expressions as text, in C or in the language of formulas, and the named temporaries of generated code.
 *
 * A printer knows which nodes have a name at the place where it writes: parameters, pred and target always, and the
 * temporaries that it has defined so far. Nodes without a name are written out in place.
 */
#ifndef FORMULA_PRINT_H
#define FORMULA_PRINT_H

#include "formula/buffer.h"
#include "formula/formula.h"

#define PRINT_PREFIXES (DAG_OPS + 2)

struct printer {
    const struct formula *formula;
    const struct dag *dag;
    struct buffer *out;
    uint32_t *names;  /* [count] number of the temporary, exp_<number>; 0: no name */
    uint32_t *uses;   /* [count] parents below the roots of printer_mark; 0: not below them */
    uint32_t *weight; /* [count] length of the expression when written in place */
    size_t count;
    uint32_t counters[PRINT_PREFIXES];
    const char *indent; /* of the statements that are being written */
    dag_id via;         /* x, when the beginning of a function of x is at hand as `via`; 0: none */
    uint8_t via_of;     /* DAG_SOFTPLUS: it is e^-|x|, which sigmoid takes too, also of -x. DAG_EXP: its rest */
    char output;        /* the free output: 'j', or 'k' in the inner loop of a Hessian */
};

/* After the last node is made. `out` is borrowed. Release accepts a zeroed struct. */
enum gm_code printer_init(struct printer *p, const struct formula *f, struct buffer *out, struct gm_error *err);
void printer_release(struct printer *p);

/* Count the uses below the roots, anew. What has a name already is not entered. */
void printer_mark(struct printer *p, const dag_id *roots, size_t n_roots);
/* In rising order of nodes: `const double exp_1 = ...;` when a marked node is used more than once or its expression is
 * long. */
void printer_visit(struct printer *p, dag_id id);
/* printer_mark and printer_visit of every node below; with `elements` only those of the level of elements. */
void printer_temporaries(struct printer *p, const dag_id *roots, size_t n_roots, bool elements);
/* Give a node the next name of its kind; the caller writes the definition. */
void printer_name(struct printer *p, dag_id id);
/* Names given since the copy `kept` ([count]) was taken are forgotten: their scope has ended. */
void printer_restore(struct printer *p, const uint32_t *kept);

/* Append the expression in C, or in the language of formulas. */
void print_c(struct printer *p, dag_id id);
void print_c_factor(struct printer *p, dag_id id); /* with brackets when it is a sum */
void print_formula(struct printer *p, dag_id id);

#endif

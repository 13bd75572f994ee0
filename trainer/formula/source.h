/* What the writers of the source share: source.c (frame), declare.c, points.c and rows.c (evaluate), nan.c. */
#ifndef FORMULA_SOURCE_H
#define FORMULA_SOURCE_H

#include "formula/derive.h"
#include "formula/print.h"

/* What was found out about the formula before it was lowered. */
struct facts {
    bool convex, kinks, constant_hessian, hessian;
};

struct writer {
    struct formula *f;
    struct derivatives *s; /* lowered */
    struct printer p;
    struct buffer *out;
    bool hessian; /* some second derivative is not zero */
};

/* `const double delta = constant[0];` for the parameters and learned parameters that printer_mark has found in use. */
void write_constants(struct writer *w);
/* `const double constant[] = {b->param[0].real, b->theta[0]};`, or nothing when there is none. Returns the name to
 * pass. */
const char *write_constant_array(struct writer *w);
/* `#define`-free helper functions that the nodes below the marked roots need: power(). */
void write_helpers(struct writer *w);

/* Parameters, theta_start() and create() where needed, the specification and the vtable (declare.c). */
void write_declarations(struct writer *w, const struct facts *facts);

/* evaluate() of FORMULA_EACH, and of the other two. */
enum gm_code write_points(struct writer *w, struct gm_error *err);
enum gm_code write_rows(struct writer *w, struct gm_error *err);

/* Would a NaN in the leaf reach the value? Only then the generated loss needs no test of its own. */
enum gm_code nan_reaches(const struct dag *d, dag_id root, dag_id leaf, bool *reaches, struct gm_error *err);

#endif

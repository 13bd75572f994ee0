/* Names of nodes in generated code: what print.c (temporaries) and expression.c (operators) share. */
#ifndef FORMULA_EXPRESSION_H
#define FORMULA_EXPRESSION_H

#include "formula/print.h"

/* Which counter and word name the temporaries of this node, [0, PRINT_PREFIXES). */
unsigned expression_prefix_index(const struct dag *d, dag_id id);
/* "softplus_2": the node's temporary. */
void expression_name(const struct printer *p, dag_id id, char name[FORMULA_NAME]);

#endif

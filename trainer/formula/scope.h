/* Blocks, loops over the outputs, and reductions of the generated function of a row: what rows.c is written with. */
#ifndef FORMULA_SCOPE_H
#define FORMULA_SCOPE_H

#include "formula/source.h"

/* Names given between the two belong to a block of the generated code. close_scope frees `kept`; NULL is fine. */
enum gm_code open_scope(struct writer *w, uint32_t **kept, struct gm_error *err);
void close_scope(struct writer *w, uint32_t *kept);

/* `<to><expression>;` */
void write_statement(struct writer *w, const char *to, dag_id id);
/* for (j ...) { temporaries; <to><element><after>; } */
enum gm_code write_loop(struct writer *w, const char *to, const char *after, dag_id element, struct gm_error *err);
/* What the roots need that does not depend on j: temporaries and reductions, in rising order. */
enum gm_code write_scalars(struct writer *w, const dag_id *roots, size_t n_roots, struct gm_error *err);

#endif

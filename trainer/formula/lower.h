/*
 * From mathematics to what C does well: powers with constant exponents become products, square roots and divisions.
 * Everything else is copied as it stands, node by node, without simplifying again.
 */
#ifndef FORMULA_LOWER_H
#define FORMULA_LOWER_H

#include "formula/dag.h"

/* Replace each of the roots by its lowered form. GM_SYSTEM, GM_USAGE when the graph grows too large. */
enum gm_code lower_roots(struct dag *d, dag_id *const *roots, size_t n_roots, struct gm_error *err);

#endif

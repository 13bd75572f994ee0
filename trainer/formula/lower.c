/* Powers as products. */
#include "formula/lower.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"

enum { LARGEST_EXPONENT = 64 };

/* x^e for a whole e >= 1, by squaring */
static dag_id whole_power(struct dag *d, dag_id x, unsigned e)
{
    if (e == 1)
        return x;
    dag_id half = e % 2 == 0 ? whole_power(d, x, e / 2) : whole_power(d, x, e - 1);
    return dag_raw(d, DAG_MUL, half, e % 2 == 0 ? half : x, 0);
}

static dag_id lower_power(struct dag *d, dag_id x, dag_id exponent)
{
    double e = dag_is(d, exponent, DAG_CONST) ? dag_at(d, exponent)->value : NAN, size = fabs(e), whole = floor(size);
    if (!(size <= LARGEST_EXPONENT && size > 0) || (size != whole && size != whole + 0.5))
        return dag_raw(d, DAG_POW, x, exponent, 0);
    dag_id result = DAG_ONE;
    if (whole > 0)
        result = whole_power(d, x, (unsigned)whole);
    if (size != whole) {
        dag_id root = dag_raw(d, DAG_SQRT, x, 0, 0);
        result = whole > 0 ? dag_raw(d, DAG_MUL, result, root, 0) : root;
    }
    return e < 0 ? dag_raw(d, DAG_DIV, DAG_ONE, result, 0) : result;
}

enum gm_code lower_roots(struct dag *d, dag_id *const *roots, size_t n_roots, struct gm_error *err)
{
    dag_id *lowered = NULL;
    size_t count = d->count;
    enum gm_code code = memory_alloc((void **)&lowered, count, sizeof *lowered, "the plugin's source", err);
    if (code != GM_OK)
        return code;
    for (dag_id id = 0; id < count; id++) {
        const struct dag_node n = *dag_at(d, id);
        unsigned arity = dag_arity(n.op);
        if (arity == 0)
            lowered[id] = id;
        else if (n.op == DAG_POW)
            lowered[id] = lower_power(d, lowered[n.a], lowered[n.b]);
        else
            lowered[id] = dag_raw(d, n.op, lowered[n.a], arity > 1 ? lowered[n.b] : 0, arity > 2 ? lowered[n.c] : 0);
    }
    for (size_t i = 0; i < n_roots; i++)
        *roots[i] = lowered[*roots[i]];
    memory_free(lowered);
    return d->failure.code == GM_OK ? GM_OK : error_set(err, d->failure.code, "%s", d->failure.text);
}

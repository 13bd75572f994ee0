/* Does a NaN in a leaf reach the value, whichever way comparisons with it turn out? */
#include "base/memory.h"
#include "formula/source.h"

static bool node_passes(const struct dag *d, dag_id id, const bool *passes)
{
    const struct dag_node *n = dag_at(d, id);
    switch (n->op) {
    case DAG_WHERE:
        return passes[n->b] && passes[n->c];
    case DAG_MIN:
    case DAG_MAX: /* gm_min and gm_max hand on a NaN of their first argument; a constant is written second */
        return passes[dag_is(d, n->a, DAG_CONST) ? n->b : n->a];
    case DAG_SIGN:
    case DAG_SIDE:
        return false;
    default:
        if (n->flags & DAG_CONDITION)
            return false;
        return (dag_arity(n->op) > 0 && passes[n->a]) || (dag_arity(n->op) > 1 && passes[n->b]);
    }
}

enum gm_code nan_reaches(const struct dag *d, dag_id root, dag_id leaf, bool *reaches, struct gm_error *err)
{
    bool *passes = NULL;
    size_t count = (root > leaf ? root : leaf) + (size_t)1;
    enum gm_code code = memory_alloc((void **)&passes, count, sizeof *passes, "the plugin's source", err);
    if (code != GM_OK)
        return code;
    for (dag_id id = 0; id <= root; id++)
        passes[id] = id == leaf || node_passes(d, id, passes);
    *reaches = passes[root];
    memory_free(passes);
    return GM_OK;
}

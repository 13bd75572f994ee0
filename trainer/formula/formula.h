/*
 * From a formula to the source of a loss plugin.
 *
 *     formula text -> parse -> graph (dag.h) -> derivatives -> range and convexity -> C source
 *
 * The source is ordinary and meant to be read and edited; nothing of this room is needed to build or run it.
 *
 * The language. Numbers, pi, e; + - * / ^, unary minus; abs min max exp log log1p expm1 sqrt tanh sigmoid softplus;
 * where(condition, a, b); < <= > >= == != and or not; the parameters and learned parameters of the request. Then
 *     pred, target            the loss of one output; over several outputs their mean is taken
 *     pred[0], pred[1] ...    a loss of that many outputs; target, or target[0], target[1] ...
 *     sum_j(x), logsumexp_j(x)   over all outputs; inside: pred[j], target[j], j
 *     pred[target]            the output of the row's class; `j == target` inside sum_j
 *     outputs                 the number of outputs
 */
#ifndef FORMULA_FORMULA_H
#define FORMULA_FORMULA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/loss.h>
#include <gradmill/status.h>

#include "formula/dag.h"

#define FORMULA_NAMES   32 /* at most so many parameters, and learned parameters */
#define FORMULA_OUTPUTS 32 /* at most so many constant outputs */
#define FORMULA_NAME    64 /* bytes of a name, its zero included */

/* A closed, open or missing bound a side. */
struct formula_bounds {
    double low, high; /* -INFINITY, INFINITY: none */
    bool low_open, high_open, integer;
};

/* A parameter or a learned parameter. */
struct formula_name {
    char name[FORMULA_NAME];
    double value; /* default, or start */
    struct formula_bounds bounds;
    char help[160];
};

/* What is asked for. Texts are borrowed. */
struct formula_request {
    const char *name; /* of the loss, [a-z][a-z0-9_]* */
    const char *formula;
    const char *about;                          /* when to use it, or NULL */
    const struct formula_name *params, *thetas; /* [n_params], [n_thetas] */
    size_t n_params, n_thetas;
    uint32_t target_kind; /* enum gm_loss_target_kind */
    struct formula_bounds target;
    uint32_t link, task; /* enum gm_loss_link, enum gm_loss_task */
    bool convex;         /* the author vouches for it */
};

enum formula_shape {
    FORMULA_EACH,   /* pred: every output by itself, mean over outputs */
    FORMULA_FIXED,  /* pred[0] .. pred[n - 1] */
    FORMULA_INDEXED /* sum_j, logsumexp_j, pred[target]: any number of outputs */
};

/* A parsed formula. */
struct formula {
    const struct formula_request *request;
    struct dag dag;
    dag_id loss;
    enum formula_shape shape;
    size_t outputs; /* of FORMULA_FIXED; at least so many for FORMULA_INDEXED */
    size_t targets; /* columns of the target that constant indices ask for; 0: none is named */
    bool plain;     /* the formula says pred, not pred[...] */
    bool target_j;  /* it says target[j]: as many columns as outputs */
};

/* GM_USAGE with the formula, a caret below the character and what is wrong there. `request` is borrowed while the
 * formula lives. A zeroed struct may be released. */
enum gm_code formula_parse(struct formula *f, const struct formula_request *request, struct gm_error *err);
void formula_release(struct formula *f);

/* ---- what people type about names and bounds (settings.c) ---- */

/* "delta=1.0 >0 <=10 # where it turns linear": default, then bounds, then help. GM_USAGE with a caret. `what` is the
 * name of the option, for messages. */
enum gm_code formula_read_name(struct formula_name *out, const char *option, const char *text, struct gm_error *err);
/* ">=0 integer" */
enum gm_code formula_read_bounds(struct formula_bounds *out, const char *option, const char *text,
                                 struct gm_error *err);
/* The name of a loss, a parameter: [a-z][a-z0-9_]*, shorter than FORMULA_NAME. */
bool formula_name_ok(const char *name);

/* ---- the source (source.c, template.c) ---- */

/* The plugin's source; memory_free it. GM_USAGE as formula_parse. */
enum gm_code formula_source(char **source, const struct formula_request *request, struct gm_error *err);
/* A commented plugin to start from, without a formula: squared error with a scale. memory_free it. */
enum gm_code formula_template(char **source, const char *name, struct gm_error *err);

#endif

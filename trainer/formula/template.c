/* The plugin that new-loss writes when there is no formula: small, complete, and commented where one would change it.
 */
#include "formula/buffer.h"
#include "formula/formula.h"

static const char opening[] =
    "/*\n"
    " * %s: a loss for gradmill. It is complete: it builds, passes `gradmill check-loss`, and trains.\n"
    " *\n"
    " * As written it is the pseudo-Huber loss, delta^2 (sqrt(1 + (d / delta)^2) - 1) with d = pred - target: d^2 / 2 "
    "near\n"
    " * zero, delta |d| far out. Make it yours in four places, marked 1 to 4.\n"
    " *\n"
    " * The headers gradmill/loss.h (the interface), loss_math.h (gm_exp, gm_log1p, gm_softplus ... that the compiler\n"
    " * vectorises) and loss_rows.h (the loops) explain themselves. A plugin links nothing but libm.\n"
    " */\n"
    "#include <gradmill/loss_rows.h>\n"
    "\n";

static const char middle[] =
    "/*\n"
    " * 1. The loss of one prediction, its slope (d loss / d pred) and its curve (d2 loss / d pred2). No branches, "
    "only ?:,\n"
    " *    and functions of loss_math.h: then the loop over rows becomes vector instructions. Weights and the mean "
    "over\n"
    " *    several outputs are done for you. `constant` is what evaluate() hands over below.\n"
    " */\n"
    "GM_INLINE struct gm_point point(double pred, double target, const double *constant)\n"
    "{\n"
    "    const double delta = constant[0];\n"
    "    const double d = (pred - target) / delta;\n"
    "    const double root = sqrt(1.0 + d * d);\n"
    "    struct gm_point p;\n"
    "    p.loss = delta * (delta * (d * d / (1.0 + root))); /* root - 1, without losing the digits of a small d */\n"
    "    p.slope = delta * d / root;\n"
    "    p.curve = 1.0 / (root * root * root);\n"
    "    return p;\n"
    "}\n"
    "\n"
    "/* 2. All rows. Take the parameters from b->param, in the order of the schema. Outputs that belong together "
    "(classes,\n"
    " *    clusters) use gm_rowwise instead, groups of rows (ranking) gm_groupwise: see loss_rows.h. */\n"
    "GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)\n"
    "{\n"
    "    const double constant[] = {b->param[0].real};\n"
    "    return gm_pointwise(b, r, point, constant);\n"
    "}\n"
    "\n"
    "/* 3. What users may set: --set loss.params.delta=2. Types, defaults and bounds are checked before you see a "
    "value. */\n"
    "static const struct gm_loss_param params[] = {\n"
    "    {.name = \"delta\", .help = \"distance where squares turn into lines, in units of the target\",\n"
    "     .type = GM_PARAM_REAL, .flags = GM_PARAM_LOW_OPEN, .fallback = 1.0, .low = 0.0, .high = INFINITY},\n"
    "};\n"
    "\n"
    "/*\n"
    " * 4. What the loss is. All zero would mean: real targets, one output a target column, rows independent, smooth, "
    "convex.\n"
    " *    Other fields: target_rule with target_low and target_high (a valid interval), link (response = exp(pred) "
    "...),\n"
    " *    n_theta (learned parameters). Take GM_GIVES_HESS and GM_GIVES_HESS_DIAG out when curve is not computed.\n"
    " */\n"
    "static const struct gm_loss_spec spec = {\n"
    "    .struct_size = sizeof spec,\n"
    "    .gives = GM_GIVES_HESS_DIAG | GM_GIVES_HESS | GM_GIVES_ROW_LOSS,\n"
    "    .task = GM_TASK_REGRESSION,\n"
    "};\n"
    "\n";

static const char closing[] =
    "GM_LOSS_PLUGIN(.id = \"%s\", .version = \"1.0\",\n"
    "               .formula = \"delta^2 (sqrt(1 + (d / delta)^2) - 1), d = pred - target\",\n"
    "               .help = \"When to use it, and when not.\", .license = \"\",\n"
    "               .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate)\n";

enum gm_code formula_template(char **source, const char *name, struct gm_error *err)
{
    struct buffer out = {0};
    buffer_add(&out, opening, name);
    buffer_add(&out, "%s", middle);
    buffer_add(&out, closing, name);
    return buffer_take(&out, source, err);
}

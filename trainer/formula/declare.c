/* What a generated plugin declares: parameters, start values, specification, vtable. */
#include <math.h>
#include <stdio.h>

#include "formula/source.h"

static void write_params(struct writer *w)
{
    const struct formula_request *r = w->f->request;
    struct buffer *out = w->out;
    if (r->n_params == 0)
        return;
    buffer_add(out, "static const struct gm_loss_param params[] = {\n");
    for (size_t i = 0; i < r->n_params; i++) {
        const struct formula_name *p = &r->params[i];
        bool bounded = isfinite(p->bounds.low) || isfinite(p->bounds.high);
        buffer_add(out, "    {.name = \"%s\", .help = ", p->name);
        buffer_add_literal(out, p->help[0] ? p->help : "parameter of the formula");
        buffer_add(out, ", .type = GM_PARAM_%s,\n     ", p->bounds.integer ? "INTEGER" : "REAL");
        if (p->bounds.low_open || p->bounds.high_open)
            buffer_add(out, ".flags = %s%s%s, ", p->bounds.low_open ? "GM_PARAM_LOW_OPEN" : "",
                       p->bounds.low_open && p->bounds.high_open ? " | " : "",
                       p->bounds.high_open ? "GM_PARAM_HIGH_OPEN" : "");
        buffer_add(out, ".fallback = ");
        buffer_add_real(out, p->value);
        if (bounded) {
            buffer_add(out, ", .low = ");
            buffer_add_real(out, p->bounds.low);
            buffer_add(out, ", .high = ");
            buffer_add_real(out, p->bounds.high);
        }
        buffer_add(out, "},\n");
    }
    buffer_add(out, "};\n\n");
}

/* theta_start(), when a start differs from zero; create(), when the columns of the target are counted. */
static bool write_theta_start(struct writer *w)
{
    const struct formula_request *r = w->f->request;
    bool wanted = false;
    for (size_t i = 0; i < r->n_thetas; i++)
        wanted |= r->thetas[i].value != 0;
    if (!wanted)
        return false;
    buffer_add(w->out, "static int theta_start(const struct gm_loss_batch *b, double *theta)\n{\n    (void)b;\n");
    for (size_t i = 0; i < r->n_thetas; i++) {
        buffer_add(w->out, "    theta[%zu] = ", i);
        buffer_add_real(w->out, r->thetas[i].value);
        buffer_add(w->out, "; /* %s */\n", r->thetas[i].name);
    }
    buffer_add(w->out, "    return GM_LOSS_OK;\n}\n\n");
    return true;
}

static bool write_create(struct writer *w)
{
    const struct formula *f = w->f;
    bool class_target = f->request->target_kind == GM_TARGET_CLASS;
    bool targets = f->shape != FORMULA_EACH && f->targets > 0 && !class_target && !f->target_j;
    bool outputs = f->shape == FORMULA_INDEXED && f->outputs > 0;
    bool classes = f->shape == FORMULA_FIXED && class_target;
    struct buffer *out = w->out;
    if (!targets && !outputs && !classes)
        return false;
    buffer_add(out, "static int create(const struct gm_loss_batch *b, struct gm_loss_spec *s, void **instance)\n{\n"
                    "    (void)s;\n    *instance = NULL;\n");
    if (targets)
        buffer_add(
            out,
            "    if (b->targets != %zu)\n"
            "        return gm_fail(b, GM_LOSS_UNSUPPORTED, \"the formula needs %zu column%s of the target\");\n",
            f->targets, f->targets, f->targets == 1 ? "" : "s");
    if (outputs)
        buffer_add(out,
                   "    if (b->outputs > 0 && b->outputs < %zu)\n"
                   "        return gm_fail(b, GM_LOSS_UNSUPPORTED, \"the formula needs %zu outputs or more\");\n",
                   f->outputs, f->outputs);
    if (classes)
        buffer_add(out, "    if (b->targets != 1)\n"
                        "        return gm_fail(b, GM_LOSS_UNSUPPORTED, \"a class target is one column\");\n");
    buffer_add(out, "    return GM_LOSS_OK;\n}\n\n");
    return true;
}

static const char *outputs_text(const struct formula *f, char buffer[32])
{
    if (f->shape == FORMULA_FIXED) {
        snprintf(buffer, 32, "%zu", f->outputs);
        return buffer;
    }
    if (f->shape == FORMULA_INDEXED && f->request->target_kind == GM_TARGET_CLASS)
        return "GM_OUTPUTS_PER_CLASS";
    bool per_target = f->shape == FORMULA_EACH ? f->request->target_kind != GM_TARGET_NONE : f->target_j;
    return per_target ? "GM_OUTPUTS_PER_TARGET" : "GM_OUTPUTS_ANY";
}

static void write_target_rule(struct writer *w)
{
    const struct formula_bounds *t = &w->f->request->target;
    const char *low = isfinite(t->low) ? t->low_open ? "GM_TARGET_LOW_OPEN" : "GM_TARGET_LOW" : NULL;
    const char *high = isfinite(t->high) ? t->high_open ? "GM_TARGET_HIGH_OPEN" : "GM_TARGET_HIGH" : NULL;
    const char *rules[3] = {low, high, t->integer ? "GM_TARGET_INTEGER" : NULL};
    bool any = false;
    for (size_t i = 0; i < 3; i++)
        if (rules[i]) {
            buffer_add(w->out, "%s%s", any ? " | " : "    .target_rule = ", rules[i]);
            any = true;
        }
    buffer_add(w->out, any ? ",\n" : "");
    if (low) {
        buffer_add(w->out, "    .target_low = ");
        buffer_add_real(w->out, t->low);
        buffer_add(w->out, ",\n");
    }
    if (high) {
        buffer_add(w->out, "    .target_high = ");
        buffer_add_real(w->out, t->high);
        buffer_add(w->out, ",\n");
    }
}

static void write_nature(struct writer *w, const struct facts *facts)
{
    const char *natures[3] = {facts->kinks ? "GM_NATURE_NON_SMOOTH" : NULL,
                              facts->convex ? NULL : "GM_NATURE_NON_CONVEX",
                              facts->hessian && facts->constant_hessian ? "GM_NATURE_HESS_CONSTANT" : NULL};
    bool any = false;
    for (size_t i = 0; i < 3; i++)
        if (natures[i]) {
            buffer_add(w->out, "%s%s", any ? " | " : "    .nature = ", natures[i]);
            any = true;
        }
    buffer_add(w->out, any ? ",\n" : "");
}

static void write_spec(struct writer *w, const struct facts *facts)
{
    static const char *const kinds[] = {"GM_TARGET_REAL", "GM_TARGET_CLASS", "GM_TARGET_MULTILABEL", "GM_TARGET_NONE"};
    static const char *const links[] = {"GM_LINK_IDENTITY", "GM_LINK_LOG", "GM_LINK_LOGIT", "GM_LINK_SOFTMAX"};
    static const char *const tasks[] = {"GM_TASK_OTHER",      "GM_TASK_REGRESSION", "GM_TASK_CLASSIFICATION",
                                        "GM_TASK_COUNTS",     "GM_TASK_ORDINAL",    "GM_TASK_RANKING",
                                        "GM_TASK_CLUSTERING", "GM_TASK_METRIC",     "GM_TASK_MULTI_TASK"};
    const struct formula_request *r = w->f->request;
    struct buffer *out = w->out;
    char count[32];
    buffer_add(out, "static const struct gm_loss_spec spec = {\n    .struct_size = sizeof spec,\n");
    buffer_add(out, "    .target_kind = %s,\n    .outputs = %s,\n", kinds[r->target_kind], outputs_text(w->f, count));
    buffer_add(out, "    .gives = %s,\n", facts->hessian ? "GM_GIVES_ALL" : "GM_GIVES_ROW_LOSS");
    write_nature(w, facts);
    if (r->link != GM_LINK_IDENTITY)
        buffer_add(out, "    .link = %s,\n", links[r->link]);
    write_target_rule(w);
    if (r->n_thetas)
        buffer_add(out, "    .n_theta = %zu,\n", r->n_thetas);
    buffer_add(out, "    .task = %s,\n};\n\n", tasks[r->task]);
}

static void write_vtable(struct writer *w, bool theta_start, bool create)
{
    const struct formula_request *r = w->f->request;
    struct buffer *out = w->out;
    buffer_add(out, "GM_LOSS_PLUGIN(.id = \"%s\", .version = \"1.0\",\n               .formula = ", r->name);
    buffer_add_literal(out, r->formula);
    buffer_add(out, ",\n               .help = ");
    buffer_add_literal(out, r->about && r->about[0] ? r->about : "Written from a formula by gradmill new-loss.");
    buffer_add(out, ",\n               ");
    if (r->n_params)
        buffer_add(out, ".params = params, .n_params = %zu, ", r->n_params);
    buffer_add(out, ".spec = &spec, .evaluate = evaluate%s%s)\n", theta_start ? ", .theta_start = theta_start" : "",
               create ? ", .create = create" : "");
}

void write_declarations(struct writer *w, const struct facts *facts)
{
    bool theta_start = write_theta_start(w), create = write_create(w);
    write_params(w);
    write_spec(w, facts);
    write_vtable(w, theta_start, create);
}

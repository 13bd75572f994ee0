/* Parameters: what the schema promises, the loss must stand by. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "loss/check_kit.h"
#include "loss/schema.h"

enum { MOST_SETTINGS = 64, ROWS = 24 };

/* Bind with one parameter set to `value`, evaluate ordinary rows. `must_be_finite`: on a bound that belongs to the
 * interval; beside an open one only calls that come back are asked for. */
static void try_value(struct check *c, const struct gm_loss_param *param, const char *value, bool must_be_finite)
{
    struct loss_setting settings[MOST_SETTINGS];
    struct check_options options = *c->options, *mine = &options;
    const struct check_options *original = c->options;
    size_t count = 0;
    for (size_t i = 0; i < original->n_settings && count < MOST_SETTINGS - 1; i++)
        if (strcmp(original->settings[i].name, param->name) != 0)
            settings[count++] = original->settings[i];
    settings[count++] = (struct loss_setting){param->name, value};
    options.settings = settings;
    options.n_settings = count;
    struct check_shape shape = c->shared->shapes[0];
    struct gm_error err = {0};
    c->options = mine;
    if (!subject_try(c, &shape, &err)) {
        c->options = original;
        if (err.code == GM_PLUGIN_BROKEN || strstr(err.text, "no reason given"))
            check_fail(c, "%s = %s is inside the bounds of the schema, and create() refuses it without a reason: %s",
                       param->name, value, err.text);
        return; /* refused with a reason */
    }
    struct outcome o = outcome_make(c);
    struct sample s = sample_make(c, ROWS, 1);
    check_call(c, &(struct call){.sample = &s, .want = WANT_ALL}, &o);
    if (o.status != GM_LOSS_OK)
        check_fail(c, "%s = %s is inside its bounds, but evaluate returns %d. %s", param->name, value, o.status,
                   c->said.text);
    if (must_be_finite && !isfinite(o.loss))
        check_fail(
            c,
            "%s = %s is inside its bounds, but the loss of ordinary rows is %g. If it makes no sense there, mark "
            "the bound as open (GM_PARAM_LOW_OPEN, GM_PARAM_HIGH_OPEN).",
            param->name, value, o.loss);
    subject_unbind(c);
    c->options = original;
}

static void try_real(struct check *c, const struct gm_loss_param *param, double value, bool must_be_finite)
{
    char text[32];
    if (isfinite(value) && schema_within(param, value))
        try_value(c, param, text_from_real(value, text), must_be_finite);
}

static void try_numbers(struct check *c, const struct gm_loss_param *param)
{
    double step = param->type == GM_PARAM_INTEGER ? 1 : 0, few = 16;
    bool low_open = param->flags & GM_PARAM_LOW_OPEN, high_open = param->flags & GM_PARAM_HIGH_OPEN;
    if (!(param->flags & GM_PARAM_REQUIRED))
        try_real(c, param, param->fallback, true);
    if (param->low == param->high)
        return;
    double width = isfinite(param->high - param->low) ? param->high - param->low : 1;
    if (step > 0) { /* a count may size the outputs: the far end is not tried when it is far */
        try_real(c, param, param->low + (low_open ? 1 : 0), true);
        if (param->high - param->low <= few)
            try_real(c, param, param->high - (high_open ? 1 : 0), true);
        return;
    }
    try_real(c, param, param->low, true);
    try_real(c, param, param->high, true);
    try_real(c, param, param->low + 0.25 * width, true);
    if (isfinite(param->low))
        try_real(c, param, nextafter(param->low, INFINITY), !low_open);
    if (isfinite(param->high))
        try_real(c, param, nextafter(param->high, -INFINITY), !high_open);
}

static void try_list(struct check *c, const struct gm_loss_param *param)
{
    double low = param->low != param->high && isfinite(param->low) ? param->low : -1;
    double high = param->low != param->high && isfinite(param->high) ? param->high : low + 2;
    char text[128], a[32], b[32], d[32];
    snprintf(text, sizeof text, "%s,%s,%s", text_from_real(low + 0.2 * (high - low), a),
             text_from_real(low + 0.5 * (high - low), b), text_from_real(low + 0.7 * (high - low), d));
    try_value(c, param, a, true);
    try_value(c, param, text, true);
}

void check_parameters(struct check *c)
{
    const struct gm_loss *vtable = &c->plugin.vtable;
    char name[SCHEMA_TEXT];
    if (vtable->n_params == 0)
        check_skip(c, "it has no parameters");
    for (size_t i = 0; i < vtable->n_params; i++) {
        const struct gm_loss_param *param = &vtable->params[i];
        if (!param->help || !*param->help)
            check_warn(c, "Parameter %s has no help.", param->name);
        if (param->type == GM_PARAM_BOOLEAN) {
            try_value(c, param, "false", true);
            try_value(c, param, "true", true);
        } else if (param->type == GM_PARAM_CHOICE)
            for (size_t k = 0; schema_choice_name(param, k, name); k++)
                try_value(c, param, name, true);
        else if (param->type == GM_PARAM_LIST)
            try_list(c, param);
        else
            try_numbers(c, param);
    }
}

/* Are the targets inside the loss's domain? Asked before training, with the row in the answer. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "loss/plugin.h"

static bool obeys_rule(const struct gm_loss_spec *spec, double value)
{
    uint32_t rule = spec->target_rule;
    return !((rule & GM_TARGET_LOW && !(value >= spec->target_low)) ||
             (rule & GM_TARGET_LOW_OPEN && !(value > spec->target_low)) ||
             (rule & GM_TARGET_HIGH && !(value <= spec->target_high)) ||
             (rule & GM_TARGET_HIGH_OPEN && !(value < spec->target_high)) ||
             (rule & GM_TARGET_INTEGER && value != floor(value)));
}

static bool is_inside(const struct loss *loss, double value)
{
    if (!isfinite(value))
        return false;
    switch (loss->spec.target_kind) {
    case GM_TARGET_CLASS:
        return value >= 0 && value == floor(value) && (loss->classes == 0 || value < (double)loss->classes);
    case GM_TARGET_MULTILABEL:
        return loss->spec.target_rule ? obeys_rule(&loss->spec, value) : value == 0 || value == 1;
    default:
        return obeys_rule(&loss->spec, value);
    }
}

/* "a whole number >= 0", "a class index from 0 to 9". */
static void describe(const struct loss *loss, char *text, size_t size)
{
    const struct gm_loss_spec *spec = &loss->spec;
    if (spec->target_kind == GM_TARGET_CLASS && loss->classes) {
        snprintf(text, size, "a class index from 0 to %zu", loss->classes - 1);
        return;
    }
    if (spec->target_kind == GM_TARGET_CLASS || (spec->target_kind == GM_TARGET_MULTILABEL && !spec->target_rule)) {
        snprintf(text, size, "%s", spec->target_kind == GM_TARGET_CLASS ? "a class index, 0 or more" : "0 or 1");
        return;
    }
    char low[32], high[32];
    text_from_real(spec->target_low, low);
    text_from_real(spec->target_high, high);
    bool has_low = spec->target_rule & (GM_TARGET_LOW | GM_TARGET_LOW_OPEN);
    bool has_high = spec->target_rule & (GM_TARGET_HIGH | GM_TARGET_HIGH_OPEN);
    snprintf(text, size, "%s%s%s%s%s%s", spec->target_rule & GM_TARGET_INTEGER ? "a whole number" : "a finite number",
             has_low ? (spec->target_rule & GM_TARGET_LOW_OPEN ? " > " : " >= ") : "", has_low ? low : "",
             has_low && has_high ? " and" : "",
             has_high ? (spec->target_rule & GM_TARGET_HIGH_OPEN ? " < " : " <= ") : "", has_high ? high : "");
}

static enum gm_code refuse(const struct loss *loss, const double *target, size_t row, size_t column, size_t first_row,
                           const char *dataset, struct gm_error *err)
{
    char expected[128], found[32], where[64] = "";
    describe(loss, expected, sizeof expected);
    if (loss->targets > 1)
        snprintf(where, sizeof where, ", column %zu", column);
    return error_set(err, GM_BAD_DATA, "%s row %zu%s: the target is %s; loss %s takes %s.", dataset, first_row + row,
                     where, text_from_real(target[row * loss->targets + column], found), loss->plugin->vtable.id,
                     expected);
}

static enum gm_code ask_plugin(const struct loss *loss, const double *target, size_t rows, size_t first_row,
                               const char *dataset, struct gm_error *err)
{
    struct loss_call call;
    size_t bad_row = 0;
    enum gm_code code = loss_call_open(&call, loss, rows, err);
    if (code)
        return code;
    call.batch.target = target;
    int status = loss->plugin->vtable.check_targets(&call.batch, &bad_row);
    if (status != GM_LOSS_OK)
        code = error_set(err, status == GM_LOSS_NO_MEMORY ? GM_SYSTEM : GM_BAD_DATA, "%s row %zu: loss %s: %s.",
                         dataset, first_row + (bad_row < rows ? bad_row : 0), loss->plugin->vtable.id,
                         *call.said.text ? call.said.text : "the target is outside its domain");
    loss_call_close(&call);
    return code;
}

enum gm_code loss_check_targets(const struct loss *loss, const double *target, size_t rows, size_t first_row,
                                const char *dataset, struct gm_error *err)
{
    if (loss->spec.target_kind == GM_TARGET_NONE)
        return GM_OK;
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < loss->targets; column++)
            if (!is_inside(loss, target[row * loss->targets + column]))
                return refuse(loss, target, row, column, first_row, dataset, err);
    return loss->plugin->vtable.check_targets ? ask_plugin(loss, target, rows, first_row, dataset, err) : GM_OK;
}

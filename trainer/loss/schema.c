/* Is the parameter schema of a plugin sound? Found out once, when it is loaded. */
#include "loss/schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "loss/vtable.h"

enum { MOST_PARAMS = 1000 };

bool schema_within(const struct gm_loss_param *param, double value)
{
    if (param->low == param->high)
        return true;
    bool low = param->flags & GM_PARAM_LOW_OPEN ? value > param->low : value >= param->low;
    bool high = param->flags & GM_PARAM_HIGH_OPEN ? value < param->high : value <= param->high;
    return low && high;
}

const char *schema_bounds(const struct gm_loss_param *param, char buffer[SCHEMA_TEXT])
{
    char low[32], high[32];
    bool has_low = param->low != param->high && isfinite(param->low);
    bool has_high = param->low != param->high && isfinite(param->high);
    text_from_real(param->low, low);
    text_from_real(param->high, high);
    const char *above = param->flags & GM_PARAM_LOW_OPEN ? ">" : ">=";
    const char *below = param->flags & GM_PARAM_HIGH_OPEN ? "<" : "<=";
    if (has_low && has_high)
        snprintf(buffer, SCHEMA_TEXT, "%s %s and %s %s", above, low, below, high);
    else if (has_low || has_high)
        snprintf(buffer, SCHEMA_TEXT, "%s %s", has_low ? above : below, has_low ? low : high);
    else
        snprintf(buffer, SCHEMA_TEXT, "any");
    return buffer;
}

const char *schema_choice_name(const struct gm_loss_param *param, size_t index, char buffer[SCHEMA_TEXT])
{
    for (const char *at = param->choices; at; at = at[strcspn(at, "|")] ? at + strcspn(at, "|") + 1 : NULL)
        if (index-- == 0) {
            snprintf(buffer, SCHEMA_TEXT, "%.*s", (int)strcspn(at, "|"), at);
            return buffer;
        }
    return NULL;
}

int schema_choice(const struct gm_loss_param *param, const char *word)
{
    char name[SCHEMA_TEXT];
    for (size_t i = 0; schema_choice_name(param, i, name); i++)
        if (strcmp(name, word) == 0)
            return (int)i;
    return -1;
}

static const char *choices_fault(const struct gm_loss_param *param)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+|";
    char name[SCHEMA_TEXT];
    size_t count = 0;
    if (!param->choices || !*param->choices)
        return "a choice needs choices, as in \"a|b|c\"";
    if (param->choices[strspn(param->choices, allowed)])
        return "choices are words of letters, digits, '_', '-', '.' and '+', with '|' between them";
    for (; schema_choice_name(param, count, name); count++)
        if (!*name || strlen(name) > SCHEMA_CHOICES || schema_choice(param, name) != (int)count)
            return "a choice is empty, too long or there twice";
    if (!(param->flags & GM_PARAM_REQUIRED) &&
        !(param->fallback >= 0 && param->fallback < (double)count && param->fallback == floor(param->fallback)))
        return "the default is not the index of a choice";
    return NULL;
}

static const char *number_fault(const struct gm_loss_param *param)
{
    if (isnan(param->low) || isnan(param->high) || param->low > param->high)
        return "its bounds are NaN or the wrong way round";
    if (param->flags & GM_PARAM_REQUIRED)
        return NULL;
    if (param->type == GM_PARAM_LIST && isnan(param->fallback))
        return NULL; /* the default is an empty list */
    if (!isfinite(param->fallback))
        return "its default is not a finite number";
    if (!schema_within(param, param->fallback))
        return "its default is outside its own bounds";
    if (param->type == GM_PARAM_INTEGER &&
        (param->fallback != floor(param->fallback) || fabs(param->fallback) > 0x1p53))
        return "its default is not a whole number";
    if (param->type == GM_PARAM_BOOLEAN && param->fallback != 0 && param->fallback != 1)
        return "its default is neither 0 nor 1";
    return NULL;
}

static const char *param_fault(const struct gm_loss_param *param)
{
    if (!param->name || !vtable_is_id(param->name))
        return "its name must be lower-case letters, digits and _, a letter first";
    if (param->type > GM_PARAM_LIST)
        return "its type is unknown";
    if (param->flags & ~(uint32_t)(GM_PARAM_REQUIRED | GM_PARAM_LOW_OPEN | GM_PARAM_HIGH_OPEN))
        return "it has unknown flags";
    return param->type == GM_PARAM_CHOICE ? choices_fault(param) : number_fault(param);
}

enum gm_code schema_check(const struct gm_loss *vtable, const char *path, struct gm_error *err)
{
    if (vtable->n_params > MOST_PARAMS)
        return error_set(err, GM_PLUGIN_LOAD, "%s: loss %s says it has %zu parameters; at most %d are possible.", path,
                         vtable->id, vtable->n_params, MOST_PARAMS);
    for (size_t i = 0; i < vtable->n_params; i++) {
        const struct gm_loss_param *param = &vtable->params[i];
        const char *fault = param_fault(param);
        for (size_t k = 0; k < i && !fault; k++)
            if (strcmp(param->name, vtable->params[k].name) == 0)
                fault = "an earlier parameter has the same name";
        if (fault)
            return error_set(err, GM_PLUGIN_LOAD, "%s: parameter %zu (%.63s) of loss %s: %s.", path, i + 1,
                             param->name ? param->name : "NULL", vtable->id, fault);
    }
    return GM_OK;
}

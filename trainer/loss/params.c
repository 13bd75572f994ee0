/* Parsing parameters by the schema, and writing them canonically. */
#include "loss/params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "loss/schema.h"

enum { LONGEST_NUMBER = 64 };

static const struct gm_loss_param *param_at(const struct loss *loss, size_t index)
{
    return &loss->plugin->vtable.params[index];
}

static enum gm_code refuse(const struct loss *loss, size_t index, const char *value, struct gm_error *err)
{
    static const char *const types[] = {"a real number", "a whole number", "true or false", "one of ",
                                        "a list of real numbers, as in 0.1,0.5"};
    const struct gm_loss_param *param = param_at(loss, index);
    char bounds[SCHEMA_TEXT];
    schema_bounds(param, bounds);
    bool is_bounded = param->type != GM_PARAM_BOOLEAN && param->type != GM_PARAM_CHOICE && strcmp(bounds, "any") != 0;
    return error_set(err, GM_BAD_JOB, "Parameter %s of loss %s is \"%.100s\"; it must be %s%s%s%.300s.", param->name,
                     loss->plugin->vtable.id, value, types[param->type], is_bounded ? " " : "",
                     is_bounded ? bounds : "", param->type == GM_PARAM_CHOICE ? param->choices : "");
}

static bool parse_boolean(const char *text, int64_t *out)
{
    static const char *const words[2][4] = {{"false", "no", "off", "0"}, {"true", "yes", "on", "1"}};
    for (int value = 0; value < 2; value++)
        for (int i = 0; i < 4; i++)
            if (strcmp(text, words[value][i]) == 0) {
                *out = value;
                return true;
            }
    return false;
}

static bool parse_real(const struct gm_loss_param *param, const char *text, double *out)
{
    return text_real(text, out) && isfinite(*out) && schema_within(param, *out);
}

/* "0.1,0.5" or "[0.1, 0.5]" into storage; at least one number. */
static bool parse_list(const struct gm_loss_param *param, const char *text, double *storage, size_t *count)
{
    size_t length = strlen(text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    const char *end = text + length;
    for (*count = 0; text <= end;) {
        char number[LONGEST_NUMBER];
        while (text < end && *text == ' ')
            text++;
        const char *comma = memchr(text, ',', (size_t)(end - text));
        size_t digits = (size_t)((comma ? comma : end) - text);
        text += digits + 1;
        const char *start = text - digits - 1;
        while (digits > 0 && start[digits - 1] == ' ')
            digits--;
        if (digits >= sizeof number)
            return false;
        memcpy(number, start, digits);
        number[digits] = 0;
        if (!parse_real(param, number, &storage[*count]))
            return false;
        ++*count;
    }
    return true;
}

static bool parse_one(const struct gm_loss_param *param, const char *text, union gm_loss_value *value, double *storage)
{
    switch (param->type) {
    case GM_PARAM_REAL:
        return parse_real(param, text, &value->real);
    case GM_PARAM_INTEGER:
        return text_integer(text, &value->integer) && schema_within(param, (double)value->integer);
    case GM_PARAM_BOOLEAN:
        return parse_boolean(text, &value->integer);
    case GM_PARAM_CHOICE:
        value->integer = schema_choice(param, text);
        return value->integer >= 0;
    default:
        value->list.values = storage;
        return parse_list(param, text, storage, &value->list.count);
    }
}

static void take_default(const struct gm_loss_param *param, union gm_loss_value *value, double *storage)
{
    if (param->type == GM_PARAM_REAL)
        value->real = param->fallback;
    else if (param->type == GM_PARAM_LIST) {
        *storage = param->fallback;
        value->list.values = storage;
        value->list.count = isnan(param->fallback) ? 0 : 1;
    } else
        value->integer = (int64_t)param->fallback;
}

/* Which setting is for this parameter, or NULL. */
static const char *setting_of(const struct gm_loss_param *param, const struct loss_setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].name, param->name) == 0)
            return settings[i].value;
    return NULL;
}

static enum gm_code check_names(const struct loss *loss, const struct loss_setting *settings, size_t count,
                                struct gm_error *err)
{
    const struct gm_loss *vtable = &loss->plugin->vtable;
    const char *names[64] = {0};
    size_t n_names = 0;
    for (; n_names < vtable->n_params && n_names < sizeof names / sizeof *names; n_names++)
        names[n_names] = vtable->params[n_names].name;
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (size_t k = 0; k < vtable->n_params && !known; k++)
            known = strcmp(settings[i].name, vtable->params[k].name) == 0;
        for (size_t k = 0; k < i; k++)
            if (strcmp(settings[i].name, settings[k].name) == 0)
                return error_set(err, GM_BAD_JOB, "Parameter %.80s of loss %s is given twice.", settings[i].name,
                                 vtable->id);
        if (known)
            continue;
        char list[400] = "";
        for (size_t k = 0, used = 0; k < n_names && used < sizeof list; k++)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", k ? ", " : "", names[k]);
        const char *nearest = text_nearest(settings[i].name, names, n_names);
        return error_set(err, GM_BAD_JOB, "Loss %s has no parameter \"%.80s\".%s%s%s %s%s.", vtable->id,
                         settings[i].name, nearest ? " Did you mean \"" : "", nearest ? nearest : "",
                         nearest ? "\"?" : "", n_names ? "It has: " : "It has none", list);
    }
    return GM_OK;
}

static size_t commas(const char *text)
{
    size_t count = 0;
    for (; text && *text; text++)
        count += *text == ',';
    return count;
}

enum gm_code params_parse(struct loss *loss, const struct loss_setting *settings, size_t count, struct gm_error *err)
{
    size_t n_params = loss->plugin->vtable.n_params, n_reals = 0;
    void *values = NULL, *storage = NULL;
    enum gm_code code = check_names(loss, settings, count, err);
    for (size_t i = 0; i < n_params; i++)
        if (param_at(loss, i)->type == GM_PARAM_LIST)
            n_reals += 1 + commas(setting_of(param_at(loss, i), settings, count));
    if (!code)
        code = memory_alloc(&values, n_params, sizeof *loss->param, "loss parameters", err);
    loss->param = values;
    if (!code)
        code = memory_alloc(&storage, n_reals, sizeof(double), "loss parameters", err);
    loss->list_storage = storage;
    for (size_t i = 0, used = 0; i < n_params && !code; i++) {
        const struct gm_loss_param *param = param_at(loss, i);
        const char *text = setting_of(param, settings, count);
        if (text && !parse_one(param, text, &loss->param[i], loss->list_storage + used))
            code = refuse(loss, i, text, err);
        else if (!text && (param->flags & GM_PARAM_REQUIRED))
            code =
                error_set(err, GM_BAD_JOB, "Loss %s needs the parameter %s%s%s%s.", loss->plugin->vtable.id,
                          param->name, param->help ? " (" : "", param->help ? param->help : "", param->help ? ")" : "");
        else if (!text)
            take_default(param, &loss->param[i], loss->list_storage + used);
        if (param->type == GM_PARAM_LIST)
            used += 1 + commas(text);
    }
    return code;
}

/* ---- canonical text ---- */

struct writer {
    char *text;
    size_t used, room;
};

static void put(struct writer *out, const char *text)
{
    size_t length = strlen(text);
    if (out->used + length < out->room)
        memcpy(out->text + out->used, text, length + 1);
    out->used += length;
}

static void put_real(struct writer *out, double value)
{
    char number[32];
    put(out, text_from_real(value, number));
}

/* Names and choices are plain words (schema.c), so nothing needs to be escaped; values are finite. */
static void put_value(struct writer *out, const struct gm_loss_param *param, const union gm_loss_value *value)
{
    char word[SCHEMA_TEXT];
    switch (param->type) {
    case GM_PARAM_REAL:
        put_real(out, value->real);
        break;
    case GM_PARAM_INTEGER:
        snprintf(word, sizeof word, "%lld", (long long)value->integer);
        put(out, word);
        break;
    case GM_PARAM_BOOLEAN:
        put(out, value->integer ? "true" : "false");
        break;
    case GM_PARAM_CHOICE:
        put(out, "\"");
        put(out, schema_choice_name(param, (size_t)value->integer, word));
        put(out, "\"");
        break;
    default:
        put(out, "[");
        for (size_t i = 0; i < value->list.count; i++) {
            put(out, i ? "," : "");
            put_real(out, value->list.values[i]);
        }
        put(out, "]");
    }
}

static void put_params(struct writer *out, const struct loss *loss)
{
    put(out, "{");
    for (size_t i = 0; i < loss->plugin->vtable.n_params; i++) {
        put(out, i ? ",\"" : "\"");
        put(out, param_at(loss, i)->name);
        put(out, "\":");
        put_value(out, param_at(loss, i), &loss->param[i]);
    }
    put(out, "}");
}

enum gm_code loss_params_text(const struct loss *loss, char **text, struct gm_error *err)
{
    struct writer measure = {0};
    put_params(&measure, loss);
    void *bytes;
    enum gm_code code = memory_alloc(&bytes, measure.used + 1, 1, "the text of loss parameters", err);
    if (code)
        return code;
    struct writer out = {.text = bytes, .room = measure.used + 1};
    put_params(&out, loss);
    *text = bytes;
    return GM_OK;
}

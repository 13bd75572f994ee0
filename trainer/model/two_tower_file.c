/*
 * Two towers in model files: /first/layers/K/{weights,bias} and /second/layers/K/{weights,bias}, as in an mlp; of
 * concat /head/layers/0/{weights,bias}, of dot /intercept [1].
 */
#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/network_file.h"
#include "model/towers.h"

static const char *const prefixes[] = {"/first/layers", "/second/layers", "/head/layers"};
static const char *const fuses[] = {
    [MODEL_FUSE_PAIR] = "pair", [MODEL_FUSE_DOT] = "dot", [MODEL_FUSE_CONCAT] = "concat"};

const char *towers_fuse_name(enum model_fuse fuse)
{
    return fuses[fuse];
}

/* ---- writing ---- */

enum gm_code towers_save(const struct model *m, const double *params, struct archive *a, struct gm_error *err)
{
    const struct towers *t = towers_of(m);
    const struct archive_shape one = {1, {1}};
    const double constant = t->constant == SIZE_MAX ? 0 : params[t->constant];
    enum gm_code code = GM_OK;
    for (size_t i = 0; code == GM_OK && i < t->n_nets; i++) {
        size_t first = i == TOWER_SECOND ? m->spec.first_features : 0;
        bool input = i != TOWER_HEAD;
        code = network_save(&t->net[i], prefixes[i], input ? m->center + first : NULL, input ? m->scale + first : NULL,
                            params + t->param[i], a, err);
    }
    if (code == GM_OK && m->spec.fuse == MODEL_FUSE_DOT)
        code = archive_put(a, "/intercept", ARCHIVE_F64, &one, &constant, err);
    if (code || (code = archive_put_text(a, "fuse", fuses[m->spec.fuse], err)) ||
        (code = archive_put_text(a, "activation", network_activation_name(m->spec.activation), err)) ||
        (code = archive_put_real(a, "dropout", m->spec.dropout, err)))
        return code;
    return archive_put_integer(a, "has_intercept", m->spec.intercept, err);
}

/* ---- reading ---- */

static enum gm_code read_fuse(const struct archive *a, const char *path, enum model_fuse *out, struct gm_error *err)
{
    char *text = NULL;
    size_t i = 0, count = sizeof fuses / sizeof *fuses;
    enum gm_code code = archive_get_text(a, "fuse", &text, err);
    if (code)
        return code;
    while (i < count && strcmp(fuses[i], text) != 0)
        i++;
    *out = (enum model_fuse)(i < count ? i : 0);
    if (i == count)
        code = error_set(err, GM_BAD_DATA, "%s: the towers are fused by '%s', which this gradmill does not know.", path,
                         text);
    memory_free(text);
    return code;
}

/* Do the towers and the head fit together? */
static enum gm_code check_sizes(const char *path, const struct model_spec *spec, const struct network_sizes *nets,
                                struct gm_error *err)
{
    if (nets[TOWER_FIRST].out != nets[TOWER_SECOND].out)
        return error_set(err, GM_BAD_DATA, "%s: the towers end in %zu and %zu numbers, which do not go together.", path,
                         nets[TOWER_FIRST].out, nets[TOWER_SECOND].out);
    if (spec->fuse == MODEL_FUSE_CONCAT && (nets[TOWER_HEAD].in != 2 * nets[0].out || nets[TOWER_HEAD].n_hidden))
        return error_set(err, GM_BAD_DATA, "%s: the head takes %zu numbers, the towers give 2 x %zu.", path,
                         nets[TOWER_HEAD].in, nets[0].out);
    return GM_OK;
}

enum gm_code towers_open(const struct archive *a, const char *path, struct model_spec *spec, struct gm_error *err)
{
    int64_t has_intercept = 0;
    size_t none[1];
    struct network_sizes nets[] = {{.hidden = spec->hidden, .most = MODEL_HIDDEN_MOST},
                                   {.hidden = spec->hidden_second, .most = MODEL_HIDDEN_MOST},
                                   {.hidden = none, .most = 1}};
    enum gm_code code = read_fuse(a, path, &spec->fuse, err);
    for (size_t i = 0; code == GM_OK && i < 2u + (spec->fuse == MODEL_FUSE_CONCAT); i++)
        code = network_open(a, path, prefixes[i], &nets[i], err);
    if (code || (code = check_sizes(path, spec, nets, err)) ||
        (code = network_activation_read(a, path, &spec->activation, err)) ||
        (code = archive_get_integer(a, "has_intercept", &has_intercept, err)))
        return code;
    spec->embedding = nets[TOWER_FIRST].out;
    spec->first_features = nets[TOWER_FIRST].in;
    spec->features = nets[TOWER_FIRST].in + nets[TOWER_SECOND].in;
    spec->n_hidden = nets[TOWER_FIRST].n_hidden;
    spec->n_hidden_second = nets[TOWER_SECOND].n_hidden;
    spec->outputs = spec->fuse == MODEL_FUSE_CONCAT ? nets[TOWER_HEAD].out
                    : spec->fuse == MODEL_FUSE_DOT  ? 1
                                                    : 2 * spec->embedding;
    spec->intercept = has_intercept != 0;
    return archive_get_real(a, "dropout", &spec->dropout, err);
}

enum gm_code towers_load(const struct model *m, const struct archive *a, double *params, struct gm_error *err)
{
    const struct towers *t = towers_of(m);
    struct archive_shape one = {.rank = 1};
    double *constant = NULL;
    enum gm_code code = GM_OK;
    for (size_t i = 0; code == GM_OK && i < t->n_nets; i++)
        code = network_load(&t->net[i], prefixes[i], a, params + t->param[i], err);
    if (code || t->constant == SIZE_MAX)
        return code;
    if (!(code = archive_get(a, "/intercept", ARCHIVE_F64, &one, (void **)&constant, err)) && one.dims[0] != 1)
        code = error_set(err, GM_BAD_DATA, "/intercept holds %zu numbers in place of 1.", one.dims[0]);
    if (!code)
        params[t->constant] = constant[0];
    memory_free(constant);
    return code;
}

/* ---- for people ---- */

static size_t tell_tower(const struct network_shape *shape, char *text, size_t room)
{
    size_t used = (size_t)snprintf(text, room, "%zu", shape->in);
    for (size_t l = 0; l < shape->n_hidden && used < room; l++)
        used += (size_t)snprintf(text + used, room - used, " -> %zu", shape->hidden[l]);
    if (used < room)
        used += (size_t)snprintf(text + used, room - used, " -> %zu", shape->out);
    return used;
}

void towers_describe(const struct model_spec *spec, char *text, size_t room)
{
    struct towers_shapes shapes = towers_shapes(spec);
    size_t used = tell_tower(&shapes.net[TOWER_FIRST], text, room);
    if (used < room)
        used += (size_t)snprintf(text + used, room - used, " and ");
    if (used < room)
        used += tell_tower(&shapes.net[TOWER_SECOND], text + used, room - used);
    if (used < room)
        used += (size_t)snprintf(text + used, room - used, ", %s -> %zu", fuses[spec->fuse], spec->outputs);
    if (used < room && (spec->n_hidden || spec->n_hidden_second))
        snprintf(text + used, room - used, ", %s", network_activation_name(spec->activation));
}

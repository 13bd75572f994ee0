/* The walk over a job file: every key looked up, every value stored, what is left over refused. */
#include "cli/job.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define MOST_NAMES 80

/* ---- unknown keys ---- */

static const char *last_part(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static void add_name(const char **names, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(names[i], name) == 0)
            return;
    if (*count < MOST_NAMES)
        names[(*count)++] = name;
}

/* Names of the keys directly below `prefix` ("" is the top); `storage` keeps the cut ones. */
static size_t names_below(const char *prefix, const char **names, char storage[MOST_NAMES][32])
{
    size_t n_keys, count = 0, used = 0, length = strlen(prefix);
    const struct job_key *keys = job_keys(&n_keys);
    for (size_t i = 0; i < n_keys; i++) {
        const char *path = keys[i].path;
        if (length && (strncmp(path, prefix, length) != 0 || path[length] != '.'))
            continue;
        const char *name = length ? path + length + 1 : path;
        snprintf(storage[used], sizeof storage[used], "%.*s", (int)strcspn(name, "."), name);
        size_t before = count;
        add_name(names, &count, storage[used]);
        used += count > before;
    }
    return count;
}

/* A key of another section with this name, or nearly: its whole path. */
static const char *elsewhere(const char *word)
{
    size_t n_keys, count = 0;
    const struct job_key *keys = job_keys(&n_keys);
    const char *names[MOST_NAMES];
    for (size_t i = 0; i < n_keys; i++)
        add_name(names, &count, last_part(keys[i].path));
    const char *near = text_nearest(word, names, count);
    for (size_t i = 0; near && i < n_keys; i++)
        if (strcmp(last_part(keys[i].path), near) == 0)
            return keys[i].path;
    return NULL;
}

static enum gm_code fail_unknown(const struct job_reader *r, const struct tree_node *node, const char *prefix)
{
    char where[TREE_WHERE], storage[MOST_NAMES][32], known[400] = "";
    const char *names[MOST_NAMES], *dot = *prefix ? "." : "";
    size_t count = names_below(prefix, names, storage);
    const char *near = text_nearest(node->key, names, count);
    tree_where_key(node, where);
    if (near)
        return error_set(r->err, GM_BAD_JOB, "%s: unknown key \"%s%s%.60s\". Did you mean \"%s%s%s\"?", where, prefix,
                         dot, node->key, prefix, dot, near);
    near = elsewhere(node->key);
    if (near)
        return error_set(r->err, GM_BAD_JOB, "%s: unknown key \"%s%s%.60s\". Did you mean \"%s\"?", where, prefix, dot,
                         node->key, near);
    for (size_t i = 0, used = 0; i < count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    return error_set(r->err, GM_BAD_JOB, "%s: unknown key \"%s%s%.60s\". Known here: %s.", where, prefix, dot,
                     node->key, known);
}

/* ---- the walk ---- */

static enum gm_code wholes(const struct job_reader *r, const struct job_key *key, const struct tree_node *node,
                           void *place)
{
    char expected[JOB_EXPECTED];
    void *values = NULL;
    const struct job_key one = {.path = key->path, .kind = JOB_WHOLE, .low = key->low, .high = key->high};
    if (node->kind != TREE_LIST || !node->first)
        return job_fail(r, node, key->path, job_expected(key, expected));
    struct gm_wholes list = {.count = tree_count(node)};
    enum gm_code code = tree_alloc(&r->file->tree, list.count * sizeof(size_t), &values, r->err);
    size_t *value = values;
    for (const struct tree_node *child = node->first; !code && child; child = child->next)
        code = job_value(r, &one, child, value++);
    list.values = values;
    memcpy((char *)place + key->offset, &list, sizeof list);
    return code;
}

/* The files of a list, one after the other. */
static enum gm_code files(const struct job_reader *r, const struct job_key *key, const struct tree_node *node,
                          struct gm_data *data)
{
    char expected[JOB_EXPECTED];
    void *memory = NULL;
    size_t count = tree_count(node), used = 0;
    if (count == 0)
        return job_fail(r, node, key->path, job_expected(key, expected));
    enum gm_code code = tree_alloc(&r->file->tree, count * sizeof(const char *), &memory, r->err);
    const char **paths = memory;
    for (const struct tree_node *child = node->first; code == GM_OK && child; child = child->next) {
        if (child->kind != TREE_SCALAR || tree_is_null(child) || !child->text[0])
            return job_fail(r, child, key->path, "the name of a file");
        paths[used++] = child->text;
    }
    if (code == GM_OK)
        *data = (struct gm_data){.path = paths[0], .paths = paths, .n_paths = count};
    return code;
}

static enum gm_code trust(const struct job_reader *r, const struct tree_node *node)
{
    const struct job_key key = {.path = "loss.trust", .kind = JOB_BOOL, .offset = offsetof(struct gm_job, loss.trust)};
    return job_value(r, &key, node, &r->file->job);
}

static enum gm_code read_key(const struct job_reader *r, const struct job_key *key, const struct tree_node *node,
                             void *place)
{
    switch (key->kind) {
    case JOB_LOSS:
        return job_loss(r, node);
    case JOB_COLUMNS:
        return job_columns(r, key, node, place);
    case JOB_PARAMS:
        return job_params(r, node, place);
    case JOB_WHOLES:
        return wholes(r, key, node, place);
    default:
        break;
    }
    if (node->kind == TREE_LIST && key->kind == JOB_FILES)
        return files(r, key, node, (struct gm_data *)(void *)((char *)place + key->offset));
    if (node->kind == TREE_LIST && key->kind == JOB_FRACTION)
        return files(r, key, node, &r->file->job.data.validation);
    if (strcmp(key->path, "loss.trust") == 0)
        return trust(r, node);
    if (node->kind == TREE_MAP && job_is_section(key->path))
        return job_walk(r, node, key->path, place);
    return job_value(r, key, node, place);
}

enum gm_code job_walk(const struct job_reader *r, const struct tree_node *map, const char *prefix, void *place)
{
    char path[128];
    for (const struct tree_node *node = map->first; node; node = node->next) {
        snprintf(path, sizeof path, "%s%s%.60s", prefix, *prefix ? "." : "", node->key);
        const struct job_key *key = strchr(node->key, '.') ? NULL : job_key_find(path);
        bool section = !strchr(node->key, '.') && job_is_section(path);
        enum gm_code code = GM_OK;
        if (key)
            code = read_key(r, key, node, place);
        else if (!section)
            code = fail_unknown(r, node, prefix);
        else if (node->kind == TREE_MAP)
            code = job_walk(r, node, path, place);
        else if (!tree_is_null(node))
            code = job_fail(r, node, path, "a map of keys");
        if (code != GM_OK)
            return code;
    }
    return GM_OK;
}

/* ---- what belongs together ---- */

static const struct tree_node *node_at(const struct tree_node *root, const char *path)
{
    char word[64];
    const struct tree_node *node = root;
    while (node && *path) {
        size_t length = strcspn(path, ".");
        snprintf(word, sizeof word, "%.*s", (int)length, path);
        node = node->kind == TREE_MAP ? tree_find(node, word) : NULL;
        path += length + (path[length] == '.');
    }
    return node;
}

/* Keys of one model type given for another. */
static enum gm_code check_model_keys(const struct job_reader *r)
{
    char where[TREE_WHERE], models[JOB_EXPECTED];
    size_t n_keys;
    const struct job_key *keys = job_keys(&n_keys);
    const char *type = "linear";
    const struct tree_node *chosen = node_at(r->file->tree.root, "model.type");
    if (chosen)
        type = chosen->text;
    for (size_t i = 0; i < n_keys; i++) {
        const struct tree_node *node = keys[i].model ? node_at(r->file->tree.root, keys[i].path) : NULL;
        if (node && !job_key_is_for(&keys[i], type))
            return error_set(r->err, GM_BAD_JOB, "%s: %s belongs to model.type %s; this job's is %s.",
                             tree_where_key(node, where), keys[i].path, job_key_models(&keys[i], models), type);
    }
    return GM_OK;
}

static enum gm_code check_data(const struct job_reader *r, const struct gm_data *data, const char *path)
{
    char where[TREE_WHERE];
    const struct tree_node *node = node_at(r->file->tree.root, path);
    if (node && node->kind == TREE_MAP && !data->features)
        return error_set(r->err, GM_BAD_JOB,
                         "%s: %s: a map needs the key features, as in {features: a.h5:/x, target: a.h5:/y}.",
                         tree_where(node, where), path);
    return GM_OK;
}

static enum gm_code check_whole(const struct job_reader *r)
{
    char where[TREE_WHERE];
    const struct gm_job *job = &r->file->job;
    const struct tree_node *root = r->file->tree.root, *monitor = node_at(root, "stop.monitor");
    enum gm_code code = check_data(r, &job->data.train, "data.train");
    if (code == GM_OK)
        code = check_data(r, &job->data.validation, "data.validation");
    if (code == GM_OK)
        code = check_model_keys(r);
    if (code != GM_OK)
        return code;
    if (!job->data.train.path && !job->data.train.features)
        return error_set(r->err, GM_BAD_JOB,
                         "%s: data.train is missing: the dataset to train on, as in data: {train: digits.h5}.",
                         root->origin);
    if (job->loss.count == 0)
        return error_set(r->err, GM_BAD_JOB,
                         "%s: loss is missing: what to minimise, as in loss: {name: mse}; `gradmill losses` lists all.",
                         root->origin);
    bool validation = job->data.validation.path || job->data.validation.features || job->data.validation_fraction > 0;
    if (monitor && job->stop.monitor == GM_MONITOR_VALIDATION && !validation)
        return error_set(r->err, GM_BAD_JOB,
                         "%s: stop.monitor: validation needs data.validation: a share such as 0.2, or a dataset.",
                         tree_where(monitor, where));
    return GM_OK;
}

/* ---- loading ---- */

/* `loss: mse` is {name: mse}, also in a list; `checkpoint: c.h5` is {path: c.h5}. */
static const char *shorthand(const char *path)
{
    bool entry = strncmp(path, "loss.", 5) == 0 && path[5] && strspn(path + 5, "0123456789") == strlen(path + 5);
    if (strcmp(path, "loss") == 0 || entry)
        return "name";
    return strcmp(path, "output.checkpoint") == 0 ? "path" : NULL;
}

static enum gm_code read_file(struct job_file *file, const char *path, struct gm_error *err)
{
    void *bytes = NULL, *origin = NULL;
    size_t size = 0, length = strlen(path);
    enum gm_code code = file_read(path, JOB_FILE_LIMIT, &bytes, &size, err);
    if (code == GM_BAD_DATA)
        return error_set(err, GM_BAD_JOB, "%s: larger than %zu KiB: this is no job file.", path, JOB_FILE_LIMIT >> 10);
    if (code == GM_OK && size >= 4 && memcmp(bytes, "\x89HDF", 4) == 0)
        code = error_set(err, GM_BAD_JOB,
                         "%s: this is an HDF5 file; a job file is YAML that names it under data.train.", path);
    if (code == GM_OK)
        code = tree_alloc(&file->tree, length + 1, &origin, err);
    if (code == GM_OK) {
        memcpy(origin, path, length);
        code = tree_parse(&file->tree, origin, bytes, size, err);
    }
    memory_free(bytes);
    if (code == GM_OK && tree_is_null(file->tree.root))
        file->tree.root->kind = TREE_MAP;
    if (code == GM_OK && file->tree.root->kind != TREE_MAP)
        code =
            error_set(err, GM_BAD_JOB,
                      "%s: a job file is a map of sections (data, model, loss, optimizer, stop, output, run).", path);
    return code;
}

enum gm_code job_load(struct job_file *file, const char *path, const char *const *sets, size_t n_sets,
                      struct gm_error *err)
{
    *file = (struct job_file){0};
    gm_job_init(&file->job);
    enum gm_code code = read_file(file, path, err);
    for (size_t i = 0; code == GM_OK && i < n_sets; i++)
        code = tree_set(&file->tree, sets[i], shorthand, err);
    const struct job_reader r = {file, err};
    if (code == GM_OK)
        code = job_walk(&r, file->tree.root, "", &file->job);
    if (code == GM_OK)
        code = check_whole(&r);
    if (code != GM_OK)
        job_release(file);
    return code;
}

void job_release(struct job_file *file)
{
    tree_release(&file->tree);
    *file = (struct job_file){0};
}

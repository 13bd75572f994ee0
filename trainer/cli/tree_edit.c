/* Looking into a tree, editing it (--set), and saying where and what a value is. */
#include "cli/tree_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

struct tree_node *tree_find(const struct tree_node *map, const char *key)
{
    for (struct tree_node *node = map->first; node; node = node->next)
        if (node->key && strcmp(node->key, key) == 0)
            return node;
    return NULL;
}

size_t tree_count(const struct tree_node *node)
{
    size_t count = 0;
    for (const struct tree_node *child = node->first; child; child = child->next)
        count++;
    return count;
}

bool tree_is_null(const struct tree_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != TREE_SCALAR)
        return false;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (node->plain && strcmp(node->text, nulls[i]) == 0)
            return true;
    return false;
}

/* ---- editing ---- */

struct edit {
    struct tree *tree;
    const char *origin; /* "--set a.b=c" */
    const char *path;   /* "a.b" */
    tree_shorthand_fn *shorthand;
    struct gm_error *err;
};

static enum gm_code new_node(const struct edit *edit, enum tree_kind kind, const char *key, struct tree_node **out)
{
    void *memory = NULL;
    enum gm_code code = tree_alloc(edit->tree, sizeof **out, &memory, edit->err);
    if (code != GM_OK)
        return code;
    *out = memory;
    (*out)->kind = kind;
    (*out)->key = key;
    (*out)->origin = edit->origin;
    return GM_OK;
}

static void append(struct tree_node *parent, struct tree_node *child)
{
    struct tree_node **tail = &parent->first;
    while (*tail)
        tail = &(*tail)->next;
    *tail = child;
}

/* Entry `word` of a list or map, made when a map has none. */
static enum gm_code child_of(const struct edit *edit, struct tree_node *parent, const char *word,
                             struct tree_node **out)
{
    if (parent->kind == TREE_MAP) {
        *out = tree_find(parent, word);
        if (*out)
            return GM_OK;
        enum gm_code code = new_node(edit, TREE_MAP, word, out);
        if (code == GM_OK)
            append(parent, *out);
        return code;
    }
    int64_t index;
    if (!text_integer(word, &index) || index < 0 || (size_t)index >= tree_count(parent))
        return error_set(edit->err, GM_BAD_JOB, "%s: this is a list of %zu: \"%s\" must be a number from 0 to %zu.",
                         edit->origin, tree_count(parent), word, tree_count(parent) ? tree_count(parent) - 1 : 0);
    *out = parent->first;
    while (index-- > 0)
        *out = (*out)->next;
    return GM_OK;
}

/* A scalar on the way to something deeper becomes a map. `path` leads to it. */
static enum gm_code widen(const struct edit *edit, struct tree_node *node, const char *path)
{
    const char *key = edit->shorthand ? edit->shorthand(path) : NULL;
    struct tree_node *inner = NULL;
    if (key && !tree_is_null(node)) {
        enum gm_code code = new_node(edit, TREE_SCALAR, key, &inner);
        if (code != GM_OK)
            return code;
        inner->text = node->text;
        inner->plain = node->plain;
        inner->origin = node->origin;
        inner->line = node->line;
        inner->column = node->column;
    }
    node->kind = TREE_MAP;
    node->first = inner;
    return GM_OK;
}

static void replace(struct tree_node *place, const struct tree_node *value)
{
    const char *key = place->key;
    struct tree_node *next = place->next;
    *place = *value;
    place->key = key;
    place->next = next;
}

static enum gm_code put(const struct edit *edit, const struct tree_node *value)
{
    struct tree_node *node = edit->tree->root;
    char so_far[TREE_WHERE] = "";
    for (const char *word = edit->path; word;) {
        size_t length = strcspn(word, ".");
        const char *rest = word[length] ? word + length + 1 : NULL;
        void *copy;
        if (length == 0 || length >= 64)
            return error_set(edit->err, GM_BAD_JOB, "%s: the key path has an empty or overlong part.", edit->origin);
        enum gm_code code = tree_alloc(edit->tree, length + 1, &copy, edit->err);
        if (code != GM_OK)
            return code;
        memcpy(copy, word, length);
        if (node->kind == TREE_SCALAR)
            code = widen(edit, node, so_far);
        if (code == GM_OK)
            code = child_of(edit, node, copy, &node);
        if (code != GM_OK)
            return code;
        snprintf(so_far, sizeof so_far, "%.*s", (int)(word + length - edit->path), edit->path);
        word = rest;
    }
    replace(node, value);
    return GM_OK;
}

enum gm_code tree_set(struct tree *tree, const char *assignment, tree_shorthand_fn *shorthand, struct gm_error *err)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return error_set(err, GM_USAGE, "--set %s: expected key.path=value, as in --set stop.max_epochs=100.",
                         assignment);
    size_t length = strlen(assignment), path_length = (size_t)(equals - assignment);
    void *origin = NULL, *path = NULL;
    enum gm_code code = tree_alloc(tree, length + 7, &origin, err);
    if (code == GM_OK)
        code = tree_alloc(tree, path_length + 1, &path, err);
    if (code != GM_OK)
        return code;
    snprintf(origin, length + 7, "--set %s", assignment);
    memcpy(path, assignment, path_length);
    const struct tree_source source = {origin, equals + 1, length - path_length - 1, false, TREE_SCALAR};
    const struct edit edit = {tree, origin, path, shorthand, err};
    struct tree_node *value;
    code = tree_read(tree, &source, &value, err);
    if (code != GM_OK)
        return code;
    return put(&edit, value);
}

/* ---- saying where and what ---- */

static char *where(const char *origin, size_t line, size_t column, char buffer[TREE_WHERE])
{
    if (line)
        snprintf(buffer, TREE_WHERE, "%.250s:%zu:%zu", origin, line, column);
    else
        snprintf(buffer, TREE_WHERE, "%.250s", origin);
    return buffer;
}

char *tree_where(const struct tree_node *node, char buffer[TREE_WHERE])
{
    return where(node->origin, node->line, node->column, buffer);
}

char *tree_where_key(const struct tree_node *node, char buffer[TREE_WHERE])
{
    return where(node->origin, node->key_line, node->key_column, buffer);
}

char *tree_found(const struct tree_node *node, char buffer[TREE_FOUND])
{
    if (node->kind != TREE_SCALAR) {
        snprintf(buffer, TREE_FOUND, "a %s", node->kind == TREE_LIST ? "list" : "map");
        return buffer;
    }
    if (tree_is_null(node)) {
        snprintf(buffer, TREE_FOUND, "nothing");
        return buffer;
    }
    snprintf(buffer, TREE_FOUND, "\"%.60s%s\"", node->text, strlen(node->text) > 60 ? "..." : "");
    for (char *c = buffer; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return buffer;
}

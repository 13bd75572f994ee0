/* YAML text to tree, by libyaml's events. Edits and printing are in tree_edit.c. */
#include "cli/tree_internal.h"

#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "base/error.h"
#include "base/memory.h"

struct tree_block {
    struct tree_block *next;
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    struct tree *tree;
    const struct tree_source *source;
    struct gm_error *err;
};

enum gm_code tree_alloc(struct tree *tree, size_t size, void **out, struct gm_error *err)
{
    void *memory = NULL;
    enum gm_code code = memory_alloc(&memory, sizeof(struct tree_block) + size, 1, "the job file", err);
    if (code != GM_OK)
        return code;
    struct tree_block *block = memory;
    block->next = tree->blocks;
    tree->blocks = block;
    *out = block + 1;
    return GM_OK;
}

void tree_release(struct tree *tree)
{
    while (tree->blocks) {
        struct tree_block *block = tree->blocks;
        tree->blocks = block->next;
        memory_free(block);
    }
    *tree = (struct tree){0};
}

/* ---- errors ---- */

/* "job.yaml:3:5: " or "--set ...: ". */
static enum gm_code fail_at(struct reader *r, yaml_mark_t mark, const char *text)
{
    if (!r->source->positions)
        return error_set(r->err, GM_BAD_JOB, "%s: %s", r->source->origin, text);
    return error_set(r->err, GM_BAD_JOB, "%s:%zu:%zu: %s", r->source->origin, mark.line + 1, mark.column + 1, text);
}

static enum gm_code fail_parse(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "cannot be parsed";
    char text[300];
    if (p->error == YAML_MEMORY_ERROR)
        return error_memory(r->err, "the job file", 0);
    if (p->error == YAML_READER_ERROR) {
        return error_set(r->err, GM_BAD_JOB, "%s: not a text file that YAML allows: %s at byte %zu.", r->source->origin,
                         problem, p->problem_offset);
    }
    bool token = strstr(problem, "cannot start any token") != NULL;
    snprintf(text, sizeof text, "not valid YAML: %s%s%s%s.", problem, p->context ? ", " : "",
             p->context ? p->context : "",
             token ? " (a tab? Indent with spaces; quote words that start with @ ` %)" : "");
    return fail_at(r, p->problem_mark, text);
}

/* ---- events ---- */

static enum gm_code next_event(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event))
        return fail_parse(r);
    if (r->event.type == YAML_ALIAS_EVENT)
        return fail_at(r, r->event.start_mark, "aliases (*name) are not used in job files: write the value out.");
    return GM_OK;
}

/* Anchors and tags carry meaning that a job file has no use for. */
static enum gm_code refuse_extras(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        return fail_at(r, r->event.start_mark, "anchors (&name) are not used in job files: write the value out.");
    if (tag)
        return fail_at(r, r->event.start_mark, "tags (!name) are not used in job files.");
    return GM_OK;
}

static enum gm_code copy_text(struct reader *r, const char **out)
{
    size_t length = r->event.data.scalar.length;
    const yaml_char_t *value = r->event.data.scalar.value;
    if (memchr(value, 0, length))
        return fail_at(r, r->event.start_mark, "a text holds a zero byte.");
    void *copy;
    enum gm_code code = tree_alloc(r->tree, length + 1, &copy, r->err);
    if (code != GM_OK)
        return code;
    memcpy(copy, value, length);
    *out = copy;
    return GM_OK;
}

static enum gm_code make_node(struct reader *r, enum tree_kind kind, struct tree_node **out)
{
    void *memory = NULL;
    enum gm_code code = tree_alloc(r->tree, sizeof **out, &memory, r->err);
    if (code != GM_OK)
        return code;
    struct tree_node *node = memory;
    node->kind = kind;
    node->origin = r->source->origin;
    if (r->source->positions) {
        node->line = r->event.start_mark.line + 1;
        node->column = r->event.start_mark.column + 1;
    }
    *out = node;
    return GM_OK;
}

static enum gm_code read_value(struct reader *r, size_t depth, struct tree_node **out);

/* The current event is a key: keep it aside until the value's node is there. */
static enum gm_code read_entry(struct reader *r, const struct tree_node *map, size_t depth, struct tree_node **out)
{
    const yaml_mark_t mark = r->event.start_mark;
    const char *key = NULL;
    char text[200];
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail_at(r, mark, "a key must be a word.");
    enum gm_code code = refuse_extras(r, r->event.data.scalar.anchor, r->event.data.scalar.tag);
    if (code == GM_OK)
        code = copy_text(r, &key);
    if (code != GM_OK)
        return code;
    const struct tree_node *twin = tree_find(map, key);
    if (twin) {
        snprintf(text, sizeof text, "duplicate key \"%.60s\"; it was given before on line %zu.", key, twin->key_line);
        return fail_at(r, mark, text);
    }
    code = next_event(r);
    if (code == GM_OK)
        code = read_value(r, depth, out);
    if (code != GM_OK)
        return code;
    (*out)->key = key;
    (*out)->key_line = r->source->positions ? mark.line + 1 : 0;
    (*out)->key_column = r->source->positions ? mark.column + 1 : 0;
    return GM_OK;
}

/* The current event is the start of a list or map; on return it is the end. */
static enum gm_code read_children(struct reader *r, struct tree_node *parent, size_t depth)
{
    yaml_event_type_t end = parent->kind == TREE_LIST ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT;
    struct tree_node **tail = &parent->first;
    for (size_t count = 0;; count++) {
        enum gm_code code = next_event(r);
        if (code != GM_OK || r->event.type == end)
            return code;
        if (depth >= TREE_DEPTH)
            return fail_at(r, r->event.start_mark, "nested too deeply for a job file.");
        if (count >= TREE_ENTRIES)
            return fail_at(r, r->event.start_mark, "too many entries in one list or map for a job file.");
        code = parent->kind == TREE_LIST ? read_value(r, depth + 1, tail) : read_entry(r, parent, depth + 1, tail);
        if (code != GM_OK)
            return code;
        tail = &(*tail)->next;
    }
}

static enum gm_code read_value(struct reader *r, size_t depth, struct tree_node **out)
{
    const yaml_event_t *e = &r->event;
    struct tree_node *node = NULL;
    enum gm_code code;
    if (e->type == YAML_SCALAR_EVENT) {
        code = refuse_extras(r, e->data.scalar.anchor, e->data.scalar.tag);
        if (code == GM_OK)
            code = make_node(r, TREE_SCALAR, &node);
        if (code == GM_OK)
            code = copy_text(r, &node->text);
        if (code == GM_OK)
            node->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        code = refuse_extras(r, e->data.sequence_start.anchor, e->data.sequence_start.tag);
        if (code == GM_OK)
            code = make_node(r, TREE_LIST, &node);
        if (code == GM_OK)
            code = read_children(r, node, depth);
    } else {
        code = refuse_extras(r, e->data.mapping_start.anchor, e->data.mapping_start.tag);
        if (code == GM_OK)
            code = make_node(r, TREE_MAP, &node);
        if (code == GM_OK)
            code = read_children(r, node, depth);
    }
    if (code == GM_OK)
        *out = node;
    return code;
}

/* An empty text: an empty map, or nothing at all. */
static enum gm_code make_empty(struct reader *r, struct tree_node **out)
{
    enum gm_code code = make_node(r, r->source->empty, out);
    if (code != GM_OK)
        return code;
    (*out)->text = "";
    (*out)->plain = true;
    return GM_OK;
}

/* Stream start, at most one document, stream end. */
static enum gm_code read_stream(struct reader *r, struct tree_node **out)
{
    enum gm_code code = next_event(r); /* stream start */
    if (code == GM_OK)
        code = next_event(r); /* document start or stream end */
    if (code == GM_OK && r->event.type == YAML_STREAM_END_EVENT)
        return make_empty(r, out);
    if (code == GM_OK)
        code = next_event(r);
    if (code == GM_OK)
        code = read_value(r, 0, out);
    if (code == GM_OK)
        code = next_event(r); /* document end */
    if (code == GM_OK)
        code = next_event(r);
    if (code == GM_OK && r->event.type != YAML_STREAM_END_EVENT)
        return fail_at(r, r->event.start_mark, "a second document starts here; a job file holds one.");
    return code;
}

enum gm_code tree_read(struct tree *tree, const struct tree_source *source, struct tree_node **out,
                       struct gm_error *err)
{
    struct reader r = {.tree = tree, .source = source, .err = err};
    if (!yaml_parser_initialize(&r.parser))
        return error_memory(err, "the job file", 0);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)source->text, source->size);
    enum gm_code code = read_stream(&r, out);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return code;
}

enum gm_code tree_parse(struct tree *tree, const char *origin, const char *text, size_t size, struct gm_error *err)
{
    const struct tree_source source = {origin, text, size, true, TREE_MAP};
    return tree_read(tree, &source, &tree->root, err);
}

/* The loss section: a name, a map, or a list of maps (a weighted sum of losses). */
#include "cli/job.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static enum gm_code read_term(const struct job_reader *r, const struct tree_node *node, struct gm_job_loss *term)
{
    char where[TREE_WHERE];
    term->weight = 1;
    if (node->kind == TREE_SCALAR) {
        const struct job_key *name = job_key_find("loss.name");
        return job_value(r, name, node, term);
    }
    enum gm_code code = job_walk(r, node, "loss", term);
    if (code == GM_OK && !term->name)
        code = error_set(r->err, GM_BAD_JOB, "%s: loss.name is missing; `gradmill losses` lists all.",
                         tree_where(node, where));
    return code;
}

enum gm_code job_loss(const struct job_reader *r, const struct tree_node *node)
{
    char expected[JOB_EXPECTED];
    size_t count = node->kind == TREE_LIST ? tree_count(node) : 1;
    void *memory = NULL;
    if (tree_is_null(node) || count == 0)
        return job_fail(r, node, "loss", job_expected(job_key_find("loss"), expected));
    enum gm_code code = tree_alloc(&r->file->tree, count * sizeof(struct gm_job_loss), &memory, r->err);
    if (code != GM_OK)
        return code;
    struct gm_job_loss *terms = memory;
    const struct tree_node *child = node->kind == TREE_LIST ? node->first : node;
    for (size_t i = 0; i < count && code == GM_OK; i++, child = child->next) {
        if (node->kind == TREE_LIST && (child->kind == TREE_LIST || tree_is_null(child)))
            code = job_fail(r, child, "loss", "a loss: a name or a map {name, weight, columns, params}");
        else
            code = read_term(r, child, &terms[i]);
    }
    r->file->job.loss.terms = terms;
    r->file->job.loss.count = count;
    return code;
}

/* ---- columns ---- */

static bool column_number(const char *text, size_t *out)
{
    int64_t value;
    if (!text_integer(text, &value) || value < 0 || value > INT32_MAX)
        return false;
    *out = (size_t)value;
    return true;
}

struct columns {
    size_t first, end;
};

/* "2" or "0:3". */
static bool column_text(const char *text, struct columns *columns)
{
    char first[24];
    size_t length = strcspn(text, ":");
    if (length >= sizeof first)
        return false;
    memcpy(first, text, length);
    first[length] = 0;
    if (!column_number(first, &columns->first))
        return false;
    columns->end = columns->first + 1;
    return !text[length] || (column_number(text + length + 1, &columns->end) && columns->end > columns->first);
}

/* [0, 1, 2]: neighbours in rising order. */
static bool column_list(const struct tree_node *list, struct columns *columns)
{
    for (const struct tree_node *node = list->first; node; node = node->next) {
        size_t column;
        if (node->kind != TREE_SCALAR || tree_is_null(node) || !column_number(node->text, &column))
            return false;
        if (node != list->first && column != columns->end)
            return false;
        if (node == list->first)
            columns->first = column;
        columns->end = column + 1;
    }
    return list->first != NULL;
}

enum gm_code job_columns(const struct job_reader *r, const struct job_key *key, const struct tree_node *node,
                         struct gm_job_loss *term)
{
    char expected[JOB_EXPECTED];
    struct columns columns = {0};
    bool word = node->kind == TREE_SCALAR && !tree_is_null(node);
    bool good = (word && (strcmp(node->text, "all") == 0 || column_text(node->text, &columns))) ||
                (node->kind == TREE_LIST && column_list(node, &columns));
    if (!good)
        return job_fail(r, node, key->path, job_expected(key, expected));
    bool target = strcmp(key->path, "loss.target") == 0;
    *(target ? &term->target_first : &term->column_first) = columns.first;
    *(target ? &term->target_end : &term->column_end) = columns.end;
    return GM_OK;
}

/* ---- params ---- */

static enum gm_code join_list(const struct job_reader *r, const struct tree_node *list, const char **out)
{
    size_t size = 1, used = 0;
    void *memory = NULL;
    for (const struct tree_node *node = list->first; node; node = node->next) {
        if (node->kind != TREE_SCALAR || tree_is_null(node))
            return job_fail(r, node, "loss.params", "a number or a word in the list");
        size += strlen(node->text) + 1;
    }
    enum gm_code code = tree_alloc(&r->file->tree, size, &memory, r->err);
    if (code != GM_OK)
        return code;
    char *text = memory;
    for (const struct tree_node *node = list->first; node; node = node->next)
        used += (size_t)snprintf(text + used, size - used, "%s%s", node == list->first ? "" : ",", node->text);
    *out = text;
    return GM_OK;
}

enum gm_code job_params(const struct job_reader *r, const struct tree_node *node, struct gm_job_loss *term)
{
    char expected[JOB_EXPECTED], path[128];
    void *memory = NULL;
    if (tree_is_null(node))
        return GM_OK;
    if (node->kind != TREE_MAP)
        return job_fail(r, node, "loss.params", job_expected(job_key_find("loss.params"), expected));
    size_t count = tree_count(node);
    enum gm_code code = tree_alloc(&r->file->tree, count * sizeof(struct gm_setting), &memory, r->err);
    struct gm_setting *params = memory;
    const struct tree_node *child = node->first;
    for (size_t i = 0; i < count && code == GM_OK; i++, child = child->next) {
        params[i].name = child->key;
        params[i].value = child->text;
        if (child->kind == TREE_LIST) {
            code = join_list(r, child, &params[i].value);
        } else if (child->kind == TREE_MAP || tree_is_null(child)) {
            snprintf(path, sizeof path, "loss.params.%.60s", child->key);
            code = job_fail(r, child, path, "a number, a word or a list of numbers");
        }
    }
    if (code != GM_OK)
        return code;
    term->params = params;
    term->n_params = count;
    return GM_OK;
}

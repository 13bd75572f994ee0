/*
 * A YAML document as a tree that knows where each value was written, and can be edited by --set.
 *
 * Parsing is libyaml's; this adds limits (a job file is a page of text): depth, entries of one list or map, no anchors,
 * aliases, tags or merge keys, no duplicate keys, one document. What keys mean is job.c's business.
 */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include <gradmill/status.h>

#define TREE_DEPTH   32   /* maps and lists within each other */
#define TREE_ENTRIES 4096 /* of one map or list */

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree_node {
    enum tree_kind kind;
    bool plain;                                /* a scalar without quotes: a number, true, null ... or a word */
    const char *text;                          /* of a scalar */
    const char *key;                           /* in a map */
    const char *origin;                        /* "job.yaml" or "--set stop.patience=3" */
    size_t line, column, key_line, key_column; /* from 1; 0: origin says it all */
    struct tree_node *first, *next;            /* children; sibling */
};

struct tree_block;
struct tree { /* owns its nodes and texts */
    struct tree_node *root;
    struct tree_block *blocks;
};

/* Memory that lives as long as the tree. */
enum gm_code tree_alloc(struct tree *tree, size_t size, void **out, struct gm_error *err);

/* Parse `size` bytes of `text` and make it the root. `origin` is the file's name, borrowed. An empty document is an
 * empty map. GM_BAD_JOB with file, line and column; GM_SYSTEM. A zeroed tree may be released. */
enum gm_code tree_parse(struct tree *tree, const char *origin, const char *text, size_t size, struct gm_error *err);
void tree_release(struct tree *tree);

/* "a.b.c=VALUE": put VALUE, itself YAML, at a path; maps on the way are made, "list.0" names an entry. A scalar in the
 * way becomes a map that holds it under the key named by `shorthand` (path -> key; NULL: the scalar is dropped). */
typedef const char *tree_shorthand_fn(const char *path);
enum gm_code tree_set(struct tree *tree, const char *assignment, tree_shorthand_fn *shorthand, struct gm_error *err);

/* The entry of a map, or NULL. */
struct tree_node *tree_find(const struct tree_node *map, const char *key);
size_t tree_count(const struct tree_node *node);
/* An empty scalar, null, Null, NULL or ~ without quotes. */
bool tree_is_null(const struct tree_node *node);

#define TREE_WHERE 300
/* "job.yaml:3:5" of a value, or of its key. Returns buffer. */
char *tree_where(const struct tree_node *node, char buffer[TREE_WHERE]);
char *tree_where_key(const struct tree_node *node, char buffer[TREE_WHERE]);
/* What a value is, for "found ...": "\"text\"", "nothing", "a list", "a map"; control characters are shown as '?'. */
#define TREE_FOUND 80
char *tree_found(const struct tree_node *node, char buffer[TREE_FOUND]);

#endif

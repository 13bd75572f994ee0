/* Between tree.c and tree_edit.c. */
#ifndef CLI_TREE_INTERNAL_H
#define CLI_TREE_INTERNAL_H

#include "cli/tree.h"

/* Text to parse. */
struct tree_source {
    const char *origin; /* borrowed as long as the tree */
    const char *text;
    size_t size;
    bool positions;       /* lines and columns mean something to the reader */
    enum tree_kind empty; /* what an empty document is */
};
enum gm_code tree_read(struct tree *tree, const struct tree_source *source, struct tree_node **out,
                       struct gm_error *err);

#endif

/* The set of class names of a file: found while reading, sorted at the end, then looked up. */
#ifndef DATASETS_LABELS_H
#define DATASETS_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "datasets/list.h"

#define LABELS_MOST ((size_t)1 << 20)

struct labels { /* a zeroed struct is empty */
    struct list_texts names;
    size_t *slots; /* hash table of index + 1 into names; 0: free */
    size_t slot_count;
};

/* Add `name` unless it is there. The caller checks names.count against LABELS_MOST. */
enum gm_code label_set_add(struct labels *set, const char *name, struct gm_error *err);
/* Sort by strcmp: from now on label_set_find gives the class. */
void label_set_sort(struct labels *set);
/* Index of `name`, or SIZE_MAX. */
size_t label_set_find(const struct labels *set, const char *name);
void label_set_release(struct labels *set);

#endif

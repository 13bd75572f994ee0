/* Class names: a hash table over a list of strings. */
#include "datasets/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* FNV-1a, Fowler, Noll and Vo 1991. */
static uint64_t hash(const char *text)
{
    uint64_t h = 14695981039346656037u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h ^ h >> 32;
}

/* The slot that holds `name`, or the free one where it belongs. */
static size_t slot_of(const struct labels *set, const char *name)
{
    size_t at = (size_t)hash(name) & (set->slot_count - 1);
    while (set->slots[at] && strcmp(set->names.items[set->slots[at] - 1], name) != 0)
        at = (at + 1) & (set->slot_count - 1);
    return at;
}

static void fill(struct labels *set)
{
    memset(set->slots, 0, set->slot_count * sizeof *set->slots);
    for (size_t i = 0; i < set->names.count; i++)
        set->slots[slot_of(set, set->names.items[i])] = i + 1;
}

enum gm_code label_set_add(struct labels *set, const char *name, struct gm_error *err)
{
    if (2 * (set->names.count + 1) > set->slot_count) {
        size_t *fresh, count = set->slot_count ? 2 * set->slot_count : 64;
        enum gm_code code = memory_alloc((void **)&fresh, count, sizeof *fresh, "class names", err);
        if (code)
            return code;
        memory_free(set->slots);
        set->slots = fresh;
        set->slot_count = count;
        fill(set);
    }
    size_t at = slot_of(set, name);
    if (set->slots[at])
        return GM_OK;
    enum gm_code code = list_add(&set->names, name, err);
    if (code == GM_OK)
        set->slots[at] = set->names.count;
    return code;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void label_set_sort(struct labels *set)
{
    if (set->names.count == 0)
        return;
    qsort(set->names.items, set->names.count, sizeof(char *), by_text);
    fill(set);
}

size_t label_set_find(const struct labels *set, const char *name)
{
    size_t found = set->slot_count ? set->slots[slot_of(set, name)] : 0;
    return found ? found - 1 : SIZE_MAX;
}

void label_set_release(struct labels *set)
{
    list_release(&set->names);
    memory_free(set->slots);
    *set = (struct labels){0};
}

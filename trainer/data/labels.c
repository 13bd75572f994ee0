/* Class labels as small numbers. */
#include "data/labels.h"

#include <string.h>

#include <xxhash.h>

#include "base/memory.h"

enum { SLOTS_FIRST = 256 };

enum gm_code labels_init(struct labels *labels, size_t rows, struct gm_error *err)
{
    *labels = (struct labels){.rows = rows, .n_slots = SLOTS_FIRST, .room = SLOTS_FIRST / 2, .most = LABELS_MOST};
    enum gm_code code = memory_alloc((void **)&labels->codes, rows, sizeof *labels->codes, "class labels", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&labels->list, labels->room, sizeof *labels->list, "class labels", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&labels->slots, labels->n_slots, sizeof *labels->slots, "class labels", err);
    if (code != GM_OK)
        labels_release(labels);
    return code;
}

void labels_release(struct labels *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        memory_free(labels->list[i].bytes);
    memory_free(labels->codes);
    memory_free(labels->list);
    memory_free(labels->slots);
    *labels = (struct labels){0};
}

/* The slot of a label, or the free one where it belongs. */
static size_t find_slot(const struct labels *labels, const void *bytes, size_t size)
{
    size_t slot = (size_t)XXH3_64bits(bytes, size) & (labels->n_slots - 1);
    while (labels->slots[slot]) {
        const struct label *label = &labels->list[labels->slots[slot] - 1];
        if (label->size == size && memcmp(label->bytes, bytes, size) == 0)
            break;
        slot = (slot + 1) & (labels->n_slots - 1);
    }
    return slot;
}

/* Twice as many slots; at most half of them are taken. */
static bool grow(struct labels *labels)
{
    struct label *list;
    uint32_t *slots;
    if (memory_alloc((void **)&list, 2 * labels->room, sizeof *list, "class labels", NULL) != GM_OK)
        return false;
    if (memory_alloc((void **)&slots, 2 * labels->n_slots, sizeof *slots, "class labels", NULL) != GM_OK) {
        memory_free(list);
        return false;
    }
    memcpy(list, labels->list, labels->count * sizeof *list);
    memory_free(labels->list);
    memory_free(labels->slots);
    labels->list = list;
    labels->slots = slots;
    labels->room *= 2;
    labels->n_slots *= 2;
    for (size_t i = 0; i < labels->count; i++)
        labels->slots[find_slot(labels, list[i].bytes, list[i].size)] = (uint32_t)i + 1;
    return true;
}

bool labels_add(struct labels *labels, size_t row, const void *bytes, size_t size)
{
    size_t slot = find_slot(labels, bytes, size);
    if (!labels->slots[slot]) {
        if (labels->count == labels->most)
            return false;
        if (labels->count == labels->room) {
            if (!grow(labels))
                return false;
            slot = find_slot(labels, bytes, size);
        }
        struct label *label = &labels->list[labels->count];
        if (memory_alloc((void **)&label->bytes, size + 1, 1, "class labels", NULL) != GM_OK)
            return false;
        memcpy(label->bytes, bytes, size);
        label->size = size;
        labels->slots[slot] = (uint32_t)++labels->count;
    }
    labels->codes[row] = labels->slots[slot] - 1;
    return true;
}

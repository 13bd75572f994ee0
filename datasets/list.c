/* Arrays that grow. */
#include "datasets/list.h"

#include <string.h>

#include "base/memory.h"

enum gm_code list_reserve(void **items, size_t *room, size_t used, size_t need, size_t size, struct gm_error *err)
{
    if (need <= *room)
        return GM_OK;
    size_t larger = *room < 16 ? 16 : *room * 2;
    if (larger < need)
        larger = need;
    void *fresh;
    enum gm_code code = memory_alloc(&fresh, larger, size, "a growing list", err);
    if (code)
        return code;
    if (used)
        memcpy(fresh, *items, used * size);
    memory_free(*items);
    *items = fresh;
    *room = larger;
    return GM_OK;
}

enum gm_code list_add(struct list_texts *list, const char *text, struct gm_error *err)
{
    enum gm_code code =
        list_reserve((void **)&list->items, &list->room, list->count, list->count + 1, sizeof(char *), err);
    if (code == GM_OK)
        code = memory_string(&list->items[list->count], text, err);
    if (code == GM_OK)
        list->count++;
    return code;
}

void list_release(struct list_texts *list)
{
    for (size_t i = 0; i < list->count; i++)
        memory_free(list->items[i]);
    memory_free(list->items);
    *list = (struct list_texts){0};
}

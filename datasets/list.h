/* Arrays that grow: bytes, and strings kept behind each other. */
#ifndef DATASETS_LIST_H
#define DATASETS_LIST_H

#include <stddef.h>

#include <gradmill/status.h>

/* Make room for `need` elements of `size` bytes behind *items, keeping the first `used`; *room is doubled at least. */
enum gm_code list_reserve(void **items, size_t *room, size_t used, size_t need, size_t size, struct gm_error *err);

/* A list of strings; a zeroed struct is empty. */
struct list_texts {
    char **items;
    size_t count, room;
};
enum gm_code list_add(struct list_texts *list, const char *text, struct gm_error *err);
void list_release(struct list_texts *list);

#endif

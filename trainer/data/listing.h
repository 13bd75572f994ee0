/* What a group holds, for choosing by convention and for telling what there would have been. Callers hold hdf5_lock. */
#ifndef DATA_LISTING_H
#define DATA_LISTING_H

#include "data/h5.h"

enum { LISTING_MOST = 64 };

struct listing_item {
    char *name;     /* within the group */
    char about[80]; /* "float32 [1797 x 64]" */
    enum h5_kind kind;
    size_t rank, rows;
};

struct listing {
    struct listing_item items[LISTING_MOST];
    size_t count;
    size_t more; /* datasets beyond LISTING_MOST */
};

/* The datasets of a group, in the order of their names. GM_SYSTEM. */
enum gm_code listing_read(struct listing *listing, const struct h5_file *file, const char *group, struct gm_error *err);
void listing_release(struct listing *listing);

/* "'A' float32 [10 x 4], 'B' text [10]", cut where the text is full. Returns text. */
char *listing_text(const struct listing *listing, char *text, size_t size);

#endif

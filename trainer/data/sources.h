/* Which files a data_source names: patterns and lists become one source a file. */
#ifndef DATA_SOURCES_H
#define DATA_SOURCES_H

#include "data/data.h"

struct sources {
    struct data_source *list; /* [count] each of one file; strings are owned */
    size_t count;
};

/* "part-*.h5:/x" stands for the files that match, sorted by strcmp; a name of an existing file stands for itself.
 * features, target, weight, group and split, where given, must name as many files each and go together in order.
 * GM_NO_INPUT: nothing matches; GM_BAD_DATA: the numbers of files differ. */
enum gm_code sources_expand(struct sources *sources, const struct data_source *source, struct gm_error *err);
void sources_release(struct sources *sources); /* a zeroed struct is fine */

#endif

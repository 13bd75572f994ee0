/* "FILE.h5:/group/dataset" split into file and location. */
#include "data/data.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum gm_code data_split_name(const char *name, char **file, char **location, struct gm_error *err)
{
    *location = NULL;
    enum gm_code code = memory_string(file, name, err);
    if (code != GM_OK)
        return code;
    char *colon = NULL;
    for (char *at = strchr(*file, ':'); at; at = strchr(at + 1, ':'))
        if (at[1] == '/')
            colon = at;
    if (colon) {
        *colon = 0;
        *location = colon + 1;
    }
    if (**file)
        return GM_OK;
    memory_free(*file);
    *file = *location = NULL;
    return error_set(err, GM_NO_INPUT, "'%s': no file is named; expected FILE.h5 or FILE.h5:/group.", name);
}

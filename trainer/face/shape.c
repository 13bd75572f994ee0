/* The library's face: how large a dataset is. */
#include <gradmill/gradmill.h>

#include "train/problem.h"

enum gm_code gm_data_shape(const struct gm_data *data, bool allow_external, size_t *rows, size_t *features,
                           struct gm_error *err)
{
    struct data_set *set = NULL;
    const struct data_source source = problem_source(data);
    const struct data_options options = {.allow_external = allow_external, .missing = DATA_MISSING_ERROR};
    enum gm_code code = data_open(&set, &source, &options, err);
    if (code == GM_OK) {
        *rows = data_schema(set)->rows;
        *features = data_schema(set)->features;
    }
    data_close(set);
    return code;
}

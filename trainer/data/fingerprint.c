/* The identity of a dataset's content. */
#include "data/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/set.h"

struct fingerprint {
    XXH3_state_t *state;
};

static void add_schema(XXH3_state_t *state, const struct data_set *set)
{
    const struct data_schema *schema = &set->schema;
    char text[256];
    int length =
        snprintf(text, sizeof text, "rows %zu features %zu %s targets %zu %s weights %d groups %d classes %zu",
                 schema->rows, schema->features, data_type_name(schema->type), schema->targets,
                 data_type_name(schema->target_type), set->weights != NULL, set->groups != NULL, schema->classes);
    XXH3_128bits_update(state, text, (size_t)length);
    if (schema->first_features) {
        length = snprintf(text, sizeof text, "first %zu", schema->first_features);
        XXH3_128bits_update(state, text, (size_t)length);
    }
    if (set->sparse) {
        XXH3_128bits_update(state, "sparse", 6);
        XXH3_128bits_update(state, set->sparse->start, (schema->rows + 1) * sizeof *set->sparse->start);
    }
    for (size_t i = 0; i < schema->classes; i++)
        XXH3_128bits_update(state, schema->class_names[i], strlen(schema->class_names[i]) + 1);
}

static void add_sides(XXH3_state_t *state, const struct data_set *set)
{
    size_t rows = set->schema.rows;
    if (set->target_values)
        XXH3_128bits_update(state, set->target_values,
                            rows * set->schema.targets * data_type_size(set->schema.target_type));
    if (set->labels.codes) { /* words that no loss asked to be classes */
        XXH3_128bits_update(state, set->labels.codes, rows * sizeof *set->labels.codes);
        for (size_t i = 0; i < set->labels.count; i++)
            XXH3_128bits_update(state, set->labels.list[i].bytes, set->labels.list[i].size + 1);
    }
    if (set->weights)
        XXH3_128bits_update(state, set->weights, rows * sizeof *set->weights);
    if (set->marks)
        XXH3_128bits_update(state, set->marks, rows * sizeof *set->marks);
    if (set->groups)
        XXH3_128bits_update(state, set->groups, rows * sizeof *set->groups);
}

enum gm_code fingerprint_open(struct fingerprint **out, const struct data_set *set, struct gm_error *err)
{
    enum gm_code code = memory_alloc((void **)out, 1, sizeof **out, "a fingerprint", err);
    if (code != GM_OK)
        return code;
    XXH3_state_t *state = (*out)->state = XXH3_createState();
    if (!state || XXH3_128bits_reset(state) != XXH_OK)
        return error_memory(err, "a fingerprint", 0);
    add_schema(state, set);
    add_sides(state, set);
    return GM_OK;
}

void fingerprint_add(struct fingerprint *fingerprint, const void *bytes, size_t size)
{
    XXH3_128bits_update(fingerprint->state, bytes, size);
}

void fingerprint_finish(const struct fingerprint *fingerprint, char hex[33])
{
    XXH128_hash_t hash = XXH3_128bits_digest(fingerprint->state);
    snprintf(hex, 33, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64, (uint64_t)hash.low64);
}

void fingerprint_close(struct fingerprint *fingerprint)
{
    if (!fingerprint)
        return;
    XXH3_freeState(fingerprint->state);
    memory_free(fingerprint);
}

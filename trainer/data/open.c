/* Opening a dataset: what there is, where it is, and whether its parts fit together. */
#include "data/set.h"

#include <string.h>

#include "base/error.h"
#include "base/hdf5_lock.h"
#include "base/memory.h"
#include "base/probe.h"
#include "data/find.h"
#include "data/sizes.h"
#include "data/sources.h"

static const char *const weight_names[] = {"weight", "weights", "sample_weight", NULL};
static const char *const group_names[] = {"group", "groups", "qid", NULL};
static const char *const split_names[] = {"split", NULL};
static const char *const second_names[] = {"second", "X2", "x2", NULL};

#define TOUCH_BYTES ((size_t)256 << 10) /* a band that small is decoded in the trial */

static void release(struct data_set *set)
{
    several_release(set);
    joined_release(set);
    mapped_close(&set->mapped);
    ahead_close(&set->ahead);
    sparse_close(set->sparse);
    chunks_close(set->chunks);
    stored_close(&set->features);
    stored_close(&set->target);
    stored_close(&set->weight);
    stored_close(&set->group);
    stored_close(&set->split);
    h5_free_words(set->feature_names, set->feature_name_count);
    h5_free_words(set->file_classes, set->file_class_count);
    h5_free_words(set->class_names, set->schema.classes);
    labels_release(&set->labels);
    memory_free(set->target_values);
    memory_free(set->weights);
    memory_free(set->groups);
    memory_free(set->marks);
    memory_free(set->copy);
    pass_memory_release(&set->spare);
    hdf5_lock();
    h5_close(&set->files);
    hdf5_unlock();
    *set = (struct data_set){0};
}

/* The features are a group of sparse rows: `features` gets their name and shape. */
static enum gm_code open_sparse(struct data_set *set, struct place *home, const char *name, struct gm_error *err)
{
    enum gm_code code = sparse_open(&set->sparse, home->file, name, err);
    struct stored *x = &set->features;
    const struct sparse *s = set->sparse;
    if (code == GM_OK)
        code = memory_string(&x->at, s->at, err);
    if (code != GM_OK)
        return code;
    x->name = x->at + strlen(home->file->path) + 1;
    x->kind = H5_NUMBERS;
    x->value_type = s->values.stored.value_type;
    x->rank = 2;
    x->rows = x->dims[0] = s->rows;
    x->columns = x->dims[1] = s->features;
    x->row_bytes = (size_t)(s->entries / s->rows + 1) * sparse_entry_bytes(s);
    x->band_rows = 1;
    char *slash = strrchr(home->group, '/'); /* target and the like are beside the group, not in it */
    if (strcmp(home->group, name) == 0 && slash)
        slash[slash == home->group] = 0;
    return GM_OK;
}

static enum gm_code find_x(struct data_set *set, struct place *home, const char *where, struct gm_error *err)
{
    char name[512];
    enum gm_code code = place_open(home, &set->files, where, err);
    if (code == GM_OK && !home->name && sparse_find(home, name, sizeof name))
        return open_sparse(set, home, name, err);
    if (code == GM_OK && !home->name)
        code = find_features(home, err);
    if (code == GM_OK)
        code = stored_open(&set->features, home->file, home->name, err);
    if (code == GM_OK && set->features.kind != H5_NUMBERS)
        code = error_set(err, GM_BAD_DATA, "%s: features must be numbers; these are words.", set->features.at);
    return code;
}

/* Is `stored` one row of it for each row of features? */
static enum gm_code check_rows(const struct data_set *set, const struct stored *stored, const char *what,
                               struct gm_error *err)
{
    if (stored->rows == set->features.rows)
        return GM_OK;
    return error_set(err, GM_BAD_DATA, "%s: the %s has %zu rows but the features %s have %zu.", stored->at, what,
                     stored->rows, set->features.at, set->features.rows);
}

static enum gm_code find_y(struct data_set *set, const struct place *home, const char *where, struct gm_error *err)
{
    struct place place = {0};
    enum gm_code code =
        where ? place_open(&place, &set->files, where, err) : memory_string(&place.group, home->group, err);
    place.file = where ? place.file : home->file;
    if (code == GM_OK && !place.name)
        code = find_target(&place, &set->features, set->options.need_target || where, err);
    if (code == GM_OK && place.name && strcmp(place.name, set->features.name) == 0 && place.file == home->file)
        code = error_set(err, GM_BAD_DATA, "%s: is both the features and the target.", set->features.at);
    if (code == GM_OK && place.name)
        code = stored_open(&set->target, place.file, place.name, err);
    if (code == GM_OK && set->target.at)
        code = check_rows(set, &set->target, "target", err);
    if (code == GM_OK && set->target.at && set->target.kind == H5_WORDS && set->target.columns != 1)
        code = error_set(err, GM_BAD_DATA, "%s: words are class labels, one for each row, but there are %zu.",
                         set->target.at, set->target.columns);
    place_release(&place);
    return code;
}

/* A dataset of one value for each row: named, or found beside the features, or not there. */
static enum gm_code find_side(struct data_set *set, struct stored *stored, const struct place *home, const char *where,
                              const char *const *names, struct gm_error *err)
{
    const char *what = names[0];
    struct place place = {0};
    enum gm_code code =
        where ? place_open(&place, &set->files, where, err) : memory_string(&place.group, home->group, err);
    place.file = where ? place.file : home->file;
    if (code == GM_OK && !place.name)
        code = find_named(&place, names, err);
    if (code == GM_OK && where && !place.name)
        code = error_set(err, GM_NO_INPUT, "%s: holds no dataset named %s; name it as FILE.h5:/NAME.", where, what);
    if (code == GM_OK && place.name)
        code = stored_open(stored, place.file, place.name, err);
    if (code == GM_OK && stored->at)
        code = check_rows(set, stored, what, err);
    bool words = stored->kind == H5_WORDS && names == split_names;
    if (code == GM_OK && stored->at && ((stored->kind != H5_NUMBERS && !words) || stored->columns != 1))
        code = error_set(err, GM_BAD_DATA, "%s: the %s must be one number%s for each row.", stored->at, what,
                         names == split_names ? " or word" : "");
    place_release(&place);
    return code;
}

/* The second input: named, as features of a place of its own, or found beside the first. */
static enum gm_code find_second(struct data_set *set, const struct place *home, const char *where, struct gm_error *err)
{
    struct place place = {0};
    struct stored second = {0};
    enum gm_code code =
        where ? place_open(&place, &set->files, where, err) : memory_string(&place.group, home->group, err);
    place.file = where ? place.file : home->file;
    if (code == GM_OK && !place.name)
        code = where ? find_features(&place, err) : find_named(&place, second_names, err);
    if (code == GM_OK && !place.name)
        code = error_set(err, GM_BAD_DATA,
                         "%s: the model takes two inputs, and there is none of second, X2, x2 beside the features; "
                         "name it as second: FILE.h5:/NAME (for predict and evaluate: --second).",
                         set->features.at);
    if (code == GM_OK && strcmp(place.name, set->features.name) == 0 && place.file == home->file)
        code = error_set(err, GM_BAD_DATA, "%s: is both the first and the second input.", set->features.at);
    if (code == GM_OK)
        code = stored_open(&second, place.file, place.name, err);
    if (code == GM_OK)
        code = joined_open(set, &second, err);
    stored_close(&second);
    place_release(&place);
    return code;
}

/* The words of an attribute or dataset of the features' group, or else of the root. */
static enum gm_code read_words(char ***words, size_t *count, const struct place *home, const char *name,
                               struct gm_error *err)
{
    hid_t group = H5Gopen2(home->file->id, home->group, H5P_DEFAULT);
    enum gm_code code = h5_words(words, count, group, name, err);
    if (code == GM_OK && !*words && strcmp(home->group, "/") != 0) {
        hid_t root = H5Gopen2(home->file->id, "/", H5P_DEFAULT);
        code = h5_words(words, count, root, name, err);
        H5Gclose(root);
    }
    H5Gclose(group);
    return code;
}

static enum gm_code read_names(struct data_set *set, const struct place *home, struct gm_error *err)
{
    enum gm_code code = read_words(&set->feature_names, &set->feature_name_count, home, "feature_names", err);
    if (code == GM_OK && set->feature_names && set->feature_name_count != set->features.columns) {
        h5_free_words(set->feature_names, set->feature_name_count); /* names of something else */
        set->feature_names = NULL;
        set->feature_name_count = 0;
    }
    if (code != GM_OK || !set->target.at || set->target.kind != H5_NUMBERS)
        return code;
    code = h5_words(&set->file_classes, &set->file_class_count, set->target.dataset, "class_names", err);
    if (code == GM_OK && !set->file_classes)
        code = read_words(&set->file_classes, &set->file_class_count, home, "class_names", err);
    if (code == GM_OK && !set->file_classes)
        code = h5_enum_words(&set->file_classes, &set->file_class_count, set->target.type, err);
    return code;
}

static bool is_whole(enum data_type type)
{
    return type <= DATA_I64;
}

static void fill_schema(struct data_set *set)
{
    const struct stored *x = &set->features, *y = &set->target;
    struct data_schema *schema = &set->schema;
    *schema = (struct data_schema){.rows = x->rows,
                                   .features = x->columns,
                                   .targets = y->at ? y->columns : 0,
                                   .first_features = set->parts[0] ? set->parts[0]->features.columns : 0,
                                   .sparse = set->sparse != NULL,
                                   .entries = set->sparse ? set->sparse->entries : 0,
                                   .type = x->value_type,
                                   .target_type = y->at && y->kind == H5_NUMBERS ? y->value_type : DATA_F64,
                                   .target_is_text = y->at && y->kind == H5_WORDS,
                                   .target_is_whole = y->at && y->kind == H5_NUMBERS && is_whole(y->value_type),
                                   .feature_names = (const char *const *)set->feature_names,
                                   .feature_rank = x->rank - 1,
                                   .has_weight = set->weight.at != NULL,
                                   .has_group = set->group.at != NULL,
                                   .features_at = x->at,
                                   .target_at = y->at};
    for (size_t i = 1; i < x->rank; i++)
        schema->feature_dims[i - 1] = x->dims[i];
}

struct opening {
    struct data_set *set;
    const struct data_source *source;
    bool trial;
};

/* In the trial: walk over the index of the chunks, and decode the first and the last row where that is cheap. */
static enum gm_code touch(const struct stored *stored, struct gm_error *err)
{
    if (!stored->at || stored->dataset <= 0)
        return GM_OK;
    H5Dget_storage_size(stored->dataset);
    sizes_trust(stored);
    if (stored->kind != H5_NUMBERS || stored->band_bytes > TOUCH_BYTES || stored->row_bytes > TOUCH_BYTES)
        return GM_OK;
    void *row = NULL;
    enum gm_code code = memory_alloc(&row, stored->row_bytes, 1, "a row", err);
    if (code == GM_OK)
        code = stored_read(stored, 0, 1, row, err);
    if (code == GM_OK)
        code = stored_read(stored, stored->rows - 1, 1, row, err);
    memory_free(row);
    return code;
}

static enum gm_code open_parts(void *context, struct gm_error *err)
{
    const struct opening *opening = context;
    struct data_set *set = opening->set;
    const struct data_source *source = opening->source;
    struct place home = {0};
    set->files.allow_external = set->options.allow_external;
    hdf5_lock();
    enum gm_code code = find_x(set, &home, source->features ? source->features : source->path, err);
    if (code == GM_OK)
        code = find_y(set, &home, source->target, err);
    if (code == GM_OK)
        code = find_side(set, &set->weight, &home, source->weight, weight_names, err);
    if (code == GM_OK)
        code = find_side(set, &set->group, &home, source->group, group_names, err);
    if (code == GM_OK && (source->split || source->find_split))
        code = find_side(set, &set->split, &home, source->split, split_names, err);
    if (code == GM_OK && source->find_split && !set->split.at)
        code = error_set(err, GM_NO_INPUT, "%s: there is no dataset 'split' beside the features.", set->features.at);
    if (code == GM_OK && (source->second || set->options.need_second))
        code = find_second(set, &home, source->second, err);
    if (code == GM_OK)
        code = read_names(set, &home, err);
    const struct stored *parts[] = {&set->features, &set->target, &set->weight, &set->group, &set->split};
    for (size_t p = 0; code == GM_OK && opening->trial && p < 2 && set->parts[p]; p++)
        code = touch(&set->parts[p]->features, err);
    for (size_t i = 0; code == GM_OK && opening->trial && i < sizeof parts / sizeof *parts; i++)
        code = touch(parts[i], err);
    if (code == GM_OK && opening->trial && set->sparse)
        code = sparse_touch(set->sparse, err);
    place_release(&home);
    hdf5_unlock();
    return code;
}

static enum gm_code open_one(struct data_set **out, const struct data_source *source,
                             const struct data_options *options, struct gm_error *err)
{
    *out = NULL;
    const char *where = source->features ? source->features : source->path;
    struct data_set *set = NULL;
    enum gm_code code = memory_alloc((void **)&set, 1, sizeof *set, "a dataset", err);
    if (code != GM_OK)
        return code;
    set->options = *options;
    hdf5_lock();
    H5open(); /* before the trial, so that it is done once */
    if (!options->allow_external)
        H5PLset_loading_state(0); /* a data file must not choose code to load */
    hdf5_unlock();
    struct opening opening = {set, source, true};
    code = probe_run(open_parts, &opening, where, err);
    opening.trial = false;
    if (code == GM_OK)
        code = open_parts(&opening, err);
    if (code != GM_OK) {
        data_close(set);
        return code;
    }
    fill_schema(set);
    *out = set;
    return GM_OK;
}

enum gm_code data_open(struct data_set **out, const struct data_source *source, const struct data_options *options,
                       struct gm_error *err)
{
    *out = NULL;
    if (!source->features && !source->path && !source->n_paths)
        return error_set(err, GM_NO_INPUT, "No dataset is named: data.train is missing.");
    struct sources sources;
    enum gm_code code = sources_expand(&sources, source, err);
    if (code != GM_OK)
        return code;
    struct data_set **members = NULL;
    size_t count = 0;
    if (sources.count == 1)
        code = open_one(out, &sources.list[0], options, err);
    else
        code = memory_alloc((void **)&members, sources.count, sizeof *members, "a list of files", err);
    for (; members && code == GM_OK && count < sources.count; count += code == GM_OK)
        code = open_one(&members[count], &sources.list[count], options, err);
    if (members && code == GM_OK)
        code = several_open(out, members, count, err);
    else
        for (size_t i = 0; i < count; i++)
            data_close(members[i]);
    memory_free(members);
    sources_release(&sources);
    return code;
}

void data_close(struct data_set *set)
{
    if (!set)
        return;
    release(set);
    memory_free(set);
}

const struct data_schema *data_schema(const struct data_set *set)
{
    return &set->schema;
}

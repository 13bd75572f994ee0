/* Which files a data_source names. */
#include "data/sources.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* Names that one text, or a list of texts, stands for. */
struct names {
    char **list;
    size_t count, room;
};

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        memory_free(names->list[i]);
    memory_free(names->list);
    *names = (struct names){0};
}

/* "FILE" or "FILE:/location" at the end of the list. */
static enum gm_code add(struct names *names, const char *file, const char *location, struct gm_error *err)
{
    if (names->count == names->room) {
        char **more;
        size_t room = names->room ? 2 * names->room : 8;
        enum gm_code code = memory_alloc((void **)&more, room, sizeof *more, "file names", err);
        if (code != GM_OK)
            return code;
        if (names->count)
            memcpy(more, names->list, names->count * sizeof *more);
        memory_free(names->list);
        names->list = more;
        names->room = room;
    }
    size_t size = strlen(file) + (location ? strlen(location) + 1 : 0) + 1;
    enum gm_code code = memory_alloc((void **)&names->list[names->count], size, 1, "a file name", err);
    if (code != GM_OK)
        return code;
    snprintf(names->list[names->count++], size, "%s%s%s", file, location ? ":" : "", location ? location : "");
    return GM_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* glob sorts as the locale says; ours is the same everywhere. */
static enum gm_code add_matches(struct names *names, const char *pattern, const char *location, struct gm_error *err)
{
    glob_t found;
    int status = glob(pattern, GLOB_NOSORT, NULL, &found);
    enum gm_code code = GM_OK;
    if (status == GLOB_NOSPACE)
        return error_memory(err, "file names", 0);
    if (status != 0)
        return error_set(err, GM_NO_INPUT, "%s: no file matches.", pattern);
    qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_bytes);
    for (size_t i = 0; code == GM_OK && i < found.gl_pathc; i++)
        code = add(names, found.gl_pathv[i], location, err);
    globfree(&found);
    return code;
}

static enum gm_code expand(struct names *names, const char *text, struct gm_error *err)
{
    char *file = NULL, *location = NULL;
    if (!text)
        return GM_OK;
    enum gm_code code = data_split_name(text, &file, &location, err);
    if (code != GM_OK)
        return code;
    bool pattern = strpbrk(file, "*?[") != NULL && access(file, F_OK) != 0;
    code = pattern ? add_matches(names, file, location, err) : add(names, file, location, err);
    memory_free(file);
    return code;
}

enum { PATH, FEATURES, SECOND, TARGET, WEIGHT, GROUP, SPLIT, ROLES };

static enum gm_code check_counts(const struct names *names, struct gm_error *err)
{
    static const char *const roles[] = {"files", "features", "second inputs", "target", "weight", "group", "split"};
    size_t lead = names[FEATURES].count ? FEATURES : PATH;
    for (size_t r = 0; r < ROLES; r++)
        if (r != PATH && names[r].count && names[r].count != names[lead].count)
            return error_set(err, GM_BAD_DATA,
                             "%s: %zu files of %s, but %zu of %s (%s ...); they go together in order.",
                             names[r].list[0], names[r].count, roles[r], names[lead].count, roles[lead],
                             names[lead].count ? names[lead].list[0] : "none");
    return GM_OK;
}

/* Moves the names into the sources. */
static void deal(struct sources *sources, struct names *names)
{
    for (size_t i = 0; i < sources->count; i++) {
        struct data_source *source = &sources->list[i];
        const char **places[] = {&source->path,   &source->features, &source->second, &source->target,
                                 &source->weight, &source->group,    &source->split};
        for (size_t r = 0; r < ROLES; r++)
            if (i < names[r].count) {
                *places[r] = names[r].list[i];
                names[r].list[i] = NULL;
            }
    }
}

enum gm_code sources_expand(struct sources *sources, const struct data_source *source, struct gm_error *err)
{
    *sources = (struct sources){0};
    struct names names[ROLES] = {0};
    const char *texts[ROLES] = {source->n_paths ? NULL : source->path,
                                source->features,
                                source->second,
                                source->target,
                                source->weight,
                                source->group,
                                source->split};
    enum gm_code code = GM_OK;
    for (size_t i = 0; code == GM_OK && i < source->n_paths; i++)
        code = expand(&names[PATH], source->paths[i], err);
    for (size_t r = 0; code == GM_OK && r < ROLES; r++)
        code = expand(&names[r], texts[r], err);
    if (code == GM_OK)
        code = check_counts(names, err);
    size_t count = names[FEATURES].count ? names[FEATURES].count : names[PATH].count;
    if (code == GM_OK)
        code = memory_alloc((void **)&sources->list, count, sizeof *sources->list, "a list of files", err);
    if (code == GM_OK) {
        sources->count = count;
        deal(sources, names);
        for (size_t i = 0; i < count; i++)
            sources->list[i].find_split = source->find_split;
    }
    for (size_t r = 0; r < ROLES; r++)
        free_names(&names[r]);
    return code;
}

void sources_release(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct data_source *s = &sources->list[i];
        const char *texts[] = {s->path, s->features, s->second, s->target, s->weight, s->group, s->split};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            memory_free((void *)(uintptr_t)texts[t]);
    }
    memory_free(sources->list);
    *sources = (struct sources){0};
}

/* Every loss of a file, every file of the path. */
#include "loss/collect.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "loss/vtable.h"

enum { MOST_LOSSES_A_FILE = 256 };

enum gm_code collect_file(const char *path, const char *sha256, collect_fn *use, void *context, struct gm_error *err)
{
    struct loss_object object;
    enum gm_code code = object_open(&object, path, sha256, err);
    if (code)
        return code;
    bool found = true, stop = false;
    for (uint32_t i = 0; !code && !stop; i++) {
        struct loss_plugin plugin;
        if (i == MOST_LOSSES_A_FILE)
            code = error_set(err, GM_PLUGIN_LOAD,
                             "%s: gm_loss_entry_v1 names more than %d losses: it must return NULL past the last.", path,
                             MOST_LOSSES_A_FILE);
        else
            code = vtable_read(&plugin, &object, i, &found, err);
        if (code || !found)
            break;
        code = use(context, &plugin, &stop, err);
    }
    object_release(&object);
    return code;
}

void collection_release(struct collection *all)
{
    for (size_t i = 0; i < all->count; i++)
        loss_plugin_release(&all->plugins[i]);
    memory_free(all->plugins);
    *all = (struct collection){0};
}

static enum gm_code collect(void *context, struct loss_plugin *plugin, bool *stop, struct gm_error *err)
{
    struct collection *all = context;
    (void)stop;
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->plugins[i].vtable.id, plugin->vtable.id) == 0) { /* the first on the path counts */
            loss_plugin_release(plugin);
            return GM_OK;
        }
    if (all->count == all->room) {
        void *larger;
        size_t room = all->room ? 2 * all->room : 64;
        enum gm_code code = memory_alloc(&larger, room, sizeof *plugin, "the list of losses", err);
        if (code) {
            loss_plugin_release(plugin);
            return code;
        }
        if (all->count)
            memcpy(larger, all->plugins, all->count * sizeof *plugin);
        memory_free(all->plugins);
        all->plugins = larger;
        all->room = room;
    }
    all->plugins[all->count++] = *plugin;
    return GM_OK;
}

static int is_plugin_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

/* Directory entries in order of name, so that which file wins never depends on the file system. */
static enum gm_code collect_directory(struct collection *all, const char *directory, loss_broken_fn *broken,
                                      void *context, struct gm_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_plugin_file, alphasort);
    enum gm_code code = GM_OK;
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        struct gm_error why = {0};
        if (!code && snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name) < (int)sizeof path) {
            enum gm_code one = collect_file(path, all->sha256, collect, all, &why);
            if (one == GM_SYSTEM)
                code = error_set(err, one, "%s", why.text);
            else if (one && broken)
                broken(context, path, &why);
        }
        free(entries[i]);
    }
    free(entries);
    return code; /* a directory that is not there holds no losses */
}

static int by_id(const void *a, const void *b)
{
    const struct loss_plugin *left = a, *right = b;
    return strcmp(left->vtable.id, right->vtable.id);
}

enum gm_code collect_path(struct collection *all, char *const *directories, size_t count, loss_broken_fn *broken,
                          void *context, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    for (size_t i = 0; i < count && !code; i++)
        code = collect_directory(all, directories[i], broken, context, err);
    if (all->count)
        qsort(all->plugins, all->count, sizeof *all->plugins, by_id);
    return code;
}

enum gm_code loss_list(const char *extra_path, loss_seen_fn *seen, loss_broken_fn *broken, void *context,
                       struct gm_error *err)
{
    char **directories;
    size_t count;
    struct collection all = {0};
    enum gm_code code = loss_search_path(&directories, &count, extra_path, err);
    if (code)
        return code;
    code = collect_path(&all, directories, count, broken, context, err);
    for (size_t i = 0; i < all.count && !code; i++)
        seen(context, &all.plugins[i]);
    collection_release(&all);
    loss_search_path_free(directories, count);
    return code;
}

/* Where losses are looked for. Never in the current directory unless somebody names it. */
#include "loss/plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

static const char beside_bin[] = "lib/gradmill/losses";

/* "/usr/bin/gradmill" -> "/usr/lib/gradmill/losses", in the build tree as well as installed. */
static enum gm_code install_directory(char directory[PATH_MAX], struct gm_error *err)
{
    ssize_t length = readlink("/proc/self/exe", directory, PATH_MAX - sizeof beside_bin - 1);
    if (length <= 0)
        return error_set(err, GM_SYSTEM, "/proc/self/exe cannot be read: %s. The losses are found from there.",
                         strerror(errno));
    directory[length] = 0;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(directory, '/');
        if (!slash)
            break;
        *slash = 0;
    }
    size_t used = strlen(directory);
    snprintf(directory + used, PATH_MAX - used, "/%s", beside_bin);
    return GM_OK;
}

enum gm_code loss_search_path(char ***directories, size_t *count, const char *extra, struct gm_error *err)
{
    char first[PATH_MAX];
    void *list = NULL;
    size_t most = 2; /* the install directory, and one more than there are colons */
    *directories = NULL;
    *count = 0;
    for (const char *at = extra; at && *at; at++)
        most += *at == ':';
    enum gm_code code = install_directory(first, err);
    if (!code)
        code = memory_alloc(&list, most, sizeof **directories, "the loss search path", err);
    if (code)
        return code;
    *directories = list;
    code = memory_string(&(*directories)[(*count)++], first, err);
    for (const char *at = extra; !code && at && *at;) {
        size_t length = strcspn(at, ":");
        char one[PATH_MAX];
        if (length >= sizeof one)
            code = error_set(err, GM_USAGE, "The loss search path holds a name of %zu characters: too long.", length);
        else if (length > 0) { /* an empty entry does not mean the current directory here */
            memcpy(one, at, length);
            one[length] = 0;
            code = memory_string(&(*directories)[*count], one, err);
            *count += !code;
        }
        at += length + (at[length] == ':');
    }
    if (code) {
        loss_search_path_free(*directories, *count);
        *directories = NULL;
        *count = 0;
    }
    return code;
}

void loss_search_path_free(char **directories, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memory_free(directories[i]);
    memory_free(directories);
}

/* What the control groups allow this process. */
#include "base/cgroup.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define PROC_LIMIT ((size_t)16 << 20) /* bytes of a /proc file that are read: mountinfo grows with the mounts */

/* A group's directory, cut shorter from the end until only the mount point is left. */
struct group {
    char path[PATH_MAX];
    size_t top; /* length of the mount point's part */
};

static char *read_text(const char *root, const char *name)
{
    char path[PATH_MAX];
    void *bytes = NULL;
    size_t size;
    if (snprintf(path, sizeof path, "%s%s", root, name) >= (int)sizeof path)
        return NULL;
    return file_read(path, PROC_LIMIT, &bytes, &size, NULL) == GM_OK ? bytes : NULL;
}

/* The next line of *rest, cut off with a zero; NULL at the end. */
static char *next_line(char **rest)
{
    char *line;
    do
        line = strsep(rest, "\n");
    while (line && !*line);
    return line;
}

static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == 0))
            return true;
    return false;
}

/* Spaces and the like stand as \040 in mountinfo. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        unsigned code;
        if (from[0] == '\\' && sscanf(from + 1, "%3o", &code) == 1 && strlen(from) >= 4) {
            *to = (char)code;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = 0;
}

/* This process's group for a v1 controller, or for v2 when controller is "": a line "id:controllers:path". */
static const char *group_path(char *text, const char *controller)
{
    for (char *line = next_line(&text); line; line = next_line(&text)) {
        const char *id = strsep(&line, ":"), *controllers = strsep(&line, ":");
        if (!id || !controllers || !line)
            continue;
        if (*controller ? list_has(controllers, controller) : strcmp(id, "0") == 0 && !*controllers)
            return line;
    }
    return NULL;
}

/* A line of mountinfo: "id parent dev ROOT POINT options [tags] - TYPE source SUPER_OPTIONS". */
static bool mount_of(char *text, const char *controller, const char **mount_root, const char **mount_point)
{
    for (char *line = next_line(&text); line; line = next_line(&text)) {
        char *tail = strstr(line, " - ");
        if (!tail)
            continue;
        *tail = 0;
        tail += 3;
        const char *type = strsep(&tail, " ");
        strsep(&tail, " ");
        if (*controller ? strcmp(type, "cgroup") != 0 || !tail || !list_has(tail, controller)
                        : strcmp(type, "cgroup2") != 0)
            continue;
        for (int i = 0; i < 3; i++)
            strsep(&line, " ");
        char *root = strsep(&line, " "), *point = strsep(&line, " ");
        if (!root || !point)
            continue;
        unescape(root);
        unescape(point);
        *mount_root = root;
        *mount_point = point;
        return true;
    }
    return false;
}

/* Where a container shows only a part of the hierarchy, the mount's root is cut from the group's path. */
static const char *below_mount(const char *path, const char *mount_root)
{
    size_t length = strcmp(mount_root, "/") == 0 ? 0 : strlen(mount_root);
    if (strncmp(path, mount_root, length) != 0 || (path[length] != '/' && path[length] != 0))
        return "";
    path += length;
    return strcmp(path, "/") == 0 || strstr(path, "/..") ? "" : path;
}

static bool find_group(const char *root, const char *controller, struct group *group)
{
    char *groups = read_text(root, "/proc/self/cgroup"), *mounts = read_text(root, "/proc/self/mountinfo");
    const char *mount_root, *mount_point, *path = groups ? group_path(groups, controller) : NULL;
    bool found = path && mounts && mount_of(mounts, controller, &mount_root, &mount_point);
    if (found) {
        int top = snprintf(group->path, sizeof group->path, "%s%s", root, mount_point);
        group->top = (size_t)top;
        found = top < (int)sizeof group->path;
    }
    if (found) {
        size_t room = sizeof group->path - group->top;
        found = (size_t)snprintf(group->path + group->top, room, "%s", below_mount(path, mount_root)) < room;
    }
    memory_free(groups);
    memory_free(mounts);
    return found;
}

static bool to_parent(struct group *group)
{
    char *slash = strrchr(group->path, '/');
    if (!slash || strlen(group->path) <= group->top)
        return false;
    *slash = 0;
    return true;
}

/* The words of a one-line file of the group: 0, 1 or 2 of them. */
static int read_words(const struct group *group, const char *name, char first[32], char second[32])
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "/%s", name) >= (int)sizeof path)
        return 0;
    char *text = read_text(group->path, path);
    int words = text ? sscanf(text, "%31s %31s", first, second) : 0;
    memory_free(text);
    return words > 0 ? words : 0;
}

static void lower_memory(const struct group *group, const char *name, uint64_t *memory)
{
    char word[32], rest[32];
    uint64_t bytes;
    if (read_words(group, name, word, rest) >= 1 && text_bytes(word, &bytes) && bytes < *memory)
        *memory = bytes;
}

static void lower_cpus(const char *quota, const char *period, double *cpus)
{
    int64_t time, of;
    if (text_integer(quota, &time) && text_integer(period, &of) && time > 0 && of > 0)
        *cpus = fmin(*cpus, (double)time / (double)of);
}

struct cgroup_limits cgroup_limits(const char *root)
{
    struct cgroup_limits limits = {UINT64_MAX, INFINITY};
    struct group group;
    char first[32], second[32];
    if (find_group(root, "", &group))
        do {
            lower_memory(&group, "memory.max", &limits.memory);
            lower_memory(&group, "memory.high", &limits.memory); /* above it the kernel slows us to a crawl */
            if (read_words(&group, "cpu.max", first, second) == 2)
                lower_cpus(first, second, &limits.cpus);
        } while (to_parent(&group));
    if (find_group(root, "memory", &group))
        do
            lower_memory(&group, "memory.limit_in_bytes", &limits.memory);
        while (to_parent(&group));
    if (find_group(root, "cpu", &group))
        do {
            char rest[32];
            if (read_words(&group, "cpu.cfs_quota_us", first, rest) &&
                read_words(&group, "cpu.cfs_period_us", second, rest))
                lower_cpus(first, second, &limits.cpus);
        } while (to_parent(&group));
    return limits;
}

/* Owner and permissions of a plugin and of the directories above it. */
#include "loss/safety.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { LARGEST_FILE = 512 << 20 };

/* Is `group` the group of `user` alone? By convention it then has the user's name and lists nobody else. */
static bool is_private_group(uid_t user, gid_t group)
{
    struct passwd owner, *found_owner = NULL;
    struct group entry, *found_group = NULL;
    char owner_room[4096], group_room[16384];
    if (getpwuid_r(user, &owner, owner_room, sizeof owner_room, &found_owner) != 0 || !found_owner ||
        getgrgid_r(group, &entry, group_room, sizeof group_room, &found_group) != 0 || !found_group)
        return false;
    if (strcmp(owner.pw_name, entry.gr_name) != 0)
        return false;
    for (char **member = entry.gr_mem; member && *member; member++)
        if (strcmp(*member, owner.pw_name) != 0)
            return false;
    return true;
}

static enum gm_code check_one(const struct stat *status, const char *path, const char *plugin, struct gm_error *err)
{
    const char *kind = S_ISDIR(status->st_mode) ? "directory" : "file";
    uid_t user = geteuid();
    if (status->st_uid != 0 && status->st_uid != user)
        return error_set(
            err, GM_PLUGIN_LOAD,
            "%s is not loaded: the %s %s belongs to user %u, who could replace the code. It must belong to you "
            "or to root: copy the plugin to a directory of yours.",
            plugin, kind, path, (unsigned)status->st_uid);
    if (S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX))
        return GM_OK;
    if (status->st_mode & S_IWOTH)
        return error_set(
            err, GM_PLUGIN_LOAD,
            "%s is not loaded: the %s %s may be written by everybody (mode %03o), so anybody could replace the "
            "code. Mend it with: chmod o-w '%s'",
            plugin, kind, path, (unsigned)status->st_mode & 0777, path);
    if ((status->st_mode & S_IWGRP) && !is_private_group(status->st_uid, status->st_gid))
        return error_set(
            err, GM_PLUGIN_LOAD,
            "%s is not loaded: the %s %s may be written by group %u (mode %03o), whose members could replace "
            "the code. Mend it with: chmod g-w '%s'",
            plugin, kind, path, (unsigned)status->st_gid, (unsigned)status->st_mode & 0777, path);
    return GM_OK;
}

enum gm_code safety_check(int fd, const char *path, struct gm_error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(err, GM_PLUGIN_LOAD, "%s: cannot be looked at: %s.", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(err, GM_PLUGIN_LOAD, "%s is not a regular file.", path);
    if (status.st_size > LARGEST_FILE) /* before it is hashed and read */
        return error_set(err, GM_PLUGIN_LOAD, "%s: %lld bytes are too many for a loss plugin.", path,
                         (long long)status.st_size);
    enum gm_code code = check_one(&status, path, path, err);

    char program[PATH_MAX], directory[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    snprintf(directory, sizeof directory, "%s", path);
    while (!code) {
        char *slash = strrchr(directory, '/');
        if (!slash)
            break;
        slash[1] = 0; /* with the slash, "/a/b/" holds "/a/b/c" but not "/a/bc" */
        if (strncmp(program, directory, strlen(directory)) == 0)
            break; /* this and everything above holds the program too */
        if (slash != directory)
            *slash = 0;
        if (stat(directory, &status) != 0)
            return error_set(err, GM_PLUGIN_LOAD, "%s is not loaded: the directory %s cannot be looked at: %s.", path,
                             directory, strerror(errno));
        code = check_one(&status, directory, path, err);
        if (slash == directory)
            break;
    }
    return code;
}

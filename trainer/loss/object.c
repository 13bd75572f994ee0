/* Opening a plugin: one descriptor is checked, hashed and given to the dynamic loader. */
#include "loss/object.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "loss/elf.h"
#include "loss/fpmode.h"
#include "loss/safety.h"

#define ENTRY "gm_loss_entry_v1"

/* Names under /proc/self/fd come back with other files when a descriptor number is used again, and the loader takes a
 * name it has seen for the object it had then. So the content's hash is spelled into the name: "/./" for a bit that is
 * set, "/" for one that is not. Same file: the loader finds it by device and inode, whatever the name. */
enum { HASH_BITS = 64, NAME_ROOM = 64 + 2 * HASH_BITS };
static const char fd_directory[] = "/proc/self/fd";

static void spell_name(char name[NAME_ROOM], const char sha256[65], int fd)
{
    char *at = name + snprintf(name, NAME_ROOM, "%s", fd_directory);
    for (int bit = 0; bit < HASH_BITS; bit++) {
        char digit = sha256[bit / 4];
        int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
        *at++ = '/';
        if (value >> (bit % 4) & 1)
            *at++ = '.';
    }
    snprintf(at, (size_t)(name + NAME_ROOM - at), "/%d", fd);
}

/* The loader keeps the first mapping of a file. When its bytes were changed in place since, code and hash do not belong
 * together. */
static bool is_same_content(void *handle, const char *name)
{
    struct link_map *map = NULL;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || !map ||
        strncmp(map->l_name, fd_directory, sizeof fd_directory - 1) != 0)
        return false;
    size_t length = (size_t)(strrchr(name, '/') - name);
    return strncmp(map->l_name, name, length) == 0 && map->l_name[length] == '/';
}

static enum gm_code check_bytes(int fd, const char *path, struct gm_error *err)
{
    struct elf_file elf;
    enum gm_code code = elf_open(&elf, fd, path, err);
    if (code)
        return code;
    const char *openmp = elf_openmp(&elf);
    if (openmp)
        code =
            error_set(err, GM_PLUGIN_LOAD,
                      "%s needs the OpenMP runtime %s. A loss is called from many threads already and must start none: "
                      "build it without -fopenmp.",
                      path, openmp);
    else if (!elf_exports(&elf, ENTRY))
        code = error_set(err, GM_PLUGIN_LOAD,
                         "%s is not a loss plugin: it does not export " ENTRY ". Write GM_LOSS_PLUGIN(...) from "
                         "gradmill/loss.h, and in C++ keep it inside extern \"C\".",
                         path);
    elf_release(&elf);
    return code;
}

static enum gm_code load_descriptor(struct loss_object *object, int fd, struct gm_error *err)
{
    char name[NAME_ROOM];
    spell_name(name, object->sha256, fd);
    uint64_t mode = fpmode_get();
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL); /* never closed: code may still be referred to */
    uint64_t after = fpmode_get();
    fpmode_set(mode);
    if (!handle) {
        const char *why = dlerror();
        const char *colon = why && strncmp(why, fd_directory, sizeof fd_directory - 1) == 0 ? strstr(why, ": ") : NULL;
        return error_set(err, GM_PLUGIN_LOAD, "%s cannot be loaded: %s.", object->path,
                         colon ? colon + 2 /* behind the name under /proc, which says nothing */
                         : why ? why
                               : "no reason given");
    }
    if (after != mode)
        return error_set(
            err, GM_PLUGIN_LOAD,
            "%s changed the floating-point mode of the whole process when it was loaded. That is what linking "
            "with -ffast-math (or -Ofast) does: build it without.",
            object->path);
    if (!is_same_content(handle, name))
        return error_set(err, GM_PLUGIN_LOAD, "%s was changed in place after this process had loaded it. Start again.",
                         object->path);
    union { /* C has no cast from object to function pointers; POSIX promises that they are alike */
        void *object;
        gm_loss_entry_fn *function;
    } symbol = {.object = dlsym(handle, ENTRY)};
    object->entry = symbol.function;
    return object->entry ? GM_OK : error_set(err, GM_PLUGIN_LOAD, "%s: " ENTRY " has no address.", object->path);
}

static enum gm_code real_path(struct loss_object *object, int fd, struct gm_error *err)
{
    char link[64], real[PATH_MAX];
    snprintf(link, sizeof link, "%s/%d", fd_directory, fd);
    ssize_t length = readlink(link, real, sizeof real - 1);
    if (length <= 0)
        return error_set(err, GM_PLUGIN_LOAD, "/proc is needed to load plugins safely, and cannot be read: %s.",
                         strerror(errno));
    real[length] = 0;
    return memory_string(&object->path, real, err);
}

enum gm_code object_open(struct loss_object *object, const char *path, const char *sha256, struct gm_error *err)
{
    *object = (struct loss_object){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return error_set(err, GM_PLUGIN_LOAD, "%s cannot be opened: %s.", path, strerror(errno));
    enum gm_code code = real_path(object, fd, err);
    if (!code)
        code = safety_check(fd, object->path, err);
    if (!code)
        code = file_sha256(fd, object->path, object->sha256, err);
    if (!code && sha256 && strcasecmp(sha256, object->sha256) != 0)
        code = error_set(
            err, GM_PLUGIN_LOAD,
            "%s has the SHA-256 %s, but %s is asked for. If the new file is the one you want, change the pin.",
            object->path, object->sha256, sha256);
    if (!code)
        code = check_bytes(fd, object->path, err);
    if (!code)
        code = load_descriptor(object, fd, err);
    close(fd);
    if (code)
        object_release(object);
    return code;
}

void object_release(struct loss_object *object)
{
    memory_free(object->path);
    *object = (struct loss_object){0};
}

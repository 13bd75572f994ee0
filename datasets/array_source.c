/* Finding arrays in files and streaming their elements. */
#include "datasets/array_source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "datasets/input.h"
#include "datasets/list.h"

/* ---- streams --------------------------------------------------------------------------------------------------------
 */

struct array_stream {
    const struct array_source *source;
    struct input in; /* a file of its own */
    int fd;          /* of an archive, or -1 */
    struct zip_stream *zip;
};

static enum gm_code read_some(struct array_stream *s, void *to, size_t size, size_t *got, struct gm_error *err)
{
    return s->zip ? zip_read(s->zip, to, size, got, err) : input_read(&s->in, to, size, got, err);
}

/* Positioned at the file's or member's first byte. */
static enum gm_code open_bytes(struct array_stream **out, const struct array_source *source, struct gm_error *err)
{
    struct array_stream *s;
    enum gm_code code = memory_alloc((void **)&s, 1, sizeof *s, "reading an array", err);
    if (code)
        return code;
    s->source = source;
    s->fd = -1;
    if (!source->is_member) {
        code = input_open(&s->in, source->path, err);
    } else {
        s->fd = open(source->path, O_RDONLY | O_CLOEXEC);
        code = s->fd < 0 ? error_set(err, GM_IO, "%s: cannot be opened again.", source->path)
                         : zip_open(&s->zip, s->fd, source->path, &source->member, err);
    }
    if (code) {
        array_stream_close(s);
        return code;
    }
    *out = s;
    return GM_OK;
}

enum gm_code array_stream_open(struct array_stream **out, const struct array_source *source, struct gm_error *err)
{
    struct array_stream *s;
    unsigned char *skipped;
    *out = NULL;
    enum gm_code code = open_bytes(&s, source, err);
    if (code)
        return code;
    size_t got = 0;
    code = memory_alloc((void **)&skipped, source->header.bytes, 1, "a header", err);
    if (code == GM_OK)
        code = read_some(s, skipped, source->header.bytes, &got, err);
    memory_free(skipped);
    if (code == GM_OK && got < source->header.bytes)
        code = error_set(err, GM_IO, "%s: changed while it was being read.", source->label);
    if (code) {
        array_stream_close(s);
        return code;
    }
    *out = s;
    return GM_OK;
}

static void swap_bytes(unsigned char *bytes, size_t size, size_t width)
{
    for (size_t at = 0; at + width <= size; at += width)
        for (size_t i = 0; i < width / 2; i++) {
            unsigned char byte = bytes[at + i];
            bytes[at + i] = bytes[at + width - 1 - i];
            bytes[at + width - 1 - i] = byte;
        }
}

enum gm_code array_stream_read(struct array_stream *s, void *to, size_t size, struct gm_error *err)
{
    size_t got;
    enum gm_code code = read_some(s, to, size, &got, err);
    if (code)
        return code;
    if (got < size)
        return error_set(err, GM_BAD_DATA, "%s: ends too early: its shape needs %zu bytes more than there are.",
                         s->source->label, size - got);
    if (s->source->header.swapped)
        swap_bytes(to, size, output_type_size(s->source->header.type));
    return GM_OK;
}

void array_stream_close(struct array_stream *s)
{
    if (!s)
        return;
    zip_close(s->zip);
    if (s->fd >= 0)
        close(s->fd);
    input_close(&s->in);
    memory_free(s);
}

/* ---- finding --------------------------------------------------------------------------------------------------------
 */

/* Fill label, word and header of a source whose path (and member) are set. */
static enum gm_code describe(struct array_source *source, struct gm_error *err)
{
    struct array_stream *s = NULL;
    unsigned char *bytes = NULL;
    size_t got = 0;
    const char *name = source->is_member ? source->member.name : input_base_name(source->path);
    snprintf(source->label, sizeof source->label, "%.380s%s%s", source->path, source->is_member ? ":" : "",
             source->is_member ? name : "");
    snprintf(source->word, sizeof source->word, "%.*s", (int)strcspn(name, "."), name);
    enum gm_code code = memory_alloc((void **)&bytes, ARRAY_HEADER_BYTES, 1, "a header", err);
    if (code == GM_OK)
        code = open_bytes(&s, source, err);
    if (code == GM_OK)
        code = read_some(s, bytes, ARRAY_HEADER_BYTES, &got, err);
    if (code == GM_OK) {
        if (array_is_npy(bytes, got))
            code = array_parse_npy(&source->header, bytes, got, source->label, err);
        else if (array_is_idx(bytes, got))
            code = array_parse_idx(&source->header, bytes, got, source->label, err);
        else
            code =
                error_set(err, GM_BAD_DATA, "%s: neither npy nor idx: its first bytes are of neither.", source->label);
    }
    if (code == GM_OK && !source->is_member) {
        /* a shape beyond the file is found before anything is allocated; deflate packs at most 1032 times */
        uint64_t most = s->in.size > UINT64_MAX / 1040 ? UINT64_MAX : s->in.size * 1040;
        if (array_bytes(&source->header) > most)
            code = error_set(err, GM_BAD_DATA, "%s: its shape needs %zu bytes: the file holds %llu.", source->label,
                             array_bytes(&source->header), (unsigned long long)s->in.size);
    }
    if (code == GM_OK && source->is_member && array_bytes(&source->header) > source->member.size)
        code = error_set(err, GM_BAD_DATA, "%s: its shape needs %zu bytes: the member holds %llu.", source->label,
                         array_bytes(&source->header), (unsigned long long)source->member.size);
    array_stream_close(s);
    memory_free(bytes);
    return code;
}

static enum gm_code add(struct array_sources *sources, const char *path, const struct zip_member *member,
                        struct gm_error *err)
{
    enum gm_code code = list_reserve((void **)&sources->items, &sources->room, sources->count, sources->count + 1,
                                     sizeof *sources->items, err);
    if (code)
        return code;
    struct array_source *source = &sources->items[sources->count];
    *source = (struct array_source){.path = path, .is_member = member != NULL};
    if (member)
        source->member = *member;
    code = describe(source, err);
    sources->count += code == GM_OK;
    return code;
}

/* All members of an archive, or the one named `wanted` (with or without .npy). */
static enum gm_code add_members(struct array_sources *sources, const char *path, const char *wanted,
                                struct gm_error *err)
{
    struct zip_list list = {0};
    size_t found = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, GM_NO_INPUT, "%s: cannot be opened.", path);
    enum gm_code code = zip_read_list(&list, fd, path, err);
    close(fd);
    for (size_t i = 0; i < list.count && code == GM_OK; i++) {
        const char *name = list.items[i].name;
        size_t length = strlen(name), stem = length > 4 && !strcmp(name + length - 4, ".npy") ? length - 4 : length;
        if (wanted && strcmp(name, wanted) != 0 && (strlen(wanted) != stem || strncmp(name, wanted, stem) != 0))
            continue;
        found++;
        code = add(sources, path, &list.items[i], err);
    }
    memory_free(list.items);
    if (code == GM_OK && found == 0)
        return error_set(err, GM_NO_INPUT, "%s: holds no array%s%s.", path, wanted ? " " : "", wanted ? wanted : "");
    return code;
}

static bool is_zip(const char *path)
{
    char magic[4] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool zip = fd >= 0 && read(fd, magic, 4) == 4 && (!memcmp(magic, "PK\3\4", 4) || !memcmp(magic, "PK\5\6", 4));
    if (fd >= 0)
        close(fd);
    return zip;
}

enum gm_code array_sources_add(struct array_sources *sources, const char *name, struct gm_error *err)
{
    const char *colon = strrchr(name, ':');
    if (is_zip(name))
        return add_members(sources, name, NULL, err);
    if (!colon || access(name, F_OK) == 0)
        return add(sources, name, NULL, err);
    enum gm_code code = list_reserve((void **)&sources->paths, &sources->path_room, sources->path_count,
                                     sources->path_count + 1, sizeof(char *), err);
    char *path = NULL;
    if (code == GM_OK)
        code = memory_string(&path, name, err);
    if (code)
        return code;
    path[colon - name] = 0;
    sources->paths[sources->path_count++] = path;
    if (!is_zip(path))
        return error_set(err, GM_NO_INPUT, "%s: no such file, and %s is no .npz archive.", name, path);
    return add_members(sources, path, colon + 1, err);
}

void array_sources_release(struct array_sources *sources)
{
    for (size_t i = 0; i < sources->path_count; i++)
        memory_free(sources->paths[i]);
    memory_free(sources->paths);
    memory_free(sources->items);
    *sources = (struct array_sources){0};
}

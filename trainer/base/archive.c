/* Archives: making, saving, opening, closing. Arrays go in by archive_put.c and come out by archive_get.c. */
#include "archive_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hdf5_lock.h"
#include "base/memory.h"

#define GROWTH ((size_t)1 << 20) /* bytes by which HDF5 grows the image */

/* A saved archive ends, behind the bytes that HDF5 knows of, in a seal: XXH3 of all bytes before it. HDF5 ignores it,
 * and cuts it off when another program changes the file; a file without a seal is taken as it is. */
#define SEAL       "gradmill-xxh3:"
#define SEAL_BYTES (sizeof SEAL - 1 + 16 + 1) /* the sum in hexadecimal, a newline */

static void seal_write(char *seal, const void *image, size_t size)
{
    char text[SEAL_BYTES + 1];
    snprintf(text, sizeof text, SEAL "%016" PRIx64 "\n", (uint64_t)XXH3_64bits(image, size));
    memcpy(seal, text, SEAL_BYTES);
}

enum seal { SEAL_MISSING, SEAL_BROKEN, SEAL_HOLDS };

static enum seal seal_check(const char *bytes, size_t size)
{
    char expected[SEAL_BYTES];
    if (size < SEAL_BYTES || memcmp(bytes + size - SEAL_BYTES, SEAL, sizeof SEAL - 1) != 0)
        return SEAL_MISSING;
    seal_write(expected, bytes, size - SEAL_BYTES);
    return memcmp(bytes + size - SEAL_BYTES, expected, SEAL_BYTES) == 0 ? SEAL_HOLDS : SEAL_BROKEN;
}

hid_t archive_stored_type(enum archive_type type)
{
    const hid_t types[] = {[ARCHIVE_F64] = H5T_IEEE_F64LE,
                           [ARCHIVE_F32] = H5T_IEEE_F32LE,
                           [ARCHIVE_I64] = H5T_STD_I64LE,
                           [ARCHIVE_U64] = H5T_STD_U64LE,
                           [ARCHIVE_U8] = H5T_STD_U8LE};
    return types[type];
}

hid_t archive_native_type(enum archive_type type)
{
    const hid_t types[] = {[ARCHIVE_F64] = H5T_NATIVE_DOUBLE,
                           [ARCHIVE_F32] = H5T_NATIVE_FLOAT,
                           [ARCHIVE_I64] = H5T_NATIVE_INT64,
                           [ARCHIVE_U64] = H5T_NATIVE_UINT64,
                           [ARCHIVE_U8] = H5T_NATIVE_UINT8};
    return types[type];
}

hid_t archive_text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

static bool make_group(hid_t file, const char *name)
{
    hid_t how = H5Pcreate(H5P_GROUP_CREATE), group = H5I_INVALID_HID;
    if (how >= 0 && H5Pset_obj_track_times(how, false) >= 0)
        group = H5Gcreate2(file, name, H5P_DEFAULT, how, H5P_DEFAULT);
    if (how >= 0)
        H5Pclose(how);
    return group >= 0 && H5Gclose(group) >= 0;
}

/* The link `name` is a real one, or a group was made there. */
static bool step(hid_t file, const char *name, enum archive_way way)
{
    H5L_info_t link;
    if (H5Lexists(file, name, H5P_DEFAULT) > 0)
        return H5Lget_info(file, name, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD;
    return way == WAY_MAKE && make_group(file, name);
}

bool archive_walk(const struct archive *a, const char *name, enum archive_way way)
{
    char part[ARCHIVE_NAME_MOST];
    size_t length = strlen(name);
    if (length == 0 || length >= sizeof part || name[length - 1] == '/')
        return false;
    memcpy(part, name, length + 1);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (!step(a->file, part, way))
            return false;
        *slash = '/';
    }
    return way == WAY_MAKE || step(a->file, part, WAY_FIND);
}

/* An empty struct with its name, not yet a file. */
static enum gm_code archive_blank(struct archive **out, const char *name, struct gm_error *err)
{
    void *memory;
    *out = NULL;
    enum gm_code code = memory_alloc(&memory, 1, sizeof **out, "an archive", err);
    if (code != GM_OK)
        return code;
    struct archive *a = memory;
    a->file = H5I_INVALID_HID;
    code = memory_string(&a->name, name, err);
    if (code != GM_OK)
        archive_close(a);
    else
        *out = a;
    return code;
}

/* HDF5 takes two images of one name for the same file: the address of the struct tells them apart. */
static void image_name(const struct archive *a, char name[64])
{
    snprintf(name, 64, "archive at %p", (const void *)a);
}

/* In the format of HDF5 1.6, which everything reads. The checksummed one of 1.8 would be welcome, but H5Fget_file_image
 * of 1.10 changes a flag in its superblock and leaves the superblock's checksum as it was: the image cannot be opened.
 */
static hid_t create_image(const struct archive *a)
{
    char name[64];
    hid_t file = H5I_INVALID_HID, access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    image_name(a, name);
    if (access >= 0 && create >= 0 && H5Pset_fapl_core(access, GROWTH, false) >= 0 &&
        H5Pset_obj_track_times(create, false) >= 0)
        file = H5Fcreate(name, H5F_ACC_TRUNC, create, access);
    if (access >= 0)
        H5Pclose(access);
    if (create >= 0)
        H5Pclose(create);
    return file;
}

enum gm_code archive_create(struct archive **out, struct gm_error *err)
{
    struct archive *a;
    enum gm_code code = archive_blank(&a, "a new archive", err);
    *out = NULL;
    if (code != GM_OK)
        return code;
    hdf5_lock();
    a->file = create_image(a);
    hdf5_unlock();
    if (a->file < 0) {
        archive_close(a);
        return error_set(err, GM_SYSTEM, "HDF5 could not make a file in memory.");
    }
    *out = a;
    return GM_OK;
}

enum gm_code archive_save(struct archive *a, const char *path, struct gm_error *err)
{
    return archive_save_keeping(a, path, NULL, err);
}

enum gm_code archive_save_keeping(struct archive *a, const char *path, const char *older, struct gm_error *err)
{
    void *image = NULL;
    hdf5_lock();
    ssize_t size = H5Fflush(a->file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(a->file, NULL, 0);
    enum gm_code code = size < 0 ? GM_SYSTEM : memory_alloc(&image, (size_t)size + SEAL_BYTES, 1, path, err);
    if (size < 0 || (code == GM_OK && H5Fget_file_image(a->file, image, (size_t)size) != size))
        code = error_set(err, GM_SYSTEM, "%s: HDF5 could not hand out the file it made in memory.", path);
    hdf5_unlock();
    if (code == GM_OK) {
        seal_write((char *)image + size, image, (size_t)size);
        code = file_replace_keeping(path, older, image, (size_t)size + SEAL_BYTES, err);
    }
    memory_free(image);
    return code;
}

hid_t archive_open_image(const struct archive *a, void **bytes, size_t size)
{
    char name[64];
    hid_t file = H5I_INVALID_HID, access = H5Pcreate(H5P_FILE_ACCESS);
    bool given =
        access >= 0 && H5Pset_fapl_core(access, GROWTH, false) >= 0 && H5Pset_file_image(access, *bytes, size) >= 0;
    memory_free(*bytes);
    *bytes = NULL;
    image_name(a, name);
    if (given)
        file = H5Fopen(name, H5F_ACC_RDONLY, access);
    if (access >= 0)
        H5Pclose(access);
    return file;
}

/* What the seal says of the bytes; without one, a child process tries them first. */
static enum gm_code examine(const struct archive *a, const void *bytes, size_t size, bool sealed, struct gm_error *err)
{
    switch (seal_check(bytes, size)) {
    case SEAL_HOLDS:
        return GM_OK;
    case SEAL_BROKEN:
        return error_set(err, GM_BAD_DATA, "%s: is damaged: its bytes do not match the checksum at its end.", a->name);
    case SEAL_MISSING:
        break;
    }
    if (sealed)
        return error_set(err, GM_BAD_DATA,
                         "%s: is damaged: the checksum at its end is missing (it was cut short, or another program "
                         "wrote it).",
                         a->name);
    return size ? archive_try(a, bytes, size, err) : GM_OK;
}

static enum gm_code open_archive(struct archive **out, const char *path, bool sealed, struct gm_error *err)
{
    struct archive *a;
    void *bytes = NULL;
    size_t size = 0;
    *out = NULL;
    enum gm_code code = archive_blank(&a, path, err);
    if (code != GM_OK)
        return code;
    if (!(code = file_read(path, ARCHIVE_BYTES_MOST, &bytes, &size, err)))
        code = examine(a, bytes, size, sealed, err);
    if (code == GM_OK) {
        hdf5_lock();
        a->file = size ? archive_open_image(a, &bytes, size) : H5I_INVALID_HID;
        hdf5_unlock();
        if (a->file < 0)
            code = error_set(err, GM_BAD_DATA, "%s: is not an HDF5 file, or is damaged.", path);
    }
    memory_free(bytes);
    if (code != GM_OK)
        archive_close(a);
    else
        *out = a;
    return code;
}

enum gm_code archive_open(struct archive **out, const char *path, struct gm_error *err)
{
    return open_archive(out, path, false, err);
}

enum gm_code archive_open_sealed(struct archive **out, const char *path, struct gm_error *err)
{
    return open_archive(out, path, true, err);
}

void archive_close(struct archive *a)
{
    if (!a)
        return;
    if (a->file >= 0) {
        hdf5_lock();
        H5Fclose(a->file);
        hdf5_unlock();
    }
    memory_free(a->name);
    memory_free(a);
}

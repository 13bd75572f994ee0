/* Files and types of HDF5. Datasets by name are in link.c, lists of words in words.c. */
#include "data/h5.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

struct reason {
    char *text;
    size_t size;
};

/* H5E_WALK_UPWARD starts at the innermost function: its first entry is the cause. */
static herr_t keep_first(unsigned n, const H5E_error2_t *entry, void *context)
{
    struct reason *reason = context;
    if (n == 0 && entry->desc)
        snprintf(reason->text, reason->size, "%s", entry->desc);
    return 0;
}

void h5_reason(char *text, size_t size)
{
    struct reason reason = {text, size};
    text[0] = 0;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
}

static enum gm_code check_readable(const char *path, struct gm_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int code = errno;
        if (code == ENOENT || code == ENOTDIR)
            return error_set(err, GM_NO_INPUT, "%s: no such file.", path);
        if (code == EACCES || code == EPERM)
            return error_set(err, GM_DENIED, "%s: permission denied; the file must be readable.", path);
        return error_set(err, GM_IO, "%s: cannot be opened: %s.", path, strerror(code));
    }
    struct stat status;
    bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    close(fd);
    if (!regular)
        return error_set(err, GM_BAD_DATA, "%s: not a file; an HDF5 file is expected.", path);
    if (status.st_size == 0)
        return error_set(err, GM_BAD_DATA, "%s: the file is empty.", path);
    return GM_OK;
}

static herr_t refuse_external(const char *parent_file, const char *parent_group, const char *child_file,
                              const char *child_object, unsigned *flags, hid_t access, void *context)
{
    (void)parent_file, (void)parent_group, (void)child_file, (void)child_object, (void)flags, (void)access;
    (void)context;
    return -1;
}

bool h5_refuse_external(hid_t access)
{
    return H5Pset_elink_cb(access, refuse_external, NULL) >= 0;
}

static enum gm_code open_file(struct h5_file *file, struct gm_error *err)
{
    file->access = H5Pcreate(H5P_LINK_ACCESS);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    bool ready = file->access >= 0 && access >= 0 && H5Pset_file_locking(access, false, true) >= 0 &&
                 (file->allow_external || h5_refuse_external(file->access));
    file->id = ready ? H5Fopen(file->path, H5F_ACC_RDONLY, access) : -1;
    char reason[256];
    h5_reason(reason, sizeof reason);
    if (access >= 0)
        H5Pclose(access);
    if (file->id >= 0)
        return GM_OK;
    if (!ready)
        return error_set(err, GM_SYSTEM, "%s: HDF5 could not be set up (%s).", file->path, reason);
    if (H5Fis_hdf5(file->path) <= 0)
        return error_set(err, GM_BAD_DATA,
                         "%s: not an HDF5 file, or damaged at its start. `gradmill import` converts other formats.",
                         file->path);
    return error_set(err, GM_BAD_DATA, "%s: the file is damaged or incomplete (HDF5: %s).", file->path, reason);
}

static void close_file(struct h5_file *file)
{
    if (file->id > 0)
        H5Fclose(file->id);
    if (file->access > 0)
        H5Pclose(file->access);
    memory_free(file->path);
    *file = (struct h5_file){0};
}

enum gm_code h5_open(struct h5_file **out, struct h5_files *files, const char *path, struct gm_error *err)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->list[i].path, path) == 0) {
            *out = &files->list[i];
            return GM_OK;
        }
    assert(files->count < H5_FILES_MOST); /* features, target, weight, group, split */
    struct h5_file *file = &files->list[files->count];
    *file = (struct h5_file){.id = -1, .access = -1, .allow_external = files->allow_external};
    enum gm_code code = check_readable(path, err);
    if (code == GM_OK)
        code = memory_string(&file->path, path, err);
    if (code == GM_OK)
        code = open_file(file, err);
    if (code != GM_OK) {
        close_file(file);
        return code;
    }
    files->count++;
    *out = file;
    return GM_OK;
}

void h5_close(struct h5_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        close_file(&files->list[i]);
    files->count = 0;
}

static enum h5_kind classify_integer(hid_t type, enum data_type *out)
{
    size_t size = H5Tget_size(type);
    bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
    if (size == 0 || size > 8)
        return H5_OTHER;
    enum data_type base = size == 1 ? DATA_U8 : size == 2 ? DATA_U16 : size <= 4 ? DATA_U32 : DATA_U64;
    *out = base + (is_signed ? 1 : 0);
    return H5_NUMBERS;
}

/* Both 16-bit formats with an implied leading bit: the width of the mantissa tells them apart. */
static bool half_format(hid_t type, enum data_type *out)
{
    size_t sign, exponent, exponent_bits, mantissa, mantissa_bits;
    if (H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) < 0 || mantissa != 0 ||
        sign != 15 || H5Tget_norm(type) != H5T_NORM_IMPLIED)
        return false;
    if (mantissa_bits == 10 && exponent == 10 && exponent_bits == 5 && H5Tget_ebias(type) == 15)
        *out = DATA_F16;
    else if (mantissa_bits == 7 && exponent == 7 && exponent_bits == 8 && H5Tget_ebias(type) == 127)
        *out = DATA_BF16;
    else
        return false;
    return true;
}

static enum h5_kind classify_float(hid_t type, enum data_type *out)
{
    size_t size = H5Tget_size(type);
    if (size == 2 && half_format(type, out))
        return H5_NUMBERS;
    if (size == 0 || size > 16)
        return H5_OTHER;
    *out = size <= 4 ? DATA_F32 : DATA_F64;
    return H5_NUMBERS;
}

enum h5_kind h5_classify(hid_t type, enum data_type *out)
{
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        return classify_integer(type, out);
    case H5T_FLOAT:
        return classify_float(type, out);
    case H5T_STRING:
        return H5_WORDS;
    case H5T_BITFIELD: /* how PyTables stores truth values */
        *out = DATA_U8;
        return H5Tget_size(type) == 1 ? H5_NUMBERS : H5_OTHER;
    case H5T_ENUM: {
        hid_t base = H5Tget_super(type);
        enum h5_kind kind = base < 0 ? H5_OTHER : classify_integer(base, out);
        H5Tclose(base);
        return kind;
    }
    default:
        return H5_OTHER;
    }
}

static hid_t native_order(hid_t type)
{
    hid_t copy = H5Tcopy(type);
    if (copy >= 0 && H5Tset_order(copy, H5Tget_order(H5T_NATIVE_INT)) < 0) {
        H5Tclose(copy);
        return -1;
    }
    return copy;
}

hid_t h5_memory_type(hid_t stored, enum data_type type)
{
    if (H5Tget_class(stored) == H5T_BITFIELD) /* HDF5 converts it to no number */
        return native_order(stored);
    switch (type) {
    case DATA_U8:
        return H5Tcopy(H5T_NATIVE_UINT8);
    case DATA_I8:
        return H5Tcopy(H5T_NATIVE_INT8);
    case DATA_U16:
        return H5Tcopy(H5T_NATIVE_UINT16);
    case DATA_I16:
        return H5Tcopy(H5T_NATIVE_INT16);
    case DATA_U32:
        return H5Tcopy(H5T_NATIVE_UINT32);
    case DATA_I32:
        return H5Tcopy(H5T_NATIVE_INT32);
    case DATA_U64:
        return H5Tcopy(H5T_NATIVE_UINT64);
    case DATA_I64:
        return H5Tcopy(H5T_NATIVE_INT64);
    case DATA_F32:
        return H5Tcopy(H5T_NATIVE_FLOAT);
    case DATA_F64:
        return H5Tcopy(H5T_NATIVE_DOUBLE);
    case DATA_F16:
    case DATA_BF16: /* HDF5 has no native type for these: the stored one, in our byte order */
        return native_order(stored);
    }
    return -1;
}

static const char *class_name(hid_t type)
{
    switch (H5Tget_class(type)) {
    case H5T_STRING:
        return "text";
    case H5T_COMPOUND:
        return "compound";
    case H5T_REFERENCE:
        return "reference";
    case H5T_VLEN:
        return "variable-length";
    case H5T_ARRAY:
        return "array";
    default:
        return "opaque";
    }
}

char *h5_describe(hid_t dataset, char *text, size_t size)
{
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    enum data_type number;
    enum h5_kind kind = h5_classify(type, &number);
    size_t length =
        (size_t)snprintf(text, size, "%s [", kind == H5_NUMBERS ? data_type_name(number) : class_name(type));
    hsize_t dims[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    for (int i = 0; i < rank && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%llu", i ? " x " : "", (unsigned long long)dims[i]);
    if (length < size)
        snprintf(text + length, size - length, "]");
    H5Sclose(space);
    H5Tclose(type);
    return text;
}

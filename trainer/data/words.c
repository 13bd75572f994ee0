/* Lists of words in HDF5: class_names, feature_names, members of enumerations. See h5.h. */
#include "data/h5.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/sizes.h"

enum { WORDS_MOST = 1 << 24 };

void h5_free_words(char **words, size_t count)
{
    for (size_t i = 0; words && i < count; i++)
        memory_free(words[i]);
    memory_free(words);
}

/* An attribute or a dataset, whichever holds the words. */
struct holder {
    const char *name;
    hid_t id, type, space;
    bool is_attribute;
};

static void close_holder(struct holder *holder)
{
    if (holder->space >= 0)
        H5Sclose(holder->space);
    if (holder->type >= 0)
        H5Tclose(holder->type);
    if (holder->id >= 0 && holder->is_attribute)
        H5Aclose(holder->id);
    else if (holder->id >= 0)
        H5Dclose(holder->id);
}

static struct holder open_holder(hid_t object, const char *name)
{
    struct holder holder = {
        .name = name, .id = -1, .type = -1, .space = -1, .is_attribute = H5Aexists(object, name) > 0};
    H5O_info_t info;
    if (holder.is_attribute) {
        holder.id = H5Aopen(object, name, H5P_DEFAULT);
    } else if (H5Iget_type(object) != H5I_DATASET && H5Lexists(object, name, H5P_DEFAULT) > 0) {
        H5L_info_t link;
        if (H5Lget_info(object, name, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD &&
            H5Oget_info_by_name2(object, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
            info.type == H5O_TYPE_DATASET)
            holder.id = H5Dopen2(object, name, H5P_DEFAULT);
    }
    if (holder.id >= 0) {
        holder.type = holder.is_attribute ? H5Aget_type(holder.id) : H5Dget_type(holder.id);
        holder.space = holder.is_attribute ? H5Aget_space(holder.id) : H5Dget_space(holder.id);
    }
    return holder;
}

static bool read_holder(const struct holder *holder, hid_t type, void *to)
{
    if (holder->is_attribute)
        return H5Aread(holder->id, type, to) >= 0;
    return sizes_are_right(holder->id) && H5Dread(holder->id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) >= 0;
}

/* A string type of `size` bytes (or H5T_VARIABLE) with the character set of the stored one: HDF5 does not convert it.
 */
static hid_t string_type(hid_t stored, size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, size) < 0 || H5Tset_cset(type, H5Tget_cset(stored)) < 0)) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

static enum gm_code unreadable(const struct holder *holder, struct gm_error *err)
{
    char file[512] = "";
    H5Fget_name(holder->id, file, sizeof file);
    return error_set(err, GM_BAD_DATA, "%s: the words of '%s' cannot be read: the file is damaged.", file,
                     holder->name);
}

static enum gm_code copy_variable(char **words, size_t count, const struct holder *holder, struct gm_error *err)
{
    char **texts = NULL;
    enum gm_code code = memory_alloc((void **)&texts, count, sizeof *texts, "names", err);
    hid_t type = string_type(holder->type, H5T_VARIABLE);
    if (code == GM_OK && (type < 0 || !read_holder(holder, type, texts)))
        code = unreadable(holder, err);
    for (size_t i = 0; code == GM_OK && i < count; i++)
        code = memory_string(&words[i], texts[i] ? texts[i] : "", err);
    if (type >= 0) {
        if (texts)
            H5Dvlen_reclaim(type, holder->space, H5P_DEFAULT, texts);
        H5Tclose(type);
    }
    memory_free(texts);
    return code;
}

static enum gm_code copy_fixed(char **words, size_t count, const struct holder *holder, struct gm_error *err)
{
    size_t size = H5Tget_size(holder->type) + 1, bytes; /* one more: always terminated */
    char *texts = NULL;
    hid_t type = string_type(holder->type, size);
    enum gm_code code = GM_OK;
    if (type < 0 || !memory_product(size, count, &bytes))
        code = unreadable(holder, err);
    else if ((code = memory_alloc((void **)&texts, count, size, "names", err)) == GM_OK &&
             !read_holder(holder, type, texts))
        code = unreadable(holder, err);
    for (size_t i = 0; code == GM_OK && i < count; i++) {
        texts[i * size + size - 1] = 0;
        code = memory_string(&words[i], texts + i * size, err);
    }
    if (type >= 0)
        H5Tclose(type);
    memory_free(texts);
    return code;
}

enum gm_code h5_words(char ***out, size_t *count, hid_t object, const char *name, struct gm_error *err)
{
    *out = NULL;
    *count = 0;
    struct holder holder = open_holder(object, name);
    hssize_t points = holder.space >= 0 ? H5Sget_simple_extent_npoints(holder.space) : 0;
    enum gm_code code = GM_OK;
    if (holder.type >= 0 && H5Tget_class(holder.type) == H5T_STRING && points > 0 && points <= WORDS_MOST) {
        char **words = NULL;
        size_t n = (size_t)points;
        code = memory_alloc((void **)&words, n, sizeof *words, "names", err);
        if (code == GM_OK)
            code = H5Tis_variable_str(holder.type) > 0 ? copy_variable(words, n, &holder, err)
                                                       : copy_fixed(words, n, &holder, err);
        if (code == GM_OK) {
            *out = words;
            *count = n;
        } else {
            h5_free_words(words, n);
        }
    }
    close_holder(&holder);
    return code;
}

enum gm_code h5_enum_words(char ***out, size_t *count, hid_t type, struct gm_error *err)
{
    *out = NULL;
    *count = 0;
    int members = H5Tget_class(type) == H5T_ENUM ? H5Tget_nmembers(type) : 0;
    if (members <= 0)
        return GM_OK;
    size_t n = (size_t)members;
    hid_t base = H5Tget_super(type);
    char **words = NULL;
    enum gm_code code = memory_alloc((void **)&words, n, sizeof *words, "names", err);
    bool dense = base >= 0;
    for (size_t i = 0; code == GM_OK && dense && i < n; i++) {
        int64_t value[2] = {0}; /* as wide as any stored member */
        char *name = H5Tget_member_name(type, (unsigned)i);
        dense = name && H5Tget_size(type) <= sizeof value && H5Tget_member_value(type, (unsigned)i, value) >= 0 &&
                H5Tconvert(base, H5T_NATIVE_INT64, 1, value, NULL, H5P_DEFAULT) >= 0 && value[0] >= 0 &&
                (uint64_t)value[0] < n && !words[value[0]];
        if (dense)
            code = memory_string(&words[value[0]], name, err);
        H5free_memory(name);
    }
    if (base >= 0)
        H5Tclose(base);
    if (code == GM_OK && dense) {
        *out = words;
        *count = n;
    } else {
        h5_free_words(words, n);
    }
    return code;
}

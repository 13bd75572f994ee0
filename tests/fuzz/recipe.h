/* Archives made from a fuzzer's bytes: whole for HDF5 and with a checksum that holds, but of any content. */
#ifndef TESTS_FUZZ_RECIPE_H
#define TESTS_FUZZ_RECIPE_H

#include <math.h>

#include "base/archive.h"
#include "tests/fuzz/fuzz.h"

struct recipe {
    const uint8_t *bytes;
    size_t left;
};

struct recipe_names {
    const char *const *arrays;
    size_t n_arrays;
    const char *const *texts;
    size_t n_texts;
    const char *const *integers;
    size_t n_integers;
};

static inline uint8_t recipe_byte(struct recipe *r)
{
    if (r->left == 0)
        return 0;
    r->left--;
    return *r->bytes++;
}

static inline double recipe_real(struct recipe *r)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, -1, 1e308, 5e-324, 9007199254740993.0, 0.5};
    uint8_t byte = recipe_byte(r);
    return byte < 8 ? odd[byte] : (double)byte - 8;
}

static inline int64_t recipe_integer(struct recipe *r)
{
    static const int64_t odd[] = {INT64_MAX, INT64_MIN, -1, 4294967296, 65536, 1000, 2147483648};
    uint8_t byte = recipe_byte(r);
    return byte < 7 ? odd[byte] : byte - 7;
}

static inline const char *recipe_text(struct recipe *r, char text[64])
{
    static const char *const words[] = {"linear",        "mlp", "factorization", "centroids",     "mse",
                                        "{\"delta\":1}", "{",   "relu",          "gradmill-model"};
    uint8_t byte = recipe_byte(r), i = 0;
    if (byte < sizeof words / sizeof *words)
        return words[byte];
    for (; i < byte % 63; i++)
        text[i] = (char)recipe_byte(r);
    text[i] = 0;
    return text;
}

static inline void recipe_array(struct archive *a, struct recipe *r, const char *name)
{
    double values[256];
    const char *words[256];
    char text[64];
    uint8_t how = recipe_byte(r);
    struct archive_shape shape = {.rank = how % 4,
                                  .dims = {recipe_byte(r) % 8, recipe_byte(r) % 8, recipe_byte(r) % 4}};
    const char *word = recipe_text(r, text);
    for (size_t i = 0; i < 256; i++) {
        values[i] = r->left ? recipe_real(r) : 1;
        words[i] = word;
    }
    struct gm_error err;
    (void)archive_put(a, name, how & 64 ? ARCHIVE_TEXT : ARCHIVE_F64, &shape, how & 64 ? (void *)words : values, &err);
}

static inline void recipe_step(struct archive *a, struct recipe *r, const struct recipe_names *n)
{
    char text[64];
    const char *list[3];
    struct gm_error err;
    uint8_t what = recipe_byte(r), which = recipe_byte(r);
    switch (what % 5) {
    case 0:
        recipe_array(a, r, n->arrays[which % n->n_arrays]);
        break;
    case 1:
        (void)archive_put_text(a, n->texts[which % n->n_texts], recipe_text(r, text), &err);
        break;
    case 2:
        (void)archive_put_integer(a, n->integers[which % n->n_integers], recipe_integer(r), &err);
        break;
    case 3:
        (void)archive_put_real(a, n->integers[which % n->n_integers], recipe_real(r), &err);
        break;
    default:
        for (size_t i = 0; i < 3; i++)
            list[i] = recipe_text(r, text);
        (void)archive_put_texts(a, n->arrays[which % n->n_arrays] + 1, list, what / 5 % 4, &err);
    }
}

/* The first to put something at a name wins, so a recipe may leave out or bend what follows by itself. */
static inline void recipe_cook(struct recipe *r, const struct recipe_names *names, const char *format, const char *path)
{
    struct archive *a = NULL;
    struct gm_error err;
    require(archive_create(&a, &err) == GM_OK, "an archive");
    uint8_t usual = recipe_byte(r);
    while (r->left)
        recipe_step(a, r, names);
    if (usual & 1)
        (void)archive_put_text(a, "format", format, &err);
    if (usual & 2)
        (void)archive_put_integer(a, "format_version", 1, &err);
    for (size_t i = 0; usual & 4 && i < names->n_texts; i++)
        (void)archive_put_text(a, names->texts[i], strcmp(names->texts[i], "model_type") ? "x" : "linear", &err);
    for (size_t i = 0; usual & 8 && i < names->n_integers; i++)
        (void)archive_put_integer(a, names->integers[i], 1, &err);
    require(archive_save(a, path, &err) == GM_OK, "saving the archive");
    archive_close(a);
}

#endif

/* Which importer a file is for. */
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "datasets/array_header.h"
#include "datasets/datasets.h"
#include "datasets/input.h"

typedef enum gm_code importer(const char *const *from, size_t files, const char *to,
                              const struct import_options *options, struct import_report *report, struct gm_error *err);

static bool ends_with(const char *name, size_t length, const char *ending)
{
    size_t n = strlen(ending);
    return length >= n && strncasecmp(name + length - n, ending, n) == 0;
}

static importer *by_name(const char *path)
{
    static const struct {
        const char *ending;
        importer *import;
    } endings[] = {
        {".csv", import_csv_files}, {".tsv", import_csv_files},   {".libsvm", import_libsvm},
        {".svm", import_libsvm},    {".svmlight", import_libsvm}, {".npy", import_arrays},
        {".npz", import_arrays},    {".idx", import_arrays},      {"-ubyte", import_arrays},
    };
    const char *name = input_base_name(path), *member = strstr(name, ".npz:");
    size_t length = member ? (size_t)(member - name) + 4 : strlen(name);
    if (ends_with(name, length, ".gz"))
        length -= 3;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(name, length, endings[i].ending))
            return endings[i].import;
    return NULL;
}

static enum gm_code by_content(const char *path, importer **found, struct gm_error *err)
{
    struct input in;
    unsigned char bytes[8];
    size_t got = 0;
    enum gm_code code = input_open(&in, path, err);
    if (code == GM_OK)
        code = input_read(&in, bytes, sizeof bytes, &got, err);
    input_close(&in);
    bool zip = got >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
    *found = zip || array_is_npy(bytes, got) || array_is_idx(bytes, got) ? import_arrays : NULL;
    return code;
}

enum gm_code import_file(const char *const *from, size_t files, const char *to, const struct import_options *options,
                         struct import_report *report, struct gm_error *err)
{
    importer *import = NULL;
    for (size_t i = 0; i < files; i++) {
        importer *next = by_name(from[i]);
        enum gm_code code = next ? GM_OK : by_content(from[i], &next, err);
        if (code)
            return code;
        if (!next)
            return error_set(
                err, GM_USAGE,
                "%s: unknown format. Expected a name that ends in .csv, .tsv, .libsvm, .svmlight, .npy, .npz, "
                ".idx or -ubyte, also with .gz.",
                from[i]);
        if (import && next != import)
            return error_set(err, GM_USAGE, "%s: another format than %s: give files of one format.", from[i], from[0]);
        import = next;
    }
    return import ? import(from, files, to, options, report, err) : error_set(err, GM_USAGE, "No input file.");
}

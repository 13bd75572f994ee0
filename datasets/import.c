/* What all importers share. */
#include "datasets/import.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "datasets/input.h"

#define FORMAT_VERSION 1

enum gm_code import_meter_init(struct import_meter *meter, const char *const *from, size_t files,
                               const struct import_options *options, struct gm_error *err)
{
    *meter = (struct import_meter){.progress = options->progress, .context = options->context, .passes = 2};
    for (size_t i = 0; i < files; i++) {
        struct stat facts;
        if (stat(from[i], &facts) != 0) {
            enum gm_code code = errno == EACCES ? GM_DENIED : GM_NO_INPUT;
            return error_set(err, code, "%s: cannot be opened: %s.", from[i], strerror(errno));
        }
        meter->total += (uint64_t)facts.st_size;
    }
    return GM_OK;
}

void import_meter_tell(const struct import_meter *meter, uint64_t done_of_file)
{
    if (meter->progress)
        meter->progress(meter->context, meter->before + done_of_file, meter->passes * meter->total);
}

void import_meter_file_done(struct import_meter *meter, uint64_t size)
{
    meter->before += size;
    import_meter_tell(meter, 0);
}

enum gm_code import_describe(struct output *out, const char *const *from, size_t files, struct gm_error *err)
{
    size_t length = 1;
    for (size_t i = 0; i < files; i++)
        length += strlen(input_base_name(from[i])) + 2;
    char *source;
    enum gm_code code = memory_alloc((void **)&source, length, 1, "the source's name", err);
    if (code)
        return code;
    for (size_t i = 0; i < files; i++) {
        strcat(source, i ? ", " : "");
        strcat(source, input_base_name(from[i]));
    }
    if ((code = output_text(out, "/", "format", "gradmill-dataset", err)) == GM_OK &&
        (code = output_number(out, "/", "format_version", FORMAT_VERSION, err)) == GM_OK)
        code = output_text(out, "/", "source", source, err);
    memory_free(source);
    return code;
}

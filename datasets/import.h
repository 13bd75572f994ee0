/* What all importers share: progress over several files and passes, and the attributes of a dataset file. */
#ifndef DATASETS_IMPORT_H
#define DATASETS_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "datasets/datasets.h"
#include "datasets/output.h"

struct import_meter {
    datasets_progress_fn *progress;
    void *context;
    uint64_t total;  /* bytes of all files */
    uint64_t before; /* bytes of the files done with, over all passes */
    size_t passes;   /* as far as known */
};

/* Also finds out that every input is there. GM_NO_INPUT. */
enum gm_code import_meter_init(struct import_meter *meter, const char *const *from, size_t files,
                               const struct import_options *options, struct gm_error *err);
void import_meter_tell(const struct import_meter *meter, uint64_t done_of_file);
void import_meter_file_done(struct import_meter *meter, uint64_t size);

/* Root attributes format, format_version and source (base names, never directories). */
enum gm_code import_describe(struct output *out, const char *const *from, size_t files, struct gm_error *err);

#endif

/* CSV text to test_path("out.h5"). */
#ifndef TESTS_DATASETS_CSV_TEXT_H
#define TESTS_DATASETS_CSV_TEXT_H

#include <unistd.h>

#include "datasets/datasets.h"
#include "support.h"

static const struct import_options plain = {0};

/* Import `text` with options; the output is test_path("out.h5"). */
static enum gm_code import_text(const char *text, const struct import_options *options, struct import_report *report,
                                struct gm_error *err)
{
    test_write(test_path("in.csv"), text);
    unlink(test_path("out.h5"));
    *err = (struct gm_error){0};
    return import_csv(test_path("in.csv"), test_path("out.h5"), options, report, err);
}

#endif

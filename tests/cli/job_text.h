/* A job file from a text. */
#ifndef TESTS_CLI_JOB_TEXT_H
#define TESTS_CLI_JOB_TEXT_H

#include "support.h"

#include <unistd.h>

#include "cli/job.h"

#define MINIMAL "data: {train: d.h5}\nloss: mse\n"

static struct gm_error err;

/* Load `text` with one --set (or NULL). */
static enum gm_code load(struct job_file *file, const char *text, const char *set)
{
    const char *path = test_path("job.yaml");
    unlink(path); /* ext4 brings a file that is cut and written again to the disk at once, thousands of them here */
    test_write(path, text);
    err = (struct gm_error){0};
    return job_load(file, path, &set, set != NULL, &err);
}

#endif

/*
 * Fuzzing job files: everything up to the first zero byte is the file, what follows are --set options, a zero between
 * two. A job that is accepted must have what every job has.
 */
#include <math.h>

#include "cli/job.h"
#include "tests/fuzz/fuzz.h"

#define MOST_SETS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[256], texts[4096];
    const char *sets[MOST_SETS];
    size_t n_sets = 0, file_bytes = size ? strnlen((const char *)data, size) : 0;
    size_t rest = size > file_bytes ? size - file_bytes - 1 : 0;
    if (rest >= sizeof texts)
        return 0;
    memcpy(texts, data + size - rest, rest);
    texts[rest] = 0;
    for (size_t i = 0; i < rest && n_sets < MOST_SETS; i += strlen(texts + i) + 1)
        sets[n_sets++] = texts + i;
    write_input(in_directory(path, "job.yaml"), data, file_bytes);
    struct job_file file;
    struct gm_error err = {0};
    enum gm_code code = job_load(&file, path, sets, n_sets, &err);
    require_reason(code, &err);
    require(code == GM_OK || code == GM_BAD_JOB || (code == GM_USAGE && n_sets), "the code of a job file");
    if (code == GM_OK) {
        const struct gm_job *job = &file.job;
        require(job->data.train.path || job->data.train.features, "data.train");
        require(job->loss.count > 0 && job->loss.terms[0].name, "loss.name");
        require(job->stop.patience > 0 && !(job->optimizer.l1 < 0) && isfinite(job->optimizer.l2), "ranges");
    }
    job_release(&file);
    return 0;
}

/* The files that a job writes. */
#include "train/outputs.h"

#include <string.h>

#include "base/error.h"
#include "data/sources.h"

enum { OUTPUTS = 3 };

/* Does this name a file, and not a dataset in one? */
static bool names_file(const char *name, bool is_path)
{
    return name && (is_path || strstr(name, ":/"));
}

/* The input that `output` would replace, NULL when there is none. */
static const char *input_among(const struct sources *sources, const char *output)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct data_source *s = &sources->list[i];
        const char *const names[] = {s->path, s->second, s->features, s->target, s->weight, s->group, s->split};
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (names_file(names[k], k < 2) && file_same(output, names[k]))
                return names[k];
    }
    return NULL;
}

static enum gm_code spare_data(const struct gm_data *data, const char *key, const char *output, struct gm_error *err)
{
    const struct data_source source = problem_source(data);
    struct sources sources = {0};
    struct gm_error later; /* what can't be found is told when it is opened */
    enum gm_code code = GM_OK;
    if ((data->path || data->features || data->n_paths) && sources_expand(&sources, &source, &later) == GM_OK) {
        const char *input = input_among(&sources, output);
        if (input)
            code = error_set(err, GM_BAD_JOB,
                             "output: '%s' would replace '%s', which %s reads. Give the output another name.", output,
                             input, key);
    }
    sources_release(&sources);
    return code;
}

static enum gm_code spare_inputs(const struct gm_job *job, const char *output, struct gm_error *err)
{
    enum gm_code code = spare_data(&job->data.train, "data.train", output, err);
    if (!code)
        code = spare_data(&job->data.validation, "data.validation", output, err);
    const char *split = job->data.split;
    if (!code && names_file(split, false) && file_same(output, split))
        code = error_set(err, GM_BAD_JOB,
                         "output: '%s' would replace '%s', which data.split reads. Give the output another name.",
                         output, split);
    for (size_t i = 0; !code && i < job->loss.count; i++) {
        const char *name = job->loss.terms[i].name;
        if (name && strchr(name, '/') && file_same(output, name))
            code = error_set(err, GM_BAD_JOB, "output: '%s' would replace the loss '%s'. Give the output another name.",
                             output, name);
    }
    return code;
}

/* One after the other, so that of two runs the first to come has them all. */
enum gm_code outputs_take(struct problem *p, struct gm_error *err)
{
    const struct gm_job *job = p->job;
    const char *const paths[OUTPUTS] = {job->output.model, job->output.checkpoint, job->output.log};
    _Static_assert(OUTPUTS == sizeof p->locks / sizeof *p->locks, "a lock an output");
    enum gm_code code = GM_OK;
    for (size_t i = 0; !code && i < OUTPUTS; i++) {
        if (!paths[i])
            continue;
        for (size_t j = 0; j < i; j++)
            if (paths[j] && (strcmp(paths[i], paths[j]) == 0 || file_same(paths[i], paths[j])))
                return error_set(err, GM_BAD_JOB, "output: '%s' is named twice: each output is a file of its own.",
                                 paths[i]);
        if ((code = spare_inputs(job, paths[i], err)) || (code = file_check_writable(paths[i], err)))
            return code;
        code = file_lock_take(&p->locks[i], paths[i], err);
    }
    return code;
}

/* See harness.h. */
#include "plugins/harness.h"

#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/trial.h"
#include "support.h"

/* ---- opening --------------------------------------------------------------------------------------------------- */

static const struct gm_loss *find(const char *id)
{
    const char *directory = getenv("GRADMILL_LOSSES");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.so", directory ? directory : ".", id);
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    gm_loss_entry_fn *entry = NULL;
    if (file)
        *(void **)&entry = dlsym(file, "gm_loss_entry_v1");
    if (!entry)
        printf("\n    %s\n", dlerror());
    return entry ? entry(0) : NULL;
}

static void keep_text(const struct gm_loss_host *host, const char *text)
{
    struct harness *h = host->context;
    snprintf(h->said, sizeof h->said, "%s", text);
}

static void set_default(struct harness *h, size_t i)
{
    const struct gm_loss_param *p = &h->loss->params[i];
    h->lists[i][0] = p->fallback;
    if (p->type == GM_PARAM_LIST) {
        h->param[i].list.values = h->lists[i];
        h->param[i].list.count = isnan(p->fallback) ? 0 : 1;
    } else if (p->type == GM_PARAM_REAL) {
        h->param[i].real = p->fallback;
    } else {
        h->param[i].integer = (int64_t)p->fallback;
    }
}

/* "name=value" with value a number or a list of numbers. */
static bool set_one(struct harness *h, const char *text)
{
    for (size_t i = 0; i < h->loss->n_params; i++) {
        const struct gm_loss_param *p = &h->loss->params[i];
        size_t length = strlen(p->name);
        if (strncmp(text, p->name, length) != 0 || text[length] != '=')
            continue;
        size_t count = 0;
        char *at = (char *)(uintptr_t)(text + length);
        do
            h->lists[i][count++] = strtod(at + 1, &at);
        while (*at == ',');
        if (p->type == GM_PARAM_LIST)
            h->param[i].list.count = count;
        else if (p->type == GM_PARAM_REAL)
            h->param[i].real = h->lists[i][0];
        else
            h->param[i].integer = (int64_t)h->lists[i][0];
        return true;
    }
    return false;
}

static bool set_params(struct harness *h, const char *params)
{
    for (size_t i = 0; i < h->loss->n_params; i++)
        set_default(h, i);
    for (const char *at = params; at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (!set_one(h, at))
            return false;
    return true;
}

static void choose_outputs(struct harness *h, const struct subject *subject)
{
    const int32_t outputs = h->spec.outputs;
    h->outputs = outputs > 0 ? (size_t)outputs : outputs == GM_OUTPUTS_PER_CLASS ? h->classes : h->targets;
    if (outputs == GM_OUTPUTS_ANY)
        h->outputs = subject->outputs;
}

int harness_open(struct harness *h, const struct subject *subject)
{
    memset(h, 0, sizeof *h);
    h->loss = find(subject->id);
    if (!h->loss || h->loss->n_params > HARNESS_PARAMS || !set_params(h, subject->params))
        return -1;
    if (h->loss->spec)
        h->spec = *h->loss->spec;
    h->targets = h->spec.target_kind == GM_TARGET_NONE ? 0 : subject->targets ? subject->targets : 1;
    h->classes = h->spec.target_kind == GM_TARGET_CLASS ? subject->classes : 0;
    h->host = (struct gm_loss_host){.struct_size = sizeof h->host, .context = h, .error = keep_text};
    struct gm_loss_batch b = {
        .struct_size = sizeof b, .outputs = h->classes, .targets = h->targets, .param = h->param, .host = &h->host};
    int status = h->loss->create ? h->loss->create(&b, &h->spec, &h->instance) : GM_LOSS_OK;
    if (status != GM_LOSS_OK)
        return status;
    choose_outputs(h, subject);
    size_t bytes = h->spec.scratch_fixed + h->spec.scratch_per_row * ROWS;
    h->scratch = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
    for (size_t i = 0; i < HARNESS_THETA; i++)
        h->theta[i] = 0.3 * (double)(i % 3) - 0.2;
    return h->spec.n_theta <= HARNESS_THETA && h->outputs <= HARNESS_OUTPUTS ? GM_LOSS_OK : -1;
}

void harness_close(struct harness *h)
{
    if (h->loss && h->loss->destroy)
        h->loss->destroy(h->instance);
    free(h->scratch);
    memset(h, 0, sizeof *h);
}

struct gm_loss_batch harness_batch(struct harness *h, size_t rows, const double *pred, const double *target)
{
    return (struct gm_loss_batch){.struct_size = sizeof(struct gm_loss_batch),
                                  .rows = rows,
                                  .outputs = h->outputs,
                                  .targets = h->targets,
                                  .pred = pred,
                                  .target = h->targets ? target : NULL,
                                  .theta = h->spec.n_theta ? h->theta : NULL,
                                  .param = h->param,
                                  .instance = h->instance,
                                  .scratch = h->scratch,
                                  .host = &h->host};
}

double harness_value(const struct subject *subject, const double *pred, const double *target)
{
    struct harness h;
    double value = NAN;
    if (harness_open(&h, subject) == 0) {
        struct gm_loss_batch b = harness_batch(&h, 1, pred, target);
        struct gm_loss_result r = {.struct_size = sizeof r};
        if (h.loss->evaluate(&b, &r) == GM_LOSS_OK)
            value = r.loss;
    }
    harness_close(&h);
    return value;
}

static void check_words(const struct gm_loss *loss, const struct subject *subject)
{
    CU_ASSERT(strcmp(loss->id, subject->id) == 0);
    CU_ASSERT(loss->magic == GM_LOSS_MAGIC && loss->abi_major == 1 && loss->struct_size == sizeof *loss);
    CU_ASSERT(loss->version && loss->formula && loss->license && loss->spec);
    CU_ASSERT(loss->spec && loss->spec->task != GM_TASK_OTHER && loss->spec->struct_size == sizeof *loss->spec);
    ASSERT_HOLDS(loss->help, "Use it ");
    ASSERT_HOLDS(loss->help, "Not ");
    for (size_t i = 0; i < loss->n_params; i++)
        CU_ASSERT(loss->params[i].name && loss->params[i].help && *loss->params[i].help);
}

void harness_check(const struct subject *subject)
{
    struct harness h;
    int status = harness_open(&h, subject);
    if (status != 0)
        printf("\n    %s does not open: %d %s", subject->id, status, h.said);
    CU_ASSERT_EQUAL(status, 0);
    if (status == 0) {
        static struct trial start, t;
        check_words(h.loss, subject);
        for (int round = 0; round < 3; round++) {
            trial_fill(&start, &h, subject);
            t = start, trial_derivatives(&t);
            t = start, trial_blocks(&t);
            t = start, trial_subsets(&t);
            t = start, trial_weights(&t);
            t = start, trial_extremes(&t, subject);
            t = start, trial_sick_row(&t);
        }
        t = start, trial_baseline(&t, subject);
    }
    harness_close(&h);
}

static bool takes(const struct subject *subject, const char *name, double value)
{
    struct harness h;
    struct subject changed = *subject;
    char params[256];
    snprintf(params, sizeof params, "%s=%.17g", name, value);
    changed.params = params;
    int status = harness_open(&h, &changed);
    bool fine = status == GM_LOSS_OK;
    for (size_t i = 0; fine && i < h.loss->n_params; i++) {
        const struct gm_loss_param *p = &h.loss->params[i];
        if (strcmp(p->name, name) == 0 && p->low != p->high)
            fine = (p->flags & GM_PARAM_LOW_OPEN ? value > p->low : value >= p->low) &&
                   (p->flags & GM_PARAM_HIGH_OPEN ? value < p->high : value <= p->high);
    }
    CU_ASSERT(status == GM_LOSS_OK || *h.said);
    harness_close(&h);
    return fine;
}

void harness_check_bounds(const struct subject *subject, const char *name, double good, double bad)
{
    CU_ASSERT(takes(subject, name, good));
    CU_ASSERT(!takes(subject, name, bad));
}

/*
 * Does a plugin keep the contract of gradmill/loss.h? A table of checks, each run in a forked child of its own with a
 * time limit, so that whatever the plugin does, the answer comes back: a crash is a result that names the buffer.
 *
 * Call it before the process has entered a parallel region: the children would inherit OpenMP's locks.
 */
#ifndef LOSS_CHECK_H
#define LOSS_CHECK_H

#include "loss/plugin.h"

enum check_verdict {
    CHECK_PASSED,
    CHECK_WARNED, /* within the contract, but worth knowing */
    CHECK_FAILED,
    CHECK_SKIPPED /* does not apply to this loss, or could not be run: the text says why */
};

enum { CHECK_TEXT = 700 };

struct check_result {
    const char *name; /* "gradient" */
    const char *what; /* one line: what is verified */
    enum check_verdict verdict;
    double seconds;
    char text[CHECK_TEXT]; /* what was found; "" when there is nothing to say */
};

struct check_options {
    const char *name;        /* id or file */
    const char *search_path; /* as for loss_load */
    const struct loss_setting *settings;
    size_t n_settings;
    uint64_t seed;     /* of the random inputs: a verdict depends on nothing else */
    double time_limit; /* seconds of processor time for all; 0: 10 */
    const char *only;  /* one check, and those that everything stands on; NULL: all */
};

typedef void check_seen_fn(void *context, const struct check_result *result);

/* Runs every check and tells each result in order; stops early when the loss cannot be called at all. GM_OK: none
 * failed. GM_PLUGIN_BROKEN: the first failure is in err. GM_PLUGIN_LOAD: not loadable. GM_USAGE: `only` is no check.
 * GM_BAD_JOB: the settings do not fit. GM_SYSTEM. */
enum gm_code check_run(const struct check_options *options, check_seen_fn *seen, void *context, struct gm_error *err);

/* Names and meanings of all checks, in order. */
size_t check_count(void);
const char *check_name(size_t index);
const char *check_what(size_t index);

/* The short version that runs before every training, in this process and without signals or children: a few blocks; is
 * the gradient the derivative of the loss, is everything finite, do two calls give the same bits. At most some
 * milliseconds; the same verdict every time. GM_PLUGIN_BROKEN. */
enum gm_code loss_check_quick(const struct loss *loss, struct gm_error *err);

#endif

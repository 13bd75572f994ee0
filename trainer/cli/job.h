/*
 * The job file: YAML and --set to a struct gm_job, with every mistake named by file, line, column, key and what was
 * expected. The keys are a table (job_schema.c); job_value.c reads one value, job.c walks.
 */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <gradmill/gradmill.h>

#include "cli/tree.h"

#define JOB_FILE_LIMIT ((size_t)1 << 20) /* bytes */

/* A job and everything its strings borrow from. */
struct job_file {
    struct gm_job job;
    struct tree tree;
};

/* Read a job file, apply `sets` ("key.path=value") in order. Relative paths in it stay relative to the current
 * directory. GM_NO_INPUT, GM_DENIED, GM_IO, GM_BAD_JOB, GM_SYSTEM; GM_USAGE when a --set has no '='. A zeroed struct
 * may be released. */
enum gm_code job_load(struct job_file *file, const char *path, const char *const *sets, size_t n_sets,
                      struct gm_error *err);
void job_release(struct job_file *file);

/* ---- the schema ---- */

enum job_kind {
    JOB_BOOL,
    JOB_REAL,
    JOB_WHOLE,    /* size_t */
    JOB_SEED,     /* uint64_t */
    JOB_THREADS,  /* int */
    JOB_CHOICE,   /* enum, index into choices */
    JOB_TEXT,     /* const char *, not empty */
    JOB_DURATION, /* double, seconds */
    JOB_BYTES,    /* uint64_t */
    JOB_FILES,    /* struct gm_data: a text or a list of texts */
    JOB_FRACTION, /* data.validation: a number (validation_fraction), a file or a list of files (validation.path) */
    JOB_LOSS,     /* loss: a name, a map or a list of maps */
    JOB_COLUMNS,  /* loss.columns, loss.target */
    JOB_PARAMS,   /* loss.params */
    JOB_WHOLES    /* struct gm_wholes, a list of whole numbers */
};

enum job_flags {
    JOB_LOW_OPEN = 1,  /* > low instead of >= */
    JOB_HIGH_OPEN = 2, /* < high instead of <= */
    JOB_NOWHERE = 4    /* checked, but has no place in struct gm_job yet */
};

struct job_key {
    const char *path; /* "stop.patience" */
    enum job_kind kind;
    size_t offset;    /* into struct gm_job; for keys of a loss into struct gm_job_loss */
    double low, high; /* of numbers */
    unsigned flags;
    const char *choices;  /* "a|b|c" */
    const char *word;     /* stands for NaN, NULL or 0: "auto", "full", "null" */
    const char *model;    /* the model types the key belongs to, "a|b"; NULL: all */
    const char *fallback; /* default, as one would write it; NULL: none */
    const char *help;
};

const struct job_key *job_keys(size_t *count);
const struct job_key *job_key_find(const char *path);
bool job_is_section(const char *path); /* there are keys below it */
/* "a number above 0, or auto". Returns buffer. */
#define JOB_EXPECTED 240
char *job_expected(const struct job_key *key, char buffer[JOB_EXPECTED]);
bool job_key_is_for(const struct job_key *key, const char *model_type);
/* "mlp or two_tower". Returns buffer. */
char *job_key_models(const struct job_key *key, char buffer[JOB_EXPECTED]);

/* Every key with what it takes, its default and meaning, for a terminal; or the Markdown table of docs/job-file.md. */
void job_print_keys(FILE *out);
void job_print_markdown(FILE *out);

/* ---- one value (job_value.c) ---- */

struct job_reader {
    struct job_file *file;
    struct gm_error *err;
};
/* A scalar to `place` plus the key's offset. */
enum gm_code job_value(const struct job_reader *r, const struct job_key *key, const struct tree_node *node,
                       void *place);
enum gm_code job_fail(const struct job_reader *r, const struct tree_node *node, const char *path, const char *expected);

/* ---- the loss section (job_loss.c) ---- */

enum gm_code job_loss(const struct job_reader *r, const struct tree_node *node);
enum gm_code job_columns(const struct job_reader *r, const struct job_key *key, const struct tree_node *node,
                         struct gm_job_loss *term);
enum gm_code job_params(const struct job_reader *r, const struct tree_node *node, struct gm_job_loss *term);
/* Walk the keys of a map below `prefix` (job.c). */
enum gm_code job_walk(const struct job_reader *r, const struct tree_node *map, const char *prefix, void *place);

#endif

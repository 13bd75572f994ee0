/* One scalar of a job file, checked against its row of the schema. */
#include "cli/job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum gm_code job_fail(const struct job_reader *r, const struct tree_node *node, const char *path, const char *expected)
{
    char where[TREE_WHERE], found[TREE_FOUND];
    double number;
    bool quoted = node->kind == TREE_SCALAR && !node->plain && text_real(node->text, &number);
    return error_set(r->err, GM_BAD_JOB, "%s: %s: expected %s, found %s%s.", tree_where(node, where), path, expected,
                     tree_found(node, found), quoted ? " in quotes" : "");
}

/* Plain digits up to 2^64 - 1, or a number in another notation that is whole and exact (1e4). */
static bool parse_whole(const struct tree_node *node, uint64_t *out)
{
    const char *text = node->text;
    uint64_t value = 0;
    double real;
    size_t digits = strspn(text, "0123456789");
    if (!node->plain)
        return false;
    if (digits && !text[digits]) {
        for (const char *c = text; *c; c++) {
            uint64_t digit = (uint64_t)(*c - '0');
            if (value > (UINT64_MAX - digit) / 10)
                return false;
            value = value * 10 + digit;
        }
        *out = value;
        return true;
    }
    if (!text_real(text, &real) || !(real >= 0 && real <= 9007199254740992.0) || real != floor(real))
        return false;
    *out = (uint64_t)real;
    return true;
}

static bool in_range(const struct job_key *key, double value)
{
    bool low = key->flags & JOB_LOW_OPEN ? value > key->low : value >= key->low;
    bool high = key->flags & JOB_HIGH_OPEN ? value < key->high : value <= key->high;
    return isfinite(value) && low && high;
}

static bool parse_real(const struct job_key *key, const struct tree_node *node, double *out)
{
    return node->plain && text_real(node->text, out) && in_range(key, *out);
}

/* YAML 1.2's booleans. yes, no, on, off (YAML 1.1) are words. */
static bool parse_bool(const struct tree_node *node, bool *out)
{
    static const char *const words[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (node->plain && strcmp(node->text, words[i]) == 0) {
            *out = i < 3;
            return true;
        }
    return false;
}

static bool parse_choice(const char *choices, const char *text, int *out)
{
    size_t length = strlen(text);
    int index = 0;
    for (const char *c = choices; *c; index++) {
        size_t size = strcspn(c, "|");
        if (size == length && strncmp(c, text, size) == 0) {
            *out = index;
            return true;
        }
        c += size + (c[size] == '|');
    }
    return false;
}

/* The choice nearest to a slip of the pen goes into the message. */
static enum gm_code fail_choice(const struct job_reader *r, const struct job_key *key, const struct tree_node *node)
{
    char expected[JOB_EXPECTED], copy[JOB_EXPECTED], where[TREE_WHERE], found[TREE_FOUND];
    const char *names[16];
    size_t count = 0;
    snprintf(copy, sizeof copy, "%s", key->choices);
    for (char *save = NULL, *word = strtok_r(copy, "|", &save); word && count < 16; word = strtok_r(NULL, "|", &save))
        names[count++] = word;
    const char *near = text_nearest(node->text, names, count);
    if (!near)
        return job_fail(r, node, key->path, job_expected(key, expected));
    return error_set(r->err, GM_BAD_JOB, "%s: %s: expected %s, found %s. Did you mean %s?", tree_where(node, where),
                     key->path, job_expected(key, expected), tree_found(node, found), near);
}

/* The key's word: NaN for reals, NULL for texts, 0 for counts. */
static void store_word(const struct job_key *key, void *target)
{
    const double nan_value = NAN;
    if (key->kind == JOB_REAL || key->kind == JOB_DURATION)
        memcpy(target, &nan_value, sizeof nan_value);
    else if (key->kind == JOB_TEXT)
        memcpy(target, &(const char *){NULL}, sizeof(const char *));
    else if (key->kind == JOB_THREADS)
        memcpy(target, &(int){0}, sizeof(int));
    else if (key->kind == JOB_WHOLE)
        memcpy(target, &(size_t){0}, sizeof(size_t));
    else if (key->kind == JOB_BYTES)
        memcpy(target, &(uint64_t){0}, sizeof(uint64_t));
}

static bool is_word(const struct job_key *key, const struct tree_node *node)
{
    if (!key->word)
        return false;
    if (strcmp(key->word, "null") == 0)
        return tree_is_null(node);
    return strcmp(node->text, key->word) == 0;
}

/* data.validation: a number is a share, any other text a file. */
static bool store_fraction(const struct job_reader *r, const struct job_key *key, const struct tree_node *node)
{
    struct gm_job *job = &r->file->job;
    double number;
    job->data.validation = (struct gm_data){0};
    job->data.validation_fraction = 0;
    if (is_word(key, node))
        return true;
    if (node->plain && text_real(node->text, &number)) {
        job->data.validation_fraction = number;
        return in_range(key, number);
    }
    job->data.validation.path = node->text;
    return node->text[0] != 0;
}

static bool store_number(const struct job_key *key, const struct tree_node *node, void *target)
{
    uint64_t whole = 0;
    double real = 0;
    switch (key->kind) {
    case JOB_REAL:
        if (!parse_real(key, node, &real))
            return false;
        memcpy(target, &real, sizeof real);
        return true;
    case JOB_DURATION:
        if (!text_duration(node->text, &real) || !in_range(key, real))
            return false;
        memcpy(target, &real, sizeof real);
        return true;
    case JOB_BYTES:
        if (!text_bytes(node->text, &whole) || whole == 0)
            return false;
        memcpy(target, &whole, sizeof whole);
        return true;
    default:
        break;
    }
    if (!parse_whole(node, &whole) || !in_range(key, (double)whole))
        return false;
    if (key->kind == JOB_SEED)
        memcpy(target, &whole, sizeof whole);
    else if (key->kind == JOB_WHOLE)
        memcpy(target, &(size_t){whole}, sizeof(size_t));
    else
        memcpy(target, &(int){(int)whole}, sizeof(int));
    return true;
}

static bool store(const struct job_reader *r, const struct job_key *key, const struct tree_node *node, void *target)
{
    bool flag = false;
    int choice = 0;
    switch (key->kind) {
    case JOB_BOOL:
        if (!parse_bool(node, &flag))
            return false;
        memcpy(target, &flag, sizeof flag);
        return true;
    case JOB_CHOICE:
        if (!parse_choice(key->choices, node->text, &choice))
            return false;
        memcpy(target, &choice, sizeof choice);
        return true;
    case JOB_FILES: /* of which `path` is the first member */
    case JOB_TEXT:
        if (!node->text[0])
            return false;
        memcpy(target, &node->text, sizeof node->text);
        return true;
    case JOB_FRACTION:
        return store_fraction(r, key, node);
    default:
        return store_number(key, node, target);
    }
}

_Static_assert(sizeof(enum gm_optimizer) == sizeof(int), "choices are stored as int");

enum gm_code job_value(const struct job_reader *r, const struct job_key *key, const struct tree_node *node, void *place)
{
    char expected[JOB_EXPECTED];
    uint64_t nowhere = 0; /* wide enough for every scalar */
    void *target = key->flags & JOB_NOWHERE ? (void *)&nowhere : (void *)((char *)place + key->offset);
    if (node->kind == TREE_SCALAR && is_word(key, node) && key->kind != JOB_FRACTION) {
        store_word(key, target);
        return GM_OK;
    }
    bool scalar = node->kind == TREE_SCALAR && (key->kind == JOB_FRACTION || !tree_is_null(node));
    if (scalar && store(r, key, node, target))
        return GM_OK;
    if (scalar && key->choices)
        return fail_choice(r, key, node);
    return job_fail(r, node, key->path, job_expected(key, expected));
}

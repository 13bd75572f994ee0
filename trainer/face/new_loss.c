/*
 * The library's face: a new loss plugin, from a formula or a template, written and built.
 *
 * The source is complete in memory before anything is written; files are whole or absent; the plugin is compiled beside
 * its final name and moved there. The compiler is run directly, never through a shell.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gradmill/gradmill.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "face/compile.h"
#include "formula/formula.h"

/* Everything a call holds. */
struct making {
    const struct gm_new_loss *request;
    struct formula_request formula;
    struct formula_name *params, *thetas;
    char *source;
    char directory[GM_NEW_LOSS_PATH], c[GM_NEW_LOSS_PATH], cmake[GM_NEW_LOSS_PATH], so[GM_NEW_LOSS_PATH];
    bool made_directory;
};

/* ---- words to numbers ---- */

struct words {
    const char *const *names;
    size_t count;
};

static enum gm_code find_word(const char *option, const char *word, struct words words, uint32_t *out,
                              struct gm_error *err)
{
    char all[200] = "";
    for (size_t i = 0; i < words.count; i++) {
        if (strcmp(word, words.names[i]) == 0) {
            *out = (uint32_t)i;
            return GM_OK;
        }
        size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", words.names[i]);
    }
    const char *near = text_nearest(word, words.names, words.count);
    return error_set(err, GM_USAGE, "%s: '%s' is none of %s.%s%s%s", option, word, all, near ? " Did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}

static enum gm_code read_words(struct making *m, struct gm_error *err)
{
    static const char *const kinds[] = {"real", "class", "multilabel", "none"};
    static const char *const links[] = {"identity", "log", "logit", "softmax"};
    static const char *const tasks[] = {"other",   "regression", "classification", "counts",    "ordinal",
                                        "ranking", "clustering", "metric",         "multi_task"};
    static const uint32_t usual[] = {GM_TASK_REGRESSION, GM_TASK_CLASSIFICATION, GM_TASK_CLASSIFICATION, GM_TASK_OTHER};
    const struct gm_new_loss *r = m->request;
    enum gm_code code = GM_OK;
    if (r->target)
        code = find_word("--target", r->target, (struct words){kinds, 4}, &m->formula.target_kind, err);
    m->formula.task = usual[m->formula.target_kind];
    if (code == GM_OK && r->link)
        code = find_word("--link", r->link, (struct words){links, 4}, &m->formula.link, err);
    if (code == GM_OK && r->task)
        code = find_word("--task", r->task, (struct words){tasks, 9}, &m->formula.task, err);
    return code;
}

/* Parameters or learned parameters; no name twice. */
static enum gm_code read_names(struct formula_name **out, const char *option, const char *const *texts, size_t count,
                               struct gm_error *err)
{
    if (count > FORMULA_NAMES)
        return error_set(err, GM_USAGE, "%s: more than %d of them.", option, FORMULA_NAMES);
    enum gm_code code = memory_alloc((void **)out, count, sizeof **out, "parameters of the formula", err);
    for (size_t i = 0; code == GM_OK && i < count; i++)
        code = formula_read_name(&(*out)[i], option, texts[i], err);
    for (size_t i = 0; code == GM_OK && i < count; i++)
        for (size_t k = 0; code == GM_OK && k < i; k++)
            if (strcmp((*out)[i].name, (*out)[k].name) == 0)
                code = error_set(err, GM_USAGE, "%s: '%s' is given twice.", option, (*out)[i].name);
    return code;
}

static enum gm_code make_source(struct making *m, struct gm_error *err)
{
    const struct gm_new_loss *r = m->request;
    struct formula_bounds target = {.low = -1.0 / 0.0, .high = 1.0 / 0.0};
    if (!r->formula)
        return formula_template(&m->source, r->name, err);
    m->formula = (struct formula_request){.name = r->name,
                                          .formula = r->formula,
                                          .about = r->about,
                                          .target = target,
                                          .n_params = r->n_params,
                                          .n_thetas = r->n_thetas,
                                          .convex = r->convex};
    enum gm_code code = read_names(&m->params, "--param", r->params, r->n_params, err);
    if (code == GM_OK)
        code = read_names(&m->thetas, "--theta", r->thetas, r->n_thetas, err);
    m->formula.params = m->params;
    m->formula.thetas = m->thetas;
    for (size_t i = 0; code == GM_OK && i < r->n_params; i++)
        for (size_t k = 0; code == GM_OK && k < r->n_thetas; k++)
            if (strcmp(m->params[i].name, m->thetas[k].name) == 0)
                code = error_set(err, GM_USAGE, "'%s' is both a --param and a --theta.", m->params[i].name);
    if (code == GM_OK)
        code = read_words(m, err);
    if (code == GM_OK && r->target_range)
        code = formula_read_bounds(&m->formula.target, "--target-range", r->target_range, err);
    return code == GM_OK ? formula_source(&m->source, &m->formula, err) : code;
}

/* ---- files ---- */

static enum gm_code path_of(char out[GM_NEW_LOSS_PATH], const char *directory, const char *name, const char *end,
                            struct gm_error *err)
{
    int n = snprintf(out, GM_NEW_LOSS_PATH, "%s%s%s%s", directory, name[0] || end[0] ? "/" : "", name, end);
    if (n > 0 && n < GM_NEW_LOSS_PATH - 16) /* room for the name while it is being built */
        return GM_OK;
    return error_set(err, GM_CANNOT_CREATE, "%s: the path is longer than %d characters.", directory,
                     GM_NEW_LOSS_PATH - 16);
}

static enum gm_code name_files(struct making *m, struct gm_error *err)
{
    const struct gm_new_loss *r = m->request;
    char given[GM_NEW_LOSS_PATH];
    const char *directory = r->directory ? r->directory : r->name;
    snprintf(given, sizeof given, "%s", directory);
    for (size_t n = strlen(given); n > 1 && given[n - 1] == '/'; n--)
        given[n - 1] = 0;
    enum gm_code code = path_of(m->directory, given, "", "", err);
    if (code == GM_OK)
        code = path_of(m->c, given, r->name, ".c", err);
    if (code == GM_OK)
        code = path_of(m->so, given, r->name, ".so", err);
    if (code == GM_OK)
        code = path_of(m->cmake, given, "CMakeLists", ".txt", err);
    return code;
}

/* Nothing that is there is lost without being asked to. */
static enum gm_code check_places(const struct making *m, struct gm_error *err)
{
    const char *const files[] = {m->c, m->cmake, m->so};
    struct stat s;
    if (stat(m->directory, &s) == 0 && !S_ISDIR(s.st_mode))
        return error_set(err, GM_CANNOT_CREATE, "%s exists and is not a directory.", m->directory);
    for (size_t i = 0; i < sizeof files / sizeof *files && !m->request->force; i++)
        if (lstat(files[i], &s) == 0)
            return error_set(err, GM_CANNOT_CREATE,
                             "%s exists already. Choose another name or directory (-o), or replace it "
                             "with --force.",
                             files[i]);
    return GM_OK;
}

static enum gm_code make_directory(struct making *m, struct gm_error *err)
{
    if (mkdir(m->directory, 0777) == 0) {
        m->made_directory = true;
        return GM_OK;
    }
    if (errno == EEXIST)
        return GM_OK;
    return error_set(err, errno == EACCES || errno == EPERM ? GM_DENIED : GM_CANNOT_CREATE,
                     "Cannot create the directory %s: %s.", m->directory, strerror(errno));
}

static enum gm_code write_files(struct making *m, struct gm_error *err)
{
    char cmake[1024];
    const char *name = m->request->name;
    int n = snprintf(cmake, sizeof cmake,
                     "# cmake -B build -DCMAKE_PREFIX_PATH=/where/gradmill/is/installed && cmake --build build\n"
                     "cmake_minimum_required(VERSION 3.25)\n"
                     "project(%s LANGUAGES C)\n"
                     "find_package(gradmill REQUIRED)\n"
                     "gradmill_add_loss(%s %s.c)\n",
                     name, name, name);
    enum gm_code code = make_directory(m, err);
    if (code == GM_OK)
        code = file_replace(m->c, m->source, strlen(m->source), err);
    if (code == GM_OK)
        code = file_replace(m->cmake, cmake, (size_t)n, err);
    if (code != GM_OK && m->made_directory) {
        unlink(m->c);
        unlink(m->cmake);
        rmdir(m->directory);
    }
    return code;
}

enum gm_code gm_new_loss(const struct gm_new_loss *request, struct gm_new_loss_files *files, struct gm_error *err)
{
    struct making *m = NULL;
    *files = (struct gm_new_loss_files){0};
    if (!formula_name_ok(request->name))
        return error_set(
            err, GM_USAGE,
            "'%s' cannot name a loss: a small letter, then small letters, digits and _, at most %d in all.",
            request->name, FORMULA_NAME - 1);
    if (!request->formula && (request->n_params || request->n_thetas || request->target || request->target_range ||
                              request->link || request->convex))
        return error_set(err, GM_USAGE, "Parameters, target, link and convexity go with a formula: add --formula.");
    enum gm_code code = memory_alloc((void **)&m, 1, sizeof *m, "a new loss", err);
    if (code != GM_OK)
        return code;
    m->request = request;
    code = name_files(m, err);
    if (code == GM_OK)
        code = make_source(m, err);
    if (code == GM_OK)
        code = check_places(m, err);
    if (code == GM_OK)
        code = write_files(m, err);
    if (code == GM_OK) {
        memcpy(files->source, m->c, sizeof files->source);
        memcpy(files->plugin, m->so, sizeof files->plugin);
        code = compile_plugin(m->c, m->so, files->command, err);
    }
    memory_free(m->source);
    memory_free(m->params);
    memory_free(m->thetas);
    memory_free(m);
    return code;
}

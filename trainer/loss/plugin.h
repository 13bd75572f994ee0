/*
 * Loss plugins: find, load, verify the ABI, bind parameters, evaluate. The only room with dlfcn.h.
 *
 * A plugin is loaded from the very descriptor that was checked (owner, permissions) and hashed, with RTLD_NOW |
 * RTLD_LOCAL, and never unloaded. Floating-point mode is compared before and after.
 */
#ifndef LOSS_PLUGIN_H
#define LOSS_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/loss.h>
#include <gradmill/status.h>

/* One loss of one loaded file. */
struct loss_plugin {
    struct gm_loss vtable;    /* min(theirs, ours) bytes copied into zeros */
    struct gm_loss_spec spec; /* likewise; all zero when the plugin has none */
    char *path;               /* real path of the file */
    char sha256[65];
};

/* Directories that are searched for a name: the install directory (../lib/gradmill/losses from the executable) first,
 * then each of `extra` ("a:b:c", --loss-path or GRADMILL_LOSS_PATH; NULL or "": none). Never the current directory. */
enum gm_code loss_search_path(char ***directories, size_t *count, const char *extra, struct gm_error *err);
void loss_search_path_free(char **directories, size_t count);

/* `name` is an id, or a file when it holds '/' ("dir/file.so", or "dir/file.so:id" for one of several in it). `sha256`
 * is a pin or NULL. The id is found by loading the file
 * "<id>.so", else by looking at every *.so of the path. GM_PLUGIN_LOAD: not found (nearest names listed), no entry
 * symbol, wrong magic, ABI or sizes, OpenMP among its needed libraries, wrong hash, unsafe permissions. */
enum gm_code loss_load(struct loss_plugin *plugin, const char *name, const char *extra_path, const char *sha256,
                       struct gm_error *err);
/* Every loss on the path in order of id; a file that fails to load is reported through `broken` (may be NULL). */
typedef void loss_seen_fn(void *context, const struct loss_plugin *plugin);
typedef void loss_broken_fn(void *context, const char *path, const struct gm_error *why);
enum gm_code loss_list(const char *extra_path, loss_seen_fn *seen, loss_broken_fn *broken, void *context,
                       struct gm_error *err);
void loss_plugin_release(struct loss_plugin *plugin); /* frees memory; the code stays loaded */

/* A parameter as typed: "delta", "1.0"; lists as "0.1,0.5,0.9". */
struct loss_setting {
    const char *name, *value;
};

/* A loss ready to be called: parameters parsed and checked against the schema, spec refined by create(). */
struct loss {
    const struct loss_plugin *plugin; /* borrowed */
    struct gm_loss_spec spec;
    union gm_loss_value *param; /* [n_params]; lists point into list_storage */
    double *list_storage;
    void *instance;
    size_t outputs, targets, classes; /* columns of pred, of target; classes 0 unless the target is a class; outputs 0
                                         for GM_OUTPUTS_ANY until the caller sets it */
    const double *theta;              /* [n_theta] learned parameters, borrowed from whoever sets them; NULL before */
};

/* `targets` columns of the dataset's target (0: none), `classes` known or 0. GM_BAD_JOB: unknown (nearest named),
 * missing, out of range parameter, or refused by create() with its text. GM_BAD_DATA: the target's kind does not fit.
 */
enum gm_code loss_bind(struct loss *loss, const struct loss_plugin *plugin, const struct loss_setting *settings,
                       size_t n_settings, size_t targets, size_t classes, struct gm_error *err);
void loss_release(struct loss *loss);

/* Does it take its number of outputs at all? Asked with a call of no rows. GM_BAD_JOB with the plugin's words. */
enum gm_code loss_try(const struct loss *loss, struct gm_error *err);

/* Does one output, by its sign, separate two classes that come as 0 and 1? */
bool loss_is_binary(const struct loss *loss);
/* Is the response of its one output the index of a class (ordinal losses)? */
bool loss_is_ordinal(const struct loss *loss);

/* A batch with everything that does not change from call to call filled in; the caller sets rows, pred, target, weight
 * ... */
struct gm_loss_batch loss_batch(const struct loss *loss);
/* Scratch bytes for calls of up to `rows` rows. */
size_t loss_scratch_bytes(const struct loss *loss, size_t rows);

/* The host's text channel: plugin errors raised during a call on this thread are kept in *err. */
void loss_host_init(struct gm_loss_host *host, struct gm_error *err);

/* A call of a plugin by itself, outside of training: a batch of `rows` rows with scratch and a host that keeps what the
 * plugin says. It must not be moved between open and close; a failed open needs no close. GM_SYSTEM. */
struct loss_call {
    struct gm_loss_batch batch; /* the caller adds pred, target, weight ... */
    struct gm_loss_host host;
    struct gm_error said;
    void *scratch;
};
enum gm_code loss_call_open(struct loss_call *call, const struct loss *loss, size_t rows, struct gm_error *err);
void loss_call_close(struct loss_call *call);

/* Are all targets inside the domain? The spec's kind and interval, then check_targets(). target is [rows x targets].
 * GM_BAD_DATA; *bad_row (in the block) and *bad_column tell where, `found` and `expected` go into the message that
 * starts with `where` ("digits.h5:/y row 17"). */
enum gm_code loss_check_targets(const struct loss *loss, const double *target, size_t rows, size_t first_row,
                                const char *dataset, struct gm_error *err);

/* Canonical JSON text of the parameters with their values, defaults included, {"delta":1}. memory_free it. */
enum gm_code loss_params_text(const struct loss *loss, char **text, struct gm_error *err);

/* Raw predictions to the response scale, in place. */
enum gm_code loss_inverse_link(const struct loss *loss, double *pred, size_t rows, struct gm_error *err);

#endif

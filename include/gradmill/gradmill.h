/*
 * gradmill/gradmill.h - the library: job -> train -> model -> predict.
 *
 * Functions return enum gm_code and, when that is not GM_OK, fill the last argument with a sentence for a person.
 * Nothing here prints, exits, or changes global state other than through OpenMP's own settings.
 */
#ifndef GRADMILL_GRADMILL_H
#define GRADMILL_GRADMILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/loss.h>
#include <gradmill/status.h>

#ifdef __cplusplus
extern "C" {
#endif

const char *gm_version(void);

/* ---- job ------------------------------------------------------------------------------------------------------- */

enum gm_missing { GM_MISSING_ERROR, GM_MISSING_SKIP, GM_MISSING_MEAN };
/* How features are read: contiguous values straight from the file, chunks decoded on all threads, or HDF5's own reading
 * (the slow path, for everything else). AUTO: the first of these that can. The values are the same. */
enum gm_reading { GM_READ_AUTO, GM_READ_MAPPED, GM_READ_CHUNKS, GM_READ_BANDS };
enum gm_model_type { /* as enum model_type of trainer/model/model.h */
                     GM_MODEL_LINEAR,
                     GM_MODEL_MLP,
                     GM_MODEL_FACTORIZATION,
                     GM_MODEL_CENTROIDS,
                     GM_MODEL_TWO_TOWER
};
enum gm_activation { GM_RELU, GM_TANH, GM_GELU, GM_SIGMOID };
enum gm_fuse { GM_FUSE_PAIR, GM_FUSE_DOT, GM_FUSE_CONCAT };
enum gm_start { GM_START_AUTO, GM_START_HE, GM_START_GLOROT };
enum gm_optimizer {
    GM_OPTIMIZER_GD,
    GM_OPTIMIZER_SGD,
    GM_OPTIMIZER_MOMENTUM,
    GM_OPTIMIZER_NESTEROV,
    GM_OPTIMIZER_ADAGRAD,
    GM_OPTIMIZER_RMSPROP,
    GM_OPTIMIZER_ADAM,
    GM_OPTIMIZER_ADAMW,
    GM_OPTIMIZER_LBFGS,
    GM_OPTIMIZER_NEWTON,
    GM_OPTIMIZER_SVRG
};
enum gm_schedule { GM_SCHEDULE_CONSTANT, GM_SCHEDULE_STEP, GM_SCHEDULE_COSINE, GM_SCHEDULE_INVERSE };
enum gm_average { GM_AVERAGE_NONE, GM_AVERAGE_UNIFORM, GM_AVERAGE_DECAY };
enum gm_monitor { GM_MONITOR_AUTO, GM_MONITOR_VALIDATION, GM_MONITOR_TRAIN };
enum gm_precision { GM_FLOAT32, GM_FLOAT64 };

/* Where a dataset is. Either `path` ("FILE.h5" or "FILE.h5:/group", X and y by convention) or `features` and friends,
 * each "FILE.h5:/dataset". Several files are one dataset: any of the names may be a pattern ("part-*.h5"), and `paths`
 * is a list. */
struct gm_data {
    const char *path;
    const char *features, *target, *weight, *group;
    const char *second;       /* two_tower: the second input; NULL: `second` or `X2` beside the features */
    const char *const *paths; /* [n_paths] in place of `path`, which is the first of them; n_paths 0: `path` counts */
    size_t n_paths;
};

struct gm_wholes {
    const size_t *values; /* [count] */
    size_t count;
};

struct gm_setting {
    const char *name, *value; /* "delta", "1.0"; lists as "0.1,0.5" */
};

struct gm_job_loss {
    const char *name;                /* id, or a file when it holds '/' */
    const char *sha256;              /* pin, or NULL */
    double weight;                   /* in a sum of losses: 1; NaN: learned */
    size_t column_first, column_end; /* outputs [first, end); 0, 0: all */
    size_t target_first, target_end; /* columns of the target; 0, 0: as the outputs, or all */
    const struct gm_setting *params;
    size_t n_params;
};

/* Everything a run needs: the job file in memory. Strings are borrowed from whoever filled it. Numbers: NaN means
 * "auto" or "off" where the comment says so. */
struct gm_job {
    struct {
        struct gm_data train, validation; /* validation.path and .features NULL: validation_fraction counts */
        double validation_fraction;       /* 0: none */
        const char *split; /* NULL or "rows": by hash of the row; "group": of its group; "stored": the dataset `split`
                              beside the features; else that dataset [rows]: 0 train, 1 validation, 2 neither */
        bool standardize;
        enum gm_missing missing;
        bool allow_external;
        enum gm_reading io;
    } data;
    struct {
        enum gm_model_type type;
        bool intercept;
        size_t outputs;                 /* 0: what the loss asks for */
        struct gm_wholes hidden;        /* mlp: units of each hidden layer; two_tower: of the first tower */
        struct gm_wholes hidden_second; /* two_tower: of the second tower; count 0: as hidden */
        size_t embedding;               /* two_tower: outputs of a tower */
        enum gm_fuse fuse;             /* two_tower: both towers' outputs, their product, or a linear layer over them */
        enum gm_activation activation; /* of the hidden layers */
        double dropout;                /* share of their units left out in training */
        enum gm_start start;           /* of their weights */
        size_t rank;                   /* factorization: factors of a user and of an item */
        size_t count, restarts;        /* centroids: how many, and how many starts are tried */
        size_t negatives; /* factorization: terms added to each event; 0: auto, none where there are ratings, else 4 */
    } model;
    struct {
        const struct gm_job_loss *terms;
        size_t count;
        const char *search_path; /* --loss-path, "a:b"; NULL: GRADMILL_LOSS_PATH */
        bool trust;              /* skip the short verification at the start */
    } loss;
    struct {
        enum gm_optimizer type;
        double learning_rate; /* NaN: auto */
        enum gm_schedule schedule;
        double step_factor, step_epochs, decay, warmup_epochs;
        double momentum, beta1, beta2, epsilon, weight_decay; /* NaN: the method's own default */
        size_t batch_size;                                    /* rows; 0: full */
        double l1, l2;
        double clip_norm; /* NaN: off */
        enum gm_average average;
        double average_decay; /* NaN: 0.999 */
        double average_start; /* epochs before it */
    } optimizer;
    struct {
        size_t max_epochs;
        double loss_change; /* NaN: rule off */
        bool relative;
        size_t patience;
        enum gm_monitor monitor;
        bool restore_best;
        double target_loss, gradient_norm, max_time; /* NaN: off; max_time in seconds */
    } stop;
    struct {
        const char *model;        /* NULL: not written */
        const char *log;          /* NULL: not written */
        const char *checkpoint;   /* NULL: none */
        double checkpoint_every;  /* seconds */
        size_t checkpoint_epochs; /* also after so many epochs; 0: by time alone */
        bool resume;              /* go on from the checkpoint where there is one; no key of the job file */
    } output;
    struct {
        int threads;     /* 0: auto */
        uint64_t memory; /* bytes; 0: auto, 60 % of what the cgroup allows */
        uint64_t seed;
        enum gm_precision precision;
        double watchdog; /* seconds that one call of a plugin may take; NaN: no limit */
    } run;
};

/* The defaults of the job file. */
void gm_job_init(struct gm_job *job);

/* ---- train ----------------------------------------------------------------------------------------------------- */

struct gm_epoch {
    size_t epoch, max_epochs;
    size_t best_epoch;
    double train_loss, objective, validation_loss; /* validation_loss NaN: none */
    double gradient_norm;                          /* NaN: not known (minibatch) */
    double learning_rate;
    double change;  /* relative change of the monitored loss against the best before */
    double seconds; /* since the start of training */
    double rows_per_second;
};

/* What the caller hears while training. Any function may be NULL. Called by the thread that trains, outside of parallel
 * regions but for `interrupted`, which it also asks inside of one. */
struct gm_watch {
    void *context;
    void (*note)(void *context, const char *text); /* worth knowing: what was chosen, a warning */
    void (*epoch)(void *context, const struct gm_epoch *epoch);
    bool (*interrupted)(void *context); /* asked between steps and in passes; true: stop, save, return */
    bool (*save)(void *context);        /* asked between steps; true: save a checkpoint now, and go on */
    /* Called by a thread of its own, beside all others. GM_PLUGIN_BROKEN: a plugin has not come back for run.watchdog
     * seconds; it cannot be stopped, so this is the moment to end the process. GM_OK: the disk does not answer, or
     * processors or memory have become fewer; to be told. */
    void (*stalled)(void *context, enum gm_code code, const char *text);
    void (*detail)(void *context, const char *text); /* for those who ask for more: how memory is shared out */
};

enum gm_task { GM_TASK_IS_REGRESSION, GM_TASK_IS_CLASSIFICATION, GM_TASK_IS_OTHER };

/* Metrics over a dataset, weighted. NaN: does not apply. */
struct gm_metrics {
    enum gm_task task;
    size_t rows, outputs, classes;
    double weight_sum;
    double loss;                /* of the model's own loss, mean */
    double mse, rmse, mae, r2;  /* regression, on the response scale; mean over outputs */
    double accuracy, log_loss;  /* classification */
    double top5_accuracy;       /* more than 5 classes: the true one is among the 5 likeliest */
    double inertia;             /* clustering: weighted sum of squared distances to the nearest centre */
    double hit_rate, ndcg, auc; /* of factorization, how events are ranked among drawn candidates: at 10, at 10, of all;
                                   auc also of two classes, exact; ndcg also of groups of rows, at 10 */
    double *confusion;          /* [classes x classes] row: true class, column: predicted; NULL */
    /* Of a list of losses: each on its own outputs; loss is then without its weight, NaN where rows are coupled. */
    struct gm_metrics *terms; /* [n_terms] */
    size_t n_terms;
    const char *loss_id;             /* of a term */
    size_t column_first, column_end; /* its outputs */
    double weight;                   /* in the sum; exp(-s) when it is learned */
};
void gm_metrics_release(struct gm_metrics *metrics);

struct gm_summary {
    const char *stop_reason;           /* static text: loss_change, max_epochs ... */
    size_t epochs, best_epoch, passes; /* passes over the data */
    bool undetermined; /* newton, lbfgs: the data do not determine all parameters; the model is one of many that fit
                          alike */
    double train_loss, objective, validation_loss, gradient_norm; /* at the weights that were kept */
    double seconds;
    uint64_t rows, features, outputs, parameters;
    uint64_t data_bytes_per_pass; /* of features, target and weights */
    bool resident;
    int threads;
    uint64_t peak_memory_bytes;
    bool resumable;                      /* a checkpoint of this run is on the disk */
    bool resumed;                        /* it went on from one */
    bool untouched;                      /* and found that the job had ended before: nothing was written */
    struct gm_metrics train, validation; /* of the kept weights; rows == 0: not there */
};
void gm_summary_release(struct gm_summary *summary);
/* As one line of JSON: the "end" object of the log; the metrics alone. free() it; NULL: out of memory. */
char *gm_summary_json(const struct gm_summary *summary);
char *gm_metrics_json(const struct gm_metrics *metrics);

/* Train and write the outputs the job names. GM_OK also for a run that stopped by a rule, and for one that is resumed
 * when it has ended already; GM_DIVERGED, GM_INTERRUPTED with the last good model kept: summary->resumable says whether
 * the run can go on from a checkpoint. */
enum gm_code gm_train(const struct gm_job *job, const struct gm_watch *watch, struct gm_summary *summary,
                      struct gm_error *err);

/* ---- model ----------------------------------------------------------------------------------------------------- */

struct gm_model;
enum gm_code gm_model_open(struct gm_model **out, const char *path, const char *loss_search_path, struct gm_error *err);
void gm_model_close(struct gm_model *model);
size_t gm_model_outputs(const struct gm_model *model);
size_t gm_model_features(const struct gm_model *model);
size_t gm_model_classes(const struct gm_model *model); /* 0: not a classifier */
const char *gm_model_class_name(const struct gm_model *model, size_t index);
/* The response is the index of a class (ordinal losses): one output, several classes. */
bool gm_model_gives_class(const struct gm_model *model);
const char *gm_model_loss_id(const struct gm_model *model);

/* Predictions of every row of a dataset, a block at a time in row order. pred is [rows x outputs] on the response
 * scale, or raw (link scale). Return false to stop. */
typedef bool gm_predictions_fn(void *context, size_t first_row, size_t rows, const double *pred);
struct gm_use { /* how to use a model on data */
    bool raw;
    int threads;     /* 0: auto */
    uint64_t memory; /* 0: auto */
    bool allow_external;
    enum gm_reading io;
    const struct gm_watch *watch; /* hears notes; NULL: nobody */
};
enum gm_code gm_predict(const struct gm_model *model, const struct gm_data *data, const struct gm_use *use,
                        gm_predictions_fn *predictions, void *context, struct gm_error *err);
enum gm_code gm_evaluate(const struct gm_model *model, const struct gm_data *data, const struct gm_use *use,
                         struct gm_metrics *metrics, struct gm_error *err);

/* Rows of a dataset that the model would predict, found without reading values. Errors as gm_predict. */
enum gm_code gm_model_rows(const struct gm_model *model, const struct gm_data *data, bool allow_external, size_t *rows,
                           struct gm_error *err);

/* Rows and features of a dataset, found without reading values. Errors as gm_predict. */
enum gm_code gm_data_shape(const struct gm_data *data, bool allow_external, size_t *rows, size_t *features,
                           struct gm_error *err);

/* ---- inspect ----------------------------------------------------------------------------------------------------- */

/* What a data, model or checkpoint file holds, as lines of (name, text), in order; a NULL text starts a section. */
typedef void gm_fact_fn(void *context, const char *name, const char *text);
enum gm_code gm_inspect(const char *path, gm_fact_fn *fact, void *context, struct gm_error *err);

/* ---- losses ------------------------------------------------------------------------------------------------------ */

struct gm_loss_info {
    const struct gm_loss *vtable; /* id, version, formula, help, license, params */
    const struct gm_loss_spec *spec;
    const char *path, *sha256;
};
typedef void gm_loss_seen_fn(void *context, const struct gm_loss_info *info);
typedef void gm_loss_broken_fn(void *context, const char *path, const char *why);
/* Every loss that is found; or, with `name`, that one only. */
enum gm_code gm_losses(const char *name, const char *search_path, gm_loss_seen_fn *seen, gm_loss_broken_fn *broken,
                       void *context, struct gm_error *err);

/* Does a loss keep the contract of gradmill/loss.h? Each check runs in a child process with a time limit: call this
 * before the process has started threads. */
enum gm_check_verdict {
    GM_CHECK_PASSED,
    GM_CHECK_WARNED, /* within the contract, but worth knowing */
    GM_CHECK_FAILED,
    GM_CHECK_SKIPPED /* does not apply, or could not be run */
};
struct gm_check {
    const char *name, *what; /* "gradient"; what is verified */
    enum gm_check_verdict verdict;
    const char *text; /* what was found, "" when there is nothing to say */
    double seconds;
};
struct gm_check_request {
    const char *name;        /* id, or a file when it holds '/' */
    const char *search_path; /* as for gm_losses */
    const struct gm_setting *params;
    size_t n_params;
    uint64_t seed;     /* of the random inputs; the verdicts depend on nothing else */
    double time_limit; /* seconds of processor time for all checks; 0: 10 */
    const char *only;  /* this check, and those that everything stands on; NULL: all */
};
typedef void gm_check_seen_fn(void *context, const struct gm_check *check);
/* Tells every check in order, and stops early when the loss cannot be called at all. GM_PLUGIN_BROKEN when one failed;
 * GM_PLUGIN_LOAD; GM_BAD_JOB: the parameters do not fit. */
enum gm_code gm_check_loss(const struct gm_check_request *request, gm_check_seen_fn *seen, void *context,
                           struct gm_error *err);

/* A new plugin: source, CMakeLists.txt and built .so in a directory of its own. docs/loss-plugins.md has the language.
 */
#define GM_NEW_LOSS_PATH    2048
#define GM_NEW_LOSS_COMMAND 8192
struct gm_new_loss {
    const char *name;          /* [a-z][a-z0-9_]* */
    const char *directory;     /* NULL: the name */
    const char *formula;       /* NULL: a commented template */
    const char *const *params; /* [n_params] "delta=1.0 >0 # help" */
    const char *const *thetas; /* [n_thetas] learned parameters, "log_scale=0" */
    size_t n_params, n_thetas;
    const char *target;              /* real, class, multilabel, none; NULL: real */
    const char *target_range;        /* ">=0 integer"; NULL: any */
    const char *link, *task, *about; /* identity, log ...; regression ...; help text. NULL: usual ones */
    bool convex;                     /* the author vouches for convexity in pred */
    bool force;                      /* replace existing files */
};
struct gm_new_loss_files {
    char source[GM_NEW_LOSS_PATH], plugin[GM_NEW_LOSS_PATH]; /* "" when it has not come so far */
    char command[GM_NEW_LOSS_COMMAND];                       /* that built the plugin */
};
/* GM_USAGE: the formula, with the place; GM_CANNOT_CREATE: exists already, or cannot be made; GM_SYSTEM: the compiler.
 */
enum gm_code gm_new_loss(const struct gm_new_loss *request, struct gm_new_loss_files *files, struct gm_error *err);

#ifdef __cplusplus
}
#endif
#endif

/* The keys of a job file: docs/job-file.md and `gradmill train --keys` are made from this table. */
#include "cli/job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define AT(member)   offsetof(struct gm_job, member)
#define TERM(member) offsetof(struct gm_job_loss, member)
#define ANY          -INFINITY, INFINITY
#define FROM(low)    low, INFINITY
#define UP           JOB_LOW_OPEN

#define OPTIMIZERS "gd|sgd|momentum|nesterov|adagrad|rmsprop|adam|adamw|lbfgs|newton|svrg"

/* clang-format off */
static const struct job_key keys[] = {
    /* path, kind, place, range, flags, choices, word, model, default, help */
    {"data.train", JOB_FILES, AT(data.train), ANY, 0, NULL, NULL, NULL, NULL, "HDF5 file, or FILE.h5:/group, holding features and target (X and y, data and label ...); or a list or pattern (part-*.h5) of such files, one after the other; or a map of the keys below"},
    {"data.train.features", JOB_TEXT, AT(data.train.features), ANY, 0, NULL, NULL, NULL, NULL, "one dataset, FILE.h5:/dataset [rows x features]"},
    {"data.train.target", JOB_TEXT, AT(data.train.target), ANY, 0, NULL, NULL, NULL, NULL, "one dataset [rows] or [rows x targets]"},
    {"data.train.second", JOB_TEXT, AT(data.train.second), ANY, 0, NULL, NULL, "two_tower", NULL, "the second input: one dataset [rows x its features], whose row i belongs to row i of features; or a file or group that holds it as its features. Not given: the dataset second, X2 or x2 beside the features"},
    {"data.train.weight", JOB_TEXT, AT(data.train.weight), ANY, 0, NULL, NULL, NULL, NULL, "one dataset [rows] of row weights"},
    {"data.train.group", JOB_TEXT, AT(data.train.group), ANY, 0, NULL, NULL, NULL, NULL, "one dataset [rows] of group numbers, for ranking losses"},
    {"data.validation", JOB_FRACTION, 0, 0, 1, JOB_HIGH_OPEN, NULL, "null", NULL, "null", "share of the rows of data.train held out by hash, or a dataset as in data.train"},
    {"data.split", JOB_TEXT, AT(data.split), ANY, 0, NULL, NULL, NULL, "rows", "how rows are held out: by hash of the row (rows) or of its group (group: groups stay whole); or by marks in the file instead of data.validation: the dataset split beside the features (stored), or FILE.h5:/dataset [rows]; 0 or train, 1 or validation, 2 or test (left out)"},
    {"data.validation.features", JOB_TEXT, AT(data.validation.features), ANY, 0, NULL, NULL, NULL, NULL, "as in data.train"},
    {"data.validation.target", JOB_TEXT, AT(data.validation.target), ANY, 0, NULL, NULL, NULL, NULL, "as in data.train"},
    {"data.validation.second", JOB_TEXT, AT(data.validation.second), ANY, 0, NULL, NULL, "two_tower", NULL, "as in data.train"},
    {"data.validation.weight", JOB_TEXT, AT(data.validation.weight), ANY, 0, NULL, NULL, NULL, NULL, "as in data.train"},
    {"data.validation.group", JOB_TEXT, AT(data.validation.group), ANY, 0, NULL, NULL, NULL, NULL, "as in data.train"},
    {"data.standardize", JOB_BOOL, AT(data.standardize), ANY, 0, NULL, NULL, NULL, "true", "train on features of mean 0 and deviation 1 (sparse rows: of magnitude up to 1, not centred); folded back, the model takes raw features"},
    {"data.missing", JOB_CHOICE, AT(data.missing), ANY, 0, "error|skip|mean", NULL, NULL, "error", "what a NaN feature means: refuse, leave the row out, or take the column's mean"},
    {"data.allow_external", JOB_BOOL, AT(data.allow_external), ANY, 0, NULL, NULL, NULL, "false", "follow external links, external storage and virtual datasets to other files"},
    {"data.io", JOB_CHOICE, AT(data.io), ANY, 0, "auto|mapped|chunks|bands", NULL, NULL, "auto", "how features are read: contiguous values from the file itself, chunks decoded on all threads, or HDF5's own reading (slow). The values are the same; auto: the fastest that can"},

    {"model.type", JOB_CHOICE, AT(model.type), ANY, 0, "linear|mlp|factorization|centroids|two_tower", NULL, NULL, "linear", "what is trained"},
    {"model.intercept", JOB_BOOL, AT(model.intercept), ANY, 0, NULL, NULL, NULL, "true", "a constant for each output, free of penalties"},
    {"model.outputs", JOB_WHOLE, AT(model.outputs), FROM(1), 0, NULL, "auto", NULL, "auto", "columns of the prediction; auto: what the loss asks for"},
    {"model.hidden", JOB_WHOLES, AT(model.hidden), FROM(1), 0, NULL, NULL, "mlp|two_tower", NULL, "units of each hidden layer, as in [256, 128]; two_tower: of each tower, none: the towers are linear"},
    {"model.hidden_second", JOB_WHOLES, AT(model.hidden_second), FROM(1), 0, NULL, NULL, "two_tower", NULL, "units of each hidden layer of the second tower, where they are not those of hidden"},
    {"model.embedding", JOB_WHOLE, AT(model.embedding), FROM(1), 0, NULL, NULL, "two_tower", "32", "outputs of a tower"},
    {"model.fuse", JOB_CHOICE, AT(model.fuse), ANY, 0, "pair|dot|concat", NULL, "two_tower", "pair", "what is made of the towers' outputs: both, one after the other, for a loss that compares them (contrastive); their dot product, one output; or a linear layer over both, any outputs"},
    {"model.activation", JOB_CHOICE, AT(model.activation), ANY, 0, "relu|tanh|gelu|sigmoid", NULL, "mlp|two_tower", "relu", "of the hidden layers; gelu is the exact one"},
    {"model.dropout", JOB_REAL, AT(model.dropout), 0, 1, JOB_HIGH_OPEN, NULL, NULL, "mlp|two_tower", "0", "share of the hidden units that a row leaves out in a training step, the others scaled up; none when validating and predicting; on sparse rows not with optimizer.average, nor with clip_norm and l2"},
    {"model.init", JOB_CHOICE, AT(model.start), ANY, 0, "auto|he|glorot", NULL, "mlp|two_tower", "auto", "random start of the weights; auto: he for hidden layers of relu and gelu, else glorot"},
    {"model.rank", JOB_WHOLE, AT(model.rank), FROM(1), 0, NULL, NULL, "factorization", "16", "factors of a user and of an item"},
    {"model.negatives", JOB_WHOLE, AT(model.negatives), 1, 255, 0, NULL, "auto", "factorization", "auto", "every row is an event of target 1, and so many items drawn at random get target 0; auto: 4 when there are no ratings, else the ratings are what is learned"},
    {"model.count", JOB_WHOLE, AT(model.count), FROM(1), 0, NULL, NULL, "centroids", "8", "centres"},
    {"model.restarts", JOB_WHOLE, AT(model.restarts), 1, 1000, 0, NULL, NULL, "centroids", "10", "starts that are tried, on a sample of the rows"},

    {"loss", JOB_LOSS, 0, ANY, 0, NULL, NULL, NULL, NULL, "name of a loss; or a map of the keys below; or a list of such maps (multi-task)"},
    {"loss.name", JOB_TEXT, TERM(name), ANY, 0, NULL, NULL, NULL, NULL, "as in `gradmill losses`; a name with / is a plugin file"},
    {"loss.weight", JOB_REAL, TERM(weight), FROM(0), UP, NULL, "learned", NULL, "1", "factor of this loss in the sum; learned: with the model, as exp(-s) loss + s / 2 (Kendall 2018)"},
    {"loss.columns", JOB_COLUMNS, 0, FROM(0), 0, NULL, NULL, NULL, "all", "outputs it looks at: 2, \"0:3\" (0, 1, 2) or [0, 1, 2]"},
    {"loss.target", JOB_COLUMNS, 0, FROM(0), 0, NULL, NULL, NULL, "as columns", "columns of the target it looks at, written like columns; a target of one column is seen by all"},
    {"loss.params", JOB_PARAMS, 0, ANY, 0, NULL, NULL, NULL, NULL, "the loss's own parameters, as in {delta: 1.0}; see `gradmill losses NAME`"},
    {"loss.sha256", JOB_TEXT, TERM(sha256), ANY, 0, NULL, "null", NULL, "null", "refuse a plugin file with any other SHA-256"},
    {"loss.trust", JOB_BOOL, 0, ANY, JOB_NOWHERE, NULL, NULL, NULL, "false", "skip the short verification of the plugin at the start"},

    {"optimizer.type", JOB_CHOICE, AT(optimizer.type), ANY, 0, OPTIMIZERS, NULL, NULL, "gd", "method"},
    {"optimizer.learning_rate", JOB_REAL, AT(optimizer.learning_rate), FROM(0), UP, NULL, "auto", NULL, "auto", "step length; auto needs no tuning for convex models"},
    {"optimizer.schedule", JOB_CHOICE, AT(optimizer.schedule), ANY, 0, "constant|step|cosine|inverse", NULL, NULL, "constant", "how the learning rate falls over the epochs"},
    {"optimizer.step_factor", JOB_REAL, AT(optimizer.step_factor), 0, 1, UP, NULL, NULL, NULL, "0.1", "schedule step: the rate is multiplied by this ..."},
    {"optimizer.step_epochs", JOB_REAL, AT(optimizer.step_epochs), FROM(0), UP, NULL, NULL, NULL, "10", "... every so many epochs"},
    {"optimizer.decay", JOB_REAL, AT(optimizer.decay), FROM(0), 0, NULL, NULL, NULL, "0", "schedule inverse: rate / (1 + decay * epoch)"},
    {"optimizer.warmup_epochs", JOB_REAL, AT(optimizer.warmup_epochs), FROM(0), 0, NULL, NULL, NULL, "0", "the rate grows from 0 over these first epochs, on top of any schedule"},
    {"optimizer.momentum", JOB_REAL, AT(optimizer.momentum), 0, 1, JOB_HIGH_OPEN, NULL, "auto", NULL, "auto", "momentum and nesterov; auto: 0.9"},
    {"optimizer.beta1", JOB_REAL, AT(optimizer.beta1), 0, 1, JOB_HIGH_OPEN, NULL, "auto", NULL, "auto", "adam, adamw: decay of the mean gradient; auto: 0.9"},
    {"optimizer.beta2", JOB_REAL, AT(optimizer.beta2), 0, 1, JOB_HIGH_OPEN, NULL, "auto", NULL, "auto", "adam, adamw, rmsprop: decay of the mean square; auto: 0.999 (rmsprop 0.9)"},
    {"optimizer.epsilon", JOB_REAL, AT(optimizer.epsilon), FROM(0), UP, NULL, "auto", NULL, "auto", "adam and relatives: added to the root mean square; auto: 1e-8"},
    {"optimizer.weight_decay", JOB_REAL, AT(optimizer.weight_decay), FROM(0), 0, NULL, "auto", NULL, "auto", "adamw: decoupled decay of the weights; auto: 0.01"},
    {"optimizer.batch_size", JOB_WHOLE, AT(optimizer.batch_size), FROM(1), 0, NULL, "full", NULL, "full", "rows of a step"},
    {"optimizer.clip_norm", JOB_REAL, AT(optimizer.clip_norm), FROM(0), UP, NULL, "null", NULL, "null", "minibatch: a step's gradient that is longer is scaled to this length"},
    {"optimizer.average", JOB_CHOICE, AT(optimizer.average), ANY, 0, "none|uniform|decay", NULL, NULL, "none", "minibatch: keep the mean of the weights after all steps, or one that decays; it is what is validated and saved"},
    {"optimizer.average_decay", JOB_REAL, AT(optimizer.average_decay), 0, 1, JOB_HIGH_OPEN, NULL, "auto", NULL, "auto", "average decay: share of the mean that stays at a step; auto: 0.999"},
    {"optimizer.average_start", JOB_REAL, AT(optimizer.average_start), FROM(0), 0, NULL, NULL, NULL, "0", "epochs before the average begins"},
    {"optimizer.l1", JOB_REAL, AT(optimizer.l1), FROM(0), 0, NULL, NULL, NULL, "0", "l1 * sum of |w|"},
    {"optimizer.l2", JOB_REAL, AT(optimizer.l2), FROM(0), 0, NULL, NULL, NULL, "0", "l2 / 2 * sum of w^2"},

    {"stop.max_epochs", JOB_WHOLE, AT(stop.max_epochs), FROM(1), 0, NULL, NULL, NULL, "1000", "epochs at most"},
    {"stop.loss_change", JOB_REAL, AT(stop.loss_change), FROM(0), 0, NULL, "null", NULL, "1e-6", "stop when no epoch of the last `patience` improved the best loss by more than this; 0: any improvement counts; null: rule off"},
    {"stop.relative", JOB_BOOL, AT(stop.relative), ANY, 0, NULL, NULL, NULL, "true", "loss_change is a share of |best loss|; false: absolute"},
    {"stop.patience", JOB_WHOLE, AT(stop.patience), FROM(1), 0, NULL, NULL, NULL, "5", "epochs loss_change looks back"},
    {"stop.monitor", JOB_CHOICE, AT(stop.monitor), ANY, 0, "auto|validation|train", NULL, NULL, "auto", "the loss the rules look at; auto: validation when there is one, else the training objective"},
    {"stop.restore_best", JOB_BOOL, AT(stop.restore_best), ANY, 0, NULL, NULL, NULL, "true", "the model is that of the best epoch, not of the last"},
    {"stop.target_loss", JOB_REAL, AT(stop.target_loss), ANY, 0, NULL, "null", NULL, "null", "stop when the monitored loss is this low"},
    {"stop.gradient_norm", JOB_REAL, AT(stop.gradient_norm), FROM(0), 0, NULL, "null", NULL, "null", "stop when the norm of the gradient is this low"},
    {"stop.max_time", JOB_DURATION, AT(stop.max_time), FROM(0), UP, NULL, "null", NULL, "null", "stop after 30s, 10m, 2h"},

    {"output.model", JOB_TEXT, AT(output.model), ANY, 0, NULL, "null", NULL, "model.h5", "where the model goes; null: nowhere"},
    {"output.log", JOB_TEXT, AT(output.log), ANY, 0, NULL, "null", NULL, "log.jsonl", "where the log goes, a JSON object a line; null: nowhere"},
    {"output.checkpoint", JOB_TEXT, AT(output.checkpoint), ANY, 0, NULL, "null", NULL, "null", "checkpoint file, for --resume; the one before is kept as FILE.1; or a map of the keys below"},
    {"output.checkpoint.path", JOB_TEXT, AT(output.checkpoint), ANY, 0, NULL, "null", NULL, "null", "checkpoint file"},
    {"output.checkpoint.every", JOB_DURATION, AT(output.checkpoint_every), FROM(0), UP, NULL, NULL, NULL, "60s", "time between checkpoints"},
    {"output.checkpoint.every_epochs", JOB_WHOLE, AT(output.checkpoint_epochs), FROM(1), 0, NULL, "null", NULL, "null", "also after so many epochs; null: by time alone"},

    {"run.threads", JOB_THREADS, AT(run.threads), 1, 4096, 0, NULL, "auto", NULL, "auto", "threads; auto: what affinity and cgroup allow. The model's bits do not depend on it"},
    {"run.memory", JOB_BYTES, AT(run.memory), FROM(1), 0, NULL, "auto", NULL, "auto", "memory budget, as in 4GiB; larger data streams; auto: 60 % of what the cgroup allows"},
    {"run.seed", JOB_SEED, AT(run.seed), FROM(0), 0, NULL, NULL, NULL, "1", "of the split, the order of rows, the start"},
    {"run.watchdog", JOB_DURATION, AT(run.watchdog), FROM(0), UP, NULL, "null", NULL, "null", "a plugin that does not come back from one call for so long ends the run with code 82; null: wait for ever"},
    {"run.precision", JOB_CHOICE, AT(run.precision), ANY, 0, "float32|float64", NULL, NULL, "float32", "of the model while it is trained"},
};
/* clang-format on */

const struct job_key *job_keys(size_t *count)
{
    *count = sizeof keys / sizeof *keys;
    return keys;
}

const struct job_key *job_key_find(const char *path)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].path, path) == 0)
            return &keys[i];
    return NULL;
}

bool job_is_section(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strncmp(keys[i].path, path, length) == 0 && keys[i].path[length] == '.')
            return true;
    return false;
}

/* "a, b or c" */
static void list_choices(const char *choices, char *out, size_t room)
{
    size_t used = 0;
    out[0] = 0;
    for (const char *c = choices; *c && used < room;) {
        size_t length = strcspn(c, "|");
        const char *next = c[length] ? c + length + 1 : c + length;
        const char *glue = c == choices ? "" : *next ? ", " : " or ";
        int wrote = snprintf(out + used, room - used, "%s%.*s", glue, (int)length, c);
        used += wrote > 0 ? (size_t)wrote : 0;
        c = next;
    }
}

bool job_key_is_for(const struct job_key *key, const char *model_type)
{
    size_t length = strlen(model_type);
    for (const char *at = key->model; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strcspn(at, "|") == length && strncmp(at, model_type, length) == 0)
            return true;
    return !key->model;
}

char *job_key_models(const struct job_key *key, char buffer[JOB_EXPECTED])
{
    list_choices(key->model, buffer, JOB_EXPECTED);
    return buffer;
}

static const char *noun(enum job_kind kind)
{
    switch (kind) {
    case JOB_BOOL:
        return "true or false";
    case JOB_REAL:
        return "a number";
    case JOB_WHOLE:
    case JOB_SEED:
    case JOB_THREADS:
        return "a whole number";
    case JOB_TEXT:
        return "a text";
    case JOB_DURATION:
        return "a time such as 30s, 10m or 2h";
    case JOB_BYTES:
        return "a size such as 4GiB or 512MiB";
    case JOB_FILES:
        return "a text or a list of texts";
    case JOB_FRACTION:
        return "a share";
    case JOB_LOSS:
        return "the name of a loss, a map {name, weight, columns, params} or a list of such maps";
    case JOB_COLUMNS:
        return "a column such as 2, a range such as \"0:3\" or a list such as [0, 1, 2]";
    case JOB_PARAMS:
        return "a map of parameters, as in {delta: 1.0}";
    case JOB_WHOLES:
        return "a list of whole numbers";
    case JOB_CHOICE:
        break;
    }
    return "";
}

static bool has_range(enum job_kind kind)
{
    return kind == JOB_REAL || kind == JOB_WHOLE || kind == JOB_SEED || kind == JOB_THREADS || kind == JOB_FRACTION ||
           kind == JOB_WHOLES;
}

char *job_expected(const struct job_key *key, char buffer[JOB_EXPECTED])
{
    char number[32], what[JOB_EXPECTED / 2], range[80] = "";
    if (key->choices)
        list_choices(key->choices, what, sizeof what);
    else
        snprintf(what, sizeof what, "%s", noun(key->kind));
    if (has_range(key->kind) && isfinite(key->low))
        snprintf(range, sizeof range, " %s %s", key->flags & JOB_LOW_OPEN ? "above" : "from",
                 text_from_real(key->low, number));
    if (has_range(key->kind) && isfinite(key->high)) {
        size_t used = strlen(range);
        snprintf(range + used, sizeof range - used, " %s %s", key->flags & JOB_HIGH_OPEN ? "to below" : "to",
                 text_from_real(key->high, number));
    }
    snprintf(buffer, JOB_EXPECTED, "%s%s%s%s%s", what, range,
             key->kind == JOB_FRACTION ? ", a dataset or a list of them" : "", key->word ? ", or " : "",
             key->word ? key->word : "");
    return buffer;
}

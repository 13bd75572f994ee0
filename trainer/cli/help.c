/* The table of commands and what --help prints. docs/man/ tells the same at more length. */
#include "cli/cli.h"

#include <string.h>

static const char train_help[] =
    "gradmill train - train a model as a job file says\n"
    "\n"
    "usage: gradmill train JOB.yaml [options]\n"
    "\n"
    "  --set KEY.PATH=VALUE  change one key of the job file for this run; VALUE is YAML. May be repeated\n"
    "  --loss-path DIRS      look for losses there too (\"a:b\"); default: $GRADMILL_LOSS_PATH\n"
    "  --io WAY              how features are read: auto, mapped, chunks or bands; as data.io\n"
    "  --resume              go on from the job's checkpoint (output.checkpoint), if there is one\n"
    "  --json                print the summary as one line of JSON on stdout\n"
    "  --quiet, -q           nothing but errors (and --json)\n"
    "  --verbose, -v         a line per epoch instead of a progress bar\n"
    "  --keys                list every key of a job file with its default, and leave\n"
    "\n"
    "Relative paths in a job file are relative to the current directory, not to the file.\n"
    "Ctrl-C or SIGTERM finishes the step at hand and saves the model and the checkpoint, then leaves with code 75 (or\n"
    "dies by the signal when the job has no checkpoint); a second one ends at once. SIGUSR1 saves a checkpoint.\n"
    "\n"
    "examples:\n"
    "  gradmill train digits.yaml\n"
    "  gradmill train digits.yaml --set optimizer.l2=0.01 --set output.model=l2.h5\n"
    "  gradmill train digits.yaml --set 'loss={name: huber, params: {delta: 2}}' --json\n"
    "\n"
    "exit codes: 0 done, 64 usage, 65 bad data, 66 no such input, 71 memory or system, 73 cannot create output,\n"
    "74 I/O, 75 interrupted, 77 permission or output in use, 78 job file, 80 diverged, 81 plugin, 82 plugin broken\n";

static const char predict_help[] =
    "gradmill predict - predictions of a model for the rows of a dataset\n"
    "\n"
    "usage: gradmill predict MODEL.h5 DATA [options]\n"
    "\n"
    "DATA is FILE.h5 or FILE.h5:/group, or a pattern in quotes ('part-*.h5'). No target is needed.\n"
    "\n"
    "  -o, --output FILE     HDF5 file with /predictions [rows x outputs] and, for classifiers, /classes [rows] and "
    "the\n"
    "                        attribute class_names; default predictions.h5. \"-\": CSV on stdout\n"
    "  --raw                 link scale (scores, log odds) instead of the response scale\n"
    "  --threads N           default: what affinity and cgroup allow\n"
    "  --memory SIZE         memory budget, as in 4GiB\n"
    "  --loss-path DIRS      look for losses there too\n"
    "  --allow-external      follow links from the data file to other files\n"
    "  --io WAY              how features are read: auto, mapped, chunks or bands\n"
    "  --second FILE.h5:/X2  the second input, for two_tower; default: second or X2 beside the features\n"
    "  --quiet, -q           nothing but errors\n"
    "\n"
    "examples:\n"
    "  gradmill predict model.h5 new.h5 -o new_predictions.h5\n"
    "  gradmill predict model.h5 new.h5 -o - | head\n";

static const char evaluate_help[] =
    "gradmill evaluate - loss and metrics of a model on a dataset with targets\n"
    "\n"
    "usage: gradmill evaluate MODEL.h5 DATA [options]\n"
    "\n"
    "  --json                one line of JSON on stdout instead of a table\n"
    "  --threads N           default: what affinity and cgroup allow\n"
    "  --memory SIZE         memory budget, as in 4GiB\n"
    "  --loss-path DIRS      look for losses there too\n"
    "  --allow-external      follow links from the data file to other files\n"
    "  --io WAY              how features are read: auto, mapped, chunks or bands\n"
    "  --second FILE.h5:/X2  the second input, for two_tower; default: second or X2 beside the features\n"
    "\n"
    "Regression: mse, rmse, mae, r2. Classification: accuracy, top-5 accuracy, log loss, auc, confusion matrix.\n"
    "Ranking: ndcg at 10. Clustering: inertia.\n"
    "\n"
    "examples:\n"
    "  gradmill evaluate model.h5 test.h5\n"
    "  gradmill evaluate model.h5 test.h5:/fold3 --json\n";

static const char inspect_help[] = "gradmill inspect - what a data, model or checkpoint file holds\n"
                                   "\n"
                                   "usage: gradmill inspect FILE.h5\n"
                                   "\n"
                                   "example:\n"
                                   "  gradmill inspect model.h5\n";

static const char import_help[] =
    "gradmill import - convert files to an HDF5 dataset\n"
    "\n"
    "usage: gradmill import FILE... -o OUT.h5 [options]\n"
    "\n"
    "CSV       comma, semicolon or tab, with or without a header, fields quoted or not; empty and NA cells become NaN; "
    "a\n"
    "          target of words becomes classes\n"
    "libsvm    label index:value ..., to sparse rows\n"
    "NumPy     .npy and .npz (FILE.npz:NAME is one array); idx: MNIST's format. Of two arrays one is the target\n"
    "Each may be gzipped. Several files of one format become one dataset.\n"
    "\n"
    "  -o, --output FILE     where the dataset goes\n"
    "  --target COLUMN       name or number (from 1) of the target; default: target, label, y or class\n"
    "  --no-target           every column is a feature\n"
    "  --features D          libsvm: columns in all, for a file that lacks the last ones\n"
    "  --feature-names FILE, --class-names FILE\n"
    "                        libsvm, NumPy, idx: names from a text file, a line each up to a tab; labels count from 0\n"
    "  --drop COLUMNS        CSV: leave columns out: names or numbers with commas between\n"
    "  --header, --no-header CSV: the first line is names, or data; default: names when no cell of it is a number\n"
    "  --float32, --float64  type of features that are not whole; default: float32 where that loses nothing\n"
    "  --compress            smaller file, slower to read\n"
    "  --shuffle SEED        rows in random order, the same for a seed\n"
    "  --memory SIZE         memory for shuffling, as in 4GiB\n"
    "  --quiet, -q           nothing but errors\n"
    "\n"
    "examples:\n"
    "  gradmill import houses.csv -o houses.h5 --target price\n"
    "  gradmill import iris.csv -o iris.h5 --target species --shuffle 1\n"
    "  gradmill import train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz -o mnist.h5\n";

static const char make_help[] =
    "gradmill make - synthetic datasets, the same bits for a seed\n"
    "\n"
    "usage: gradmill make KIND -o OUT.h5 --rows N --features D [options]\n"
    "\n"
    "  regression            y = X w + b + noise, X and w standard normal\n"
    "  classification        classes drawn from the softmax of linear scores\n"
    "  blobs                 normal clouds around a centre for each class\n"
    "  ratings               user, item, rating from a low-rank truth; --rows ratings, no --features\n"
    "  sparse                two classes, rows with few non-zeros (CSR)\n"
    "\n"
    "The true coefficients are stored under /truth.\n"
    "\n"
    "  -o, --output FILE     where the dataset goes\n"
    "  --rows N              rows\n"
    "  --features D          features\n"
    "  --noise S             regression, ratings: standard deviation of the target's noise; classification, sparse:\n"
    "                        share of random labels; blobs: standard deviation around the centre; default 0\n"
    "  --seed S              default 1\n"
    "  --classes K           classification, blobs; default 2 and 3\n"
    "  --informative M       features with a coefficient that is not 0; default: all\n"
    "  --users N, --items N, --rank R\n"
    "                        ratings; default 1000, 500 and 8\n"
    "  --nonzeros N          sparse: values a row; default 50\n"
    "  --float64             default: float32\n"
    "  --compress            smaller file, slower to read\n"
    "  --threads N           default: what affinity and cgroup allow; the bits do not depend on it\n"
    "  --quiet, -q           nothing but errors\n"
    "\n"
    "examples:\n"
    "  gradmill make regression -o r.h5 --rows 100000 --features 20 --noise 0.1\n"
    "  gradmill make classification -o c.h5 --rows 10000 --features 8 --classes 3 --seed 7\n";

static const char plot_help[] =
    "gradmill plot - loss curves from logs, as an SVG\n"
    "\n"
    "usage: gradmill plot LOG.jsonl... -o FILE.svg [options]\n"
    "\n"
    "  -o, --output FILE     where the picture goes; \"-\": stdout\n"
    "  --log, --linear       loss axis; default: logarithmic when every loss is positive and they span a factor of 10\n"
    "  --time                seconds instead of epochs\n"
    "  --title TEXT          a line above the picture\n"
    "\n"
    "examples:\n"
    "  gradmill plot log.jsonl -o curves.svg\n"
    "  gradmill plot a/log.jsonl b/log.jsonl -o compare.svg --log\n";

static const char losses_help[] = "gradmill losses - the losses there are, or all about one\n"
                                  "\n"
                                  "usage: gradmill losses [NAME | FILE.so] [--loss-path DIRECTORIES]\n"
                                  "\n"
                                  "Losses are plugins. They are found in lib/gradmill/losses beside the program, then "
                                  "in the directories of --loss-path\n"
                                  "or GRADMILL_LOSS_PATH (with ':' between). A name with '/' is a file.\n"
                                  "\n"
                                  "  --loss-path DIRS      more directories with losses\n"
                                  "\n"
                                  "examples:\n"
                                  "  gradmill losses\n"
                                  "  gradmill losses huber\n"
                                  "  gradmill losses ./my_loss.so\n";

static const char check_loss_help[] =
    "gradmill check-loss - does a loss plugin keep its contract?\n"
    "\n"
    "usage: gradmill check-loss NAME | FILE.so [options]\n"
    "\n"
    "Verifies derivatives, buffers, threads, weights, NaN, parameters and more, each in a process of its own: a crash "
    "is a\n"
    "result too. Exit code 0: everything is in order; 82: it is not; 81: the plugin cannot be loaded.\n"
    "\n"
    "  --param NAME=VALUE    a parameter of the loss; may be repeated\n"
    "  --seed N              of the random inputs; default 1\n"
    "  --only CHECK          one check, as in --only gradient\n"
    "  --json                one JSON object on stdout\n"
    "  --loss-path DIRS      more directories with losses\n"
    "\n"
    "examples:\n"
    "  gradmill check-loss ./my_loss.so\n"
    "  gradmill check-loss huber --param delta=0.5\n";

static const char new_loss_help[] =
    "gradmill new-loss - a loss plugin from a formula: written, built, checked\n"
    "\n"
    "usage: gradmill new-loss NAME [--formula F] [options]\n"
    "\n"
    "Writes NAME/NAME.c with exact first and second derivatives, NAME/CMakeLists.txt, and NAME/NAME.so, built with $CC "
    "or\n"
    "cc. The source is yours to edit. Without --formula: a commented plugin to start from.\n"
    "\n"
    "  --formula F           the loss of a row. pred and target; + - * / ^ and numbers, pi, e; abs min max exp log "
    "log1p\n"
    "                        expm1 sqrt tanh sigmoid softplus; where(condition, a, b) with < <= > >= == != and or "
    "not.\n"
    "                        Several outputs: pred[0], pred[1] ...; sum_j(..), logsumexp_j(..) with pred[j], "
    "target[j],\n"
    "                        j; outputs (their number); pred[target] for classes\n"
    "  --param 'NAME=DEFAULT [>LOW] [<HIGH] [integer] [# help]'\n"
    "                        a parameter that users set; >=, <= include the bound. May be repeated\n"
    "  --theta NAME=START    a parameter that is learned together with the model; any real number. May be repeated\n"
    "  --target KIND         real, class, multilabel or none; default real\n"
    "  --target-range RANGE  targets that are allowed, as in '>=0 integer' or '>=0 <=1'\n"
    "  --link LINK           response = inverse link of pred: identity, log, logit, softmax; default identity\n"
    "  --task TASK           where `gradmill losses` lists it: regression, classification, counts, ordinal, ranking,\n"
    "                        clustering, metric, multi_task, other\n"
    "  --about TEXT          when to use it, and when not\n"
    "  --convex              I know that it is convex in pred, though new-loss may not find the proof\n"
    "  -o, --output DIR      directory of the new plugin; default: NAME\n"
    "  --force               replace files that exist\n"
    "\n"
    "examples:\n"
    "  gradmill new-loss my_huber --param 'delta=1.0 >0' --convex --formula \\\n"
    "    'where(abs(pred - target) <= delta, 0.5*(pred - target)^2, delta*(abs(pred - target) - 0.5*delta))'\n"
    "  gradmill new-loss my_logistic --formula 'softplus(pred) - target*pred' --target-range '>=0 <=1' --link logit\n"
    "  gradmill new-loss my_softmax --formula 'logsumexp_j(pred[j]) - pred[target]' --target class --link softmax\n"
    "\n"
    "exit codes: 0 done, 64 usage or formula, 71 no compiler or it failed, 73 exists already, 82 a check failed\n";

static const struct command commands[] = {
    {"train", "train a model as a job file says", train_help, command_train},
    {"predict", "predictions of a model for the rows of a dataset", predict_help, command_predict},
    {"evaluate", "loss and metrics of a model on a dataset with targets", evaluate_help, command_evaluate},
    {"inspect", "what a data, model or checkpoint file holds", inspect_help, command_inspect},
    {"import", "convert CSV, libsvm, NumPy or idx files to an HDF5 dataset", import_help, command_import},
    {"make", "synthetic datasets, the same bits for a seed", make_help, command_make},
    {"losses", "the losses there are, or all about one", losses_help, command_losses},
    {"check-loss", "does a loss plugin keep its contract?", check_loss_help, command_check_loss},
    {"new-loss", "a loss plugin from a formula: written, built, checked", new_loss_help, command_new_loss},
    {"plot", "loss curves from logs, as an SVG", plot_help, command_plot},
};
#define COUNT (sizeof commands / sizeof *commands)

const struct command *command_table(size_t *count)
{
    *count = COUNT;
    return commands;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

size_t command_names(const char **names, size_t most)
{
    size_t count = 0;
    for (; count < COUNT && count < most; count++)
        names[count] = commands[count].name;
    return count;
}

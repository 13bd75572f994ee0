/* The training log: one JSON object a line. */
#include "train/log.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "train/summary.h"

static enum gm_code failed(const struct train_log *log, struct gm_error *err)
{
    return error_set(err, GM_IO, "%s: the log could not be written: %s.", log->path, strerror(errno));
}

/* The file of an earlier run, cut to `bytes`; NULL when it is not there or too short. */
static FILE *open_kept(const char *path, uint64_t bytes)
{
    struct stat status;
    FILE *file = fopen(path, "r+e");
    if (!file)
        return NULL;
    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_size >= bytes &&
        ftruncate(fileno(file), (off_t)bytes) == 0 && fseeko(file, 0, SEEK_END) == 0)
        return file;
    fclose(file);
    return NULL;
}

enum gm_code log_open(struct train_log *log, const char *path, uint64_t bytes, struct gm_error *err)
{
    *log = (struct train_log){.path = path};
    if (!path)
        return GM_OK;
    log->file = bytes ? open_kept(path, bytes) : NULL;
    log->kept = log->file;
    if (!log->file)
        log->file = fopen(path, "we");
    if (!log->file)
        return error_set(err, GM_CANNOT_CREATE, "%s: the log cannot be created: %s.", path, strerror(errno));
    setvbuf(log->file, NULL, _IOLBF, 4096);
    return GM_OK;
}

/* Writes and frees the object. */
static enum gm_code write_line(struct train_log *log, json_t *object, struct gm_error *err)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(object);
    if (!text)
        return error_memory(err, "a line of the log", 1024);
    bool good = fputs(text, log->file) >= 0 && fputc('\n', log->file) != EOF;
    free(text);
    return good ? GM_OK : failed(log, err);
}

enum gm_code log_start(struct train_log *log, const struct problem *p, struct gm_error *err)
{
    if (!log->file)
        return GM_OK;
    const struct data_schema *s = p->train.schema;
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:b, s:I, s:s, s:s, s:s, s:s}", "event", "start",
                  "gradmill_version", GRADMILL_VERSION, "data", s->features_at, "rows", (json_int_t)s->rows,
                  "held_out_rows", (json_int_t)p->split.held_out, "features", (json_int_t)s->features, "outputs",
                  (json_int_t)p->loss.outputs, "threads", p->threads, "resident",
                  !p->train.set || data_is_resident(p->train.set), "seed", (json_int_t)p->job->run.seed,
                  "data_fingerprint", p->stats.fingerprint, "loss", p->loss.plugin->vtable.id, "loss_sha256",
                  p->loss.plugin->sha256, "precision", p->model.spec.precision == MODEL_F32 ? "float32" : "float64");
    return write_line(log, o, err);
}

enum gm_code log_resume(struct train_log *log, const struct gm_epoch *last, uint64_t batch, struct gm_error *err)
{
    if (!log->file)
        return GM_OK;
    return write_line(
        log,
        json_pack("{s:s, s:I, s:I}", "event", "resume", "epoch", (json_int_t)last->epoch, "batch", (json_int_t)batch),
        err);
}

enum gm_code log_sync(struct train_log *log, uint64_t *bytes, struct gm_error *err)
{
    *bytes = 0;
    if (!log->file)
        return GM_OK;
    off_t end = fflush(log->file) == 0 ? ftello(log->file) : -1;
    if (end < 0 && errno == ESPIPE) /* a pipe or terminal: nothing to keep */
        return GM_OK;
    if (end < 0 || (fdatasync(fileno(log->file)) != 0 && errno != EINVAL && errno != EROFS))
        return failed(log, err);
    *bytes = (uint64_t)end;
    return GM_OK;
}

enum gm_code log_epoch(struct train_log *log, const struct gm_epoch *e, struct gm_error *err)
{
    if (!log->file)
        return GM_OK;
    json_t *o =
        json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "event", "epoch", "epoch", (json_int_t)e->epoch,
                  "train_loss", summary_real(e->train_loss), "objective", summary_real(e->objective), "validation_loss",
                  summary_real(e->validation_loss), "gradient_norm", summary_real(e->gradient_norm), "learning_rate",
                  summary_real(e->learning_rate), "seconds", summary_real(e->seconds), "rows_per_second",
                  summary_real(e->rows_per_second));
    return write_line(log, o, err);
}

enum gm_code log_end(struct train_log *log, const struct gm_summary *summary, struct gm_error *err)
{
    return log->file ? write_line(log, summary_object(summary), err) : GM_OK;
}

enum gm_code log_close(struct train_log *log, struct gm_error *err)
{
    if (!log->file)
        return GM_OK;
    int result = fclose(log->file);
    log->file = NULL;
    return result == 0 ? GM_OK : failed(log, err);
}

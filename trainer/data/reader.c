/* A thread that fills buffers ahead of the one who uses them. */
#include "data/reader.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"

struct reader {
    struct reader_source source;
    pthread_t thread;
    pthread_mutex_t lock; /* protects what follows */
    pthread_cond_t changed;
    size_t filled;  /* units that are in their buffers, or were */
    size_t claimed; /* units that the user took; all but the last of them are given back */
    bool stop;
    enum gm_code code; /* of the fill that ended the reading */
    struct gm_error err;
};

/* May unit `unit` go into its buffer? Units that are filled and not given back take one each. */
static bool has_room(const struct reader *reader)
{
    size_t given_back = reader->claimed ? reader->claimed - 1 : 0;
    return reader->filled - given_back < reader->source.n_buffers;
}

static void *run(void *argument)
{
    struct reader *reader = argument;
    const struct reader_source *source = &reader->source;
    struct gm_error err = {0};
    for (size_t unit = 0; unit < source->units; unit++) {
        pthread_mutex_lock(&reader->lock);
        while (!reader->stop && !has_room(reader))
            pthread_cond_wait(&reader->changed, &reader->lock);
        bool stop = reader->stop;
        pthread_mutex_unlock(&reader->lock);
        if (stop)
            break;
        enum gm_code code = source->fill(source->context, unit, source->buffers[unit % source->n_buffers], &err);
        pthread_mutex_lock(&reader->lock);
        if (code == GM_OK)
            reader->filled++;
        reader->code = code;
        reader->err = err;
        pthread_cond_broadcast(&reader->changed);
        pthread_mutex_unlock(&reader->lock);
        if (code != GM_OK)
            break;
    }
    return NULL;
}

enum gm_code reader_open(struct reader **out, const struct reader_source *source, struct gm_error *err)
{
    *out = NULL;
    struct reader *reader = NULL;
    enum gm_code code = memory_alloc((void **)&reader, 1, sizeof *reader, "the reader", err);
    if (code != GM_OK)
        return code;
    reader->source = *source;
    pthread_mutex_init(&reader->lock, NULL);
    pthread_cond_init(&reader->changed, NULL);
    int status = thread_start(&reader->thread, run, reader);
    if (status == 0) {
        *out = reader;
        return GM_OK;
    }
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->lock);
    memory_free(reader);
    return error_set(err, GM_SYSTEM, "The reader thread could not be started: %s.", strerror(status));
}

enum gm_code reader_next(struct reader *reader, void **buffer, struct gm_error *err)
{
    *buffer = NULL;
    enum gm_code code = GM_OK;
    pthread_mutex_lock(&reader->lock);
    size_t unit = reader->claimed;
    if (unit < reader->source.units) {
        reader->claimed++;
        pthread_cond_broadcast(&reader->changed);
        while (reader->filled <= unit && reader->code == GM_OK)
            pthread_cond_wait(&reader->changed, &reader->lock);
        if (reader->filled > unit) {
            *buffer = reader->source.buffers[unit % reader->source.n_buffers];
        } else {
            code = reader->code;
            if (err)
                *err = reader->err;
        }
    }
    pthread_mutex_unlock(&reader->lock);
    return code;
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    pthread_mutex_lock(&reader->lock);
    reader->stop = true;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    pthread_join(reader->thread, NULL);
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->lock);
    memory_free(reader);
}

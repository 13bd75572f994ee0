/* A thread that watches the others from outside. */
#include "train/monitor.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/pulse.h"
#include "base/sleepers.h"
#include "base/thread.h"
#include "train/engine.h"
#include "train/problem.h"

#define MOST_THREADS 4096 /* as run.threads allows */
#define LOOK         0.25 /* seconds between two looks, or a quarter of the limit */

/* What was seen of a pulse at the last looks. */
struct seen {
    unsigned beats;
    double since; /* when it was first seen like that */
};

/* Seconds that the pulse has been inside of one and the same call; 0: it is outside. */
static double inside(const struct pulse *pulse, struct seen *seen)
{
    unsigned beats = atomic_load_explicit(&pulse->beats, memory_order_acquire);
    double now = clock_seconds();
    if (beats != seen->beats)
        *seen = (struct seen){beats, now};
    return beats % 2 ? now - seen->since : 0;
}

static void tell_plugin(const struct monitor *m, const struct pulse *pulse)
{
    char text[GM_ERROR_TEXT], place[80] = "the short check before training";
    if (pulse != &pulse_check)
        snprintf(place, sizeof place, "the block at row %zu", atomic_load(&pulse->row));
    const char *what = atomic_load(&pulse->what), *where = atomic_load(&pulse->where);
    snprintf(text, sizeof text,
             "The loss '%s' (%s) has not come back for %g seconds from %s (run.watchdog). 'gradmill check-loss %s' "
             "examines it.",
             what ? what : "?", where ? where : "?", m->limit, place, where ? where : "NAME");
    m->watch->stalled(m->watch->context, GM_PLUGIN_BROKEN, text);
}

/* Waiting for a page of a mapped file says nothing of the file; it is the features, as a rule. */
static void tell_disk(const struct monitor *m, double seconds, bool mapped)
{
    char text[GM_ERROR_TEXT];
    const char *what = atomic_load(&pulse_disk.what);
    if (mapped) {
        const struct data_schema *schema = m->engine ? m->engine->problem->train.schema : NULL;
        what = schema ? schema->features_at : "A thread";
    }
    snprintf(text, sizeof text, "%s: still waiting for the disk after %.0f seconds: it is slow, or does not answer.",
             what ? what : "?", seconds);
    m->watch->stalled(m->watch->context, GM_OK, text);
}

/* Who waits for the disk, and until when that is not told. */
struct disk_watch {
    struct seen pulse;
    struct sleepers sleepers;
    double looked, slept; /* the last look at those, which costs a reading of /proc, and what it said */
    double next;
};

static void look_at_disk(const struct monitor *m, struct disk_watch *disk)
{
    double waited = inside(&pulse_disk, &disk->pulse), now = clock_seconds();
    bool mapped = atomic_load(&pulse_disk.beats) % 2 == 0; /* waited is 0 too where something has just come */
    if (now - disk->looked >= LOOK) {
        disk->slept = sleepers_look(&disk->sleepers);
        disk->looked = now;
    }
    waited = mapped ? disk->slept : waited;
    if (waited < MONITOR_DISK_SECONDS)
        disk->next = MONITOR_DISK_SECONDS;
    if (waited >= disk->next) {
        tell_disk(m, waited, mapped);
        disk->next *= 2;
    }
}

/* Called with the lock held. */
static void look(struct monitor *m, struct seen *workers, struct seen *check, struct disk_watch *disk)
{
    char text[GM_ERROR_TEXT];
    look_at_disk(m, disk);
    if (crowd_look(&m->crowd, text))
        m->watch->stalled(m->watch->context, GM_OK, text);
    if (!isnan(m->limit) && inside(&pulse_check, check) >= m->limit)
        tell_plugin(m, &pulse_check);
    for (int t = 0; !isnan(m->limit) && m->engine && t < m->engine->threads && t < MOST_THREADS; t++)
        if (inside(&m->engine->workers[t].pulse, &workers[t]) >= m->limit) {
            tell_plugin(m, &m->engine->workers[t].pulse);
            workers[t].since = clock_seconds();
        }
}

static void *watch(void *context)
{
    struct seen workers[MOST_THREADS] = {0}; /* 64 KiB of this thread's own stack */
    struct monitor *m = context;
    struct seen check = {0};
    struct disk_watch disk = {.next = MONITOR_DISK_SECONDS};
    double pause = m->limit < 4 * LOOK ? m->limit / 4 : LOOK;
    pthread_mutex_lock(&m->lock);
    while (!m->ending) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        double at = (double)until.tv_nsec * 1e-9 + pause;
        until.tv_sec += (time_t)at;
        until.tv_nsec = (long)((at - floor(at)) * 1e9);
        pthread_cond_timedwait(&m->wake, &m->lock, &until);
        look(m, workers, &check, &disk);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

void monitor_start(struct monitor *m, const struct gm_job *job, const struct gm_watch *watcher)
{
    pthread_condattr_t how;
    *m = (struct monitor){.limit = job->run.watchdog};
    if (!watcher || !watcher->stalled)
        return;
    m->watch = watcher;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&how);
    pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_cond_init(&m->wake, &how);
    pthread_condattr_destroy(&how);
    if (thread_start(&m->thread, watch, m) != 0) {
        m->watch = NULL;
        problem_note(watcher, "No thread to spare: run.watchdog does not watch.");
    }
}

void monitor_engine(struct monitor *m, const struct engine *engine, const struct problem *p)
{
    if (!m->watch)
        return;
    pthread_mutex_lock(&m->lock);
    m->engine = engine;
    if (p)
        crowd_start(&m->crowd, p->threads, p->memory);
    else
        m->crowd.threads = 0;
    pthread_mutex_unlock(&m->lock);
}

void monitor_stop(struct monitor *m)
{
    if (!m->watch)
        return;
    pthread_mutex_lock(&m->lock);
    m->ending = true;
    pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    m->watch = NULL;
}

/*
 * A thread that watches the others from outside: a plugin that does not come back, a disk that does not answer, a
 * machine that has become too small.
 *
 * It looks at what the threads last entered (base/pulse.h) and whether the system lets them run (base/sleepers.h: the
 * pages of a mapped file), some times a second; the threads themselves read no clock.
 * It cannot end a thread that hangs, so it only tells: the program leaves with 82, another caller does what it can.
 */
#ifndef TRAIN_MONITOR_H
#define TRAIN_MONITOR_H

#include <pthread.h>
#include <stdbool.h>

#include <gradmill/gradmill.h>

#include "train/crowd.h"

struct engine;
struct problem;

#define MONITOR_DISK_SECONDS 30.0 /* of waiting for the disk, after which it is told, and after twice as many again */

struct monitor {
    const struct gm_watch *watch; /* borrowed; NULL: not running */
    double limit;                 /* seconds for one call of a plugin; NaN: none */
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    const struct engine *engine; /* its workers are watched; NULL: none */
    struct crowd crowd;
    bool ending;
};

/* Does nothing when the watcher does not want to hear of stalls. Without a thread to spare there is no watchdog, and a
 * note says so. */
void monitor_start(struct monitor *m, const struct gm_job *job, const struct gm_watch *watch);
/* Watch these workers, and whether the machine still suits their problem; NULL, NULL before they are released. */
void monitor_engine(struct monitor *m, const struct engine *engine, const struct problem *p);
void monitor_stop(struct monitor *m);

#endif

/*
 * What a thread is inside of that may never come back: a plugin, the disk. Written by that thread at the cost of a few
 * stores; read by others, the watchdog (train/monitor.h) and the handler of a crash (cli/crash.h).
 */
#ifndef BASE_PULSE_H
#define BASE_PULSE_H

#include <stdatomic.h>
#include <stddef.h>

struct pulse {
    atomic_uint beats;           /* odd: inside */
    atomic_size_t row;           /* the first row of the block */
    _Atomic(const char *) what;  /* the loss, or the file; of a life longer than the pulse's */
    _Atomic(const char *) where; /* the plugin's path, or NULL */
};

/* One at a time a thread. */
void pulse_enter(struct pulse *pulse, size_t row);
void pulse_leave(struct pulse *pulse);
/* From any thread: something came of it, so that who waits for it may begin to count anew. */
void pulse_progress(struct pulse *pulse);
/* What the calling thread is inside of, or NULL. May be asked in a signal handler. */
const struct pulse *pulse_of_thread(void);

/* The short check of a loss before training. */
extern struct pulse pulse_check;

/* The main thread's waiting for the disk. `what`: the file, until pulse_leave(&pulse_disk). */
extern struct pulse pulse_disk;
void pulse_enter_disk(const char *what);

#endif

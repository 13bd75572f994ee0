/*
 * Has the machine become too small for a run? Threads and memory are chosen at its start; a control group's limits and
 * what else the machine does may change later. The run keeps what it has, its result does not depend on it, and the
 * user is told: once for each limit, and again when it is lowered further.
 */
#ifndef TRAIN_CROWD_H
#define TRAIN_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include <gradmill/status.h>

#define CROWD_SECONDS 20.0 /* between two looks: they read some files of /proc and /sys, half a millisecond */
#define CROWD_WAITING 0.4  /* the share of its time that a run's threads may wait for a processor */

struct crowd {
    int threads;         /* of the run; 0: nothing to look at */
    uint64_t memory;     /* bytes that it plans with */
    double next;         /* when to look again */
    double ran, waited;  /* at the last look */
    bool told_of_others; /* that they take the processors */
};

/* A run begins. */
void crowd_start(struct crowd *c, int threads, uint64_t memory);
/* Is it time, and is there something to tell? Then it is in `text`. */
bool crowd_look(struct crowd *c, char text[GM_ERROR_TEXT]);

#endif

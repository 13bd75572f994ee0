/*
 * Threads of this process that the system keeps from running until a disk answers: state D of proc(5). Seen so, unlike
 * through a pulse: the page of a mapped file that is fetched from a network disk while a thread computes.
 */
#ifndef BASE_SLEEPERS_H
#define BASE_SLEEPERS_H

#include <stddef.h>

enum { SLEEPERS_MOST = 64 }; /* threads beyond so many waiting ones are not followed */

struct sleeper {
    long thread;
    unsigned long long work; /* processor time and faults so far: it has not run since */
    double since;            /* when it was first seen so */
};

struct sleepers { /* zeroed at first */
    struct sleeper list[SLEEPERS_MOST];
    size_t count;
};

/* Looks, and returns for how many seconds the longest sleeper has been seen asleep without having run; 0: none is. To
 * be called every now and then. */
double sleepers_look(struct sleepers *sleepers);

#endif

/* Threads of our own, beside OpenMP's. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* As pthread_create, but: signals are left to the threads that know of them, except those of faults, and the thread may
 * run wherever the process may (base/affinity.h), also when the one that starts it is bound to a processor. */
int thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

#endif

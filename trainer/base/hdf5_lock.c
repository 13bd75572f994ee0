/* The one lock around every call of the HDF5 library. */
#include "base/hdf5_lock.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <hdf5.h>

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void hdf5_start(void)
{
    H5dont_atexit();
}

void hdf5_lock(void)
{
    pthread_mutex_lock(&lock);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void hdf5_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

pid_t hdf5_fork(void)
{
    fflush(NULL); /* what a buffer holds is not for the child to write a second time (sanitizers flush at its _exit) */
    hdf5_lock();
    pid_t child = fork();
    if (child == 0) /* the lock is the parent's thread's: the child, which has one thread, starts with a fresh one */
        lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    else
        hdf5_unlock();
    return child;
}

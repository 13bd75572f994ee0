/*
 * The one lock around every call of the HDF5 library.
 *
 * It protects libhdf5's global tables: a build without --enable-threadsafe has no protection of its own, and a reader
 * thread runs beside the main one. Recursive, so that a function that holds it may call another that takes it. Hold it
 * for one batch of calls, never while waiting for another thread.
 */
#ifndef BASE_HDF5_LOCK_H
#define BASE_HDF5_LOCK_H

#include <sys/types.h>

/* To be called by a program before anything else touches HDF5. The library's cleanup at exit writes what it still
 * holds: after a write has failed (disk full) that ends in a crash. Everything of ours is closed where it was opened,
 * so there is nothing to clean up. */
void hdf5_start(void);

/* Also turns off HDF5's own error printing, which is a setting of each thread. */
void hdf5_lock(void);
void hdf5_unlock(void);

/* fork() while no other thread is inside HDF5, so that the child may go on using it. */
pid_t hdf5_fork(void);

#endif

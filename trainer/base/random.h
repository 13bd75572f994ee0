/*
 * Counter-based random numbers: a pure function of (seed, purpose, epoch, index). No state, so any thread can ask for
 * any number, and the answer never depends on who asked before.
 *
 * Source: Philox4x32-10, Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11 (Random123).
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What the numbers are for; the values are part of "same bits for a seed" and never change. */
enum random_purpose {
    RANDOM_SPLIT = 1,
    RANDOM_SHUFFLE_SLABS = 2,
    RANDOM_SHUFFLE_ROWS = 3,
    RANDOM_INIT = 4,
    RANDOM_MAKE = 5,
    RANDOM_DROPOUT = 6,
    RANDOM_NEGATIVE = 7,
    RANDOM_CHECK = 8,
    RANDOM_IMPORT = 9,
    RANDOM_HESSIAN = 10,
    RANDOM_SAMPLE = 11,
    RANDOM_GRID = 32
};

struct random_key {
    uint64_t seed;
    uint32_t purpose; /* enum random_purpose */
    uint32_t epoch;
};

/* 128 random bits for index. */
void random_bits(struct random_key key, uint64_t index, uint32_t out[4]);
/* In [0, 1), 53 random bits. */
double random_uniform(struct random_key key, uint64_t index);
/* Standard normal (Box and Muller 1958, one number an index). */
double random_normal(struct random_key key, uint64_t index);
/* Whole number in [0, n), n > 0; bias below n / 2^64 (multiply-shift, Lemire 2019, without rejection). */
uint64_t random_below(struct random_key key, uint64_t index, uint64_t n);

#endif

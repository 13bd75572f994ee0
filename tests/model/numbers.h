/* Numbers and memory for tests of networks. */
#ifndef TESTS_MODEL_NUMBERS_H
#define TESTS_MODEL_NUMBERS_H

#include "base/memory.h"
#include "base/random.h"
#include "support.h"

static inline double noise(uint64_t i)
{
    return random_normal((struct random_key){3, RANDOM_CHECK, 0}, i);
}

static inline void *room(size_t bytes)
{
    void *memory;
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(memory_alloc(&memory, bytes, 1, "a test", &err), GM_OK);
    return memory;
}

#endif

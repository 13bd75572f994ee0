/* Allocation that is checked, zeroed and aligned; limits of this process. */
#include "support.h"

#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

static void blocks_are_zero_and_aligned(void)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 1000003, (size_t)9 << 20};
    for (int turn = 0; turn < 2; turn++) /* the second turn gets the memory that the first one soiled */
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            void *block = NULL;
            CU_ASSERT_EQUAL_FATAL(memory_alloc(&block, sizes[i], 1, "a test", NULL), GM_OK);
            CU_ASSERT_PTR_NOT_NULL_FATAL(block);
            CU_ASSERT_EQUAL((uintptr_t)block % MEMORY_ALIGN, 0);
            size_t set = 0;
            for (size_t byte = 0; byte < sizes[i]; byte++)
                set += ((unsigned char *)block)[byte] != 0;
            CU_ASSERT_EQUAL(set, 0);
            memset(block, 0xA5, sizes[i]);
            memory_free(block);
        }
    memory_free(NULL);
}

static void too_much_is_an_error_that_says_what_for(void)
{
    struct gm_error err = {0};
    void *block = &err;
    CU_ASSERT_EQUAL(memory_alloc(&block, SIZE_MAX / 2, 3, "the gradient", &err), GM_SYSTEM);
    CU_ASSERT_PTR_NULL(block);
    CU_ASSERT_EQUAL(err.code, GM_SYSTEM);
    ASSERT_HOLDS(err.text, "the gradient");
#ifndef GRADMILL_SANITIZED /* the sanitizers' allocators end the process instead */
    CU_ASSERT_EQUAL(memory_alloc(&block, SIZE_MAX, 1, "the weights", &err), GM_SYSTEM);
    CU_ASSERT_PTR_NULL(block);
    ASSERT_HOLDS(err.text, "the weights");
#endif
}

static void products_that_do_not_fit_are_refused(void)
{
    size_t product = 7;
    CU_ASSERT(memory_product(0, SIZE_MAX, &product) && product == 0);
    CU_ASSERT(memory_product(SIZE_MAX, 1, &product) && product == SIZE_MAX);
    CU_ASSERT(memory_product((size_t)1 << 31, (size_t)1 << 32, &product) && product == (size_t)1 << 63);
    CU_ASSERT_FALSE(memory_product((size_t)1 << 32, (size_t)1 << 32, &product));
    CU_ASSERT_FALSE(memory_product(SIZE_MAX, 2, &product));
}

static void strings_are_copied(void)
{
    char text[] = "digits.h5", *copy = NULL;
    CU_ASSERT_EQUAL_FATAL(memory_string(&copy, text, NULL), GM_OK);
    text[0] = 'x';
    CU_ASSERT_STRING_EQUAL(copy, "digits.h5");
    memory_free(copy);
}

static void limit_is_at_most_the_machine_and_the_address_space(void)
{
    uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    CU_ASSERT(memory_limit() > 0 && memory_limit() <= machine);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit space = {(rlim_t)100 << 20, (rlim_t)100 << 20};
        _exit(setrlimit(RLIMIT_AS, &space) == 0 && memory_limit() <= (uint64_t)100 << 20 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
#ifndef GRADMILL_SANITIZED /* whose shadow memory is larger than any such limit */
    CU_ASSERT_EQUAL(status, 0);
#endif
}

static void peak_follows_what_is_touched(void)
{
    uint64_t before = memory_peak();
    size_t bytes = (size_t)64 << 20;
    void *block = NULL;
    CU_ASSERT(before > 0);
    CU_ASSERT_EQUAL_FATAL(memory_alloc(&block, bytes, 1, "a test", NULL), GM_OK);
    memset(block, 1, bytes);
    uint64_t after = memory_peak();
    CU_ASSERT(after >= before + bytes / 2 && after <= before + 2 * bytes);
    memory_free(block);
    CU_ASSERT(memory_peak() + ((size_t)1 << 20) >= after); /* a peak stays; the kernel counts it in batches of pages */
}

TEST_MAIN("memory", TEST(blocks_are_zero_and_aligned), TEST(too_much_is_an_error_that_says_what_for),
          TEST(products_that_do_not_fit_are_refused), TEST(strings_are_copied),
          TEST(limit_is_at_most_the_machine_and_the_address_space), TEST(peak_follows_what_is_touched))

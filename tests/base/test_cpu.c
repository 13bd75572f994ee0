/* What the processor offers and how much of it we may use. */
#include "support.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cpu.h"

static void quota_is_rounded_up_and_never_below_one(void)
{
    CU_ASSERT_EQUAL(cpu_threads_within(8, INFINITY), 8);
    CU_ASSERT_EQUAL(cpu_threads_within(8, 1.5), 2);
    CU_ASSERT_EQUAL(cpu_threads_within(8, 2.0), 2);
    CU_ASSERT_EQUAL(cpu_threads_within(8, 0.1), 1);
    CU_ASSERT_EQUAL(cpu_threads_within(2, 64), 2);
    CU_ASSERT_EQUAL(cpu_threads_within(0, INFINITY), 1);
}

static void affinity_bounds_the_threads(void)
{
    CU_ASSERT(cpu_threads() >= 1 && cpu_threads() <= sysconf(_SC_NPROCESSORS_CONF));
    pid_t child = fork();
    if (child == 0) {
        cpu_set_t set;
        int first = 0;
        sched_getaffinity(0, sizeof set, &set);
        while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, &set))
            first++;
        CPU_ZERO(&set);
        CPU_SET(first, &set);
        _exit(sched_setaffinity(0, sizeof set, &set) == 0 && cpu_threads() == 1 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
}

/* Four threads that compute on one processor for as long as each of them needs: three of four wait at any time. */
static void *compute(void *context)
{
    const atomic_bool *ending = context;
    while (!*ending)
        ;
    return NULL;
}

static void waiting_for_a_processor_is_seen(void)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        pthread_t threads[4];
        atomic_bool ending = false;
        cpu_set_t set;
        int first = 0;
        double ran = 0, waited = 0;
        sched_getaffinity(0, sizeof set, &set);
        while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, &set))
            first++;
        CPU_ZERO(&set);
        CPU_SET(first, &set);
        sched_setaffinity(0, sizeof set, &set);
        for (int i = 0; i < 4; i++)
            if (pthread_create(&threads[i], NULL, compute, &ending) != 0)
                _exit(2);
        usleep(200000);
        bool told = cpu_times(&ran, &waited);
        ending = true;
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        _exit(!told ? 3 : waited > ran ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
        printf("\n    this kernel does not tell: left out");
    else
        CU_ASSERT_EQUAL(status, 0);
}

static void instruction_sets_can_be_lowered_only(void)
{
    CU_ASSERT_EQUAL(cpu_isa_lowered(CPU_AVX512, "avx2"), CPU_AVX2);
    CU_ASSERT_EQUAL(cpu_isa_lowered(CPU_AVX512, "AVX2"), CPU_AVX2);
    CU_ASSERT_EQUAL(cpu_isa_lowered(CPU_AVX512, "baseline"), CPU_BASELINE);
    CU_ASSERT_EQUAL(cpu_isa_lowered(CPU_AVX512, NULL), CPU_AVX512);
    CU_ASSERT_EQUAL(cpu_isa_lowered(CPU_AVX2, "avx512"), CPU_AVX2);
    CU_ASSERT_EQUAL(cpu_isa_lowered(CPU_BASELINE, "avx2"), CPU_BASELINE);
    CU_ASSERT_EQUAL(cpu_isa_lowered(CPU_AVX2, "sse9"), CPU_AVX2);
    setenv("GRADMILL_ISA", "baseline", 1);
    CU_ASSERT_EQUAL(cpu_isa(), CPU_BASELINE);
    unsetenv("GRADMILL_ISA");
}

/* The kernel's own list of flags is the second opinion. */
static void instruction_set_agrees_with_the_kernel(void)
{
    enum cpu_isa isa = cpu_isa();
    char command[128];
    snprintf(command, sizeof command, "grep -qw %s /proc/cpuinfo", isa == CPU_AVX512 ? "avx512vl" : "avx2");
    if (isa != CPU_BASELINE)
        CU_ASSERT_EQUAL(system(command), 0);
    CU_ASSERT_STRING_EQUAL(cpu_isa_name(CPU_BASELINE), "baseline");
    CU_ASSERT_STRING_EQUAL(cpu_isa_name(CPU_AVX2), "avx2");
    CU_ASSERT_STRING_EQUAL(cpu_isa_name(CPU_AVX512), "avx512");
}

TEST_MAIN("cpu", TEST(quota_is_rounded_up_and_never_below_one), TEST(affinity_bounds_the_threads),
          TEST(waiting_for_a_processor_is_seen), TEST(instruction_sets_can_be_lowered_only),
          TEST(instruction_set_agrees_with_the_kernel))

/*
 * Which processors we may use. Expected: the mask of the test's parent, which OpenMP has not bound (this program runs
 * twice, once with OMP_PROC_BIND), and made-up trees of nodes as the kernel writes them.
 */
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/affinity.h"
#include "base/cgroup.h"
#include "base/cpu.h"
#include "base/thread.h"

static cpu_set_t parents;

static bool equal_to_parents(const cpu_set_t *set, size_t bytes)
{
    for (size_t cpu = 0; cpu < 8 * bytes; cpu++)
        if (!!CPU_ISSET_S(cpu, bytes, set) != (cpu < CPU_SETSIZE && CPU_ISSET(cpu, &parents)))
            return false;
    return true;
}

static void a_bound_main_thread_is_not_the_limit(void)
{
    struct affinity mask;
    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(getppid(), sizeof parents, &parents), 0);
    CU_ASSERT_FATAL(affinity_init(&mask));
    CU_ASSERT(equal_to_parents(mask.set, mask.bytes));
    CU_ASSERT_EQUAL(affinity_count(&mask), CPU_COUNT(&parents));
    affinity_release(&mask);
    CU_ASSERT_EQUAL(cpu_threads(), cpu_threads_within(CPU_COUNT(&parents), cgroup_limits("").cpus));
    CU_ASSERT_EQUAL(affinity_is_bound(), getenv("OMP_PROC_BIND") != NULL);
}

static void *look(void *context)
{
    sigset_t blocked;
    bool *right = context;
    cpu_set_t own;
    CPU_ZERO(&own);
    *right = sched_getaffinity(0, sizeof own, &own) == 0 && equal_to_parents(&own, sizeof own) &&
             pthread_sigmask(SIG_SETMASK, NULL, &blocked) == 0 && sigismember(&blocked, SIGTERM) &&
             !sigismember(&blocked, SIGSEGV);
    return NULL;
}

static void a_thread_runs_wherever_the_process_may(void)
{
    pthread_t thread;
    sigset_t before, after;
    bool right = false;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    CU_ASSERT_EQUAL_FATAL(thread_start(&thread, look, &right), 0);
    pthread_join(thread, NULL);
    CU_ASSERT(right);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    CU_ASSERT_EQUAL(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

static int nodes_of(const char *root, size_t first, size_t last)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (size_t cpu = first; cpu <= last; cpu++)
        CPU_SET(cpu, &set);
    return affinity_nodes(&(struct affinity){&set, sizeof set}, root);
}

/* Two sockets of four cores with two threads each, numbered as Linux does on x86, a node of memory alone. */
static void nodes_are_those_of_the_mask(void)
{
    const char *root = test_path("sockets");
    test_plant(root, "/sys/devices/system/node/node0/cpulist", "0-3,8-11\n");
    test_plant(root, "/sys/devices/system/node/node1/cpulist", "4-7,12-15\n");
    test_plant(root, "/sys/devices/system/node/node3/cpulist", "\n");
    CU_ASSERT_EQUAL(nodes_of(root, 0, 15), 2);
    CU_ASSERT_EQUAL(nodes_of(root, 0, 3), 1);
    CU_ASSERT_EQUAL(nodes_of(root, 3, 4), 2);
    CU_ASSERT_EQUAL(nodes_of(root, 11, 12), 2);
    CU_ASSERT_EQUAL(nodes_of(root, 12, 15), 1);
    CU_ASSERT_EQUAL(nodes_of(root, 100, 101), 1);
}

static void a_kernel_without_nodes_has_one(void)
{
    CU_ASSERT_EQUAL(nodes_of(test_path("nothing"), 0, 3), 1);
    const char *root = test_path("odd");
    test_plant(root, "/sys/devices/system/node/node0/cpulist", "0-");
    test_plant(root, "/sys/devices/system/node/node1/cpulist", "0-99999999999,");
    CU_ASSERT_EQUAL(nodes_of(root, 0, 3), 1);
}

TEST_MAIN("affinity", TEST(a_bound_main_thread_is_not_the_limit), TEST(a_thread_runs_wherever_the_process_may),
          TEST(nodes_are_those_of_the_mask), TEST(a_kernel_without_nodes_has_one))

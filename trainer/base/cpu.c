/* What the processor offers and how much of it this process may use. */
#include "base/cpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#if defined __x86_64__
#include <cpuid.h>
#endif

#include "base/affinity.h"
#include "base/cgroup.h"
#include "base/tasks.h"

static const char *const isa_names[] = {[CPU_BASELINE] = "baseline", [CPU_AVX2] = "avx2", [CPU_AVX512] = "avx512"};

static enum cpu_isa best_isa(void)
{
#if defined __x86_64__
    unsigned a, b, c, d;
    __builtin_cpu_init(); /* its answers include that the system saves the wide registers */
    bool f16c = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
    if (!(f16c && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
          __builtin_cpu_supports("bmi2")))
        return CPU_BASELINE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return CPU_AVX512;
    return CPU_AVX2;
#else
    return CPU_BASELINE;
#endif
}

enum cpu_isa cpu_isa_lowered(enum cpu_isa best, const char *wish)
{
    for (enum cpu_isa isa = CPU_BASELINE; wish && isa < best; isa++)
        if (strcasecmp(wish, isa_names[isa]) == 0)
            return isa;
    return best;
}

enum cpu_isa cpu_isa(void)
{
    return cpu_isa_lowered(best_isa(), getenv("GRADMILL_ISA"));
}

const char *cpu_isa_name(enum cpu_isa isa)
{
    return isa_names[isa];
}

static int processors(void)
{
    struct affinity mask;
    if (!affinity_init(&mask))
        return (int)sysconf(_SC_NPROCESSORS_ONLN);
    int count = affinity_count(&mask);
    affinity_release(&mask);
    return count;
}

int cpu_threads_within(int processors, double quota)
{
    double threads = fmin(processors, ceil(quota));
    return threads >= 1 ? (int)threads : 1;
}

int cpu_threads(void)
{
    return cpu_threads_within(processors(), cgroup_limits("").cpus);
}

struct times {
    double ran, waited;
    bool told;
};

static void add_times(void *context, long thread, char *text)
{
    struct times *sum = context;
    unsigned long long ran, waited;
    (void)thread;
    if (sscanf(text, "%llu %llu", &ran, &waited) != 2)
        return;
    sum->ran += 1e-9 * (double)ran;
    sum->waited += 1e-9 * (double)waited;
    sum->told = true;
}

bool cpu_times(double *ran, double *waited)
{
    struct times sum = {0};
    tasks_read("schedstat", add_times, &sum);
    *ran = sum.ran;
    *waited = sum.waited;
    return sum.told;
}

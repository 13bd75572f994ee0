/* What the processor offers and how much of it this process may use. */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <stdbool.h>

enum cpu_isa {
    CPU_BASELINE = 0, /* x86-64 with SSE2, or the baseline of another architecture */
    CPU_AVX2 = 1,     /* AVX2, FMA, BMI, F16C: Haswell, Zen and later */
    CPU_AVX512 = 2    /* AVX-512 F, BW, CD, DQ, VL: Skylake-X, Zen 4 and later */
};

/* The best instruction set of this processor that we have kernels for. GRADMILL_ISA=baseline|avx2|avx512 lowers it,
 * never raises it. */
enum cpu_isa cpu_isa(void);
const char *cpu_isa_name(enum cpu_isa isa);
/* The arithmetic of cpu_isa: `wish` is a name or NULL; unknown names and higher sets change nothing. */
enum cpu_isa cpu_isa_lowered(enum cpu_isa best, const char *wish);

/* Threads to use: the affinity mask's processors, at most the cgroup's CPU quota rounded up (v1 and v2, all ancestors);
 * at least 1. */
int cpu_threads(void);
/* The arithmetic of cpu_threads: quota in processors, INFINITY: none. */
int cpu_threads_within(int processors, double quota);

/* Seconds that the threads of this process have run, and have been ready to run and waited for a processor, added up.
 * False where the kernel does not tell. Source: Documentation/scheduler/sched-stats.rst. */
bool cpu_times(double *ran, double *waited);

#endif

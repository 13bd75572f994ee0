/*
 * How a file in a kernels/ folder names its functions: it is compiled once for each instruction set, and KERNEL(name)
 * is name_baseline, name_avx2 or name_avx512. KERNEL_DECLARE declares all of them for the file that picks one at run
 * time.
 */
#ifndef BASE_KERNEL_H
#define BASE_KERNEL_H

#define KERNEL_PASTE2(name, isa) name##_##isa
#define KERNEL_PASTE(name, isa)  KERNEL_PASTE2(name, isa)
#define KERNEL(name)             KERNEL_PASTE(name, KERNEL_ISA)

#if defined(__x86_64__)
#define KERNEL_DECLARE(result, name, ...) \
    result name##_baseline(__VA_ARGS__);  \
    result name##_avx2(__VA_ARGS__);      \
    result name##_avx512(__VA_ARGS__)
/* The function for an enum cpu_isa. */
#define KERNEL_PICK(name, isa) ((isa) == CPU_AVX512 ? name##_avx512 : (isa) == CPU_AVX2 ? name##_avx2 : name##_baseline)
#else
#define KERNEL_DECLARE(result, name, ...) result name##_baseline(__VA_ARGS__)
#define KERNEL_PICK(name, isa)            ((void)(isa), name##_baseline)
#endif

/* Bytes of a vector register. */
#if defined(KERNEL_ISA_avx512)
#define KERNEL_VECTOR 64
#elif defined(KERNEL_ISA_avx2)
#define KERNEL_VECTOR 32
#else
#define KERNEL_VECTOR 16
#endif

#endif

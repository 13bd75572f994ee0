/*
 * Finite test and column sums over a block that stays in the first-level cache; the loops are in scan_body.h.
 *
 * Vectors are spelled out: left to itself, gcc 12 keeps the sums of a strip in memory and gathers its columns.
 */
#include "data/kernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define WIDTH (KERNEL_VECTOR / 8) /* doubles of a vector */
typedef double vector_d __attribute__((vector_size(WIDTH * 8)));
typedef float vector_half __attribute__((vector_size(WIDTH * 4)));
typedef float vector_f __attribute__((vector_size(WIDTH * 8)));
typedef int64_t mask_d __attribute__((vector_size(WIDTH * 8)));
typedef int32_t mask_f __attribute__((vector_size(WIDTH * 8)));

/* a < b ? a : b and a > b ? a : b, element by element. */
#if defined(KERNEL_ISA_avx512)
#define LEAST_f(a, b) ((vector_f)_mm512_min_ps((__m512)(a), (__m512)(b)))
#define MOST_f(a, b)  ((vector_f)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define LEAST_d(a, b) ((vector_d)_mm512_min_pd((__m512d)(a), (__m512d)(b)))
#define MOST_d(a, b)  ((vector_d)_mm512_max_pd((__m512d)(a), (__m512d)(b)))
#elif defined(KERNEL_ISA_avx2)
#define LEAST_f(a, b) ((vector_f)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define MOST_f(a, b)  ((vector_f)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define LEAST_d(a, b) ((vector_d)_mm256_min_pd((__m256d)(a), (__m256d)(b)))
#define MOST_d(a, b)  ((vector_d)_mm256_max_pd((__m256d)(a), (__m256d)(b)))
#elif defined(__x86_64__)
#define LEAST_f(a, b) ((vector_f)_mm_min_ps((__m128)(a), (__m128)(b)))
#define MOST_f(a, b)  ((vector_f)_mm_max_ps((__m128)(a), (__m128)(b)))
#define LEAST_d(a, b) ((vector_d)_mm_min_pd((__m128d)(a), (__m128d)(b)))
#define MOST_d(a, b)  ((vector_d)_mm_max_pd((__m128d)(a), (__m128d)(b)))
#else
#define CHOOSE(mask, a, b, m, v) ((v)(((m)(a) & (mask)) | ((m)(b) & ~(mask))))
#define LEAST_f(a, b)            CHOOSE((a) < (b), a, b, mask_f, vector_f)
#define MOST_f(a, b)             CHOOSE((a) > (b), a, b, mask_f, vector_f)
#define LEAST_d(a, b)            CHOOSE((a) < (b), a, b, mask_d, vector_d)
#define MOST_d(a, b)             CHOOSE((a) > (b), a, b, mask_d, vector_d)
#endif

/* WIDTH floats at x to doubles. gcc 12 does it in halves when not told. */
#if defined(KERNEL_ISA_avx512)
#define WIDEN_f(x) ((vector_d)_mm512_cvtps_pd(_mm256_loadu_ps(x)))
#elif defined(KERNEL_ISA_avx2)
#define WIDEN_f(x) ((vector_d)_mm256_cvtps_pd(_mm_loadu_ps(x)))
#elif defined(__x86_64__)
#define WIDEN_f(x) ((vector_d)_mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)(x)))))
#else
static inline vector_d WIDEN_f(const float *x)
{
    vector_half half;
    memcpy(&half, x, sizeof half);
    return __builtin_convertvector(half, vector_d);
}
#endif

static inline __attribute__((always_inline)) vector_d widen_d(const double *x)
{
    vector_d value;
    memcpy(&value, x, sizeof value);
    return value;
}

#define REAL        float
#define BITS        uint32_t
#define EXPONENT    0x7f800000u
#define NAME(fn)    KERNEL(fn##_f32)
#define LOCAL(fn)   fn##_f32
#define VECTOR      vector_f
#define LEAST(a, b) LEAST_f(a, b)
#define MOST(a, b)  MOST_f(a, b)
#define WIDEN(x)    WIDEN_f(x)
#include "data/kernels/scan_body.h"
#undef REAL
#undef BITS
#undef EXPONENT
#undef NAME
#undef LOCAL
#undef VECTOR
#undef LEAST
#undef MOST
#undef WIDEN

#define REAL        double
#define BITS        uint64_t
#define EXPONENT    0x7ff0000000000000u
#define NAME(fn)    KERNEL(fn##_f64)
#define LOCAL(fn)   fn##_f64
#define VECTOR      vector_d
#define LEAST(a, b) LEAST_d(a, b)
#define MOST(a, b)  MOST_d(a, b)
#define WIDEN(x)    widen_d(x)
#include "data/kernels/scan_body.h"

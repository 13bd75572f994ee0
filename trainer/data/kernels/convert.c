/* Stored values to float and double. C's conversions round to nearest even, which is what we promise. */
#include "data/kernels.h"

#include <string.h>

#if defined(KERNEL_ISA_avx2) || defined(KERNEL_ISA_avx512)
#include <immintrin.h>
#define HAS_F16C 1
#endif

#define ANY_ALIGNMENT __attribute__((aligned(1), may_alias))
typedef uint8_t any_u8 ANY_ALIGNMENT;
typedef int8_t any_i8 ANY_ALIGNMENT;
typedef uint16_t any_u16 ANY_ALIGNMENT;
typedef int16_t any_i16 ANY_ALIGNMENT;
typedef uint32_t any_u32 ANY_ALIGNMENT;
typedef int32_t any_i32 ANY_ALIGNMENT;
typedef uint64_t any_u64 ANY_ALIGNMENT;
typedef int64_t any_i64 ANY_ALIGNMENT;
typedef float any_f32 ANY_ALIGNMENT;
typedef double any_f64 ANY_ALIGNMENT;

static inline float from_bits(uint32_t bits)
{
    union {
        uint32_t bits;
        float value;
    } both = {.bits = bits};
    return both.value;
}

/* binary16: exponent and mantissa moved to where binary32 has them, then scaled by the difference of the biases, 2^112,
 * which is exact and makes subnormals normal. The exponent of Inf and NaN is set by hand. */
static inline float from_f16(uint16_t half)
{
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    float scaled = from_bits(magnitude) * 0x1p112f;
    union {
        float value;
        uint32_t bits;
    } finite = {.value = scaled};
    uint32_t bits = (half & 0x7c00) == 0x7c00 ? magnitude | 0x7f800000u : finite.bits;
    return from_bits(bits | sign);
}

#ifndef HAS_F16C
typedef uint16_t half4 __attribute__((vector_size(8)));
typedef uint32_t bits4 __attribute__((vector_size(16)));
typedef float float4 __attribute__((vector_size(16)));

/* from_f16 of four: every processor has vectors of 16 bytes, or the compiler takes them apart. */
static inline float4 four_halves(const any_u16 *from)
{
    half4 halves;
    memcpy(&halves, from, sizeof halves);
    const bits4 wide = __builtin_convertvector(halves, bits4), magnitude = (wide & 0x7fff) << 13;
    const float4 scaled = (float4)magnitude * 0x1p112f;
    const bits4 special = (bits4)((wide & 0x7c00) == 0x7c00);
    const bits4 bits = ((magnitude | 0x7f800000u) & special) | ((bits4)scaled & ~special);
    return (float4)(bits | (wide & 0x8000) << 16);
}
#endif

/* The processor's own conversion gives the same values; left to itself gcc 12 does not find it, nor vectors for
 * from_f16. */
static void halves_f32(const any_u16 *from, size_t n, float *to)
{
    size_t i = 0;
#ifndef HAS_F16C
    for (; i + 4 <= n; i += 4) {
        const float4 four = four_halves(from + i);
        memcpy(to + i, &four, sizeof four);
    }
#endif
    for (; i < n; i++)
        to[i] = from_f16(from[i]);
}

static void halves_f64(const any_u16 *from, size_t n, double *to)
{
    size_t i = 0;
#ifdef HAS_F16C
    for (; i + 8 <= n; i += 8) {
        __m256 eight = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(from + i)));
        _mm256_storeu_pd(to + i, _mm256_cvtps_pd(_mm256_castps256_ps128(eight)));
        _mm256_storeu_pd(to + i + 4, _mm256_cvtps_pd(_mm256_extractf128_ps(eight, 1)));
    }
#else
    for (; i + 4 <= n; i += 4) {
        const float4 four = four_halves(from + i);
        for (size_t k = 0; k < 4; k++)
            to[i + k] = (double)four[k];
    }
#endif
    for (; i < n; i++)
        to[i] = (double)from_f16(from[i]);
}

static inline float from_bf16(uint16_t half)
{
    return from_bits((uint32_t)half << 16);
}

#define LOOP(type, expression)         \
    do {                               \
        const type *values = from;     \
        for (size_t i = 0; i < n; i++) \
            to[i] = (expression);      \
    } while (0)

#define CASES(real, halves)                        \
    switch (type) {                                \
    case DATA_U8:                                  \
        LOOP(any_u8, (real)values[i]);             \
        break;                                     \
    case DATA_I8:                                  \
        LOOP(any_i8, (real)values[i]);             \
        break;                                     \
    case DATA_U16:                                 \
        LOOP(any_u16, (real)values[i]);            \
        break;                                     \
    case DATA_I16:                                 \
        LOOP(any_i16, (real)values[i]);            \
        break;                                     \
    case DATA_U32:                                 \
        LOOP(any_u32, (real)values[i]);            \
        break;                                     \
    case DATA_I32:                                 \
        LOOP(any_i32, (real)values[i]);            \
        break;                                     \
    case DATA_U64:                                 \
        LOOP(any_u64, (real)values[i]);            \
        break;                                     \
    case DATA_I64:                                 \
        LOOP(any_i64, (real)values[i]);            \
        break;                                     \
    case DATA_F16:                                 \
        halves(from, n, to);                       \
        break;                                     \
    case DATA_BF16:                                \
        LOOP(any_u16, (real)from_bf16(values[i])); \
        break;                                     \
    case DATA_F32:                                 \
        LOOP(any_f32, (real)values[i]);            \
        break;                                     \
    case DATA_F64:                                 \
        LOOP(any_f64, (real)values[i]);            \
        break;                                     \
    }

/* Integers of one and two bytes and halves to float, a line of the cache after the other, a later one fetched
 * meanwhile: the processor's own prefetching ends at each page, and converting keeps it from looking far ahead itself.
 * gcc 12 goes from 8 to 16 to 32 bits, in twice the steps. */
#ifdef HAS_F16C
#define EIGHT(load, widen, p) _mm256_cvtepi32_ps(widen(load((const __m128i *)(const void *)(p))))
#define SMALL(type, eight, one)                                      \
    do {                                                             \
        const type *values = from;                                   \
        for (; i + 64 / sizeof(type) <= n; i += 64 / sizeof(type)) { \
            __builtin_prefetch((const char *)(values + i) + ahead);  \
            for (size_t k = i; k < i + 64 / sizeof(type); k += 8)    \
                _mm256_storeu_ps(to + k, eight(values + k));         \
        }                                                            \
        for (; i + 8 <= n; i += 8)                                   \
            _mm256_storeu_ps(to + i, eight(values + i));             \
        for (; i < n; i++)                                           \
            to[i] = one(values[i]);                                  \
        return true;                                                 \
    } while (0)
#define EIGHT_U8(p)  EIGHT(_mm_loadl_epi64, _mm256_cvtepu8_epi32, p)
#define EIGHT_I8(p)  EIGHT(_mm_loadl_epi64, _mm256_cvtepi8_epi32, p)
#define EIGHT_U16(p) EIGHT(_mm_loadu_si128, _mm256_cvtepu16_epi32, p)
#define EIGHT_I16(p) EIGHT(_mm_loadu_si128, _mm256_cvtepi16_epi32, p)
#define EIGHT_F16(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p)))
static bool small_f32(enum data_type type, const void *from, size_t n, float *to, size_t ahead)
{
    size_t i = 0;
    switch (type) {
    case DATA_U8:
        SMALL(any_u8, EIGHT_U8, (float));
    case DATA_I8:
        SMALL(any_i8, EIGHT_I8, (float));
    case DATA_U16:
        SMALL(any_u16, EIGHT_U16, (float));
    case DATA_I16:
        SMALL(any_i16, EIGHT_I16, (float));
    case DATA_F16:
        SMALL(any_u16, EIGHT_F16, from_f16);
    default:
        return false;
    }
}
#else
static bool small_f32(enum data_type type, const void *from, size_t n, float *to, size_t ahead)
{
    (void)type, (void)from, (void)n, (void)to, (void)ahead;
    return false;
}
#endif

void KERNEL(convert_f32)(enum data_type type, const void *from, size_t n, float *to, size_t ahead)
{
    if (small_f32(type, from, n, to, ahead))
        return;
    CASES(float, halves_f32)
}

void KERNEL(convert_f64)(enum data_type type, const void *from, size_t n, double *to)
{
    CASES(double, halves_f64)
}

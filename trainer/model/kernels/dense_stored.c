/*
 * The dense kernels for rows that stay as they are stored and become floats in registers: the same sums in the same
 * order as over converted rows, so the same bits, for a half or a quarter of the bytes. Only where the instruction set
 * converts whole vectors; elsewhere the rows are converted first.
 */
#include "model/dense.h"

#if defined(KERNEL_ISA_avx2) || defined(KERNEL_ISA_avx512)
#include "model/kernels/dense_parts.h"

#if defined(KERNEL_ISA_avx512)
#define READ_U8(p)  _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(p))))
#define READ_I16(p) _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(p))))
#define READ_F16(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p)))
#else
#define READ_U8(p)  _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p))))
#define READ_I16(p) _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(p))))
#define READ_F16(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p)))
#endif

#define REAL       float
#define REAL_BYTES 4
#define MASK       int32_t
#define BLOCK      struct dense_f32

#define STORED       uint8_t
#define STORED_BYTES 1
#define READ         READ_U8
#define NAME(part)   KERNEL(dense_##part##_u8)
#define LOCAL(part)  part##_u8
#include "model/kernels/dense_body.h"
#undef STORED
#undef STORED_BYTES
#undef READ
#undef NAME
#undef LOCAL

#define STORED       int16_t
#define STORED_BYTES 2
#define READ         READ_I16
#define NAME(part)   KERNEL(dense_##part##_i16)
#define LOCAL(part)  part##_i16
#include "model/kernels/dense_body.h"
#undef STORED
#undef READ
#undef NAME
#undef LOCAL

#define STORED      uint16_t
#define READ        READ_F16
#define NAME(part)  KERNEL(dense_##part##_f16)
#define LOCAL(part) part##_f16
#include "model/kernels/dense_body.h"

#endif

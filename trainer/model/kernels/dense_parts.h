/* What dense_body.h needs of the instruction set, and the repetitions of a tile. */
#ifndef MODEL_KERNELS_DENSE_PARTS_H
#define MODEL_KERNELS_DENSE_PARTS_H

#include <stdint.h>
#include <string.h>

#include "base/kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* The halves of a vector of floats as vectors of doubles. gcc 12 does it two at a time when not told. */
typedef double doubles __attribute__((vector_size(KERNEL_VECTOR)));
#if defined(KERNEL_ISA_avx512)
#define WIDEN_LOW(v)  ((doubles)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)(v))))
#define WIDEN_HIGH(v) ((doubles)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)(v), 1)))
#elif defined(KERNEL_ISA_avx2)
#define WIDEN_LOW(v)  ((doubles)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)(v))))
#define WIDEN_HIGH(v) ((doubles)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)(v), 1)))
#elif defined(__x86_64__)
#define WIDEN_LOW(v)  ((doubles)_mm_cvtps_pd((__m128)(v)))
#define WIDEN_HIGH(v) ((doubles)_mm_cvtps_pd(_mm_movehl_ps((__m128)(v), (__m128)(v))))
#else
#define WIDEN_LOW(v)  __builtin_convertvector(__builtin_shufflevector(v, v, 0, 1), doubles)
#define WIDEN_HIGH(v) __builtin_convertvector(__builtin_shufflevector(v, v, 2, 3), doubles)
#endif

/* M(k, v) for each output k and each vector (or row) v of a tile. */
#define VECS_1(M, k) M(k, 0)
#define VECS_2(M, k) VECS_1(M, k) M(k, 1)
#define VECS_4(M, k) VECS_2(M, k) M(k, 2) M(k, 3)
#define VECS_8(M, k) VECS_4(M, k) M(k, 4) M(k, 5) M(k, 6) M(k, 7)
#define OUTS_1(V, M) V(M, 0)
#define OUTS_2(V, M) OUTS_1(V, M) V(M, 1)
#define OUTS_3(V, M) OUTS_2(V, M) V(M, 2)
#define OUTS_4(V, M) OUTS_3(V, M) V(M, 3)

#define DECLARE(k, v) VEC s##k##v = {0};

#endif

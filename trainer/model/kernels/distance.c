/* The distance kernels of model/distance.h: a row against four centres at a time, each with sums of its own. */
#include "model/distance.h"

#include "base/kernel.h"

#define CENTRES(M) M(0) M(1) M(2) M(3)

#define DISTANCE(NAME, REAL, BYTES)                                                                      \
    typedef REAL NAME##_vec __attribute__((vector_size(KERNEL_VECTOR), aligned(BYTES), may_alias));      \
    static inline double NAME##_total(NAME##_vec v)                                                      \
    {                                                                                                    \
        double sum = 0;                                                                                  \
        for (size_t l = 0; l < KERNEL_VECTOR / (BYTES); l++)                                             \
            sum += (double)v[l];                                                                         \
        return sum;                                                                                      \
    }                                                                                                    \
    void KERNEL(NAME)(const struct distance_block *b, double *out);                                      \
    void KERNEL(NAME)(const struct distance_block *b, double *out)                                       \
    {                                                                                                    \
        const REAL *z = b->z;                                                                            \
        for (size_t i = 0; i < b->rows; i++, z += b->stride, out += b->count)                            \
            for (size_t k = 0; k < b->count; k += 4) {                                                   \
                const size_t left = b->count - k; /* at the end a centre repeats, its sums are unused */ \
                const REAL *c = (const REAL *)b->centres + k * b->stride;                                \
                CENTRES(DECLARE)                                                                         \
                for (size_t j = 0; j < b->stride; j += KERNEL_VECTOR / (BYTES)) {                        \
                    const NAME##_vec x = *(const NAME##_vec *)(z + j);                                   \
                    CENTRES(ADD)                                                                         \
                }                                                                                        \
                CENTRES(STORE)                                                                           \
            }                                                                                            \
    }

#define DECLARE(n)  \
    vec s##n = {0}; \
    const size_t at##n = ((size_t)(n) < left ? (size_t)(n) : left - 1) * b->stride;
#define ADD(n)                                           \
    {                                                    \
        const vec d = x - *(const vec *)(c + at##n + j); \
        s##n += d * d;                                   \
    }
#define STORE(n)            \
    if ((size_t)(n) < left) \
        out[k + (n)] = total(s##n);

#define vec   distance_f32_vec
#define total distance_f32_total
DISTANCE(distance_f32, float, 4)
#undef vec
#undef total
#define vec   distance_f64_vec
#define total distance_f64_total
DISTANCE(distance_f64, double, 8)

/*
 * The kernels of model/activation.h, for float and double; see activation_body.h.
 *
 * double takes its functions from gradmill/loss_math.h; here are their float counterparts, made the same way: argument
 * reduction by ln2 in two parts, polynomials interpolated at Chebyshev nodes in 60-digit arithmetic.
 */
#include <stdint.h>
#include <string.h>

#include <gradmill/loss_math.h>

#include "base/kernel.h"
#include "model/activation.h"
#include "model/panel.h"

#define INLINE static inline __attribute__((always_inline))

INLINE float copysign_f32(float size, float sign)
{
    return __builtin_copysignf(size, sign);
}

/* x = n ln2 + r with |r| <= 0.347, for -87 <= x <= 0: e^x = (1 + r + rest) * scale. */
struct exp_f32 {
    float r, rest, scale;
};

INLINE struct exp_f32 exp_split_f32(float x)
{
    const float shift = 0x1.8p23f + 127;
    float shifted = x * 0x1.715476p+0f + shift, n = shifted - shift;
    float r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f, r2 = r * r;
    float low = 0x1.0p-1f + 0x1.555556p-3f * r, high = 0x1.1110e0p-7f + 0x1.6d4920p-10f * r + 0x1.a12a42p-13f * r2;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits <<= 23;
    struct exp_f32 e = {.r = r, .rest = r2 * (low + r2 * (0x1.5554e4p-5f + r * high))};
    memcpy(&e.scale, &bits, sizeof bits);
    return e;
}

/* e^x for x <= 0. Error < 2 ulp; 0 below -87. */
INLINE float exp_f32(float x)
{
    struct exp_f32 e = exp_split_f32(x);
    return x < -87 ? 0 : ((1 + e.r) + e.rest) * e.scale;
}

/* e^x - 1 for x <= 0. Error < 3 ulp. */
INLINE float expm1_f32(float x)
{
    struct exp_f32 e = exp_split_f32(x);
    return x < -20 ? -1 : e.scale * (e.r + e.rest) + (e.scale - 1);
}

INLINE double exp_f64(double x)
{
    return gm_exp(x);
}

INLINE double expm1_f64(double x)
{
    return gm_expm1(x);
}

INLINE double copysign_f64(double size, double sign)
{
    return gm_copysign(size, sign);
}

/* Phi(-a) e^(a^2 / 2) for a >= 0 as a polynomial in t = 1 / (1 + 0.3 a); weighted by e^(-a^2 / 2), its error is 4e-9 in
 * float, 5e-17 in double. Beyond a = 6 and 8.75 it does not matter. */
INLINE float tail_f32(float a)
{
    float t = 1 / (1 + 0.3f * (a > 6 ? 6 : a)), t2 = t * t;
    float low = (-0x1.e1385ap-13f + 0x1.f6f6ccp-4f * t) + t2 * (0x1.a23956p-4f + 0x1.4a20fap-3f * t);
    float high =
        (0x1.7a170cp-8f + 0x1.996082p-4f * t) + t2 * ((0x1.6cfc14p-4f - 0x1.b7611cp-4f * t) + t2 * 0x1.b38670p-6f);
    return low + t2 * t2 * high;
}

INLINE double tail_f64(double a)
{
    static const double c[] = {
        -0x1.3b3d9aa53f668p-24, 0x1.ea3b0b3d3562ap-4,  0x1.ea0e0630971ddp-4,  0x1.bfb88f3f9dc3fp-4,
        0x1.5b00f10ade237p-4,   0x1.21e605aeb642ap-4,  -0x1.3bc132b790ccap-6, 0x1.f16fc4e934baap-4,
        -0x1.f229ae5a1e9adp-3,  0x1.0c88d77b832c9p-2,  -0x1.783d5c149ecd3p-4, -0x1.a82d2ae622fcep-2,
        0x1.097a9f5660020p+0,   -0x1.470444c90553ep+0, 0x1.faef2aed7dd61p-1,  -0x1.03c62d636ff44p-1,
        0x1.59a72996a5a6ep-3,   -0x1.10f3e25baead2p-5, 0x1.87026beafaa5ap-9};
    double t = 1 / (1 + 0.3 * (a > 8.75 ? 8.75 : a)), y = c[18];
    for (int i = 17; i >= 0; i--)
        y = y * t + c[i];
    return y;
}

#define REAL        float
#define REAL_BYTES  4
#define NAME(part)  KERNEL(activation_##part##_f32)
#define LOCAL(part) part##_f32
#include "model/kernels/activation_body.h"
#undef REAL
#undef REAL_BYTES
#undef NAME
#undef LOCAL

#define REAL        double
#define REAL_BYTES  8
#define NAME(part)  KERNEL(activation_##part##_f64)
#define LOCAL(part) part##_f64
#include "model/kernels/activation_body.h"

/* Conversions of every value, on every instruction set this machine has: the scalar C conversion and, for the 16-bit
 * formats, their definition in exact arithmetic are the reference. */
#include "support.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "data/convert.h"
#include "data/kernels.h"

enum { N = 4099 }; /* odd, so that every loop has a tail */

static const enum data_type all_types[] = {DATA_U8,  DATA_I8,  DATA_U16, DATA_I16,  DATA_U32, DATA_I32,
                                           DATA_U64, DATA_I64, DATA_F16, DATA_BF16, DATA_F32, DATA_F64};

static uint64_t noise(uint64_t i)
{
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u; /* SplitMix64, Steele et al. 2014 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* IEEE 754 binary16 and bfloat16 by their definition: (-1)^s 2^(e - bias) (1 + m / 2^p), exact in double. */
static double half_value(uint16_t bits, int exponent_bits)
{
    int p = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
    int exponent = bits >> p & ((1 << exponent_bits) - 1), mantissa = bits & ((1 << p) - 1);
    double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == (1 << exponent_bits) - 1)
        return mantissa ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1 + ldexp(mantissa, -p), exponent - bias) : ldexp(mantissa, 1 - bias - p));
}

/* One value, in its type, and what it is worth. */
#define TAKE(c_type)                      \
    do {                                  \
        c_type value;                     \
        memcpy(&value, at, sizeof value); \
        *as_double = (double)value;       \
        *as_float = (float)value;         \
    } while (0)

static void reference(enum data_type type, const void *at, double *as_double, float *as_float)
{
    uint16_t half;
    memcpy(&half, at, 1);
    switch (type) {
    case DATA_U8:
        TAKE(uint8_t);
        break;
    case DATA_I8:
        TAKE(int8_t);
        break;
    case DATA_U16:
        TAKE(uint16_t);
        break;
    case DATA_I16:
        TAKE(int16_t);
        break;
    case DATA_U32:
        TAKE(uint32_t);
        break;
    case DATA_I32:
        TAKE(int32_t);
        break;
    case DATA_U64:
        TAKE(uint64_t);
        break;
    case DATA_I64:
        TAKE(int64_t);
        break;
    case DATA_F32:
        TAKE(float);
        break;
    case DATA_F64:
        TAKE(double);
        break;
    case DATA_F16:
    case DATA_BF16:
        memcpy(&half, at, 2);
        *as_double = half_value(half, type == DATA_F16 ? 5 : 8);
        *as_float = (float)*as_double;
        break;
    }
}

static bool same_double(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static bool same_float(float a, float b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static void check(enum data_type type, const void *from, size_t n)
{
    float *f = malloc(n * sizeof *f);
    double *d = malloc(n * sizeof *d);
    size_t size = data_type_size(type), wrong = 0;
    for (enum cpu_isa isa = CPU_BASELINE; isa <= cpu_isa(); isa++) {
        KERNEL_PICK(convert_f32, isa)(type, from, n, f, n % 2 ? CONVERT_AHEAD : 0);
        KERNEL_PICK(convert_f64, isa)(type, from, n, d);
        for (size_t i = 0; i < n; i++) {
            double as_double = 0;
            float as_float = 0;
            reference(type, (const char *)from + i * size, &as_double, &as_float);
            wrong += !same_double(d[i], as_double) || !same_float(f[i], as_float);
        }
    }
    if (wrong)
        printf("\n    %s: %zu values differ", data_type_name(type), wrong);
    CU_ASSERT_EQUAL(wrong, 0);
    free(f);
    free(d);
}

static void every_value_of_the_small_types_is_converted(void)
{
    static const enum data_type small[] = {DATA_U8, DATA_I8, DATA_U16, DATA_I16, DATA_F16, DATA_BF16};
    uint16_t *values = malloc(65536 * sizeof *values);
    unsigned char bytes[256];
    for (size_t i = 0; i < 65536; i++)
        values[i] = (uint16_t)i;
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (unsigned char)i;
    for (size_t t = 0; t < sizeof small / sizeof *small; t++)
        check(small[t], t < 2 ? (void *)bytes : (void *)values, t < 2 ? 256 : 65536);
    free(values);
}

/* Random bit patterns, and the neighbourhoods of powers of two where rounding is decided. */
static void wide_types_round_to_nearest_even(void)
{
    uint64_t *values = malloc(N * sizeof *values);
    for (size_t i = 0; i < N; i++) {
        uint64_t edge = ((uint64_t)1 << (i % 64)) + noise(i) % 5 - 2;
        values[i] = i % 3 ? noise(i) >> (i % 61) : i % 2 ? edge : edge | (uint64_t)1 << 63;
    }
    static const enum data_type wide[] = {DATA_U64, DATA_I64, DATA_F64, DATA_U32, DATA_I32, DATA_F32};
    for (size_t t = 0; t < sizeof wide / sizeof *wide; t++)
        check(wide[t], values, N);
    free(values);
    const uint64_t ties[] = {((uint64_t)1 << 53) + 1, ((uint64_t)1 << 53) + 3, ((uint64_t)1 << 24) + 1, UINT64_MAX};
    const double as_double[] = {9007199254740992.0, 9007199254740996.0, 16777217.0, 18446744073709551616.0};
    const float as_float[] = {9007199254740992.0f, 9007199254740992.0f, 16777216.0f, 18446744073709551616.0f};
    double d[4];
    float f[4];
    convert_to_f64(DATA_U64, ties, 4, d);
    convert_to_f32(DATA_U64, ties, 4, f);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT(d[i] == as_double[i] && f[i] == as_float[i]);
}

static void published_halves_have_their_values(void)
{
    /* Wikipedia, "Half-precision floating-point format", examples: smallest subnormal, largest subnormal, smallest
     * normal, largest normal, one third, one */
    static const uint16_t bits[] = {0x0001, 0x03ff, 0x0400, 0x7bff, 0x3555, 0x3c00};
    static const float values[] = {0x1p-24f, 0x1.ff8p-15f, 0x1p-14f, 65504.0f, 0.33325195f, 1.0f};
    float f[6];
    convert_to_f32(DATA_F16, bits, 6, f);
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(f[i], values[i]);
}

static void any_alignment_will_do(void)
{
    unsigned char *bytes = malloc(N * 8 + 16);
    for (size_t i = 0; i < N * 8 + 16; i++)
        bytes[i] = (unsigned char)noise(i);
    for (size_t t = 0; t < sizeof all_types / sizeof *all_types; t++)
        for (size_t shift = 1; shift < 8; shift += 2)
            check(all_types[t], bytes + shift, 200 + shift);
    free(bytes);
}

static void sizes_and_names_belong_together(void)
{
    static const size_t sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8};
    for (size_t t = 0; t < sizeof all_types / sizeof *all_types; t++)
        CU_ASSERT_EQUAL(data_type_size(all_types[t]), sizes[t]);
    CU_ASSERT_STRING_EQUAL(data_type_name(DATA_BF16), "bfloat16");
    CU_ASSERT_STRING_EQUAL(data_type_name(DATA_U8), "uint8");
}

TEST_MAIN("conversion", TEST(every_value_of_the_small_types_is_converted), TEST(wide_types_round_to_nearest_even),
          TEST(published_halves_have_their_values), TEST(any_alignment_will_do), TEST(sizes_and_names_belong_together))

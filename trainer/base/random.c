/* Counter-based random numbers: Philox4x32-10 from Random123. */
#include "base/random.h"

#include <math.h>

#include <Random123/philox.h>

void random_bits(struct random_key key, uint64_t index, uint32_t out[4])
{
    philox4x32_ctr_t counter = {{(uint32_t)index, (uint32_t)(index >> 32), key.purpose, key.epoch}};
    philox4x32_key_t k = {{(uint32_t)key.seed, (uint32_t)(key.seed >> 32)}};
    philox4x32_ctr_t bits = philox4x32(counter, k);
    for (int i = 0; i < 4; i++)
        out[i] = bits.v[i];
}

/* The upper 53 of 64 bits as a number in [0, 1). */
static double unit(uint32_t low, uint32_t high)
{
    return (double)(((uint64_t)high << 32 | low) >> 11) * 0x1p-53;
}

double random_uniform(struct random_key key, uint64_t index)
{
    uint32_t bits[4];
    random_bits(key, index, bits);
    return unit(bits[0], bits[1]);
}

double random_normal(struct random_key key, uint64_t index)
{
    uint32_t bits[4];
    random_bits(key, index, bits);
    double radius = sqrt(-2.0 * log(1.0 - unit(bits[0], bits[1])));
    return radius * cos(6.283185307179586476925 * unit(bits[2], bits[3]));
}

uint64_t random_below(struct random_key key, uint64_t index, uint64_t n)
{
    uint32_t bits[4];
    random_bits(key, index, bits);
    uint64_t value = (uint64_t)bits[1] << 32 | bits[0];
    return (uint64_t)(((unsigned __int128)value * n) >> 64);
}

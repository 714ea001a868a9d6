/* A small seeded random source: xoshiro256** (Blackman and Vigna, 2018), its state filled by splitmix64. */
#include "conferocore/base.h"

static uint64_t rotl(uint64_t x, int k) {
    return x << k | x >> (64 - k);
}

/* splitmix64: turns any seed, even 0, into words without a pattern, so the state is never all zero. */
static uint64_t splitmix(uint64_t *x) {
    uint64_t z = *x += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void cf_rng_seed(cf_rng *rng, uint64_t seed) {
    for (int i = 0; i < 4; i++)
        rng->s[i] = splitmix(&seed);
}

uint64_t cf_rng_next(cf_rng *rng) {
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint32_t cf_rng_u32(cf_rng *rng) {
    return (uint32_t)(cf_rng_next(rng) >> 32);
}

/* The upper 53 bits: exactly what a double's mantissa holds, so 1.0 cannot come out by rounding. */
double cf_rng_unit(cf_rng *rng) {
    return (double)(cf_rng_next(rng) >> 11) * 0x1p-53;
}

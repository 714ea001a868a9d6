/* Gain, sums, levels and narrowing, as plain C. */
#include "portable.h"

#include "audio/round.h"

enum { GAIN_BITS = 14 };
_Static_assert(CF_GAIN_ONE == 1 << GAIN_BITS, "gains are Q14");
_Static_assert((32768ULL * CF_GAIN_MAX + (1 << (GAIN_BITS - 1))) >> 32 == 0, "a product and its rounding fit 32 bits");

void cf_add_c(int32_t *sum, const int32_t *own, size_t n) {
    for (size_t i = 0; i < n; i++)
        sum[i] += own[i];
}

void cf_minus_c(int32_t *out, const int32_t *sum, const int32_t *own, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = sum[i] - own[i];
}

void cf_widen_c(int32_t *out, const int16_t *in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = in[i];
}

void cf_gain_c(int32_t *out, const int16_t *in, size_t n, uint32_t gain) {
    for (size_t i = 0; i < n; i++) {
        uint32_t size = (uint32_t)(in[i] < 0 ? -in[i] : in[i]);
        int32_t scaled = (int32_t)((size * gain + (1U << (GAIN_BITS - 1))) >> GAIN_BITS);
        out[i] = in[i] < 0 ? -scaled : scaled;
    }
}

void cf_ramp_c(int32_t *out, const int16_t *in, size_t n, double start, double step, double unit) {
    for (int32_t i = 0; i < (int32_t)n; i++) /* 32 bits: SSE2 turns no others into doubles */
        out[i] = cf_round(in[i] * (start + step * (i + 1)) / unit);
}

void cf_add_ramp_c(int32_t *sum, const int32_t *own, size_t n, double start, double step, double unit) {
    for (int32_t i = 0; i < (int32_t)n; i++)
        sum[i] += cf_round(own[i] * (start + step * (i + 1)) / unit);
}

uint64_t cf_energy_c(const int16_t *in, size_t n) {
    uint64_t energy = 0;
    for (size_t i = 0; i < n; i++)
        energy += (uint64_t)((int32_t)in[i] * in[i]);
    return energy;
}

bool cf_silent_c(const int16_t *in, size_t n) {
    int any = 0;
    for (size_t i = 0; i < n; i++)
        any |= in[i];
    return !any;
}

bool cf_narrow_c(int16_t *out, const int32_t *in, size_t n) {
    int loud = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t x = in[i];
        loud |= (x > CF_LIMIT_CEILING) | (x < -CF_LIMIT_CEILING);
        out[i] = (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
    }
    return loud;
}

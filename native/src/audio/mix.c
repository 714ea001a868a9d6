/* Gain, exact sums and levels, by the kernels that were chosen for this machine. */
#include "conferocore/mixer.h"

#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { LEVEL_MAX = 127 };

void cf_mix_gain(int32_t *out, const int16_t *in, size_t n, int32_t from, int32_t to) {
    if (from != to) {
        /* All of this is exact in doubles up to the division: |in * (from * n + (to - from) * i)| is under 2^53 for any
         * frame under 2^20 samples. */
        double unit = (double)CF_GAIN_ONE * (double)n;
        cf_kernels_now->ramp(out, in, n, (double)from * (double)n, (double)to - from, unit);
    } else if (to == CF_GAIN_ONE) {
        cf_kernels_now->widen(out, in, n);
    } else {
        cf_kernels_now->gain(out, in, n, (uint32_t)to);
    }
}

void cf_mix_add(int32_t *sum, const int32_t *own, size_t n) {
    cf_kernels_now->add(sum, own, n);
}

void cf_mix_add_gain(int32_t *sum, const int32_t *own, size_t n, int32_t from, int32_t to) {
    double unit = (double)CF_GAIN_ONE * (double)n;
    if (from || to)
        cf_kernels_now->add_ramp(sum, own, n, (double)from * (double)n, (double)to - from, unit);
}

void cf_mix_minus(int32_t *out, const int32_t *sum, const int32_t *own, size_t n) {
    cf_kernels_now->minus(out, sum, own, n);
}

void cf_mix_narrow(int16_t *out, const int32_t *in, size_t n) {
    cf_kernels_now->narrow(out, in, n);
}

/* A level is found by the upper bits of the mean square, a sixteenth of an octave at a time: less than 1 dB, so that
 * one comparison decides. No logarithm in the tick. */
enum { STEPS = 16, STEP_SHIFT = 48, EXPONENT_BIAS = 1023, OCTAVES_BELOW = 13, OCTAVES = OCTAVES_BELOW + 31 };
static double faintest[LEVEL_MAX]; /* the mean square up to which a frame is not louder than half-way to the next */
static uint8_t level_of[OCTAVES * STEPS]; /* of the faintest that has these bits */

static int64_t upper_bits(double square) {
    int64_t bits;
    memcpy(&bits, &square, sizeof bits);
    return (bits >> STEP_SHIFT) - (EXPONENT_BIAS - OCTAVES_BELOW) * STEPS;
}

/* Before main and before any thread: only read afterwards. */
__attribute__((constructor)) static void fill_levels(void) {
    for (int level = 0; level < LEVEL_MAX; level++)
        faintest[level] = 32768.0 * 32768.0 * pow(10, -(level + 0.5) / 10);
    for (int i = 0; i < OCTAVES * STEPS; i++) {
        double square = ldexp(1 + i % STEPS / (double)STEPS, i / STEPS - OCTAVES_BELOW);
        while (level_of[i] < LEVEL_MAX && square <= faintest[level_of[i]])
            level_of[i]++;
    }
}

uint8_t cf_level(const int16_t *pcm, size_t n) {
    double square = (double)cf_kernels_now->energy(pcm, n) / (double)n;
    int64_t at = upper_bits(square);
    if (at < 0) /* under level 126; also digital silence */
        return LEVEL_MAX;
    uint8_t level = level_of[at];
    return level > 0 && square > faintest[level - 1] ? level - 1 : level;
}

bool cf_silent(const int16_t *pcm, size_t n) {
    return cf_kernels_now->silent(pcm, n);
}

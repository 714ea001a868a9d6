/* Gain, exact sums and levels, by the kernels that were chosen for this machine. */
#include "conferocore/mixer.h"

#include "kernels/kernels.h"

#include <math.h>

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

/* faintest[l]: the mean square from which on a frame is louder than level l, half-way to the next. */
static double faintest[LEVEL_MAX];

/* Before main and before any thread: only read afterwards. */
__attribute__((constructor)) static void fill_levels(void) {
    for (int level = 0; level < LEVEL_MAX; level++)
        faintest[level] = 32768.0 * 32768.0 * pow(10, -(level + 0.5) / 10);
}

/* The levels that a frame is not louder than, counted by bisection: no logarithm in the tick. */
uint8_t cf_level(const int16_t *pcm, size_t n) {
    double square = (double)cf_kernels_now->energy(pcm, n) / (double)n;
    int level = 0;
    for (int step = (LEVEL_MAX + 1) / 2; step > 0; step /= 2)
        level += square <= faintest[level + step - 1] ? step : 0;
    return (uint8_t)level;
}

bool cf_silent(const int16_t *pcm, size_t n) {
    return cf_kernels_now->silent(pcm, n);
}

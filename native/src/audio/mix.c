/* Gain, exact sums and levels. Plain loops over contiguous arrays, written so that the compiler vectorises them. */
#include "conferocore/mixer.h"

#include "round.h"

#include <math.h>

enum { LEVEL_MAX = 127, LEVEL_LANES = 8 };

void cf_mix_gain(int32_t *out, const int16_t *in, size_t n, int32_t from, int32_t to) {
    if (from == to) {
        double gain = (double)to / CF_GAIN_ONE; /* exact, and so is its product with a sample */
        for (size_t i = 0; i < n; i++)
            out[i] = to == CF_GAIN_ONE ? in[i] : cf_round(in[i] * gain);
        return;
    }
    /* All of this is exact in doubles: |in * (from * n + (to - from) * i)| is under 2^53 for any frame under 2^20
     * samples. */
    double unit = (double)CF_GAIN_ONE * (double)n, start = (double)from * (double)n, step = (double)to - from;
    for (int32_t i = 0; i < (int32_t)n; i++)
        out[i] = cf_round(in[i] * (start + step * (i + 1)) / unit);
}

void cf_mix_add(int32_t *sum, const int32_t *own, size_t n) {
    for (size_t i = 0; i < n; i++)
        sum[i] += own[i];
}

void cf_mix_minus(int32_t *out, const int32_t *sum, const int32_t *own, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = sum[i] - own[i];
}

uint8_t cf_level(const int16_t *pcm, size_t n) {
    int64_t energy = 0;
    for (size_t i = 0; i < n; i++)
        energy += (int32_t)pcm[i] * pcm[i];
    if (energy == 0)
        return LEVEL_MAX;
    double level = -10 * log10((double)energy / (double)n / (32768.0 * 32768.0));
    return (uint8_t)(level > LEVEL_MAX ? LEVEL_MAX : level < 0 ? 0 : cf_round(level));
}

/* Comfort noise for the mix: white noise through three one-pole sections whose poles and zeros stand half a decade
 * apart, which makes 10 dB a decade. */
#include "conferocore/noise.h"
#include "conferocore/resample.h"

#include "round.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { SECTIONS = 3, RATE = 48000, LONG = 8000 }; /* samples in which the filter's response has died away */
#define PI 3.14159265358979323846

/* Hz; the last section has no zero, so that what is high falls off as in a room. */
static const double poles[SECTIONS] = {100, 1000, 8000}, zeros[SECTIONS] = {316, 3160, 0};
static float pole[SECTIONS], zero[SECTIONS];
static double loudness; /* what the filter makes of white noise with power 1 */

/* All sections for one sample. */
static inline float shape(float x, float *in, float *out) {
    for (int s = 0; s < SECTIONS; s++) {
        float y = x - zero[s] * in[s] + pole[s] * out[s];
        in[s] = x;
        x = out[s] = y;
    }
    return x;
}

/* Before main and before any thread: what it writes is only read afterwards. */
__attribute__((constructor)) static void design(void) {
    float in[SECTIONS] = {0}, out[SECTIONS] = {0};
    double energy = 0;
    for (int s = 0; s < SECTIONS; s++) {
        pole[s] = (float)exp(-2 * PI * poles[s] / RATE);
        zero[s] = zeros[s] > 0 ? (float)exp(-2 * PI * zeros[s] / RATE) : 0;
    }
    for (int i = 0; i < LONG; i++) {
        double y = shape(i == 0, in, out);
        energy += y * y;
    }
    loudness = sqrt(energy);
}

int cf_noise_init(cf_noise *noise, int level, uint64_t seed) {
    if (level < CF_NOISE_LOUDEST || level > CF_NOISE_SILENCE)
        return -EINVAL;
    double rms = level < CF_NOISE_SILENCE ? 32768 * pow(10, level / -20.0) : 0;
    *noise = (cf_noise){.gain = (float)(rms / loudness * sqrt(3) / 2147483648.0)}; /* uniform noise has power 1/3 */
    cf_rng_seed(&noise->rng, seed);
    return 0;
}

/* One draw makes two samples; the filter's state stays in registers. */
void cf_noise_add(cf_noise *noise, int32_t *sum, size_t n) {
    float in[SECTIONS], out[SECTIONS];
    uint64_t drawn = 0;
    if (noise->gain == 0)
        return;
    memcpy(in, noise->in, sizeof in);
    memcpy(out, noise->out, sizeof out);
    for (size_t i = 0; i < n; i++) {
        drawn = i % 2 ? drawn >> 32 : cf_rng_next(&noise->rng);
        sum[i] += cf_round(shape(noise->gain * (float)(int32_t)(uint32_t)drawn, in, out));
    }
    memcpy(noise->in, in, sizeof in);
    memcpy(noise->out, out, sizeof out);
}

int cf_noise_describe(int level, cf_cn *cn) {
    enum { FRAMES = 25, FRAME = 960, RATIO = 6 };
    cf_noise noise;
    cf_resampler down;
    cf_cn_meter meter;
    int16_t pcm[FRAME], low[FRAME / RATIO];
    if (cf_noise_init(&noise, level, 1))
        return -EINVAL;
    cf_resampler_init(&down, RATIO);
    cf_cn_meter_init(&meter);
    for (int frame = 0; frame < FRAMES; frame++) {
        int32_t sum[FRAME] = {0};
        cf_noise_add(&noise, sum, FRAME);
        for (int i = 0; i < FRAME; i++)
            pcm[i] = (int16_t)sum[i]; /* 20 dB and more below full scale */
        cf_resample_down(&down, pcm, FRAME, low);
        cf_cn_meter_hear(&meter, low, FRAME / RATIO);
    }
    cf_cn_meter_tell(&meter, cn);
    return 0;
}

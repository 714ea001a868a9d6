/* 8 kHz <-> 48 kHz by one linear-phase low-pass in polyphase form: 32 taps for each of the six phases.
 *
 * The prototype is a sinc under a Kaiser window at 48 kHz: flat within 0.01 dB up to 3.4 kHz, 70 dB down from 4.5 kHz
 * on, so that nothing above 4.6 kHz folds into the telephone band and no image of it appears. Delay: 95.5 samples at 48
 * kHz (2 ms) each way.
 *
 * Both directions are the same sum over contiguous samples, acc[m] += taps[k] * x[m + k]: down-sampling sorts its input
 * into six phases first, up-sampling interleaves six results afterwards. The state is the input itself, so it neither
 * drifts nor loses precision. */
#include "conferocore/resample.h"

#include "history.h"

#include <math.h>

enum {
    RATIO = CF_RESAMPLE_RATIO,
    TAPS = CF_RESAMPLE_TAPS,
    PHASE_TAPS = TAPS / RATIO,
    PAST = PHASE_TAPS - 1, /* low-rate samples of history that a sum reaches back to */
    BLOCK = 160,           /* low-rate samples worked on at once: 20 ms */
    LANES = 32, /* sums carried side by side: few enough for the vector registers, too many for gcc to unroll away */
    ROOM = (BLOCK + LANES - 1) / LANES * LANES,
};
#define CUTOFF_HZ 3940.0
#define KAISER_BETA 6.76 /* 70 dB */
#define PI 3.14159265358979323846

static float down_taps[RATIO][PHASE_TAPS]; /* in the order of ascending time */
static float up_taps[RATIO][PHASE_TAPS];

/* The modified Bessel function of order 0, by its power series. */
static double bessel_i0(double x) {
    double sum = 1, term = 1;
    for (int k = 1; k < 40; k++) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

static double prototype(int i) {
    double t = i - (TAPS - 1) / 2.0, u = 2 * t / (TAPS - 1);
    double w = 2 * PI * CUTOFF_HZ / 48000;
    return sin(w * t) / (PI * t) * bessel_i0(KAISER_BETA * sqrt(1 - u * u)) / bessel_i0(KAISER_BETA);
}

/* Before main and before any thread: the tables are only read afterwards. */
__attribute__((constructor)) static void design(void) {
    double h[TAPS], sum = 0;
    for (int i = 0; i < TAPS; i++)
        sum += h[i] = prototype(i);
    for (int phase = 0; phase < RATIO; phase++)
        for (int k = 0; k < PHASE_TAPS; k++) {
            int low = (PHASE_TAPS - 1 - k) * RATIO;
            down_taps[phase][k] = (float)(h[low + RATIO - 1 - phase] / sum);
            up_taps[phase][k] = (float)(h[low + phase] / sum * RATIO);
        }
}

static int16_t to_int16(float v) {
    int32_t w = (int32_t)(v + (v < 0 ? -0.5F : 0.5F));
    return (int16_t)(w > INT16_MAX ? INT16_MAX : w < INT16_MIN ? INT16_MIN : w);
}

/* acc[m] += sum of taps[k] * x[m + k] for m < ROOM. */
static void convolve(float *restrict acc, const float *restrict x, const float *restrict taps) {
    for (int m = 0; m < ROOM; m += LANES) {
        float lane[LANES] = {0};
        for (int k = 0; k < PHASE_TAPS; k++)
            for (int j = 0; j < LANES; j++)
                lane[j] += taps[k] * x[m + k + j];
        for (int j = 0; j < LANES; j++)
            acc[m + j] += lane[j];
    }
}

static void down_block(cf_resampler *r, const int16_t *in, size_t n, int16_t *out) {
    float x[RATIO][PAST + ROOM] = {{0}}, acc[ROOM] = {0};
    const int16_t *past = r->history + TAPS - PAST * RATIO;
    for (int i = 0; i < PAST; i++)
        for (int phase = 0; phase < RATIO; phase++)
            x[phase][i] = past[i * RATIO + phase];
    for (size_t i = 0; i < n; i++)
        for (int phase = 0; phase < RATIO; phase++)
            x[phase][PAST + i] = in[i * RATIO + phase];
    for (int phase = 0; phase < RATIO; phase++)
        convolve(acc, x[phase], down_taps[phase]);
    for (size_t i = 0; i < n; i++)
        out[i] = to_int16(acc[i]);
    cf_remember(r->history, TAPS, in, n * RATIO);
}

static void up_block(cf_resampler *r, const int16_t *in, size_t n, int16_t *out) {
    float x[PAST + ROOM] = {0};
    for (int i = 0; i < PAST; i++)
        x[i] = r->history[i];
    for (size_t i = 0; i < n; i++)
        x[PAST + i] = in[i];
    int16_t y[RATIO][ROOM];
    for (int phase = 0; phase < RATIO; phase++) {
        float acc[ROOM] = {0};
        convolve(acc, x, up_taps[phase]);
        for (int i = 0; i < ROOM; i++)
            y[phase][i] = to_int16(acc[i]);
    }
    for (size_t i = 0; i < n; i++)
        for (int phase = 0; phase < RATIO; phase++)
            out[i * RATIO + phase] = y[phase][i];
    cf_remember(r->history, PAST, in, n);
}

void cf_resampler_init(cf_resampler *r) {
    memset(r, 0, sizeof *r);
}

void cf_resample_down(cf_resampler *r, const int16_t *in, size_t n, int16_t *out) {
    for (size_t left = n / RATIO, block; left > 0; left -= block, in += block * RATIO, out += block) {
        block = left < BLOCK ? left : BLOCK;
        down_block(r, in, block, out);
    }
}

void cf_resample_up(cf_resampler *r, const int16_t *in, size_t n, int16_t *out) {
    for (size_t left = n, block; left > 0; left -= block, in += block, out += block * RATIO) {
        block = left < BLOCK ? left : BLOCK;
        up_block(r, in, block, out);
    }
}

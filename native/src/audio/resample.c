/* 48 kHz <-> a half, a third, a quarter or a sixth of it by one linear-phase low-pass in polyphase form: 32 taps for
 * each phase.
 *
 * The prototype is a sinc under a Kaiser window; its corner follows the ratio, so that all ratios have one response
 * over the lower rate: flat within 0.005 dB up to 0.85 of half of it, 71 dB down from 1.15 on (resample.h promises
 * less).
 *
 * Both directions are the same sum over contiguous samples, acc[m] += taps[k] * x[m + k]: down-sampling sorts its input
 * into its phases first, up-sampling interleaves its results afterwards. The state is the input itself, so it neither
 * drifts nor loses precision. */
#include "conferocore/resample.h"

#include "history.h"

#include <errno.h>
#include <math.h>

enum {
    RATIO_MAX = CF_RESAMPLE_RATIO_MAX,
    PHASE_TAPS = CF_RESAMPLE_PHASE_TAPS,
    PAST = PHASE_TAPS - 1, /* low-rate samples of history that a sum reaches back to */
    BLOCK = 160,           /* low-rate samples worked on at once */
    LANES = 32, /* sums carried side by side: few enough for the vector registers, too many for gcc to unroll away */
    ROOM = (BLOCK + LANES - 1) / LANES * LANES,
};
#define CORNER 0.985     /* of half the lower rate */
#define KAISER_BETA 6.76 /* 70 dB */
#define PI 3.14159265358979323846

typedef float phases[RATIO_MAX][PHASE_TAPS];
static struct bank {
    phases down; /* in the order of ascending time */
    phases up;
} banks[RATIO_MAX + 1]; /* by ratio */
static const int ratios[] = {2, 3, 4, 6};

/* The modified Bessel function of order 0, by its power series. */
static double bessel_i0(double x) {
    double sum = 1, term = 1;
    for (int k = 1; k < 40; k++) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

static double prototype(int i, int ratio) {
    int taps = PHASE_TAPS * ratio;
    double t = i - (taps - 1) / 2.0, u = 2 * t / (taps - 1), w = PI * CORNER / ratio;
    return sin(w * t) / (PI * t) * bessel_i0(KAISER_BETA * sqrt(1 - u * u)) / bessel_i0(KAISER_BETA);
}

static void design(struct bank *bank, int ratio) {
    double h[PHASE_TAPS * RATIO_MAX], sum = 0;
    for (int i = 0; i < PHASE_TAPS * ratio; i++)
        sum += h[i] = prototype(i, ratio);
    for (int phase = 0; phase < ratio; phase++)
        for (int k = 0; k < PHASE_TAPS; k++) {
            int low = (PHASE_TAPS - 1 - k) * ratio;
            bank->down[phase][k] = (float)(h[low + ratio - 1 - phase] / sum);
            bank->up[phase][k] = (float)(h[low + phase] / sum * ratio);
        }
}

/* Before main and before any thread: the tables are only read afterwards. */
__attribute__((constructor)) static void design_all(void) {
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++)
        design(&banks[ratios[i]], ratios[i]);
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
    float x[RATIO_MAX][PAST + ROOM] = {{0}}, acc[ROOM] = {0};
    int ratio = r->ratio;
    for (int i = 0; i < PAST; i++)
        for (int phase = 0; phase < ratio; phase++)
            x[phase][i] = r->history[i * ratio + phase];
    for (size_t i = 0; i < n; i++)
        for (int phase = 0; phase < ratio; phase++)
            x[phase][PAST + i] = in[(int)i * ratio + phase];
    for (int phase = 0; phase < ratio; phase++)
        convolve(acc, x[phase], banks[ratio].down[phase]);
    for (size_t i = 0; i < n; i++)
        out[i] = to_int16(acc[i]);
    cf_remember(r->history, (size_t)(PAST * ratio), in, n * (size_t)ratio);
}

static void up_block(cf_resampler *r, const int16_t *in, size_t n, int16_t *out) {
    float x[PAST + ROOM] = {0};
    int ratio = r->ratio;
    for (int i = 0; i < PAST; i++)
        x[i] = r->history[i];
    for (size_t i = 0; i < n; i++)
        x[PAST + i] = in[i];
    int16_t y[RATIO_MAX][ROOM];
    for (int phase = 0; phase < ratio; phase++) {
        float acc[ROOM] = {0};
        convolve(acc, x, banks[ratio].up[phase]);
        for (int i = 0; i < ROOM; i++)
            y[phase][i] = to_int16(acc[i]);
    }
    for (size_t i = 0; i < n; i++)
        for (int phase = 0; phase < ratio; phase++)
            out[(int)i * ratio + phase] = y[phase][i];
    cf_remember(r->history, PAST, in, n);
}

int cf_resampler_init(cf_resampler *r, int ratio) {
    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++)
        if (ratios[i] == ratio) {
            r->ratio = ratio;
            return 0;
        }
    r->ratio = RATIO_MAX; /* still fit to run */
    return -EINVAL;
}

void cf_resample_down(cf_resampler *r, const int16_t *in, size_t n, int16_t *out) {
    size_t ratio = (size_t)r->ratio;
    for (size_t left = n / ratio, block; left > 0; left -= block, in += block * ratio, out += block) {
        block = left < BLOCK ? left : BLOCK;
        down_block(r, in, block, out);
    }
}

void cf_resample_up(cf_resampler *r, const int16_t *in, size_t n, int16_t *out) {
    size_t ratio = (size_t)r->ratio;
    for (size_t left = n, block; left > 0; left -= block, in += block, out += block * ratio) {
        block = left < BLOCK ? left : BLOCK;
        up_block(r, in, block, out);
    }
}

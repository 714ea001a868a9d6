/* 48 kHz <-> a half, a third, a quarter or a sixth of it by one linear-phase low-pass in polyphase form: 32 taps for
 * each phase, in whole numbers.
 *
 * The prototype is a sinc under a Kaiser window; its corner follows the ratio, so that all ratios have one response
 * over the lower rate: flat within 0.005 dB up to 0.85 of half of it, 71 dB down from 1.15 on (resample.h promises
 * less). Taps are rounded to 16 bits, which leaves an error 80 dB down; sums are exact, so a sample is rounded once.
 * The state is the input itself, so it neither drifts nor loses precision. */
#include "conferocore/resample.h"

#include "kernels/kernels.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    RATIO_MAX = CF_RESAMPLE_RATIO_MAX,
    PHASE_TAPS = CF_RESAMPLE_PHASE_TAPS,
    PAST = PHASE_TAPS - 1, /* low-rate samples of history that a sum reaches back to */
    BLOCK = CF_FIR_BLOCK,  /* low-rate samples worked on at once */
};
#define CORNER 0.985     /* of half the lower rate */
#define KAISER_BETA 6.76 /* 70 dB */
#define PI 3.14159265358979323846

/* In the order of ascending time. */
static struct bank {
    int16_t down[RATIO_MAX * PHASE_TAPS];
    int16_t up[RATIO_MAX][PHASE_TAPS]; /* each phase for itself */
} banks[RATIO_MAX + 1];                /* by ratio */
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

static int16_t tap(double v, int bits) {
    return (int16_t)lrint(v * (1 << bits));
}

/* The prototype is symmetrical: its order does not matter going down. */
static void design(struct bank *bank, int ratio) {
    double h[PHASE_TAPS * RATIO_MAX], sum = 0;
    for (int i = 0; i < PHASE_TAPS * ratio; i++)
        sum += h[i] = prototype(i, ratio);
    for (int i = 0; i < PHASE_TAPS * ratio; i++) {
        bank->down[i] = tap(h[i] / sum, CF_FIR_DOWN_BITS);
        bank->up[i % ratio][PHASE_TAPS - 1 - i / ratio] = tap(h[i] / sum * ratio, CF_FIR_UP_BITS);
    }
}

/* Before main and before any thread: the tables are only read afterwards. */
__attribute__((constructor)) static void design_all(void) {
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++)
        design(&banks[ratios[i]], ratios[i]);
}

static void down_block(cf_resampler *r, const int16_t *in, size_t n, int16_t *out) {
    int16_t x[(PAST + BLOCK) * RATIO_MAX];
    size_t ratio = (size_t)r->ratio, past = PAST * ratio, fresh = n * ratio;
    memcpy(x, r->history, past * sizeof *x);
    memcpy(x + past, in, fresh * sizeof *x);
    cf_kernels_now->fir_down(out, x, n, r->ratio, banks[r->ratio].down);
    memcpy(r->history, x + fresh, past * sizeof *x);
}

static void up_block(cf_resampler *r, const int16_t *in, size_t n, int16_t *out) {
    int16_t x[PAST + BLOCK];
    memcpy(x, r->history, PAST * sizeof *x);
    memcpy(x + PAST, in, n * sizeof *x);
    cf_kernels_now->fir_up(out, x, n, r->ratio, banks[r->ratio].up);
    memcpy(r->history, x + n, PAST * sizeof *x);
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

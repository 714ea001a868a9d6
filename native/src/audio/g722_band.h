/* One sub-band of G.722: the adaptive predictor and scale factor that encoder and decoder run alike (blocks 3 and 4 of
 * the Recommendation). Inline, so that both bands of a sample are worked on side by side. */
#ifndef CONFEROCORE_AUDIO_G722_BAND_H
#define CONFEROCORE_AUDIO_G722_BAND_H

#include "g722_zeros.h"

enum { CF_G722_POLE2_MAX = 12288, CF_G722_POLES_MAX = 15360 }; /* 0.75 and 15/16 in steps of 2^-14: stable */

/* What differs between the bands: blocks LOGSCL and LOGSCH, SCALEL and SCALEH. */
typedef struct cf_g722_law {
    int log_max, shift;
} cf_g722_law;

extern uint16_t cf_g722_exponents[32]; /* 2048 * 2^(i/32) */

static inline int cf_g722_within(int v, int bound) {
    return v > bound ? bound : v < -bound ? -bound : v;
}

/* The log scale factor leaks by 1/128 and moves by what the code word says. */
static inline void cf_g722_rescale(cf_g722_band *band, int move, cf_g722_law law) {
    int log = (band->log * 127 >> 7) + move;
    log = log < 0 ? 0 : log > law.log_max ? law.log_max : log;
    band->log = (int16_t)log;
    band->scale = (int16_t)((cf_g722_exponents[log >> 6 & 31] << 2 << (log >> 11) >> law.shift) & ~3);
}

/* v, or -v where mask is -1: signs are noise, and no processor guesses branches on them. */
static inline int cf_g722_signed(int v, int mask) {
    return (v ^ mask) - mask;
}

/* UPPOL2, UPPOL1: the poles follow the signs of the last three partial reconstructions. */
static inline void cf_g722_poles(cf_g722_band *band, int partial) {
    int unlike_last = (partial ^ band->partial[0]) >> 31, unlike_before = (partial ^ band->partial[1]) >> 31;
    int slope = cf_g722_saturate(4 * band->pole[0]);
    slope = cf_g722_saturate(cf_g722_signed(slope, ~unlike_last)) >> 7;
    int second = slope + cf_g722_signed(128, unlike_before) + (band->pole[1] * 127 >> 7);
    int first = cf_g722_signed(192, unlike_last) + (band->pole[0] * 255 >> 8);
    second = cf_g722_within(second, CF_G722_POLE2_MAX);
    band->pole[0] = (int16_t)cf_g722_within(first, CF_G722_POLES_MAX - second);
    band->pole[1] = (int16_t)second;
    band->partial[1] = band->partial[0];
    band->partial[0] = (int16_t)partial;
}

/* RECONS, PARREC, FILTEP, PREDIC: one quantised difference further. */
static inline void cf_g722_adapt(cf_g722_band *band, int difference) {
    int rebuilt = cf_g722_saturate(band->guess + difference);
    cf_g722_poles(band, cf_g722_saturate(band->zeros + difference));
    int zeros = cf_g722_zeros(band, difference);
    int poles = (band->pole[0] * cf_g722_saturate(2 * rebuilt) >> 15) +
                (band->pole[1] * cf_g722_saturate(2 * band->rebuilt[0]) >> 15);
    band->rebuilt[0] = (int16_t)rebuilt;
    band->zeros = (int16_t)zeros;
    band->guess = (int16_t)cf_g722_saturate(poles + zeros);
}

#endif

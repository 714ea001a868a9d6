/* ITU-T G.722 at 64 kbit/s (mode 1): 16 kHz in two bands, six bits for the lower, two for the upper. State is plain
 * data, so that it can be copied. */
#ifndef CONFEROCORE_AUDIO_G722_H
#define CONFEROCORE_AUDIO_G722_H

#include "conferocore/base.h"

enum {
    CF_G722_LANES = 8, /* six zeros, filled up to a vector register */
    CF_G722_PAST = 11, /* pairs that the 24 taps of the band filters reach back to */
};

typedef struct cf_g722_band {
    int16_t zero[CF_G722_LANES]; /* coefficients of the predictor's zeros ... */
    int16_t past[CF_G722_LANES]; /* ... and twice the differences they weigh, newest first; the last two stay 0 */
    int16_t pole[2], rebuilt[2]; /* the same of its poles, and the signal as both sides rebuild it */
    int16_t partial[2];          /* differences with the zeros' part: their signs move the poles */
    int16_t log, scale;          /* the scale factor's logarithm, and itself */
    int16_t zeros, guess;        /* the zeros' part of the prediction, and the whole */
} cf_g722_band;

/* One direction: an encoder or a decoder. */
typedef struct cf_g722 {
    cf_g722_band low, high;
    int16_t past[2][CF_G722_PAST]; /* encoder: even and odd samples; decoder: differences and sums of the bands */
} cf_g722;

void cf_g722_init(cf_g722 *g);
/* 2n samples at 16 kHz to n octets, and back. */
void cf_g722_encode(cf_g722 *g, const int16_t *in, size_t n, uint8_t *out);
void cf_g722_decode(cf_g722 *g, const uint8_t *in, size_t n, int16_t *out);

#endif

/* Conversion between 8 kHz and 48 kHz (ratio 6) by one polyphase low-pass; state is plain data, so that it can be
 * copied. */
#ifndef CONFEROCORE_RESAMPLE_H
#define CONFEROCORE_RESAMPLE_H

#include "base.h"

enum {
    CF_RESAMPLE_RATIO = 6,
    CF_RESAMPLE_TAPS = 192
}; /* taps at the high rate; pass-band ripple and alias rejection: resample.c */

typedef struct cf_resampler {
    int16_t history[CF_RESAMPLE_TAPS];
} cf_resampler;

void cf_resampler_init(cf_resampler *r);
/* in: n samples at 48 kHz, n a multiple of 6; out: n/6 samples at 8 kHz. */
void cf_resample_down(cf_resampler *r, const int16_t *in, size_t n, int16_t *out);
/* in: n samples at 8 kHz; out: 6n samples at 48 kHz. */
void cf_resample_up(cf_resampler *r, const int16_t *in, size_t n, int16_t *out);

#endif

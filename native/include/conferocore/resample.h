/* Conversion between 48 kHz and 8, 12, 16 or 24 kHz (ratios 6, 4, 3, 2) by one polyphase low-pass; state is plain data,
 * so that it can be copied.
 *
 * The same promise for each ratio, in parts of the lower rate's half (4, 6, 8, 12 kHz): flat within 0.05 dB up to 0.85
 * of it, 0.1 dB down at 0.875 (7 kHz of 16), and 70 dB down from 1.15 on, so that nothing of the other side's signal is
 * heard as an alias or an image below 0.85. Delay: (32 ratio - 1) / 2 samples at 48 kHz, so 2 ms for 8 kHz, 1 ms for
 * 16 kHz. */
#ifndef CONFEROCORE_RESAMPLE_H
#define CONFEROCORE_RESAMPLE_H

#include "base.h"

enum {
    CF_RESAMPLE_RATIO_MAX = 6,
    CF_RESAMPLE_PHASE_TAPS = 32, /* of the low rate's samples that a sample depends on */
    CF_RESAMPLE_PAST = (CF_RESAMPLE_PHASE_TAPS - 1) * CF_RESAMPLE_RATIO_MAX,
};

typedef struct cf_resampler {
    int ratio;
    int16_t history[CF_RESAMPLE_PAST];
} cf_resampler;

/* ratio: 2, 3, 4 or 6; -EINVAL for others. One resampler converts in one direction. */
int cf_resampler_init(cf_resampler *r, int ratio);
/* in: n samples at 48 kHz, n a multiple of ratio; out: n / ratio samples. */
void cf_resample_down(cf_resampler *r, const int16_t *in, size_t n, int16_t *out);
/* in: n samples; out: ratio * n samples at 48 kHz. */
void cf_resample_up(cf_resampler *r, const int16_t *in, size_t n, int16_t *out);

#endif

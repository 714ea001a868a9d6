/* Concealment of lost sound that its codec does not conceal: the last pitch period repeats and fades (after the public
 * description of G.711 Appendix I), at any rate of whole multiples of 8 kHz. */
#ifndef CONFEROCORE_AUDIO_PLC_H
#define CONFEROCORE_AUDIO_PLC_H

#include "conferocore/base.h"

/* Samples at 8 kHz, as all lengths here: 40 ms; 200 Hz down to 67 Hz. */
enum { CF_PLC_HISTORY = 320, CF_PLC_LAG_MIN = 40, CF_PLC_LAG_MAX = 120, CF_PLC_SCALE_MAX = 6 };

typedef struct cf_plc {
    int scale;        /* rate / 8000 */
    int16_t *history; /* what was played last */
    int16_t *loop;    /* the period that repeats, its end smoothed into its start */
    int lag;          /* length of the loop */
    int step; /* what the loop's first sample lies away from where it should go on: taken off over a quarter period */
    uint32_t lost; /* samples concealed in a row; 0: not concealing */
} cf_plc;

/* How many samples of memory it needs at this rate (a multiple of 8000, up to 48000). */
static inline size_t cf_plc_room(int rate) {
    return (size_t)rate / 8000 * (CF_PLC_HISTORY + CF_PLC_LAG_MAX);
}
/* memory: cf_plc_room(rate) samples that stay the caller's. */
void cf_plc_init(cf_plc *plc, int rate, int16_t *memory);
/* n samples that came: blends the concealment over into them if there was one, and keeps them in mind. */
void cf_plc_good(cf_plc *plc, int16_t *pcm, size_t n);
/* n samples that did not come. All zero from 60 ms after the first lost one. */
void cf_plc_conceal(cf_plc *plc, int16_t *out, size_t n);

#endif

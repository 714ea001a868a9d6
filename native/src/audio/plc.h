/* Concealment of lost G.711: the last pitch period repeats and fades (after the public description of G.711 Appendix
 * I). */
#ifndef CONFEROCORE_AUDIO_PLC_H
#define CONFEROCORE_AUDIO_PLC_H

#include "conferocore/base.h"

enum {
    CF_PLC_HISTORY = 320,
    CF_PLC_LAG_MIN = 40,
    CF_PLC_LAG_MAX = 120
}; /* samples at 8 kHz: 40 ms; 200 Hz down to 67 Hz */

typedef struct cf_plc {
    int16_t history[CF_PLC_HISTORY]; /* what was played last */
    int16_t loop[CF_PLC_LAG_MAX];    /* the period that repeats, its end smoothed into its start */
    int lag;                         /* length of the loop */
    int step; /* what the loop's first sample lies away from where it should go on: taken off over a quarter period */
    uint32_t lost; /* samples concealed in a row; 0: not concealing */
} cf_plc;

void cf_plc_init(cf_plc *plc);
/* n samples that came: blends the concealment over into them if there was one, and keeps them in mind. */
void cf_plc_good(cf_plc *plc, int16_t *pcm, size_t n);
/* n samples that did not come. All zero from 60 ms after the first lost one. */
void cf_plc_conceal(cf_plc *plc, int16_t *out, size_t n);

#endif

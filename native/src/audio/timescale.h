/* Making sound a little longer or shorter without changing its pitch: one period is doubled or left out, cross-faded
 * where it fits. */
#ifndef CONFEROCORE_AUDIO_TIMESCALE_H
#define CONFEROCORE_AUDIO_TIMESCALE_H

#include "conferocore/base.h"

enum { CF_TIMESCALE_MIN = 120, CF_TIMESCALE_MAX = 720 }; /* samples at 48 kHz in one go: 2.5 to 15 ms */

/* Takes up to max_cut samples out near the start of x[0 .. count), moving the rest down. At least CF_TIMESCALE_MAX
 * samples must stay behind the cut: count >= max_cut + CF_TIMESCALE_MAX. Returns how many it took, 0 if no place fits:
 * the likeness of the two sides (0-1) must reach `likeness`. */
size_t cf_timescale_squeeze(int16_t *x, size_t count, size_t max_cut, float likeness);
/* Takes exactly `cut` samples out at the start, wherever that is, cross-fading over 5 ms: for where nothing is heard.
 * count >= cut + 240; returns cut, or 0 if there are fewer. */
size_t cf_timescale_cut(int16_t *x, size_t count, size_t cut);
/* Puts samples in before x[0], which must have CF_TIMESCALE_MAX samples of past before it, count >= CF_TIMESCALE_MAX
 * after it, and room for CF_TIMESCALE_MAX more behind. Returns how many it put in, or 0. */
size_t cf_timescale_stretch(int16_t *x, size_t count, float likeness);

#endif

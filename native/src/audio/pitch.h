/* Finding the lag at which a piece of sound repeats itself. */
#ifndef CONFEROCORE_AUDIO_PITCH_H
#define CONFEROCORE_AUDIO_PITCH_H

#include "conferocore/base.h"

enum { CF_PITCH_WINDOW = 480 }; /* longest window, in samples: keeps the sums within 32 bits */

typedef struct cf_pitch {
    int lag;
    float likeness; /* normalised correlation at that lag, -1 to 1; 0 for silence */
} cf_pitch;

/* Scales n samples so that none needs more than 11 bits and a sign: what cf_pitch_search takes. Quiet sound is scaled
 * up. */
void cf_pitch_scale(const int16_t *in, size_t n, int16_t *out);
/* Compares x[0 .. window) with x[way * lag .. way * lag + window) for each lag in lo .. hi and returns the best; way is
 * +1 or -1. */
cf_pitch cf_pitch_search(const int16_t *x, int way, int lo, int hi, int window);

#endif

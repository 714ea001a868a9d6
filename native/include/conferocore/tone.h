/* Tones made, not recorded: one or two sines with levels, in a cadence, without a click at either end. */
#ifndef CONFEROCORE_TONE_H
#define CONFEROCORE_TONE_H

#include "base.h"
#include "codec.h"

/*cdef*/
/* A part of a tone: up to two sines, or a pause. */
typedef struct cf_tone_step {
    int hz[2];    /* 0: none; else 20-20000 */
    int level[2]; /* of each, -dBov (RFC 6464's scale: a sine of full scale is 3): 3-127 */
    int ms;       /* 1-60000 */
} cf_tone_step;

typedef struct cf_tone {
    int count;              /* steps: 1-16 */
    cf_tone_step steps[16]; /* played once; who wants the cadence again lets the player loop */
} cf_tone;

/* How many samples at 48 kHz it has, or -EINVAL: a number outside the ranges above, more than 60 s in all, or
 * two sines that together are over full scale. */
int cf_tone_samples(const cf_tone *tone);
/* Writes them: how many, or -EINVAL, or -ENOSPC. Not for the media thread: it takes milliseconds. */
int cf_tone_render(const cf_tone *tone, int16_t *pcm, size_t cap);
/* The tones that have a name: dial, ringing, busy, congestion (ITU-T E.180), entry, exit, beep, and each digit of Q.23
 * by its own (100 ms, then a pause as long). -ENOENT: no such tone. */
int cf_tone_named(cf_tone *tone, const char *name);
/*end*/

enum { CF_TONE_STEPS = 16, CF_TONE_MAX_MS = 60000, CF_TONE_RAMP = 240 }; /* samples: 5 ms from nothing and to it */

#endif

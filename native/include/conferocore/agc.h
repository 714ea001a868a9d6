/* Automatic gain of one voice: from the levels of its frames a gain that brings its speech to the level of everybody
 * else's. Nothing but plain data; one step a frame of 20 ms. */
#ifndef CONFEROCORE_AGC_H
#define CONFEROCORE_AGC_H

#include "base.h"

/* Active speech level, -dBov: 3 dB over that which codecs are tried with (26, ITU-T P.830), with peaks that still leave
 * the limiter little to do. */
enum { CF_AGC_TARGET = 23 };

typedef struct cf_agc {
    double target;            /* mean square, full scale is 1 */
    double power;             /* of the voice, likewise */
    int known;                /* frames in `power`, as far as they count; 0: no speech yet */
    int others;               /* frames of sound that was too soft for this voice, less those that were not */
    double burst;             /* sum of the powers of a sound that is not known to be speech yet ... */
    int burst_frames;         /* ... and of how many frames */
    uint8_t loudest;          /* of it, -dBov */
    double gain, goal;        /* factors */
    uint8_t quietest, before; /* frame of this second and of the one before, -dBov */
    int at;                   /* frames into this second */
} cf_agc;

void cf_agc_init(cf_agc *agc, int target_dbov); /* 0: CF_AGC_TARGET */
/* The next frame: its level (cf_level, before any gain), and whether it may be speech at all (its gate is open).
 * Returns the gain at its end, Q14, from -12 to +18 dB. */
int32_t cf_agc_step(cf_agc *agc, uint8_t level, bool open);

#endif

/* How long packets take: the least and the usual worst transit time of the last ten seconds, from which the play-out
 * delay follows. */
#ifndef CONFEROCORE_AUDIO_JITTER_H
#define CONFEROCORE_AUDIO_JITTER_H

#include "conferocore/base.h"

/* A transit time is arrival minus media time in ns: its absolute value means nothing, its differences are delay and
 * clock skew. */
enum { CF_JITTER_BLOCKS = 16, CF_JITTER_WORST = 4 };

typedef struct cf_jitter_block {
    uint32_t count;
    int64_t low;
    int64_t worst[CF_JITTER_WORST]; /* the largest transit times, largest first; INT64_MIN: none */
} cf_jitter_block;

typedef struct cf_jitter {
    cf_jitter_block blocks[CF_JITTER_BLOCKS]; /* ring of 640 ms each */
    uint32_t at;                              /* the block being filled */
    uint32_t count;                           /* packets in all blocks */
    int64_t block_end;                        /* when the next block begins */
    int64_t guess, guess_until;               /* spread assumed until a second has been measured */
    int64_t outage_until;                     /* 0: none */
    int64_t low, high;                        /* over all blocks; high is the worst but for a few */
} cf_jitter;

/* Forgets everything; `guess` (ns) is taken for the spread during the first second. */
void cf_jitter_reset(cf_jitter *jitter, int64_t guess);
/* A packet that took `transit` arrived at `now`. */
void cf_jitter_add(cf_jitter *jitter, int64_t transit, int64_t now);
/* The stream comes back after it had stopped: what piled up meanwhile tells of the outage, not of jitter, and is not
 * counted. */
void cf_jitter_outage(cf_jitter *jitter, int64_t now);
/* The difference between low and high, at least the guess while it holds; ns. */
int64_t cf_jitter_spread(const cf_jitter *jitter, int64_t now);

#endif

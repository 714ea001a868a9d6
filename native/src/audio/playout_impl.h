/* What a playout is made of; playout.c is the way in, playout_fill.c the decoding, playout_get.c the way out,
 * playout_steer.c its delay, playout_skip.c the way out of what nobody hears. */
#ifndef CONFEROCORE_AUDIO_PLAYOUT_IMPL_H
#define CONFEROCORE_AUDIO_PLAYOUT_IMPL_H

#include "conferocore/playout.h"
#include "jitter.h"
#include "store.h"
#include "timeline.h"
#include "timescale.h"

enum {
    CF_PLAYOUT_PAST = CF_TIMESCALE_MAX, /* samples already played that are kept for stretching */
    /* Decoded and not yet played, at most: enough to squeeze, then one packet of 120 ms on top, a stretch and a seam.
     */
    CF_PLAYOUT_ROOM = 2 * CF_FRAME + CF_DECODE_MAX + CF_TIMESCALE_MAX + 240,
};

typedef struct cf_playout_entry {
    uint8_t pt;
    int codec;
    int clock; /* index into the timeline's clocks */
    int ratio; /* 48000 / clock rate */
    cf_decoder *decoder;
} cf_playout_entry;

struct cf_playout {
    int64_t min_delay, max_delay; /* ns */
    int64_t most_jitter;          /* ns: what is more is not waited for */
    bool minimum;                 /* what waits too long is cut also where there is no pause */
    int64_t slack_min, slack_max; /* the range of what packets wait longer than they need, ns */
    cf_playout_entry entries[CF_PLAYOUT_PTS];
    size_t entry_count;
    cf_jitter jitter;
    cf_timeline line;
    cf_playout_stats stats;

    int64_t now;            /* of the current put or get */
    int64_t newest_transit; /* of the newest packet, ns */
    int grid;               /* samples: what the lengths of packets and frames have in common */
    bool playing;           /* false: nothing is due; the play-out position follows the clock at the target delay */
    bool fresh;             /* no packet of this stream has been played yet */
    bool rested;            /* true from the start of playing until the first sample of it */
    bool seam;              /* packets were left out: bridge to the next one */
    int64_t tail;           /* position of the first sample not yet decoded */
    int64_t debt;           /* samples concealed while nothing was there, not yet counted against the timeline */
    uint32_t run;           /* samples concealed in a row */
    int64_t fec_until;      /* until then FEC is worth waiting a packet longer for */
    int out_of_band;        /* frames in a row with the delay too long (> 0) or too short (< 0) */
    int watched;            /* frames in a row whose delay was not as it should be, or that lay across packets ... */
    int loudest;            /* ... and the level of the loudest of them */
    int cooldown;           /* frames until the next change of length */
    cf_decoder *decoder;    /* of the last packet */
    int64_t decoded;        /* sequence number of the last packet that a decoder has heard, -1: none of this stream */
    int level;              /* of that packet, as it was put */
    bool whole;             /* the last frame was that packet and nothing else */
    bool skipping;          /* the last frame passed unheard */
    uint32_t idle;          /* frames in a row that passed with nothing to skip */

    size_t count;         /* decoded samples waiting in pcm + CF_PLAYOUT_PAST */
    size_t audio_end;     /* how far the waiting samples hold decoded audio ... */
    size_t concealed_end; /* ... and concealment */
    cf_store store;
    cf_payloads payloads; /* from here on nothing is cleared, nor touched while a stream is only skipped, but for the
                             chunks that are in use */
    int16_t pcm[CF_PLAYOUT_PAST + CF_PLAYOUT_ROOM];
};

static inline int64_t cf_playout_head(const cf_playout *p) {
    return p->tail - (int64_t)p->count;
}
static inline int16_t *cf_waiting(cf_playout *p) {
    return p->pcm + CF_PLAYOUT_PAST;
}
#define CF_FRAME_NS INT64_C(20000000)

/* How far a position lies after the last one at which a packet may begin, or a frame within a longer packet. */
static inline int64_t cf_playout_off_grid(const cf_playout *p, int64_t pos) {
    int64_t off = (pos - p->line.pos) % p->grid;
    return off < 0 ? off + p->grid : off;
}

/* The play-out offset that is wanted now: `now` minus the media time to be played, ns. */
int64_t cf_playout_target(const cf_playout *p, int64_t now);
/* The position at which a stream that is not playing begins if a frame is taken now. */
int64_t cf_playout_start_at(const cf_playout *p, int64_t now);
/* Passes over the first packet undecoded and counts it as overflow. */
void cf_playout_drop_first(cf_playout *p);
/* Puts some samples into the buffer, `need` of them if nothing is there, or gets a packet out of the way. */
void cf_playout_step(cf_playout *p, size_t need);
/* Lets what is decoded fade out within a frame and plays nothing after it. */
void cf_playout_break(cf_playout *p);
/* Gaps in the sequence numbers before seq are lost packets. */
void cf_playout_advance(cf_playout *p, int64_t seq);
/* What packets wait longer than they need, ns, before anything is taken; false while it cannot be told. */
bool cf_playout_slack(const cf_playout *p, int64_t *slack);
/* With a frame ready to be taken: makes what is waiting shorter or longer if the delay asks for it. */
void cf_playout_steer(cf_playout *p, bool known, int64_t slack);
/* The packet has passed unheard: it and what was lost before it are behind. */
void cf_playout_skip_packet(cf_playout *p, const cf_packet *packet);
/* Lets the decoder hear the packets that were skipped last, so that it goes on as if it had never stopped. */
void cf_playout_prime(cf_playout *p);

/* The one way to a decoder: where it comes from is nobody else's business. */
static inline cf_decoder *cf_playout_decoder(const cf_playout *p, const cf_packet *packet) {
    return p->entries[packet->entry].decoder;
}

#endif

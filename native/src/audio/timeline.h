/* Sequence numbers and timestamps of one stream, laid out on lines that neither wrap nor jump. */
#ifndef CONFEROCORE_AUDIO_TIMELINE_H
#define CONFEROCORE_AUDIO_TIMELINE_H

#include "conferocore/playout.h"

enum cf_place {
    CF_PLACE_HERE = 0,    /* the packet belongs to the stream */
    CF_PLACE_RESTART = 1, /* it begins a new stream: whatever is known of the old one is void */
    CF_PLACE_NOWHERE = 2, /* a stranger or a contradiction; a second one in a row is believed */
};

typedef struct cf_clock {
    bool valid;
    uint32_t ts; /* an RTP timestamp and ... */
    int64_t pos; /* ... the position that it means */
} cf_clock;

typedef struct cf_timeline {
    bool started;
    uint32_t ssrc;
    int64_t newest;                  /* highest sequence number, extended */
    int64_t pos, end;                /* of the newest packet: samples at 48 kHz */
    int64_t heard;                   /* when the stream last went on, ns */
    uint64_t jumps;                  /* timestamps that contradicted both sequence and arrival time */
    cf_clock clocks[CF_PLAYOUT_PTS]; /* one for each RTP clock rate in use */
    bool suspected;                  /* the last packet was a stranger: */
    uint32_t suspect_ssrc;
    uint16_t suspect_seq; /* ... and this would be its successor */
} cf_timeline;

/* A packet to be placed, and where. */
typedef struct cf_spot {
    int clock;   /* which of the clocks its timestamp is of */
    int ratio;   /* 48000 / clock rate */
    int samples; /* its length at 48 kHz */
    int64_t now;
    int64_t low;      /* least transit time known, ns; INT64_MIN: none */
    int64_t seq, pos; /* out */
} cf_spot;

enum cf_place cf_timeline_place(cf_timeline *line, const cf_rtp *rtp, cf_spot *spot);

/* Media time of a position, ns. */
static inline int64_t cf_pos_ns(int64_t pos) {
    return pos * 62500 / 3;
}

#endif

/* A leg: its path and keys, what has come from it, what it adds, hears and is sent. */
#ifndef CONFEROCORE_CORE_LEG_H
#define CONFEROCORE_CORE_LEG_H

#include "bucket.h"
#include "conferocore/agc.h"
#include "conferocore/codec.h"
#include "conferocore/core.h"
#include "conferocore/dtmf.h"
#include "conferocore/event.h"
#include "conferocore/ice.h"
#include "conferocore/mixer.h"
#include "conferocore/playout.h"
#include "conferocore/red.h"
#include "conferocore/rtcp.h"
#include "conferocore/rtp.h"
#include "conferocore/srtp.h"
#include "counter.h"
#include "inbox.h"
#include "pairs.h"
#include "play.h"
#include "room.h"
#include "stream.h"
#include "table.h"
#include "tap.h"

struct path_node {
    struct node node;
    cf_path path;
    int64_t checked_at; /* its leg's last authenticated check over it, ns */
};
struct socket_node {
    struct node node;
    uint32_t socket;
};

struct cf_leg {
    cf_leg_config config;
    cf_room *room;
    cf_leg *prev, *next; /* in the room */
    struct node by_id, by_ufrag;
    struct socket_node sockets[2];
    struct path_node
        paths[2 * CF_ICE_PATHS]; /* authenticated ones; the upper half is from before the last ICE restart */
    cf_rng rng;
    cf_tap *taps;
    struct {
        LEG_COUNTERS(COUNTER_FIELD)
        struct {
            PLAYOUT_COUNTERS(COUNTER_FIELD)
        } playout;
    } count;

    /* transport */
    cf_ice ice;
    cf_path path, rtcp_path;            /* where we send */
    bool has_path, locked, rtcp_locked; /* locked: symmetric RTP has learnt its address */
    bool proven;                        /* RTP: who gets what is sent over `path` is known to want it */
    cf_path dtls_path;                  /* RTP: where DTLS came from last; family 0: none yet */
    bool ice_seen;                      /* ICE_CONNECTED was told */
    cf_addr signalled;                  /* symmetric RTP: where the peer said it would send from */
    bool timed_out;
    int64_t alive_since; /* added, restarted or given another address, ns: the time-out counts from here at first */
    struct bucket notices;
    cf_srtp *inbound, *outbound;
    struct inbox *inbox; /* NULL: RTP leg without DTLS */

    /* receive */
    cf_playout *playout;
    cf_rtp_source source;
    int rx_clock;             /* Hz, of the last packet */
    cf_red_seen *red_seen;    /* NULL: no redundancy was agreed on */
    cf_event_receiver events; /* clock rate 0: none has come yet */
    struct bucket digit_quota;
    cf_dtmf *dtmf;  /* NULL: nothing listens */
    bool digit_cut; /* a digit was cut out of the last frame */
    bool media_seen;
    int64_t packet_at;  /* last valid packet, ns; 0: none yet */
    uint32_t sr_middle; /* middle 32 bits of the NTP time of the last SR, 0: none */
    int64_t sr_at;

    /* what it adds */
    bool muted, active; /* active: its part of this tick is not exactly zero */
    bool suspended;
    bool held;               /* its peer wants no media now (RFC 3264 section 8.4); it may be heard all the same */
    bool aside, wants_aside; /* in nobody's sum, heard by its pairs only; changes while it is silent */
    bool gate_open;
    bool verbatim;           /* this frame is one packet as it came, at the gain of one: it could be passed on */
    bool placed, was_placed; /* it is mixed; it was in the last tick */
    uint32_t placed_at;      /* room->ticks */
    uint32_t quiet_frames;
    uint32_t rested;        /* frames passed over that only seemed silent */
    bool calm;              /* it was silent when it was last decoded, ... */
    int8_t calm_gain;       /* ... and SILK's gain was no more than this */
    uint32_t wrong_claims;  /* frames in a row whose level was not what the sender said */
    int64_t distrust_until; /* ns */
    int32_t gain, gain_now; /* Q14: wanted, and where the last frame ended */
    cf_agc agc;             /* while config.agc */
    double loudness;        /* smoothed, dB over -127 dBov */

    /* what it hears */
    cf_pair *pairs;
    int pair_count;
    bool deaf, hears; /* hears: it had a mix in its last tick */
    bool ear_hold;    /* one more silent frame, while the limiter fills */
    int32_t ear_now;  /* Q14: where the last frame ended, ... */
    int32_t ear_gain; /* ... and how loud it wants the room */
    bool ear_first;   /* its gain is put on before the limiter, until it is back at one */
    enum hearing wanted;
    uint32_t wanted_frames;
    cf_playing *plays;
    bool play_rings;       /* its last play has just ended and is still in the limiter */
    struct stream *stream; /* NULL: its own encoding */
    cf_leg *prev_listener, *next_listener;
    cf_encoder *encoder;
    uint64_t encoded; /* the period of its encoder's last frame */
    cf_limiter limiter;

    /* send */
    uint32_t ssrc, ts_start, ts_step;
    uint16_t seq;
    bool started, mid_known;
    uint8_t toc;                 /* Opus: the first byte of the last packet */
    bool paused;                 /* DTX: the next packet begins a talk spurt */
    cf_event_sender *digits_out; /* NULL: the peer takes no events */
    cf_red_sender *red_out;      /* NULL: the peer takes no redundancy */
    int red_depth;               /* earlier payloads that go along now */
    int64_t red_until;           /* ns: as long as the loss that asked for them is fresh */
    uint64_t last_period;        /* of its last tick; moving rooms must not give it two in one period */
    uint32_t sent_packets, sent_octets, sent_at_report;
    int64_t rtcp_at; /* next report, ns; 0: not planned */

    struct hush hush;
    struct pass pass;
    uint64_t passed;       /* the last period in which its encoder was passed by */
    struct past past;      /* of its own mix, while packets may be passed on to it */
    int32_t own[CF_FRAME]; /* what it adds to this tick, while active; last, as most legs never touch it (lazy.h) */
};

#endif

/* What the files of the core share: structs, numbers with their reasons, and the calls between the parts. */
#ifndef CONFEROCORE_CORE_INTERNAL_H
#define CONFEROCORE_CORE_INTERNAL_H

#include "conferocore/agc.h"
#include "conferocore/core.h"
#include "conferocore/dtmf.h"
#include "conferocore/event.h"
#include "conferocore/ice.h"
#include "conferocore/mixer.h"
#include "conferocore/noise.h"
#include "conferocore/player.h"
#include "conferocore/red.h"
#include "conferocore/rtcp.h"
#include "conferocore/rtp.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define MS INT64_C(1000000)        /* ns */
#define SECOND INT64_C(1000000000) /* ns */
#define PERIOD (20 * MS)           /* a room's tick, ns */

enum {
    SLOTS = 20,         /* rooms are spread over the period in steps of 1 ms: no burst, no extra wake-ups */
    CATCH_UP = 5,       /* ticks that a late core runs after the fact; 100 ms is what jitter buffers can swallow */
    STREAMS = 8,        /* distinct shared encodings of one room; a leg beyond that has its own encoding */
    RETURN_FRAMES = 10, /* 200 ms of exact zero before a talker goes back to the shared encoding: 2 is the floor under
                         * which its own voice, still in the encoder's look-ahead, comes back; 10 saves flapping */
    GATE_OPEN_SAMPLES = 96, /* ramp of an opening gate: 2 ms, so that no first syllable is cut */
    GATE_DBOV = 65,         /* default gate, -dBov */
    GATE_HOLD_MS = 500,     /* default hold */
    PATH_HELD_MS =
        10000,          /* how long a path stays its leg's after a check or media; consent checks are up to 6 s apart */
    CONSENT_MS = 30000, /* default consent time-out (RFC 7675 section 5.1) */
    INBOX_SLOTS = 16,   /* DTLS datagrams that wait for Python: two flights of a fragmented handshake */
    INBOX_BYTES = 1500, /* the longest DTLS datagram */
    INBOX_RATE = 60,    /* DTLS datagrams a second that one leg may hand up ... */
    INBOX_BURST = 40,   /* ... and at once */
    NOTICE_RATE = 2,    /* ICE_MOVED and BYE events a second that one peer may cause ... */
    NOTICE_BURST = 10,  /* ... and at once: no peer can flood the event ring */
    TRIAL_RUN = 4,      /* packets in a row after which symmetric RTP believes a host that was not signalled */
    SPEAKERS = 8,       /* ids in CF_EVENT_SPEAKERS */
    TALKERS = 6,        /* places in a room's mix by default: more at once nobody can follow */
    TIMER_TICKS = 5,    /* a leg's timers are looked at every 100 ms: the shortest of them are seconds */
    SETTLED_FRAMES = 50, /* silent frames after which a stream's encoder says the same again: its last payload is
                          * sent on, and nothing is encoded */
    HUSH_BYTES = 160,    /* the longest payload that is kept for that: 20 ms of G.711 */
    PASS_FRAMES = 10,  /* frames of one undisturbed voice alone before its packets are passed on: 200 ms, no flapping */
    PAST_FRAMES = 3,   /* frames of the mix that an encoder is prepared with that was passed by: two are enough */
    DTX_FRAMES = 10,   /* silent frames before discontinuous transmission begins (as libopus: 200 ms) ... */
    DTX_EVERY = 20,    /* ... and in which one packet is sent then: 400 ms, as encoders do */
    DOZE_BUCKETS = 50, /* a sleeping room is looked at once a second: the shortest of its legs' times ... */
    DOZE_SENDS = 2,    /* ... and its legs are sent a packet every 2 s: the empty frame says nothing new, and no NAT
                        * forgets a path so soon (RFC 4787 section 4.3: two minutes) */
    CSRCS = 15,        /* RFC 3550 section 5.1 */
    PACKET_CAP = CF_DATAGRAM_MAX
};

/* One writer (the media thread), any reader. */
typedef _Atomic uint64_t counter;

static inline void counter_set(counter *c, uint64_t value) {
    atomic_store_explicit(c, value, memory_order_relaxed);
}
static inline uint64_t counter_get(const counter *c) {
    return atomic_load_explicit(c, memory_order_relaxed);
}
static inline void counter_add(counter *c, uint64_t n) {
    counter_set(c, counter_get(c) + n);
}

/* The fields of the public statistics, as tables: the counters are declared and copied out from them. */
/* clang-format off */
#define LEG_COUNTERS(X)                                                                                                \
    X(rx_packets) X(rx_bytes) X(tx_packets) X(tx_bytes) X(rx_dropped) X(rx_recovered) X(srtp_failures) X(srtp_replays) X(stun_checks)  \
    X(stun_bad) X(dtls_dropped) X(own_encodes) X(shared_frames) X(jitter_us) X(rtt_us) X(remote_lost)                  \
    X(remote_fraction_lost) X(remote_jitter_us) X(level_in) X(level_out) X(level_claimed) X(gated) X(connected)
#define PLAYOUT_COUNTERS(X)                                                                                            \
    X(packets) X(late) X(duplicate) X(lost) X(recovered) X(concealed) X(overflow) X(undecodable) X(stretched)          \
    X(squeezed) X(skipped) X(restarts) X(target_ms) X(delay_ms)
#define CORE_COUNTERS(X)                                                                                               \
    X(ticks) X(late_ticks) X(packets_in) X(packets_out) X(packets_unknown) X(frames_decoded) X(frames_skipped)         \
    X(frames_mixed) X(frames_encoded) X(frames_passed) X(frames_shared) X(decode_ns) X(mix_ns) X(encode_ns) X(tick_ns_max)              \
    X(tick_ns_sum) X(crypto_ns) X(rooms) X(legs) X(rooms_asleep)
/* clang-format on */
#define COUNTER_FIELD(name) counter name;

/* A token bucket. */
struct bucket {
    int64_t at;    /* when it was last filled, ns */
    int64_t level; /* tokens * 1 s, in ns of waiting */
    bool started;
};
bool bucket_take(struct bucket *bucket, int64_t now, int rate, int burst);

/* Hash tables: chained, with the nodes inside the legs, so that adding one takes no memory. */
struct node {
    struct node *next;
    uint64_t hash;
    void *owner; /* a leg, or a room in rooms_by_id */
    bool linked;
};
struct table {
    struct node **heads;
    size_t mask;
};
int table_init(struct table *table, size_t at_least);
void table_add(struct table *table, struct node *node, uint64_t hash);
void table_remove(struct table *table, struct node *node);
struct node *table_first(const struct table *table, uint64_t hash); /* the next with the same hash: table_next */
struct node *table_next(const struct node *node);

struct path_node {
    struct node node;
    cf_path path;
    int64_t checked_at; /* its leg's last authenticated check over it, ns */
};
struct socket_node {
    struct node node;
    uint32_t socket;
};

/* Symmetric RTP: a host that was not signalled, and its packets in a row. */
struct trial {
    cf_addr remote;
    uint32_t ssrc;
    uint16_t seq;
    int run;
};

/* DTLS datagrams of one leg on their way up: one producer (media thread), one consumer. */
struct inbox {
    _Atomic uint32_t head, tail; /* taken, put: free-running */
    atomic_bool armed;           /* the consumer has seen it empty: the next datagram is worth an event */
    struct bucket quota;
    int64_t told_at; /* last event, ns */
    struct {
        uint16_t len;
        uint16_t slot;
    } entries[INBOX_SLOTS]; /* by number: where each lies */
    /* The producer's own: the slot that was freed last is used first, so that a leg whose datagrams are taken one by
     * one never touches the memory of the others. */
    uint32_t reclaimed; /* entries up to this have given their slots back */
    unsigned free_count;
    uint8_t free_slots[INBOX_SLOTS];
    uint8_t slots[INBOX_SLOTS][INBOX_BYTES];
};
void inbox_init(struct inbox *inbox); /* leaves the slots alone: not even zeros are written there */
bool inbox_put(struct inbox *inbox, const uint8_t *data, size_t len, int64_t now, bool *wake); /* false: dropped */
bool inbox_overdue(struct inbox *inbox, int64_t now); /* something has waited for a second: tell again */
size_t inbox_take(struct inbox *inbox, uint8_t *out, size_t cap);

/* Settled silence: its last payload, which is said again. */
struct hush {
    uint32_t silent; /* frames in a row that were digital silence */
    int len;         /* of the payload, 0: none yet */
    uint8_t payload[HUSH_BYTES];
};

/* Packets of a sole voice that are passed on as they are. */
struct pass {
    const cf_leg *voice; /* of the last frame; compared only */
    uint32_t ready;      /* frames in a row that could have been passed on */
};

/* What was mixed last, for encoders that were passed by. */
struct past {
    int16_t pcm[PAST_FRAMES][CF_FRAME];
    int at;          /* the oldest */
    uint64_t period; /* of the newest */
};

/* One encoding for all who hear the same. Its encoder is that of its first listener: a stream exists exactly as long as
 * somebody listens, so no encoder is ever made, kept warm or thrown away for it. */
enum hearing { HEAR_OWN = 0, HEAR_ROOM = 1, HEAR_NOTHING = 2 };
struct stream {
    enum hearing hearing;
    cf_codec_params params;
    cf_leg *first;   /* NULL: the entry is free */
    uint64_t period; /* of the packets that core->made holds for it */
    struct hush hush;
    struct pass pass;
};

struct cf_tap {
    int point;
    uint64_t id;
    cf_tap *next_in_core, *next_in_owner;
    cf_leg *leg;
    cf_room *room;
    atomic_bool ended;
    counter dropped; /* samples */
    size_t frames;   /* capacity */
    _Atomic size_t head, tail;
    size_t offset; /* reader: samples of the first frame already read */
    struct tap_frame {
        int64_t at;
        int16_t pcm[CF_FRAME];
    } ring[];
};
void taps_push(cf_tap *first, int point, const int16_t *pcm, int64_t at);
void taps_push_wide(cf_tap *first, int point, const int32_t *wide,
                    int64_t at); /* NULL: silence; saturates at 16 bits */
void taps_end(cf_tap **first);

/* One talker as one listener wants to hear it. */
struct cf_pair {
    uint64_t talker;
    int32_t gain, now;  /* Q14: wanted, and where the last frame ended */
    bool begins, fresh; /* `now` is not known: the pair is new, the talker was not heard in the last tick */
    bool ended;
    cf_pair *next;
};
enum { CF_PAIRS = 64 }; /* of one listener: a room's talkers at once, at most */

/* A player at its place in a room or leg. */
struct cf_playing {
    uint64_t number;
    cf_player *player;
    cf_playing *next;
    atomic_bool ended;
};

enum room_state { ROOM_PARKED = 0, ROOM_AWAKE = 1, ROOM_ASLEEP = 2 };

struct speaker {
    cf_leg *leg;
    uint64_t id;
    uint8_t level;
};

struct cf_room {
    cf_room_config config;
    uint32_t hold_frames; /* gate_hold_ms in ticks */
    struct node by_id;
    enum room_state state;
    cf_room *prev_in_list, *next_in_list; /* of its slot, or of those that sleep */
    int slot, bucket;
    uint32_t hush;                  /* ticks in a row in which nothing was added */
    uint32_t dozed;                 /* visits while it sleeps */
    bool needed;                    /* somebody wants a packet in each tick */
    cf_leg *placed[CF_TALKERS_MAX]; /* those who are mixed; unused with CF_TALKERS_ALL */
    int placed_count;
    cf_leg *challenger; /* of this tick: the loudest that found no place */
    uint32_t paired;    /* legs with pairs */
    cf_leg *first, *last;
    size_t legs;
    cf_limiter limiter; /* of the whole room: what everybody hears who adds nothing */
    struct stream streams[STREAMS];
    int32_t tail[CF_FRAME]; /* the faded last frame of those who left since the last tick */
    bool has_tail;
    cf_playing *plays;
    cf_noise noise;   /* of the mix, if it is to have some ... */
    cf_cn noise_told; /* ... and what is said of it where it is not heard */
    uint32_t ticks;
    struct speaker speakers[SPEAKERS], told[SPEAKERS]; /* now, and as last told (there only ids and levels count) */
    int speaker_count, told_count;
    int64_t told_at;
    cf_tap *taps;
    struct past past; /* of what everybody hears */
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
    struct trial trial;
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
    bool aside, wants_aside; /* in nobody's sum, heard by its pairs only; changes while it is silent */
    bool gate_open;
    bool verbatim;           /* this frame is one packet as it came, at the gain of one: it could be passed on */
    bool placed, was_placed; /* it is mixed; it was in the last tick */
    uint32_t placed_at;      /* room->ticks */
    uint32_t quiet_frames;
    uint32_t rested;        /* frames passed over that only seemed silent */
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
    int32_t ear_now;  /* Q14: where the last frame ended */
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

struct slot {
    cf_room *first;
    int64_t next_at; /* INT64_MAX: no room */
    size_t rooms;
};

struct cf_core {
    cf_core_config config;
    int64_t now; /* the latest that the caller told */
    struct table legs_by_id, legs_by_ufrag, legs_by_path, legs_by_socket, rooms_by_id;
    struct slot slots[SLOTS];
    size_t rooms, legs;
    cf_room *asleep[DOZE_BUCKETS];
    size_t sleepers;
    uint32_t next_bucket, doze_turn;
    int64_t doze_at;
    cf_tap *taps;
    struct {
        CORE_COUNTERS(COUNTER_FIELD)
    } count;
    /* scratch of one room's tick */
    int mixed;            /* voices, clips and whatever else is in the sum */
    int voices;           /* legs that have added something */
    bool silent;          /* the whole room: room_pcm is silence */
    uint32_t csrc[CSRCS]; /* who is heard: sources and levels of the tick's voices */
    uint8_t csrc_level[CSRCS];
    cf_leg *csrc_leg[CSRCS];
    int csrc_count;
    int32_t sum[CF_FRAME], mix[CF_FRAME];
    int16_t pcm[CF_FRAME], room_pcm[CF_FRAME], own_pcm[CF_FRAME];
    uint8_t room_level;
    cf_encoded made[STREAMS]; /* of the room whose tick it is: what its streams are sent */
    cf_encoded own_made;
    uint8_t redundant[CF_PAYLOAD_MAX];
    uint8_t packet[PACKET_CAP];
    unsigned metered; /* packets whose cryptography was or was not timed */
};

/* core.c */
void core_send(cf_core *core, const cf_path *path, const uint8_t *data, size_t len);
uint64_t core_ntp(const cf_core *core, int64_t now); /* 32.32 */

/* outbox.c */
/* Room for PACKET_CAP bytes, where the next datagram is written, and its sending; nothing else may be sent between. */
uint8_t *core_reserve(cf_core *core);
void core_commit(cf_core *core, const cf_path *path, size_t len);
/* The header stands in `packet`, the payload goes behind it; the packet's length. NULL: in the clear. */
int core_seal(cf_core *core, cf_srtp *srtp, uint8_t *packet, size_t header_len, const uint8_t *payload, size_t len);
int core_open(cf_core *core, cf_srtp *srtp, uint8_t *packet, size_t len, bool rtcp);

/* expect.c */
/* While a leg of a room is sent to: what the next two will need. */
void leg_warm_ahead(const cf_leg *leg);

/* find.c */
uint64_t hash_u64(uint64_t value);
uint64_t hash_text(const char *text);
uint64_t hash_path(const cf_core *core, const cf_path *path);
cf_leg *leg_by_id(const cf_core *core, uint64_t id);
cf_leg *leg_by_ufrag(const cf_core *core, const char *ufrag);
struct path_node *node_by_path(const cf_core *core, const cf_path *path);
cf_leg *leg_by_socket(const cf_core *core, uint32_t socket);
cf_room *room_by_id(const cf_core *core, uint64_t id);

/* event.c */
cf_event event_about(const cf_core *core, enum cf_event_type type, const cf_leg *leg);
void event_send(cf_core *core, const cf_event *event);
void event_leg(cf_core *core, enum cf_event_type type, cf_leg *leg);
void event_path(cf_core *core, enum cf_event_type type, cf_leg *leg, const cf_path *path);

/* The cost of a part, where somebody measures. */
static inline int64_t core_stopwatch(const cf_core *core) {
    return core->config.stopwatch ? core->config.stopwatch() : 0;
}

/* sleep.c */
void room_wake(cf_core *core, cf_room *room);
void room_leave_lists(cf_core *core, cf_room *room);
void room_rest_if_idle(cf_core *core, cf_room *room); /* after its tick */
void room_packet(cf_core *core, cf_leg *leg, int64_t now);
int64_t core_doze_deadline(const cf_core *core);
void core_doze(cf_core *core, int64_t now);

/* select.c */
bool place_take(cf_leg *leg); /* false: all are taken by people who talk */
void place_leave(cf_leg *leg);
void room_contest(cf_room *room);

/* pairs.c */
void pairs_free(cf_leg *leg);
bool pairs_work(cf_core *core, cf_leg *listener); /* some pair makes a difference in this tick */
void pairs_mix(cf_core *core, cf_leg *listener, int32_t *mix);

/* room.c */
void room_link(cf_room *room, cf_leg *leg);
void room_unlink(cf_room *room, cf_leg *leg); /* its voice fades out in the room's next tick */

/* leg_ice.c */
void leg_stun(cf_core *core, const cf_path *path, const uint8_t *data, size_t len, int64_t now);
void leg_paths_age(cf_core *core, cf_leg *leg);
void leg_paths_drop(cf_core *core, cf_leg *leg);

/* leg_rtp.c */
bool leg_secure(const cf_leg *leg);   /* nothing passes before its keys are set */
bool leg_sendable(const cf_leg *leg); /* keys and address are there, consent is not lost */
static inline bool leg_hearing(const cf_leg *leg) {
    return !leg->suspended && leg_sendable(leg);
}
bool leg_dtls_allowed(const cf_leg *leg, const cf_path *path);
void leg_media(cf_core *core, cf_leg *leg, const cf_path *path, uint8_t *data, size_t len, int64_t now);

/* leg_payload.c */
const cf_pt_map *leg_payload_type(const cf_leg *leg, uint8_t pt); /* NULL: none of the leg's */
void leg_payload_take(cf_core *core, cf_leg *leg, const cf_rtp *rtp, const cf_pt_map *map, int level, int64_t now);

/* leg_red.c */
void leg_red_note(cf_leg *leg, uint8_t fraction_lost, int64_t now); /* the peer has reported */
/* The payload that goes out, its type in *pt: as it is, or with earlier ones in core->redundant. */
const uint8_t *leg_red_wrap(cf_core *core, cf_leg *leg, uint32_t ts, const uint8_t *payload, size_t *len, uint8_t *pt);

/* digits.c */
void leg_event_take(cf_core *core, cf_leg *leg, const cf_rtp *rtp, int clock_rate, int64_t now);
void leg_event_timers(cf_core *core, cf_leg *leg, int64_t now);
bool leg_listen(cf_core *core, cf_leg *leg, int16_t *pcm, int64_t now); /* true: something was cut out of the frame */
void leg_listen_silence(cf_core *core, cf_leg *leg, int64_t now);
bool leg_digit_send(cf_core *core, cf_leg *leg, uint64_t period); /* true: a report went out in the frame's place */

/* play.c */
void plays_free(cf_playing *first);
bool plays_add(cf_core *core, cf_playing **first, int32_t *mix, const cf_leg *leg,
               const cf_room *room); /* false: none */
void plays_end(cf_core *core, cf_playing **first, const cf_leg *leg, const cf_room *room);

/* leg_rtcp.c */
void leg_rtcp_take(cf_core *core, cf_leg *leg, const uint8_t *data, size_t len, int64_t now);
void leg_rtcp_send(cf_core *core, cf_leg *leg, bool bye, int64_t now);
int64_t leg_rtcp_interval(cf_leg *leg);

/* leg_timers.c */
void leg_timers(cf_core *core, cf_leg *leg, int64_t now);
void leg_changed(cf_core *core, cf_leg *leg); /* keys, path or consent: it may be sent to now, or be heard */

/* leg_send.c */
/* ts: of the payload's first sample. */
void leg_send(cf_core *core, cf_leg *leg, const uint8_t *payload, size_t len, uint8_t level, uint32_t ts);
void leg_send_event(cf_core *core, cf_leg *leg, const cf_event_report *report);
/* True if the peer has agreed to be sent next to nothing while there is nothing to hear. */
static inline bool leg_may_pause(const cf_leg *leg) {
    if (leg->config.tx.codec == CF_CODEC_OPUS) /* has no words for the room's noise */
        return leg->config.dtx && !leg->room->config.noise_dbov;
    return leg->config.cn_pt;
}
void leg_send_pause(cf_core *core, cf_leg *leg, uint64_t period); /* in silence: keeps path and decoder going */
uint32_t leg_timestamp(const cf_leg *leg, uint64_t period);
uint32_t leg_timestamp_at(const cf_leg *leg, int64_t now);

/* voice.c */
static inline int leg_gate(const cf_leg *leg) {
    return leg->config.gate_dbov ? leg->config.gate_dbov : leg->room->config.gate_dbov;
}
static inline bool leg_audible(const cf_leg *leg) {
    return !leg->muted && !leg->suspended && leg->gain;
}
void leg_voice(cf_core *core, cf_leg *leg, int64_t now);
void leg_fade(cf_core *core, cf_leg *leg); /* adds its faded next frame to its room's tail */

/* hear.c */
void leg_settle(cf_core *core,
                cf_leg *leg); /* before the room's limiter and encoders run: leaves a stream that is no longer right */
void leg_leave_stream(cf_leg *leg, bool keep);
void leg_hear(cf_core *core, cf_leg *leg, int64_t at, uint64_t period);

/* encode.c */
const cf_encoded *leg_encode(cf_core *core, cf_leg *leg, const int16_t *pcm, uint64_t period);
void past_keep(struct past *past, const int16_t *pcm, uint64_t period);

/* tick.c */
void room_tick(cf_core *core, cf_room *room, int64_t at, int64_t now);

/* speakers.c */
void room_speakers(cf_core *core, cf_room *room, int64_t now);

#endif

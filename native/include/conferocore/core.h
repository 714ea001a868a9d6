/* The media machine of one thread: packets and `now` in; packets, events and the next deadline out. No socket, no
 * clock, no thread. */
#ifndef CONFEROCORE_CORE_H
#define CONFEROCORE_CORE_H

#include "base.h"
#include "codec.h"
#include "dtmf.h"
#include "player.h"
#include "playout.h"
#include "srtp.h"

/*cdef*/
enum cf_leg_kind { CF_LEG_WEBRTC = 1, CF_LEG_RTP = 2 };

/* What an RTP leg's peer may send from. */
enum cf_symmetric {
    CF_SYMMETRIC_NONE = 0, /* the signalled address */
    CF_SYMMETRIC_ALL = 1,  /* learnt from the first valid packet and kept to: of the signalled host, of the host of its
                              signalling, or that SRTP has authenticated */
    CF_SYMMETRIC_PORT = 2  /* likewise, but from the signalled host alone: over TCP nobody says the port */
};

enum cf_event_type {
    CF_EVENT_ICE_CONNECTED = 1, /* first authenticated check; text: remote address */
    CF_EVENT_ICE_MOVED = 2,     /* the selected path changed; text: remote address */
    CF_EVENT_DTLS = 3,          /* the leg's DTLS inbox went from empty to not empty */
    CF_EVENT_MEDIA = 4,         /* the first valid RTP packet */
    CF_EVENT_TIMEOUT = 5,       /* consent gone (WebRTC) or no packet for the media time-out (RTP); sent once */
    CF_EVENT_BYE = 6,           /* RTCP BYE */
    CF_EVENT_SPEAKERS = 7,      /* a room's active speakers changed; ids: up to 8, loudest first */
    CF_EVENT_OVERRUN = 8,       /* value: events lost because the ring was full */
    CF_EVENT_RELEASED = 9,      /* a leg or room has left the media thread; its memory is the caller's again */
    CF_EVENT_DIGIT = 10,        /* a leg's digit has ended; text: which, value: ms, ids[0]: enum cf_digit_source,
                                   levels[0]: -dBm0 */
    CF_EVENT_PLAYED = 11 /* value: the number of what was played; at its end, when stopped, or with its leg or room */
};

enum cf_digit_source {
    CF_DIGIT_EVENT = 1, /* RFC 4733 */
    CF_DIGIT_SOUND = 2  /* in-band, found while cf_core_leg_listen is on */
};

enum { CF_RED_AUTO = -1 };

typedef struct cf_event {
    int type;           /* enum cf_event_type */
    int count;          /* used entries of ids and levels */
    uint64_t room, leg; /* 0: not about one */
    int64_t at;         /* core time, ns */
    uint64_t value;
    uint64_t ids[8];
    uint8_t levels[8]; /* -dBov */
    char text[64];
} cf_event;

typedef struct cf_room_config {
    uint64_t id;
    int gate_dbov;    /* a leg quieter than this for gate_hold_ms adds nothing and shares the listeners' encoding; 127:
                         only digital silence; 0: default 65 */
    int gate_hold_ms; /* 0: default 500 */
    int talkers;      /* how many are mixed at once, the loudest: 1-64; 0: default 6; CF_TALKERS_ALL */
    int transcode;    /* 1: packets of a sole talker are never passed on as they are, always mixed and encoded */
    int noise_dbov;   /* comfort noise in the mix, -dBov: 20-126 (a quiet room: 65-75); 0: none. Then a room sleeps only
                         if   all its legs take comfort noise (cn_pt) */
} cf_room_config;
enum { CF_TALKERS_ALL = -1, CF_TALKERS_MAX = 64 };

typedef struct cf_pt_map {
    int pt, codec, clock_rate;
} cf_pt_map;

typedef struct cf_leg_config {
    uint64_t id, room;
    int kind;           /* enum cf_leg_kind */
    cf_codec_params tx; /* what we send */
    int tx_pt;
    int rx_count;
    cf_pt_map rx[8]; /* what we take */
    cf_playout_config playout;
    int audio_level_ext; /* extension ids, 0: not negotiated */
    int mid_ext;
    char mid[16];
    int csrc_level_ext; /* RFC 6465: levels of the contributing sources are sent, and the sources with them */
    int dtx;            /* Opus, 1: while the room is silent it is sent one empty packet each 400 ms only */
    int cn_pt;     /* comfort noise (RFC 3389) that the peer takes, on the clock of tx: likewise; 0: none. Not Opus */
    int event_pt;  /* telephone-event that the peer takes, on the clock of tx; 0: none */
    int red_pt;    /* RFC 2198 that the peer takes, on the clock of tx; 0: none */
    int red;       /* earlier payloads sent along: 0-2, CF_RED_AUTO: as many as the reported loss asks for */
    int gate_dbov; /* a gate of its own, as the room's; 0: the room's */
    int agc;       /* 1: its speech is brought to the level of everybody else's, by -12 to +18 dB */
    uint32_t ssrc; /* ours; 0: chosen by the core */
    char cname[32];
    /* WebRTC */
    uint32_t socket; /* the shared socket's number is learnt from the path; kept for RTP */
    char local_ufrag[33], local_pwd[65], remote_ufrag[33];
    int64_t consent_timeout_ms; /* 0: 30000 */
    /* RTP */
    uint32_t rtp_socket, rtcp_socket; /* equal with rtcp-mux */
    cf_addr remote_rtp, remote_rtcp;  /* family 0: not known yet, nothing is sent */
    cf_addr signalling;               /* where the peer's signalling comes from; family 0: not known. No port */
    int symmetric;                    /* enum cf_symmetric */
    int64_t media_timeout_ms;         /* 0: never */
    int secure;   /* RTP legs: 1 = nothing leaves or is taken before cf_core_leg_keys (WebRTC: always so) */
    int dtls;     /* RTP legs: 1 = secure, and the keys come by DTLS over rtp_socket */
    int unproven; /* RTP legs: 1 = nothing is sent to a host that was signalled before a valid packet has come from
                     there or cf_core_leg_prove has said so */
} cf_leg_config;

/* Counters are written by the media thread alone and may be read at any time by any thread. */
typedef struct cf_leg_stats {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    uint64_t rx_dropped;   /* unknown source, unknown payload type, malformed */
    uint64_t rx_recovered; /* packets that did not come themselves, but as redundancy of later ones */
    uint64_t srtp_failures, srtp_replays, stun_checks, stun_bad, dtls_dropped;
    uint64_t own_encodes, shared_frames; /* frames sent from an own / from a shared encoding */
    uint32_t jitter_us, rtt_us;
    uint32_t remote_lost, remote_fraction_lost, remote_jitter_us; /* as the peer reports it (RR) */
    uint8_t level_in, level_out;                                  /* last frame, -dBov */
    uint8_t level_claimed; /* what the sender says of its last packet (RFC 6464), 127 at first */
    uint8_t gated;         /* 1: adds nothing now */
    uint8_t connected;     /* ICE selected and keys set (WebRTC), media seen (RTP) */
    cf_playout_stats playout;
} cf_leg_stats;

typedef struct cf_core_stats {
    uint64_t ticks, late_ticks, packets_in, packets_out, packets_unknown;
    uint64_t frames_decoded,
        frames_skipped; /* what came in: heard by a decoder, or passed over as silent or outranked */
    uint64_t frames_mixed, frames_encoded, frames_shared;
    uint64_t frames_passed;                /* that needed no encoder: a sole talker's own packets */
    uint64_t decode_ns, mix_ns, encode_ns; /* shares of tick_ns_sum */
    uint64_t send_failures;                /* EAGAIN and the like: counted, never retried */
    uint64_t receive_drops;                /* by the kernel, at full buffers of shared sockets */
    uint64_t tick_ns_max, tick_ns_sum;
    uint64_t crypto_ns, io_ns; /* shares of the cost, sampled: SRTP; system calls that send and receive */
    uint64_t events_lost, commands;
    uint64_t rooms, legs, rooms_asleep;
    uint64_t tcp_open, tcp_refused; /* connections that are open; that had to be closed before they were a leg's */
} cf_core_stats;

enum cf_tap_point {
    CF_TAP_LEG_IN = 1,  /* what the leg adds to the mix (after gain and gate; saturated at 16 bits here) */
    CF_TAP_LEG_OUT = 2, /* what the leg hears, before its encoder */
    CF_TAP_ROOM = 3
}; /* the whole room (id: room) */
/*end*/

typedef struct cf_core cf_core;
typedef struct cf_room cf_room;
typedef struct cf_leg cf_leg;
typedef struct cf_tap cf_tap;
typedef struct cf_pair cf_pair;
typedef struct cf_playing cf_playing;

enum { CF_DATAGRAM_MAX = 1524 }; /* what the core writes at most: an RTP packet of 1500 bytes and SRTCP's overhead */

typedef struct cf_core_config {
    uint64_t seed;              /* salts the tables; every leg has a seed of its own */
    size_t max_rooms, max_legs; /* 0: 4096, 8192 */
    /* Called for each datagram that leaves; must not block. */
    void (*send)(void *arg, const cf_path *path, const uint8_t *data, size_t len);
    /* A shell that sends in batches gives room for the next datagram (CF_DATAGRAM_MAX bytes), which is written there
     * and committed, or not: then the room is given again. Both or neither; without them, and for what is written
     * elsewhere, `send` is called. */
    uint8_t *(*reserve)(void *arg);
    void (*commit)(void *arg, const cf_path *path, size_t len);
    /* Called for each event; must not block. */
    void (*event)(void *arg, const cf_event *event);
    void *arg;
    int64_t wall_offset_ns; /* what to add to core time for NTP in sender reports (Unix time) */
    int64_t (*stopwatch)(
        void); /* any monotonic ns, for tick_ns_*: the cost of ticks; decides nothing. NULL: not measured */
} cf_core_config;

cf_core *cf_core_new(const cf_core_config *config);
void cf_core_free(cf_core *core); /* frees what is still inside: rooms, legs, and taps that were not taken back */

/* Rooms and legs are made and freed outside (memory), put in and taken out inside (no memory): so the real-time shell
 * allocates in the control thread and only links in the media thread. */
cf_room *cf_room_new(const cf_room_config *config);
void cf_room_free(cf_room *room);
cf_leg *cf_leg_new(const cf_leg_config *config, uint64_t seed);
void cf_leg_free(cf_leg *leg);
cf_pair *cf_pair_new(uint64_t talker, int32_t gain_q14); /* NULL: a gain out of range, or no memory */
void cf_pair_free(cf_pair *pair);
cf_playing *cf_playing_new(uint64_t number, cf_clip *clip, const cf_player_config *config); /* NULL: as cf_player_new */
void cf_playing_free(cf_playing *play);
bool cf_playing_ended(const cf_playing *play); /* the media thread has let go of it */
cf_tap *cf_tap_new(int point,
                   size_t milliseconds); /* a bounded PCM ring; the newest is dropped and counted when full */
void cf_tap_free(cf_tap *tap);
/* Reader side, any one thread: up to n samples; *at = core time in ns of the first one. */
size_t cf_tap_read(cf_tap *tap, int16_t *pcm, size_t n, int64_t *at);
uint64_t cf_tap_dropped(const cf_tap *tap); /* samples */
bool cf_tap_ended(
    const cf_tap *tap); /* its leg or room has gone: what is in it can still be read, nothing more comes */

int cf_core_room_add(cf_core *core, cf_room *room, int64_t now); /* -EEXIST, -ENOSPC */
cf_room *cf_core_room_remove(cf_core *core, uint64_t id);     /* NULL: unknown; -> its legs must be gone: NULL if not */
int cf_core_leg_add(cf_core *core, cf_leg *leg, int64_t now); /* -EEXIST, -ENOENT room, -ENOSPC */
cf_leg *cf_core_leg_remove(cf_core *core, uint64_t id, bool bye, int64_t now);
int cf_core_leg_move(cf_core *core, uint64_t leg, uint64_t room);
int cf_core_leg_mute(cf_core *core, uint64_t leg, bool muted); /* others no longer hear it; ramped */
int cf_core_leg_deaf(cf_core *core, uint64_t leg, bool deaf);  /* it hears silence */
int cf_core_leg_gain(cf_core *core, uint64_t leg, int32_t gain_q14);
int cf_core_leg_ear(cf_core *core, uint64_t leg, int32_t gain_q14);   /* how loud it hears the room; ramped */
int cf_core_leg_gate(cf_core *core, uint64_t leg, int gate_dbov);     /* as in cf_leg_config; -EINVAL: not 0-127 */
int cf_core_leg_agc(cf_core *core, uint64_t leg, bool agc);           /* begins at 0 dB, multiplies the gain; ramped */
int cf_core_leg_suspend(cf_core *core, uint64_t leg, bool suspended); /* neither heard nor sent media; RTCP goes on */
int cf_core_leg_hold(cf_core *core, uint64_t leg, bool held);         /* sent no media: RTCP goes on */
int cf_core_leg_aside(cf_core *core, uint64_t leg, bool aside);       /* heard only by those who have a pair with it */
/* How loud `listener` hears `talker`, in place of once (or not at all, if the talker speaks aside): whisper, coach,
 * single gains. The pair (from cf_pair_new) goes over to the listener, or comes back for freeing when it had one with
 * the talker already. -ENOENT listener, -ENOSPC beyond 64. */
int cf_core_pair(cf_core *core, uint64_t listener, cf_pair **pair);
int cf_core_unpair(cf_core *core, uint64_t listener, uint64_t talker); /* back to once, or not at all */
/* Digits by their sound: found, told and cut from the mix while the leg has a detector. It goes over to the leg, the
 * old one (NULL at first) comes back; NULL: no more. */
int cf_core_leg_listen(cf_core *core, uint64_t leg, cf_dtmf **dtmf);
/* Sends 0-9 * # A-D ! as events, after those that wait. -ENOTSUP: the peer takes none; -ENOSPC: more than 64 would
 * wait; -EINVAL. */
int cf_core_leg_digits(cf_core *core, uint64_t leg, const char *digits, int duration_ms);
/* What plays is heard by all in the room as a voice of its own, or by one leg alone, also if that is deaf. It goes over
 * to the room or leg and is let go of at its end, with CF_EVENT_PLAYED: from then on its memory is the caller's again.
 * -ENOENT, -ENOSPC: 8 play there already. */
int cf_core_room_play(cf_core *core, uint64_t room, cf_playing *play);
int cf_core_leg_play(cf_core *core, uint64_t leg, cf_playing *play);
int cf_core_room_stop(cf_core *core, uint64_t room, uint64_t number); /* fades out within 5 ms; -ENOENT: it has ended */
int cf_core_leg_stop(cf_core *core, uint64_t leg, uint64_t number);
int cf_core_leg_remote(cf_core *core, uint64_t leg, const cf_addr *rtp, const cf_addr *rtcp); /* RTP legs: re-INVITE */
int cf_core_leg_prove(cf_core *core, uint64_t leg); /* RTP legs: who was signalled wants what is sent there */
int cf_core_leg_ice(cf_core *core, uint64_t leg, const char *local_ufrag, const char *local_pwd,
                    const char *remote_ufrag); /* ICE restart */
/* The contexts go over to the leg; the old ones (NULL at first) come back for freeing. An RTP leg goes on with another
 * SSRC under another key. */
int cf_core_leg_keys(cf_core *core, uint64_t leg, cf_srtp **inbound, cf_srtp **outbound);
int cf_core_leg_dtls_send(cf_core *core, uint64_t leg, const uint8_t *data, size_t len);
/* id: leg or room by the tap's point. Its room does not sleep meanwhile. */
int cf_core_tap(cf_core *core, uint64_t id, cf_tap *tap);
cf_tap *cf_core_untap(cf_core *core, cf_tap *tap);

/* Reader side of a leg's DTLS inbox (bounded; full: dropped and counted): length, or 0 = empty. One reader, which after
 * each CF_EVENT_DTLS takes until 0: only then does the next datagram make an event. cap: 1500; a datagram beyond cap is
 * dropped. */
size_t cf_leg_dtls_take(cf_leg *leg, uint8_t *out, size_t cap);
void cf_leg_stats_get(const cf_leg *leg, cf_leg_stats *stats);
void cf_core_stats_get(const cf_core *core, cf_core_stats *stats);

void cf_core_receive(cf_core *core, const cf_path *path, uint8_t *data, size_t len,
                     int64_t now); /* data is changed in place */
/* Packets over these paths are about to be received: what they will need is fetched into the caches, for all of them
 * together. Changes nothing. At most CF_EXPECT_MAX; the rest is received as well without it. */
enum { CF_EXPECT_MAX = 8 }; /* what they need fits an L1 cache */
void cf_core_expect(const cf_core *core, const cf_path *paths, size_t count);
/* True: an authenticated check has come over this path, and its leg still holds it. */
bool cf_core_has_path(const cf_core *core, const cf_path *path);
/* The path is no more, as a connection ends: its leg goes on over another, if it has one. */
void cf_core_path_closed(cf_core *core, const cf_path *path);
bool cf_core_has_socket(const cf_core *core, uint32_t socket); /* true: a leg has this socket for itself */
/* True: and its peer may be there, whatever the port. */
bool cf_core_socket_takes(const cf_core *core, uint32_t socket, const cf_addr *remote);
/* True: this is where an RTP leg's media comes and goes, and until cf_core_leg_remote or the leg's end it takes and
 * sends nothing else from this socket: the shell may connect it to *remote. */
bool cf_core_socket_settled(const cf_core *core, uint32_t socket, cf_addr *remote);
/* The socket of an RTP leg's media; false for other legs and none. */
bool cf_core_leg_socket(const cf_core *core, uint64_t id, uint32_t *socket);
/* What the clock says, for the calls that do not tell it: a core in which nothing is due is not advanced. */
void cf_core_time(cf_core *core, int64_t now);
/* The wall clock has drifted or been set: what to add to core time from now on, see cf_core_config. */
void cf_core_wall(cf_core *core, int64_t offset_ns);
int64_t cf_core_deadline(const cf_core *core);    /* when to call advance next; INT64_MAX: nothing to do */
void cf_core_advance(cf_core *core, int64_t now); /* every tick that is due: play out, mix, encode, send, report */

#endif

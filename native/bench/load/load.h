/* A load generator's parts: members that connect, talk and listen as peers do, and what is measured at them. */
#ifndef CONFEROCORE_BENCH_LOAD_H
#define CONFEROCORE_BENCH_LOAD_H

#include "conferocore/codec.h"
#include "conferocore/rtp.h"
#include "conferocore/srtp.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS 1000000LL /* ns */
enum {
    LOOP_FRAMES = 100, /* a voice is two seconds, said again and again */
    SLOTS = 20,        /* of 1 ms in a frame: finer ones cost wake-ups, coarser ones make bursts */
    PACKET_MAX = 1500, /* bytes */
    MEMBERS_MAX = 8192,
    EARS_MAX = 32,           /* who decode what they get: 2 % of a core */
    BURST_HZ = 1900,         /* no talker's tone is near */
    BURST_AMPLITUDE = 3000,  /* -21 dBFS */
    BURST_FRAMES = 5,        /* 100 ms */
    BURSTS = 4,              /* in a loop, of a room, by its first talkers in turn */
    DELAY_MAX_MS = 480,      /* the next burst would be taken for this one */
    BLOCK = CF_RATE / 100,   /* 10 ms: tones that are multiples of 100 Hz do not leak into each other */
    SUM_AMPLITUDE = 20000,   /* of all loud talkers of a room: limiters leave it alone */
    TALKER_AMPLITUDE = 5000, /* of one, if the sum allows it */
    DTX_FRAMES = 20          /* a member in DTX sends one packet of so many (libopus: 400 ms) */
};

enum passive { PASSIVE_SILENCE, PASSIVE_DTX, PASSIVE_NOTHING };

/* What is asked for. */
typedef struct plan {
    int members, rooms, talkers, loud; /* talkers of a room, and how many of them are to be mixed */
    int codec, profile, secure, passive, ears, seed;
    int windows;                /* measured one after the other, of one meeting */
    int minimum, low_delay;     /* of the core alone: a mixer that is a system of its own has its own settings */
    double loss, seconds, warm; /* loss: part of our packets that never leave; warm: s before measuring */
} plan;

typedef struct voice {
    double hertz, amplitude, phase;
    int burst_from; /* which of the room's bursters it is, -1: none */
    int bursters;
    int len[LOOP_FRAMES];
    uint8_t level[LOOP_FRAMES]; /* RFC 6464 */
    bool burst[LOOP_FRAMES];    /* a burst begins with this frame's first sample */
    uint8_t payload[LOOP_FRAMES][CF_PAYLOAD_MAX];
} voice;

/* What a sampled listener decodes: levels of 10 ms blocks, and the last second as it was. */
typedef struct ear {
    int member, room;
    cf_decoder *decoder;
    uint16_t next_seq;
    bool started;
    int16_t heard[CF_RATE]; /* a ring */
    uint64_t samples;
    float *tone, *step; /* of each block: amplitude of the first talker's tone (in a crowd of all), largest second
                           difference */
    size_t blocks, cap;
    int quiet_blocks; /* since the burst tone was last heard */
    int64_t last_burst;
    size_t bursts;
} ear;

enum { STAGE_NONE, STAGE_CHECKING, STAGE_HANDSHAKE, STAGE_UP, STAGE_FAILED };

/* A member as ICE and DTLS see it. */
typedef struct peer {
    int stage;
    char ufrag[260], pwd[260], fingerprint[100]; /* the mixer's */
    uint32_t txid;
    int64_t check_due, consented; /* ns; consented: when the last good answer came */
    SSL *ssl;
    BIO *in, *out; /* memory; the SSL's */
} peer;

typedef struct member {
    int fd, pt, ext, room, place; /* ext: id of the level extension, 0: none */
    uint16_t port;
    cf_addr remote; /* where it sends to */
    const voice *says;
    int passive;
    uint32_t frame, ssrc;
    cf_srtp *mouth, *hears;
    peer *peer; /* NULL: plain RTP */
    ear *ear;   /* NULL: only counts */
    bool started, joined;
    uint16_t first_seq;
    uint32_t first_ts;
    uint32_t received, doubles;
    int64_t *stamps;  /* by sequence number from first_seq on: when the kernel got it; 0: it never came */
    uint32_t *clocks; /* its RTP time from first_ts on */
} member;

typedef struct burst {
    int64_t sent_at;
    int member;
} burst;

typedef struct room {
    burst last[2 * BURSTS];            /* a ring: two loops */
    uint64_t bursts, measured[BURSTS]; /* measured: of each burster */
} room;

typedef struct load {
    plan plan;
    member *all;
    room *rooms;
    ear ears[EARS_MAX];
    member **slots[SLOTS];
    int in_slot[SLOTS], joined, up, consents_lost;
    uint32_t expected; /* packets of one member in the measured time, and some more */
    int64_t start, measure_from, end;
    int64_t worst_late; /* ns that we were late with a packet, the warm-up included: buffers remember it */
    int64_t to_real;    /* what to add to CLOCK_MONOTONIC for the kernel's stamps */
    uint64_t sent, refused, held_back, srtp_failures, closed;
    float *own_late, *delays;  /* ms */
    double cpu_s, cpu_percent; /* ours: at a window's start, and of a core in the window */
    size_t own_count, own_cap, delay_count, delay_cap;
    cf_rng rng;
    SSL_CTX *tls;
    char fingerprint[100];
} load;

_Noreturn void fail(const char *what);
int64_t now_ns(clockid_t clock);
void *zeroed(size_t count, size_t size); /* ends the program if there is no memory */

/* voices.c */
const voice *voice_of(const plan *p, int place, bool talks);
bool is_crowd(const plan *p);
double talker_hertz(const plan *p, int place);
double talker_amplitude(const plan *p, int place);
uint32_t codec_step(int codec);
/* plan.c */
plan plan_of(int argc, char **argv); /* arguments are name=value; ends the program for wrong ones */
/* media.c */
size_t next_packet(load *l, member *m, int64_t now, uint8_t *out);
void member_hear(load *l, member *m, uint8_t *data, size_t len, int64_t stamp);
/* members.c */
void load_open(load *l, bool sockets); /* members and ears, from the plan */
void members_open(load *l, bool sockets);
void members_join(load *l, const char *line); /* one line of the front */
void member_say(load *l, member *m, int64_t due);
void member_take(load *l, member *m);
void send_datagram(load *l, member *m, const uint8_t *data, size_t len);
/* peers.c, dtls.c: bytes and now in; datagrams out */
void peer_join(load *l, member *m, int64_t now);
void peer_receive(load *l, member *m, const uint8_t *data, size_t len, int64_t now);
void peer_timers(load *l, member *m, int64_t now);
void dtls_set_up(load *l);
void dtls_begin(load *l, member *m);
void dtls_receive(load *l, member *m, const uint8_t *data, size_t len);
void dtls_timers(load *l, member *m);
/* ears.c */
void ears_open(load *l);
void ear_hear(load *l, ear *e, const cf_rtp *rtp, int64_t stamp);
double ear_level(const ear *e, double hertz); /* amplitude of a tone in the last second */
/* run.c, report.c */
void run_join(load *l);
void run(load *l);
void report(load *l); /* a JSON object without its closing brace */

#endif

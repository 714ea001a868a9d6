/* A core under a hand-moved clock: everything that it sends and tells is kept, and plain G.711 members talk to it. */
#ifndef CONFEROCORE_TEST_CORE_FIXTURE_H
#define CONFEROCORE_TEST_CORE_FIXTURE_H

#include "conferocore/core.h"
#include "conferocore/mixer.h"
#include "conferocore/rtp.h"

#include <errno.h>
#include <math.h>

enum { SENT_MAX = 4096, EVENTS_MAX = 256, SENT_BYTES = 1600 };

#define MS INT64_C(1000000)

typedef struct sent {
    cf_path path;
    size_t len;
    uint8_t data[SENT_BYTES];
} sent;

typedef struct fixture {
    cf_core *core;
    int64_t now;
    sent out[SENT_MAX]; /* the oldest are kept; more is a failed test */
    int out_count, out_lost;
    cf_event events[EVENTS_MAX];
    int event_count;
} fixture;

static inline void fixture_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    fixture *f = arg;
    if (f->out_count == SENT_MAX || len > SENT_BYTES) {
        f->out_lost++;
        return;
    }
    sent *s = &f->out[f->out_count++];
    s->path = *path;
    s->len = len;
    memcpy(s->data, data, len);
}

static inline void fixture_event(void *arg, const cf_event *event) {
    fixture *f = arg;
    if (f->event_count < EVENTS_MAX)
        f->events[f->event_count++] = *event;
}

static inline fixture *fixture_new(void) {
    fixture *f = calloc(1, sizeof *f);
    cf_core_config config = {.seed = 1, .send = fixture_send, .event = fixture_event, .arg = f};
    f->now = 1000 * MS;
    f->core = cf_core_new(&config);
    return f;
}

static inline void fixture_free(fixture *f) {
    CHECK_INT(f->out_lost, 0);
    cf_core_free(f->core);
    free(f);
}

static inline void clear_sent(fixture *f) {
    f->out_count = 0;
}

static inline int count_events(const fixture *f, int type, uint64_t leg) {
    int n = 0;
    for (int i = 0; i < f->event_count; i++)
        n += f->events[i].type == type && (!leg || f->events[i].leg == leg);
    return n;
}

static inline int add_room(fixture *f, uint64_t id) {
    cf_room_config config = {.id = id};
    cf_room *room = cf_room_new(&config);
    int result = cf_core_room_add(f->core, room, f->now);
    if (result)
        cf_room_free(room);
    return result;
}

static inline cf_addr addr4(uint8_t last, uint16_t port) {
    cf_addr addr = {.ip = {192, 0, 2, last}, .port = port, .family = 4};
    return addr;
}

/* A G.711 member at socket `id` (RTCP multiplexed), talking from 192.0.2.<id>:4000. */
static inline cf_leg_config plain_config(uint64_t id, uint64_t room) {
    cf_leg_config config = {.id = id,
                            .room = room,
                            .kind = CF_LEG_RTP,
                            .tx = {.codec = CF_CODEC_PCMU},
                            .rx_count = 1,
                            .rx = {{0, CF_CODEC_PCMU, 8000}},
                            .cname = "test",
                            .rtp_socket = (uint32_t)id,
                            .rtcp_socket = (uint32_t)id,
                            .remote_rtp = addr4((uint8_t)id, 4000)};
    return config;
}

/* One that talks the same way and is sent something else, with this payload type. */
enum { EAR_PT = 96 };
static inline cf_leg_config ear_config(uint64_t id, const cf_codec_params *tx) {
    cf_leg_config config = plain_config(id, 1);
    config.tx = *tx;
    config.tx_pt = EAR_PT;
    return config;
}

static inline cf_leg *join_as(fixture *f, const cf_leg_config *config, int want) {
    cf_leg *leg = cf_leg_new(config, config->id * 77);
    CHECK(leg != NULL);
    int result = cf_core_leg_add(f->core, leg, f->now);
    CHECK_INT(result, want);
    if (!result)
        return leg;
    cf_leg_free(leg);
    return NULL;
}

static inline cf_leg *join(fixture *f, uint64_t id, uint64_t room) {
    cf_leg_config config = plain_config(id, room);
    return join_as(f, &config, 0);
}

/* Members 1 to `count`, in room 1. */
static inline void join_many(fixture *f, uint64_t count) {
    for (uint64_t id = 1; id <= count; id++)
        join(f, id, 1);
}

static inline void leave(fixture *f, uint64_t id) {
    cf_leg_free(cf_core_leg_remove(f->core, id, false, f->now));
}

static inline cf_path plain_path(uint64_t id) {
    cf_path path = {.socket = (uint32_t)id, .remote = addr4((uint8_t)id, 4000)};
    return path;
}

/* One member's microphone: a tone in 20 ms of G.711 per call. */
typedef struct voice {
    uint64_t id;
    double hz, amplitude;
    uint32_t ssrc;
    uint16_t seq;
    uint32_t ts;
} voice;

static inline size_t voice_packet(voice *v, uint8_t *out, size_t cap) {
    int at = cf_rtp_write(out, cap, 0, false, v->seq, v->ts, v->ssrc ? v->ssrc : (uint32_t)v->id + 1000, NULL, 0);
    for (int i = 0; i < 160; i++)
        out[at + i] = cf_ulaw_encode((int16_t)(v->amplitude * sin(2 * M_PI * v->hz * (v->ts + (uint32_t)i) / 8000)));
    v->seq++;
    v->ts += 160;
    return (size_t)at + 160;
}

static inline void speak(fixture *f, voice *v) {
    uint8_t packet[256];
    size_t len = voice_packet(v, packet, sizeof packet);
    cf_path path = plain_path(v->id);
    cf_core_receive(f->core, &path, packet, len, f->now);
}

/* Everybody in `voices` speaks at each step of 20 ms, and the core's ticks run in between. */
static inline void run_ms(fixture *f, int ms, voice *voices, int count) {
    for (int t = 0; t < ms; t += 20) {
        for (int i = 0; i < count; i++)
            speak(f, &voices[i]);
        f->now += 20 * MS;
        cf_core_advance(f->core, f->now);
    }
}

/* Visits the media packets that a member was sent since clear_sent; `at` begins as 0. */
static inline bool next_rtp(const fixture *f, uint64_t id, int *at, cf_rtp *rtp) {
    while (*at < f->out_count) {
        const sent *s = &f->out[(*at)++];
        bool rtcp;
        if (s->path.socket == id && cf_rtp_looks_like(s->data, s->len, &rtcp) && !rtcp &&
            !cf_rtp_parse(rtp, s->data, s->len))
            return true;
    }
    return false;
}

/* Amplitude of a tone in what was sent to a member (G.711), over all its packets since clear_sent. */
static inline double heard_tone(const fixture *f, uint64_t id, double hz) {
    double re = 0, im = 0;
    int n = 0, at = 0;
    cf_rtp rtp;
    while (next_rtp(f, id, &at, &rtp))
        for (size_t k = 0; k < rtp.payload_len; k++, n++) {
            double x = cf_ulaw_decode(rtp.payload[k]);
            re += x * cos(2 * M_PI * hz * n / 8000);
            im += x * sin(2 * M_PI * hz * n / 8000);
        }
    return n ? 2 * sqrt(re * re + im * im) / n : 0;
}

static inline int count_rtp(const fixture *f, uint64_t id) {
    int n = 0, at = 0;
    cf_rtp rtp;
    while (next_rtp(f, id, &at, &rtp))
        n++;
    return n;
}

static inline cf_leg_stats stats_of(const cf_leg *leg) {
    cf_leg_stats stats;
    cf_leg_stats_get(leg, &stats);
    return stats;
}

static inline cf_core_stats core_stats(const fixture *f) {
    cf_core_stats stats;
    cf_core_stats_get(f->core, &stats);
    return stats;
}

#endif

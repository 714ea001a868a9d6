/* The members of the core's random test: what each has been sent, their voices, and an ear for what they get. */
#ifndef CONFEROCORE_TEST_CHAOS_MEMBERS_H
#define CONFEROCORE_TEST_CHAOS_MEMBERS_H

#include "core_checks.h"

#include "conferocore/codec.h"

#include <math.h>

enum {
    ROOMS = 5,
    LEGS = 14,
    STEP = 20,          /* ms */
    LOOP = 50,          /* packets of each voice, which are sent round and round */
    SETTLED = 150,      /* steps without a change, after which nothing excuses a leg any more */
    UNHEARD = 25,       /* frames in a row without a talker: a place falls free after 10 of silence, and losses */
    SILENCE_MS = 3200,  /* the longest that a leg which takes pauses is not sent anything: while it falls asleep */
    AMPLITUDE = 1500,   /* so that all together stay under the limiter */
    HEARD = 600,        /* the amplitude in one frame that is a voice: above what ramps of others leave there */
    PAYLOAD_TYPE = 100, /* what all of them send and are sent */
    EVENT_TYPE = 101,
    NOISE_TYPE = 13,
    LEVEL_EXT = 1,
};

/* One member and what the core owes it. */
typedef struct member {
    cf_leg *leg; /* NULL: it is not there */
    uint64_t id, room;
    bool talks, present, lies;
    int turn, talked; /* steps until it does something else, and since it began to talk */
    uint16_t seq;
    uint32_t ts;
    bool muted, deaf, suspended, aside, connected;
    /* what it was sent */
    bool began;
    uint16_t last_seq;
    uint32_t last_ts;
    int packets; /* in this step */
    int64_t sent_at;
    uint64_t total;
    double tones[LEGS]; /* amplitudes of all voices in its last packet ... */
    bool listened;      /* ... which was one of this step */
    int unheard;        /* frames in a row without a voice that is owed */
    int calm;           /* steps since something about it was changed */
} member;

typedef struct chaos {
    cf_core *core;
    cf_rng rng;
    int64_t now;
    member members[LEGS];
    cf_room_config rooms[ROOMS];
    bool room_there[ROOMS];
    cf_tap *tap;
    uint64_t sent, received, shared, played, plays, held_up;
    cf_playing *playing[1024];
} chaos;

static uint8_t voices[LEGS][LOOP][CF_PAYLOAD_MAX], quiet[LEGS][LOOP][CF_PAYLOAD_MAX];
static int voice_len[LEGS][LOOP], quiet_len[LEGS][LOOP];

static uint32_t dice(chaos *c, uint32_t sides) {
    return cf_rng_u32(&c->rng) % sides;
}

/* All kinds of members, by their number. */
static cf_codec_params params_of(int i) {
    static const cf_codec_params kinds[] = {
        {.codec = CF_CODEC_PCMU},
        {.codec = CF_CODEC_PCMA},
        {.codec = CF_CODEC_L16, .rate = 8000},
        {.codec = CF_CODEC_OPUS, .complexity = 0, .low_delay = 1},
        {.codec = CF_CODEC_G722},
        {.codec = CF_CODEC_PCMU, .ptime_ms = 10},
        {.codec = CF_CODEC_PCMU},
    };
    return kinds[i % (int)(sizeof kinds / sizeof *kinds)];
}

static int clock_of(int i) {
    cf_codec_params params = params_of(i);
    return cf_codec_clock(params.codec, params.rate);
}

/* Whole periods in 20 ms, 200 Hz apart. */
static double hz_of(int i) {
    return 300 + 200 * i;
}

static void make_voice(int i, double amplitude, uint8_t out[LOOP][CF_PAYLOAD_MAX], int len[LOOP]) {
    cf_codec_params params = params_of(i);
    params.ptime_ms = 20;
    CHECK_INT(cf_codec_complete(&params), 0);
    cf_encoder *encoder = cf_encoder_new(&params);
    for (int n = -LOOP; n < LOOP; n++) { /* the first round sets the encoder going */
        int16_t pcm[CF_FRAME];
        for (int k = 0; k < CF_FRAME; k++)
            pcm[k] = (int16_t)lrint(amplitude * sin(2 * M_PI * hz_of(i) * k / CF_RATE));
        int at = (n + LOOP) % LOOP;
        len[at] = cf_encoder_once(encoder, pcm, out[at], CF_PAYLOAD_MAX);
    }
    cf_encoder_free(encoder);
}

static void make_voices(void) {
    for (int i = 0; i < LEGS; i++) {
        make_voice(i, AMPLITUDE, voices[i], voice_len[i]);
        make_voice(i, 0, quiet[i], quiet_len[i]);
    }
}

/* ---- what is sent ---- */

static cf_path path_of(const member *m) {
    cf_path path = {.socket = (uint32_t)m->id,
                    .remote = {.ip = {192, 0, 2, (uint8_t)m->id}, .port = 4000, .family = 4}};
    return path;
}

static bool can_listen_in(const member *m) {
    return params_of((int)m->id - 1).codec == CF_CODEC_PCMU || params_of((int)m->id - 1).codec == CF_CODEC_PCMA;
}

static void listen_in(member *m, const cf_rtp *rtp) {
    m->listened = true;
    bool ulaw = params_of((int)m->id - 1).codec == CF_CODEC_PCMU;
    for (int i = 0; i < LEGS; i++) {
        double re = 0, im = 0, step = 2 * M_PI * hz_of(i) / 8000;
        for (size_t k = 0; k < rtp->payload_len; k++) {
            double x = ulaw ? cf_ulaw_decode(rtp->payload[k]) : cf_alaw_decode(rtp->payload[k]);
            re += x * cos(step * (double)k);
            im += x * sin(step * (double)k);
        }
        m->tones[i] = 2 * sqrt(re * re + im * im) / (double)rtp->payload_len;
    }
}

/* Numbers follow each other; timestamps go forward, but within a digit. */
static void check_numbers(member *m, const cf_rtp *rtp) {
    if (m->began) {
        CHECK_INT(rtp->seq, (uint16_t)(m->last_seq + 1));
        int32_t forward = cf_ts_diff(rtp->ts, m->last_ts);
        CHECK(rtp->pt == EVENT_TYPE ? forward >= 0 : forward > 0);
    }
    m->began = true;
    m->last_seq = rtp->seq;
    m->last_ts = rtp->ts;
}

static void on_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    chaos *c = arg;
    member *m = &c->members[path->socket - 1];
    cf_rtp rtp;
    bool rtcp = false;
    c->sent++;
    CHECK(cf_rtp_looks_like(data, len, &rtcp));
    if (rtcp)
        return;
    CHECK_INT(cf_rtp_parse(&rtp, data, len), 0);
    CHECK(m->leg != NULL && m->connected && !m->suspended);
    check_numbers(m, &rtp);
    m->packets++;
    m->total++;
    m->sent_at = c->now;
    memset(m->tones, 0, sizeof m->tones);
    if (rtp.pt == PAYLOAD_TYPE && rtp.payload_len == 160 && can_listen_in(m))
        listen_in(m, &rtp);
}

static void on_event(void *arg, const cf_event *event) {
    chaos *c = arg;
    if (event->type == CF_EVENT_SPEAKERS)
        for (int i = 0; i < event->count; i++)
            CHECK(event->ids[i] >= 1 && event->ids[i] <= LEGS);
    c->played += event->type == CF_EVENT_PLAYED;
}

#endif

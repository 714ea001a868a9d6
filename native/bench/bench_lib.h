/* What the benchmarks share: members whose voices are encoded beforehand, and an ear that measures tones. */
#ifndef CONFEROCORE_BENCH_LIB_H
#define CONFEROCORE_BENCH_LIB_H

#include "conferocore/codec.h"
#include "conferocore/rtp.h"
#include "conferocore/srtp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LOOP_FRAMES = 50, /* a voice is one second, said again and again */
    PACKET_MAX = 1500,
    FIRST_FRAMES = 5, /* what a quiet listener sends: a peer has to be met */
    TONE_AMPLITUDE = 6000,
    EAR_SAMPLES = CF_RATE, /* the last second heard is kept for judging */
    SRTP_PROFILE = CF_SRTP_AEAD_AES_128_GCM
};

/* One second of payloads. */
typedef struct voice {
    int len[LOOP_FRAMES];
    uint8_t payload[LOOP_FRAMES][CF_PAYLOAD_MAX];
} voice;

/* Multiples of 50 Hz fit the second, so that the loop has no seam; the first talkers' tones lie apart in the telephone
 * band. */
static inline double voice_hertz(int talker) {
    return 350 + 150 * (talker % 18);
}

static inline void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static inline int codec_named(const char *name) {
    int codec = strcmp(name, "opus") == 0 ? CF_CODEC_OPUS : strcmp(name, "pcmu") == 0 ? CF_CODEC_PCMU : 0;
    if (codec == 0)
        fail("the codec is opus or pcmu");
    return codec;
}

static inline cf_codec_params codec_params(int codec) {
    return (cf_codec_params){.codec = codec, .ptime_ms = 20, .complexity = -1};
}

/* What members do who do not talk: send silence (an open microphone), or nothing after their first packets (muted,
 * DTX). */
static inline int listeners_named(const char *name) {
    bool open = strcmp(name, "open") == 0;
    if (!open && strcmp(name, "quiet") != 0)
        fail("listeners are open or quiet");
    return open;
}

static inline int codec_pt(int codec) {
    return codec == CF_CODEC_OPUS ? 111 : 0;
}
static inline uint32_t codec_step(int codec) {
    return (uint32_t)(cf_codec_clock(codec, 0) / 50);
}

/* hertz 0: digital silence. The first second settles the encoder, the second one is kept. */
static inline voice *voice_make(int codec, double hertz) {
    cf_codec_params params = codec_params(codec);
    cf_encoder *encoder = cf_encoder_new(&params);
    voice *v = calloc(1, sizeof *v);
    if (encoder == NULL || v == NULL)
        fail("no memory for a voice");
    for (int f = 0; f < 2 * LOOP_FRAMES; f++) {
        int16_t pcm[CF_FRAME];
        for (int i = 0; i < CF_FRAME; i++)
            pcm[i] = (int16_t)lrint(TONE_AMPLITUDE * sin(2 * M_PI * hertz * (f * CF_FRAME + i) / CF_RATE));
        v->len[f % LOOP_FRAMES] = cf_encoder_once(encoder, pcm, v->payload[f % LOOP_FRAMES], CF_PAYLOAD_MAX);
    }
    cf_encoder_free(encoder);
    return v;
}

/* Keys are per member and direction, so that nobody can be taken for somebody else. */
static inline cf_srtp *srtp_of(uint32_t member, int to_engine) {
    uint8_t key[16] = {0x10, (uint8_t)to_engine}, salt[12] = {0x20, (uint8_t)to_engine};
    cf_put32(key + 12, member);
    cf_put32(salt + 8, member);
    cf_srtp *srtp = cf_srtp_new(SRTP_PROFILE, key, sizeof key, salt, sizeof salt);
    if (srtp == NULL)
        fail("no SRTP context");
    return srtp;
}

/* What a member sends. */
typedef struct mouth {
    const voice *says;
    int codec;
    uint32_t frame, ssrc;
    cf_srtp *srtp; /* NULL: plain */
    int quiet;     /* falls silent after its first packets */
} mouth;

/* The next 20 ms: its length, 0: nothing is sent. */
static inline size_t mouth_packet(mouth *m, uint8_t out[PACKET_MAX]) {
    const voice *v = m->says;
    if (m->quiet && m->frame >= FIRST_FRAMES)
        return 0;
    int f = (int)(m->frame % LOOP_FRAMES);
    uint32_t ts = m->frame * codec_step(m->codec);
    int len = cf_rtp_write(out, PACKET_MAX, (uint8_t)codec_pt(m->codec), m->frame == 0, (uint16_t)m->frame, ts, m->ssrc,
                           NULL, 0);
    memcpy(out + len, v->payload[f], (size_t)v->len[f]);
    len += v->len[f];
    m->frame++;
    if (m->srtp != NULL)
        len = cf_srtp_protect(m->srtp, out, (size_t)len, PACKET_MAX);
    return (size_t)len;
}

/* What a member hears, judged by tones. */
typedef struct ear {
    cf_decoder *decoder;
    int16_t heard[EAR_SAMPLES]; /* a ring */
    uint64_t samples;
} ear;

static inline void ear_open(ear *e, int codec) {
    *e = (ear){.decoder = cf_decoder_new(codec, cf_codec_clock(codec, 0))};
    if (e->decoder == NULL)
        fail("no decoder");
}

static inline void ear_hear(ear *e, const uint8_t *payload, size_t len) {
    int16_t pcm[CF_DECODE_MAX];
    int n = cf_decoder_decode(e->decoder, payload, len, pcm, CF_DECODE_MAX);
    for (int i = 0; i < n; i++)
        e->heard[e->samples++ % EAR_SAMPLES] = pcm[i];
}

/* Level of a tone in the last second against how it was said, in dB. */
static inline double ear_level(const ear *e, double hertz) {
    double re = 0, im = 0;
    for (int i = 0; i < EAR_SAMPLES; i++) {
        double a = 2 * M_PI * hertz * i / CF_RATE, w = 0.5 - 0.5 * cos(2 * M_PI * i / EAR_SAMPLES);
        double x = e->heard[(e->samples + (uint64_t)i) % EAR_SAMPLES];
        re += w * x * cos(a);
        im += w * x * sin(a);
    }
    double amplitude = 4 * sqrt(re * re + im * im) / EAR_SAMPLES;
    return 20 * log10(fmax(amplitude, 1e-3) / TONE_AMPLITUDE);
}

static inline int64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif

/* A sender with its own clock, a network with its own will, and a playout that hears what is left of it, in simulated
 * time. */
#ifndef CONFEROCORE_TESTS_PLAYLAB_H
#define CONFEROCORE_TESTS_PLAYLAB_H

#include "conferocore/playout.h"
#include "signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LAB_MS INT64_C(1000000)

enum { LAB_PENDING = 512, LAB_PCMU = 0, LAB_OPUS = 111, LAB_PCMA = 8 };

typedef struct lab_packet {
    int64_t arrival;
    cf_rtp rtp;
    uint8_t payload[CF_PAYLOAD_MAX];
} lab_packet;

typedef struct lab {
    /* what the case sets; zero is a perfect line */
    double ppm;       /* the sender's clock is so much too fast */
    double hz;        /* the tone that it sends; 0: silence */
    double amplitude; /* 0: 8000 */
    int ptime_ms;     /* 0: 20 */
    int burst;        /* the tone is only in each so manieth packet; 0: in all */
    int codec;        /* 0: PCMU */
    const cf_codec_params *opus;
    int level;            /* claimed for each packet, + 1; 0: nothing is claimed */
    const int16_t *voice; /* sent by Opus instead of the tone, over and over */
    size_t voice_len;
    int64_t delay;                                         /* ns, the least */
    int64_t jitter;                                        /* ns on top, uniform */
    int64_t (*more_delay)(struct lab *lab, int64_t frame); /* ns on top; -1: lost */
    double loss, duplicate;
    double reorder; /* packets held back by 50 ms */
    int64_t phase;  /* of the gets, ns */
    cf_playout_config config;

    cf_playout *playout;
    cf_encoder *encoder;
    cf_rng rng;
    uint32_t ssrc, ts;
    uint16_t seq;
    bool quiet;    /* the sender stops to send (DTX), its clock runs on */
    int64_t frame; /* next frame to send */
    int64_t tick;  /* next get */
    uint64_t sent, dropped, puts, put_late, put_full, put_bad;
    lab_packet pending[LAB_PENDING];
    size_t waiting;
    int kind; /* of the last get */
    uint64_t kinds[3];
    int16_t pcm[CF_FRAME];
} lab;

static inline void lab_open(lab *l, uint64_t seed) {
    cf_rng_seed(&l->rng, seed);
    l->ssrc = cf_rng_u32(&l->rng);
    l->seq = (uint16_t)(65500 + cf_rng_u32(&l->rng) % 30); /* wraps soon */
    l->ts = UINT32_MAX - 20000;
    l->ptime_ms = l->ptime_ms ? l->ptime_ms : 20;
    l->codec = l->codec ? l->codec : CF_CODEC_PCMU;
    l->amplitude = l->amplitude > 0 ? l->amplitude : 8000;
    l->delay = l->delay ? l->delay : 30 * LAB_MS;
    l->playout = cf_playout_new(&l->config);
    cf_playout_map(l->playout, LAB_PCMU, CF_CODEC_PCMU, 8000);
    cf_playout_map(l->playout, LAB_PCMA, CF_CODEC_PCMA, 8000);
    cf_playout_map(l->playout, LAB_OPUS, CF_CODEC_OPUS, 48000);
    if (l->opus)
        l->encoder = cf_encoder_new(l->opus);
}

static inline void lab_close(lab *l) {
    cf_playout_free(l->playout);
    cf_encoder_free(l->encoder);
}

static inline cf_playout_stats lab_stats(const lab *l) {
    cf_playout_stats stats;
    cf_playout_stats_get(l->playout, &stats);
    return stats;
}

/* When the sender's clock shows the end of frame i. */
static inline int64_t lab_sent_at(const lab *l, int64_t i) {
    return (int64_t)((double)(i + 1) * l->ptime_ms * (double)LAB_MS / (1 + l->ppm * 1e-6));
}

static inline size_t lab_encode(lab *l, uint8_t *out) {
    double amplitude = l->burst && l->frame % l->burst ? 0 : l->amplitude;
    if (l->encoder) {
        int16_t pcm[CF_FRAME];
        if (l->voice)
            memcpy(pcm, l->voice + (size_t)l->frame * CF_FRAME % l->voice_len, sizeof pcm);
        else
            test_tone(pcm, CF_FRAME, l->hz, CF_RATE, amplitude, (size_t)l->frame * CF_FRAME);
        return (size_t)cf_encoder_once(l->encoder, pcm, out, CF_PAYLOAD_MAX);
    }
    size_t n = (size_t)l->ptime_ms * 8;
    int16_t low[480];
    test_tone(low, n, l->hz, 8000, amplitude, (size_t)l->frame * n);
    for (size_t i = 0; i < n; i++)
        out[i] = l->codec == CF_CODEC_PCMA ? cf_alaw_encode(low[i]) : cf_ulaw_encode(low[i]);
    return n;
}

static inline void lab_enqueue(lab *l, const lab_packet *packet) {
    size_t i = l->waiting++;
    for (; i > 0 && l->pending[i - 1].arrival > packet->arrival; i--)
        l->pending[i] = l->pending[i - 1];
    l->pending[i] = *packet;
}

static inline void lab_send(lab *l) {
    lab_packet packet = {0};
    int rate = l->encoder ? 48000 : 8000;
    size_t len = lab_encode(l, packet.payload);
    int64_t more = l->more_delay ? l->more_delay(l, l->frame) : 0;
    bool lost = more == -1 || cf_rng_unit(&l->rng) < l->loss;
    packet.arrival = lab_sent_at(l, l->frame) + l->delay + (int64_t)(cf_rng_unit(&l->rng) * (double)l->jitter) + more;
    if (cf_rng_unit(&l->rng) < l->reorder)
        packet.arrival += 50 * LAB_MS;
    packet.rtp = (cf_rtp){.pt = l->encoder                  ? LAB_OPUS
                                : l->codec == CF_CODEC_PCMA ? LAB_PCMA
                                                            : LAB_PCMU,
                          .seq = l->seq,
                          .ts = l->ts,
                          .ssrc = l->ssrc,
                          .payload_len = len};
    l->frame++;
    l->ts += (uint32_t)(l->ptime_ms * rate / 1000);
    if (l->quiet)
        return;
    l->seq++;
    l->sent++;
    l->dropped += lost;
    if (!lost)
        lab_enqueue(l, &packet);
    if (!lost && cf_rng_unit(&l->rng) < l->duplicate) {
        packet.arrival += 7 * LAB_MS;
        lab_enqueue(l, &packet);
    }
}

static inline void lab_deliver(lab *l, int64_t until) {
    size_t n = 0;
    for (; n < l->waiting && l->pending[n].arrival <= until; n++) {
        lab_packet *packet = &l->pending[n];
        packet->rtp.payload = packet->payload;
        int result = cf_playout_put(l->playout, &packet->rtp, l->level - 1, packet->arrival);
        l->puts++;
        l->put_late += result == -EALREADY;
        l->put_full += result == -EOVERFLOW;
        l->put_bad += result == -EBADMSG;
    }
    memmove(l->pending, l->pending + n, (l->waiting - n) * sizeof *l->pending);
    l->waiting -= n;
}

/* When the next tick is; everything that comes until then is put. */
static inline int64_t lab_come(lab *l) {
    int64_t now = l->tick * 20 * LAB_MS + l->phase;
    while (lab_sent_at(l, l->frame) <= now)
        lab_send(l);
    lab_deliver(l, now);
    return now;
}

/* A tick at which nobody listens. */
static inline void lab_skip(lab *l) {
    int64_t now = lab_come(l);
    l->tick++;
    cf_playout_skip(l->playout, now);
}

/* One tick of the mixer: 20 ms. The frame is in l->pcm. */
static inline int lab_tick(lab *l) {
    int64_t now = lab_come(l);
    l->tick++;
    l->kind = cf_playout_get(l->playout, l->pcm, now);
    l->kinds[l->kind]++;
    return l->kind;
}

static inline void lab_run(lab *l, int64_t ms) {
    for (int64_t i = 0; i < ms / 20; i++)
        lab_tick(l);
}

static inline bool lab_all_zero(const int16_t *x) {
    for (int i = 0; i < CF_FRAME; i++)
        if (x[i])
            return false;
    return true;
}

/* Runs and hands out the largest second difference, over the frames' borders too. */
static inline int lab_bend_while(lab *l, int64_t ms) {
    int16_t x[CF_FRAME + 2];
    int bend = 0;
    for (int64_t i = 0; i < ms / 20; i++) {
        memcpy(x, l->pcm + CF_FRAME - 2, 2 * sizeof *x);
        lab_tick(l);
        memcpy(x + 2, l->pcm, sizeof l->pcm);
        int b = test_bend(x, CF_FRAME + 2);
        bend = b > bend ? b : bend;
    }
    return bend;
}

enum { LAB_BEND_440 = 60 }; /* of a mu-law tone of 440 Hz and amplitude 8000: 27 and the quantisation noise */

#endif

/* What sampled listeners hear: levels of tones, blocks without sound, clicks, and when bursts arrive. */
#include "load.h"

#include <math.h>

enum { QUIET_BLOCKS = 5 }; /* 50 ms without the burst's tone before it counts as new */

static ear *ear_open(load *l, int index) {
    for (int i = 0; i < l->plan.ears; i++) {
        ear *e = &l->ears[i];
        if (e->decoder != NULL && e->member == index)
            return e;
        if (e->decoder != NULL)
            continue;
        *e = (ear){.member = index,
                   .room = l->all[index].room,
                   .decoder = cf_decoder_new(l->plan.codec, (int)codec_step(l->plan.codec) * 50)};
        e->cap = (size_t)(l->plan.seconds + 2) * 100;
        e->tone = zeroed(e->cap, sizeof *e->tone);
        e->step = zeroed(e->cap, sizeof *e->step);
        if (e->decoder == NULL)
            fail("no decoder");
        return e;
    }
    return NULL;
}

/* The first talker, then the last members of rooms spread over all: those that listen, if somebody does; in one room
 * members from its end. */
void ears_open(load *l) {
    const plan *p = &l->plan;
    int size = p->members / p->rooms, listeners = size > p->talkers ? size - p->talkers : size;
    l->all[0].ear = ear_open(l, 0);
    for (int i = 0; i + 1 < p->ears; i++) {
        int in = (int)((int64_t)i * p->rooms / (p->ears - 1)), round = i - in * (p->ears - 1) / p->rooms;
        int apart = listeners / p->ears > 0 ? listeners / p->ears : 1;
        int index = (in + 1) * size - 1 - round * apart % listeners;
        if (l->all[index].ear == NULL)
            l->all[index].ear = ear_open(l, index);
    }
}

/* Amplitude of a tone in a block whose length holds whole periods of it. */
static float tone_in(const int16_t *pcm, int n, double hertz) {
    double c = 2 * cos(2 * M_PI * hertz / CF_RATE), s1 = 0, s2 = 0;
    for (int i = 0; i < n; i++) {
        double s = pcm[i] + c * s1 - s2;
        s2 = s1;
        s1 = s;
    }
    return (float)(2 * sqrt(fmax(0, s1 * s1 + s2 * s2 - c * s1 * s2)) / n);
}

static float loudness(const int16_t *pcm) {
    double sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += (double)pcm[i] * pcm[i];
    return (float)sqrt(sum / BLOCK);
}

static float largest_step(const ear *e, const int16_t *pcm) {
    int before = e->samples >= 2 ? e->heard[(e->samples - 1) % CF_RATE] : pcm[0];
    int earlier = e->samples >= 2 ? e->heard[(e->samples - 2) % CF_RATE] : pcm[0], most = 0;
    for (int i = 0; i < BLOCK; i++) {
        int step = abs(pcm[i] - 2 * before + earlier);
        most = step > most ? step : most;
        earlier = before;
        before = pcm[i];
    }
    return (float)most;
}

static const burst *burst_before(const load *l, const ear *e, int64_t stamp) {
    const room *r = &l->rooms[e->room];
    for (uint64_t i = r->bursts; i > 0 && i + 2 * BURSTS > r->bursts; i--) {
        const burst *b = &r->last[(i - 1) % (2 * BURSTS)];
        if (b->sent_at <= stamp && b->member != e->member)
            return b;
    }
    return NULL;
}

/* The tone has come after a pause: the delay is that of the packet in which it is audible. */
static void burst_heard(load *l, ear *e, int64_t stamp) {
    const burst *b = burst_before(l, e, stamp);
    if (b == NULL || b->sent_at == e->last_burst || b->sent_at < l->measure_from ||
        stamp - b->sent_at > DELAY_MAX_MS * MS || b->sent_at >= l->end - DELAY_MAX_MS * MS)
        return;
    e->last_burst = b->sent_at;
    e->bursts++;
    if (l->delay_count < l->delay_cap)
        l->delays[l->delay_count++] = (float)(stamp - b->sent_at) / MS;
}

static void hear_block(load *l, ear *e, const int16_t *pcm, int64_t stamp) {
    float tone = tone_in(pcm, BLOCK, BURST_HZ);
    if (tone > BURST_AMPLITUDE / 4.0) {
        if (e->quiet_blocks >= QUIET_BLOCKS)
            burst_heard(l, e, stamp);
        e->quiet_blocks = 0;
    } else if (tone < BURST_AMPLITUDE / 8.0) {
        e->quiet_blocks++;
    }
    if (stamp >= l->measure_from && stamp < l->end && e->blocks < e->cap) {
        e->tone[e->blocks] = is_crowd(&l->plan) ? loudness(pcm) : tone_in(pcm, BLOCK, talker_hertz(&l->plan, 0));
        e->step[e->blocks++] = largest_step(e, pcm);
    }
    for (int i = 0; i < BLOCK; i++)
        e->heard[e->samples++ % CF_RATE] = pcm[i];
}

/* A packet that is missing is concealed, as a listener would: what is lost on the way is counted elsewhere. */
void ear_hear(load *l, ear *e, const cf_rtp *rtp, int64_t stamp) {
    int16_t pcm[CF_DECODE_MAX];
    int16_t missing = cf_seq_diff(rtp->seq, e->next_seq);
    if (e->started && missing < 0)
        return;
    for (int i = 0; e->started && i < missing && i < 10; i++) {
        cf_decoder_conceal(e->decoder, pcm, CF_FRAME);
        for (int at = 0; at + BLOCK <= CF_FRAME; at += BLOCK)
            hear_block(l, e, pcm + at, stamp);
    }
    e->started = true;
    e->next_seq = (uint16_t)(rtp->seq + 1);
    int n = cf_decoder_decode(e->decoder, rtp->payload, rtp->payload_len, pcm, CF_DECODE_MAX);
    for (int at = 0; at + BLOCK <= n; at += BLOCK)
        hear_block(l, e, pcm + at, stamp);
}

double ear_level(const ear *e, double hertz) {
    double re = 0, im = 0;
    for (int i = 0; i < CF_RATE; i++) {
        double a = 2 * M_PI * hertz * i / CF_RATE, w = 0.5 - 0.5 * cos(2 * M_PI * i / CF_RATE);
        double x = e->heard[(e->samples + (uint64_t)i) % CF_RATE];
        re += w * x * cos(a);
        im += w * x * sin(a);
    }
    return 4 * sqrt(re * re + im * im) / CF_RATE;
}

/* How a playout fills its buffer: packets decoded when they are due, lost ones rebuilt from their successor or
 * concealed.
 *
 * `tail` is the media time up to which the buffer is filled, so tail - count is what is played next, and its distance
 * from the clock is the delay. Concealing without moving tail makes the delay longer, which is what a late packet asks
 * for; moving tail over a gap that has been concealed already takes it back, which is what a lost packet asks for.
 * Which of the two it was shows when the next packet is there. */
#include "opus_face.h"
#include "playout_impl.h"

#include <string.h>

#define MS INT64_C(1000000)
#define FEC_HOLD_NS (10000 * MS)

enum {
    QUANTUM = 120,       /* concealment comes in multiples of 2.5 ms */
    FADE_FROM = 48 * 60, /* concealment begins to fade after 60 ms ... */
    FADE_TO = 48 * 160,  /* ... and has ended after 160 ms: then the stream rests */
    EDGE = 240,          /* samples of a fade in or out, or of a bridge over a seam: 5 ms */
};

static size_t rounded_up(size_t n) {
    return (n + QUANTUM - 1) / QUANTUM * QUANTUM;
}

/* x[i] *= gain, going from `from` to `to` in thousandths. */
static void fade(int16_t *x, size_t n, int from, int to) {
    for (size_t i = 0; i < n; i++)
        x[i] = (int16_t)(x[i] * (from + (to - from) * (int)(i + 1) / (int)n) / 1000);
}

static int fade_gain(uint32_t run) {
    return run <= FADE_FROM ? 1000 : run >= FADE_TO ? 0 : (int)(1000 * (FADE_TO - run) / (FADE_TO - FADE_FROM));
}

static void push_zeros(cf_playout *p, size_t n) {
    memset(cf_waiting(p) + p->count, 0, n * sizeof *p->pcm);
    p->count += n;
}

/* At least n samples of concealment, fading as the gap grows: how many. */
static size_t conceal(cf_playout *p, size_t n) {
    n = rounded_up(n);
    int16_t *at = cf_waiting(p) + p->count;
    if (!p->decoder || p->run >= FADE_TO || cf_decoder_conceal(p->decoder, at, n) < 0) {
        push_zeros(p, n);
        return n;
    }
    for (size_t i = 0; i < n; i += QUANTUM, p->run += QUANTUM)
        fade(at + i, QUANTUM, fade_gain(p->run), fade_gain(p->run + QUANTUM));
    p->count += n;
    p->concealed_end = p->count;
    p->stats.concealed += n;
    return n;
}

static void push_audio(cf_playout *p, size_t n) {
    if (p->rested) {
        fade(cf_waiting(p) + p->count, n < EDGE ? n : EDGE, 0, 1000);
        p->rested = false;
    }
    p->count += n;
    p->audio_end = p->count;
    p->run = 0;
}

static void rest(cf_playout *p) {
    p->playing = false;
    p->debt = 0;
    p->seam = false;
}

void cf_playout_break(cf_playout *p) {
    if (p->playing) {
        if (p->count < EDGE)
            conceal(p, EDGE);
        p->count = p->count < CF_FRAME ? p->count : CF_FRAME;
        p->audio_end = p->count;
        fade(cf_waiting(p) + p->count - EDGE, EDGE, 1000, 0);
    }
    rest(p);
}

/* The sender has said that it is silent now: that is no loss to conceal. */
static void fall_silent(cf_playout *p) {
    cf_playout_break(p);
    push_zeros(p, CF_FRAME - p->count);
}

/* The first samples at `x` go over from `old` to what they are. */
static void blend(int16_t *x, const int16_t *old, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = (int16_t)((x[i] * (int)(i + 1) + old[i] * (int)(n - i)) / (int)(n + 1));
}

/* How the sound would go on for a moment if nothing came: what a packet that does not join on is blended with. */
static size_t continuation(cf_playout *p, int16_t *x, size_t n) {
    if (!p->decoder || p->rested || cf_decoder_conceal(p->decoder, x, n) < 0)
        return 0;
    fade(x, n, fade_gain(p->run), fade_gain(p->run + (uint32_t)n));
    return n;
}

/* The packet's place is the kept ones' from now on. */
static void decoded_now(cf_playout *p, const cf_packet *packet) {
    p->tail = packet->pos + packet->samples;
    p->level = packet->level;
    p->decoded = packet->seq;
    p->fresh = false;
    cf_store_retire(&p->store, packet);
}

/* Decodes a packet whose first `skip` samples are no longer wanted. */
static void decode(cf_playout *p, cf_packet *packet, size_t skip) {
    int64_t pos = packet->pos;
    cf_decoder *decoder = cf_playout_decoder(p, packet);
    int16_t *at = cf_waiting(p) + p->count, old[2 * EDGE];
    size_t bridge = skip > 0 || p->decoder != decoder ? continuation(p, old, 2 * EDGE) : 0;
    if (p->decoder != decoder)
        cf_decoder_reset(decoder);
    p->decoder = decoder;
    int decoded = cf_decoder_decode(decoder, cf_store_payload(&p->store, packet), packet->len, at, CF_DECODE_MAX);
    p->whole = decoded == CF_FRAME && p->count + skip + bridge + p->run == 0 && !p->rested;
    decoded_now(p, packet);
    if (decoded < 0) {
        p->stats.undecodable++;
        conceal(p, (size_t)(p->tail - pos));
        return;
    }
    size_t n = (size_t)decoded - skip;
    memmove(at, at + skip, n * sizeof *at);
    blend(at, old, n < bridge ? n : bridge);
    push_audio(p, n);
}

static bool has_fec(const cf_playout *p, const cf_packet *packet) {
    return p->entries[packet->entry].codec == CF_CODEC_OPUS &&
           cf_opus_has_fec(cf_store_payload(&p->store, packet), packet->len);
}

/* The packet's own copy of the last frame before it, if there is one and the gap has room for it: samples, or 0. */
static size_t frame_in_fec(cf_playout *p, const cf_packet *packet, int64_t gap) {
    if (p->decoder != cf_playout_decoder(p, packet) || !has_fec(p, packet))
        return 0;
    int frame = opus_packet_get_samples_per_frame(cf_store_payload(&p->store, packet), CF_RATE);
    return gap >= frame ? (size_t)frame : 0;
}

/* Fills (part of) a gap before a packet that is there already. */
static void fill_gap(cf_playout *p, cf_packet *packet, int64_t gap, bool lost, size_t need) {
    size_t frame = lost ? frame_in_fec(p, packet, gap) : 0;
    if (frame == 0 || gap > (int64_t)frame) {
        int64_t most = gap - (int64_t)frame;
        size_t n = rounded_up(need), before = p->count;
        if ((int64_t)n > most)
            n = (size_t)most;
        conceal(p, n);
        p->count = before + n; /* what was made beyond the gap is not needed */
        p->tail += (int64_t)n;
        return;
    }
    int n = cf_decoder_decode_fec(p->decoder, cf_store_payload(&p->store, packet), packet->len,
                                  cf_waiting(p) + p->count, frame);
    if (n > 0) {
        push_audio(p, (size_t)n);
        p->stats.recovered++;
        if (p->now < p->fec_until)
            p->fec_until = p->now + FEC_HOLD_NS;
    } else {
        conceal(p, frame);
    }
    p->tail += (int64_t)frame;
}

/* Concealment that was played while nothing was there covers the first part of the gap before this packet. */
static void settle(cf_playout *p, cf_packet *packet, bool lost) {
    int64_t gap = packet->pos - p->tail;
    int64_t credit = gap < p->debt ? gap : p->debt;
    if (credit > 0) {
        p->tail += credit;
        if (lost && has_fec(p, packet))
            p->fec_until = p->now + FEC_HOLD_NS; /* it would have mended this, had we waited for it */
    }
    p->debt = 0;
}

void cf_playout_step(cf_playout *p, size_t need) {
    cf_packet *packet = cf_store_first(&p->store);
    bool ended = p->run >= FADE_TO;
    if (!packet || (ended && packet->pos > p->tail)) {
        if (!packet && cf_store_pauses(&p->store)) {
            fall_silent(p);
        } else if (ended || !p->decoder) {
            push_zeros(p, need);
            rest(p);
        } else {
            p->debt += (int64_t)conceal(p, need);
        }
        return;
    }
    bool lost = cf_store_gap(&p->store, packet->seq), silent = !lost && packet->seq > p->store.next;
    settle(p, packet, lost);
    int64_t gap = packet->pos - p->tail;
    if (gap > 0 && p->rested) {
        size_t n = (int64_t)need < gap ? need : (size_t)gap;
        push_zeros(p, n);
        p->tail += (int64_t)n;
    } else if (gap >= CF_FRAME && silent) {
        fall_silent(p);
    } else if (gap > 0) {
        fill_gap(p, packet, gap, lost, need);
    } else if (packet->seq > p->store.next) {
        cf_playout_advance(p, packet->seq);
    } else if (-gap >= packet->samples) {
        cf_playout_drop_first(p);
    } else {
        if (p->seam)
            conceal(p, EDGE);
        p->seam = false;
        decode(p, packet, (size_t)-gap);
    }
}

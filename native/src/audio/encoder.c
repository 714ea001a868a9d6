/* The codec face's encoders: 20 ms of the mix in, the packets of a leg's own length out. */
#include "base/lazy.h"
#include "codec_form.h"
#include "conferocore/resample.h"
#include "g711.h"
#include "g722.h"
#include "l16.h"
#include "opus_face.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cf_encoder {
    cf_codec_params params; /* complete: no "default" left */
    cf_codec_form form;
    OpusEncoder *opus;      /* Opus only */
    bool begun;             /* opus is in use: a leg that never talks never touches its memory */
    cf_resampler resampler; /* the others, below 48 kHz */
    cf_g722 g722;
    int tick, packet;  /* samples on the wire of 20 ms and of a packet */
    int held;          /* samples that wait for the rest of their packet, in `waiting` */
    int16_t waiting[]; /* packets longer than a tick only */
};

static int ratio(const cf_encoder *encoder) {
    return CF_RATE / encoder->form.rate;
}

static OpusEncoder *opus_begun(cf_encoder *encoder) {
    if (!encoder->begun)
        cf_opus_encoder_begin(encoder->opus, &encoder->params);
    encoder->begun = true;
    return encoder->opus;
}

/* All that has a state; what it was made with stays. */
void cf_encoder_reset(cf_encoder *encoder) {
    encoder->held = 0;
    encoder->begun = false;
    cf_g722_init(&encoder->g722);
    if (!encoder->opus && ratio(encoder) > 1)
        cf_resampler_init(&encoder->resampler, ratio(encoder));
}

cf_encoder *cf_encoder_new(const cf_codec_params *params) {
    cf_codec_params full = *params;
    if (cf_codec_complete(&full))
        return NULL;
    cf_codec_form form = cf_codec_form_of(full.codec, full.rate);
    int tick = form.rate / CF_TICKS, packet = form.rate / 1000 * full.ptime_ms;
    size_t room = packet > tick ? (size_t)(packet + tick) : 0;
    cf_encoder *encoder = calloc(1, sizeof *encoder + room * sizeof *encoder->waiting);
    if (!encoder)
        return NULL;
    *encoder = (cf_encoder){.params = full, .form = form, .tick = tick, .packet = packet};
    if (full.codec == CF_CODEC_OPUS && !(encoder->opus = cf_opus_encoder_new(&full))) {
        free(encoder);
        return NULL;
    }
    cf_encoder_reset(encoder);
    return encoder;
}

void cf_encoder_align(cf_encoder *encoder, uint64_t tick) {
    enum { WHOLE = 6 }; /* ticks that hold whole packets of every length */
    if (encoder->packet <= encoder->tick)
        return;
    encoder->held = (int)(tick % WHOLE) * encoder->tick % encoder->packet;
    memset(encoder->waiting, 0, (size_t)encoder->held * sizeof *encoder->waiting);
}

void cf_encoder_free(cf_encoder *encoder) {
    if (encoder)
        cf_lazy_free(encoder->opus);
    free(encoder);
}

/* A packet's samples to its payload: the length or a negative errno. */
static int encode_packet(cf_encoder *encoder, const int16_t *pcm, uint8_t *out) {
    size_t n = (size_t)encoder->packet;
    switch (encoder->params.codec) {
    case CF_CODEC_OPUS:
        return cf_opus_encode(opus_begun(encoder), pcm, encoder->packet, encoder->params.channels, out);
    case CF_CODEC_G722:
        cf_g722_encode(&encoder->g722, pcm, n / 2, out);
        break;
    case CF_CODEC_L16:
        cf_l16_encode(pcm, n, out);
        break;
    default:
        cf_g711_encode(encoder->params.codec, pcm, n, out);
    }
    return encoder->packet / encoder->form.per * encoder->form.octets;
}

/* Whole packets out of n samples, the first of which lies `at` samples after the tick's; how many were used. */
static int encode_packets(cf_encoder *encoder, const int16_t *pcm, int n, int at, cf_encoded *out) {
    int used = 0;
    for (; n - used >= encoder->packet; used += encoder->packet) {
        int len = encode_packet(encoder, pcm + used, out->payload[out->count]);
        if (len < 0)
            return len;
        out->part[out->count].len = (uint16_t)len;
        out->part[out->count++].offset = (at + used) * ratio(encoder);
    }
    return used;
}

/* A packet longer than a tick is gathered first. */
static int gather(cf_encoder *encoder, const int16_t *pcm, cf_encoded *out) {
    int16_t *waiting = encoder->waiting;
    memcpy(waiting + encoder->held, pcm, (size_t)encoder->tick * sizeof *pcm);
    int n = encoder->held + encoder->tick, used = encode_packets(encoder, waiting, n, -encoder->held, out);
    int gone = used < 0 ? n : used; /* what cannot be encoded is not tried again */
    encoder->held = n - gone;
    memmove(waiting, waiting + gone, (size_t)encoder->held * sizeof *waiting);
    return used;
}

int cf_encoder_encode(cf_encoder *encoder, const int16_t pcm[CF_FRAME], cf_encoded *out) {
    int16_t low[CF_FRAME];
    out->count = 0;
    if (ratio(encoder) > 1) {
        cf_resample_down(&encoder->resampler, pcm, CF_FRAME, low);
        pcm = low;
    }
    int used = encoder->packet > encoder->tick ? gather(encoder, pcm, out)
                                               : encode_packets(encoder, pcm, encoder->tick, 0, out);
    if (used >= 0)
        return 0;
    out->count = 0;
    return used;
}

static bool alike(const cf_codec_params *a, const cf_codec_params *b) {
    return a->codec == b->codec && a->low_delay == b->low_delay && a->ptime_ms == b->ptime_ms &&
           a->channels == b->channels && (a->codec == CF_CODEC_OPUS || a->rate == b->rate);
}

int cf_encoder_clone(cf_encoder *dst, cf_encoder *src) {
    if (!alike(&dst->params, &src->params))
        return -EINVAL;
    dst->resampler = src->resampler;
    dst->g722 = src->g722;
    dst->held = src->held;
    memcpy(dst->waiting, src->waiting, (size_t)src->held * sizeof *src->waiting);
    if (!dst->opus)
        return 0;
    cf_opus_encoder_copy(dst->opus, opus_begun(src), dst->params.channels);
    dst->begun = true;
    return cf_opus_encoder_apply(dst->opus, &dst->params);
}

int cf_encoder_set_loss(cf_encoder *encoder, int percent) {
    if (percent < 0 || percent > 100)
        return -EINVAL;
    if (!encoder->begun)
        return 0;
    encoder->params.loss_percent = percent;
    return cf_opus_encoder_apply(encoder->opus, &encoder->params);
}

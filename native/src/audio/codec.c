/* One face for Opus and G.711: 48 kHz mono frames on this side, payloads on the other. */
#include "conferocore/codec.h"

#include "conferocore/resample.h"
#include "g711.h"
#include "opus_face.h"
#include "plc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { G711_RATIO = CF_RATE / 8000, G711_FRAME = CF_FRAME / G711_RATIO, G711_MAX = CF_DECODE_MAX / G711_RATIO };
enum { CONCEAL_UNIT = 480 }; /* samples: the least that SILK conceals, and by which it always goes on */
enum { BITRATE_DEFAULT = 32000, BITRATE_MIN = 6000, BITRATE_MAX = 510000, COMPLEXITY_DEFAULT = 5 };

struct cf_encoder {
    cf_codec_params params; /* complete: no "default" left */
    OpusEncoder *opus;      /* NULL: G.711 */
    cf_resampler resampler; /* G.711 */
};

struct cf_decoder {
    int codec;
    OpusDecoder *opus;           /* NULL: G.711 */
    bool celt;                   /* Opus: the last payload was CELT alone, from which no FEC can go on */
    int16_t spare[CONCEAL_UNIT]; /* Opus: concealed and not yet asked for; the last `spare_count` of them */
    size_t spare_count;
    cf_resampler resampler;
    cf_plc plc;
};

static bool is_g711(int codec) {
    return codec == CF_CODEC_PCMU || codec == CF_CODEC_PCMA;
}
static bool within(int v, int lo, int hi) {
    return v >= lo && v <= hi;
}

/* Fills in the defaults; false if the codec cannot be run like that. */
static bool complete(cf_codec_params *p) {
    p->bitrate = p->bitrate ? p->bitrate : BITRATE_DEFAULT;
    p->complexity = p->complexity == -1 ? COMPLEXITY_DEFAULT : p->complexity;
    p->ptime_ms = p->ptime_ms ? p->ptime_ms : 20;
    return (is_g711(p->codec) || p->codec == CF_CODEC_OPUS) && p->ptime_ms == 20 &&
           within(p->bitrate, BITRATE_MIN, BITRATE_MAX) && within(p->complexity, 0, 10) && within(p->fec, 0, 1) &&
           within(p->loss_percent, 0, 100) && within(p->low_delay, 0, 1);
}

cf_encoder *cf_encoder_new(const cf_codec_params *params) {
    cf_codec_params full = *params;
    if (!complete(&full))
        return NULL;
    cf_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return NULL;
    encoder->params = full;
    cf_resampler_init(&encoder->resampler, G711_RATIO);
    if (full.codec == CF_CODEC_OPUS && !(encoder->opus = cf_opus_encoder_new(&full))) {
        free(encoder);
        return NULL;
    }
    return encoder;
}

void cf_encoder_free(cf_encoder *encoder) {
    if (encoder)
        free(encoder->opus);
    free(encoder);
}

int cf_encoder_encode(cf_encoder *encoder, const int16_t *pcm, uint8_t *out, size_t cap) {
    if (encoder->opus)
        return cf_opus_encode(encoder->opus, pcm, out, cap);
    if (cap < G711_FRAME)
        return -ENOSPC;
    int16_t low[G711_FRAME];
    cf_resample_down(&encoder->resampler, pcm, CF_FRAME, low);
    cf_g711_encode(encoder->params.codec, low, G711_FRAME, out);
    return G711_FRAME;
}

int cf_encoder_clone(cf_encoder *dst, const cf_encoder *src) {
    if (dst->params.codec != src->params.codec || dst->params.low_delay != src->params.low_delay)
        return -EINVAL;
    dst->resampler = src->resampler;
    if (!dst->opus)
        return 0;
    cf_opus_encoder_copy(dst->opus, src->opus);
    return cf_opus_encoder_apply(dst->opus, &dst->params);
}

int cf_encoder_set_loss(cf_encoder *encoder, int percent) {
    if (!within(percent, 0, 100))
        return -EINVAL;
    encoder->params.loss_percent = percent;
    return encoder->opus ? cf_opus_encoder_apply(encoder->opus, &encoder->params) : 0;
}

void cf_encoder_reset(cf_encoder *encoder) {
    cf_resampler_init(&encoder->resampler, G711_RATIO);
    if (encoder->opus)
        opus_encoder_ctl(encoder->opus, OPUS_RESET_STATE);
}

cf_decoder *cf_decoder_new(int codec) {
    if (!is_g711(codec) && codec != CF_CODEC_OPUS)
        return NULL;
    cf_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return NULL;
    decoder->codec = codec;
    if (codec == CF_CODEC_OPUS && !(decoder->opus = cf_opus_decoder_new())) {
        free(decoder);
        return NULL;
    }
    cf_decoder_reset(decoder);
    return decoder;
}

void cf_decoder_free(cf_decoder *decoder) {
    if (decoder)
        free(decoder->opus);
    free(decoder);
}

void cf_decoder_reset(cf_decoder *decoder) {
    decoder->celt = false;
    decoder->spare_count = 0;
    cf_resampler_init(&decoder->resampler, G711_RATIO);
    cf_plc_init(&decoder->plc);
    if (decoder->opus)
        opus_decoder_ctl(decoder->opus, OPUS_RESET_STATE);
}

int cf_decoder_duration(int codec, const uint8_t *payload, size_t len) {
    if (codec == CF_CODEC_OPUS)
        return cf_opus_duration(payload, len);
    return is_g711(codec) && len > 0 && len <= G711_MAX ? (int)len * G711_RATIO : -EBADMSG;
}

static int decode_g711(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm) {
    int16_t low[G711_MAX];
    cf_g711_decode(decoder->codec, payload, len, low);
    cf_plc_good(&decoder->plc, low, len);
    cf_resample_up(&decoder->resampler, low, len, pcm);
    return (int)len * G711_RATIO;
}

int cf_decoder_decode(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm, size_t cap) {
    int samples = cf_decoder_duration(decoder->codec, payload, len);
    if (samples < 0)
        return samples;
    if ((size_t)samples > cap)
        return -ENOSPC;
    if (!decoder->opus)
        return decode_g711(decoder, payload, len, pcm);
    decoder->spare_count = 0;
    samples = opus_decode(decoder->opus, payload, (opus_int32)len, pcm, samples, 0);
    decoder->celt = cf_opus_is_celt(payload[0]);
    return samples > 0 ? samples : -EBADMSG;
}

int cf_decoder_decode_fec(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm, size_t samples) {
    if (!decoder->opus || decoder->celt || samples > CF_DECODE_MAX || !cf_opus_has_fec(payload, len) ||
        samples < (size_t)opus_packet_get_samples_per_frame(payload, CF_RATE))
        return 0;
    decoder->spare_count = 0;
    int n = opus_decode(decoder->opus, payload, (opus_int32)len, pcm, (int)samples, 1);
    return n > 0 ? n : 0;
}

static size_t take_spare(cf_decoder *decoder, int16_t *pcm, size_t samples) {
    size_t n = samples < decoder->spare_count ? samples : decoder->spare_count;
    memcpy(pcm, decoder->spare + CONCEAL_UNIT - decoder->spare_count, n * sizeof *pcm);
    decoder->spare_count -= n;
    return n;
}

/* libopus goes on by whole units, however few samples it hands out: pieces join only if the rest of a unit is kept. */
static int conceal_opus(cf_decoder *decoder, int16_t *pcm, size_t samples) {
    size_t done = take_spare(decoder, pcm, samples);
    while (done < samples) {
        bool whole = samples - done >= CONCEAL_UNIT;
        int16_t *at = whole ? pcm + done : decoder->spare;
        if (opus_decode(decoder->opus, NULL, 0, at, CONCEAL_UNIT, 0) != CONCEAL_UNIT)
            return -EBADMSG;
        decoder->spare_count = whole ? 0 : CONCEAL_UNIT;
        done += whole ? CONCEAL_UNIT : take_spare(decoder, pcm + done, samples - done);
    }
    return (int)samples;
}

int cf_decoder_conceal(cf_decoder *decoder, int16_t *pcm, size_t samples) {
    if (samples == 0 || samples % 120 || samples > CF_DECODE_MAX)
        return -EINVAL;
    if (decoder->opus)
        return conceal_opus(decoder, pcm, samples);
    int16_t low[G711_MAX];
    cf_plc_conceal(&decoder->plc, low, samples / G711_RATIO);
    cf_resample_up(&decoder->resampler, low, samples / G711_RATIO, pcm);
    return (int)samples;
}

/* The codec face's decoders: payloads in, 48 kHz mono out, and what is heard when none came. */
#include "base/lazy.h"
#include "codec_form.h"
#include "conferocore/resample.h"
#include "g711.h"
#include "g722.h"
#include "l16.h"
#include "opus_face.h"
#include "plc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CONCEAL_UNIT = 480 };          /* samples: the least that SILK conceals, and by which it always goes on */
enum { LOW_MAX = CF_DECODE_MAX / 2 }; /* samples below 48 kHz of 120 ms */

struct cf_decoder {
    int codec;
    cf_codec_form form;
    OpusDecoder *opus;           /* NULL: another codec */
    bool begun;                  /* opus is in use: who is never heard never touches its memory */
    bool celt;                   /* Opus: the last payload was CELT alone, from which no FEC can go on */
    int16_t spare[CONCEAL_UNIT]; /* Opus: concealed and not yet asked for; the last `spare_count` of them */
    size_t spare_count;
    cf_resampler resampler;
    cf_g722 g722;
    cf_plc plc;
    int16_t heard[]; /* the concealment's memory, at the rate of the wire; not Opus */
};

static size_t ratio(const cf_decoder *decoder) {
    return (size_t)(CF_RATE / decoder->form.rate);
}

cf_decoder *cf_decoder_new(int codec, int clock_rate) {
    cf_codec_form form = cf_codec_form_of(codec, clock_rate);
    if (!form.rate)
        return NULL;
    size_t room = codec == CF_CODEC_OPUS ? 0 : cf_plc_room(form.rate);
    cf_decoder *decoder = calloc(1, sizeof *decoder + room * sizeof *decoder->heard);
    if (!decoder)
        return NULL;
    decoder->codec = codec;
    decoder->form = form;
    if (codec == CF_CODEC_OPUS && !(decoder->opus = cf_opus_decoder_new())) {
        free(decoder);
        return NULL;
    }
    cf_decoder_reset(decoder);
    return decoder;
}

void cf_decoder_free(cf_decoder *decoder) {
    if (decoder)
        cf_lazy_free(decoder->opus);
    free(decoder);
}

static OpusDecoder *opus_begun(cf_decoder *decoder) {
    if (!decoder->begun)
        cf_opus_decoder_begin(decoder->opus);
    decoder->begun = true;
    return decoder->opus;
}

void cf_decoder_reset(cf_decoder *decoder) {
    decoder->celt = false;
    decoder->spare_count = 0;
    decoder->begun = false;
    if (decoder->opus)
        return;
    if (ratio(decoder) > 1)
        cf_resampler_init(&decoder->resampler, (int)ratio(decoder));
    cf_g722_init(&decoder->g722);
    cf_plc_init(&decoder->plc, decoder->form.rate, decoder->heard);
}

int cf_decoder_duration(int codec, int clock_rate, const uint8_t *payload, size_t len) {
    if (codec == CF_CODEC_OPUS)
        return cf_opus_duration(payload, len);
    cf_codec_form form = cf_codec_form_of(codec, clock_rate);
    if (!form.rate || len == 0 || len > CF_DECODE_MAX * sizeof(int16_t) || len % (size_t)form.octets)
        return -EBADMSG;
    int samples = (int)len / form.octets * form.per * (CF_RATE / form.rate);
    return samples <= CF_DECODE_MAX ? samples : -EBADMSG;
}

static void decode_wire(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *out) {
    switch (decoder->codec) {
    case CF_CODEC_G722:
        cf_g722_decode(&decoder->g722, payload, len, out);
        break;
    case CF_CODEC_L16:
        cf_l16_decode(payload, len / 2, out);
        break;
    default:
        cf_g711_decode(decoder->codec, payload, len, out);
    }
}

/* n samples at the rate of the wire to 48 kHz; at 48 kHz they are there already. */
static void raise(cf_decoder *decoder, const int16_t *wire, size_t n, int16_t *pcm) {
    if (ratio(decoder) > 1)
        cf_resample_up(&decoder->resampler, wire, n, pcm);
}

static int decode_pcm(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm, size_t samples) {
    int16_t low[LOW_MAX], *wire = ratio(decoder) > 1 ? low : pcm;
    decode_wire(decoder, payload, len, wire);
    cf_plc_good(&decoder->plc, wire, samples / ratio(decoder));
    raise(decoder, wire, samples / ratio(decoder), pcm);
    return (int)samples;
}

int cf_decoder_decode(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm, size_t cap) {
    int samples = cf_decoder_duration(decoder->codec, decoder->form.clock, payload, len);
    if (samples < 0)
        return samples;
    if ((size_t)samples > cap)
        return -ENOSPC;
    if (!decoder->opus)
        return decode_pcm(decoder, payload, len, pcm, (size_t)samples);
    decoder->spare_count = 0;
    samples = opus_decode(opus_begun(decoder), payload, (opus_int32)len, pcm, samples, 0);
    decoder->celt = cf_opus_is_celt(payload[0]);
    return samples > 0 ? samples : -EBADMSG;
}

int cf_decoder_decode_fec(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm, size_t samples) {
    if (!decoder->opus || decoder->celt || samples > CF_DECODE_MAX || !cf_opus_has_fec(payload, len) ||
        samples < (size_t)opus_packet_get_samples_per_frame(payload, CF_RATE))
        return 0;
    decoder->spare_count = 0;
    int n = opus_decode(opus_begun(decoder), payload, (opus_int32)len, pcm, (int)samples, 1);
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
        if (opus_decode(opus_begun(decoder), NULL, 0, at, CONCEAL_UNIT, 0) != CONCEAL_UNIT)
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
    int16_t low[LOW_MAX], *wire = ratio(decoder) > 1 ? low : pcm;
    cf_plc_conceal(&decoder->plc, wire, samples / ratio(decoder));
    raise(decoder, wire, samples / ratio(decoder), pcm);
    return (int)samples;
}

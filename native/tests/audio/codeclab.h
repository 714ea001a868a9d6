/* What the tests of the codec face share: settings, signals, and a stream of payloads. */
#ifndef CONFEROCORE_TESTS_CODECLAB_H
#define CONFEROCORE_TESTS_CODECLAB_H

#include "../testlib.h"
#include "conferocore/codec.h"
#include "signals.h"

enum { FRAMES = 100, SAMPLES = FRAMES * CF_FRAME };

static const cf_codec_params settings[] = {
    {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .complexity = -1},
    {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .bitrate = 24000, .complexity = 5},
    {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .bitrate = 32000, .complexity = 5, .fec = 1, .loss_percent = 15},
    {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .bitrate = 32000, .complexity = 5, .low_delay = 1},
    {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .bitrate = 64000, .complexity = 9},
    {.codec = CF_CODEC_PCMU, .ptime_ms = 20},
    {.codec = CF_CODEC_PCMA},
    {.codec = CF_CODEC_G722},
    {.codec = CF_CODEC_L16, .rate = 8000},
    {.codec = CF_CODEC_L16},
    {.codec = CF_CODEC_L16, .rate = 24000},
    {.codec = CF_CODEC_OPUS, .bitrate = 24000, .complexity = 5, .rate = 16000},
    {.codec = CF_CODEC_OPUS, .bitrate = 48000, .complexity = 5, .channels = 2},
    {.codec = CF_CODEC_OPUS, .bitrate = 48000, .complexity = 5, .low_delay = 1, .channels = 2},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };
static const cf_codec_params *const fec_setting = &settings[2];

__attribute__((unused)) static int16_t speech[SAMPLES], other[SAMPLES], out[SAMPLES];
static uint8_t payloads[FRAMES][CF_PAYLOAD_MAX];
static int lengths[FRAMES];

static inline cf_decoder *decoder_of(const cf_codec_params *params) {
    return cf_decoder_new(params->codec, cf_codec_clock(params->codec, params->rate));
}

static inline void encode_all(const cf_codec_params *params, const int16_t *pcm) {
    cf_encoder *encoder = cf_encoder_new(params);
    for (int i = 0; i < FRAMES; i++)
        CHECK((lengths[i] = cf_encoder_once(encoder, pcm + i * CF_FRAME, payloads[i], CF_PAYLOAD_MAX)) > 0);
    cf_encoder_free(encoder);
}

#endif

/* The level of a packet that can be told without its decoder: that of what the decoder makes of it. */
#include "audio/estimate.h"
#include "audio/silk_gain.h"
#include "audio/store.h"
#include "codeclab.h"
#include "conferocore/mixer.h"

static void test_pcm_is_measured(void) {
    static const int measured[] = {5, 6, 8, 9, 10}; /* of the settings: G.711, L16 at 8, 16, 24 kHz */
    static int16_t tone[SAMPLES];
    for (size_t k = 0; k < sizeof measured / sizeof *measured; k++)
        for (double amplitude = 30000; amplitude > 100; amplitude /= 4) {
            const cf_codec_params *params = &settings[measured[k]];
            test_tone(tone, SAMPLES, 1000, CF_RATE, amplitude, 0);
            encode_all(params, tone);
            cf_decoder *decoder = decoder_of(params);
            for (int i = 0; i < FRAMES; i++) {
                int level = cf_estimate_level(params->codec, payloads[i], (size_t)lengths[i]);
                cf_decoder_decode(decoder, payloads[i], (size_t)lengths[i], out, CF_FRAME);
                CHECK(i < 2 || abs(level - cf_level(out, CF_FRAME)) <= 1);
            }
            cf_decoder_free(decoder);
        }
}

static void test_silence_is_127(void) {
    static int16_t zeros[SAMPLES];
    for (int s = 5; s < 11; s++) {
        encode_all(&settings[s], zeros);
        int level = cf_estimate_level(settings[s].codec, payloads[9], (size_t)lengths[9]);
        if (settings[s].codec == CF_CODEC_G722) /* what an octet means depends on all before it */
            CHECK_INT(level, CF_LEVEL_UNKNOWN);
        else
            CHECK(level == 127 || settings[s].codec == CF_CODEC_PCMA); /* the A-law has no zero */
    }
}

/* SILK's gain in a packet without voice: louder noise, more of it, and about 1.4 dB a step. */
static void test_silks_gain_follows_the_loudness(void) {
    static const cf_codec_params silk = {.codec = CF_CODEC_OPUS, .bitrate = 24000, .complexity = 0};
    static int16_t noise[SAMPLES];
    int before = -1, first = -1, loudest = 0;
    for (int dbov = -85; dbov <= -60; dbov += 5) {
        cf_rng rng;
        cf_rng_seed(&rng, 3);
        for (int i = 0; i < SAMPLES; i++)
            noise[i] = (int16_t)lrint(32768 * pow(10, dbov / 20.0) * sqrt(3) * (2 * cf_rng_unit(&rng) - 1));
        encode_all(&silk, noise);
        int level = cf_estimate_level(CF_CODEC_OPUS, payloads[FRAMES - 1], (size_t)lengths[FRAMES - 1]);
        CHECK(cf_peek_is_quiet(level));
        int gain = cf_peek_gain(level);
        CHECK(gain > before && gain <= 63);
        first = first < 0 ? gain : first;
        before = loudest = gain;
    }
    CHECK(loudest - first >= 14 && loudest - first <= 22); /* 25 dB */
}

/* Whatever the octets are, the gain is one or none. */
static void test_any_octets_have_a_gain_or_none(void) {
    cf_rng rng;
    cf_rng_seed(&rng, 4);
    for (int i = 0; i < 20000; i++) {
        uint8_t frame[8];
        for (size_t k = 0; k < sizeof frame; k++)
            frame[k] = (uint8_t)cf_rng_u32(&rng);
        size_t len = (size_t)i % (sizeof frame + 1);
        int gain = cf_silk_gain(frame, len);
        CHECK(gain >= -1 && gain <= 63);
        CHECK(len == 0 || gain < 0 || !(frame[0] & 0xC0)); /* the flags are the first bits */
    }
}

static void test_what_is_too_long_is_unknown(void) {
    static uint8_t payload[CF_DECODE_MAX];
    CHECK_INT(cf_estimate_level(CF_CODEC_L16, payload, CF_RTP_MAX), 127);
    CHECK_INT(cf_estimate_level(CF_CODEC_L16, payload, CF_RTP_MAX + 2), CF_LEVEL_UNKNOWN);
    CHECK_INT(cf_estimate_level(CF_CODEC_PCMU, payload, CF_DECODE_MAX), CF_LEVEL_UNKNOWN);
    CHECK_INT(cf_estimate_level(CF_CODEC_CN, payload, 1), CF_LEVEL_UNKNOWN);
}

int main(void) {
    RUN(test_pcm_is_measured);
    RUN(test_silence_is_127);
    RUN(test_silks_gain_follows_the_loudness);
    RUN(test_any_octets_have_a_gain_or_none);
    RUN(test_what_is_too_long_is_unknown);
    return REPORT();
}

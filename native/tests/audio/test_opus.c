/* Opus in all its forms: stereo in and out, every mode and frame length, as wide as the peer plays. The judge is
 * libopus itself. */
#include "codeclab.h"

#include <opus.h>

enum { SILK = 1000, HYBRID = 1001, CELT = 1002 }; /* OPUS_SET_FORCE_MODE, which opus.h does not name */
enum { FORCE_MODE = 11002 };

static int16_t both[2 * SAMPLES], left[SAMPLES], right[SAMPLES];

/* Two different voices at different places between left and right. */
static void fill_stereo(void) {
    for (int i = 0; i < SAMPLES; i++) {
        both[2 * i] = left[i] = (int16_t)(speech[i] / 2 + other[i] / 8);
        both[2 * i + 1] = right[i] = (int16_t)(speech[i] / 8 + other[i] / 2);
    }
}

static OpusEncoder *encoder_of(int mode, int bitrate, int channels) {
    int error;
    OpusEncoder *encoder = opus_encoder_create(CF_RATE, channels, OPUS_APPLICATION_VOIP, &error);
    CHECK_INT(error, OPUS_OK);
    CHECK_INT(opus_encoder_ctl(encoder, FORCE_MODE, mode), OPUS_OK);
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bitrate));
    opus_encoder_ctl(encoder, OPUS_SET_FORCE_CHANNELS(channels));
    opus_encoder_ctl(encoder, OPUS_SET_BANDWIDTH(mode == SILK ? OPUS_BANDWIDTH_WIDEBAND : OPUS_BANDWIDTH_FULLBAND));
    return encoder;
}

static int mode_of(uint8_t toc) {
    return toc & 0x80 ? CELT : (toc & 0x60) == 0x60 ? HYBRID : SILK;
}

/* dB of what differs between a and b, relative to b. */
static double difference(const int16_t *a, const int16_t *b, size_t n) {
    double error = 1e-9, power = 1e-9;
    for (size_t i = 0; i < n; i++) {
        error += pow(a[i] - b[i], 2);
        power += pow(b[i], 2);
    }
    return 10 * log10(error / power);
}

/* The middle of what a stereo decoder makes of the same packets. */
static void test_stereo_is_heard_as_the_middle_of_both_sides(void) {
    static const struct {
        int mode, samples, bitrate;
    } cases[] = {{SILK, 480, 40000},   {SILK, 960, 40000},   {SILK, 1920, 40000},   {SILK, 2880, 40000},
                 {HYBRID, 480, 64000}, {HYBRID, 960, 64000}, {CELT, 120, 128000},   {CELT, 240, 96000},
                 {CELT, 480, 96000},   {CELT, 960, 96000},   {HYBRID, 1920, 64000}, {CELT, 2880, 64000}};
    static int16_t middle[SAMPLES];
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int error, size = cases[c].samples;
        OpusEncoder *encoder = encoder_of(cases[c].mode, cases[c].bitrate, 2);
        OpusDecoder *stereo = opus_decoder_create(CF_RATE, 2, &error);
        cf_decoder *face = cf_decoder_new(CF_CODEC_OPUS, 48000);
        /* RFC 8251 section 10: in mono, bands that would cancel one another out are not turned over */
        opus_decoder_ctl(stereo, OPUS_SET_PHASE_INVERSION_DISABLED(1));
        size_t n = 0;
        for (; n + (size_t)size <= SAMPLES; n += (size_t)size) {
            uint8_t packet[1275 * 3];
            int16_t sides[2 * 2880];
            int len = opus_encode(encoder, both + 2 * n, size, packet, sizeof packet);
            CHECK(len > 0 && opus_packet_get_nb_channels(packet) == 2 && mode_of(packet[0]) == cases[c].mode);
            CHECK_INT(opus_decode(stereo, packet, len, sides, size, 0), size);
            CHECK_INT(cf_decoder_decode(face, packet, (size_t)len, out + n, CF_DECODE_MAX), size);
            for (int i = 0; i < size; i++)
                middle[n + (size_t)i] = (int16_t)((sides[2 * i] + sides[2 * i + 1]) / 2);
        }
        if (difference(out, middle, n) >= -60)
            fprintf(stderr, "mode %d, %d samples: %.1f dB\n", cases[c].mode, size, difference(out, middle, n));
        CHECK(difference(out, middle, n) < -60);
        opus_encoder_destroy(encoder);
        opus_decoder_destroy(stereo);
        cf_decoder_free(face);
    }
}

/* A peer that turns from mono to stereo and back, as browsers do. */
static void test_turning_stereo_is_not_heard(void) {
    static int16_t tone[SAMPLES];
    test_tone(tone, SAMPLES, 440, CF_RATE, 8000, 0);
    for (int mode = SILK; mode <= CELT; mode++) {
        OpusEncoder *encoder = encoder_of(mode, 48000, 2);
        cf_decoder *face = cf_decoder_new(CF_CODEC_OPUS, 48000);
        for (int i = 0; i < FRAMES; i++) {
            int16_t sides[2 * CF_FRAME];
            uint8_t packet[CF_PAYLOAD_MAX];
            for (int k = 0; k < CF_FRAME; k++)
                sides[2 * k] = sides[2 * k + 1] = tone[i * CF_FRAME + k];
            opus_encoder_ctl(encoder, OPUS_SET_FORCE_CHANNELS(1 + i / 10 % 2));
            int len = opus_encode(encoder, sides, CF_FRAME, packet, sizeof packet);
            CHECK_INT(cf_decoder_decode(face, packet, (size_t)len, out + i * CF_FRAME, CF_FRAME), CF_FRAME);
        }
        int bend = test_bend(out + SAMPLES / 4, SAMPLES * 3 / 4);
        CHECK(bend < 60); /* of the tone alone: 27 */
        CHECK(test_residual_db(out + SAMPLES / 4, SAMPLES * 3 / 4, 440, CF_RATE) < -30);
        opus_encoder_destroy(encoder);
        cf_decoder_free(face);
    }
}

static void test_both_sides_of_sent_stereo_are_the_mix(void) {
    static const cf_codec_params sent[] = {
        {.codec = CF_CODEC_OPUS, .bitrate = 64000, .complexity = 5, .channels = 2},
        {.codec = CF_CODEC_OPUS, .bitrate = 64000, .complexity = 5, .channels = 2, .low_delay = 1},
    };
    static int16_t sides[2 * SAMPLES];
    for (size_t s = 0; s < sizeof sent / sizeof *sent; s++) {
        int error;
        OpusDecoder *stereo = opus_decoder_create(CF_RATE, 2, &error);
        encode_all(&sent[s], speech);
        for (int i = 0; i < FRAMES; i++) {
            CHECK_INT(opus_packet_get_nb_channels(payloads[i]), 2);
            CHECK_INT(opus_decode(stereo, payloads[i], lengths[i], sides + 2 * i * CF_FRAME, CF_FRAME, 0), CF_FRAME);
        }
        for (int i = 0; i < SAMPLES; i++) {
            left[i] = sides[2 * i];
            right[i] = sides[2 * i + 1];
        }
        CHECK(difference(left, right, SAMPLES) < -60);
        opus_decoder_destroy(stereo);
    }
}

/* CELT has no band of 6 kHz: it takes the next wider one (RFC 6716 section 2.1.3). */
static int bandwidth_of(uint8_t toc, int asked) {
    return mode_of(toc) == CELT && asked == OPUS_BANDWIDTH_MEDIUMBAND ? OPUS_BANDWIDTH_WIDEBAND : asked;
}

/* RFC 7587 section 6.1: maxplaybackrate. */
static void test_nothing_is_sent_that_the_peer_cannot_play(void) {
    static const struct {
        int rate, bandwidth;
    } cases[] = {{8000, OPUS_BANDWIDTH_NARROWBAND},
                 {12000, OPUS_BANDWIDTH_MEDIUMBAND},
                 {16000, OPUS_BANDWIDTH_WIDEBAND},
                 {24000, OPUS_BANDWIDTH_SUPERWIDEBAND},
                 {48000, OPUS_BANDWIDTH_FULLBAND}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int low_delay = 0; low_delay <= 1; low_delay++) {
            cf_codec_params params = {.codec = CF_CODEC_OPUS, .bitrate = 96000, .complexity = 5};
            params.rate = cases[c].rate;
            params.low_delay = low_delay;
            encode_all(&params, speech);
            for (int i = 0; i < FRAMES; i++)
                CHECK(opus_packet_get_bandwidth(payloads[i]) <= bandwidth_of(payloads[i][0], cases[c].bandwidth));
            const uint8_t *last = payloads[FRAMES - 1];
            CHECK_INT(opus_packet_get_bandwidth(last), bandwidth_of(last[0], cases[c].bandwidth));
        }
}

/* FEC is made for the loss that RTCP tells of, from the next packets on. */
static void test_redundancy_follows_the_loss(void) {
    static const cf_codec_params params = {.codec = CF_CODEC_OPUS, .bitrate = 24000, .complexity = 5, .fec = 1};
    cf_encoder *encoder = cf_encoder_new(&params);
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_OPUS, 48000);
    int with[3] = {0};
    for (int i = 0; i < FRAMES * 3; i++) {
        int16_t pcm[CF_FRAME];
        uint8_t packet[CF_PAYLOAD_MAX];
        if (i % FRAMES == 0)
            CHECK_INT(cf_encoder_set_loss(encoder, i / FRAMES == 1 ? 20 : 0), 0);
        int len = cf_encoder_once(encoder, speech + i % FRAMES * CF_FRAME, packet, sizeof packet);
        with[i / FRAMES] += cf_decoder_decode_fec(decoder, packet, (size_t)len, pcm, CF_FRAME) > 0;
        CHECK_INT(cf_decoder_decode(decoder, packet, (size_t)len, pcm, CF_FRAME), CF_FRAME);
    }
    CHECK_INT(with[0], 0);
    CHECK(with[1] > FRAMES / 3);
    CHECK(with[2] <= 1); /* the packet after the turn still carries the frame before it */
    cf_encoder_free(encoder);
    cf_decoder_free(decoder);
}

int main(void) {
    test_babble(speech, SAMPLES, 20000, 1);
    test_babble(other, SAMPLES, 20000, 2);
    fill_stereo();
    RUN(test_stereo_is_heard_as_the_middle_of_both_sides);
    RUN(test_turning_stereo_is_not_heard);
    RUN(test_both_sides_of_sent_stereo_are_the_mix);
    RUN(test_nothing_is_sent_that_the_peer_cannot_play);
    RUN(test_redundancy_follows_the_loss);
    return REPORT();
}

/* The codec face: what goes in comes out, clones are seamless to the bit, payloads are judged before they are decoded.
 */
#include "../testlib.h"
#include "conferocore/codec.h"
#include "signals.h"

#include <errno.h>
#include <opus.h>

enum { FRAMES = 100, SAMPLES = FRAMES * CF_FRAME };

static const cf_codec_params settings[] = {
    {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .complexity = -1},
    {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .bitrate = 24000, .complexity = 5},
    {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .bitrate = 32000, .complexity = 5, .fec = 1, .loss_percent = 15},
    {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .bitrate = 32000, .complexity = 5, .low_delay = 1},
    {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .bitrate = 64000, .complexity = 9},
    {.codec = CF_CODEC_PCMU, .ptime_ms = 20},
    {.codec = CF_CODEC_PCMA},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };
static const cf_codec_params *const fec_setting = &settings[2];

static int16_t speech[SAMPLES], other[SAMPLES], out[SAMPLES];
static uint8_t payloads[FRAMES][CF_PAYLOAD_MAX];
static int lengths[FRAMES];

static void encode_all(const cf_codec_params *params, const int16_t *pcm) {
    cf_encoder *encoder = cf_encoder_new(params);
    for (int i = 0; i < FRAMES; i++)
        CHECK((lengths[i] = cf_encoder_encode(encoder, pcm + i * CF_FRAME, payloads[i], CF_PAYLOAD_MAX)) > 0);
    cf_encoder_free(encoder);
}

static void test_a_tone_survives_every_codec(void) {
    for (int s = 0; s < SETTINGS; s++) {
        static int16_t tone[SAMPLES];
        test_tone(tone, SAMPLES, 1000, CF_RATE, 8000, 0);
        encode_all(&settings[s], tone);
        cf_decoder *decoder = cf_decoder_new(settings[s].codec);
        for (int i = 0; i < FRAMES; i++)
            CHECK_INT(cf_decoder_decode(decoder, payloads[i], (size_t)lengths[i], out + i * CF_FRAME, CF_FRAME),
                      CF_FRAME);
        cf_decoder_free(decoder);
        double level = 20 * log10(test_amplitude(out + SAMPLES / 2, SAMPLES / 2, 1000, CF_RATE) / 8000);
        CHECK(fabs(level) < 1.0);
    }
}

static void test_g711_payloads_are_160_octets(void) {
    encode_all(&settings[5], speech);
    for (int i = 0; i < FRAMES; i++)
        CHECK_INT(lengths[i], 160);
}

static void test_wrong_parameters_are_refused(void) {
    static const cf_codec_params wrong[] = {
        {.codec = CF_CODEC_NONE},
        {.codec = 9},
        {.codec = CF_CODEC_OPUS, .ptime_ms = 30},
        {.codec = CF_CODEC_OPUS, .bitrate = 100},
        {.codec = CF_CODEC_OPUS, .bitrate = 600000},
        {.codec = CF_CODEC_OPUS, .complexity = 11},
        {.codec = CF_CODEC_OPUS, .complexity = -2},
        {.codec = CF_CODEC_OPUS, .fec = 2},
        {.codec = CF_CODEC_OPUS, .loss_percent = 101},
        {.codec = CF_CODEC_OPUS, .loss_percent = -1},
        {.codec = CF_CODEC_PCMU, .low_delay = 2},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(cf_encoder_new(&wrong[i]) == NULL);
    CHECK(cf_decoder_new(CF_CODEC_NONE) == NULL);
    CHECK(cf_decoder_new(4) == NULL);
    cf_encoder_free(NULL);
    cf_decoder_free(NULL);
}

static void test_no_room_for_the_payload(void) {
    uint8_t small[160];
    for (int s = 0; s < SETTINGS; s++) {
        cf_encoder *encoder = cf_encoder_new(&settings[s]);
        CHECK_INT(cf_encoder_encode(encoder, speech, small, 0), -ENOSPC);
        if (settings[s].codec != CF_CODEC_OPUS)
            CHECK_INT(cf_encoder_encode(encoder, speech, small, 159), -ENOSPC);
        CHECK_INT(cf_encoder_set_loss(encoder, 101), -EINVAL);
        CHECK_INT(cf_encoder_set_loss(encoder, 10), 0);
        cf_encoder_free(encoder);
    }
}

/* A listener's encoder that has coded something else meanwhile takes over the shared one's state and goes on with its
 * own mix: bit for bit what one encoder would have sent that heard both in turn. */
static void test_a_clone_is_bit_for_bit_the_unswitched_stream(void) {
    for (int s = 0; s < SETTINGS; s++)
        for (int seam = 1; seam < FRAMES; seam += 33) {
            cf_encoder *shared = cf_encoder_new(&settings[s]), *own = cf_encoder_new(&settings[s]);
            cf_encoder *reference = cf_encoder_new(&settings[s]);
            uint8_t a[CF_PAYLOAD_MAX], b[CF_PAYLOAD_MAX];
            for (int i = 0; i < seam; i++) {
                cf_encoder_encode(own, other + (FRAMES - 1 - i) * CF_FRAME, a, sizeof a);
                cf_encoder_encode(shared, speech + i * CF_FRAME, a, sizeof a);
                cf_encoder_encode(reference, speech + i * CF_FRAME, b, sizeof b);
            }
            CHECK_INT(cf_encoder_clone(own, shared), 0);
            for (int i = seam; i < FRAMES; i++) {
                int n = cf_encoder_encode(own, other + i * CF_FRAME, a, sizeof a);
                CHECK_INT(cf_encoder_encode(reference, other + i * CF_FRAME, b, sizeof b), n);
                CHECK(n > 0 && memcmp(a, b, (size_t)n) == 0);
                cf_encoder_encode(shared, speech + i * CF_FRAME, b, sizeof b); /* the source goes on undisturbed */
            }
            cf_encoder_free(shared);
            cf_encoder_free(own);
            cf_encoder_free(reference);
        }
}

static void test_a_clone_leaves_its_source_alone(void) {
    encode_all(&settings[1], speech);
    cf_encoder *shared = cf_encoder_new(&settings[1]), *own = cf_encoder_new(&settings[1]);
    uint8_t a[CF_PAYLOAD_MAX];
    for (int i = 0; i < FRAMES; i++) {
        CHECK_INT(cf_encoder_encode(shared, speech + i * CF_FRAME, a, sizeof a), lengths[i]);
        CHECK(memcmp(a, payloads[i], (size_t)lengths[i]) == 0);
        CHECK_INT(cf_encoder_clone(own, shared), 0);
        CHECK(cf_encoder_encode(own, other + i * CF_FRAME, a, sizeof a) > 0);
    }
    cf_encoder_free(shared);
    cf_encoder_free(own);
}

static void test_a_clone_keeps_its_own_bit_rate(void) {
    cf_codec_params rich = settings[1];
    rich.bitrate = 96000;
    cf_encoder *shared = cf_encoder_new(&settings[1]), *own = cf_encoder_new(&rich);
    uint8_t a[CF_PAYLOAD_MAX];
    long octets_shared = 0, octets_own = 0;
    for (int i = 0; i < FRAMES; i++) {
        octets_shared += cf_encoder_encode(shared, speech + i * CF_FRAME, a, sizeof a);
        if (i == 20)
            CHECK_INT(cf_encoder_clone(own, shared), 0);
        if (i > 20)
            octets_own += cf_encoder_encode(own, speech + i * CF_FRAME, a, sizeof a);
    }
    CHECK(octets_own > 2 * octets_shared);
    cf_encoder_free(shared);
    cf_encoder_free(own);
}

static void test_only_like_encoders_are_cloned(void) {
    cf_encoder *opus = cf_encoder_new(&settings[0]), *celt = cf_encoder_new(&settings[3]);
    cf_encoder *ulaw = cf_encoder_new(&settings[5]), *alaw = cf_encoder_new(&settings[6]);
    CHECK_INT(cf_encoder_clone(opus, ulaw), -EINVAL);
    CHECK_INT(cf_encoder_clone(ulaw, alaw), -EINVAL);
    CHECK_INT(cf_encoder_clone(opus, celt), -EINVAL); /* low delay is fixed when the encoder is made */
    cf_encoder_free(opus);
    cf_encoder_free(celt);
    cf_encoder_free(ulaw);
    cf_encoder_free(alaw);
}

static void test_reset_starts_anew(void) {
    for (int s = 0; s < SETTINGS; s++) {
        encode_all(&settings[s], speech);
        cf_encoder *encoder = cf_encoder_new(&settings[s]);
        uint8_t a[CF_PAYLOAD_MAX];
        for (int i = 0; i < 10; i++)
            cf_encoder_encode(encoder, other + i * CF_FRAME, a, sizeof a);
        cf_encoder_reset(encoder);
        for (int i = 0; i < 10; i++) {
            CHECK_INT(cf_encoder_encode(encoder, speech + i * CF_FRAME, a, sizeof a), lengths[i]);
            CHECK(memcmp(a, payloads[i], (size_t)lengths[i]) == 0);
        }
        cf_encoder_free(encoder);
    }
}

static void test_payloads_are_judged_by_their_form(void) {
    static const struct {
        uint8_t bytes[8];
        size_t len;
        int want;
    } cases[] = {
        {{0}, 0, -EBADMSG},                           /* nothing is not a packet */
        {{0x78, 1, 2}, 3, 960},                       /* hybrid, 20 ms */
        {{0x78}, 1, 960},                             /* a TOC alone: DTX */
        {{0xE0, 1}, 2, 120},                          /* CELT, 2.5 ms */
        {{0x18, 1}, 2, 2880},                         /* SILK, 60 ms */
        {{0x19, 1, 1}, 3, 5760},                      /* two of 60 ms */
        {{0x19, 1}, 2, -EBADMSG},                     /* two frames of half an octet */
        {{0x1A, 9, 1}, 3, -EBADMSG},                  /* a first frame longer than the packet */
        {{0x1A, 1, 1, 2}, 4, 5760},                   /* two of unlike length */
        {{0x1B, 0x03, 1, 2, 3}, 5, -EBADMSG},         /* three of 60 ms: over 120 ms */
        {{0x1B, 0x00, 1}, 3, -EBADMSG},               /* no frame at all */
        {{0x1B}, 1, -EBADMSG},                        /* no frame count */
        {{0xFB, 0x43, 0x09, 1, 2, 3}, 6, -EBADMSG},   /* more padding than packet */
        {{0xFB, 0x43, 0x01, 1, 2, 3, 0}, 7, 2880},    /* one octet of padding */
        {{0xFB, 0x83, 0x01, 0x01, 1, 2, 3}, 7, 2880}, /* variable lengths */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_INT(cf_decoder_duration(CF_CODEC_OPUS, cases[i].bytes, cases[i].len), cases[i].want);
    CHECK_INT(cf_decoder_duration(CF_CODEC_PCMU, payloads[0], 0), -EBADMSG);
    CHECK_INT(cf_decoder_duration(CF_CODEC_PCMU, payloads[0], 1), 6);
    CHECK_INT(cf_decoder_duration(CF_CODEC_PCMA, payloads[0], 960), 5760);
    CHECK_INT(cf_decoder_duration(CF_CODEC_PCMA, payloads[0], 961), -EBADMSG);
    CHECK_INT(cf_decoder_duration(CF_CODEC_NONE, payloads[0], 100), -EBADMSG);
}

static void test_bad_payloads_change_nothing(void) {
    static const uint8_t bad[] = {0x1B, 0x03, 1, 2, 3};
    for (int s = 1; s < SETTINGS; s++) {
        int16_t a[CF_FRAME], b[CF_DECODE_MAX];
        encode_all(&settings[s], speech);
        cf_decoder *clean = cf_decoder_new(settings[s].codec), *troubled = cf_decoder_new(settings[s].codec);
        for (int i = 0; i < FRAMES; i++) {
            cf_decoder_decode(clean, payloads[i], (size_t)lengths[i], a, CF_FRAME);
            if (settings[s].codec == CF_CODEC_OPUS)
                CHECK_INT(cf_decoder_decode(troubled, bad, sizeof bad, b, CF_DECODE_MAX), -EBADMSG);
            CHECK_INT(cf_decoder_decode(troubled, payloads[i], 0, b, CF_DECODE_MAX), -EBADMSG);
            CHECK_INT(cf_decoder_decode(troubled, payloads[i], (size_t)lengths[i], b, CF_FRAME - 1), -ENOSPC);
            CHECK_INT(cf_decoder_decode(troubled, payloads[i], (size_t)lengths[i], b, CF_DECODE_MAX), CF_FRAME);
            CHECK(memcmp(a, b, sizeof a) == 0);
        }
        cf_decoder_free(clean);
        cf_decoder_free(troubled);
    }
}

static void test_stereo_is_decoded_to_the_middle(void) {
    int error;
    OpusEncoder *stereo = opus_encoder_create(CF_RATE, 2, OPUS_APPLICATION_AUDIO, &error);
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_OPUS);
    static int16_t left[SAMPLES], right[SAMPLES];
    test_tone(left, SAMPLES, 500, CF_RATE, 8000, 0);
    test_tone(right, SAMPLES, 1500, CF_RATE, 8000, 0);
    for (int i = 0; i < FRAMES; i++) {
        int16_t both[2 * CF_FRAME];
        for (int k = 0; k < CF_FRAME; k++) {
            both[2 * k] = left[i * CF_FRAME + k];
            both[2 * k + 1] = right[i * CF_FRAME + k];
        }
        int n = opus_encode(stereo, both, CF_FRAME, payloads[0], CF_PAYLOAD_MAX);
        CHECK_INT(cf_decoder_decode(decoder, payloads[0], (size_t)n, out + i * CF_FRAME, CF_FRAME), CF_FRAME);
    }
    CHECK(fabs(test_amplitude(out + SAMPLES / 2, SAMPLES / 2, 500, CF_RATE) - 4000) < 400);
    CHECK(fabs(test_amplitude(out + SAMPLES / 2, SAMPLES / 2, 1500, CF_RATE) - 4000) < 400);
    opus_encoder_destroy(stereo);
    cf_decoder_free(decoder);
}

static double error_power(const int16_t *a, const int16_t *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += pow(a[i] - b[i], 2);
    return sum;
}

/* Every 10th frame is lost; rebuilt from its successor it must be nearer to the truth than concealed. */
static void test_in_band_fec_rebuilds_the_frame_before(void) {
    encode_all(fec_setting, speech);
    cf_decoder *truth = cf_decoder_new(CF_CODEC_OPUS), *fec = cf_decoder_new(CF_CODEC_OPUS);
    cf_decoder *conceal = cf_decoder_new(CF_CODEC_OPUS);
    double error_fec = 0, error_conceal = 0;
    int rebuilt = 0;
    for (int i = 0; i + 1 < FRAMES; i++) {
        int16_t a[CF_FRAME], b[CF_FRAME], c[CF_FRAME];
        size_t len = (size_t)lengths[i];
        cf_decoder_decode(truth, payloads[i], len, a, CF_FRAME);
        if (i % 10 == 5) {
            if (cf_decoder_decode_fec(fec, payloads[i + 1], (size_t)lengths[i + 1], b, CF_FRAME) == CF_FRAME)
                rebuilt++;
            else
                CHECK_INT(cf_decoder_conceal(fec, b, CF_FRAME), CF_FRAME);
            CHECK_INT(cf_decoder_conceal(conceal, c, CF_FRAME), CF_FRAME);
            error_fec += error_power(a, b, CF_FRAME);
            error_conceal += error_power(a, c, CF_FRAME);
        } else {
            cf_decoder_decode(fec, payloads[i], len, b, CF_FRAME);
            cf_decoder_decode(conceal, payloads[i], len, c, CF_FRAME);
        }
    }
    CHECK(rebuilt >= 5);
    CHECK(error_fec < error_conceal / 2);
    cf_decoder_free(truth);
    cf_decoder_free(fec);
    cf_decoder_free(conceal);
}

/* The flag is read by hand; the judge is libopus: with the flag its FEC differs from its concealment, without it never
 * does. */
static void test_fec_is_found_where_libopus_finds_it(void) {
    for (int s = 1; s < 4; s++) {
        encode_all(&settings[s], speech);
        int error, with = 0;
        OpusDecoder *a = opus_decoder_create(CF_RATE, 1, &error), *b = opus_decoder_create(CF_RATE, 1, &error);
        cf_decoder *face = cf_decoder_new(CF_CODEC_OPUS);
        int16_t x[CF_FRAME], y[CF_FRAME], z[CF_FRAME];
        for (int i = 0; i < FRAMES; i++) {
            memcpy(b, a, (size_t)opus_decoder_get_size(1));
            OpusDecoder *scratch = malloc((size_t)opus_decoder_get_size(1));
            memcpy(scratch, a, (size_t)opus_decoder_get_size(1));
            CHECK_INT(opus_decode(b, payloads[i], lengths[i], x, CF_FRAME, 1), CF_FRAME);
            CHECK_INT(opus_decode(scratch, NULL, 0, y, CF_FRAME, 0), CF_FRAME);
            free(scratch);
            if (i > 0) { /* before the first packet everything is zero */
                int n = cf_decoder_decode_fec(face, payloads[i], (size_t)lengths[i], z, CF_FRAME);
                CHECK_INT(n, memcmp(x, y, sizeof x) ? CF_FRAME : 0);
                with += n > 0;
            }
            CHECK_INT(opus_decode(a, payloads[i], lengths[i], x, CF_FRAME, 0), CF_FRAME);
            cf_decoder_reset(face); /* the face may only be asked again after a real frame */
            cf_decoder_decode(face, payloads[i], (size_t)lengths[i], z, CF_FRAME);
        }
        CHECK(s == 2 ? with > FRAMES / 3 : with == 0);
        opus_decoder_destroy(a);
        opus_decoder_destroy(b);
        cf_decoder_free(face);
    }
}

static void test_g711_carries_no_fec(void) {
    encode_all(&settings[5], speech);
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_PCMU);
    CHECK_INT(cf_decoder_decode_fec(decoder, payloads[0], 160, out, CF_FRAME), 0);
    cf_decoder_free(decoder);
}

static void test_concealment_takes_whole_quarters_of_10_ms(void) {
    for (int codec = CF_CODEC_PCMU; codec <= CF_CODEC_OPUS; codec++) {
        cf_decoder *decoder = cf_decoder_new(codec);
        CHECK_INT(cf_decoder_conceal(decoder, out, 0), -EINVAL);
        CHECK_INT(cf_decoder_conceal(decoder, out, 121), -EINVAL);
        CHECK_INT(cf_decoder_conceal(decoder, out, CF_DECODE_MAX + 120), -EINVAL);
        for (size_t n = 120; n <= CF_DECODE_MAX; n += 120) {
            CHECK_INT(cf_decoder_conceal(decoder, out, n), (int)n);
            CHECK(test_rms(out, n) == 0); /* nothing was ever heard */
        }
        cf_decoder_free(decoder);
    }
}

/* One second of a G.711 tone with a gap of `lost` frames at half time: the output in `out`. */
static void tone_with_gap(double hz, int lost) {
    static int16_t tone[SAMPLES];
    test_tone(tone, SAMPLES, hz, CF_RATE, 8000, 0);
    encode_all(&settings[5], tone);
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_PCMU);
    for (int i = 0; i < FRAMES; i++)
        if (i >= 50 && i < 50 + lost)
            cf_decoder_conceal(decoder, out + i * CF_FRAME, CF_FRAME);
        else
            cf_decoder_decode(decoder, payloads[i], (size_t)lengths[i], out + i * CF_FRAME, CF_FRAME);
    cf_decoder_free(decoder);
}

static void test_g711_concealment_goes_on_without_a_click(void) {
    for (int step = 0; step < 8; step++) {
        double hz = 110 * pow(1.37, step);
        tone_with_gap(hz, 1);
        int normal = test_bend(out + 10 * CF_FRAME, 30 * CF_FRAME);
        CHECK(test_bend(out + 49 * CF_FRAME, 4 * CF_FRAME) < normal + normal / 4);
        CHECK(test_amplitude(out + 50 * CF_FRAME, CF_FRAME, hz, CF_RATE) > 8000 * 0.95);
    }
}

/* A voice that swells: the last period joins neither its own start nor what came before it, unless it is made to. */
static void test_g711_concealment_of_a_swelling_voice_does_not_click(void) {
    static int16_t voice[SAMPLES];
    for (int lost_at = 40; lost_at < 60; lost_at++) {
        for (int i = 0; i < SAMPLES; i++) {
            double t = (i - lost_at * CF_FRAME) / (double)CF_FRAME, swell = t > 0 ? 1 : exp(t);
            double phase = 2 * TEST_PI * 137 * i / CF_RATE;
            voice[i] =
                (int16_t)lrint(9000 * swell * (sin(phase) + 0.7 * sin(2 * phase + 1) + 0.4 * sin(3 * phase + 2)));
        }
        encode_all(&settings[5], voice);
        cf_decoder *decoder = cf_decoder_new(CF_CODEC_PCMU);
        for (int i = 0; i < lost_at; i++)
            cf_decoder_decode(decoder, payloads[i], (size_t)lengths[i], out + i * CF_FRAME, CF_FRAME);
        cf_decoder_conceal(decoder, out + lost_at * CF_FRAME, 3 * CF_FRAME);
        cf_decoder_free(decoder);
        int normal = test_bend(out + (lost_at - 1) * CF_FRAME, CF_FRAME);
        CHECK(test_bend(out + lost_at * CF_FRAME - 2, 3 * CF_FRAME) < normal * 2);
    }
}

static void test_g711_concealment_is_silent_after_60_ms(void) {
    tone_with_gap(440, 10);
    CHECK(test_rms(out + 50 * CF_FRAME, CF_FRAME) > 3000);
    CHECK(test_rms(out + 51 * CF_FRAME, CF_FRAME) > 1000);
    int tail = CF_RATE * 66 / 1000; /* 60 ms and what the resampler still holds */
    CHECK(test_rms(out + 50 * CF_FRAME + tail, (size_t)(10 * CF_FRAME - tail)) == 0);
    CHECK(test_bend(out + 50 * CF_FRAME, 12 * CF_FRAME) < 400);
    CHECK(test_rms(out + 61 * CF_FRAME, CF_FRAME) > 5000);
}

static void test_opus_concealment_goes_on_and_fades(void) {
    static int16_t tone[SAMPLES];
    test_tone(tone, SAMPLES, 440, CF_RATE, 8000, 0);
    encode_all(&settings[1], tone);
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_OPUS);
    for (int i = 0; i < 50; i++)
        cf_decoder_decode(decoder, payloads[i], (size_t)lengths[i], out, CF_FRAME);
    CHECK_INT(cf_decoder_conceal(decoder, out, CF_FRAME), CF_FRAME);
    double first = test_rms(out, CF_FRAME);
    CHECK(first > 1500);
    for (int i = 0; i < 20; i++)
        CHECK_INT(cf_decoder_conceal(decoder, out, CF_FRAME), CF_FRAME);
    CHECK(test_rms(out, CF_FRAME) < first / 2);
    cf_decoder_free(decoder);
}

int main(void) {
    test_babble(speech, SAMPLES, 20000, 1);
    test_babble(other, SAMPLES, 20000, 2);
    RUN(test_a_tone_survives_every_codec);
    RUN(test_g711_payloads_are_160_octets);
    RUN(test_wrong_parameters_are_refused);
    RUN(test_no_room_for_the_payload);
    RUN(test_a_clone_is_bit_for_bit_the_unswitched_stream);
    RUN(test_a_clone_leaves_its_source_alone);
    RUN(test_a_clone_keeps_its_own_bit_rate);
    RUN(test_only_like_encoders_are_cloned);
    RUN(test_reset_starts_anew);
    RUN(test_payloads_are_judged_by_their_form);
    RUN(test_bad_payloads_change_nothing);
    RUN(test_stereo_is_decoded_to_the_middle);
    RUN(test_in_band_fec_rebuilds_the_frame_before);
    RUN(test_fec_is_found_where_libopus_finds_it);
    RUN(test_g711_carries_no_fec);
    RUN(test_concealment_takes_whole_quarters_of_10_ms);
    RUN(test_g711_concealment_goes_on_without_a_click);
    RUN(test_g711_concealment_of_a_swelling_voice_does_not_click);
    RUN(test_g711_concealment_is_silent_after_60_ms);
    RUN(test_opus_concealment_goes_on_and_fades);
    return REPORT();
}

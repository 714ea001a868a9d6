/* The codec face's encoders: what goes in comes out, and clones are seamless to the bit. */
#include "codeclab.h"

#include <errno.h>

static void test_a_tone_survives_every_codec(void) {
    for (int s = 0; s < SETTINGS; s++) {
        static int16_t tone[SAMPLES];
        test_tone(tone, SAMPLES, 1000, CF_RATE, 8000, 0);
        encode_all(&settings[s], tone);
        cf_decoder *decoder = decoder_of(&settings[s]);
        for (int i = 0; i < FRAMES; i++)
            CHECK_INT(cf_decoder_decode(decoder, payloads[i], (size_t)lengths[i], out + i * CF_FRAME, CF_FRAME),
                      CF_FRAME);
        cf_decoder_free(decoder);
        double level = 20 * log10(test_amplitude(out + SAMPLES / 2, SAMPLES / 2, 1000, CF_RATE) / 8000);
        CHECK(fabs(level) < 1.0);
    }
}

static void test_payloads_of_fixed_length(void) {
    static const int want[] = {160, 160, 160, 320, 640, 960}; /* octets, from PCMU on */
    for (int s = 5; s < 11; s++) {
        encode_all(&settings[s], speech);
        for (int i = 0; i < FRAMES; i++)
            CHECK_INT(lengths[i], want[s - 5]);
    }
}

static void test_wrong_parameters_are_refused(void) {
    static const cf_codec_params wrong[] = {
        {.codec = CF_CODEC_NONE},
        {.codec = CF_CODEC_RED},
        {.codec = CF_CODEC_EVENT},
        {.codec = CF_CODEC_CN},
        {.codec = 9},
        {.codec = -1},
        {.codec = CF_CODEC_OPUS, .ptime_ms = 30},
        {.codec = CF_CODEC_OPUS, .ptime_ms = 120},
        {.codec = CF_CODEC_OPUS, .bitrate = 100},
        {.codec = CF_CODEC_OPUS, .bitrate = 600000},
        {.codec = CF_CODEC_OPUS, .complexity = 11},
        {.codec = CF_CODEC_OPUS, .complexity = -2},
        {.codec = CF_CODEC_OPUS, .fec = 2},
        {.codec = CF_CODEC_OPUS, .loss_percent = 101},
        {.codec = CF_CODEC_OPUS, .loss_percent = -1},
        {.codec = CF_CODEC_OPUS, .low_delay = 2},
        {.codec = CF_CODEC_OPUS, .rate = 44100},
        {.codec = CF_CODEC_OPUS, .channels = 3},
        {.codec = CF_CODEC_PCMU, .ptime_ms = 25},
        {.codec = CF_CODEC_G722, .ptime_ms = 80},
        {.codec = CF_CODEC_PCMA, .ptime_ms = -20},
        {.codec = CF_CODEC_L16, .rate = 44100},
        {.codec = CF_CODEC_L16, .rate = 12000},
        {.codec = CF_CODEC_L16, .rate = 16000, .ptime_ms = 60}, /* more than a payload from here on */
        {.codec = CF_CODEC_L16, .rate = 24000, .ptime_ms = 30},
        {.codec = CF_CODEC_L16, .rate = 48000},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(cf_encoder_new(&wrong[i]) == NULL);
    for (int codec = -1; codec < 12; codec++) { /* the clock says something of L16 only */
        cf_decoder *decoder = cf_decoder_new(codec, 44100);
        CHECK_INT(decoder != NULL, codec > CF_CODEC_NONE && codec < CF_CODEC_L16);
        cf_decoder_free(decoder);
    }
    CHECK(cf_decoder_new(CF_CODEC_L16, 0) == NULL);
    cf_encoder_free(NULL);
    cf_decoder_free(NULL);
}

static void test_equal_coding_has_equal_parameters(void) {
    cf_codec_params a = {.codec = CF_CODEC_OPUS, .complexity = -1};
    cf_codec_params b = {CF_CODEC_OPUS, 20, 32000, 5, 0, 0, 0, 48000, 1};
    cf_codec_params c = {.codec = CF_CODEC_PCMU, .bitrate = 7, .fec = 1, .rate = 16000, .channels = 2};
    cf_codec_params d = {.codec = CF_CODEC_PCMU, .ptime_ms = 20};
    cf_codec_params e = {.codec = CF_CODEC_L16, .complexity = -1}, f = {.codec = CF_CODEC_L16, .rate = 16000};
    CHECK(!cf_codec_complete(&a) && !cf_codec_complete(&b) && memcmp(&a, &b, sizeof a) == 0);
    CHECK(!cf_codec_complete(&c) && !cf_codec_complete(&d) && memcmp(&c, &d, sizeof c) == 0);
    CHECK(!cf_codec_complete(&e) && !cf_codec_complete(&f) && memcmp(&e, &f, sizeof e) == 0);
}

static void test_rtp_clocks(void) {
    CHECK_INT(cf_codec_clock(CF_CODEC_PCMU, 0), 8000);
    CHECK_INT(cf_codec_clock(CF_CODEC_G722, 0), 8000); /* RFC 3551 section 4.5.2 */
    CHECK_INT(cf_codec_clock(CF_CODEC_OPUS, 16000), 48000);
    CHECK_INT(cf_codec_clock(CF_CODEC_L16, 24000), 24000);
    CHECK_INT(cf_codec_clock(CF_CODEC_L16, 0), 16000);
    CHECK_INT(cf_codec_clock(CF_CODEC_L16, 11025), 0);
    CHECK_INT(cf_codec_clock(CF_CODEC_CN, 8000), 0);
}

static void test_loss_is_told_at_any_time(void) {
    for (int s = 0; s < SETTINGS; s++) {
        cf_encoder *encoder = cf_encoder_new(&settings[s]);
        CHECK_INT(cf_encoder_set_loss(encoder, 101), -EINVAL);
        CHECK_INT(cf_encoder_set_loss(encoder, -1), -EINVAL);
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
                cf_encoder_once(own, other + (FRAMES - 1 - i) * CF_FRAME, a, sizeof a);
                cf_encoder_once(shared, speech + i * CF_FRAME, a, sizeof a);
                cf_encoder_once(reference, speech + i * CF_FRAME, b, sizeof b);
            }
            CHECK_INT(cf_encoder_clone(own, shared), 0);
            for (int i = seam; i < FRAMES; i++) {
                int n = cf_encoder_once(own, other + i * CF_FRAME, a, sizeof a);
                CHECK_INT(cf_encoder_once(reference, other + i * CF_FRAME, b, sizeof b), n);
                CHECK(n > 0 && memcmp(a, b, (size_t)n) == 0);
                cf_encoder_once(shared, speech + i * CF_FRAME, b, sizeof b); /* the source goes on undisturbed */
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
        CHECK_INT(cf_encoder_once(shared, speech + i * CF_FRAME, a, sizeof a), lengths[i]);
        CHECK(memcmp(a, payloads[i], (size_t)lengths[i]) == 0);
        CHECK_INT(cf_encoder_clone(own, shared), 0);
        CHECK(cf_encoder_once(own, other + i * CF_FRAME, a, sizeof a) > 0);
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
        octets_shared += cf_encoder_once(shared, speech + i * CF_FRAME, a, sizeof a);
        if (i == 20)
            CHECK_INT(cf_encoder_clone(own, shared), 0);
        if (i > 20)
            octets_own += cf_encoder_once(own, speech + i * CF_FRAME, a, sizeof a);
    }
    CHECK(octets_own > 2 * octets_shared);
    cf_encoder_free(shared);
    cf_encoder_free(own);
}

static void test_only_like_encoders_are_cloned(void) {
    cf_encoder *opus = cf_encoder_new(&settings[0]), *celt = cf_encoder_new(&settings[3]);
    cf_encoder *ulaw = cf_encoder_new(&settings[5]), *alaw = cf_encoder_new(&settings[6]);
    cf_encoder *wide = cf_encoder_new(&settings[9]), *wider = cf_encoder_new(&settings[10]);
    cf_encoder *stereo = cf_encoder_new(&settings[12]);
    cf_encoder *slow = cf_encoder_new(&(cf_codec_params){.codec = CF_CODEC_PCMU, .ptime_ms = 40});
    CHECK_INT(cf_encoder_clone(opus, ulaw), -EINVAL);
    CHECK_INT(cf_encoder_clone(ulaw, alaw), -EINVAL);
    CHECK_INT(cf_encoder_clone(opus, celt), -EINVAL); /* low delay is fixed when the encoder is made */
    CHECK_INT(cf_encoder_clone(opus, stereo), -EINVAL);
    CHECK_INT(cf_encoder_clone(wide, wider), -EINVAL);
    CHECK_INT(cf_encoder_clone(ulaw, slow), -EINVAL);
    cf_encoder *all[] = {opus, celt, ulaw, alaw, wide, wider, stereo, slow};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        cf_encoder_free(all[i]);
}

static void test_reset_starts_anew(void) {
    for (int s = 0; s < SETTINGS; s++) {
        encode_all(&settings[s], speech);
        cf_encoder *encoder = cf_encoder_new(&settings[s]);
        uint8_t a[CF_PAYLOAD_MAX];
        for (int i = 0; i < 10; i++)
            cf_encoder_once(encoder, other + i * CF_FRAME, a, sizeof a);
        cf_encoder_reset(encoder);
        for (int i = 0; i < 10; i++) {
            CHECK_INT(cf_encoder_once(encoder, speech + i * CF_FRAME, a, sizeof a), lengths[i]);
            CHECK(memcmp(a, payloads[i], (size_t)lengths[i]) == 0);
        }
        cf_encoder_free(encoder);
    }
}

int main(void) {
    test_babble(speech, SAMPLES, 20000, 1);
    test_babble(other, SAMPLES, 20000, 2);
    RUN(test_a_tone_survives_every_codec);
    RUN(test_payloads_of_fixed_length);
    RUN(test_wrong_parameters_are_refused);
    RUN(test_equal_coding_has_equal_parameters);
    RUN(test_rtp_clocks);
    RUN(test_loss_is_told_at_any_time);
    RUN(test_a_clone_is_bit_for_bit_the_unswitched_stream);
    RUN(test_a_clone_leaves_its_source_alone);
    RUN(test_a_clone_keeps_its_own_bit_rate);
    RUN(test_only_like_encoders_are_cloned);
    RUN(test_reset_starts_anew);
    return REPORT();
}

/* The codec face's decoders: payloads are judged before they are decoded, lost ones are rebuilt or concealed. */
#include "audio/opus_face.h"
#include "codeclab.h"

#include <errno.h>
#include <opus.h>

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
        CHECK_INT(cf_decoder_duration(CF_CODEC_OPUS, 48000, cases[i].bytes, cases[i].len), cases[i].want);
    CHECK_INT(cf_decoder_duration(CF_CODEC_PCMU, 8000, payloads[0], 0), -EBADMSG);
    CHECK_INT(cf_decoder_duration(CF_CODEC_PCMU, 8000, payloads[0], 1), 6);
    CHECK_INT(cf_decoder_duration(CF_CODEC_PCMA, 8000, payloads[0], 960), 5760);
    CHECK_INT(cf_decoder_duration(CF_CODEC_PCMA, 8000, payloads[0], 961), -EBADMSG);
    CHECK_INT(cf_decoder_duration(CF_CODEC_G722, 8000, payloads[0], 160), 960);
    CHECK_INT(cf_decoder_duration(CF_CODEC_G722, 8000, payloads[0], 961), -EBADMSG);
    CHECK_INT(cf_decoder_duration(CF_CODEC_L16, 48000, payloads[0], 2), 1);
    CHECK_INT(cf_decoder_duration(CF_CODEC_L16, 8000, payloads[0], 1280), 3840);
    CHECK_INT(cf_decoder_duration(CF_CODEC_L16, 16000, payloads[0], 641), -EBADMSG); /* half a sample */
    CHECK_INT(cf_decoder_duration(CF_CODEC_L16, 44100, payloads[0], 640), -EBADMSG);
    CHECK_INT(cf_decoder_duration(CF_CODEC_L16, 8000, payloads[0], SIZE_MAX - 1), -EBADMSG);
    CHECK_INT(cf_decoder_duration(CF_CODEC_NONE, 8000, payloads[0], 100), -EBADMSG);
    CHECK_INT(cf_decoder_duration(CF_CODEC_CN, 8000, payloads[0], 1), -EBADMSG);
}

static void test_bad_payloads_change_nothing(void) {
    static const uint8_t bad[] = {0x1B, 0x03, 1, 2, 3};
    for (int s = 1; s < SETTINGS; s++) {
        int16_t a[CF_FRAME], b[CF_DECODE_MAX];
        encode_all(&settings[s], speech);
        cf_decoder *clean = decoder_of(&settings[s]), *troubled = decoder_of(&settings[s]);
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
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_OPUS, 48000);
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
    cf_decoder *truth = cf_decoder_new(CF_CODEC_OPUS, 48000), *fec = cf_decoder_new(CF_CODEC_OPUS, 48000);
    cf_decoder *conceal = cf_decoder_new(CF_CODEC_OPUS, 48000);
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
        cf_decoder *face = cf_decoder_new(CF_CODEC_OPUS, 48000);
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
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_PCMU, 8000);
    CHECK_INT(cf_decoder_decode_fec(decoder, payloads[0], 160, out, CF_FRAME), 0);
    cf_decoder_free(decoder);
}

static void test_concealment_takes_whole_quarters_of_10_ms(void) {
    for (int s = 0; s < SETTINGS; s++) {
        cf_decoder *decoder = decoder_of(&settings[s]);
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

static void test_opus_concealment_goes_on_and_fades(void) {
    static int16_t tone[SAMPLES];
    test_tone(tone, SAMPLES, 440, CF_RATE, 8000, 0);
    encode_all(&settings[1], tone);
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_OPUS, 48000);
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

/* libopus conceals SILK by 10 ms at least, whatever it is asked for: the pieces must still be those of one sound. */
static void test_opus_concealment_in_pieces_is_that_of_the_whole(void) {
    static const size_t pieces[] = {240, 720, 120, 360, 480, 1080, 840, 120, 1800};
    static int16_t parts[6 * CF_FRAME];
    for (int s = 0; s < 5; s++) {
        encode_all(&settings[s], speech);
        cf_decoder *whole = cf_decoder_new(CF_CODEC_OPUS, 48000), *split = cf_decoder_new(CF_CODEC_OPUS, 48000);
        for (int i = 0; i < 50; i++) {
            cf_decoder_decode(whole, payloads[i], (size_t)lengths[i], out, CF_FRAME);
            cf_decoder_decode(split, payloads[i], (size_t)lengths[i], out, CF_FRAME);
        }
        CHECK_INT(cf_decoder_conceal(whole, out, 6 * CF_FRAME), 6 * CF_FRAME);
        size_t at = 0;
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; at += pieces[i++])
            CHECK_INT(cf_decoder_conceal(split, parts + at, pieces[i]), (int)pieces[i]);
        CHECK_INT(at, 6 * CF_FRAME);
        CHECK(memcmp(parts, out, sizeof parts) == 0 && test_rms(out, CF_FRAME) > 0);
        cf_decoder_free(whole);
        cf_decoder_free(split);
    }
}

/* What was concealed too far is of the gap that has ended: the next one goes on from what came since. */
static void test_a_payload_ends_the_concealment_before_it(void) {
    encode_all(&settings[1], speech);
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_OPUS, 48000), *twin = cf_decoder_new(CF_CODEC_OPUS, 48000);
    static int16_t rest[CF_FRAME];
    for (int i = 0; i < 60; i++) {
        if (i == 50) {
            cf_decoder_conceal(decoder, out, 240);
            cf_decoder_conceal(twin, out, 480);
        }
        cf_decoder_decode(decoder, payloads[i], (size_t)lengths[i], out, CF_FRAME);
        cf_decoder_decode(twin, payloads[i], (size_t)lengths[i], rest, CF_FRAME);
    }
    CHECK_INT(cf_decoder_conceal(decoder, out, CF_FRAME), CF_FRAME);
    CHECK_INT(cf_decoder_conceal(twin, rest, CF_FRAME), CF_FRAME);
    CHECK(memcmp(rest, out, sizeof rest) == 0 && test_rms(rest, CF_FRAME) > 0);
    cf_decoder_free(decoder);
    cf_decoder_free(twin);
}

/* Octet by octet, and whatever the memory held before. */
static void test_pristine_encoders_are_those_of_libopus(void) {
    for (int channels = 1; channels <= 2; channels++)
        for (int low = 0; low < 2; low++) {
            size_t size = (size_t)opus_encoder_get_size(channels);
            void *mine = malloc(size), *theirs = malloc(size);
            memset(mine, 0x55, size);
            opus_encoder_init(theirs, CF_RATE, channels,
                              low ? OPUS_APPLICATION_RESTRICTED_LOWDELAY : OPUS_APPLICATION_VOIP);
            cf_opus_encoder_pristine(mine, channels, low);
            CHECK(memcmp(mine, theirs, size) == 0);
            free(mine);
            free(theirs);
        }
}

/* Whatever mode the first packet has (SILK, hybrid, CELT), mono or stereo: sample by sample what a new one says. */
static void test_pristine_decoders_say_what_new_ones_say(void) {
    static const uint8_t first[] = {0x08, 0x48, 0x4C, 0x68, 0x78, 0x7C, 0xF8, 0xFC};
    OpusDecoder *mine = malloc((size_t)opus_decoder_get_size(1)), *theirs = malloc((size_t)opus_decoder_get_size(1));
    cf_rng rng;
    cf_rng_seed(&rng, 3);
    for (int round = 0; round < 200; round++) {
        memset(mine, 0x55, (size_t)opus_decoder_get_size(1));
        cf_opus_decoder_pristine(mine);
        opus_decoder_init(theirs, CF_RATE, 1);
        for (int frame = 0; frame < 8; frame++) {
            uint8_t payload[60] = {first[(frame < 4 ? (unsigned)round : cf_rng_u32(&rng)) % sizeof first]};
            int16_t a[CF_FRAME], b[CF_FRAME];
            for (size_t i = 1; i < sizeof payload; i++)
                payload[i] = (uint8_t)cf_rng_u32(&rng);
            bool lost = cf_rng_u32(&rng) % 5 == 0;
            int n = opus_decode(mine, lost ? NULL : payload, lost ? 0 : sizeof payload, a, CF_FRAME, 0);
            CHECK_INT(opus_decode(theirs, lost ? NULL : payload, lost ? 0 : sizeof payload, b, CF_FRAME, 0), n);
            CHECK(n > 0 && memcmp(a, b, (size_t)n * sizeof *a) == 0);
        }
    }
    free(mine);
    free(theirs);
}

int main(void) {
    test_babble(speech, SAMPLES, 20000, 1);
    test_babble(other, SAMPLES, 20000, 2);
    RUN(test_pristine_encoders_are_those_of_libopus);
    RUN(test_pristine_decoders_say_what_new_ones_say);
    RUN(test_payloads_are_judged_by_their_form);
    RUN(test_bad_payloads_change_nothing);
    RUN(test_stereo_is_decoded_to_the_middle);
    RUN(test_in_band_fec_rebuilds_the_frame_before);
    RUN(test_fec_is_found_where_libopus_finds_it);
    RUN(test_g711_carries_no_fec);
    RUN(test_concealment_takes_whole_quarters_of_10_ms);
    RUN(test_opus_concealment_goes_on_and_fades);
    RUN(test_opus_concealment_in_pieces_is_that_of_the_whole);
    RUN(test_a_payload_ends_the_concealment_before_it);
    return REPORT();
}

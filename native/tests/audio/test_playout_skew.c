/* A playout whose sender's clock runs fast or slow, for half an hour: no gap, no drift of the delay, no click, pure
 * tones. */
#include "listening.h"

static void half_an_hour(double hz, double ppm) {
    static lab l;
    l = (lab){.hz = hz, .ppm = ppm};
    lab_open(&l, 31);
    lab_run(&l, WARM_UP_MS);
    cf_playout_stats before = lab_stats(&l);
    hearing h = listen(&l, HALF_AN_HOUR_MS);
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(h.gaps, 0);
    CHECK_INT(s.concealed + s.lost + s.late + s.overflow + s.restarts, 0);
    CHECK(h.most <= 45);
    CHECK(h.residual < -30); /* mu-law alone leaves -38 */
    CHECK(h.weakest > 0.95);
    CHECK(h.bend < 60);
    /* the clocks come apart by 540 ms; half an hour of it is in the time scaling and nowhere else */
    double apart = HALF_AN_HOUR_MS * 48.0 * ppm * 1e-6;
    double scaled = (double)(s.squeezed - before.squeezed) - (double)(s.stretched - before.stretched);
    CHECK(fabs(scaled - apart) < 30 * 48);
    check_books(&l, 0);
    lab_close(&l);
}

static void test_half_an_hour_with_a_fast_clock(void) {
    half_an_hour(440, 300);
}
static void test_half_an_hour_with_a_slow_clock(void) {
    half_an_hour(440, -300);
}

static void test_skew_leaves_any_tone_pure(void) {
    static const double tones[] = {70, 110, 200, 997, 1700, 3100, 3390};
    for (size_t i = 0; i < sizeof tones / sizeof tones[0]; i++)
        for (int side = -1; side <= 1; side += 2) {
            static lab l;
            l = (lab){.hz = tones[i], .ppm = side * 3000}; /* ten times the worst, to see many cuts */
            lab_open(&l, 32);
            lab_run(&l, WARM_UP_MS);
            hearing h = listen(&l, 30000);
            CHECK_INT(h.gaps, 0);
            CHECK(h.residual < -30);
            CHECK(h.weakest > 0.95);
            CHECK(h.bend < 8000 * pow(2 * TEST_PI * tones[i] / CF_RATE, 2) * 1.1 + 40);
            CHECK(lab_stats(&l).squeezed + lab_stats(&l).stretched > 48 * 60);
            lab_close(&l);
        }
}

/* Noise repeats nowhere: its length is changed all the same, before the delay runs away. */
static void test_skew_of_noise_stays_bounded(void) {
    for (int side = -1; side <= 1; side += 2) {
        static int16_t noise[CF_RATE];
        static const cf_codec_params celt = {.codec = CF_CODEC_OPUS, .bitrate = 64000, .low_delay = 1};
        cf_rng rng;
        cf_rng_seed(&rng, 9);
        for (int i = 0; i < CF_RATE; i++)
            noise[i] = (int16_t)((cf_rng_unit(&rng) - 0.5) * 16000);
        static lab l;
        l = (lab){.hz = 440, .ppm = side * 3000, .opus = &celt, .voice = noise, .voice_len = CF_RATE};
        lab_open(&l, 33);
        lab_run(&l, WARM_UP_MS);
        hearing h = listen(&l, 60000);
        CHECK_INT(h.gaps, 0);
        CHECK_INT(lab_stats(&l).lost, 0);
        CHECK(h.most <=
              140); /* 30 ms of it because ten seconds of such a skew look like jitter, 15 waiting for a pause */
        lab_close(&l);
    }
}

/* A delay that has grown too long is shortened in the end, however seldom the network leaves 5 s alone. */
static void test_losses_hide_no_skew(void) {
    static int16_t voice[CF_RATE];
    static const cf_codec_params celt = {.codec = CF_CODEC_OPUS, .bitrate = 64000, .complexity = 0, .low_delay = 1};
    for (int i = 0; i < CF_RATE; i++) /* three tones that have no period in common */
        voice[i] = (int16_t)(3000 * (sin(i * 0.0576) + sin(i * 0.0812) + sin(i * 0.1087)));
    static lab l;
    l = (lab){.hz = 440, .ppm = 300, .loss = 0.04, .jitter = 5 * LAB_MS, .opus = &celt, .voice = voice};
    l.voice_len = CF_RATE;
    lab_open(&l, 35);
    lab_run(&l, WARM_UP_MS);
    hearing h = listen(&l, HALF_AN_HOUR_MS / 3);
    CHECK(h.most <= 80); /* 180 ms of skew */
    lab_close(&l);
}

/* Half a second of noise, half a second of a tone, in turn: with time enough, the cuts are made where they cannot be
 * heard. */
static void test_cuts_are_made_where_the_sound_repeats(void) {
    static int16_t voice[CF_RATE];
    static const cf_codec_params celt = {.codec = CF_CODEC_OPUS, .bitrate = 64000, .low_delay = 1};
    cf_rng rng;
    cf_rng_seed(&rng, 10);
    test_tone(voice, CF_RATE, 400, CF_RATE, 8000, 0);
    for (int i = 0; i < CF_RATE / 2; i++)
        voice[i] = (int16_t)((cf_rng_unit(&rng) - 0.5) * 16000);
    static lab l;
    l = (lab){.hz = 400, .ppm = 1000, .opus = &celt, .voice = voice, .voice_len = CF_RATE};
    lab_open(&l, 34);
    lab_run(&l, WARM_UP_MS);
    int in_tone = 0, in_noise = 0;
    for (int i = 0; i < 6000; i++) {
        uint64_t before = lab_stats(&l).squeezed;
        bool before_tone = test_residual_db(l.pcm, CF_FRAME, l.hz, CF_RATE) < -6;
        lab_tick(&l);
        if (lab_stats(&l).squeezed == before)
            continue;
        bool tone = before_tone || test_residual_db(l.pcm, CF_FRAME, l.hz, CF_RATE) < -6; /* or where it ends */
        in_tone += tone;
        in_noise += !tone;
    }
    CHECK(in_tone >= 8);
    CHECK_INT(in_noise, 0);
    lab_close(&l);
}

int main(void) {
    RUN(test_half_an_hour_with_a_fast_clock);
    RUN(test_half_an_hour_with_a_slow_clock);
    RUN(test_skew_leaves_any_tone_pure);
    RUN(test_skew_of_noise_stays_bounded);
    RUN(test_losses_hide_no_skew);
    RUN(test_cuts_are_made_where_the_sound_repeats);
    return REPORT();
}

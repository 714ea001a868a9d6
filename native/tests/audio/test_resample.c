/* The 8/48 kHz converter by tones: flat in the telephone band, nothing folded into it, nothing mirrored out of it. */
#include "../testlib.h"
#include "conferocore/resample.h"
#include "signals.h"

enum { SECOND_48 = 48000, SECOND_8 = 8000, SETTLE_8 = 320 };
#define AMPLITUDE 30000.0

static int16_t high[SECOND_48], low[SECOND_8];

static double db(double a, double b) {
    return 20 * log10(a / b);
}

static void test_pass_band_is_flat_downwards(void) {
    for (int hz = 50; hz <= 3400; hz += 67) {
        cf_resampler r;
        cf_resampler_init(&r);
        test_tone(high, SECOND_48, hz, 48000, AMPLITUDE, 0);
        cf_resample_down(&r, high, SECOND_48, low);
        CHECK(fabs(db(test_amplitude(low + SETTLE_8, SECOND_8 - SETTLE_8, hz, 8000), AMPLITUDE)) < 0.1);
    }
}

static void test_pass_band_is_flat_upwards(void) {
    for (int hz = 50; hz <= 3400; hz += 67) {
        cf_resampler r;
        cf_resampler_init(&r);
        test_tone(low, SECOND_8, hz, 8000, AMPLITUDE, 0);
        cf_resample_up(&r, low, SECOND_8, high);
        CHECK(fabs(db(test_amplitude(high + 1920, SECOND_48 - 1920, hz, 48000), AMPLITUDE)) < 0.1);
    }
}

static void test_nothing_folds_into_the_pass_band(void) {
    for (int hz = 4600; hz < 24000; hz += 189) {
        double folded = fabs(hz - 8000 * round(hz / 8000.0));
        cf_resampler r;
        cf_resampler_init(&r);
        test_tone(high, SECOND_48, hz, 48000, AMPLITUDE, 0);
        cf_resample_down(&r, high, SECOND_48, low);
        if (folded <= 3400)
            CHECK(db(test_rms(low + SETTLE_8, SECOND_8 - SETTLE_8), AMPLITUDE / sqrt(2)) < -60);
    }
}

static void test_no_image_above_the_pass_band(void) {
    for (int hz = 100; hz <= 3400; hz += 150) {
        cf_resampler r;
        cf_resampler_init(&r);
        test_tone(low, SECOND_8, hz, 8000, AMPLITUDE, 0);
        cf_resample_up(&r, low, SECOND_8, high);
        for (int k = 1; k <= 2; k++)
            for (int side = -1; side <= 1; side += 2)
                CHECK(db(test_amplitude(high + 1920, SECOND_48 - 1920, k * 8000 + side * hz, 48000), AMPLITUDE) < -60);
    }
}

static void test_a_round_trip_is_the_signal_191_samples_late(void) {
    static int16_t back[SECOND_48];
    cf_resampler down, up;
    cf_resampler_init(&down);
    cf_resampler_init(&up);
    test_tone(high, SECOND_48, 1000, 48000, AMPLITUDE, 0);
    cf_resample_down(&down, high, SECOND_48, low);
    cf_resample_up(&up, low, SECOND_8, back);
    int worst = 0;
    for (int i = 2000; i < SECOND_48; i++) { /* out[m] uses in[6m + 5] at the latest: 191 - 5 */
        int d = abs(back[i] - high[i - 186]);
        worst = d > worst ? d : worst;
    }
    CHECK(worst < 60);
}

static void test_pieces_of_any_length_give_the_same(void) {
    static int16_t low_pieces[SECOND_8], high_whole[SECOND_48], high_pieces[SECOND_48];
    cf_resampler whole, pieces, copy;
    cf_resampler_init(&whole);
    cf_resampler_init(&pieces);
    test_babble(high, SECOND_48, 32767, 7);
    cf_resample_down(&whole, high, SECOND_48, low);
    for (size_t at = 0, n = 1; at < SECOND_8; at += n, n = n * 5 % 97 + 1) {
        n = at + n > SECOND_8 ? SECOND_8 - at : n;
        copy = pieces; /* state is plain data */
        cf_resample_down(&copy, high + at * 6, n * 6, low_pieces + at);
        pieces = copy;
    }
    CHECK(memcmp(low, low_pieces, sizeof low) == 0);
    cf_resampler_init(&whole);
    cf_resampler_init(&pieces);
    cf_resample_up(&whole, low, SECOND_8, high_whole);
    for (size_t at = 0, n = 1; at < SECOND_8; at += n, n = n * 5 % 97 + 1) {
        n = at + n > SECOND_8 ? SECOND_8 - at : n;
        cf_resample_up(&pieces, low + at, n, high_pieces + at * 6);
    }
    CHECK(memcmp(high_whole, high_pieces, sizeof high_whole) == 0);
}

static void test_full_scale_squares_saturate_and_do_not_wrap(void) {
    cf_resampler r;
    cf_resampler_init(&r);
    for (int i = 0; i < SECOND_8; i++)
        low[i] = i / 40 % 2 ? INT16_MAX : INT16_MIN;
    cf_resample_up(&r, low, SECOND_8, high);
    for (int i = 600; i < SECOND_48; i++) /* in the middle of each half wave the sign is the input's, 96 samples ago */
        if ((i - 96) % 240 > 60 && (i - 96) % 240 < 180)
            CHECK((high[i] > 0) == ((i - 96) / 240 % 2 == 1));
}

int main(void) {
    RUN(test_pass_band_is_flat_downwards);
    RUN(test_pass_band_is_flat_upwards);
    RUN(test_nothing_folds_into_the_pass_band);
    RUN(test_no_image_above_the_pass_band);
    RUN(test_a_round_trip_is_the_signal_191_samples_late);
    RUN(test_pieces_of_any_length_give_the_same);
    RUN(test_full_scale_squares_saturate_and_do_not_wrap);
    return REPORT();
}

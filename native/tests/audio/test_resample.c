/* The converter by tones, for each ratio: flat in the pass-band, nothing folded into it, nothing mirrored out of it. */
#include "../testlib.h"
#include "conferocore/resample.h"
#include "kernels/kernels.h"
#include "signals.h"

#include <errno.h>

enum { HIGH = 48000, SETTLE = 320 }; /* a second; low-rate samples after which the filter is filled */
#define AMPLITUDE 30000.0
/* what resample.h promises, in parts of half the lower rate */
#define PASS 0.85
#define STOP 1.15
#define RIPPLE_DB 0.05
#define REJECTION_DB (-70.0)

static const int ratios[] = {2, 3, 4, 6};
static int ratio; /* of the test that runs */
static int16_t high[HIGH], low[HIGH / 2];

static double low_rate(void) {
    return HIGH / (double)ratio;
}
static double low_hz(double part) {
    return part * low_rate() / 2;
}
static double db(double a, double b) {
    return 20 * log10(a / b);
}

static void tone_down(double hz) {
    cf_resampler r;
    CHECK_INT(cf_resampler_init(&r, ratio), 0);
    test_tone(high, HIGH, hz, HIGH, AMPLITUDE, 0);
    cf_resample_down(&r, high, HIGH, low);
}

static void tone_up(double hz) {
    cf_resampler r;
    CHECK_INT(cf_resampler_init(&r, ratio), 0);
    test_tone(low, (size_t)(HIGH / ratio), hz, low_rate(), AMPLITUDE, 0);
    cf_resample_up(&r, low, (size_t)(HIGH / ratio), high);
}

/* Of a settled second. */
static double low_amplitude(double hz) {
    return test_amplitude(low + SETTLE, (size_t)(HIGH / ratio - SETTLE), hz, low_rate());
}
static double high_amplitude(double hz) {
    return test_amplitude(high + SETTLE * 6, HIGH - SETTLE * 6, hz, HIGH);
}

static void test_pass_band_is_flat_downwards(void) {
    for (double part = 0.01; part <= PASS; part += 0.021) {
        tone_down(low_hz(part));
        CHECK(fabs(db(low_amplitude(low_hz(part)), AMPLITUDE)) <= RIPPLE_DB);
    }
    tone_down(low_hz(PASS));
    CHECK(fabs(db(low_amplitude(low_hz(PASS)), AMPLITUDE)) <= RIPPLE_DB);
}

static void test_pass_band_is_flat_upwards(void) {
    for (double part = 0.01; part <= PASS; part += 0.021) {
        tone_up(low_hz(part));
        CHECK(fabs(db(high_amplitude(low_hz(part)), AMPLITUDE)) <= RIPPLE_DB);
    }
    tone_up(low_hz(PASS));
    CHECK(fabs(db(high_amplitude(low_hz(PASS)), AMPLITUDE)) <= RIPPLE_DB);
}

/* The upper end of what G.722 carries. */
static void test_seven_eighths_are_nearly_whole(void) {
    tone_down(low_hz(0.875));
    CHECK(fabs(db(low_amplitude(low_hz(0.875)), AMPLITUDE)) <= 0.1);
    tone_up(low_hz(0.875));
    CHECK(fabs(db(high_amplitude(low_hz(0.875)), AMPLITUDE)) <= 0.1);
}

/* All that is left of a tone beyond the transition, wherever it folds to. */
static void test_nothing_folds_down(void) {
    for (double part = STOP; part < ratio; part += 0.0437) {
        tone_down(low_hz(part));
        CHECK(db(test_rms(low + SETTLE, (size_t)(HIGH / ratio - SETTLE)), AMPLITUDE / sqrt(2)) <= REJECTION_DB);
    }
}

static void test_no_image_above_the_pass_band(void) {
    for (double part = 0.03; part <= PASS; part += 0.041) {
        tone_up(low_hz(part));
        for (int k = 1; k <= ratio / 2; k++)
            for (int side = -1; side <= 1; side += 2) {
                double image = k * low_rate() + side * low_hz(part);
                if (image < HIGH / 2.0)
                    CHECK(db(high_amplitude(image), AMPLITUDE) <= REJECTION_DB);
            }
    }
}

/* Nothing but the tone: images, rounding and all. */
static void test_a_tone_is_left_alone(void) {
    tone_down(low_hz(0.3));
    CHECK(test_residual_db(low + SETTLE, (size_t)(HIGH / ratio - SETTLE), low_hz(0.3), low_rate()) < -69);
    tone_up(low_hz(0.3));
    CHECK(test_residual_db(high + SETTLE * 6, HIGH - SETTLE * 6, low_hz(0.3), HIGH) < -69);
}

static void test_a_round_trip_is_the_signal_and_late(void) {
    static int16_t back[HIGH];
    cf_resampler up;
    cf_resampler_init(&up, ratio);
    tone_down(1000);
    cf_resample_up(&up, low, (size_t)(HIGH / ratio), back);
    int delay = CF_RESAMPLE_PHASE_TAPS * ratio - 1 - (ratio - 1), worst = 0; /* out[m] uses in[m * ratio + ratio - 1] */
    for (int i = 2000; i < HIGH; i++) {
        int d = abs(back[i] - high[i - delay]);
        worst = d > worst ? d : worst;
    }
    CHECK(worst < 60);
}

static void test_pieces_of_any_length_give_the_same(void) {
    static int16_t low_pieces[HIGH / 2], high_whole[HIGH], high_pieces[HIGH];
    size_t by = (size_t)ratio, second = HIGH / by;
    cf_resampler whole, pieces, copy;
    cf_resampler_init(&whole, ratio);
    cf_resampler_init(&pieces, ratio);
    test_babble(high, HIGH, 32767, 7);
    cf_resample_down(&whole, high, HIGH, low);
    for (size_t at = 0, n = 1; at < second; at += n, n = n * 5 % 97 + 1) {
        n = at + n > second ? second - at : n;
        copy = pieces; /* state is plain data */
        cf_resample_down(&copy, high + at * by, n * by, low_pieces + at);
        pieces = copy;
    }
    CHECK(memcmp(low, low_pieces, second * sizeof *low) == 0);
    cf_resampler_init(&whole, ratio);
    cf_resampler_init(&pieces, ratio);
    cf_resample_up(&whole, low, second, high_whole);
    for (size_t at = 0, n = 1; at < second; at += n, n = n * 5 % 97 + 1) {
        n = at + n > second ? second - at : n;
        cf_resample_up(&pieces, low + at, n, high_pieces + at * by);
    }
    CHECK(memcmp(high_whole, high_pieces, sizeof high_whole) == 0);
}

static void test_full_scale_squares_saturate_and_do_not_wrap(void) {
    cf_resampler r;
    cf_resampler_init(&r, ratio);
    int delay = 16 * ratio, half = 40 * ratio;
    for (int i = 0; i < HIGH / ratio; i++)
        low[i] = i / 40 % 2 ? INT16_MAX : INT16_MIN;
    cf_resample_up(&r, low, (size_t)(HIGH / ratio), high);
    for (int i = 600; i < HIGH; i++) { /* in the middle of each half wave the sign is the input's, some samples ago */
        int at = (i - delay) % half;
        if (at > half / 4 && at < half * 3 / 4)
            CHECK((high[i] > 0) == ((i - delay) / half % 2 == 1));
    }
}

/* Full scale with the sign of the tap that it meets: the largest sum there is. */
static int16_t worst(int tap, int sign) {
    double t = tap - (CF_RESAMPLE_PHASE_TAPS * ratio - 1) / 2.0;
    return sin(TEST_PI * 0.985 / ratio * t) / t * sign > 0 ? INT16_MAX : INT16_MIN;
}

static void worst_case(int sign) {
    enum { AT = 100, LOW = AT + 1 };
    int taps = CF_RESAMPLE_PHASE_TAPS * ratio, end = sign > 0 ? INT16_MAX : INT16_MIN;
    cf_resampler r;
    cf_resampler_init(&r, ratio);
    memset(high, 0, sizeof high);
    for (int i = 0; i < taps; i++)
        high[LOW * ratio - taps + i] = worst(i, sign);
    cf_resample_down(&r, high, (size_t)(LOW * ratio), low);
    CHECK_INT(low[AT], end);
    for (int phase = 0; phase < ratio; phase++) {
        cf_resampler_init(&r, ratio);
        memset(low, 0, sizeof low);
        for (int k = 0; k < CF_RESAMPLE_PHASE_TAPS; k++)
            low[LOW - CF_RESAMPLE_PHASE_TAPS + k] = worst(phase + ratio * (CF_RESAMPLE_PHASE_TAPS - 1 - k), sign);
        cf_resample_up(&r, low, LOW, high);
        CHECK_INT(high[AT * ratio + phase], end);
    }
}

static void test_the_largest_sums_saturate_on_every_path(void) {
    const cf_kernels *before = cf_kernels_now;
    for (size_t i = 0; cf_kernels_at(i); i++) {
        cf_kernels_use(cf_kernels_at(i)->name);
        worst_case(1);
        worst_case(-1);
    }
    cf_kernels_use(before->name);
}

static void test_silence_stays_silence(void) {
    cf_resampler r;
    cf_resampler_init(&r, ratio);
    memset(low, 0, sizeof low);
    memset(high, 1, sizeof high);
    cf_resample_up(&r, low, (size_t)(HIGH / ratio), high);
    for (int i = 0; i < HIGH; i++)
        CHECK_INT(high[i], 0);
}

static void test_other_ratios_are_refused(void) {
    static const int none[] = {-6, 0, 1, 5, 7, 12, 48};
    cf_resampler r;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CHECK_INT(cf_resampler_init(&r, none[i]), -EINVAL);
}

int main(void) {
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        ratio = ratios[i];
        RUN(test_pass_band_is_flat_downwards);
        RUN(test_pass_band_is_flat_upwards);
        RUN(test_seven_eighths_are_nearly_whole);
        RUN(test_nothing_folds_down);
        RUN(test_no_image_above_the_pass_band);
        RUN(test_a_tone_is_left_alone);
        RUN(test_a_round_trip_is_the_signal_and_late);
        RUN(test_pieces_of_any_length_give_the_same);
        RUN(test_full_scale_squares_saturate_and_do_not_wrap);
        RUN(test_the_largest_sums_saturate_on_every_path);
        RUN(test_silence_stays_silence);
    }
    RUN(test_other_ratios_are_refused);
    return REPORT();
}

/* Time scaling: whole periods, no seam, nothing lost outside the cut, and an honest judgement of what is alike. */
#include "../testlib.h"
#include "audio/pitch.h"
#include "audio/timescale.h"
#include "signals.h"

enum { PAST = CF_TIMESCALE_MAX, COUNT = 2400, ROOM = PAST + COUNT + CF_TIMESCALE_MAX };

static int16_t x[ROOM], before[ROOM];

static void test_a_squeezed_tone_is_the_tone(void) {
    for (int step = 0; step < 43; step++) {
        double hz = 67 * pow(1.13, step); /* up to 11.4 kHz */
        test_tone(x, COUNT, hz, 48000, 12000, 0);
        memcpy(before, x, sizeof x);
        size_t cut = cf_timescale_squeeze(x, COUNT, CF_TIMESCALE_MAX, 0.7F);
        CHECK(cut >= CF_TIMESCALE_MIN && cut <= CF_TIMESCALE_MAX);
        CHECK(memcmp(x + cut, before + 2 * cut, (COUNT - 2 * cut) * sizeof *x) == 0);
        CHECK(test_residual_db(x, COUNT - cut, hz, 48000) < -17); /* half a sample off, at 12 kHz */
        CHECK(hz > 4000 || test_residual_db(x, COUNT - cut, hz, 48000) < -25);
        CHECK(test_bend(x, COUNT - cut) <= test_bend(before, COUNT) * 1.01 + 3);
    }
}

static void test_a_stretched_tone_is_the_tone(void) {
    for (int step = 0; step < 43; step++) {
        double hz = 67 * pow(1.13, step); /* up to 11.4 kHz */
        test_tone(x, PAST + COUNT, hz, 48000, 12000, 0);
        memcpy(before, x, sizeof x);
        size_t added = cf_timescale_stretch(x + PAST, COUNT, 0.7F);
        CHECK(added >= CF_TIMESCALE_MIN && added <= CF_TIMESCALE_MAX);
        CHECK(memcmp(x + PAST + added, before + PAST, COUNT * sizeof *x) == 0);
        CHECK(memcmp(x, before, PAST * sizeof *x) == 0);
        CHECK(hz > 4000 || test_residual_db(x, PAST + COUNT + added, hz, 48000) < -25);
        CHECK(test_bend(x, PAST + COUNT + added) <= test_bend(before, PAST + COUNT) * 1.01 + 3);
    }
}

static void test_no_more_is_cut_than_allowed(void) {
    test_tone(before, COUNT, 440, 48000, 12000, 0);
    for (size_t most = 0; most <= CF_TIMESCALE_MAX + 200; most += 17) {
        memcpy(x, before, sizeof x);
        size_t cut = cf_timescale_squeeze(x, COUNT, most, 0);
        CHECK(cut <= most);
        CHECK(most < CF_TIMESCALE_MIN ? cut == 0 : cut >= CF_TIMESCALE_MIN);
    }
    CHECK_INT(cf_timescale_squeeze(x, CF_TIMESCALE_MAX + 119, CF_TIMESCALE_MIN, 0), 0); /* too little to look at */
    CHECK_INT(cf_timescale_stretch(x + PAST, CF_TIMESCALE_MAX - 1, 0), 0);
}

static void test_noise_is_not_alike_and_keeps_its_power_when_forced(void) {
    cf_rng rng;
    double power_before = 0, power_after = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        cf_rng_seed(&rng, seed);
        for (int i = 0; i < PAST + COUNT; i++)
            x[i] = (int16_t)((cf_rng_unit(&rng) - 0.5) * 20000);
        memcpy(before, x, sizeof x);
        CHECK_INT(cf_timescale_squeeze(x, COUNT, CF_TIMESCALE_MAX, 0.7F), 0);
        CHECK_INT(cf_timescale_stretch(x + PAST, COUNT, 0.7F), 0);
        CHECK(memcmp(x, before, sizeof x) == 0);
        size_t added = cf_timescale_stretch(x + PAST, COUNT, 0);
        CHECK(added > 0);
        power_before += pow(test_rms(before + PAST, added), 2);
        power_after += pow(test_rms(x + PAST, added), 2);
    }
    CHECK(fabs(10 * log10(power_after / power_before)) < 0.5);
}

static void test_silence_and_full_scale(void) {
    memset(x, 0, sizeof x);
    CHECK(cf_timescale_squeeze(x, COUNT, CF_TIMESCALE_MAX, 0) > 0);
    CHECK(cf_timescale_stretch(x + PAST, COUNT, 0) > 0);
    CHECK(test_rms(x, ROOM) == 0);
    for (int i = 0; i < ROOM; i++)
        x[i] = i / 100 % 2 ? INT16_MAX : INT16_MIN;
    CHECK(cf_timescale_stretch(x + PAST, COUNT, 0.7F) > 0);
    CHECK_INT(test_bend(x, PAST + COUNT), 65535); /* as before: nothing has wrapped */
}

static void test_pitch_is_found_at_any_level(void) {
    static const double levels[] = {3, 30, 300, 3000, 32767};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        int16_t scaled[ROOM];
        test_tone(x, ROOM, 48000.0 / 311, 48000, levels[i], 0);
        cf_pitch_scale(x, ROOM, scaled);
        cf_pitch up = cf_pitch_search(scaled, 1, 200, 500, CF_PITCH_WINDOW);
        cf_pitch down = cf_pitch_search(scaled + 720, -1, 200, 500, CF_PITCH_WINDOW);
        CHECK(abs(up.lag - 311) <= (levels[i] < 10 ? 4 : 1));
        CHECK(abs(down.lag - 311) <= (levels[i] < 10 ? 4 : 1));
        CHECK(up.likeness > 0.97F && down.likeness > 0.97F);
    }
}

/* The largest values that fit must not overflow the sums of 32 bits (the sanitizer watches). */
static void test_the_loudest_square_wave_fits(void) {
    int16_t scaled[ROOM];
    for (int i = 0; i < ROOM; i++)
        x[i] = INT16_MIN;
    cf_pitch_scale(x, ROOM, scaled);
    CHECK(cf_pitch_search(scaled, 1, 120, 720, CF_PITCH_WINDOW).likeness > 0.99F);
}

int main(void) {
    RUN(test_a_squeezed_tone_is_the_tone);
    RUN(test_a_stretched_tone_is_the_tone);
    RUN(test_no_more_is_cut_than_allowed);
    RUN(test_noise_is_not_alike_and_keeps_its_power_when_forced);
    RUN(test_silence_and_full_scale);
    RUN(test_pitch_is_found_at_any_level);
    RUN(test_the_loudest_square_wave_fits);
    return REPORT();
}

/* tone.c: the frequencies, levels and cadences that were asked for, no click at an edge, and digits that are digits. */
#include "../testlib.h"
#include "conferocore/dtmf.h"
#include "conferocore/mixer.h"
#include "conferocore/tone.h"
#include "signals.h"

#include <errno.h>

static int16_t pcm[CF_TONE_MAX_MS * 48];

static void test_frequency_and_level(void) {
    static const int levels[] = {3, 10, 20, 40, 60};
    for (size_t i = 0; i < 5; i++)
        for (int hz = 20; hz <= 20000; hz += 1665) {
            cf_tone tone = {1, {{{hz, 0}, {levels[i], 0}, 1000}}};
            CHECK_INT(cf_tone_render(&tone, pcm, 48000), 48000);
            CHECK_INT(cf_level(pcm + 960, 46080), levels[i]);
            double want = 32767 * pow(10, (3 - levels[i]) / 20.0);
            CHECK(fabs(test_amplitude(pcm + 960, 46080, hz, 48000) / want - 1) < 0.01);
            CHECK(test_residual_db(pcm + 960, 46080, hz, 48000) < (levels[i] < 30 ? -60 : -25));
        }
}

static void test_two_sines(void) {
    cf_tone tone = {1, {{{697, 1209}, {15, 13}, 500}}};
    CHECK_INT(cf_tone_render(&tone, pcm, 24000), 24000);
    CHECK(fabs(20 * log10(test_amplitude(pcm + 480, 23040, 697, 48000) / 32768 / sqrt(2)) + 15) < 0.1);
    CHECK(fabs(20 * log10(test_amplitude(pcm + 480, 23040, 1209, 48000) / 32768 / sqrt(2)) + 13) < 0.1);
}

static void test_cadence(void) {
    cf_tone tone = {3, {{{440, 0}, {20, 0}, 100}, {{0, 0}, {0, 0}, 50}, {{0, 880}, {0, 20}, 30}}};
    CHECK_INT(cf_tone_samples(&tone), 180 * 48);
    CHECK_INT(cf_tone_render(&tone, pcm, 180 * 48), 180 * 48);
    CHECK(test_rms(pcm + 480, 3840) > 2000 && test_rms(pcm + 7440, 960) > 2000);
    for (int i = 4800; i < 7200; i++)
        CHECK_INT(pcm[i], 0);
}

/* The largest bend in a tone is at its peaks: an edge that bends it further clicks. */
static void test_no_click_at_an_edge(void) {
    for (int hz = 50; hz < 3000; hz += 131) {
        cf_tone tone = {2, {{{hz, 0}, {10, 0}, 37}, {{0, 0}, {0, 0}, 10}}};
        memset(pcm, 0, 480 * sizeof *pcm);
        CHECK_INT(cf_tone_render(&tone, pcm + 480, 4800), 47 * 48);
        int inside = test_bend(pcm + 480 + 240, 37 * 48 - 480), all = test_bend(pcm, 480 + 47 * 48);
        CHECK(all <= inside + 30);
    }
}

static void test_short_steps_have_short_ramps(void) {
    cf_tone tone = {1, {{{1000, 0}, {10, 0}, 4}}};
    CHECK_INT(cf_tone_render(&tone, pcm, 192), 192);
    CHECK(pcm[0] == 0 && pcm[191] == 0 && test_rms(pcm + 48, 96) > 5000);
}

static void test_refused(void) {
    const cf_tone good = {1, {{{425, 0}, {19, 0}, 100}}};
    struct {
        int count, hz0, hz1, level0, level1, ms;
    } bad[] = {
        {0, 425, 0, 19, 0, 100},   {17, 425, 0, 19, 0, 100},  {-1, 425, 0, 19, 0, 100},      {1, 19, 0, 19, 0, 100},
        {1, 20001, 0, 19, 0, 100}, {1, -1, 0, 19, 0, 100},    {1, 425, 0, 2, 0, 100},        {1, 425, 0, 128, 0, 100},
        {1, 425, 0, -1, 0, 100},   {1, 425, 0, 19, 0, 0},     {1, 425, 0, 19, 0, 60001},     {1, 425, 0, 19, 0, -5},
        {1, 425, 600, 8, 8, 100},  {1, 425, 10, 19, 19, 100}, {1, 425, 0, 19, 0, INT32_MAX},
    };
    CHECK_INT(cf_tone_samples(&good), 4800);
    CHECK_INT(cf_tone_render(&good, pcm, 4799), -ENOSPC);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cf_tone tone = {bad[i].count, {{{bad[i].hz0, bad[i].hz1}, {bad[i].level0, bad[i].level1}, bad[i].ms}}};
        CHECK_INT(cf_tone_samples(&tone), -EINVAL);
        CHECK_INT(cf_tone_render(&tone, pcm, sizeof pcm / sizeof *pcm), -EINVAL);
    }
    cf_tone long_one = {2, {{{425, 0}, {19, 0}, 60000}, {{425, 0}, {19, 0}, 1}}};
    CHECK_INT(cf_tone_samples(&long_one), -EINVAL);
    long_one.steps[0].ms = 59999;
    CHECK_INT(cf_tone_render(&long_one, pcm, sizeof pcm / sizeof *pcm), CF_TONE_MAX_MS * 48);
}

static void test_named(void) {
    static const char *const names[] = {"dial", "ringing", "busy", "congestion", "entry", "exit", "beep"};
    cf_tone tone;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK_INT(cf_tone_named(&tone, names[i]), 0);
        int n = cf_tone_render(&tone, pcm, sizeof pcm / sizeof *pcm);
        CHECK(n > 0 && cf_level(pcm, (size_t)n) < 40);
    }
    CHECK_INT(cf_tone_named(&tone, "engaged"), -ENOENT);
    CHECK_INT(cf_tone_named(&tone, ""), -ENOENT);
    CHECK_INT(cf_tone_named(&tone, "E"), -ENOENT);
}

/* Our own detector judges our own digits; that it is right, test_dtmf.c has shown by others' tones. */
static void test_digits_are_digits(void) {
    for (const char *d = "0123456789*#ABCD"; *d; d++) {
        cf_tone tone;
        cf_dtmf dtmf;
        cf_digit found = {0};
        int count = 0;
        cf_dtmf_init(&dtmf);
        CHECK_INT(cf_tone_named(&tone, (char[]){*d, 0}), 0);
        CHECK_INT(cf_tone_render(&tone, pcm, 48000), 9600);
        for (int f = 0; f < 10; f++)
            count += cf_dtmf_run(&dtmf, pcm + f * CF_FRAME, CF_FRAME, &found);
        CHECK(count == 1 && found.digit == *d && abs((int)found.duration_ms - 100) <= 8);
    }
}

int main(void) {
    RUN(test_frequency_and_level);
    RUN(test_two_sines);
    RUN(test_cadence);
    RUN(test_no_click_at_an_edge);
    RUN(test_short_steps_have_short_ramps);
    RUN(test_refused);
    RUN(test_named);
    RUN(test_digits_are_digits);
    return REPORT();
}

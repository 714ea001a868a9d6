/* player.c: every sample once and in its place, no click where it begins, loops, is turned down or stopped. */
#include "../testlib.h"
#include "conferocore/player.h"
#include "signals.h"

enum { SECOND = 48000, FADE = CF_PLAYER_FADE };
static int16_t sound[SECOND], heard[8 * SECOND];

static cf_player *player(size_t n, int gain, int loops) {
    cf_clip *clip = cf_clip_new(sound, n);
    CHECK_INT(cf_clip_samples(clip), n);
    cf_player *p = cf_player_new(clip, &(cf_player_config){gain, loops});
    cf_clip_free(clip); /* the player holds it */
    return p;
}

/* Plays to the end, at most 8 s, into `heard`: how many frames. */
static size_t play(cf_player *p) {
    size_t frames = 0;
    while (frames < sizeof heard / sizeof *heard / CF_FRAME && !cf_player_ended(p))
        cf_player_next(p, heard + CF_FRAME * frames++);
    return frames;
}

static void test_once_whatever_its_length(void) {
    for (int i = 0; i < SECOND; i++)
        sound[i] = (int16_t)(i % 20011 - 10000);
    size_t lengths[] = {1, 2, 239, 240, 241, 479, 480, 481, 959, 960, 961, 1919, 1920, 2000, SECOND};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        size_t n = lengths[k];
        cf_player *p = player(n, CF_GAIN_ONE, 1);
        memset(heard, 0x55, sizeof heard);
        CHECK_INT(play(p), (n + CF_FRAME - 1) / CF_FRAME);
        CHECK_INT(cf_player_position(p), n);
        for (size_t i = FADE; i + FADE < n; i++)
            CHECK(heard[i] == sound[i]);
        for (size_t i = n; i % CF_FRAME; i++)
            CHECK_INT(heard[i], 0);
        CHECK_INT(heard[0], 0);
        CHECK_INT(heard[n - 1], 0);
        cf_player_free(p);
    }
}

static void test_what_is_left(void) {
    cf_player *p = player(2000, CF_GAIN_ONE, 1);
    CHECK_INT(cf_player_next(p, heard), 1040);
    CHECK(!cf_player_ended(p) && cf_player_position(p) == 960);
    CHECK_INT(cf_player_next(p, heard), 80);
    CHECK_INT(cf_player_next(p, heard), 0);
    CHECK(cf_player_ended(p) && cf_player_position(p) == 2000);
    memset(heard, 0x55, CF_FRAME * sizeof *heard);
    CHECK_INT(cf_player_next(p, heard), 0); /* silence from then on */
    CHECK_INT(test_rms(heard, CF_FRAME), 0);
    CHECK_INT(cf_player_position(p), 2000);
    cf_player_free(p);
}

/* Cut out of a tone anywhere: the ends are wherever they happen to be. */
static void test_no_click_at_the_ends_and_seams(void) {
    for (size_t n = 4000; n < 9000; n += 777) {
        test_tone(sound, n, 440, SECOND, 12000, 17);
        cf_player *p = player(n, CF_GAIN_ONE, 3);
        memset(heard, 0, 480 * sizeof *heard);
        size_t frames = play(p);
        size_t length = n + 2 * (n - FADE);
        CHECK_INT(cf_player_position(p), length);
        CHECK_INT(frames, (length + CF_FRAME - 1) / CF_FRAME);
        int corner = 12000 / FADE; /* of a ramp, at the tone's peak; two of them in a seam */
        CHECK(test_bend(heard, frames * CF_FRAME) < test_bend(sound, n) + 2 * corner);
        CHECK(heard[0] == 0 && heard[length - 1] == 0);
        cf_player_free(p);
    }
}

/* A clip whose end fits its beginning is looped without a trace: the same tone all the way. */
static void test_a_seam_that_fits_is_not_heard(void) {
    size_t n = 4800 + FADE;
    test_tone(sound, n, 500, SECOND, 12000, 0);
    cf_player *p = player(n, CF_GAIN_ONE, 20);
    size_t frames = play(p);
    CHECK(test_residual_db(heard + CF_FRAME, (frames - 3) * CF_FRAME, 500, SECOND) < -70);
    cf_player_free(p);
}

static void test_endless_until_stopped(void) {
    test_tone(sound, SECOND, 500, SECOND, 12000, 0);
    cf_player *p = player(960 + FADE, CF_GAIN_ONE, 0);
    for (size_t f = 0; f < 300; f++)
        CHECK(cf_player_next(p, heard + (f % 100) * CF_FRAME) == INT64_MAX);
    cf_player_stop(p);
    cf_player_stop(p); /* once is enough */
    CHECK_INT(cf_player_next(p, heard + 100 * CF_FRAME), 0);
    CHECK(cf_player_ended(p));
    CHECK_INT(cf_player_position(p), 300 * CF_FRAME + FADE);
    int16_t *last = heard + 100 * CF_FRAME;
    CHECK(test_rms(last, FADE) > 3000 && last[FADE - 1] == 0);
    CHECK_INT(test_rms(last + FADE, CF_FRAME - FADE), 0);
    CHECK(test_bend(heard + CF_FRAME, 100 * CF_FRAME) < 100); /* 12000 * (2 pi 500 / 48000)^2 = 51 */
    cf_player_free(p);
}

static void test_stopped_before_it_began(void) {
    cf_player *p = player(SECOND, CF_GAIN_ONE, 1);
    cf_player_stop(p);
    CHECK_INT(cf_player_next(p, heard), 0);
    CHECK(cf_player_ended(p) && test_rms(heard, CF_FRAME) == 0 && cf_player_position(p) == 0);
    cf_player_free(p);
}

static void test_gain_goes_over(void) {
    test_tone(sound, SECOND, 500, SECOND, 12000, 0);
    cf_player *p = player(SECOND, CF_GAIN_ONE / 2, 1);
    for (size_t f = 0; f < 30; f++) {
        if (f == 10)
            cf_player_gain(p, CF_GAIN_ONE);
        if (f == 20)
            cf_player_gain(p, 0);
        cf_player_next(p, heard + f * CF_FRAME);
    }
    CHECK(fabs(test_amplitude(heard + 2 * CF_FRAME, 8 * CF_FRAME, 500, SECOND) - 6000) < 20);
    CHECK(fabs(test_amplitude(heard + 12 * CF_FRAME, 8 * CF_FRAME, 500, SECOND) - 12000) < 20);
    CHECK_INT(test_rms(heard + 21 * CF_FRAME, 9 * CF_FRAME), 0);
    CHECK(test_bend(heard + CF_FRAME, 29 * CF_FRAME) < 70);
    cf_player_gain(p, INT32_MAX); /* saturates, never wraps */
    for (size_t f = 0; f < 5; f++)
        cf_player_next(p, heard + f * CF_FRAME);
    int16_t most = 0;
    for (size_t i = CF_FRAME; i < 5 * CF_FRAME; i++) {
        CHECK((heard[i] > 0) == (sound[30 * CF_FRAME + i] > 0) || abs(sound[30 * CF_FRAME + i]) < 2);
        most = heard[i] > most ? heard[i] : most;
    }
    CHECK_INT(most, INT16_MAX);
    cf_player_free(p);
}

static void test_one_clip_many_players(void) {
    cf_clip *clip = cf_clip_new(sound, 3000);
    cf_player *players[50];
    for (int i = 0; i < 50; i++)
        players[i] = cf_player_new(clip, &(cf_player_config){CF_GAIN_ONE, 1});
    cf_clip_free(clip);
    for (int i = 0; i < 50; i++) {
        for (int f = 0; f < i % 4; f++)
            cf_player_next(players[i], heard);
        CHECK_INT(cf_player_position(players[i]), i % 4 * 960);
        cf_player_free(players[i]);
    }
}

static void test_wrong_use(void) {
    cf_clip *clip = cf_clip_new(sound, 10);
    CHECK(!cf_clip_new(sound, 0));
    CHECK(!cf_clip_new(sound, (size_t)CF_CLIP_MAX + 1));
    CHECK(!cf_player_new(clip, &(cf_player_config){-1, 1}));
    CHECK(!cf_player_new(clip, &(cf_player_config){CF_GAIN_MAX + 1, 1}));
    CHECK(!cf_player_new(clip, &(cf_player_config){CF_GAIN_ONE, -1}));
    cf_clip_free(clip);
    cf_clip_free(NULL);
    cf_player_free(NULL);
}

int main(void) {
    RUN(test_once_whatever_its_length);
    RUN(test_what_is_left);
    RUN(test_no_click_at_the_ends_and_seams);
    RUN(test_a_seam_that_fits_is_not_heard);
    RUN(test_endless_until_stopped);
    RUN(test_stopped_before_it_began);
    RUN(test_gain_goes_over);
    RUN(test_one_clip_many_players);
    RUN(test_wrong_use);
    return REPORT();
}

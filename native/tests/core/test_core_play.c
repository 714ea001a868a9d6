/* Players in the core: who hears what plays, alone and beside the room, without a click, and when its end is told. */
#include "testlib.h"

#include "core_fixture.h"

enum { SECOND = 48000 };
static int16_t sound[2 * SECOND];

static cf_playing *playing(uint64_t number, double hz, size_t n, int loops) {
    for (size_t i = 0; i < n; i++)
        sound[i] = (int16_t)(6000 * sin(2 * M_PI * hz * (double)i / SECOND));
    cf_clip *clip = cf_clip_new(sound, n);
    cf_playing *play = cf_playing_new(number, clip, &(cf_player_config){CF_GAIN_ONE, loops});
    cf_clip_free(clip);
    return play;
}

static const cf_event *played(const fixture *f, uint64_t number) {
    for (int i = 0; i < f->event_count; i++)
        if (f->events[i].type == CF_EVENT_PLAYED && f->events[i].value == number)
            return &f->events[i];
    return NULL;
}

static fixture *room_of_three(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_many(f, 3);
    run_ms(f, 400, NULL, 0);
    clear_sent(f);
    return f;
}

static void test_a_room_hears_it_all_and_it_ends(void) {
    fixture *f = room_of_three();
    cf_playing *play = playing(7, 500, SECOND, 1);
    CHECK_INT(cf_core_room_play(f->core, 1, play), 0);
    run_ms(f, 800, NULL, 0);
    for (uint64_t id = 1; id <= 3; id++)
        CHECK(fabs(heard_tone(f, id, 500) - 6000) < 300);
    CHECK(!played(f, 7) && !cf_playing_ended(play));
    run_ms(f, 400, NULL, 0);
    const cf_event *event = played(f, 7);
    CHECK(event && event->room == 1 && event->leg == 0 && cf_playing_ended(play));
    clear_sent(f);
    run_ms(f, 200, NULL, 0);
    CHECK(heard_tone(f, 2, 500) < 20);
    CHECK_INT(cf_core_room_stop(f->core, 1, 7), -ENOENT);
    cf_playing_free(play);
    fixture_free(f);
}

static void test_a_leg_hears_it_alone_beside_the_room(void) {
    fixture *f = room_of_three();
    cf_playing *play = playing(8, 500, SECOND, 1);
    voice v = {.id = 1, .hz = 1000, .amplitude = 6000};
    run_ms(f, 600, &v, 1);
    clear_sent(f);
    CHECK_INT(cf_core_leg_play(f->core, 2, play), 0);
    run_ms(f, 800, &v, 1);
    CHECK(fabs(heard_tone(f, 2, 500) - 6000) < 300 && fabs(heard_tone(f, 2, 1000) - 6000) < 300);
    CHECK(heard_tone(f, 3, 500) < 20 && fabs(heard_tone(f, 3, 1000) - 6000) < 300);
    CHECK(heard_tone(f, 1, 500) < 20 && heard_tone(f, 1, 1000) < 20);
    run_ms(f, 400, &v, 1);
    const cf_event *event = played(f, 8);
    CHECK(event && event->room == 1 && event->leg == 2);
    cf_playing_free(play);
    fixture_free(f);
}

/* The samples that leg 2 hears, before any codec. */
static size_t tapped(cf_tap *tap, int16_t *pcm, size_t n) {
    int64_t at;
    size_t got = 0, more;
    while (got < n && (more = cf_tap_read(tap, pcm + got, n - got, &at)) > 0)
        got += more;
    return got;
}

static int largest_bend(const int16_t *x, size_t n) {
    int bend = 0;
    for (size_t i = 2; i < n; i++) {
        int d = abs(x[i] - 2 * x[i - 1] + x[i - 2]);
        bend = d > bend ? d : bend;
    }
    return bend;
}

/* Music for one who is on hold: deaf to the room, and it comes and goes without a click. */
static void test_the_deaf_hear_what_plays_to_them(void) {
    static int16_t heard[3 * SECOND];
    fixture *f = room_of_three();
    voice v = {.id = 1, .hz = 1000, .amplitude = 6000};
    cf_core_leg_deaf(f->core, 2, true);
    run_ms(f, 600, &v, 1);
    cf_tap *tap = cf_tap_new(CF_TAP_LEG_OUT, 3000);
    CHECK_INT(cf_core_tap(f->core, 2, tap), 0);
    cf_playing *play = playing(9, 500, SECOND + 240, 0);
    clear_sent(f);
    CHECK_INT(cf_core_leg_play(f->core, 2, play), 0);
    run_ms(f, 1500, &v, 1);
    CHECK(fabs(heard_tone(f, 2, 500) - 6000) < 300 && heard_tone(f, 2, 1000) < 20);
    CHECK_INT(cf_core_leg_stop(f->core, 2, 9), 0);
    run_ms(f, 500, &v, 1);
    CHECK(played(f, 9));
    size_t n = tapped(tap, heard, sizeof heard / sizeof *heard);
    CHECK(n >= SECOND && largest_bend(heard, n) < 26 + 2 * 25); /* the tone's own, and two corners of ramps */
    CHECK(heard[n - 1] == 0);
    clear_sent(f);
    cf_core_leg_deaf(f->core, 2, false);
    run_ms(f, 600, &v, 1);
    CHECK(heard_tone(f, 2, 1000) > 5000);
    cf_core_untap(f->core, tap);
    cf_tap_free(tap);
    cf_playing_free(play);
    fixture_free(f);
}

static void test_it_ends_with_its_leg_or_room(void) {
    fixture *f = room_of_three();
    cf_playing *to_leg = playing(1, 500, SECOND, 0), *to_room = playing(2, 500, SECOND, 0);
    cf_core_leg_play(f->core, 2, to_leg);
    cf_core_room_play(f->core, 1, to_room);
    run_ms(f, 100, NULL, 0);
    leave(f, 2);
    const cf_event *event = played(f, 1);
    CHECK(event && event->leg == 2 && event->room == 1 && cf_playing_ended(to_leg));
    CHECK(!played(f, 2));
    leave(f, 1);
    leave(f, 3);
    cf_room_free(cf_core_room_remove(f->core, 1));
    CHECK(played(f, 2) && cf_playing_ended(to_room));
    cf_playing_free(to_leg);
    cf_playing_free(to_room);
    fixture_free(f);
}

static void test_bounds_and_unknown_places(void) {
    fixture *f = room_of_three();
    cf_playing *plays[9];
    for (uint64_t i = 0; i < 9; i++) {
        plays[i] = playing(i + 1, 300, 4800, 1);
        CHECK_INT(cf_core_room_play(f->core, 1, plays[i]), i < 8 ? 0 : -ENOSPC);
    }
    CHECK_INT(cf_core_room_play(f->core, 5, plays[8]), -ENOENT);
    CHECK_INT(cf_core_leg_play(f->core, 5, plays[8]), -ENOENT);
    CHECK_INT(cf_core_leg_stop(f->core, 5, 1), -ENOENT);
    run_ms(f, 200, NULL, 0);
    for (uint64_t i = 0; i < 8; i++)
        CHECK(played(f, i + 1));
    for (int i = 0; i < 9; i++)
        cf_playing_free(plays[i]);
    fixture_free(f);
}

/* What is stopped where nobody hears it ends at once: before it began, in an empty room, at a leg that is suspended. */
static void test_stopped_unheard(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_playing *plays[3];
    for (uint64_t i = 0; i < 3; i++)
        plays[i] = playing(i + 1, 500, SECOND, 0);
    CHECK_INT(cf_core_room_play(f->core, 1, plays[0]), 0);
    CHECK_INT(cf_core_room_stop(f->core, 1, 1), 0);
    CHECK(played(f, 1));
    join(f, 1, 1);
    CHECK_INT(cf_core_leg_play(f->core, 1, plays[1]), 0);
    CHECK_INT(cf_core_leg_stop(f->core, 1, 2), 0);
    CHECK(played(f, 2));
    CHECK_INT(cf_core_leg_play(f->core, 1, plays[2]), 0);
    run_ms(f, 200, NULL, 0);
    cf_core_leg_suspend(f->core, 1, true);
    run_ms(f, 200, NULL, 0);
    CHECK_INT(cf_core_leg_stop(f->core, 1, 3), 0);
    CHECK(played(f, 3));
    for (int i = 0; i < 3; i++)
        cf_playing_free(plays[i]);
    fixture_free(f);
}

/* A room that sleeps is woken by it; one in which nobody is keeps it until somebody comes. */
static void test_it_wakes_a_room(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_playing *play = playing(3, 500, SECOND, 1);
    CHECK_INT(cf_core_room_play(f->core, 1, play), 0);
    run_ms(f, 3000, NULL, 0);
    CHECK(!played(f, 3));
    join(f, 1, 1);
    clear_sent(f);
    run_ms(f, 800, NULL, 0);
    CHECK(heard_tone(f, 1, 500) > 5000);
    run_ms(f, 400, NULL, 0);
    CHECK(played(f, 3));
    cf_playing_free(play);
    fixture_free(f);
}

/* Nothing was due for an hour: the room begins now, and not an hour late. */
static void test_a_core_that_had_nothing_to_do_is_not_late(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    f->now += 3600 * 1000 * MS;
    cf_core_time(f->core, f->now);
    cf_tap *tap = cf_tap_new(CF_TAP_ROOM, 500);
    CHECK_INT(cf_core_tap(f->core, 1, tap), 0);
    CHECK(cf_core_deadline(f->core) > f->now);
    run_ms(f, 100, NULL, 0);
    CHECK_INT(core_stats(f).ticks, 5);
    CHECK_INT(core_stats(f).late_ticks, 0);
    fixture_free(f);
}

int main(void) {
    RUN(test_a_room_hears_it_all_and_it_ends);
    RUN(test_a_leg_hears_it_alone_beside_the_room);
    RUN(test_the_deaf_hear_what_plays_to_them);
    RUN(test_it_ends_with_its_leg_or_room);
    RUN(test_bounds_and_unknown_places);
    RUN(test_stopped_unheard);
    RUN(test_it_wakes_a_room);
    RUN(test_a_core_that_had_nothing_to_do_is_not_late);
    return REPORT();
}

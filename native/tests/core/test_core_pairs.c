/* Who hears whom otherwise than all do: single gains, voices aside, suspended and held legs. */
#include "testlib.h"

#include "core_fixture.h"

#include <errno.h>
#include <limits.h>

static void pair_up(fixture *f, uint64_t listener, uint64_t talker, int32_t gain, int want) {
    cf_pair *pair = cf_pair_new(talker, gain);
    CHECK(pair != NULL);
    CHECK_INT(cf_core_pair(f->core, listener, &pair), want);
    cf_pair_free(pair);
}

static voice voice_of(uint64_t id) {
    return (voice){.id = id, .hz = 300 + 200 * (double)id, .amplitude = 4000};
}

static double heard(const fixture *f, uint64_t ear, uint64_t talker) {
    return heard_tone(f, ear, 300 + 200 * (double)talker);
}

static fixture *four_in_a_room(voice *voices) {
    fixture *f = fixture_new();
    add_room(f, 1);
    for (uint64_t id = 1; id <= 4; id++) {
        join(f, id, 1);
        voices[id - 1] = voice_of(id);
    }
    return f;
}

static void test_one_listener_has_a_gain_of_its_own(void) {
    voice voices[4];
    fixture *f = four_in_a_room(voices);
    pair_up(f, 3, 1, CF_GAIN_ONE / 4, 0);
    pair_up(f, 3, 2, 0, 0);
    run_ms(f, 500, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK(heard(f, 3, 1) > 900 && heard(f, 3, 1) < 1100);
    CHECK(heard(f, 3, 2) < 20);
    CHECK(heard(f, 4, 1) > 3700 && heard(f, 4, 2) > 3700); /* nobody else hears a difference */
    CHECK(heard(f, 1, 2) > 3700 && heard(f, 2, 1) > 3700);
    CHECK_INT(cf_core_unpair(f->core, 3, 2), 0);
    CHECK_INT(cf_core_unpair(f->core, 3, 4), -ENOENT);
    run_ms(f, 100, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK(heard(f, 3, 2) > 3700);
    fixture_free(f);
}

static void test_a_voice_aside_is_heard_by_its_pairs_alone(void) {
    voice voices[4];
    fixture *f = four_in_a_room(voices);
    CHECK_INT(cf_core_leg_aside(f->core, 1, true), 0);
    pair_up(f, 3, 1, CF_GAIN_ONE, 0); /* the coach speaks to 3 */
    run_ms(f, 500, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK(heard(f, 3, 1) > 3700 && heard(f, 3, 2) > 3700);
    CHECK(heard(f, 2, 1) < 20 && heard(f, 4, 1) < 20);
    CHECK(heard(f, 1, 2) > 3700); /* and hears the room, not itself */
    CHECK(heard(f, 1, 1) < 20);
    CHECK_INT(cf_core_leg_aside(f->core, 1, false), 0);
    run_ms(f, 200, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK(heard(f, 4, 1) > 3700);
    fixture_free(f);
}

/* The largest step between two samples of what was sent to a member. */
static int largest_step(const fixture *f, uint64_t id) {
    int last = INT_MIN, largest = 0, at = 0;
    cf_rtp rtp;
    while (next_rtp(f, id, &at, &rtp))
        for (size_t k = 0; k < rtp.payload_len; k++) {
            int x = cf_ulaw_decode(rtp.payload[k]), step = last == INT_MIN ? 0 : abs(x - last);
            largest = step > largest ? step : largest;
            last = x;
        }
    return largest;
}

static void test_changes_of_a_gain_do_not_click(void) {
    voice voices[4];
    fixture *f = four_in_a_room(voices);
    run_ms(f, 500, voices, 1);
    clear_sent(f);
    run_ms(f, 500, voices, 1);
    int calm = largest_step(f, 3);
    clear_sent(f);
    for (int i = 0; i < 10; i++) {
        pair_up(f, 3, 1, i % 2 ? CF_GAIN_ONE : 0, 0);
        run_ms(f, 60, voices, 1);
        if (i == 5)
            CHECK_INT(cf_core_unpair(f->core, 3, 1), 0);
        CHECK_INT(cf_core_leg_aside(f->core, 1, i % 4 == 3), 0);
    }
    CHECK(largest_step(f, 3) <= calm * 11 / 10);
    fixture_free(f);
}

static void test_pairs_are_bounded_and_reused(void) {
    voice voices[4];
    fixture *f = four_in_a_room(voices);
    CHECK(cf_pair_new(0, 1) == NULL);
    CHECK(cf_pair_new(1, -1) == NULL);
    CHECK(cf_pair_new(1, CF_GAIN_MAX + 1) == NULL);
    pair_up(f, 99, 1, 0, -ENOENT);
    for (uint64_t talker = 100; talker < 164; talker++)
        pair_up(f, 3, talker, 0, 0);
    pair_up(f, 3, 1, 0, -ENOSPC);
    pair_up(f, 3, 120, CF_GAIN_ONE, 0); /* changed in place */
    CHECK_INT(cf_core_unpair(f->core, 3, 130), 0);
    pair_up(f, 3, 1, 0, 0); /* in the place of the one that has ended */
    run_ms(f, 500, voices, 2);
    clear_sent(f);
    run_ms(f, 500, voices, 2);
    CHECK(heard(f, 3, 1) < 20 && heard(f, 3, 2) > 3700);
    fixture_free(f);
}

static void test_a_listener_with_pairs_may_move_and_leave(void) {
    voice voices[4];
    fixture *f = four_in_a_room(voices);
    add_room(f, 2);
    pair_up(f, 3, 1, 0, 0);
    run_ms(f, 300, voices, 2);
    CHECK_INT(cf_core_leg_move(f->core, 3, 2), 0);
    CHECK_INT(cf_core_leg_move(f->core, 1, 2), 0);
    run_ms(f, 500, voices, 2);
    clear_sent(f);
    run_ms(f, 500, voices, 2);
    CHECK(heard(f, 3, 1) < 20);
    leave(f, 1);
    run_ms(f, 100, voices + 1, 1);
    leave(f, 3);
    run_ms(f, 100, voices + 1, 1);
    fixture_free(f);
}

static void test_the_suspended_are_neither_heard_nor_sent_to(void) {
    voice voices[4];
    fixture *f = four_in_a_room(voices);
    run_ms(f, 500, voices, 2);
    CHECK_INT(cf_core_leg_suspend(f->core, 1, true), 0);
    run_ms(f, 100, voices, 2);
    clear_sent(f);
    uint64_t decoded = core_stats(f).frames_decoded;
    run_ms(f, 1000, voices, 2);
    CHECK_INT(core_stats(f).frames_decoded - decoded, 50);
    CHECK_INT(count_rtp(f, 1), 0);
    CHECK(heard(f, 3, 1) < 20 && heard(f, 3, 2) > 3700);
    clear_sent(f);
    run_ms(f, 6000, NULL, 0);
    int reports = 0;
    for (int i = 0; i < f->out_count; i++) {
        bool rtcp = false;
        reports += cf_rtp_looks_like(f->out[i].data, f->out[i].len, &rtcp) && rtcp && f->out[i].path.socket == 1;
    }
    CHECK(reports > 0); /* it is still there */
    CHECK_INT(cf_core_leg_suspend(f->core, 1, false), 0);
    run_ms(f, 300, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK(heard(f, 3, 1) > 3700 && heard(f, 1, 2) > 3700);
    fixture_free(f);
}

static void test_the_held_are_heard_and_sent_nothing(void) {
    voice voices[4];
    fixture *f = four_in_a_room(voices);
    run_ms(f, 500, voices, 2);
    CHECK_INT(cf_core_leg_hold(f->core, 9, true), -ENOENT);
    CHECK_INT(cf_core_leg_hold(f->core, 1, true), 0);
    run_ms(f, 100, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK_INT(count_rtp(f, 1), 0);
    CHECK(heard(f, 3, 1) > 3700 && heard(f, 3, 2) > 3700);
    CHECK_INT(cf_core_leg_hold(f->core, 1, false), 0);
    run_ms(f, 300, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK(heard(f, 3, 1) > 3700 && heard(f, 1, 2) > 3700);
    fixture_free(f);
}

/* In a room with one place: whoever turns aside in mid-word makes way for who talks to all. */
static void test_a_voice_aside_holds_no_place(void) {
    fixture *f = fixture_new();
    cf_room_config config = {.id = 1, .talkers = 1};
    CHECK_INT(cf_core_room_add(f->core, cf_room_new(&config), f->now), 0);
    voice voices[2] = {voice_of(1), voice_of(2)};
    join_many(f, 3);
    run_ms(f, 1000, voices, 1);
    CHECK_INT(cf_core_leg_aside(f->core, 1, true), 0);
    run_ms(f, 200, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK(heard(f, 3, 2) > 3700 && heard(f, 3, 1) < 20);
    fixture_free(f);
}

/* Room 2 ticks after room 1: a voice that comes over has had its tick, and what it added there is not room 2's. */
static void test_what_was_added_elsewhere_is_not_heard_again(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    add_room(f, 2);
    join(f, 1, 1);
    join(f, 2, 2);
    voice v = voice_of(1);
    CHECK_INT(cf_core_leg_aside(f->core, 1, true), 0);
    pair_up(f, 2, 1, CF_GAIN_ONE, 0);
    run_ms(f, 1000, &v, 1);
    clear_sent(f);
    CHECK_INT(cf_core_leg_move(f->core, 1, 2), 0);
    CHECK_INT(cf_core_leg_mute(f->core, 1, true), 0);
    run_ms(f, 60, NULL, 0);
    CHECK(count_rtp(f, 2) == 3 && heard(f, 2, 1) < 20);
    fixture_free(f);
}

int main(void) {
    RUN(test_one_listener_has_a_gain_of_its_own);
    RUN(test_a_voice_aside_is_heard_by_its_pairs_alone);
    RUN(test_changes_of_a_gain_do_not_click);
    RUN(test_pairs_are_bounded_and_reused);
    RUN(test_a_listener_with_pairs_may_move_and_leave);
    RUN(test_the_suspended_are_neither_heard_nor_sent_to);
    RUN(test_the_held_are_heard_and_sent_nothing);
    RUN(test_a_voice_aside_holds_no_place);
    RUN(test_what_was_added_elsewhere_is_not_heard_again);
    return REPORT();
}

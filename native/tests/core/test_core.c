/* Rooms and legs of the core: who is taken in, when rooms tick, who hears whom. */
#include "testlib.h"

#include "core_fixture.h"

static void test_rooms_are_named_once_and_leave_empty(void) {
    fixture *f = fixture_new();
    CHECK_INT(add_room(f, 1), 0);
    CHECK_INT(add_room(f, 1), -EEXIST);
    CHECK(cf_core_room_remove(f->core, 2) == NULL);
    join(f, 10, 1);
    CHECK(cf_core_room_remove(f->core, 1) == NULL);
    leave(f, 10);
    cf_room *room = cf_core_room_remove(f->core, 1);
    CHECK(room != NULL);
    cf_room_free(room);
    CHECK_INT(cf_core_deadline(f->core), INT64_MAX);
    fixture_free(f);
}

static void test_bounds_are_kept(void) {
    fixture *f = fixture_new();
    cf_core_config config = {.send = fixture_send, .arg = f, .max_rooms = 1, .max_legs = 1};
    cf_core_free(f->core);
    f->core = cf_core_new(&config);
    CHECK_INT(add_room(f, 1), 0);
    CHECK_INT(add_room(f, 2), -ENOSPC);
    join(f, 1, 1);
    cf_leg_config second = plain_config(2, 1);
    join_as(f, &second, -ENOSPC);
    CHECK_INT(core_stats(f).rooms, 1);
    CHECK_INT(core_stats(f).legs, 1);
    fixture_free(f);
}

static void test_legs_are_refused_with_a_reason(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    cf_leg_config same_id = plain_config(1, 1);
    join_as(f, &same_id, -EEXIST);
    cf_leg_config same_socket = plain_config(2, 1);
    same_socket.rtp_socket = 1;
    join_as(f, &same_socket, -EEXIST);
    cf_leg_config no_room = plain_config(3, 9);
    join_as(f, &no_room, -ENOENT);
    CHECK(cf_core_leg_remove(f->core, 77, true, f->now) == NULL);
    CHECK_INT(cf_core_leg_mute(f->core, 77, true), -ENOENT);
    CHECK_INT(cf_core_leg_gain(f->core, 1, -1), -EINVAL);
    fixture_free(f);
}

static void test_impossible_legs_are_not_made(void) {
    cf_leg_config good = plain_config(1, 1), bad[8];
    for (int i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].id = 0;
    bad[1].kind = 7;
    bad[2].tx.codec = 99;
    bad[3].rx_count = 9;
    bad[4].tx_pt = 128;
    bad[5].mid_ext = 15;
    bad[6].rx[0].codec = 99;
    memset(bad[7].cname, 'x', sizeof bad[7].cname);
    for (int i = 0; i < 8; i++)
        CHECK(cf_leg_new(&bad[i], 1) == NULL);
    cf_leg_config webrtc = good;
    webrtc.kind = CF_LEG_WEBRTC; /* without a ufrag */
    CHECK(cf_leg_new(&webrtc, 1) == NULL);
}

static void test_rooms_tick_every_20_ms_in_slots_of_their_own(void) {
    fixture *f = fixture_new();
    CHECK_INT(cf_core_deadline(f->core), INT64_MAX);
    for (uint64_t id = 1; id <= 20; id++)
        add_room(f, id);
    CHECK_INT(cf_core_deadline(f->core), INT64_MAX); /* nobody is in them */
    for (uint64_t id = 1; id <= 20; id++)
        join(f, id, id);
    int64_t last = f->now;
    for (int i = 0; i < 60; i++) {
        int64_t at = cf_core_deadline(f->core);
        CHECK_INT(at - last, 1 * MS);
        cf_core_advance(f->core, at);
        CHECK_INT(core_stats(f).ticks, i + 1);
        last = at;
    }
    fixture_free(f);
}

static void test_a_late_core_catches_up_five_ticks_and_counts_the_rest(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    f->now = cf_core_deadline(f->core);
    cf_core_advance(f->core, f->now);
    clear_sent(f);
    f->now += 4 * 20 * MS;
    cf_core_advance(f->core, f->now);
    CHECK_INT(core_stats(f).ticks, 5);
    CHECK_INT(core_stats(f).late_ticks, 0);
    CHECK_INT(count_rtp(f, 1), 4);
    f->now += 100 * 20 * MS;
    cf_core_advance(f->core, f->now);
    CHECK_INT(core_stats(f).ticks, 10);
    CHECK_INT(core_stats(f).late_ticks, 95);
    CHECK(cf_core_deadline(f->core) > f->now);
    fixture_free(f);
}

/* Sequence numbers go by packets, timestamps by time. */
static void test_timestamps_follow_the_clock(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    run_ms(f, 40, NULL, 0);
    f->now += 1000 * MS;
    cf_core_advance(f->core, f->now);
    cf_rtp first = {0}, last = {0};
    int seen = 0;
    for (int i = 0; i < f->out_count; i++) {
        bool rtcp;
        cf_rtp rtp;
        if (!cf_rtp_looks_like(f->out[i].data, f->out[i].len, &rtcp) || rtcp)
            continue;
        CHECK_INT(cf_rtp_parse(&rtp, f->out[i].data, f->out[i].len), 0);
        CHECK_INT(rtp.marker, seen == 0);
        first = seen++ ? first : rtp;
        last = rtp;
    }
    CHECK_INT(seen, 2 + 5);
    CHECK_INT((uint16_t)(last.seq - first.seq), 6);
    CHECK_INT(last.ts - first.ts, 160 * (1 + 50));
    fixture_free(f);
}

static void test_three_hear_each_other_and_not_themselves(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    voice voices[] = {{.id = 1, .hz = 440, .amplitude = 5000},
                      {.id = 2, .hz = 620, .amplitude = 5000},
                      {.id = 3, .hz = 830, .amplitude = 5000}};
    join_many(f, 3);
    run_ms(f, 500, voices, 3);
    clear_sent(f);
    run_ms(f, 2000, voices, 3);
    for (uint64_t id = 1; id <= 3; id++)
        for (int i = 0; i < 3; i++) {
            double tone = heard_tone(f, id, voices[i].hz);
            CHECK(voices[i].id == id ? tone < 15 : fabs(tone - 5000) < 250);
        }
    fixture_free(f);
}

static void test_mute_deaf_and_gain(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    voice voices[] = {{.id = 1, .hz = 440, .amplitude = 4000}, {.id = 2, .hz = 700, .amplitude = 4000}};
    join(f, 1, 1);
    join(f, 2, 1);
    run_ms(f, 500, voices, 2);
    CHECK_INT(cf_core_leg_gain(f->core, 1, 32768), 0);
    run_ms(f, 100, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK(fabs(heard_tone(f, 2, 440) - 8000) < 400);
    CHECK_INT(cf_core_leg_mute(f->core, 1, true), 0);
    CHECK_INT(cf_core_leg_deaf(f->core, 1, true), 0);
    run_ms(f, 100, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK(heard_tone(f, 2, 440) < 1);
    CHECK(heard_tone(f, 1, 700) < 1);
    CHECK_INT(count_rtp(f, 1), 50); /* silence is sent, not nothing */
    CHECK_INT(cf_core_leg_mute(f->core, 1, false), 0);
    CHECK_INT(cf_core_leg_deaf(f->core, 1, false), 0);
    run_ms(f, 100, voices, 2);
    clear_sent(f);
    run_ms(f, 1000, voices, 2);
    CHECK(fabs(heard_tone(f, 2, 440) - 8000) < 400);
    CHECK(fabs(heard_tone(f, 1, 700) - 4000) < 250);
    fixture_free(f);
}

/* Others hear as before, prompts too are as loud as they are, and a room that is made louder is limited. */
static void test_how_loud_one_leg_hears_the_room(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    voice voices[] = {{.id = 1, .hz = 440, .amplitude = 4000}, {.id = 2, .hz = 700, .amplitude = 4000}};
    for (uint64_t id = 1; id <= 3; id++)
        join(f, id, 1);
    run_ms(f, 500, voices, 2);
    static const struct {
        int32_t gain;
        double heard;
    } steps[] = {{8192, 2000}, {32768, 8000}, {0, 0}, {16384, 4000}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        CHECK_INT(cf_core_leg_ear(f->core, 1, steps[i].gain), 0);
        CHECK_INT(cf_core_leg_ear(f->core, 3, steps[i].gain), 0); /* one that says nothing itself */
        run_ms(f, 100, voices, 2);
        clear_sent(f);
        run_ms(f, 1000, voices, 2);
        CHECK(fabs(heard_tone(f, 1, 700) - steps[i].heard) < 0.06 * steps[i].heard + 1);
        CHECK(fabs(heard_tone(f, 3, 440) - steps[i].heard) < 0.06 * steps[i].heard + 1);
        CHECK(fabs(heard_tone(f, 2, 440) - 4000) < 250);
    }
    CHECK_INT(cf_core_leg_ear(f->core, 1, -1), -EINVAL);
    CHECK_INT(cf_core_leg_ear(f->core, 1, CF_GAIN_MAX + 1), -EINVAL);
    CHECK_INT(cf_core_leg_ear(f->core, 9, 16384), -ENOENT);
    fixture_free(f);
}

static void test_a_moved_leg_hears_the_other_room_and_keeps_its_stream(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    add_room(f, 2);
    voice voices[] = {{.id = 1, .hz = 440, .amplitude = 4000},
                      {.id = 2, .hz = 620, .amplitude = 4000},
                      {.id = 3, .hz = 830, .amplitude = 4000}};
    join(f, 1, 1);
    join(f, 2, 2);
    join(f, 3, 1);
    run_ms(f, 500, voices, 3);
    CHECK_INT(cf_core_leg_move(f->core, 3, 7), -ENOENT);
    CHECK_INT(cf_core_leg_move(f->core, 3, 2), 0);
    run_ms(f, 100, voices, 3);
    clear_sent(f);
    run_ms(f, 1000, voices, 3);
    CHECK(fabs(heard_tone(f, 3, 620) - 4000) < 250);
    CHECK(heard_tone(f, 3, 440) < 15 && heard_tone(f, 1, 830) < 15);
    CHECK(fabs(heard_tone(f, 2, 830) - 4000) < 250);
    fixture_free(f);
}

/* Back and forth between rooms of different slots: one packet a period, no timestamp twice. */
static void test_moving_never_repeats_a_period(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    add_room(f, 2);
    join(f, 5, 1);
    for (int i = 0; i < 400; i++) {
        f->now = cf_core_deadline(f->core);
        cf_core_advance(f->core, f->now);
        cf_core_leg_move(f->core, 5, 1 + (uint64_t)(i % 2));
    }
    uint32_t last = 0;
    int seen = 0, repeated = 0;
    for (int i = 0; i < f->out_count; i++) {
        bool rtcp;
        cf_rtp rtp;
        if (!cf_rtp_looks_like(f->out[i].data, f->out[i].len, &rtcp) || rtcp ||
            cf_rtp_parse(&rtp, f->out[i].data, f->out[i].len))
            continue;
        repeated += seen && cf_ts_diff(rtp.ts, last) < 160;
        last = rtp.ts;
        seen++;
    }
    CHECK(seen >= 100);
    CHECK_INT(repeated, 0);
    fixture_free(f);
}

/* Removing, muting and moving a talker: the others' signal has no step beyond that of the tone itself. */
static void test_nobody_leaves_with_a_click(void) {
    enum { REMOVE, MUTE, MOVE, WAYS };
    for (int way = 0; way < WAYS; way++) {
        fixture *f = fixture_new();
        add_room(f, 1);
        add_room(f, 2);
        voice voices[] = {{.id = 1, .hz = 300, .amplitude = 8000}};
        join(f, 1, 1);
        join(f, 2, 1);
        cf_tap *tap = cf_tap_new(CF_TAP_LEG_OUT, 1000);
        run_ms(f, 500, voices, 1);
        CHECK_INT(cf_core_tap(f->core, 2, tap), 0);
        run_ms(f, 100, voices, 1);
        if (way == REMOVE)
            leave(f, 1);
        else
            CHECK_INT(way == MUTE ? cf_core_leg_mute(f->core, 1, true) : cf_core_leg_move(f->core, 1, 2), 0);
        run_ms(f, 100, voices, way == REMOVE ? 0 : 1);
        int16_t pcm[9600];
        int n = (int)cf_tap_read(tap, pcm, 9600, NULL), worst = 0;
        for (int i = 2; i < n; i++) {
            int bend = abs(pcm[i] - 2 * pcm[i - 1] + pcm[i - 2]);
            worst = bend > worst ? bend : worst;
        }
        CHECK_INT(n, 9600);
        CHECK(worst < 80); /* 8000 * (2 pi 300 / 48000)^2 = 12, with G.711's steps; a cut would be thousands */
        CHECK_INT(pcm[9599], 0);
        cf_tap_free(cf_core_untap(f->core, tap));
        fixture_free(f);
    }
}

static void test_everything_about_a_gone_leg_is_forgotten(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    voice voices[] = {{.id = 1, .hz = 440, .amplitude = 8000}};
    for (int round = 0; round < 3; round++) {
        join(f, 1, 1);
        join(f, 2, 1);
        run_ms(f, 300, voices, 1);
        leave(f, 1);
        uint64_t unknown = core_stats(f).packets_unknown;
        run_ms(f, 40, voices, 1);
        CHECK_INT(core_stats(f).packets_unknown - unknown, 2);
        leave(f, 2);
        CHECK_INT(core_stats(f).legs, 0);
    }
    fixture_free(f);
}

int main(void) {
    RUN(test_rooms_are_named_once_and_leave_empty);
    RUN(test_bounds_are_kept);
    RUN(test_legs_are_refused_with_a_reason);
    RUN(test_impossible_legs_are_not_made);
    RUN(test_rooms_tick_every_20_ms_in_slots_of_their_own);
    RUN(test_a_late_core_catches_up_five_ticks_and_counts_the_rest);
    RUN(test_timestamps_follow_the_clock);
    RUN(test_three_hear_each_other_and_not_themselves);
    RUN(test_mute_deaf_and_gain);
    RUN(test_how_loud_one_leg_hears_the_room);
    RUN(test_a_moved_leg_hears_the_other_room_and_keeps_its_stream);
    RUN(test_moving_never_repeats_a_period);
    RUN(test_nobody_leaves_with_a_click);
    RUN(test_everything_about_a_gone_leg_is_forgotten);
    return REPORT();
}

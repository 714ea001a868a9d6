/* Taps and speakers: what can be listened to, and who is said to talk. */
#include "testlib.h"

#include "conferocore/mixer.h"
#include "core_fixture.h"

static void test_taps_give_whole_frames_with_their_time(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    join(f, 2, 1);
    voice v = {.id = 1, .hz = 500, .amplitude = 6000};
    run_ms(f, 400, &v, 1);
    cf_tap *in = cf_tap_new(CF_TAP_LEG_IN, 500), *out = cf_tap_new(CF_TAP_LEG_OUT, 500),
           *room = cf_tap_new(CF_TAP_ROOM, 500);
    CHECK_INT(cf_core_tap(f->core, 1, in), 0);
    CHECK_INT(cf_core_tap(f->core, 2, out), 0);
    CHECK_INT(cf_core_tap(f->core, 1, room), 0);
    CHECK_INT(cf_core_tap(f->core, 77, room), -ENOENT);
    int64_t begin = cf_core_deadline(f->core);
    run_ms(f, 200, &v, 1);
    int16_t a[9600], b[9600], c[9600];
    int64_t at_in = 0, at_part = 0;
    CHECK_INT(cf_tap_read(in, a, 1000, &at_in), 1000);
    CHECK_INT(cf_tap_read(in, a + 1000, 8600, &at_part), 8600);
    CHECK_INT(at_in, begin);
    CHECK_INT(at_part - at_in, INT64_C(1000) * 1000000000 / 48000);
    CHECK_INT(cf_tap_read(out, b, 9600, NULL), 9600);
    CHECK_INT(cf_tap_read(room, c, 9600, NULL), 9600);
    CHECK(!memcmp(b, c, sizeof b));                                     /* one talker: who is silent hears the room, */
    CHECK(!memcmp(a, b + CF_LIMIT_AHEAD, (9600 - CF_LIMIT_AHEAD) * 2)); /* bit by bit what the talker adds, */
    CHECK_INT(cf_tap_read(room, c, 9600, NULL), 0);                     /* a look-ahead later */
    cf_tap_free(cf_core_untap(f->core, in));
    cf_tap_free(cf_core_untap(f->core, out));
    CHECK(cf_core_untap(f->core, out) == NULL);
    fixture_free(f); /* frees the room's tap */
}

static void test_a_full_tap_drops_the_newest_and_says_so(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    CHECK(cf_tap_new(9, 100) == NULL);
    CHECK(cf_tap_new(CF_TAP_ROOM, 0) == NULL);
    cf_tap *tap = cf_tap_new(CF_TAP_ROOM, 100);
    CHECK_INT(cf_core_tap(f->core, 1, tap), 0);
    int64_t begin = cf_core_deadline(f->core), at = 0;
    run_ms(f, 200, NULL, 0);
    CHECK_INT(cf_tap_dropped(tap), 5 * CF_FRAME);
    int16_t pcm[20 * CF_FRAME];
    CHECK_INT(cf_tap_read(tap, pcm, CF_FRAME, &at), CF_FRAME);
    run_ms(f, 20, NULL, 0); /* after the gap */
    CHECK_INT(cf_tap_read(tap, pcm, 20 * CF_FRAME, &at), 4 * CF_FRAME);
    CHECK_INT(at, begin + 20 * MS);
    CHECK_INT(cf_tap_read(tap, pcm, 20 * CF_FRAME, &at), CF_FRAME);
    CHECK_INT(at, begin + 200 * MS);
    fixture_free(f);
}

static void test_a_tap_ends_with_its_leg(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    cf_tap *tap = cf_tap_new(CF_TAP_LEG_OUT, 500);
    CHECK_INT(cf_core_tap(f->core, 1, tap), 0);
    run_ms(f, 100, NULL, 0);
    CHECK(!cf_tap_ended(tap));
    leave(f, 1);
    run_ms(f, 100, NULL, 0);
    CHECK(cf_tap_ended(tap));
    int16_t pcm[48000];
    CHECK_INT(cf_tap_read(tap, pcm, 48000, NULL), 5 * CF_FRAME);
    CHECK(cf_core_untap(f->core, tap) == tap);
    cf_tap_free(tap);
    fixture_free(f);
}

/* A syllable after silence: what is loud enough comes through from its first frame on, faded in within 2 ms. */
static void test_a_gate_cuts_off_no_beginning(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    voice v = {.id = 1, .hz = 1000, .amplitude = 9}; /* a hiss under the gate */
    run_ms(f, 1000, &v, 1);
    cf_tap *tap = cf_tap_new(CF_TAP_LEG_IN, 1000);
    CHECK_INT(cf_core_tap(f->core, 1, tap), 0);
    run_ms(f, 200, &v, 1);
    v.amplitude = 8000;
    run_ms(f, 200, &v, 1);
    static int16_t pcm[400 * 48];
    int n = (int)cf_tap_read(tap, pcm, 400 * 48, NULL), first = 0, peak = 0;
    while (first < n && abs(pcm[first]) < 100)
        first++;
    CHECK(first > 200 * 48 && first < 300 * 48);
    for (int i = 0; i < 200 && first + i < n; i++)
        peak = abs(pcm[first + i]) > peak ? abs(pcm[first + i]) : peak;
    CHECK(peak > 7500);
    for (int i = 1; i < first + 96 && i < n; i++)
        CHECK(abs(pcm[i] - pcm[i - 1]) < 1100); /* the tone's own steepest step, and no more */
    fixture_free(f);
}

static const cf_event *last_speakers(const fixture *f) {
    for (int i = f->event_count - 1; i >= 0; i--)
        if (f->events[i].type == CF_EVENT_SPEAKERS)
            return &f->events[i];
    return NULL;
}

static void test_speakers_are_told_loudest_first(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_many(f, 12);
    run_ms(f, 1000, NULL, 0);
    CHECK_INT(count_events(f, CF_EVENT_SPEAKERS, 0), 0);
    voice voices[10];
    for (int i = 0; i < 10; i++) /* leg 1 the loudest, 4 dB from one to the next */
        voices[i] = (voice){.id = (uint64_t)i + 1, .hz = 300 + 40 * i, .amplitude = 16000 * pow(10, -i * 4 / 20.0)};
    run_ms(f, 2000, voices, 10);
    const cf_event *event = last_speakers(f);
    CHECK(event != NULL && event->room == 1 && event->count == 8);
    for (int i = 0; event && i < event->count; i++) {
        CHECK_INT(event->ids[i], i + 1);
        CHECK(abs(event->levels[i] - (9 + 4 * i)) <= 3); /* 16000 peak: -9.2 dBov; told again from 3 dB on */
    }
    fixture_free(f);
}

static void test_speakers_do_not_flicker(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    join(f, 2, 1);
    voice voices[] = {{.id = 1, .hz = 440, .amplitude = 5000}, {.id = 2, .hz = 620, .amplitude = 4500}};
    run_ms(f, 2000, voices, 2);
    int before = count_events(f, CF_EVENT_SPEAKERS, 0);
    for (int i = 0; i < 20; i++) { /* now one, now the other is 1 dB louder */
        voices[i % 2].amplitude = 5000;
        voices[1 - i % 2].amplitude = 4500;
        run_ms(f, 500, voices, 2);
    }
    CHECK_INT(count_events(f, CF_EVENT_SPEAKERS, 0), before);
    voices[0].amplitude = 500;
    run_ms(f, 3000, voices, 2);
    CHECK_INT(last_speakers(f)->ids[0], 2);
    CHECK(count_events(f, CF_EVENT_SPEAKERS, 0) - before <= 1 + 3); /* the change, and levels at most once a second */
    fixture_free(f);
}

static void test_who_stops_or_leaves_is_no_speaker(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    join(f, 2, 1);
    voice voices[] = {{.id = 1, .hz = 440, .amplitude = 8000}, {.id = 2, .hz = 620, .amplitude = 4000}};
    run_ms(f, 1000, voices, 2);
    CHECK_INT(last_speakers(f)->count, 2);
    leave(f, 1);
    run_ms(f, 400, &voices[1], 1);
    CHECK_INT(last_speakers(f)->count, 1);
    CHECK_INT(last_speakers(f)->ids[0], 2);
    cf_core_leg_mute(f->core, 2, true);
    run_ms(f, 3000, &voices[1], 1);
    CHECK_INT(last_speakers(f)->count, 0);
    fixture_free(f);
}

/* Nobody wants a packet, and the room would sleep: what a leg hears has no gap for that. */
static void test_a_tap_has_the_silence_of_a_room_as_well(void) {
    fixture *f = fixture_new();
    static int16_t pcm[250 * CF_FRAME];
    add_room(f, 1);
    join(f, 1, 1);
    cf_core_leg_suspend(f->core, 1, true);
    run_ms(f, 3000, NULL, 0);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    cf_tap *tap = cf_tap_new(CF_TAP_LEG_OUT, 5000);
    CHECK_INT(cf_core_tap(f->core, 1, tap), 0);
    run_ms(f, 4000, NULL, 0);
    CHECK_INT(cf_tap_read(tap, pcm, 250 * CF_FRAME, NULL), 200 * CF_FRAME);
    cf_tap_free(cf_core_untap(f->core, tap));
    run_ms(f, 3000, NULL, 0);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    fixture_free(f);
}

int main(void) {
    RUN(test_taps_give_whole_frames_with_their_time);
    RUN(test_a_full_tap_drops_the_newest_and_says_so);
    RUN(test_a_tap_ends_with_its_leg);
    RUN(test_a_gate_cuts_off_no_beginning);
    RUN(test_speakers_are_told_loudest_first);
    RUN(test_speakers_do_not_flicker);
    RUN(test_who_stops_or_leaves_is_no_speaker);
    RUN(test_a_tap_has_the_silence_of_a_room_as_well);
    return REPORT();
}

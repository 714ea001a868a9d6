/* Whose voice is mixed and decoded: the loudest few, at once when there is a place, and nobody who is silent. */
#include "testlib.h"

#include "core_fixture.h"

enum { LEVEL_EXT = 3 };

static void add_room_of(fixture *f, int talkers) {
    cf_room_config config = {.id = 1, .talkers = talkers};
    cf_room *room = cf_room_new(&config);
    CHECK_INT(cf_core_room_add(f->core, room, f->now), 0);
}

static voice voice_of(uint64_t id, double amplitude) {
    return (voice){.id = id, .hz = 300 + 170 * (double)id, .amplitude = amplitude};
}

/* Talkers 1 to `count`, as loud as one another. */
static void voices_of(voice *voices, uint64_t count, double amplitude) {
    for (uint64_t id = 1; id <= count; id++)
        voices[id - 1] = voice_of(id, amplitude);
}

static double heard(const fixture *f, uint64_t ear, uint64_t talker) {
    return heard_tone(f, ear, 300 + 170 * (double)talker);
}

static void test_only_so_many_are_mixed(void) {
    fixture *f = fixture_new();
    add_room_of(f, 3);
    voice voices[5];
    join_many(f, 6);
    voices_of(voices, 5, 3000);
    run_ms(f, 1000, voices, 5);
    clear_sent(f);
    run_ms(f, 1000, voices, 5);
    int mixed = 0;
    for (uint64_t id = 1; id <= 5; id++) {
        double level = heard(f, 6, id);
        CHECK(level < 100 || (level > 2600 && level < 3400));
        mixed += level > 2600;
    }
    CHECK_INT(mixed, 3);
    fixture_free(f);
}

static void test_all_are_mixed_where_that_is_wanted(void) {
    fixture *f = fixture_new();
    add_room_of(f, CF_TALKERS_ALL);
    voice voices[9];
    join_many(f, 10);
    voices_of(voices, 9, 1500);
    run_ms(f, 1000, voices, 9);
    clear_sent(f);
    run_ms(f, 1000, voices, 9);
    for (uint64_t id = 1; id <= 9; id++)
        CHECK(heard(f, 10, id) > 1200);
    fixture_free(f);
}

static void test_six_are_mixed_by_default(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    voice voices[8];
    join_many(f, 9);
    voices_of(voices, 8, 2000);
    run_ms(f, 1000, voices, 8);
    clear_sent(f);
    run_ms(f, 1000, voices, 8);
    int mixed = 0;
    for (uint64_t id = 1; id <= 8; id++)
        mixed += heard(f, 9, id) > 1500;
    CHECK_INT(mixed, 6);
    cf_room_config wrong = {.id = 2, .talkers = CF_TALKERS_MAX + 1};
    CHECK(cf_room_new(&wrong) == NULL);
    wrong.talkers = -2;
    CHECK(cf_room_new(&wrong) == NULL);
    fixture_free(f);
}

/* Three hold the places at equal loudness; a fourth shouts. */
static void test_who_is_clearly_louder_takes_a_place(void) {
    fixture *f = fixture_new();
    add_room_of(f, 3);
    voice voices[4];
    join_many(f, 5);
    voices_of(voices, 4, 1000);
    run_ms(f, 1500, voices, 3);
    voices[3].amplitude = 1200; /* 1.6 dB louder: not enough to push anybody aside */
    run_ms(f, 2000, voices, 4);
    clear_sent(f);
    run_ms(f, 500, voices, 4);
    CHECK(heard(f, 5, 4) < 50);
    voices[3].amplitude = 8000;
    run_ms(f, 200, voices, 4); /* a loudness smoothed over 60 ms */
    clear_sent(f);
    run_ms(f, 500, voices, 4);
    CHECK(heard(f, 5, 4) > 7000);
    fixture_free(f);
}

/* A holder that has fallen silent makes way in the very frame in which another begins, and who finds a free place is
 * heard from its first frame on. */
static void test_no_first_syllable_is_cut(void) {
    fixture *f = fixture_new();
    add_room_of(f, 2);
    cf_leg *legs[5];
    for (uint64_t id = 1; id <= 4; id++)
        legs[id] = join(f, id, 1);
    voice voices[3] = {voice_of(1, 4000), voice_of(2, 4000), voice_of(3, 4000)};
    run_ms(f, 1000, voices, 2);
    voices[1].amplitude = 0;
    run_ms(f, 300, voices, 2);
    CHECK_INT(stats_of(legs[2]).gated, 0); /* its hold time has not ended */
    clear_sent(f);
    run_ms(f, 200, voices, 3);
    CHECK(heard(f, 4, 3) > 4000 * 0.6); /* the jitter buffer's delay is missing, and nothing besides */
    fixture_free(f);
}

/* With levels of the sender's (RFC 6464). */
typedef struct claimant {
    voice voice;
    uint8_t claims;
} claimant;

static void speak_claiming(fixture *f, claimant *c) {
    uint8_t packet[256];
    cf_rtp_ext ext = {.id = LEVEL_EXT, .len = 1, .data = &c->claims};
    voice *v = &c->voice;
    int at = cf_rtp_write(packet, sizeof packet, 0, false, v->seq, v->ts, (uint32_t)v->id + 1000, &ext, 1);
    for (int i = 0; i < 160; i++)
        packet[at + i] = cf_ulaw_encode((int16_t)(v->amplitude * sin(2 * M_PI * v->hz * (v->ts + (uint32_t)i) / 8000)));
    v->seq++;
    v->ts += 160;
    cf_path path = plain_path(v->id);
    cf_core_receive(f->core, &path, packet, (size_t)at + 160, f->now);
}

static void run_claiming(fixture *f, int ms, claimant *all, int count) {
    for (int t = 0; t < ms; t += 20) {
        for (int i = 0; i < count; i++)
            speak_claiming(f, &all[i]);
        f->now += 20 * MS;
        cf_core_advance(f->core, f->now);
    }
}

static cf_leg *join_with_levels(fixture *f, uint64_t id) {
    cf_leg_config config = plain_config(id, 1);
    config.audio_level_ext = LEVEL_EXT;
    return join_as(f, &config, 0);
}

static void test_who_says_that_it_is_silent_is_not_decoded(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    claimant all[20];
    for (uint64_t id = 1; id <= 20; id++) {
        join_with_levels(f, id);
        all[id - 1] = (claimant){voice_of(id, id == 1 ? 4000 : 2), id == 1 ? 20 : 90};
    }
    run_claiming(f, 1000, all, 20);
    uint64_t decoded = core_stats(f).frames_decoded, skipped = core_stats(f).frames_skipped;
    clear_sent(f);
    run_claiming(f, 1000, all, 20);
    CHECK_INT(core_stats(f).frames_decoded - decoded, 50);
    CHECK_INT(core_stats(f).frames_skipped - skipped, 50 * 19);
    CHECK(heard(f, 2, 1) > 3500);
    fixture_free(f);
}

static void test_who_is_outranked_is_not_decoded(void) {
    fixture *f = fixture_new();
    add_room_of(f, 2);
    claimant all[6];
    for (uint64_t id = 1; id <= 6; id++) {
        join_with_levels(f, id);
        all[id - 1] = (claimant){voice_of(id, 3000), 24};
    }
    run_claiming(f, 1000, all, 6);
    uint64_t decoded = core_stats(f).frames_decoded;
    run_claiming(f, 1000, all, 6);
    CHECK_INT(core_stats(f).frames_decoded - decoded, 50 * 2);
    fixture_free(f);
}

/* The first frame that says loud is decoded and mixed: what is heard is what would be without levels. */
static void test_levels_cut_no_first_syllable(void) {
    fixture *with = fixture_new(), *without = fixture_new();
    add_room(with, 1);
    add_room(without, 1);
    for (uint64_t id = 1; id <= 2; id++) {
        join_with_levels(with, id);
        join(without, id, 1);
    }
    claimant seen = {voice_of(1, 0), 127}, unseen = seen;
    run_claiming(with, 1000, &seen, 1);
    run_claiming(without, 1000, &unseen, 1);
    seen.voice.amplitude = unseen.voice.amplitude = 5000;
    seen.claims = unseen.claims = 17;
    clear_sent(with);
    clear_sent(without);
    run_claiming(with, 200, &seen, 1);
    run_claiming(without, 200, &unseen, 1);
    double a = heard(with, 2, 1), b = heard(without, 2, 1);
    CHECK(b > 3000);
    CHECK(a > b * 0.95);
    fixture_free(with);
    fixture_free(without);
}

/* Somebody claims to be loud and sends silence: it is found out, and the others keep their places. */
static void test_who_claims_to_be_loud_and_is_silent_holds_no_place(void) {
    fixture *f = fixture_new();
    add_room_of(f, 1);
    cf_leg *liar = join_with_levels(f, 1);
    join_with_levels(f, 2);
    join_with_levels(f, 3);
    claimant all[2] = {{voice_of(1, 0), 0}, {voice_of(2, 4000), 20}};
    run_claiming(f, 2000, all, 1);
    CHECK_INT(stats_of(liar).gated, 1);
    run_claiming(f, 1000, all, 2);
    uint64_t decoded = core_stats(f).frames_decoded;
    clear_sent(f);
    run_claiming(f, 1000, all, 2);
    CHECK(heard(f, 3, 2) > 3500);
    CHECK(core_stats(f).frames_decoded - decoded < 60); /* the talker's, and a sample now and then */
    all[0].voice.amplitude = 6000;                      /* it really talks now: a sample shows it */
    all[1].claims = 127;
    all[1].voice.amplitude = 0;
    run_claiming(f, 1500, all, 2);
    clear_sent(f);
    run_claiming(f, 500, all, 2);
    CHECK(heard(f, 3, 1) > 5000);
    fixture_free(f);
}

static void test_the_muted_are_not_decoded(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    join(f, 2, 1);
    voice v = voice_of(1, 4000);
    run_ms(f, 500, &v, 1);
    CHECK_INT(cf_core_leg_mute(f->core, 1, true), 0);
    run_ms(f, 100, &v, 1);
    uint64_t decoded = core_stats(f).frames_decoded;
    run_ms(f, 1000, &v, 1);
    CHECK_INT(core_stats(f).frames_decoded - decoded, 0);
    CHECK_INT(cf_core_leg_mute(f->core, 1, false), 0);
    clear_sent(f);
    run_ms(f, 500, &v, 1);
    CHECK(heard(f, 2, 1) > 3500);
    fixture_free(f);
}

int main(void) {
    RUN(test_only_so_many_are_mixed);
    RUN(test_all_are_mixed_where_that_is_wanted);
    RUN(test_six_are_mixed_by_default);
    RUN(test_who_is_clearly_louder_takes_a_place);
    RUN(test_no_first_syllable_is_cut);
    RUN(test_who_says_that_it_is_silent_is_not_decoded);
    RUN(test_who_is_outranked_is_not_decoded);
    RUN(test_levels_cut_no_first_syllable);
    RUN(test_who_claims_to_be_loud_and_is_silent_holds_no_place);
    RUN(test_the_muted_are_not_decoded);
    return REPORT();
}

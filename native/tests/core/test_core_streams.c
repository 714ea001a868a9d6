/* Who encodes: one encoding for all who hear the same, and no seam when a listener goes over to its own and comes back.
 */
#include "testlib.h"

#include "core_fixture.h"

/* Talks G.711, hears Opus: its voice is easy to make, its encoder has a past worth keeping. */
static cf_leg_config opus_ear(uint64_t id) {
    cf_codec_params opus = {.codec = CF_CODEC_OPUS, .complexity = 0, .bitrate = 24000};
    return ear_config(id, &opus);
}

static cf_leg *join_opus(fixture *f, uint64_t id) {
    cf_leg_config config = opus_ear(id);
    return join_as(f, &config, 0);
}

static cf_encoder *reference_new(void) {
    cf_codec_params params = opus_ear(1).tx;
    params.ptime_ms = 20;
    return cf_encoder_new(&params);
}

static void test_silent_listeners_share_one_encoding(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    for (uint64_t id = 1; id <= 30; id++)
        join_opus(f, id);
    run_ms(f, 1000, NULL, 0);
    CHECK_INT(core_stats(f).frames_encoded, 50);
    CHECK_INT(core_stats(f).frames_shared, 50 * 30);
    voice voices[2] = {{.id = 3, .hz = 440, .amplitude = 5000}, {.id = 4, .hz = 620, .amplitude = 5000}};
    run_ms(f, 500, voices, 2);
    uint64_t encoded = core_stats(f).frames_encoded, shared = core_stats(f).frames_shared;
    run_ms(f, 1000, voices, 2); /* two talkers: their own encodings and that of all others */
    CHECK_INT(core_stats(f).frames_encoded - encoded, 150);
    CHECK_INT(core_stats(f).frames_shared - shared, 50 * 28);
    clear_sent(f);
    for (int s = 0; s < 3; s++) {
        clear_sent(f);
        run_ms(f, 1000, voices, 1);
    }
    clear_sent(f);
    encoded = core_stats(f).frames_encoded;
    run_ms(f, 1000, voices, 1); /* one talker hears nobody: its silence is settled and needs no encoder */
    CHECK_INT(core_stats(f).frames_encoded - encoded, 50);
    fixture_free(f);
}

static void test_each_kind_of_coding_has_its_encoding(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    for (uint64_t id = 1; id <= 24; id++) { /* 12 kinds, more than the room shares: the rest encode for themselves */
        cf_leg_config config = opus_ear(id);
        config.tx.bitrate = 16000 + 1000 * (int)(id % 12);
        join_as(f, &config, 0);
    }
    run_ms(f, 200, NULL, 0);
    CHECK_INT(core_stats(f).frames_encoded, 10 * (8 + 4 * 2));
    CHECK_INT(core_stats(f).frames_shared, 10 * 16);
    for (uint64_t id = 1; id <= 24; id++)
        CHECK_INT(count_rtp(f, id), 10);
    fixture_free(f);
}

/* What a leg was sent in each tick must be what one encoder makes that heard its mix all along. */
static int compare_with_reference(fixture *f, cf_tap *tap, cf_encoder *reference, uint64_t id) {
    int different = 0, at = 0;
    int16_t pcm[CF_FRAME];
    uint8_t want[CF_PAYLOAD_MAX];
    cf_rtp rtp;
    while (next_rtp(f, id, &at, &rtp)) {
        CHECK_INT(cf_tap_read(tap, pcm, CF_FRAME, NULL), CF_FRAME);
        int len = cf_encoder_once(reference, pcm, want, sizeof want);
        different += len != (int)rtp.payload_len || memcmp(want, rtp.payload, rtp.payload_len) != 0;
    }
    clear_sent(f);
    return different;
}

/* subject 2 is a follower of the shared encoding, subject 1 the leg whose encoder it is: then another inherits it. */
static void going_over_is_seamless(uint64_t subject, bool watch_heir) {
    fixture *f = fixture_new();
    add_room(f, 1);
    for (uint64_t id = 1; id <= 4; id++)
        join_opus(f, id);
    uint64_t watched = watch_heir ? 3 : subject; /* who came last stands next in line */
    cf_tap *tap = cf_tap_new(CF_TAP_LEG_OUT, 4000);
    cf_encoder *reference = reference_new();
    CHECK_INT(cf_core_tap(f->core, watched, tap), 0);
    voice voices[] = {{.id = 4, .hz = 440, .amplitude = 9000}, {.id = subject, .hz = 700, .amplitude = 9000}};
    run_ms(f, 1000, voices, 1);
    run_ms(f, 1000, voices, 2); /* the subject talks as well */
    CHECK_INT(compare_with_reference(f, tap, reference, watched), 0);
    cf_encoder_free(reference);
    cf_tap_free(cf_core_untap(f->core, tap));
    fixture_free(f);
}

static void test_a_listener_who_starts_to_talk_hears_no_seam(void) {
    going_over_is_seamless(2, false);
}
static void test_whose_encoder_it_was_hears_no_seam(void) {
    going_over_is_seamless(1, false);
}
static void test_who_inherits_the_encoding_hears_no_seam(void) {
    going_over_is_seamless(1, true);
}

static void test_the_next_listener_inherits_when_the_first_leaves_the_room(void) {
    for (int moved = 0; moved < 2; moved++) {
        fixture *f = fixture_new();
        add_room(f, 1);
        add_room(f, 2);
        for (uint64_t id = 1; id <= 4; id++)
            join_opus(f, id);
        cf_tap *tap = cf_tap_new(CF_TAP_LEG_OUT, 4000);
        cf_encoder *reference = reference_new();
        CHECK_INT(cf_core_tap(f->core, 3, tap), 0);
        voice v = {.id = 4, .hz = 440, .amplitude = 9000};
        run_ms(f, 600, &v, 1);
        if (moved)
            CHECK_INT(cf_core_leg_move(f->core, 1, 2), 0);
        else
            leave(f, 1);
        run_ms(f, 600, &v, 1);
        CHECK_INT(compare_with_reference(f, tap, reference, 3), 0);
        CHECK_INT(cf_core_leg_move(f->core, 3, 2), 0); /* and the mover's own encoder continues as well */
        run_ms(f, 100, NULL, 0);
        CHECK_INT(compare_with_reference(f, tap, reference, 3), 0);
        cf_encoder_free(reference);
        cf_tap_free(cf_core_untap(f->core, tap));
        fixture_free(f);
    }
}

static void test_a_talker_comes_back_after_200_ms_of_exact_zero(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_opus(f, 1);
    join_opus(f, 2);
    voice v = {.id = 1, .hz = 440, .amplitude = 5000};
    run_ms(f, 500, &v, 1);
    cf_core_leg_mute(f->core, 1, true);
    uint64_t own = stats_of(leg).own_encodes;
    run_ms(f, 1000, &v, 1);
    CHECK_INT(stats_of(leg).own_encodes - own, 1 + 10); /* the ramp, and ten frames of zero */
    cf_core_leg_mute(f->core, 1, false);
    run_ms(f, 20, &v, 1);
    CHECK_INT(stats_of(leg).own_encodes - own, 1 + 10 + 1); /* and at once away again */
    fixture_free(f);
}

static void test_who_does_not_talk_is_gated_and_shares(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_opus(f, 1);
    join_opus(f, 2);
    voice hiss = {.id = 1, .hz = 440, .amplitude = 9}, talk = {.id = 1, .hz = 440, .amplitude = 3000};
    run_ms(f, 1000, &hiss, 1); /* about -74 dBov */
    CHECK_INT(stats_of(leg).gated, 1);
    CHECK_INT(stats_of(leg).own_encodes, 0);
    talk.seq = hiss.seq;
    talk.ts = hiss.ts;
    run_ms(f, 300, &talk, 1);
    CHECK_INT(stats_of(leg).gated, 0);
    hiss.seq = talk.seq;
    hiss.ts = talk.ts;
    run_ms(f, 400, &hiss, 1);
    CHECK_INT(stats_of(leg).gated, 0); /* hold */
    run_ms(f, 400, &hiss, 1);
    CHECK_INT(stats_of(leg).gated, 1);
    fixture_free(f);
}

static void test_the_deaf_share_their_silence(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    for (uint64_t id = 1; id <= 10; id++)
        join_opus(f, id);
    voice voices[2] = {{.id = 9, .hz = 440, .amplitude = 5000}, {.id = 10, .hz = 620, .amplitude = 5000}};
    run_ms(f, 500, voices, 2);
    for (uint64_t id = 1; id <= 5; id++)
        CHECK_INT(cf_core_leg_deaf(f->core, id, true), 0);
    run_ms(f, 500, voices, 2);
    uint64_t encoded = core_stats(f).frames_encoded;
    run_ms(f, 500, voices, 2);
    CHECK_INT(core_stats(f).frames_encoded - encoded, 25 * 4); /* listeners, deaf, talkers */
    run_ms(f, 1000, voices, 2);
    encoded = core_stats(f).frames_encoded;
    run_ms(f, 1000, voices, 2);
    CHECK_INT(core_stats(f).frames_encoded - encoded, 50 * 3); /* settled silence needs no encoder */
    fixture_free(f);
}

/* The first frame of a deaf leg that hears again is silent, then it fades in; and nothing of its own voice is in it. */
static void test_hearing_comes_back_softly(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_opus(f, 1);
    join_opus(f, 2);
    voice v = {.id = 2, .hz = 440, .amplitude = 8000};
    CHECK_INT(cf_core_leg_deaf(f->core, 1, true), 0);
    run_ms(f, 1000, &v, 1);
    cf_tap *tap = cf_tap_new(CF_TAP_LEG_OUT, 1000);
    CHECK_INT(cf_core_tap(f->core, 1, tap), 0);
    CHECK_INT(cf_core_leg_deaf(f->core, 1, false), 0);
    run_ms(f, 100, &v, 1);
    int16_t pcm[4800];
    CHECK_INT(cf_tap_read(tap, pcm, 4800, NULL), 4800);
    int first = 0, worst = 0, last = 0;
    for (int i = 2; i < 4800; i++) {
        int bend = abs(pcm[i] - 2 * pcm[i - 1] + pcm[i - 2]);
        worst = bend > worst ? bend : worst;
        first = i < CF_FRAME && abs(pcm[i]) > first ? abs(pcm[i]) : first;
        last = i >= 4 * CF_FRAME && abs(pcm[i]) > last ? abs(pcm[i]) : last;
    }
    CHECK_INT(first, 0);
    CHECK(worst < 120);
    CHECK(last > 7500);
    cf_tap_free(cf_core_untap(f->core, tap));
    fixture_free(f);
}

/* RFC 6465: listeners are told whom they hear, and a talker whom it hears besides itself. */
static void test_contributing_sources_and_their_levels_go_out(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    for (uint64_t id = 1; id <= 3; id++) {
        cf_leg_config config = plain_config(id, 1);
        config.csrc_level_ext = 5;
        join_as(f, &config, 0);
    }
    join(f, 4, 1);
    voice voices[2] = {{.id = 1, .hz = 440, .amplitude = 16000}, {.id = 2, .hz = 620, .amplitude = 1600}};
    run_ms(f, 1000, voices, 2);
    clear_sent(f);
    run_ms(f, 20, voices, 2);
    int seen = 0;
    for (int i = 0; i < f->out_count; i++) {
        const sent *s = &f->out[i];
        cf_rtp rtp;
        bool rtcp;
        size_t len = 0;
        if (!cf_rtp_looks_like(s->data, s->len, &rtcp) || rtcp || cf_rtp_parse(&rtp, s->data, s->len))
            continue;
        const uint8_t *levels = cf_rtp_ext_find(&rtp, 5, &len);
        int count = s->data[0] & 0x0F, want = s->path.socket == 3 ? 2 : s->path.socket == 4 ? 0 : 1;
        CHECK_INT(count, want);
        CHECK_INT(len, want);
        if (s->path.socket == 1) {
            CHECK_INT(cf_get32(s->data + 12), 1002);
            CHECK_INT(levels[0], 29); /* 1600 of 32768 as a sine: -29.2 dBov */
        }
        if (s->path.socket == 3)
            CHECK(levels[0] == 9 || levels[1] == 9);
        seen++;
    }
    CHECK_INT(seen, 4);
    fixture_free(f);
}

/* The level is that of the mix: what a leg's gain has made of it. */
static void test_a_contributors_level_follows_its_gain(void) {
    static const struct {
        int32_t gain;
        int level;
    } cases[] = {{CF_GAIN_ONE, 29}, {CF_GAIN_ONE / 2, 35}, {CF_GAIN_ONE / 10, 49}, {CF_GAIN_ONE * 4, 17}};
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    cf_leg_config config = plain_config(2, 1);
    config.csrc_level_ext = 5;
    join_as(f, &config, 0);
    voice v = {.id = 1, .hz = 440, .amplitude = 1600};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(cf_core_leg_gain(f->core, 1, cases[i].gain), 0);
        run_ms(f, 1000, &v, 1);
        clear_sent(f);
        run_ms(f, 20, &v, 1);
        int seen = 0;
        for (int k = 0; k < f->out_count; k++) {
            cf_rtp rtp;
            size_t len = 0;
            if (f->out[k].path.socket != 2 || cf_rtp_parse(&rtp, f->out[k].data, f->out[k].len))
                continue;
            const uint8_t *levels = cf_rtp_ext_find(&rtp, 5, &len);
            CHECK(len == 1 && abs(levels[0] - cases[i].level) <= 1);
            seen++;
        }
        CHECK_INT(seen, 1);
    }
    fixture_free(f);
}

int main(void) {
    RUN(test_silent_listeners_share_one_encoding);
    RUN(test_each_kind_of_coding_has_its_encoding);
    RUN(test_a_listener_who_starts_to_talk_hears_no_seam);
    RUN(test_whose_encoder_it_was_hears_no_seam);
    RUN(test_who_inherits_the_encoding_hears_no_seam);
    RUN(test_the_next_listener_inherits_when_the_first_leaves_the_room);
    RUN(test_a_talker_comes_back_after_200_ms_of_exact_zero);
    RUN(test_who_does_not_talk_is_gated_and_shares);
    RUN(test_the_deaf_share_their_silence);
    RUN(test_hearing_comes_back_softly);
    RUN(test_contributing_sources_and_their_levels_go_out);
    RUN(test_a_contributors_level_follows_its_gain);
    return REPORT();
}

/* A playout and one stream: beginnings, ends, losses, pauses, redundancy. */
#include "../testlib.h"
#include "playlab.h"

#include <errno.h>

static const cf_codec_params opus = {.codec = CF_CODEC_OPUS, .bitrate = 32000, .complexity = 0};
static const cf_codec_params opus_fec = {.codec = CF_CODEC_OPUS, .complexity = 5, .fec = 1, .loss_percent = 20};

static void test_configuration_is_checked(void) {
    static const cf_playout_config wrong[] = {{-1, 0, 0}, {0, 9, 0},     {500, 0, 0}, {200, 100, 0},
                                              {0, -5, 0}, {0, 10001, 0}, {-1, 0, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(cf_playout_new(&wrong[i]) == NULL);
    cf_playout *p = cf_playout_new(&(cf_playout_config){.min_delay_ms = 40, .max_delay_ms = 40});
    CHECK_INT(cf_playout_map(p, 0, CF_CODEC_PCMU, 8000), 0);
    CHECK_INT(cf_playout_map(p, 0, CF_CODEC_PCMU, 8000), -EINVAL);
    CHECK_INT(cf_playout_map(p, 1, CF_CODEC_PCMU, 0), -EINVAL);
    CHECK_INT(cf_playout_map(p, 1, CF_CODEC_PCMU, -8000), -EINVAL);
    CHECK_INT(cf_playout_map(p, 1, CF_CODEC_PCMU, 44100), -EINVAL);
    CHECK_INT(cf_playout_map(p, 1, CF_CODEC_NONE, 8000), -EINVAL);
    CHECK_INT(cf_playout_map(p, 1, 77, 8000), -EINVAL);
    for (int pt = 1; pt < CF_PLAYOUT_PTS; pt++)
        CHECK_INT(cf_playout_map(p, (uint8_t)pt, CF_CODEC_PCMU, 8000), 0);
    CHECK_INT(cf_playout_map(p, 100, CF_CODEC_PCMU, 8000), -ENOSPC);
    cf_playout_free(p);
    cf_playout_free(NULL);
}

static void test_nothing_is_silence(void) {
    static lab l;
    lab_open(&l, 1);
    for (int i = 0; i < 100; i++) {
        memset(l.pcm, 1, sizeof l.pcm);
        CHECK_INT(cf_playout_get(l.playout, l.pcm, i * 20 * LAB_MS), CF_PLAY_SILENCE);
        CHECK(lab_all_zero(l.pcm));
    }
    CHECK_INT(lab_stats(&l).delay_ms, 0);
    CHECK_INT(lab_stats(&l).target_ms, 0);
    lab_close(&l);
}

static void test_a_perfect_line_is_played_whole(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 2);
    while (lab_tick(&l) == CF_PLAY_SILENCE)
        CHECK(lab_all_zero(l.pcm));
    CHECK(l.tick <= 6); /* 20 ms to speak, 30 ms on the way, 22 ms wanted, up to 20 ms to the tick */
    lab_run(&l, 2000);
    CHECK(lab_bend_while(&l, 8000) < LAB_BEND_440);
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(l.kinds[CF_PLAY_CONCEALED], 0);
    CHECK_INT(s.packets, l.puts);
    CHECK_INT(s.late + s.duplicate + s.lost + s.concealed + s.overflow + s.undecodable + s.restarts, 0);
    CHECK(s.target_ms >= 10 && s.target_ms <= 12);
    CHECK(s.delay_ms <= 40);
    lab_close(&l);
}

static void test_every_packet_length(void) {
    for (int ptime = 10; ptime <= 60; ptime += 10)
        for (int phase = 0; phase < 20; phase += 7) {
            static lab l;
            l = (lab){.hz = 440, .ptime_ms = ptime, .phase = phase * LAB_MS};
            lab_open(&l, 3);
            lab_run(&l, 1500);
            CHECK(lab_bend_while(&l, 4000) < LAB_BEND_440);
            CHECK_INT(lab_stats(&l).concealed, 0);
            CHECK(test_rms(l.pcm, CF_FRAME) > 5000);
            CHECK((int)lab_stats(&l).delay_ms <= 40 + ptime);
            lab_close(&l);
        }
}

static int64_t lose_one(lab *l, int64_t frame) {
    (void)l;
    return frame == 100 ? -1 : 0;
}

static void test_a_lost_packet_is_concealed(void) {
    static lab l = {.hz = 440, .more_delay = lose_one};
    lab_open(&l, 4);
    lab_run(&l, 1800);
    uint32_t delay = lab_stats(&l).delay_ms;
    CHECK(lab_bend_while(&l, 2000) < LAB_BEND_440 * 3 / 2);
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(s.lost, 1);
    CHECK_INT(s.recovered, 0);
    CHECK(s.concealed >= CF_FRAME && s.concealed <= CF_FRAME + 120);
    CHECK(abs((int)s.delay_ms - (int)delay) <= 4); /* a loss is no reason to play later */
    lab_close(&l);
}

static int64_t lose_two_seconds(lab *l, int64_t frame) {
    (void)l;
    return frame >= 100 && frame < 200 ? -1 : 0;
}

static void fade_and_come_back(const cf_codec_params *codec) {
    static lab l;
    l = (lab){.hz = 440, .more_delay = lose_two_seconds, .opus = codec};
    lab_open(&l, 5);
    lab_run(&l, 1000);
    int normal = lab_bend_while(&l, 1000);
    CHECK(lab_bend_while(&l, 300) < normal + normal / 2);
    for (int i = 0; i < 80; i++) {
        CHECK_INT(lab_tick(&l), CF_PLAY_SILENCE);
        CHECK(lab_all_zero(l.pcm));
    }
    CHECK(lab_bend_while(&l, 300) < normal * 3); /* back with a fade */
    CHECK_INT(l.kind, CF_PLAY_AUDIO);
    lab_run(&l, 1000);
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(s.lost, 100);
    CHECK_INT(s.restarts, 0);
    CHECK(s.concealed <= 170 * 48);
    CHECK(s.delay_ms <= 40);
    lab_close(&l);
}

static void test_a_long_loss_fades_to_silence_and_comes_back(void) {
    fade_and_come_back(NULL);
}
static void test_a_long_loss_of_opus_does_too(void) {
    fade_and_come_back(&opus);
}

static int64_t hold_one_back(lab *l, int64_t frame) {
    (void)l;
    return frame == 100 ? 75 * LAB_MS : 0;
}

static void test_a_packet_after_its_moment_is_late_and_not_lost(void) {
    static lab l = {.hz = 440, .more_delay = hold_one_back};
    lab_open(&l, 6);
    lab_run(&l, 3000);
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(s.late, 1);
    CHECK_INT(s.lost, 0);
    CHECK_INT(s.duplicate, 0);
    CHECK_INT(l.put_late, 1);
    lab_close(&l);
}

static void test_duplicates_are_told_from_late_packets(void) {
    static lab l = {.hz = 440, .duplicate = 1.0};
    lab_open(&l, 7);
    lab_run(&l, 4000);
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(s.late, 0);
    CHECK(s.duplicate >= s.packets - 2 && s.duplicate <= s.packets);
    CHECK_INT(s.duplicate, l.put_late);
    CHECK_INT(s.concealed, 0);
    lab_close(&l);
}

static void test_fec_mends_what_is_lost(void) {
    static int16_t speech[CF_RATE * 10];
    test_babble(speech, CF_RATE * 10, 20000, 5);
    static lab l;
    l = (lab){.hz = 300, .loss = 0.08, .opus = &opus_fec, .voice = speech, .voice_len = CF_RATE * 10};
    lab_open(&l, 8);
    lab_run(&l, 60000);
    cf_playout_stats s = lab_stats(&l);
    CHECK(s.lost > 180);
    CHECK(s.recovered > s.lost * 3 / 4); /* what comes in pairs is not mended */
    lab_close(&l);
    static lab plain;
    plain = (lab){.hz = 300, .loss = 0.08, .opus = &opus, .voice = speech, .voice_len = CF_RATE * 10};
    lab_open(&plain, 8);
    lab_run(&plain, 10000);
    CHECK(lab_stats(&plain).lost > 20);
    CHECK_INT(lab_stats(&plain).recovered, 0);
    lab_close(&plain);
}

static void test_fec_is_not_waited_for_without_loss(void) {
    static lab l = {.hz = 300, .opus = &opus_fec};
    lab_open(&l, 9);
    lab_run(&l, 5000);
    CHECK(lab_stats(&l).target_ms <= 22);
    lab_close(&l);
}

static void test_a_pause_of_the_sender_is_silence_and_no_loss(void) {
    for (int pause = 60; pause < 30000; pause *= 3) {
        static lab l;
        l = (lab){.hz = 440};
        lab_open(&l, 10);
        lab_run(&l, 2000);
        l.quiet = true;
        CHECK(lab_bend_while(&l, pause) < LAB_BEND_440 * 3 / 2);
        if (pause > 300)
            CHECK(l.kind == CF_PLAY_SILENCE && lab_all_zero(l.pcm));
        l.quiet = false;
        lab_run(&l, 200);
        CHECK_INT(l.kind, CF_PLAY_AUDIO);
        lab_run(&l, 2000);
        cf_playout_stats s = lab_stats(&l);
        CHECK_INT(s.lost + s.late + s.overflow + s.restarts, 0);
        CHECK(s.concealed <= 170 * 48);
        CHECK(s.delay_ms <= 40);
        lab_close(&l);
    }
}

static void test_comfort_packets_of_opus_dtx(void) {
    static lab l = {.hz = 300, .opus = &opus};
    lab_open(&l, 11);
    lab_run(&l, 2000);
    for (int i = 0; i < 10; i++) { /* one packet each 400 ms, as browsers send in pauses */
        l.quiet = true;
        lab_run(&l, 380);
        l.quiet = false;
        lab_run(&l, 20);
    }
    lab_run(&l, 1000);
    CHECK_INT(lab_stats(&l).lost, 0);
    CHECK_INT(l.kind, CF_PLAY_AUDIO);
    lab_close(&l);
}

int main(void) {
    RUN(test_configuration_is_checked);
    RUN(test_nothing_is_silence);
    RUN(test_a_perfect_line_is_played_whole);
    RUN(test_every_packet_length);
    RUN(test_a_lost_packet_is_concealed);
    RUN(test_a_long_loss_fades_to_silence_and_comes_back);
    RUN(test_a_long_loss_of_opus_does_too);
    RUN(test_a_packet_after_its_moment_is_late_and_not_lost);
    RUN(test_duplicates_are_told_from_late_packets);
    RUN(test_fec_mends_what_is_lost);
    RUN(test_fec_is_not_waited_for_without_loss);
    RUN(test_a_pause_of_the_sender_is_silence_and_no_loss);
    RUN(test_comfort_packets_of_opus_dtx);
    return REPORT();
}

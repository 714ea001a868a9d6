/* A playout and one stream: beginnings, ends, gaps, strangers, and everything that RTP numbers can do. */
#include "../testlib.h"
#include "playlab.h"

#include <errno.h>

static const cf_codec_params opus = {.codec = CF_CODEC_OPUS, .bitrate = 32000, .complexity = 0};
static const cf_codec_params opus_fec = {.codec = CF_CODEC_OPUS, .complexity = 5, .fec = 1, .loss_percent = 20};

static bool all_zero(const int16_t *x) {
    for (int i = 0; i < CF_FRAME; i++)
        if (x[i])
            return false;
    return true;
}

/* Runs and hands out the largest second difference, over the frames' borders too. */
static int bend_while(lab *l, int64_t ms) {
    int16_t x[CF_FRAME + 2];
    int bend = 0;
    for (int64_t i = 0; i < ms / 20; i++) {
        memcpy(x, l->pcm + CF_FRAME - 2, 2 * sizeof *x);
        lab_tick(l);
        memcpy(x + 2, l->pcm, sizeof l->pcm);
        int b = test_bend(x, CF_FRAME + 2);
        bend = b > bend ? b : bend;
    }
    return bend;
}

enum { BEND_440 = 60 }; /* of a mu-law tone of 440 Hz and amplitude 8000: 27 and the quantisation noise */

static void test_configuration_is_checked(void) {
    static const cf_playout_config wrong[] = {{-1, 0}, {0, 10}, {500, 0}, {200, 100}, {0, -5}, {0, 10001}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(cf_playout_new(&wrong[i]) == NULL);
    cf_playout *p = cf_playout_new(&(cf_playout_config){40, 40});
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
        CHECK(all_zero(l.pcm));
    }
    CHECK_INT(lab_stats(&l).delay_ms, 0);
    CHECK_INT(lab_stats(&l).target_ms, 0);
    lab_close(&l);
}

static void test_a_perfect_line_is_played_whole(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 2);
    while (lab_tick(&l) == CF_PLAY_SILENCE)
        CHECK(all_zero(l.pcm));
    CHECK(l.tick <= 6); /* 20 ms to speak, 30 ms on the way, 41 ms wanted */
    lab_run(&l, 2000);
    CHECK(bend_while(&l, 8000) < BEND_440);
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(l.kinds[CF_PLAY_CONCEALED], 0);
    CHECK_INT(s.packets, l.puts);
    CHECK_INT(s.late + s.duplicate + s.lost + s.concealed + s.overflow + s.undecodable + s.restarts, 0);
    CHECK(s.target_ms >= 20 && s.target_ms <= 22);
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
            CHECK(bend_while(&l, 4000) < BEND_440);
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
    CHECK(bend_while(&l, 2000) < BEND_440 * 3 / 2);
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
    int normal = bend_while(&l, 1000);
    CHECK(bend_while(&l, 300) < normal + normal / 2);
    for (int i = 0; i < 80; i++) {
        CHECK_INT(lab_tick(&l), CF_PLAY_SILENCE);
        CHECK(all_zero(l.pcm));
    }
    CHECK(bend_while(&l, 300) < normal * 3); /* back with a fade */
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
        CHECK(bend_while(&l, pause) < BEND_440 * 3 / 2);
        if (pause > 300)
            CHECK(l.kind == CF_PLAY_SILENCE && all_zero(l.pcm));
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

static void test_a_new_ssrc_takes_over_at_once(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 12);
    lab_run(&l, 3000);
    l.ssrc++;
    l.seq += 20000;
    l.ts += 1000000000;
    uint64_t silent = l.kinds[CF_PLAY_SILENCE];
    CHECK(bend_while(&l, 1000) < BEND_440 * 3 / 2);
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(s.restarts, 1);
    CHECK_INT(s.lost, 0);
    CHECK_INT(l.put_full, 1); /* the first packet had no witness yet */
    CHECK(l.kinds[CF_PLAY_SILENCE] - silent <= 4);
    CHECK_INT(l.kind, CF_PLAY_AUDIO);
    CHECK(s.delay_ms <= 40);
    lab_close(&l);
}

static void test_after_a_pause_a_new_ssrc_needs_no_witness(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 13);
    lab_run(&l, 1000);
    l.quiet = true;
    lab_run(&l, 1000);
    l.quiet = false;
    l.ssrc++;
    lab_run(&l, 1000);
    CHECK_INT(l.put_full, 0);
    CHECK_INT(lab_stats(&l).restarts, 1);
    CHECK_INT(l.kind, CF_PLAY_AUDIO);
    lab_close(&l);
}

static void test_strangers_do_not_disturb(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 14);
    lab_run(&l, 2000);
    for (int i = 0; i < 300; i++) {
        uint8_t payload[160] = {0};
        cf_rtp rtp = {.pt = LAB_PCMU, .payload = payload, .payload_len = sizeof payload};
        rtp.ssrc = i % 2 ? l.ssrc : l.ssrc + 7;
        rtp.seq = (uint16_t)(i % 2 ? l.seq + 5000 + i * 77 : 3 * i);
        rtp.ts = cf_rng_u32(&l.rng);
        CHECK_INT(cf_playout_put(l.playout, &rtp, l.tick * 20 * LAB_MS), -EOVERFLOW);
        CHECK(bend_while(&l, 20) < BEND_440);
    }
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(s.restarts, 0);
    CHECK_INT(s.concealed, 0);
    CHECK_INT(s.overflow, 300);
    lab_close(&l);
}

static void test_jumps_of_the_sequence_number(void) {
    static const int jumps[] = {10000, -10000, 32768, 200, -200, -3000};
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        static lab l;
        l = (lab){.hz = 440};
        lab_open(&l, 15);
        lab_run(&l, 3000);
        l.seq = (uint16_t)(l.seq + jumps[i]);
        CHECK(bend_while(&l, 1000) < BEND_440 * 3 / 2);
        cf_playout_stats s = lab_stats(&l);
        CHECK_INT(s.restarts, 1);
        CHECK_INT(s.late + s.duplicate, 0);
        CHECK_INT(l.kind, CF_PLAY_AUDIO);
        CHECK(test_rms(l.pcm, CF_FRAME) > 5000);
        lab_close(&l);
    }
}

/* A sender that begins again with numbers just behind its last ones looks like a crowd of late packets; it is heard
 * soon all the same. */
static void test_a_small_step_back_of_the_sequence_number(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 16);
    lab_run(&l, 3000);
    l.seq = (uint16_t)(l.seq - 90);
    lab_run(&l, 700);
    CHECK_INT(l.kind, CF_PLAY_AUDIO);
    CHECK_INT(lab_stats(&l).restarts, 1);
    lab_close(&l);
}

static void test_jumps_of_the_timestamp(void) {
    static const uint32_t jumps[] = {1000000000U, 3000000000U, 8000U * 3600, 0U - 160U, 0U - 8000U * 10, 4000};
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        static lab l;
        l = (lab){.hz = 440};
        lab_open(&l, 17);
        lab_run(&l, 3000);
        l.ts += jumps[i];
        CHECK(bend_while(&l, 3000) < BEND_440); /* sequence and time go on: so does the sound */
        cf_playout_stats s = lab_stats(&l);
        CHECK_INT(s.restarts, 1);
        CHECK_INT(s.concealed + s.lost + s.overflow, 0);
        CHECK(s.delay_ms <= 40);
        lab_close(&l);
    }
}

static void test_a_change_of_codec_and_clock(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 18);
    lab_run(&l, 2000);
    l.codec = CF_CODEC_PCMA;
    CHECK(bend_while(&l, 1000) < BEND_440 * 3 / 2); /* another decoder starts */
    CHECK_INT(l.kind, CF_PLAY_AUDIO);
    CHECK_INT(lab_stats(&l).concealed, 0);
    for (int i = 0; i < 4; i++) { /* between clocks of 8 and 48 kHz, whose timestamps have nothing in common */
        l.encoder = i % 2 ? NULL : cf_encoder_new(&opus);
        l.ts = cf_rng_u32(&l.rng);
        lab_run(&l, 1000);
        CHECK_INT(l.kind, CF_PLAY_AUDIO);
        CHECK(test_rms(l.pcm, CF_FRAME) > 4000);
        if (i % 2 == 0) {
            cf_encoder *used = l.encoder;
            l.encoder = NULL;
            cf_encoder_free(used);
        }
    }
    CHECK_INT(lab_stats(&l).lost + lab_stats(&l).late + lab_stats(&l).overflow, 0);
    lab_close(&l);
}

static void test_bad_packets_are_refused_by_name(void) {
    static lab l = {.hz = 440};
    static uint8_t large[CF_RTP_MAX];
    lab_open(&l, 19);
    cf_rtp rtp = {.pt = 77, .payload = large, .payload_len = 160, .ssrc = 1};
    CHECK_INT(cf_playout_put(l.playout, &rtp, 0), -EBADMSG);
    rtp.pt = LAB_PCMU;
    rtp.payload_len = 0;
    CHECK_INT(cf_playout_put(l.playout, &rtp, 0), -EBADMSG);
    rtp.payload_len = 961;
    CHECK_INT(cf_playout_put(l.playout, &rtp, 0), -EBADMSG);
    rtp.pt = LAB_OPUS;
    rtp.payload_len = sizeof large;
    CHECK_INT(cf_playout_put(l.playout, &rtp, 0), -EBADMSG);
    large[0] = 0x1B; /* three of 60 ms */
    large[1] = 3;
    rtp.payload_len = 40;
    CHECK_INT(cf_playout_put(l.playout, &rtp, 0), -EBADMSG);
    CHECK_INT(lab_stats(&l).undecodable, 5);
    CHECK_INT(lab_stats(&l).packets, 0);
    lab_close(&l);
}

static void test_120_ms_of_opus_in_one_packet(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 20);
    uint8_t frame[CF_PAYLOAD_MAX], payload[CF_PAYLOAD_MAX] = {0};
    cf_encoder *encoder = cf_encoder_new(&(cf_codec_params){.codec = CF_CODEC_OPUS, .bitrate = 16000, .complexity = 0});
    int16_t pcm[CF_FRAME];
    uint64_t audio = 0;
    for (uint32_t i = 0; i < 300; i++) {
        if (i % 6 == 0) { /* six frames of 20 ms, code 3, variable lengths */
            size_t at = 2, ends[6];
            uint8_t body[CF_PAYLOAD_MAX];
            size_t body_len = 0;
            for (size_t k = 0; k < 6; k++) {
                test_tone(pcm, CF_FRAME, 440, CF_RATE, 8000, (i + k) * CF_FRAME);
                int n = cf_encoder_encode(encoder, pcm, frame, 180);
                payload[0] = (uint8_t)(frame[0] | 3);
                ends[k] = (size_t)n - 1;
                memcpy(body + body_len, frame + 1, ends[k]);
                body_len += ends[k];
            }
            payload[1] = 0x80 | 6;
            for (size_t k = 0; k < 5; k++)
                payload[at++] = (uint8_t)ends[k];
            memcpy(payload + at, body, body_len);
            cf_rtp rtp = {.pt = LAB_OPUS,
                          .ssrc = 1,
                          .seq = (uint16_t)(i / 6),
                          .ts = i * 960,
                          .payload = payload,
                          .payload_len = at + body_len};
            CHECK_INT(cf_playout_put(l.playout, &rtp, i * 20 * LAB_MS), 0);
        }
        audio += cf_playout_get(l.playout, l.pcm, i * 20 * LAB_MS) == CF_PLAY_AUDIO;
    }
    CHECK(audio > 290);
    CHECK_INT(lab_stats(&l).concealed + lab_stats(&l).undecodable, 0);
    CHECK(test_rms(l.pcm, CF_FRAME) > 4000);
    cf_encoder_free(encoder);
    lab_close(&l);
}

static void test_the_first_packets_may_come_in_any_order(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 21);
    static const int order[] = {3, 1, 0, 2, 4, 5, 6, 7};
    uint8_t payload[160];
    memset(payload, 0x80, sizeof payload);
    for (size_t i = 0; i < 8; i++) {
        cf_rtp rtp = {.pt = LAB_PCMU, .ssrc = 1, .payload = payload, .payload_len = sizeof payload};
        rtp.seq = (uint16_t)(65534 + order[i]);
        rtp.ts = (uint32_t)order[i] * 160 - 200;
        CHECK_INT(cf_playout_put(l.playout, &rtp, 0), 0);
    }
    int audio = 0;
    for (int i = 0; i < 20; i++)
        audio += cf_playout_get(l.playout, l.pcm, i * 20 * LAB_MS) == CF_PLAY_AUDIO;
    CHECK(audio >= 8);
    CHECK_INT(lab_stats(&l).lost + lab_stats(&l).late, 0);
    lab_close(&l);
}

static void test_equal_seeds_give_equal_sound(void) {
    uint64_t sums[2];
    for (int run = 0; run < 2; run++) {
        static lab l;
        l = (lab){.hz = 440, .jitter = 40 * LAB_MS, .loss = 0.03, .reorder = 0.02, .duplicate = 0.02, .ppm = 200};
        lab_open(&l, 22);
        sums[run] = 14695981039346656037U;
        for (int i = 0; i < 1500; i++) {
            lab_tick(&l);
            for (int k = 0; k < CF_FRAME; k++)
                sums[run] = (sums[run] ^ (uint16_t)l.pcm[k]) * 1099511628211U;
        }
        lab_close(&l);
    }
    CHECK(sums[0] == sums[1]);
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
    RUN(test_a_new_ssrc_takes_over_at_once);
    RUN(test_after_a_pause_a_new_ssrc_needs_no_witness);
    RUN(test_strangers_do_not_disturb);
    RUN(test_jumps_of_the_sequence_number);
    RUN(test_a_small_step_back_of_the_sequence_number);
    RUN(test_jumps_of_the_timestamp);
    RUN(test_a_change_of_codec_and_clock);
    RUN(test_bad_packets_are_refused_by_name);
    RUN(test_120_ms_of_opus_in_one_packet);
    RUN(test_the_first_packets_may_come_in_any_order);
    RUN(test_equal_seeds_give_equal_sound);
    return REPORT();
}

/* A playout and what RTP's numbers can do: new sources, strangers, jumps, changes of codec, packets of no use. */
#include "../testlib.h"
#include "playlab.h"

#include <errno.h>

static const cf_codec_params opus = {.codec = CF_CODEC_OPUS, .bitrate = 32000, .complexity = 0};

static void test_a_new_ssrc_takes_over_at_once(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 12);
    lab_run(&l, 3000);
    l.ssrc++;
    l.seq += 20000;
    l.ts += 1000000000;
    uint64_t silent = l.kinds[CF_PLAY_SILENCE];
    CHECK(lab_bend_while(&l, 1000) < LAB_BEND_440 * 3 / 2);
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
        CHECK_INT(cf_playout_put(l.playout, &rtp, -1, l.tick * 20 * LAB_MS), -EOVERFLOW);
        CHECK(lab_bend_while(&l, 20) < LAB_BEND_440);
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
        CHECK(lab_bend_while(&l, 1000) < LAB_BEND_440 * 3 / 2);
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
        CHECK(lab_bend_while(&l, 3000) < LAB_BEND_440); /* sequence and time go on: so does the sound */
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
    CHECK(lab_bend_while(&l, 1000) < LAB_BEND_440 * 3 / 2); /* another decoder starts */
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
    CHECK_INT(cf_playout_put(l.playout, &rtp, -1, 0), -EBADMSG);
    rtp.pt = LAB_PCMU;
    rtp.payload_len = 0;
    CHECK_INT(cf_playout_put(l.playout, &rtp, -1, 0), -EBADMSG);
    rtp.payload_len = 961;
    CHECK_INT(cf_playout_put(l.playout, &rtp, -1, 0), -EBADMSG);
    rtp.pt = LAB_OPUS;
    rtp.payload_len = sizeof large;
    CHECK_INT(cf_playout_put(l.playout, &rtp, -1, 0), -EBADMSG);
    large[0] = 0x1B; /* three of 60 ms */
    large[1] = 3;
    rtp.payload_len = 40;
    CHECK_INT(cf_playout_put(l.playout, &rtp, -1, 0), -EBADMSG);
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
                int n = cf_encoder_once(encoder, pcm, frame, 180);
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
            CHECK_INT(cf_playout_put(l.playout, &rtp, -1, i * 20 * LAB_MS), 0);
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
        CHECK_INT(cf_playout_put(l.playout, &rtp, -1, 0), 0);
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

/* Simulated time: everybody hears everybody over bad links, drifting clocks and SRTP; equal seeds give equal bytes. */
#include "testlib.h"

#include "conferocore/sim.h"

#include <errno.h>
#include <math.h>

enum { RATE = 48000 };

static const double HZ[3] = {440, 620, 830};

static cf_sim_member member(int codec) {
    cf_sim_member m = {.codec = {.codec = codec, .complexity = 0, .low_delay = 1}};
    m.up = m.down = (cf_sim_link){.delay_ms = 15};
    return m;
}

static void say_tone(cf_sim *sim, int who, double hz, double amplitude) {
    int16_t *pcm = malloc(RATE * sizeof *pcm);
    for (int i = 0; i < RATE; i++)
        pcm[i] = (int16_t)(amplitude * sin(2 * M_PI * hz * i / RATE));
    CHECK_INT(cf_sim_say(sim, who, pcm, RATE, 1), 0);
    free(pcm);
}

/* Strength of a tone in the last second heard, found within 1 Hz of where a drifting clock may put it. */
static double strength(const int16_t *pcm, int n, double hz) {
    double best = 0;
    for (double f = hz - 1; f <= hz + 1; f += 0.25) {
        double re = 0, im = 0;
        for (int i = 0; i < n; i++) {
            double window = 0.5 - 0.5 * cos(2 * M_PI * i / n);
            re += window * pcm[i] * cos(2 * M_PI * f * i / RATE);
            im += window * pcm[i] * sin(2 * M_PI * f * i / RATE);
        }
        double amplitude = 4 * sqrt(re * re + im * im) / n;
        best = amplitude > best ? amplitude : best;
    }
    return best;
}

static int last_second(cf_sim *sim, int who, int16_t *pcm) {
    size_t waiting = cf_sim_heard_waiting(sim, who);
    CHECK(waiting >= RATE);
    for (; waiting > RATE; waiting = cf_sim_heard_waiting(sim, who)) {
        size_t skip = waiting - RATE < RATE ? waiting - RATE : RATE;
        cf_sim_heard(sim, who, pcm, skip);
    }
    return (int)cf_sim_heard(sim, who, pcm, RATE);
}

static void check_who_hears_whom(cf_sim *sim) {
    int16_t *pcm = malloc(RATE * sizeof *pcm);
    for (int ear = 0; ear < 3; ear++) {
        int n = last_second(sim, ear, pcm);
        for (int mouth = 0; mouth < 3; mouth++) {
            double tone = strength(pcm, n, HZ[mouth]);
            CHECK(ear == mouth ? tone < 60 : tone > 2800 && tone < 4600);
        }
    }
    free(pcm);
}

static cf_sim *three_members(uint64_t seed, double ppm, int srtp_profile) {
    cf_sim *sim = cf_sim_new(seed, NULL);
    int codecs[3] = {CF_CODEC_OPUS, CF_CODEC_OPUS, CF_CODEC_PCMU};
    for (int i = 0; i < 3; i++) {
        cf_sim_member m = member(codecs[i]);
        m.clock_ppm = (i - 1) * ppm;
        m.srtp_profile = srtp_profile;
        CHECK_INT(cf_sim_add(sim, &m), i);
        say_tone(sim, i, HZ[i], 4000);
    }
    return sim;
}

static void test_three_hear_each_other(void) {
    cf_sim *sim = three_members(1, 0, CF_SRTP_NONE);
    CHECK_INT(cf_sim_run(sim, 4000), 0);
    check_who_hears_whom(sim);
    cf_sim_free(sim);
}

static void test_the_same_with_drift_and_every_srtp_profile(void) {
    int profiles[] = {CF_SRTP_AES128_CM_SHA1_80, CF_SRTP_AEAD_AES_128_GCM, CF_SRTP_AEAD_AES_256_GCM};
    for (int i = 0; i < 3; i++) {
        cf_sim *sim = three_members(2, 100, profiles[i]);
        CHECK_INT(cf_sim_run(sim, 4000), 0);
        check_who_hears_whom(sim);
        cf_leg_stats stats;
        CHECK_INT(cf_sim_stats(sim, 0, &stats), 0);
        CHECK_INT(stats.srtp_failures, 0);
        cf_sim_free(sim);
    }
}

static uint64_t digest_of(uint64_t seed) {
    cf_sim *sim = cf_sim_new(seed, NULL);
    for (int i = 0; i < 3; i++) {
        cf_sim_member m = member(i == 2 ? CF_CODEC_PCMA : CF_CODEC_OPUS);
        m.up = (cf_sim_link){.loss = 0.05,
                             .burst = 3,
                             .delay_ms = 30,
                             .jitter_ms = 25,
                             .reorder = 0.02,
                             .reorder_ms = 40,
                             .duplicate = 0.02};
        m.srtp_profile = CF_SRTP_AEAD_AES_128_GCM;
        cf_sim_add(sim, &m);
        say_tone(sim, i, HZ[i], 4000);
    }
    for (int ms = 300; ms <= 3000; ms += 300) /* in pieces or at once makes no difference */
        CHECK_INT(cf_sim_run(sim, seed == 7 ? ms : 3000), 0);
    uint64_t digest = cf_sim_digest(sim);
    cf_sim_free(sim);
    return digest;
}

static void test_equal_seeds_give_equal_bytes(void) {
    uint64_t seven = digest_of(7);
    CHECK(seven == digest_of(7));
    CHECK(seven != digest_of(8));
}

static void test_links_do_what_they_say(void) {
    cf_sim *sim = cf_sim_new(3, NULL);
    cf_sim_member clean = member(CF_CODEC_PCMU), lossy = clean, doubled = clean, slow = clean;
    lossy.up.loss = 0.1;
    lossy.up.burst = 4;
    doubled.up.duplicate = 0.2;
    slow.up.delay_ms = 100;
    slow.down.delay_ms = 150;
    cf_sim_member *all[] = {&clean, &lossy, &doubled, &slow};
    for (int i = 0; i < 4; i++)
        CHECK_INT(cf_sim_add(sim, all[i]), i);
    CHECK_INT(cf_sim_run(sim, 120000), 0);
    cf_leg_stats s[4];
    for (int i = 0; i < 4; i++)
        CHECK_INT(cf_sim_stats(sim, i, &s[i]), 0);
    CHECK(s[0].rx_packets > 5990 && s[0].playout.lost == 0);
    double lost = 1 - (double)s[1].rx_packets / 6000;
    CHECK(lost > 0.07 && lost < 0.13);
    CHECK(s[1].playout.lost > 400);
    CHECK(s[2].playout.duplicate > 1000 && s[2].playout.duplicate < 1400);
    CHECK(s[3].rtt_us > 240000 && s[3].rtt_us < 260000);
    CHECK(s[0].rtt_us < 32000);
    cf_sim_free(sim);
}

static void test_members_come_and_go(void) {
    cf_sim *sim = cf_sim_new(4, NULL);
    cf_sim_member stays = member(CF_CODEC_OPUS), comes = stays;
    comes.join_ms = 2000;
    comes.leave_ms = 4000;
    cf_sim_add(sim, &stays);
    cf_sim_add(sim, &comes);
    say_tone(sim, 1, 620, 4000);
    CHECK_INT(cf_sim_tap(sim, 0, CF_TAP_LEG_OUT), 0);
    cf_leg_stats stats;
    CHECK_INT(cf_sim_run(sim, 1000), 0);
    CHECK_INT(cf_sim_tap(sim, 0, CF_TAP_LEG_OUT), -EBUSY);
    CHECK_INT(cf_sim_stats(sim, 1, &stats), -ENOENT);
    CHECK_INT(cf_sim_run(sim, 6000), 0);
    CHECK_INT(cf_sim_stats(sim, 1, &stats), 0);
    CHECK(stats.rx_packets > 90 && stats.rx_packets <= 101);
    int16_t *pcm = malloc(6 * RATE * sizeof *pcm);
    size_t n = cf_sim_tapped(sim, 0, pcm, 6 * RATE);
    CHECK(n > 5.9 * RATE);
    double worst = 0, total = 0;
    for (size_t i = 0; i < n; i++) { /* silence, the tone, silence */
        double x = fabs((double)pcm[i]);
        if (i < 2 * RATE || i > 4.3 * RATE)
            worst = x > worst ? x : worst;
        else if (i > 2.3 * RATE && i < 4 * RATE)
            total += x / (1.7 * RATE);
    }
    CHECK(worst == 0);
    CHECK(total > 1800);
    free(pcm);
    cf_sim_free(sim);
}

static void test_wrong_wishes_are_refused(void) {
    cf_sim *sim = cf_sim_new(5, NULL);
    cf_sim_member good = member(CF_CODEC_OPUS), bad[5];
    for (int i = 0; i < 5; i++)
        bad[i] = good;
    bad[0].codec.codec = 42;
    bad[1].up.loss = 1.5;
    bad[2].down.jitter_ms = -1;
    bad[3].clock_ppm = 1e6;
    bad[4].sends.codec = CF_CODEC_PCMU;
    for (int i = 0; i < 5; i++)
        CHECK_INT(cf_sim_add(sim, &bad[i]), -EINVAL);
    CHECK_INT(cf_sim_say(sim, 0, NULL, 0, 0), -ENOENT);
    CHECK_INT(cf_sim_mute(sim, 0, 1), -ENOENT);
    CHECK_INT(cf_sim_add(sim, &good), 0);
    CHECK_INT(cf_sim_tap(sim, 0, 9), -EINVAL);
    cf_sim_free(sim);
    cf_room_config room = {.gate_dbov = 200};
    CHECK(cf_sim_new(1, &room) == NULL);
}

static void test_a_large_quiet_room(void) {
    cf_sim *sim = cf_sim_new(6, NULL);
    cf_sim_member listener = member(CF_CODEC_PCMU), talker = member(CF_CODEC_PCMU);
    listener.no_ear = listener.no_voice = 1;
    cf_sim_add(sim, &talker);
    say_tone(sim, 0, 440, 4000);
    for (int i = 0; i < 400; i++)
        cf_sim_add(sim, &listener);
    CHECK_INT(cf_sim_run(sim, 2000), 0);
    cf_core_stats stats;
    cf_sim_core_stats(sim, &stats);
    CHECK(stats.frames_shared > 400 * 95);
    CHECK(stats.frames_encoded < 2 * 101);
    cf_sim_free(sim);
}

int main(void) {
    RUN(test_three_hear_each_other);
    RUN(test_the_same_with_drift_and_every_srtp_profile);
    RUN(test_equal_seeds_give_equal_bytes);
    RUN(test_links_do_what_they_say);
    RUN(test_members_come_and_go);
    RUN(test_wrong_wishes_are_refused);
    RUN(test_a_large_quiet_room);
    return REPORT();
}

/* A playout on bad networks: jitter, bursts, outages, new paths, floods. */
#include "listening.h"

static void test_jitter_is_learnt_and_then_costs_nothing(void) {
    for (int jitter = 10; jitter <= 90; jitter += 20)
        for (int seed = 0; seed < MANY_SEEDS; seed++) {
            static lab l;
            l = (lab){.hz = 440, .jitter = jitter * LAB_MS, .phase = seed * 7 * LAB_MS};
            lab_open(&l, 40 + (uint64_t)seed);
            lab_run(&l, WARM_UP_MS);
            cf_playout_stats before = lab_stats(&l);
            hearing h = listen(&l, 60000);
            cf_playout_stats s = lab_stats(&l);
            CHECK_INT(h.gaps, 0);
            CHECK_INT(s.concealed, before.concealed);
            CHECK_INT(s.late, before.late);
            CHECK((int)s.target_ms <= 25 + jitter * 9 / 8);
            CHECK((int)h.most <= 60 + jitter * 9 / 8);
            CHECK(h.residual < -30);
            check_books(&l, 0);
            lab_close(&l);
        }
}

static void test_everything_at_once(void) {
    for (int side = -1; side <= 1; side += 2)
        for (int ptime = 10; ptime <= 60; ptime += 25) {
            static lab l;
            l = (lab){.hz = 440,
                      .ppm = side * 300,
                      .jitter = 40 * LAB_MS,
                      .loss = 0.03,
                      .duplicate = 0.02,
                      .reorder = 0.02,
                      .ptime_ms = ptime / 10 * 10};
            lab_open(&l, 50);
            lab_run(&l, WARM_UP_MS);
            cf_playout_stats before = lab_stats(&l);
            uint64_t dropped = l.dropped;
            hearing h = listen(&l, 120000);
            cf_playout_stats s = lab_stats(&l);
            CHECK_INT(s.restarts, 0);
            double lost = (double)(s.lost - before.lost), never_sent = (double)(l.dropped - dropped);
            CHECK(fabs(lost - never_sent) <= 3); /* some are under way when the run begins and ends */
            CHECK(s.late - before.late < 20);
            CHECK(h.most <= 220);
            CHECK(h.bend < 100); /* the tone alone: 44 */
            check_books(&l, 0);
            lab_close(&l);
        }
}

static void test_late_and_lost_opus_packets_do_not_click(void) {
    static const cf_codec_params opus[] = {
        {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .complexity = -1},
        {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .bitrate = 16000, .complexity = 5},
        {.codec = CF_CODEC_OPUS, .ptime_ms = 20, .complexity = 5, .fec = 1, .loss_percent = 15},
    };
    for (size_t i = 0; i < sizeof opus / sizeof *opus; i++) {
        static lab l;
        l = (lab){.hz = 440, .opus = &opus[i], .ppm = 100, .jitter = 20 * LAB_MS, .loss = 0.02};
        lab_open(&l, 55);
        lab_run(&l, WARM_UP_MS);
        CHECK(lab_bend_while(&l, 60000) < 400); /* the tone alone: 27; two pieces that do not join: thousands */
        CHECK(lab_stats(&l).concealed > 0);
        lab_close(&l);
    }
}

/* Every 10 s the network holds its breath for 160 ms. */
static int64_t stall(lab *l, int64_t frame) {
    (void)l;
    int64_t k = frame % 500;
    return k < 8 ? (8 - k) * 20 * LAB_MS : 0;
}

static void test_up_with_the_first_burst_and_down_again(void) {
    static lab l = {.hz = 440, .more_delay = stall};
    lab_open(&l, 60);
    lab_run(&l, 9000);
    CHECK(lab_stats(&l).target_ms >= 100); /* of the stall at the start */
    lab_run(&l, 1200);
    CHECK(lab_stats(&l).target_ms >= 100);
    l.more_delay = NULL;
    lab_run(&l, 1000);
    CHECK(lab_stats(&l).target_ms >= 100); /* remembered */
    lab_run(&l, 14000);
    CHECK(lab_stats(&l).target_ms <= 22); /* forgotten */
    CHECK(lab_stats(&l).delay_ms <= 40);
    lab_close(&l);
}

/* Words of a second and a half with pauses of 300 ms, by a voice that never repeats itself. */
static void speak(int16_t *voice, int n) {
    cf_rng rng;
    cf_rng_seed(&rng, 11);
    for (int i = 0; i < n; i++)
        voice[i] = i % 86400 < 72000 ? (int16_t)((cf_rng_unit(&rng) - 0.5) * 16000) : 0;
}

static void test_down_in_pauses_only(void) {
    enum { VOICE = 86400 * 5 };
    static int16_t voice[VOICE];
    static const cf_codec_params celt = {.codec = CF_CODEC_OPUS, .bitrate = 64000, .complexity = 0, .low_delay = 1};
    static lab l = {.hz = 440, .more_delay = stall, .opus = &celt, .voice = voice, .voice_len = VOICE};
    speak(voice, VOICE);
    lab_open(&l, 67);
    lab_run(&l, 3000);
    l.more_delay = NULL;
    lab_run(&l, 5000);
    uint64_t before = lab_stats(&l).squeezed;
    int loud = 0;
    for (int i = 0; i < 500; i++) {
        uint64_t squeezed = lab_stats(&l).squeezed;
        lab_tick(&l);
        loud += lab_stats(&l).squeezed != squeezed && test_rms(l.pcm, CF_FRAME / 4) > 500;
    }
    CHECK(lab_stats(&l).squeezed - before >= 48 * 60);
    CHECK_INT(loud, 0);
    CHECK(lab_stats(&l).target_ms <= 12);
    CHECK(lab_stats(&l).delay_ms <= 40);
    lab_close(&l);
}

/* Two seconds in which nothing comes; then all of it at once. */
static int64_t outage(lab *l, int64_t frame) {
    (void)l;
    return frame >= 200 && frame < 300 ? (300 - frame) * 20 * LAB_MS : 0;
}

static void test_the_backlog_of_an_outage_is_not_played(void) {
    static lab l = {.hz = 440, .more_delay = outage};
    lab_open(&l, 61);
    lab_run(&l, 6200);
    CHECK_INT(l.kind, CF_PLAY_AUDIO);
    lab_run(&l, 100);
    CHECK(lab_stats(&l).delay_ms <= 60);
    CHECK(lab_stats(&l).target_ms <= 30); /* an outage is not jitter */
    CHECK(lab_stats(&l).overflow > 80);
    CHECK_INT(lab_stats(&l).lost, 0);
    hearing h = listen(&l, 2000);
    CHECK_INT(h.gaps, 0);
    check_books(&l, l.put_full);
    lab_close(&l);
}

static int64_t longer_by;
static int64_t longer_way(lab *l, int64_t frame) {
    (void)l;
    return frame >= 300 ? longer_by : 0;
}

static void test_the_path_may_become_longer_or_shorter(void) {
    static const int steps[] = {30, 100, 300, 900, -25};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        static lab l;
        l = (lab){.hz = 440, .more_delay = longer_way};
        longer_by = steps[i] * LAB_MS;
        lab_open(&l, 62);
        lab_run(&l, 6000);
        lab_run(&l, 2500); /* at 900 ms: found to be a new path */
        hearing h = listen(&l, 5000);
        CHECK_INT(h.gaps, 0);
        lab_run(&l, 12000);
        CHECK(lab_stats(&l).delay_ms <= 40);
        CHECK(lab_stats(&l).target_ms <= 22);
        CHECK_INT(lab_stats(&l).lost, 0);
        lab_close(&l);
    }
}

static int64_t pile_up(lab *l, int64_t frame) {
    (void)l;
    return frame >= 200 && frame < 207 ? (207 - frame) * 20 * LAB_MS : 0;
}

static void test_the_buffer_keeps_to_its_bound(void) {
    static lab l = {.hz = 440, .more_delay = pile_up, .config = {.max_delay_ms = 60}};
    lab_open(&l, 63);
    lab_run(&l, 3900);
    hearing h = listen(&l, 3000);
    CHECK(h.most <= 60 + 40 + 20);
    CHECK(lab_stats(&l).target_ms <= 60);
    CHECK(lab_stats(&l).overflow > 0);
    CHECK(h.bend < 100); /* what was left out is bridged */
    CHECK_INT(l.kind, CF_PLAY_AUDIO);
    lab_close(&l);
    static lab low = {.hz = 440, .config = {.min_delay_ms = 150}};
    lab_open(&low, 64);
    lab_run(&low, 5000);
    CHECK_INT(lab_stats(&low).target_ms, 150);
    CHECK(lab_stats(&low).delay_ms >= 120 && lab_stats(&low).delay_ms <= 170);
    lab_close(&low);
}

/* A sender that suddenly sends ten packets too many while others are being played: some are left out, without a click.
 */
static void test_what_is_left_out_of_running_sound_is_bridged(void) {
    for (int hz = 310; hz < 800; hz += 67) {
        static lab l;
        l = (lab){.hz = hz, .config = {.max_delay_ms = 60}};
        lab_open(&l, 66);
        lab_run(&l, 2000);
        for (int i = 0; i < 10; i++) {
            lab_send(&l);
            l.pending[l.waiting - 1].arrival = l.tick * 20 * LAB_MS;
        }
        hearing h = listen(&l, 100);
        CHECK(lab_stats(&l).overflow >= 5);
        CHECK_INT(h.gaps, 0);
        CHECK(h.bend < 300); /* the tone alone: up to 90; cut hard: thousands */
        lab_close(&l);
    }
}

/* The mixer's own ticks come late now and then: that is no reason to change the length of anything. */
static void test_late_ticks_are_not_taken_for_delay(void) {
    static lab l = {.hz = 440, .phase = 9 * LAB_MS};
    lab_open(&l, 65);
    lab_run(&l, WARM_UP_MS);
    cf_playout_stats before = lab_stats(&l);
    for (int i = 0; i < 3000; i++) {
        l.phase = i % 50 == 7 ? 18 * LAB_MS : i % 2 ? 10 * LAB_MS : 9 * LAB_MS;
        CHECK_INT(lab_tick(&l), CF_PLAY_AUDIO);
    }
    CHECK_INT(lab_stats(&l).squeezed + lab_stats(&l).stretched, before.squeezed + before.stretched);
    lab_close(&l);
}

int main(void) {
    RUN(test_jitter_is_learnt_and_then_costs_nothing);
    RUN(test_everything_at_once);
    RUN(test_late_and_lost_opus_packets_do_not_click);
    RUN(test_up_with_the_first_burst_and_down_again);
    RUN(test_down_in_pauses_only);
    RUN(test_the_backlog_of_an_outage_is_not_played);
    RUN(test_the_path_may_become_longer_or_shorter);
    RUN(test_the_buffer_keeps_to_its_bound);
    RUN(test_what_is_left_out_of_running_sound_is_bridged);
    RUN(test_late_ticks_are_not_taken_for_delay);
    return REPORT();
}

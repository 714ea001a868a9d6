/* A playout on bad networks and with clocks that disagree, for minutes and for half an hour: no gap, no drift, no
 * click. */
#include "../testlib.h"
#include "playlab.h"

/* Under a sanitizer half an hour is three minutes: it looks for other faults, at a tenth of the speed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HALF_AN_HOUR_MS = 3 * 60 * 1000, MANY_SEEDS = 1 };
#else
enum { HALF_AN_HOUR_MS = 30 * 60 * 1000, MANY_SEEDS = 3 };
#endif
enum { WARM_UP_MS = 5000 };

typedef struct hearing {
    int bend;             /* largest second difference */
    double residual;      /* dB, the worst of the frames with a cut and two a second: what is not the tone */
    double weakest;       /* amplitude of the weakest frame, relative */
    uint32_t least, most; /* delay, ms */
    uint64_t gaps;        /* frames that were not audio */
} hearing;

static hearing listen(lab *l, int64_t ms) {
    hearing h = {.residual = -200, .weakest = 9, .least = UINT32_MAX};
    int16_t x[CF_FRAME + 2];
    uint64_t scaled_before = 0;
    for (int64_t i = 0; i < ms / 20; i++) {
        memcpy(x, l->pcm + CF_FRAME - 2, 2 * sizeof *x);
        h.gaps += lab_tick(l) != CF_PLAY_AUDIO;
        memcpy(x + 2, l->pcm, sizeof l->pcm);
        int bend = test_bend(x, CF_FRAME + 2);
        h.bend = bend > h.bend ? bend : h.bend;
        cf_playout_stats stats = lab_stats(l);
        uint64_t scaled = stats.squeezed + stats.stretched;
        if (scaled != scaled_before || i % 25 == 0)
            h.residual = fmax(h.residual, test_residual_db(l->pcm, CF_FRAME, l->hz, CF_RATE));
        h.weakest = fmin(h.weakest, test_rms(l->pcm, CF_FRAME) * sqrt(2) / l->amplitude);
        scaled_before = scaled;
        h.least = stats.delay_ms < h.least ? stats.delay_ms : h.least;
        h.most = stats.delay_ms > h.most ? stats.delay_ms : h.most;
    }
    return h;
}

/* Every packet that was sent or put is in exactly one place. */
static void check_books(const lab *l, uint64_t put_dropped) {
    cf_playout_stats s = lab_stats(l);
    CHECK_INT(s.packets + s.late + s.duplicate + s.undecodable + put_dropped, l->puts);
    CHECK_INT(s.late + s.duplicate, l->put_late);
    CHECK(s.recovered <= s.lost);
}

static void half_an_hour(double hz, double ppm) {
    static lab l;
    l = (lab){.hz = hz, .ppm = ppm};
    lab_open(&l, 31);
    lab_run(&l, WARM_UP_MS);
    cf_playout_stats before = lab_stats(&l);
    hearing h = listen(&l, HALF_AN_HOUR_MS);
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(h.gaps, 0);
    CHECK_INT(s.concealed + s.lost + s.late + s.overflow + s.restarts, 0);
    CHECK(h.most <= 45);
    CHECK(h.residual < -30); /* mu-law alone leaves -38 */
    CHECK(h.weakest > 0.95);
    CHECK(h.bend < 60);
    /* the clocks come apart by 540 ms; half an hour of it is in the time scaling and nowhere else */
    double apart = HALF_AN_HOUR_MS * 48.0 * ppm * 1e-6;
    double scaled = (double)(s.squeezed - before.squeezed) - (double)(s.stretched - before.stretched);
    CHECK(fabs(scaled - apart) < 30 * 48);
    check_books(&l, 0);
    lab_close(&l);
}

static void test_half_an_hour_with_a_fast_clock(void) {
    half_an_hour(440, 300);
}
static void test_half_an_hour_with_a_slow_clock(void) {
    half_an_hour(440, -300);
}

static void test_skew_leaves_any_tone_pure(void) {
    static const double tones[] = {70, 110, 200, 997, 1700, 3100, 3390};
    for (size_t i = 0; i < sizeof tones / sizeof tones[0]; i++)
        for (int side = -1; side <= 1; side += 2) {
            static lab l;
            l = (lab){.hz = tones[i], .ppm = side * 3000}; /* ten times the worst, to see many cuts */
            lab_open(&l, 32);
            lab_run(&l, WARM_UP_MS);
            hearing h = listen(&l, 30000);
            CHECK_INT(h.gaps, 0);
            CHECK(h.residual < -30);
            CHECK(h.weakest > 0.95);
            CHECK(h.bend < 8000 * pow(2 * TEST_PI * tones[i] / CF_RATE, 2) * 1.1 + 40);
            CHECK(lab_stats(&l).squeezed + lab_stats(&l).stretched > 48 * 60);
            lab_close(&l);
        }
}

/* Noise repeats nowhere: its length is changed all the same, before the delay runs away. */
static void test_skew_of_noise_stays_bounded(void) {
    for (int side = -1; side <= 1; side += 2) {
        static int16_t noise[CF_RATE];
        static const cf_codec_params celt = {.codec = CF_CODEC_OPUS, .bitrate = 64000, .low_delay = 1};
        cf_rng rng;
        cf_rng_seed(&rng, 9);
        for (int i = 0; i < CF_RATE; i++)
            noise[i] = (int16_t)((cf_rng_unit(&rng) - 0.5) * 16000);
        static lab l;
        l = (lab){.hz = 440, .ppm = side * 3000, .opus = &celt, .voice = noise, .voice_len = CF_RATE};
        lab_open(&l, 33);
        lab_run(&l, WARM_UP_MS);
        hearing h = listen(&l, 60000);
        CHECK_INT(h.gaps, 0);
        CHECK_INT(lab_stats(&l).lost, 0);
        CHECK(h.most <= 110); /* 30 ms of it because ten seconds of such a skew look like jitter */
        lab_close(&l);
    }
}

/* Half a second of noise, half a second of a tone, in turn: with time enough, the cuts are made where they cannot be
 * heard. */
static void test_cuts_are_made_where_the_sound_repeats(void) {
    static int16_t voice[CF_RATE];
    static const cf_codec_params celt = {.codec = CF_CODEC_OPUS, .bitrate = 64000, .low_delay = 1};
    cf_rng rng;
    cf_rng_seed(&rng, 10);
    test_tone(voice, CF_RATE, 400, CF_RATE, 8000, 0);
    for (int i = 0; i < CF_RATE / 2; i++)
        voice[i] = (int16_t)((cf_rng_unit(&rng) - 0.5) * 16000);
    static lab l;
    l = (lab){.hz = 400, .ppm = 1000, .opus = &celt, .voice = voice, .voice_len = CF_RATE};
    lab_open(&l, 34);
    lab_run(&l, WARM_UP_MS);
    int in_tone = 0, in_noise = 0;
    for (int i = 0; i < 6000; i++) {
        uint64_t before = lab_stats(&l).squeezed;
        lab_tick(&l);
        if (lab_stats(&l).squeezed == before)
            continue;
        bool tone = test_residual_db(l.pcm, CF_FRAME, l.hz, CF_RATE) < -6;
        in_tone += tone;
        in_noise += !tone;
    }
    CHECK(in_tone >= 8);
    CHECK_INT(in_noise, 0);
    lab_close(&l);
}

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
    CHECK(lab_stats(&l).target_ms >= 110); /* of the stall at the start */
    lab_run(&l, 1200);
    CHECK(lab_stats(&l).target_ms >= 110);
    l.more_delay = NULL;
    lab_run(&l, 1000);
    CHECK(lab_stats(&l).target_ms >= 110); /* remembered */
    lab_run(&l, 14000);
    CHECK(lab_stats(&l).target_ms <= 22); /* forgotten */
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
    RUN(test_half_an_hour_with_a_fast_clock);
    RUN(test_half_an_hour_with_a_slow_clock);
    RUN(test_skew_leaves_any_tone_pure);
    RUN(test_skew_of_noise_stays_bounded);
    RUN(test_cuts_are_made_where_the_sound_repeats);
    RUN(test_jitter_is_learnt_and_then_costs_nothing);
    RUN(test_everything_at_once);
    RUN(test_up_with_the_first_burst_and_down_again);
    RUN(test_the_backlog_of_an_outage_is_not_played);
    RUN(test_the_path_may_become_longer_or_shorter);
    RUN(test_the_buffer_keeps_to_its_bound);
    RUN(test_what_is_left_out_of_running_sound_is_bridged);
    RUN(test_late_ticks_are_not_taken_for_delay);
    return REPORT();
}

/* A playout of the least delay whose mixer or network has stood still while somebody talks without a pause: it is back
 * at its delay within two seconds (three, if it was 300 ms), and nobody has heard a click. */
#include "listening.h"

enum { BEFORE_MS = 10000, STALL_FRAME = BEFORE_MS / 20 };

static const cf_codec_params opus = {.codec = CF_CODEC_OPUS, .bitrate = 64000, .complexity = 5};

static int back_ms(int stalled_ms) {
    return stalled_ms > 200 ? 3000 : 2000;
}

static int stall_ms;

/* The network keeps everything back for a while, and then gives it at once. */
static int64_t kept_back(lab *l, int64_t frame) {
    (void)l;
    int64_t end = STALL_FRAME + stall_ms / 20;
    return frame >= STALL_FRAME && frame < end ? (end - frame) * 20 * LAB_MS : 0;
}

static void begin(lab *l, lab settings) {
    *l = settings;
    l->opus = &opus;
    l->jitter = LAB_MS;
    l->config.minimum = 1;
    lab_open(l, 71);
    lab_run(l, BEFORE_MS);
}

/* A mixer that stood still leaves these ticks out. */
static void ticks_left_out(lab *l, int ms) {
    l->tick += ms / 20;
}

static void expect_back(lab *l, uint32_t before) {
    cf_playout_stats s = lab_stats(l);
    CHECK(s.delay_ms <= before + 5);
    CHECK_INT(s.lost + s.late + s.overflow + s.restarts, 0);
}

static void a_tone(double hz, int ms) {
    static lab l;
    begin(&l, (lab){.hz = hz});
    uint32_t before = lab_stats(&l).delay_ms;
    ticks_left_out(&l, ms);
    lab_tick(&l);
    CHECK(lab_stats(&l).delay_ms >= before + (uint32_t)ms - 20);
    hearing h = listen(&l, back_ms(ms));
    expect_back(&l, before);
    CHECK_INT(h.gaps, 0);
    CHECK(h.residual < -25);
    CHECK(h.weakest > 0.89); /* 20 ms of 110 Hz are not whole periods */
    CHECK(h.bend < 8000 * pow(2 * TEST_PI * hz / CF_RATE, 2) * 1.15 + 60);
    lab_close(&l);
}

static void test_tones_without_a_pause_after_ticks_left_out(void) {
    static const double tones[] = {110, 300, 440, 517.3, 1000, 1511.7, 2900};
    for (size_t i = 0; i < sizeof tones / sizeof tones[0]; i++) {
        a_tone(tones[i], 100);
        a_tone(tones[i], 300);
    }
}

/* The excess is beyond the 10 ms of jitter that the least delay waits for. */
static void test_tones_after_the_network_stood_still(void) {
    static lab l;
    stall_ms = 100;
    begin(&l, (lab){.hz = 440, .more_delay = kept_back});
    uint32_t before = lab_stats(&l).delay_ms;
    lab_run(&l, back_ms(stall_ms));
    CHECK(lab_stats(&l).delay_ms <= before + 22);
    CHECK(lab_stats(&l).squeezed > 48 * 40);
    lab_close(&l);
}

/* Sound that repeats nowhere within 15 ms is cut at its best place. */
static void expect_no_click(const int16_t *voice, int ms) {
    static lab l;
    begin(&l, (lab){.hz = 440, .voice = voice, .voice_len = CF_RATE});
    uint32_t before = lab_stats(&l).delay_ms;
    int plain = lab_bend_while(&l, 1000);
    double level = test_rms(voice, CF_RATE);
    ticks_left_out(&l, ms);
    lab_tick(&l);
    int bend = 0;
    for (int i = 0; i < back_ms(ms) / 20; i++) {
        int b = lab_bend_while(&l, 20);
        bend = b > bend ? b : bend;
        CHECK(test_rms(l.pcm, CF_FRAME) > level / 4);
    }
    expect_back(&l, before);
    CHECK(bend <= plain * 3 / 2);
    lab_close(&l);
}

static void test_a_chord_and_a_noise(void) {
    static int16_t chord[CF_RATE], noise[CF_RATE];
    cf_rng rng;
    cf_rng_seed(&rng, 72);
    double low = 0;
    for (int i = 0; i < CF_RATE; i++) { /* all fit the loop */
        double at = 2 * TEST_PI * i / CF_RATE;
        chord[i] = (int16_t)(2500 * (sin(440 * at) + sin(620 * at) + sin(831 * at)));
        low += (cf_rng_unit(&rng) * 2 - 1 - low) / 8;
        noise[i] = (int16_t)(12000 * low);
    }
    for (int ms = 100; ms <= 300; ms += 200) {
        expect_no_click(chord, ms);
        expect_no_click(noise, ms);
    }
}

int main(void) {
    RUN(test_tones_without_a_pause_after_ticks_left_out);
    RUN(test_tones_after_the_network_stood_still);
    RUN(test_a_chord_and_a_noise);
    return REPORT();
}

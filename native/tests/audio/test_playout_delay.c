/* How long a playout lets sound wait: from a packet's being sent to the tick whose frame it is heard in first, by ear.
 */
#include "../testlib.h"
#include "playlab.h"

static const cf_codec_params opus = {.codec = CF_CODEC_OPUS, .bitrate = 32000, .complexity = 0};
enum { EVERY = 25, PHASES = 20, BURSTS = 8, MEASURED = PHASES * BURSTS };

typedef struct delays {
    double ms[MEASURED];
    int count;
    uint64_t concealed, lost;
} delays;

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double share(delays *d, double part) {
    qsort(d->ms, (size_t)d->count, sizeof *d->ms, by_size);
    return d->ms[(int)(part * (d->count - 1))];
}

/* Bursts at the beginning of each 25th packet; phases of the mixer's clock all over its 20 ms. */
static void measure(delays *d, lab settings) {
    memset(d, 0, sizeof *d);
    for (int phase = 0; phase < PHASES; phase++) {
        static lab l;
        l = settings;
        l.hz = 1000;
        l.delay = 1;
        l.burst = EVERY;
        l.phase = phase * 20 * LAB_MS / PHASES + 1;
        lab_open(&l, 80 + (uint64_t)phase);
        lab_run(&l, 12000);
        bool loud = true;
        for (int heard = 0; heard < BURSTS;) {
            lab_tick(&l);
            bool now = test_rms(l.pcm, CF_FRAME) > 300;
            if (now && !loud) {
                int64_t tick = (l.tick - 1) * 20 * LAB_MS + l.phase;
                int64_t frame = (l.frame - 1) / EVERY * EVERY;
                d->ms[d->count++] = (double)(tick - lab_sent_at(&l, frame)) / LAB_MS;
                heard++;
            }
            loud = now;
        }
        d->concealed += lab_stats(&l).concealed;
        d->lost += lab_stats(&l).lost;
        lab_close(&l);
    }
}

static void expect(const char *what, lab settings, double median, double p95) {
    static delays d;
    measure(&d, settings);
    printf("  %-28s median %.1f, p95 %.1f, most %.1f ms\n", what, share(&d, 0.5), share(&d, 0.95), share(&d, 1));
    CHECK(share(&d, 0.5) <= median);
    CHECK(share(&d, 0.95) <= p95);
    CHECK(share(&d, 0) > 0);
    CHECK_INT(d.lost, 0);
    CHECK_INT(d.concealed, 0);
}

static void test_a_calm_network(void) {
    expect("adaptive, Opus", (lab){.opus = &opus, .jitter = LAB_MS}, 25, 36);
    expect("adaptive, G.711", (lab){.jitter = LAB_MS}, 25, 36);
    expect("adaptive, G.711, 300 ppm", (lab){.jitter = LAB_MS, .ppm = 300}, 28, 40);
    expect("adaptive, G.711, -300 ppm", (lab){.jitter = LAB_MS, .ppm = -300}, 28, 40);
}

static void test_the_least_delay(void) {
    cf_playout_config minimum = {.minimum = 1};
    expect("minimum, Opus", (lab){.opus = &opus, .jitter = LAB_MS, .config = minimum}, 14, 24);
    expect("minimum, G.711", (lab){.jitter = LAB_MS, .config = minimum}, 14, 24);
    expect("minimum, no jitter", (lab){.opus = &opus, .config = minimum}, 13, 22);
}

static void test_other_packet_lengths(void) {
    for (int ptime = 10; ptime <= 60; ptime += 10) {
        char what[40];
        snprintf(what, sizeof what, "adaptive, packets of %d ms", ptime);
        expect(what, (lab){.jitter = LAB_MS, .ptime_ms = ptime}, ptime % 20 ? 36 : 26, ptime % 20 ? 47 : 37);
    }
}

int main(void) {
    RUN(test_a_calm_network);
    RUN(test_the_least_delay);
    RUN(test_other_packet_lengths);
    return REPORT();
}

/* What each kernel costs for a frame of 20 ms, path by path and side by side, and that all paths give the same. Prints
 * a line of JSON for each. Usage: bench_kernels [TAKES] */
#include "conferocore/codec.h"
#include "conferocore/mixer.h"
#include "conferocore/resample.h"
#include "kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FRAME = CF_FRAME,
    G711_FRAME = FRAME / 6,
    TAKES = 15,        /* of each path, in turns; the fastest counts, as noise only adds */
    TAKE_NS = 1000000, /* short enough to fit between two interruptions, mostly */
    PATHS_MAX = 8,
    OUT_MAX = 2 * FRAME * sizeof(double),
};

static int16_t speech[FRAME], narrow[FRAME];
static int32_t own[FRAME], sum[FRAME], loud[FRAME];
static uint8_t codes[FRAME];
static union {
    uint8_t bytes[OUT_MAX];
    int16_t s16[FRAME * 2];
    int32_t s32[FRAME];
    double d[FRAME * 2];
    uint64_t u64;
} out;
static double needs[FRAME + CF_LIMIT_AHEAD];
static cf_limiter at_rest, at_work;
static cf_resampler down[7], up[7];

static void run_add(void) {
    memcpy(out.s32, sum, sizeof sum);
    cf_mix_add(out.s32, own, FRAME);
}
static void run_minus(void) {
    cf_mix_minus(out.s32, sum, own, FRAME);
}
static void run_gain_one(void) {
    cf_mix_gain(out.s32, speech, FRAME, CF_GAIN_ONE, CF_GAIN_ONE);
}
static void run_gain(void) {
    cf_mix_gain(out.s32, speech, FRAME, 9000, 9000);
}
static void run_ramp(void) {
    cf_mix_gain(out.s32, speech, FRAME, 0, CF_GAIN_ONE);
}
static void run_add_ramp(void) {
    memcpy(out.s32, sum, sizeof sum);
    cf_mix_add_gain(out.s32, own, FRAME, 0, -CF_GAIN_ONE);
}
static void run_level(void) {
    out.u64 = cf_level(speech, FRAME);
}
static void run_silent(void) {
    static const int16_t silence[FRAME];
    out.u64 = cf_silent(silence, FRAME);
}
static void run_narrow(void) {
    cf_kernels_now->narrow(out.s16, sum, FRAME);
}
static void run_need(void) {
    cf_kernels_now->need(out.d, loud, FRAME);
}
static void run_release(void) {
    memcpy(out.d, needs, FRAME * sizeof *needs);
    cf_kernels_now->release(out.d, FRAME, 0.5, true);
}
static void run_highest(void) {
    static double used[FRAME + CF_LIMIT_AHEAD];
    memcpy(used, needs, sizeof needs);
    cf_kernels_now->highest(out.d, used, FRAME);
}
static void run_mean(void) {
    memcpy(out.d, needs, sizeof needs);
    cf_kernels_now->mean(out.d, FRAME);
    memset(out.d + FRAME, 0, CF_LIMIT_AHEAD * sizeof *needs);
}
static void run_scale(void) {
    cf_kernels_now->scale(out.s16, sum, needs, FRAME);
}
static void run_limiter_at_rest(void) {
    cf_limiter_run(&at_rest, sum, out.s16, FRAME);
}
/* From the same state each time, so that all paths have the same to do. */
static void run_limiter_at_work(void) {
    cf_limiter l = at_work;
    cf_limiter_run(&l, loud, out.s16, FRAME);
}
static void run_limiter_coming_to_rest(void) {
    cf_limiter l = at_work;
    cf_limiter_run(&l, sum, out.s16, FRAME);
}
static void run_down(int ratio) {
    cf_resample_down(&down[ratio], speech, FRAME, out.s16);
}
static void run_up(int ratio) {
    cf_resample_up(&up[ratio], narrow, (size_t)(FRAME / ratio), out.s16);
}
static void run_down_6(void) {
    run_down(6);
}
static void run_down_3(void) {
    run_down(3);
}
static void run_down_2(void) {
    run_down(2);
}
static void run_up_6(void) {
    run_up(6);
}
static void run_up_3(void) {
    run_up(3);
}
static void run_up_2(void) {
    run_up(2);
}
static void run_ulaw_encode(void) {
    cf_kernels_now->ulaw_encode(out.bytes, speech, G711_FRAME);
}
static void run_ulaw_decode(void) {
    cf_kernels_now->ulaw_decode(out.s16, codes, G711_FRAME);
}
static void run_alaw_encode(void) {
    cf_kernels_now->alaw_encode(out.bytes, speech, G711_FRAME);
}
static void run_alaw_decode(void) {
    cf_kernels_now->alaw_decode(out.s16, codes, G711_FRAME);
}

static const struct kernel {
    const char *name;
    void (*run)(void);
} kernels[] = {
    {"add (with a copy)", run_add},
    {"minus", run_minus},
    {"gain 1", run_gain_one},
    {"gain", run_gain},
    {"gain, ramp", run_ramp},
    {"add with a ramp (with a copy)", run_add_ramp},
    {"level", run_level},
    {"silent", run_silent},
    {"narrow", run_narrow},
    {"limiter: need", run_need},
    {"limiter: release (with a copy)", run_release},
    {"limiter: highest (with a copy)", run_highest},
    {"limiter: mean (with a copy)", run_mean},
    {"limiter: scale", run_scale},
    {"limiter at rest", run_limiter_at_rest},
    {"limiter at work", run_limiter_at_work},
    {"limiter coming to rest", run_limiter_coming_to_rest},
    {"resample 48 to 8 kHz", run_down_6},
    {"resample 48 to 16 kHz", run_down_3},
    {"resample 48 to 24 kHz", run_down_2},
    {"resample 8 to 48 kHz", run_up_6},
    {"resample 16 to 48 kHz", run_up_3},
    {"resample 24 to 48 kHz", run_up_2},
    {"mu-law encode, 160 samples", run_ulaw_encode},
    {"mu-law decode, 160 samples", run_ulaw_decode},
    {"A-law encode, 160 samples", run_alaw_encode},
    {"A-law decode, 160 samples", run_alaw_decode},
};

static void reset_states(void) {
    cf_limiter_init(&at_rest);
    cf_limiter_init(&at_work);
    cf_limiter_run(&at_work, loud, (int16_t[FRAME]){0}, FRAME);
    for (int ratio = 2; ratio <= 6; ratio++) {
        cf_resampler_init(&down[ratio], ratio);
        cf_resampler_init(&up[ratio], ratio);
    }
}

/* Loud and soft in turns, a third of the loud part over the ceiling. */
static void fill(void) {
    cf_rng rng;
    cf_rng_seed(&rng, 5);
    for (int i = 0; i < FRAME; i++) {
        double unit = 2 * cf_rng_unit(&rng) - 1;
        speech[i] = (int16_t)(unit * 20000);
        narrow[i] = (int16_t)(unit * 12000);
        own[i] = (int32_t)(unit * 15000);
        sum[i] = (int32_t)((2 * cf_rng_unit(&rng) - 1) * 30000);
        loud[i] = (int32_t)(unit * (i / 240 % 2 ? 48000 : 20000));
        codes[i] = (uint8_t)(i * 37);
        needs[i] = i % 3 ? 0 : cf_rng_unit(&rng) * 0.5;
    }
    for (int i = FRAME; i < FRAME + CF_LIMIT_AHEAD; i++)
        needs[i] = 0.25;
}

static double cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ns of one run, by as many as fill a take. */
static double take(void (*run)(void)) {
    int rounds = 0;
    double start = cpu_ns(), now = start;
    for (int batch = 16; now - start < TAKE_NS; batch *= 2) {
        for (int i = 0; i < batch; i++) {
            run();
            __asm__ volatile("" ::: "memory");
        }
        rounds += batch;
        now = cpu_ns();
    }
    return (now - start) / rounds;
}

/* What three runs leave, from a fresh state. */
static void result_of(const struct kernel *k, uint8_t *bytes) {
    reset_states();
    memset(&out, 0, sizeof out);
    for (int i = 0; i < 3; i++)
        k->run();
    memcpy(bytes, out.bytes, OUT_MAX);
}

static bool measure(const struct kernel *k, int takes) {
    static uint8_t want[OUT_MAX], got[OUT_MAX];
    double ns[PATHS_MAX];
    size_t paths = 0;
    bool equal = true;
    cf_kernels_use("c");
    result_of(k, want);
    for (const cf_kernels *path; paths < PATHS_MAX && (path = cf_kernels_at(paths)); paths++) {
        cf_kernels_use(path->name);
        result_of(k, got);
        equal = equal && memcmp(got, want, sizeof want) == 0;
        ns[paths] = 1e18;
    }
    for (int i = 0; i < takes; i++)
        for (size_t p = 0; p < paths; p++) {
            cf_kernels_use(cf_kernels_at(p)->name);
            double t = take(k->run);
            ns[p] = t < ns[p] ? t : ns[p];
        }
    printf("{\"kernel\": \"%s\", \"equal\": %s, \"ns\": {", k->name, equal ? "true" : "false");
    for (size_t p = paths; p-- > 0;)
        printf("\"%s\": %.1f%s", cf_kernels_at(p)->name, ns[p], p ? ", " : "}}\n");
    fflush(stdout);
    return equal;
}

int main(int argc, char **argv) {
    int takes = argc > 1 ? atoi(argv[1]) : TAKES;
    bool equal = true;
    fill();
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        equal &= measure(&kernels[i], takes > 0 ? takes : 1);
    return equal ? 0 : 1;
}

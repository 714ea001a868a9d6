/* Tones made, not recorded: sines under ramps, and the table of those that have a name. */
#include "conferocore/tone.h"

#include "conferocore/dtmf.h"
#include "round.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    HZ_MIN = 20,
    HZ_MAX = 20000,
    LEVEL_MIN = 3,
    LEVEL_MAX = 127,
    SAMPLES_A_MS = CF_RATE / 1000,
    RAMP = CF_TONE_RAMP
};
#define PI 3.14159265358979323846
#define FULL_SCALE 32767.0

/* 0 dBov is a square wave of full scale, so that a sine of full scale has 3. */
static double amplitude(const cf_tone_step *step, int i) {
    return step->hz[i] ? FULL_SCALE * pow(10, (LEVEL_MIN - step->level[i]) / 20.0) : 0;
}

static bool step_valid(const cf_tone_step *step) {
    for (int i = 0; i < 2; i++)
        if (step->hz[i] &&
            (step->hz[i] < HZ_MIN || step->hz[i] > HZ_MAX || step->level[i] < LEVEL_MIN || step->level[i] > LEVEL_MAX))
            return false;
    return step->ms > 0 && step->ms <= CF_TONE_MAX_MS && amplitude(step, 0) + amplitude(step, 1) <= FULL_SCALE;
}

int cf_tone_samples(const cf_tone *tone) {
    int ms = 0;
    if (tone->count < 1 || tone->count > CF_TONE_STEPS)
        return -EINVAL;
    for (int i = 0; i < tone->count; i++) {
        if (!step_valid(&tone->steps[i]) || tone->steps[i].ms > CF_TONE_MAX_MS - ms)
            return -EINVAL;
        ms += tone->steps[i].ms;
    }
    return ms * SAMPLES_A_MS;
}

/* Half a cosine up and down; a step shorter than two ramps has shorter ones. */
static double ramp(int i, int n) {
    int width = n < 2 * RAMP ? n / 2 : RAMP, edge = i < n - 1 - i ? i : n - 1 - i;
    return edge >= width ? 1 : 0.5 - 0.5 * cos(PI * edge / width);
}

static void render_step(const cf_tone_step *step, int16_t *pcm, int n) {
    double a = amplitude(step, 0), b = amplitude(step, 1);
    double u = 2 * PI * step->hz[0] / CF_RATE, v = 2 * PI * step->hz[1] / CF_RATE;
    for (int i = 0; i < n; i++)
        pcm[i] = (int16_t)cf_round(ramp(i, n) * (a * sin(u * i) + b * sin(v * i)));
}

int cf_tone_render(const cf_tone *tone, int16_t *pcm, size_t cap) {
    int total = cf_tone_samples(tone);
    if (total < 0)
        return total;
    if ((size_t)total > cap)
        return -ENOSPC;
    for (int i = 0; i < tone->count; i++) {
        int n = tone->steps[i].ms * SAMPLES_A_MS;
        render_step(&tone->steps[i], pcm, n);
        pcm += n;
    }
    return total;
}

/* Frequencies and cadences of ITU-T E.180, at -13 dBm0 (-19 dBov); the notes that interrupt people softer. */
static const struct {
    const char *name;
    cf_tone tone;
} named[] = {
    {"dial", {1, {{{425, 0}, {19, 0}, 10000}}}},
    {"ringing", {2, {{{425, 0}, {19, 0}, 1000}, {{0, 0}, {0, 0}, 4000}}}},
    {"busy", {2, {{{425, 0}, {19, 0}, 500}, {{0, 0}, {0, 0}, 500}}}},
    {"congestion", {2, {{{425, 0}, {19, 0}, 250}, {{0, 0}, {0, 0}, 250}}}},
    {"entry", {2, {{{660, 0}, {23, 0}, 120}, {{880, 0}, {23, 0}, 180}}}},
    {"exit", {2, {{{880, 0}, {23, 0}, 120}, {{660, 0}, {23, 0}, 180}}}},
    {"beep", {1, {{{1000, 0}, {20, 0}, 200}}}},
};

/* -9 and -7 dBm0: the high tone stronger, as lines take more of it. */
static bool digit_tone(cf_tone *tone, char digit) {
    int low, high;
    if (!cf_dtmf_tones(digit, &low, &high))
        return false;
    *tone = (cf_tone){2, {{{low, high}, {15, 13}, 100}, {{0, 0}, {0, 0}, 100}}};
    return true;
}

int cf_tone_named(cf_tone *tone, const char *name) {
    if (name[0] && !name[1] && digit_tone(tone, name[0]))
        return 0;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (!strcmp(named[i].name, name)) {
            *tone = named[i].tone;
            return 0;
        }
    return -ENOENT;
}

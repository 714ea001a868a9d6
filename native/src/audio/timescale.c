/* Pitch-synchronous overlap-add: the lag is searched at 8 kHz and refined at 48 kHz. */
#include "timescale.h"

#include "pitch.h"

#include <math.h>
#include <string.h>

enum {
    WINDOW = CF_PITCH_WINDOW, /* 10 ms are compared */
    COARSE = 6,
    CUT_FADE = 240,
    SPAN = CF_TIMESCALE_MAX + WINDOW, /* all samples that a search looks at */
};

/* The best lag in lo .. hi samples for x, whose other side lies later (way 1) or earlier (way -1). */
static cf_pitch find_lag(const int16_t *x, int way, int lo, int hi) {
    int16_t fine[SPAN], coarse[SPAN / COARSE];
    const int past = way < 0 ? hi - hi % COARSE : 0; /* samples before x that are looked at */
    const int span = hi - hi % COARSE + WINDOW;
    cf_pitch_scale(x - past, (size_t)span, fine);
    for (int i = 0; i < span / COARSE; i++) {
        int sum = 0;
        for (int k = 0; k < COARSE; k++)
            sum += fine[i * COARSE + k];
        coarse[i] = (int16_t)(sum / COARSE);
    }
    int near =
        cf_pitch_search(coarse + past / COARSE, way, (lo + COARSE - 1) / COARSE, hi / COARSE, WINDOW / COARSE).lag *
        COARSE;
    int from = near - COARSE < lo ? lo : near - COARSE, to = near + COARSE;
    int most = hi - hi % COARSE;
    return cf_pitch_search(fine + past, way, from, to > most ? most : to, WINDOW);
}

/* out[i] goes from a[i] over to b[i] within n samples; unlike sides are raised in the middle, so that the power stays
 * the same. */
static void cross_fade(int16_t *out, const int16_t *a, const int16_t *b, int n, float likeness) {
    for (int i = 0; i < n; i++) {
        float v = (float)(i + 1) / (float)(n + 1), u = 1 - v;
        float mixed = (u * a[i] + v * b[i]) / sqrtf(u * u + v * v + 2 * u * v * likeness);
        out[i] = (int16_t)(mixed > INT16_MAX ? INT16_MAX : mixed < INT16_MIN ? INT16_MIN : lrintf(mixed));
    }
}

size_t cf_timescale_squeeze(int16_t *x, size_t count, size_t max_cut, float likeness) {
    int hi = max_cut < CF_TIMESCALE_MAX ? (int)max_cut : CF_TIMESCALE_MAX;
    if (hi < CF_TIMESCALE_MIN || count < (size_t)hi + CF_TIMESCALE_MAX)
        return 0;
    cf_pitch pitch = find_lag(x, 1, CF_TIMESCALE_MIN, hi);
    if (pitch.likeness < likeness)
        return 0;
    size_t lag = (size_t)pitch.lag;
    cross_fade(x, x, x + lag, pitch.lag, pitch.likeness);
    memmove(x + lag, x + 2 * lag, (count - 2 * lag) * sizeof *x);
    return lag;
}

size_t cf_timescale_cut(int16_t *x, size_t count, size_t cut) {
    if (cut == 0 || count < cut + CUT_FADE)
        return 0;
    cross_fade(x, x, x + cut, CUT_FADE, 0);
    memmove(x + CUT_FADE, x + cut + CUT_FADE, (count - cut - CUT_FADE) * sizeof *x);
    return cut;
}

size_t cf_timescale_stretch(int16_t *x, size_t count, float likeness) {
    int16_t bridge[CF_TIMESCALE_MAX];
    if (count < CF_TIMESCALE_MAX)
        return 0;
    cf_pitch pitch = find_lag(x, -1, CF_TIMESCALE_MIN, CF_TIMESCALE_MAX);
    if (pitch.likeness < likeness)
        return 0;
    size_t lag = (size_t)pitch.lag;
    cross_fade(bridge, x, x - lag, pitch.lag, pitch.likeness);
    memmove(x + lag, x, count * sizeof *x);
    memcpy(x, bridge, lag * sizeof *x);
    return lag;
}

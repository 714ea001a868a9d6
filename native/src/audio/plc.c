/* Concealment: find the pitch, repeat the last period seamlessly, fade from 10 to 60 ms, blend over into what
 * comes next. */
#include "plc.h"

#include "history.h"
#include "pitch.h"

enum {                 /* at 8 kHz; plc->scale times as many at other rates */
       WINDOW = 160,   /* pitch is judged on 20 ms */
       FADE_FROM = 80, /* 10 ms at full level */
       FADE_TO = 480,  /* nothing after 60 ms */
       BLEND_MIN = 32, /* 4 ms of cross-fade back, and as much again for each 10 ms lost ... */
       BLEND_MAX = 80, /* ... up to 10 ms */
};
#define VOICED 0.4F /* below this likeness the sound is noise: the longest loop buzzes least */

void cf_plc_init(cf_plc *plc, int rate, int16_t *memory) {
    *plc = (cf_plc){.scale = rate / 8000, .history = memory};
    plc->loop = memory + (size_t)plc->scale * CF_PLC_HISTORY;
    memset(memory, 0, cf_plc_room(rate) * sizeof *memory);
}

static size_t kept(const cf_plc *plc) {
    return (size_t)plc->scale * CF_PLC_HISTORY;
}

/* The last samples at 8 kHz: the mean of each few is filter enough to find a pitch by. */
static cf_pitch search_low(const cf_plc *plc) {
    int16_t x[CF_PLC_HISTORY];
    for (int i = 0; i < CF_PLC_HISTORY; i++) {
        int sum = 0;
        for (int k = 0; k < plc->scale; k++)
            sum += plc->history[i * plc->scale + k];
        x[i] = (int16_t)(sum / plc->scale);
    }
    cf_pitch_scale(x, CF_PLC_HISTORY, x);
    return cf_pitch_search(x + CF_PLC_HISTORY - WINDOW, -1, CF_PLC_LAG_MIN, CF_PLC_LAG_MAX, WINDOW);
}

/* The same lag to the sample of a higher rate. */
static int refine(const cf_plc *plc, int lag) {
    int16_t x[CF_PLC_HISTORY * CF_PLC_SCALE_MAX];
    int scale = plc->scale, window = WINDOW * scale < CF_PITCH_WINDOW ? WINDOW * scale : CF_PITCH_WINDOW;
    int lo = lag > CF_PLC_LAG_MIN ? (lag - 1) * scale + 1 : lag * scale;
    int hi = lag < CF_PLC_LAG_MAX ? (lag + 1) * scale - 1 : lag * scale;
    cf_pitch_scale(plc->history, kept(plc), x);
    return cf_pitch_search(x + kept(plc) - window, -1, lo, hi, window).lag;
}

static int find_lag(const cf_plc *plc) {
    cf_pitch pitch = search_low(plc);
    if (pitch.likeness < VOICED)
        return CF_PLC_LAG_MAX * plc->scale;
    return plc->scale > 1 ? refine(plc, pitch.lag) : pitch.lag;
}

static void start(cf_plc *plc) {
    const int16_t *end = plc->history + kept(plc);
    int lag = plc->lag = find_lag(plc), quarter = lag / 4;
    memcpy(plc->loop, end - lag, (size_t)lag * sizeof *plc->loop);
    for (int i = 0; i < quarter; i++) { /* the loop's end goes over into what came before its start */
        int16_t *v = &plc->loop[lag - quarter + i];
        *v = (int16_t)((*v * (quarter - i) + end[i - lag - quarter] * i) / quarter);
    }
    plc->step = end[-1] - end[-1 - lag];
}

/* The sample number `i` after the last good one, before fading. */
static int looped(const cf_plc *plc, uint32_t i) {
    uint32_t quarter = (uint32_t)plc->lag / 4;
    int v = plc->loop[i % (uint32_t)plc->lag];
    return i < quarter ? v + plc->step * (int)(quarter - i) / (int)(quarter + 1) : v;
}

static int16_t next(cf_plc *plc) {
    uint32_t i = plc->lost++, from = FADE_FROM * (uint32_t)plc->scale, to = FADE_TO * (uint32_t)plc->scale;
    if (i >= to)
        return 0;
    int v = looped(plc, i);
    if (i > from)
        v = v * (int)(to - i) / (int)(to - from);
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

void cf_plc_conceal(cf_plc *plc, int16_t *out, size_t n) {
    if (plc->lost == 0)
        start(plc);
    if (plc->lost > UINT32_MAX / 2) /* hours of it: faded out long ago */
        plc->lost = FADE_TO * (uint32_t)plc->scale;
    for (size_t i = 0; i < n; i++)
        out[i] = next(plc);
    cf_remember(plc->history, kept(plc), out, n);
}

void cf_plc_good(cf_plc *plc, int16_t *pcm, size_t n) {
    if (plc->lost > 0) {
        uint32_t scale = (uint32_t)plc->scale, blend = (BLEND_MIN + plc->lost / (80 * scale) * BLEND_MIN) * scale;
        blend = blend > BLEND_MAX * scale ? BLEND_MAX * scale : blend;
        blend = blend > n ? (uint32_t)n : blend;
        for (uint32_t i = 0; i < blend; i++)
            pcm[i] = (int16_t)((pcm[i] * (int)(i + 1) + next(plc) * (int)(blend - i)) / (int)(blend + 1));
        plc->lost = 0;
    }
    cf_remember(plc->history, kept(plc), pcm, n);
}

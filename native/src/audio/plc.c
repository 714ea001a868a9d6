/* G.711 concealment: find the pitch, repeat the last period seamlessly, fade from 10 to 60 ms, blend over into what
 * comes next. */
#include "plc.h"

#include "history.h"
#include "pitch.h"

enum {
    WINDOW = 160,   /* pitch is judged on 20 ms */
    FADE_FROM = 80, /* 10 ms at full level */
    FADE_TO = 480,  /* nothing after 60 ms */
    BLEND_MIN = 32, /* 4 ms of cross-fade back, and as much again for each 10 ms lost ... */
    BLEND_MAX = 80, /* ... up to 10 ms */
};
#define VOICED 0.4F /* below this likeness the sound is noise: the longest loop buzzes least */

void cf_plc_init(cf_plc *plc) {
    memset(plc, 0, sizeof *plc);
}

static int find_lag(const cf_plc *plc) {
    int16_t x[CF_PLC_HISTORY];
    cf_pitch_scale(plc->history, CF_PLC_HISTORY, x);
    cf_pitch pitch = cf_pitch_search(x + CF_PLC_HISTORY - WINDOW, -1, CF_PLC_LAG_MIN, CF_PLC_LAG_MAX, WINDOW);
    return pitch.likeness < VOICED ? CF_PLC_LAG_MAX : pitch.lag;
}

static void start(cf_plc *plc) {
    const int16_t *end = plc->history + CF_PLC_HISTORY;
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
    uint32_t i = plc->lost++;
    if (i >= FADE_TO)
        return 0;
    int v = looped(plc, i);
    if (i > FADE_FROM)
        v = v * (int)(FADE_TO - i) / (FADE_TO - FADE_FROM);
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

void cf_plc_conceal(cf_plc *plc, int16_t *out, size_t n) {
    if (plc->lost == 0)
        start(plc);
    if (plc->lost > UINT32_MAX / 2) /* hours of it: faded out long ago */
        plc->lost = FADE_TO;
    for (size_t i = 0; i < n; i++)
        out[i] = next(plc);
    cf_remember(plc->history, CF_PLC_HISTORY, out, n);
}

void cf_plc_good(cf_plc *plc, int16_t *pcm, size_t n) {
    if (plc->lost > 0) {
        uint32_t blend = BLEND_MIN + plc->lost / 80 * BLEND_MIN;
        blend = blend > BLEND_MAX ? BLEND_MAX : blend;
        blend = blend > n ? (uint32_t)n : blend;
        for (uint32_t i = 0; i < blend; i++)
            pcm[i] = (int16_t)((pcm[i] * (int)(i + 1) + next(plc) * (int)(blend - i)) / (int)(blend + 1));
        plc->lost = 0;
    }
    cf_remember(plc->history, CF_PLC_HISTORY, pcm, n);
}

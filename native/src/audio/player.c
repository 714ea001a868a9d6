/* A clip in memory, and players that read it: whole runs are copied, the few samples at fades and seams are worked on.
 */
#include "conferocore/player.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { FADE = CF_PLAYER_FADE };

struct cf_clip {
    _Atomic size_t holders; /* Python lets go of what it holds in whatever thread collects it */
    size_t n;
    int16_t pcm[];
};

struct cf_player {
    cf_clip *clip;
    size_t at;       /* in the clip */
    size_t seam;     /* samples of its end that go over into its beginning when it loops */
    uint64_t turn;   /* how often it has begun anew */
    uint64_t turns;  /* how often it is played; UINT64_MAX: until stopped */
    uint64_t left;   /* samples; UINT64_MAX: until stopped */
    uint64_t played; /* samples */
    int32_t gain_now, gain;
    _Atomic uint64_t position; /* played and ended, for other threads */
    atomic_bool ended;
};

cf_clip *cf_clip_new(const int16_t *pcm, size_t n) {
    if (n == 0 || n > CF_CLIP_MAX)
        return NULL;
    cf_clip *clip = malloc(sizeof *clip + n * sizeof *pcm);
    if (!clip)
        return NULL;
    clip->holders = 1;
    clip->n = n;
    memcpy(clip->pcm, pcm, n * sizeof *pcm);
    return clip;
}

void cf_clip_keep(cf_clip *clip) {
    atomic_fetch_add(&clip->holders, 1);
}

void cf_clip_free(cf_clip *clip) {
    if (clip && atomic_fetch_sub(&clip->holders, 1) == 1)
        free(clip);
}

size_t cf_clip_samples(const cf_clip *clip) {
    return clip->n;
}

cf_player *cf_player_new(cf_clip *clip, const cf_player_config *config) {
    if (config->gain_q14 < 0 || config->gain_q14 > CF_GAIN_MAX || config->loops < 0)
        return NULL;
    cf_player *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->clip = clip;
    p->seam = clip->n / 2 < FADE ? clip->n / 2 : FADE;
    p->turns = config->loops ? (uint64_t)config->loops : UINT64_MAX;
    p->left = config->loops ? clip->n + (p->turns - 1) * (clip->n - p->seam) : UINT64_MAX;
    p->gain = p->gain_now = config->gain_q14;
    cf_clip_keep(clip);
    return p;
}

void cf_player_free(cf_player *p) {
    if (p)
        cf_clip_free(p->clip);
    free(p);
}

/* The beginning of a further turn, blended with the end of the one before. */
static void blend_seam(const cf_player *p, int16_t *out, size_t n) {
    const int16_t *end = p->clip->pcm + p->clip->n - p->seam;
    int width = (int)p->seam + 1;
    for (size_t i = 0; i < n && p->at + i < p->seam; i++) {
        int share = (int)(p->at + i) + 1;
        out[i] = (int16_t)((out[i] * share + end[p->at + i] * (width - share)) / width);
    }
}

/* Up to n samples that lie in one piece: how many. */
static size_t copy_run(cf_player *p, int16_t *out, size_t n) {
    bool last = p->turn + 1 == p->turns;
    size_t end = last ? p->clip->n : p->clip->n - p->seam;
    size_t run = end - p->at < n ? end - p->at : n;
    memcpy(out, p->clip->pcm + p->at, run * sizeof *out);
    if (p->turn > 0)
        blend_seam(p, out, run);
    p->at += run;
    if (p->at == end && !last) {
        p->at = 0;
        p->turn++;
    }
    return run;
}

/* The first 5 ms rise, the last 5 ms of what is left fall. */
static void fade(const cf_player *p, int16_t *out, size_t n) {
    for (size_t i = 0; i < n && p->played + i < FADE; i++)
        out[i] = (int16_t)(out[i] * (int)(p->played + i) / FADE);
    if (p->left > n + FADE)
        return;
    for (size_t i = p->left > FADE ? p->left - FADE : 0; i < n; i++)
        out[i] = (int16_t)(out[i] * (int)(p->left - 1 - i) / FADE);
}

static void apply_gain(cf_player *p, int16_t *out) {
    if (p->gain != CF_GAIN_ONE || p->gain_now != CF_GAIN_ONE) {
        int32_t x[CF_FRAME];
        cf_mix_gain(x, out, CF_FRAME, p->gain_now, p->gain);
        for (int i = 0; i < CF_FRAME; i++)
            out[i] = (int16_t)(x[i] > INT16_MAX ? INT16_MAX : x[i] < INT16_MIN ? INT16_MIN : x[i]);
    }
    p->gain_now = p->gain;
}

int64_t cf_player_next(cf_player *p, int16_t pcm[CF_FRAME]) {
    size_t n = p->left < CF_FRAME ? (size_t)p->left : CF_FRAME;
    for (size_t i = 0; i < n;)
        i += copy_run(p, pcm + i, n - i);
    fade(p, pcm, n);
    memset(pcm + n, 0, (CF_FRAME - n) * sizeof *pcm);
    apply_gain(p, pcm);
    p->played += n;
    if (p->left != UINT64_MAX)
        p->left -= n;
    atomic_store_explicit(&p->position, p->played, memory_order_relaxed);
    atomic_store_explicit(&p->ended, p->left == 0, memory_order_release);
    return p->left == UINT64_MAX ? INT64_MAX : (int64_t)p->left;
}

void cf_player_stop(cf_player *p) {
    if (p->played == 0)
        p->left = 0; /* not begun: nothing to fade */
    else if (p->left > FADE)
        p->left = FADE;
}

void cf_player_gain(cf_player *p, int32_t gain_q14) {
    p->gain = gain_q14 < 0 ? 0 : gain_q14 > CF_GAIN_MAX ? CF_GAIN_MAX : gain_q14;
}

uint64_t cf_player_position(const cf_player *p) {
    return atomic_load_explicit(&p->position, memory_order_relaxed);
}

bool cf_player_ended(const cf_player *p) {
    return atomic_load_explicit(&p->ended, memory_order_acquire);
}

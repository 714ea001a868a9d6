/* The look-ahead limiter of mixer.h, whole blocks at a time.
 *
 * Window minimum and window mean are both built by doubling: a window of 2w from two windows of w. That is exact
 * bookkeeping without a running sum or a queue, so nothing can drift however long a call lasts, every pass is a plain
 * vector loop, and the result does not depend on where the blocks begin. */
#include "conferocore/mixer.h"

#include "round.h"

#include <math.h>
#include <string.h>

enum {
    AHEAD = CF_LIMIT_AHEAD,
    BLOCK = 480,
    SPAN = AHEAD + BLOCK,    /* the past that windows reach into, then the block */
    AT_REST = 2 * AHEAD + 1, /* after so many samples of rel = 1 no window sees anything else */
};
_Static_assert(AHEAD == 96, "the window sizes below are written for it");

static bool any_above(const int32_t *x, size_t n) {
    int loud = 0;
    for (size_t i = 0; i < n; i++)
        loud |= (x[i] > CF_LIMIT_CEILING) | (x[i] < -CF_LIMIT_CEILING);
    return loud;
}

/* Nothing to do: the block comes out as it went in, AHEAD samples later. */
static void pass(cf_limiter *l, const int32_t *in, int16_t *out, size_t n) {
    size_t old = n < AHEAD ? n : AHEAD;
    for (size_t i = 0; i < old; i++)
        out[i] = (int16_t)l->delay[i];
    for (size_t i = old; i < n; i++)
        out[i] = (int16_t)in[i - AHEAD];
    memmove(l->delay, l->delay + old, (AHEAD - old) * sizeof *l->delay);
    memcpy(l->delay + AHEAD - old, in + n - old, old * sizeof *l->delay);
}

/* rel of a block: each sample's need, or the slow way back to 1. Worked out as the distance from 1, which takes one
 * product a sample. */
static void release(cf_limiter *l, double *rel, const int32_t *in, size_t n) {
    double away = 1 - l->last;
    for (size_t i = 0; i < n; i++) {
        double x = fabs((double)in[i]);
        rel[i] = 1 - CF_LIMIT_CEILING / (x > CF_LIMIT_CEILING ? x : CF_LIMIT_CEILING);
    }
    for (size_t i = 0; i < n; i++) {
        away *= 1 - CF_LIMIT_RELEASE;
        away = away > rel[i] ? away : rel[i];
        away = away < CF_LIMIT_REST ? 0 : away;
        rel[i] = 1 - away;
        l->resting = away > 0 ? 0 : l->resting < AT_REST ? l->resting + 1 : AT_REST;
    }
    l->last = 1 - away;
}

/* x[i] = min of x[i .. i + AHEAD], for n results. */
static void window_min(double *x, size_t n) {
    size_t valid = n + AHEAD; /* results of the window so far */
    for (size_t w = 1; w < 64; w *= 2) {
        valid -= w;
        for (size_t i = 0; i < valid; i++)
            x[i] = x[i] < x[i + w] ? x[i] : x[i + w];
    }
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] < x[i + AHEAD + 1 - 64] ? x[i] : x[i + AHEAD + 1 - 64];
}

/* x[i] = mean of x[i .. i + AHEAD - 1], for n results. */
static void window_mean(double *x, size_t n) {
    size_t valid = n + AHEAD - 1;
    for (size_t w = 1; w < 32; w *= 2) {
        valid -= w;
        for (size_t i = 0; i < valid; i++)
            x[i] += x[i + w];
    }
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] + x[i + 32] + x[i + 64]) / AHEAD;
}

static void limit(cf_limiter *l, const int32_t *in, int16_t *out, size_t n) {
    double rel[SPAN], low[SPAN];
    int32_t x[SPAN];
    memcpy(rel, l->rel, sizeof l->rel);
    release(l, rel + AHEAD, in, n);
    memcpy(l->rel, rel + n, sizeof l->rel);
    window_min(rel, n);

    memcpy(low, l->low, sizeof l->low);
    memcpy(low + AHEAD, rel, n * sizeof *rel);
    memcpy(l->low, low + n, sizeof l->low);
    window_mean(low + 1, n);

    memcpy(x, l->delay, sizeof l->delay);
    memcpy(x + AHEAD, in, n * sizeof *in);
    memcpy(l->delay, x + n, sizeof l->delay);
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)cf_round(x[i] * low[1 + i]);
}

void cf_limiter_init(cf_limiter *l) {
    memset(l, 0, sizeof *l);
    for (int i = 0; i < AHEAD; i++)
        l->rel[i] = l->low[i] = 1;
    l->last = 1;
    l->resting = AT_REST;
}

bool cf_limiter_rests(const cf_limiter *l) {
    return l->resting == AT_REST;
}

void cf_limiter_run(cf_limiter *l, const int32_t *in, int16_t *out, size_t n) {
    for (size_t block; n > 0; n -= block, in += block, out += block) {
        block = n < BLOCK ? n : BLOCK;
        if (l->resting == AT_REST && !any_above(in, block))
            pass(l, in, out, block);
        else
            limit(l, in, out, block);
    }
}

/* The look-ahead limiter of mixer.h, whole blocks at a time, by the kernels that were chosen for this machine.
 *
 * Every pass is a vector loop (kernels/limit_c.c says how), and the result does not depend on where the blocks begin.
 */
#include "conferocore/mixer.h"

#include "kernels/kernels.h"

#include <string.h>

enum {
    AHEAD = CF_LIMIT_AHEAD,
    CHUNK = CF_LIMIT_CHUNK,
    BLOCK = 480,
    SPAN = AHEAD + BLOCK,    /* the past that windows reach into, then the block */
    AT_REST = 2 * AHEAD + 1, /* after so many samples of rel = 1 no window sees anything else */
};

static void remember(cf_limiter *l, const int32_t *in, size_t n) {
    size_t fresh = n < AHEAD ? n : AHEAD;
    memmove(l->delay, l->delay + fresh, (AHEAD - fresh) * sizeof *l->delay);
    memcpy(l->delay + AHEAD - fresh, in + n - fresh, fresh * sizeof *in);
}

/* The block as it went in, AHEAD samples later. False if the input needs more than that: out is then to be written
 * again. */
static bool pass(cf_limiter *l, const int32_t *in, int16_t *out, size_t n) {
    int16_t unused[AHEAD];
    size_t old = n < AHEAD ? n : AHEAD;
    bool loud = cf_kernels_now->narrow(unused, in + n - old, old);
    loud |= cf_kernels_now->narrow(out + old, in, n - old);
    if (loud)
        return false;
    cf_kernels_now->narrow(out, l->delay, old);
    remember(l, in, n);
    l->lane = (l->lane + (uint32_t)n) % CHUNK;
    return true;
}

/* Counts the samples at the end for which rel has been 1. */
static void count_rest(cf_limiter *l, const double *away, size_t n) {
    size_t zeros = 0;
    while (zeros < n && away[n - 1 - zeros] == 0)
        zeros++;
    size_t resting = zeros < n ? zeros : l->resting + n;
    l->resting = (uint32_t)(resting < AT_REST ? resting : AT_REST);
}

/* rel of a block: each sample's need, or the slow way back to 1. Worked out as the distance from 1, chunk by chunk; the
 * one that began with an earlier call is done again from its needs. */
static void release(cf_limiter *l, double *rel, const int32_t *in, size_t n) {
    double away[BLOCK + 2 * CHUNK];
    size_t lane = l->lane, all = lane + n, whole = all / CHUNK * CHUNK;
    memcpy(away, l->need, lane * sizeof *away);
    memset(away + all, 0, CHUNK * sizeof *away);
    bool loud = cf_kernels_now->need(away + lane, in, n);
    for (size_t i = 0; i < lane; i++)
        loud |= away[i] > 0;
    memcpy(l->need, away + whole, sizeof l->need);
    l->lane = (uint32_t)(all - whole);

    cf_kernels_now->release(away, l->lane ? whole + CHUNK : whole, l->carry, loud);
    l->carry = whole ? away[whole - 1] : l->carry;
    for (size_t i = 0; i < n; i++)
        rel[i] = 1 - away[lane + i];
    count_rest(l, away + lane, n);
}

static void limit(cf_limiter *l, const int32_t *in, int16_t *out, size_t n) {
    double rel[SPAN], low[SPAN];
    int32_t x[SPAN];
    memcpy(rel, l->rel, sizeof l->rel);
    release(l, rel + AHEAD, in, n);
    memcpy(l->rel, rel + n, sizeof l->rel);
    cf_kernels_now->lowest(rel, n);

    memcpy(low, l->low, sizeof l->low);
    memcpy(low + AHEAD, rel, n * sizeof *rel);
    memcpy(l->low, low + n, sizeof l->low);
    cf_kernels_now->mean(low + 1, n);

    memcpy(x, l->delay, sizeof l->delay);
    memcpy(x + AHEAD, in, n * sizeof *in);
    memcpy(l->delay, x + n, sizeof l->delay);
    cf_kernels_now->scale(out, x, low + 1, n);
}

void cf_limiter_init(cf_limiter *l) {
    memset(l, 0, sizeof *l);
    for (int i = 0; i < AHEAD; i++)
        l->rel[i] = l->low[i] = 1;
    l->resting = AT_REST;
}

bool cf_limiter_rests(const cf_limiter *l) {
    return l->resting == AT_REST;
}

void cf_limiter_run(cf_limiter *l, const int32_t *in, int16_t *out, size_t n) {
    for (size_t block; n > 0; n -= block, in += block, out += block) {
        block = n < BLOCK ? n : BLOCK;
        if (l->resting != AT_REST || !pass(l, in, out, block))
            limit(l, in, out, block);
    }
}

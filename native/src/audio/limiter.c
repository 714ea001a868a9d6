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
    AT_REST = 2 * AHEAD + 1, /* after so many samples of away = 0 no window sees anything else */
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

/* Counts the samples at the end for which away has been 0. */
static void count_rest(cf_limiter *l, const double *away, size_t n) {
    size_t zeros = 0;
    while (zeros < n && away[n - 1 - zeros] == 0)
        zeros++;
    size_t resting = zeros < n ? zeros : l->resting + n;
    l->resting = (uint32_t)(resting < AT_REST ? resting : AT_REST);
}

/* away of a block: each sample's need, or the slow way back to 0, chunk by chunk. What an earlier call began is done
 * again from its needs, over the same results. */
static void release(cf_limiter *l, double *away, const int32_t *in, size_t n) {
    size_t lane = l->lane, all = lane + n, whole = all / CHUNK * CHUNK;
    double *first = away - lane; /* of the chunk */
    memcpy(first, l->need, lane * sizeof *away);
    bool loud = cf_kernels_now->need(away, in, n);
    for (size_t i = 0; i < lane; i++)
        loud |= first[i] > 0;
    memset(away + n, 0, CHUNK * sizeof *away);
    memcpy(l->need, first + whole, sizeof l->need);
    l->lane = (uint32_t)(all - whole);

    cf_kernels_now->release(first, l->lane ? whole + CHUNK : whole, l->carry, loud);
    l->carry = whole ? first[whole - 1] : l->carry;
    count_rest(l, away, n);
}

static void limit(cf_limiter *l, const int32_t *in, int16_t *out, size_t n) {
    _Alignas(64) double away[SPAN + CHUNK], high[SPAN]; /* to lines of the cache: most loads then cross none */
    memcpy(away, l->away, sizeof l->away);
    release(l, away + AHEAD, in, n);
    memcpy(l->away, away + n, sizeof l->away);

    memcpy(high, l->high, sizeof l->high);
    cf_kernels_now->highest(high + AHEAD, away, n);
    memcpy(l->high, high + n, sizeof l->high);
    cf_kernels_now->mean(high, n);

    size_t old = n < AHEAD ? n : AHEAD;
    cf_kernels_now->scale(out, l->delay, high, old);
    cf_kernels_now->scale(out + old, in, high + old, n - old);
    remember(l, in, n);
}

void cf_limiter_init(cf_limiter *l) {
    memset(l, 0, sizeof *l);
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

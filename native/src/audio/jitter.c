/* Windowed order statistics of transit times: up with the first burst, down when the window has forgotten it.
 *
 * High is the worst transit time but for up to three in ten seconds: a lone straggler is cheaper to conceal than to
 * wait for, the second burst of a kind is waited for. Minimum and maximum of a sliding window follow clock skew both
 * ways without any filter to tune. */
#include "jitter.h"

#include <string.h>

#define MS INT64_C(1000000)
#define BLOCK_NS (640 * MS)
#define WINDOW_NS (BLOCK_NS * CF_JITTER_BLOCKS)
#define GUESS_NS (1000 * MS)
#define OUTAGE_NS (250 * MS) /* a backlog drains sooner, or the path has become longer for good */
#define OUTAGE_SLACK (20 * MS)

enum { PACKETS_PER_MISS = 128 }; /* one packet in so many may be worse than high, up to CF_JITTER_WORST - 1 */

static void clear(cf_jitter_block *block) {
    block->count = 0;
    block->low = INT64_MAX;
    for (int i = 0; i < CF_JITTER_WORST; i++)
        block->worst[i] = INT64_MIN;
}

/* Keeps the largest values in order. True if v is one of them. */
static bool rank(int64_t worst[CF_JITTER_WORST], int64_t v) {
    int i = CF_JITTER_WORST;
    while (i > 0 && v > worst[i - 1])
        i--;
    if (i == CF_JITTER_WORST)
        return false;
    memmove(worst + i + 1, worst + i, (size_t)(CF_JITTER_WORST - 1 - i) * sizeof *worst);
    worst[i] = v;
    return true;
}

static void summarise(cf_jitter *j) {
    cf_jitter_block all;
    clear(&all);
    for (int b = 0; b < CF_JITTER_BLOCKS; b++) {
        all.count += j->blocks[b].count;
        all.low = j->blocks[b].low < all.low ? j->blocks[b].low : all.low;
        for (int i = 0; i < CF_JITTER_WORST && rank(all.worst, j->blocks[b].worst[i]); i++)
            ;
    }
    uint32_t misses = all.count / PACKETS_PER_MISS;
    j->count = all.count;
    j->low = all.low;
    j->high = all.worst[misses < CF_JITTER_WORST ? misses : CF_JITTER_WORST - 1];
}

void cf_jitter_reset(cf_jitter *j, int64_t guess) {
    memset(j, 0, sizeof *j);
    j->guess = guess;
    for (int b = 0; b < CF_JITTER_BLOCKS; b++)
        clear(&j->blocks[b]);
}

/* Moves on to the block of `now`; after a whole window without packets nothing old is of use but the spread. */
static bool turn(cf_jitter *j, int64_t now) {
    if (j->count > 0 && now - j->block_end > WINDOW_NS)
        cf_jitter_reset(j, j->high - j->low);
    if (j->count == 0) {
        j->block_end = now + BLOCK_NS;
        j->guess_until = now + GUESS_NS;
    }
    bool turned = now >= j->block_end;
    for (; now >= j->block_end; j->block_end += BLOCK_NS) {
        j->at = (j->at + 1) % CF_JITTER_BLOCKS;
        clear(&j->blocks[j->at]);
    }
    return turned;
}

void cf_jitter_outage(cf_jitter *j, int64_t now) {
    j->outage_until = j->count > 0 ? now + OUTAGE_NS : 0;
}

/* True while the packets of an outage's backlog come in. If they do not get any sooner, the path itself has changed. */
static bool in_outage(cf_jitter *j, int64_t transit, int64_t now) {
    if (j->outage_until == 0)
        return false;
    if (transit <= j->high + OUTAGE_SLACK) {
        j->outage_until = 0;
        return false;
    }
    if (now < j->outage_until)
        return true;
    cf_jitter_reset(j, j->high - j->low);
    return false;
}

void cf_jitter_add(cf_jitter *j, int64_t transit, int64_t now) {
    if (in_outage(j, transit, now))
        return;
    bool changed = turn(j, now);
    cf_jitter_block *block = &j->blocks[j->at];
    block->count++;
    changed |= rank(block->worst, transit) || j->count == 0;
    if (transit < block->low) {
        block->low = transit;
        changed = true;
    }
    if (changed)
        summarise(j);
}

int64_t cf_jitter_spread(const cf_jitter *j, int64_t now) {
    int64_t spread = j->count ? j->high - j->low : 0;
    return (j->count == 0 || now < j->guess_until) && spread < j->guess ? j->guess : spread;
}

/* Who hears whom otherwise than all do: a listener's own gains for single talkers. A leg without pairs costs nothing.
 *
 * A pair is a difference against the sum: gain less one for a voice that is in it, the whole gain for one that speaks
 * aside. So everything else of the mix stays exact. */
#include "pairs.h"
#include "leg.h"
#include "room.h"
#include "state.h"

#include <errno.h>
#include <stdlib.h>

cf_pair *cf_pair_new(uint64_t talker, int32_t gain_q14) {
    if (!talker || gain_q14 < 0 || gain_q14 > CF_GAIN_MAX)
        return NULL;
    cf_pair *pair = calloc(1, sizeof *pair);
    if (pair)
        *pair = (cf_pair){.talker = talker, .gain = gain_q14, .begins = true};
    return pair;
}

void cf_pair_free(cf_pair *pair) {
    free(pair);
}

void pairs_free(cf_leg *leg) {
    for (cf_pair *pair = leg->pairs, *next; pair; pair = next) {
        next = pair->next;
        cf_pair_free(pair);
    }
    leg->pairs = NULL;
}

static cf_pair *pair_find(cf_leg *listener, uint64_t talker) {
    for (cf_pair *pair = listener->pairs; pair; pair = pair->next)
        if (pair->talker == talker)
            return pair;
    return NULL;
}

static cf_pair *pair_ended(cf_leg *listener) {
    for (cf_pair *pair = listener->pairs; pair; pair = pair->next)
        if (pair->ended)
            return pair;
    return NULL;
}

static void pair_link(cf_leg *listener, cf_pair *pair) {
    listener->room->paired += listener->pairs == NULL;
    pair->next = listener->pairs;
    listener->pairs = pair;
    listener->pair_count++;
}

/* An entry that is there already is changed in place, so that its gain goes on from where it is. */
int cf_core_pair(cf_core *core, uint64_t listener, cf_pair **pair) {
    cf_leg *leg = leg_by_id(core, listener);
    if (!leg)
        return -ENOENT;
    room_wake(core, leg->room);
    cf_pair *old = pair_find(leg, (*pair)->talker);
    if (old) {
        old->gain = (*pair)->gain;
        old->ended = false;
        return 0;
    }
    old = pair_ended(leg);
    if (old) {
        *old = (cf_pair){.talker = (*pair)->talker, .gain = (*pair)->gain, .begins = true, .next = old->next};
        return 0;
    }
    if (leg->pair_count >= CF_PAIRS)
        return -ENOSPC;
    pair_link(leg, *pair);
    *pair = NULL;
    return 0;
}

/* The entry stays, without effect once its gain has come back, until another takes its place. */
int cf_core_unpair(cf_core *core, uint64_t listener, uint64_t talker) {
    cf_leg *leg = leg_by_id(core, listener);
    cf_pair *pair = leg ? pair_find(leg, talker) : NULL;
    if (!pair)
        return -ENOENT;
    pair->ended = true;
    return 0;
}

static int32_t in_the_sum(const cf_leg *talker) {
    return talker->aside ? 0 : CF_GAIN_ONE;
}

static int32_t pair_target(const cf_pair *pair, const cf_leg *talker) {
    return pair->ended ? in_the_sum(talker) : pair->gain;
}

/* The talker, if this pair makes a difference in this tick. */
static cf_leg *pair_works(cf_core *core, const cf_leg *listener, cf_pair *pair) {
    cf_leg *talker = leg_by_id(core, pair->talker);
    if (!talker || talker == listener || talker->room != listener->room || !talker->active) {
        pair->fresh = true;
        return NULL;
    }
    int32_t base = in_the_sum(talker), target = pair_target(pair, talker);
    if (pair->fresh) /* the voice begins: its own ramp opens it */
        pair->now = target;
    else if (pair->begins) /* in mid-word: from how it was heard so far */
        pair->now = base;
    pair->fresh = pair->begins = false;
    return pair->now == base && target == base ? NULL : talker;
}

bool pairs_work(cf_core *core, cf_leg *listener) {
    bool any = false;
    for (cf_pair *pair = listener->pairs; pair; pair = pair->next)
        any |= pair_works(core, listener, pair) != NULL;
    return any;
}

void pairs_mix(cf_core *core, cf_leg *listener, int32_t *mix) {
    for (cf_pair *pair = listener->pairs; pair; pair = pair->next) {
        cf_leg *talker = pair_works(core, listener, pair);
        if (!talker)
            continue;
        int32_t base = in_the_sum(talker), target = pair_target(pair, talker);
        cf_mix_add_gain(mix, talker->own, CF_FRAME, pair->now - base, target - base);
        pair->now = target;
    }
}

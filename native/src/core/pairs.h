/* One talker as one listener wants to hear it, where that is not what everybody hears. */
#ifndef CONFEROCORE_CORE_PAIRS_H
#define CONFEROCORE_CORE_PAIRS_H

#include "conferocore/core.h"

#include <stdbool.h>
#include <stdint.h>

struct cf_pair {
    uint64_t talker;
    int32_t gain, now;  /* Q14: wanted, and where the last frame ended */
    bool begins, fresh; /* `now` is not known: the pair is new, the talker was not heard in the last tick */
    bool ended;
    cf_pair *next;
};
enum { CF_PAIRS = 64 }; /* of one listener: a room's talkers at once, at most */

void pairs_free(cf_leg *leg);
bool pairs_work(cf_core *core, cf_leg *listener); /* some pair makes a difference in this tick */
void pairs_mix(cf_core *core, cf_leg *listener, int32_t *mix);

#endif

/* A tap: what somebody outside listens to, one tick after another. */
#ifndef CONFEROCORE_CORE_TAP_H
#define CONFEROCORE_CORE_TAP_H

#include "conferocore/core.h"
#include "counter.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cf_tap {
    int point;
    uint64_t id;
    cf_tap *next_in_core, *next_in_owner;
    cf_leg *leg;
    cf_room *room;
    atomic_bool ended;
    counter dropped; /* samples */
    size_t frames;   /* capacity */
    _Atomic size_t head, tail;
    size_t offset; /* reader: samples of the first frame already read */
    struct tap_frame {
        int64_t at;
        int16_t pcm[CF_FRAME];
    } ring[];
};
void taps_push(cf_tap *first, int point, const int16_t *pcm, int64_t at);
void taps_push_wide(cf_tap *first, int point, const int32_t *wide,
                    int64_t at); /* NULL: silence; saturates at 16 bits */
void taps_end(cf_tap **first);

#endif

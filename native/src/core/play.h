/* A player at its place in a room or leg. */
#ifndef CONFEROCORE_CORE_PLAY_H
#define CONFEROCORE_CORE_PLAY_H

#include "conferocore/core.h"
#include "conferocore/player.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct cf_playing {
    uint64_t number;
    cf_player *player;
    cf_playing *next;
    atomic_bool ended;
};

void plays_free(cf_playing *first);
bool plays_add(cf_core *core, cf_playing **first, int32_t *mix, const cf_leg *leg,
               const cf_room *room); /* false: none */
void plays_end(cf_core *core, cf_playing **first, const cf_leg *leg, const cf_room *room);

#endif

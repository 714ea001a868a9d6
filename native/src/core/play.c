/* What plays in a room or to a leg: players at their places, read once a tick, let go of at their end. */
#include "play.h"
#include "counter.h"
#include "leg.h"
#include "room.h"
#include "state.h"

#include <errno.h>
#include <stdlib.h>

enum { PLAYS = 8 }; /* at one place: more at once nobody can follow */

cf_playing *cf_playing_new(uint64_t number, cf_clip *clip, const cf_player_config *config) {
    cf_playing *play = calloc(1, sizeof *play);
    cf_player *player = play ? cf_player_new(clip, config) : NULL;
    if (!player) {
        free(play);
        return NULL;
    }
    play->number = number;
    play->player = player;
    return play;
}

void cf_playing_free(cf_playing *play) {
    if (play)
        cf_player_free(play->player);
    free(play);
}

bool cf_playing_ended(const cf_playing *play) {
    return atomic_load_explicit(&play->ended, memory_order_acquire);
}

void plays_free(cf_playing *first) {
    for (cf_playing *play = first, *next; play; play = next) {
        next = play->next;
        cf_playing_free(play);
    }
}

/* From here on its memory is the control side's. */
static void let_go(cf_core *core, cf_playing **at, const cf_leg *leg, const cf_room *room) {
    cf_playing *play = *at;
    cf_event event = event_about(core, CF_EVENT_PLAYED, leg);
    event.value = play->number;
    if (room)
        event.room = room->config.id;
    *at = play->next;
    atomic_store_explicit(&play->ended, true, memory_order_release);
    event_send(core, &event);
}

bool plays_add(cf_core *core, cf_playing **first, int32_t *mix, const cf_leg *leg, const cf_room *room) {
    bool any = *first != NULL;
    for (cf_playing **at = first; *at;) {
        int64_t left = cf_player_next((*at)->player, core->pcm);
        for (int i = 0; i < CF_FRAME; i++)
            mix[i] += core->pcm[i];
        if (left)
            at = &(*at)->next;
        else
            let_go(core, at, leg, room);
    }
    return any;
}

void plays_end(cf_core *core, cf_playing **first, const cf_leg *leg, const cf_room *room) {
    while (*first)
        let_go(core, first, leg, room);
}

static int add(cf_playing **first, cf_playing *play) {
    int count = 0;
    for (; *first; first = &(*first)->next)
        count++;
    if (count >= PLAYS)
        return -ENOSPC;
    play->next = NULL;
    *first = play;
    return 0;
}

/* Where nobody hears it there is nothing to fade. */
static int stop(cf_core *core, cf_playing **at, uint64_t number, const cf_leg *leg, const cf_room *room) {
    bool heard = leg ? leg->hears : room->first != NULL;
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    if (!*at)
        return -ENOENT;
    cf_player_stop((*at)->player);
    if (!heard || !cf_player_position((*at)->player))
        let_go(core, at, leg, room);
    return 0;
}

int cf_core_room_play(cf_core *core, uint64_t id, cf_playing *play) {
    cf_room *room = room_by_id(core, id);
    if (!room)
        return -ENOENT;
    room_wake(core, room);
    return add(&room->plays, play);
}

int cf_core_leg_play(cf_core *core, uint64_t id, cf_playing *play) {
    cf_leg *leg = leg_by_id(core, id);
    if (!leg)
        return -ENOENT;
    room_wake(core, leg->room);
    return add(&leg->plays, play);
}

int cf_core_room_stop(cf_core *core, uint64_t id, uint64_t number) {
    cf_room *room = room_by_id(core, id);
    return room ? stop(core, &room->plays, number, NULL, room) : -ENOENT;
}

int cf_core_leg_stop(cf_core *core, uint64_t id, uint64_t number) {
    cf_leg *leg = leg_by_id(core, id);
    return leg ? stop(core, &leg->plays, number, leg, NULL) : -ENOENT;
}

/* The tick of one room: collect what everybody adds, sum once, and give everybody the sum without itself. */
#include "internal.h"

enum { SPEAKER_TICKS = 10 }; /* 200 ms */

static void add_voice(cf_core *core, cf_leg *leg, int64_t at, int64_t now) {
    leg_voice(core, leg, now);
    if (leg->active)
        cf_mix_add(core->sum, leg->own, CF_FRAME);
    taps_push_wide(leg->taps, CF_TAP_LEG_IN, leg->active ? leg->own : NULL, at);
    leg_settle(leg);
}

static void add_tail(cf_core *core, cf_room *room) {
    if (!room->has_tail)
        return;
    cf_mix_add(core->sum, room->tail, CF_FRAME);
    memset(room->tail, 0, sizeof room->tail);
    room->has_tail = false;
}

/* A leg that moved here from a room whose slot came earlier has had its tick of this period. */
static bool leg_is_due(const cf_leg *leg, uint64_t period) {
    return leg->last_period != period;
}

static void collect(cf_core *core, cf_room *room, int64_t at, int64_t now, uint64_t period) {
    memset(core->sum, 0, sizeof core->sum);
    for (cf_leg *leg = room->first; leg; leg = leg->next) {
        leg_timers(core, leg, now);
        if (leg_is_due(leg, period))
            add_voice(core, leg, at, now);
    }
    add_tail(core, room);
}

static void distribute(cf_core *core, cf_room *room, int64_t at, uint64_t period) {
    for (cf_leg *leg = room->first; leg; leg = leg->next) {
        if (!leg_is_due(leg, period))
            continue;
        leg_warm_ahead(leg);
        leg_hear(core, leg, at, period);
        leg->last_period = period;
    }
}

/* Legs leave shared encodings while their voices are collected, before the room's limiter and any encoder has run:
 * copies of both are then exactly what the listener's decoder has heard so far. */
void room_tick(cf_core *core, cf_room *room, int64_t at, int64_t now) {
    uint64_t period = (uint64_t)(at / PERIOD);
    collect(core, room, at, now, period);
    cf_limiter_run(&room->limiter, core->sum, core->room_pcm, CF_FRAME);
    core->room_level = cf_level(core->room_pcm, CF_FRAME);
    counter_add(&core->count.frames_mixed, 1);
    taps_push(room->taps, CF_TAP_ROOM, core->room_pcm, at);
    distribute(core, room, at, period);
    if (++room->ticks % SPEAKER_TICKS == 0)
        room_speakers(core, room, now);
}

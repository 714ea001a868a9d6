/* The tick of one room: collect what everybody adds, sum once, and give everybody the sum without itself. */
#include "counter.h"
#include "leg.h"
#include "leg_sound.h"
#include "leg_wire.h"
#include "play.h"
#include "room.h"
#include "state.h"
#include "stream.h"
#include "tap.h"
#include "units.h"

#include <math.h>

#include <string.h>

enum { TIMER_TICKS = 5 }; /* a leg's timers are looked at every 100 ms: the shortest of them are seconds */

enum { SPEAKER_TICKS = 10 }; /* 200 ms */

/* As loud as it is in the mix (RFC 6465): what its gain, automatic or not, makes of how it came. */
static uint8_t level_added(const cf_leg *leg) {
    int came = (int)counter_get(&leg->count.level_in);
    if (leg->gain_now == CF_GAIN_ONE || came == 127)
        return (uint8_t)came;
    if (leg->gain_now <= 0)
        return 127;
    long level = came - lrint(20 * log10((double)leg->gain_now / CF_GAIN_ONE));
    return (uint8_t)(level < 0 ? 0 : level > 127 ? 127 : level);
}

static void note_contributor(cf_core *core, const cf_leg *leg) {
    if (core->csrc_count == CSRCS || leg->aside)
        return;
    int i = core->csrc_count++;
    core->csrc[i] = leg->source.ssrc;
    core->csrc_level[i] = level_added(leg);
    core->csrc_leg[i] = (cf_leg *)leg;
}

/* At the time that the tick was due: a late one hears what it would have heard, and takes no delay for longer. */
static void add_voice(cf_core *core, cf_leg *leg, int64_t at) {
    leg_voice(core, leg, at);
    if (leg->active) {
        core->voices++;
        note_contributor(core, leg);
        if (!leg->aside) {
            core->mixed++;
            cf_mix_add(core->sum, leg->own, CF_FRAME);
        }
    }
    if (leg->taps)
        taps_push_wide(leg->taps, CF_TAP_LEG_IN, leg->active ? leg->own : NULL, at);
    if (!leg->pairs)
        leg_settle(core, leg);
}

static void add_tail(cf_core *core, cf_room *room) {
    if (!room->has_tail)
        return;
    core->voices++;
    core->mixed++;
    cf_mix_add(core->sum, room->tail, CF_FRAME);
    memset(room->tail, 0, sizeof room->tail);
    room->has_tail = false;
}

/* A leg that moved here from a room whose slot came earlier has had its tick of this period. */
static bool leg_is_due(const cf_leg *leg, uint64_t period) {
    return leg->last_period != period;
}

static bool timers_are_due(const cf_room *room, const cf_leg *leg) {
    return (room->ticks + leg->config.id) % TIMER_TICKS == 0;
}

/* Which pairs make a difference is known when all voices are. */
static void settle_paired(cf_core *core, cf_room *room, uint64_t period) {
    if (!room->paired)
        return;
    for (cf_leg *leg = room->first; leg; leg = leg->next)
        if (leg->pairs && leg_is_due(leg, period))
            leg_settle(core, leg);
}

static void collect(cf_core *core, cf_room *room, int64_t at, int64_t now, uint64_t period) {
    memset(core->sum, 0, sizeof core->sum);
    core->voices = core->mixed = core->csrc_count = 0;
    for (cf_leg *leg = room->first; leg; leg = leg->next) {
        if (timers_are_due(room, leg))
            leg_timers(core, leg, now);
        if (leg_is_due(leg, period))
            add_voice(core, leg, at);
    }
    add_tail(core, room);
    int plays = plays_add(core, &room->plays, core->sum, NULL, room);
    core->voices += plays;
    core->mixed += plays + (room->config.noise_dbov != 0);
    if (room->config.noise_dbov)
        cf_noise_add(&room->noise, core->sum, CF_FRAME);
    settle_paired(core, room, period);
    room_contest(room);
    room->hush = core->voices ? 0 : room->hush + 1;
}

/* What everybody hears who adds nothing. Silence costs nothing once the limiter has given back what it held. */
static void mix_room(cf_core *core, cf_room *room) {
    core->silent = room->hush > 1 && cf_limiter_rests(&room->limiter) && !room->config.noise_dbov;
    if (core->silent) {
        memset(core->room_pcm, 0, sizeof core->room_pcm);
        core->room_level = 127;
        return;
    }
    cf_limiter_run(&room->limiter, core->sum, core->room_pcm, CF_FRAME);
    core->room_level = cf_level(core->room_pcm, CF_FRAME);
    counter_add(&core->count.frames_mixed, 1);
}

static void distribute(cf_core *core, cf_room *room, int64_t at, uint64_t period) {
    room->needed = false;
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
    mix_room(core, room);
    taps_push(room->taps, CF_TAP_ROOM, core->room_pcm, at);
    distribute(core, room, at, period);
    if (!core->silent)
        past_keep(&room->past, core->room_pcm, period);
    if (++room->ticks % SPEAKER_TICKS == 0)
        room_speakers(core, room, now);
}

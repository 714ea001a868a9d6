/* Rooms in which nothing is to be heard: they are ticked no more, but looked at now and then, until something happens.
 *
 * A room without legs is not looked at at all. One whose legs are all content with silence (DTX, suspended, not yet
 * connected) sleeps: its legs' timers run, and empty packets keep their paths open, all sleeping rooms of a bucket in
 * one go, so that ten thousand of them cost fifty wake-ups a second and not a thousand. */
#include "counter.h"
#include "leg.h"
#include "leg_sound.h"
#include "leg_wire.h"
#include "room.h"
#include "state.h"
#include "stream.h"
#include "units.h"

/* A sleeping room's legs are sent a packet every 2 s: the empty frame says nothing new, and no NAT forgets a path so
 * soon (RFC 4787 section 4.3: two minutes) */
enum { DOZE_SENDS = 2 };
enum { SLEEP_AFTER = 50 }; /* ticks of silence, 1 s: nobody falls asleep between two sentences */

static void list_add(cf_room **first, cf_room *room) {
    room->prev_in_list = NULL;
    room->next_in_list = *first;
    if (*first)
        (*first)->prev_in_list = room;
    *first = room;
}

static void list_remove(cf_room **first, cf_room *room) {
    *(room->prev_in_list ? &room->prev_in_list->next_in_list : first) = room->next_in_list;
    if (room->next_in_list)
        room->next_in_list->prev_in_list = room->prev_in_list;
    room->prev_in_list = room->next_in_list = NULL;
}

/* Slot s ticks at s ms past every 20 ms of the core's clock. The first tick lies after now. */
static int64_t slot_first_tick(int slot, int64_t now) {
    int64_t at = slot * MS + (now - slot * MS) / PERIOD * PERIOD;
    while (at <= now)
        at += PERIOD;
    return at;
}

static void room_park(cf_core *core, cf_room *room) {
    struct slot *slot = &core->slots[room->slot];
    if (room->state == ROOM_AWAKE) {
        list_remove(&slot->first, room);
        if (!slot->first)
            slot->next_at = INT64_MAX;
    } else if (room->state == ROOM_ASLEEP) {
        list_remove(&core->asleep[room->bucket], room);
        counter_set(&core->count.rooms_asleep, --core->sleepers);
    }
    room->state = ROOM_PARKED;
}

void room_wake(cf_core *core, cf_room *room) {
    room->hush = 0;
    if (room->state == ROOM_AWAKE)
        return;
    room_park(core, room);
    room->state = ROOM_AWAKE;
    struct slot *slot = &core->slots[room->slot];
    if (!slot->first)
        slot->next_at = slot_first_tick(room->slot, core->now);
    list_add(&slot->first, room);
}

static void room_sleep(cf_core *core, cf_room *room) {
    room_park(core, room);
    room->state = ROOM_ASLEEP;
    room->bucket = (int)(core->next_bucket++ % DOZE_BUCKETS);
    list_add(&core->asleep[room->bucket], room);
    if (!core->sleepers)
        core->doze_at = core->now + PERIOD;
    counter_set(&core->count.rooms_asleep, ++core->sleepers);
}

void room_leave_lists(cf_core *core, cf_room *room) {
    room_park(core, room);
}

void room_rest_if_idle(cf_core *core, cf_room *room) {
    if (room->taps)
        return;
    if (!room->first)
        room_park(core, room);
    else if (room->hush > SLEEP_AFTER && !room->needed)
        room_sleep(core, room);
}

/* A packet for a room that sleeps: what may be heard wakes it, anything else is let go by. */
void room_packet(cf_core *core, cf_leg *leg, int64_t now) {
    int level = cf_playout_peek(leg->playout, now + SECOND);
    bool loud =
        level == CF_PEEK_UNKNOWN || leg_has_grown(leg, level) || (level >= 0 && level <= leg_gate(leg) && level < 127);
    if (loud && (leg_audible(leg) || leg->dtmf))
        room_wake(core, leg->room);
    else
        cf_playout_skip(leg->playout, now);
}

/* The room may have fallen asleep a moment ago: two packets of one period would be one to the peer. */
static void leg_doze_send(cf_core *core, cf_leg *leg, uint64_t period) {
    bool turn = (leg->room->dozed + leg->config.id) % DOZE_SENDS == 0;
    if (!turn || leg->last_period == period || !leg_hearing(leg) || !leg_may_pause(leg))
        return;
    leg_send_pause(core, leg, period);
    leg->last_period = period;
}

static void leg_doze(cf_core *core, cf_leg *leg, int64_t at, int64_t now) {
    leg_timers(core, leg, now);
    leg_voice(core, leg, now);
    if (leg->active || leg->gate_open)
        leg->room->needed = true;
    if (leg->active) { /* nobody has heard this frame: the next one opens the voice */
        leg->gain_now = 0;
        leg->was_placed = false;
    }
    leg_doze_send(core, leg, (uint64_t)(at / PERIOD));
}

static void room_doze(cf_core *core, cf_room *room, int64_t now) {
    int64_t at = now - (now - room->slot * MS) % PERIOD; /* the tick that it would have had */
    core->csrc_count = 0; /* they are of the room that was ticked last, and nobody is heard here */
    room->needed = false;
    room->dozed++;
    for (cf_leg *leg = room->first; leg; leg = leg->next)
        leg_doze(core, leg, at, now);
    room->challenger = NULL; /* nobody is outranked where nobody talks; it asks again when it does */
    if (room->needed)
        room_wake(core, room);
}

int64_t core_doze_deadline(const cf_core *core) {
    return core->sleepers ? core->doze_at : INT64_MAX;
}

/* One bucket each period, so every room once in DOZE_BUCKETS of them. A late core catches up in one go. */
void core_doze(cf_core *core, int64_t now) {
    core->doze_at = now + PERIOD;
    core->doze_turn = (core->doze_turn + 1) % DOZE_BUCKETS;
    for (cf_room *room = core->asleep[core->doze_turn], *next; room; room = next) {
        next = room->next_in_list;
        room_doze(core, room, now);
    }
}

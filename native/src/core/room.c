/* A room: its slot in the period and its list of legs. */
#include "room.h"
#include "counter.h"
#include "leg.h"
#include "play.h"
#include "state.h"
#include "table.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

enum {
    GATE_DBOV = 65,     /* default gate, -dBov */
    GATE_HOLD_MS = 500, /* default hold */
    TALKERS = 6         /* places in a room's mix by default: more at once nobody can follow */
};

static bool noise_ok(int dbov) {
    return dbov == 0 || (dbov >= CF_NOISE_LOUDEST && dbov < CF_NOISE_SILENCE);
}

static void room_make_noise(cf_room *room) {
    room->noise_told = (cf_cn){.level = CF_CN_SILENCE};
    if (!room->config.noise_dbov)
        return;
    cf_noise_init(&room->noise, room->config.noise_dbov, room->config.id);
    cf_noise_describe(room->config.noise_dbov, &room->noise_told);
}

cf_room *cf_room_new(const cf_room_config *config) {
    if (!noise_ok(config->noise_dbov) || !config->id || config->gate_dbov < 0 || config->gate_dbov > 127 ||
        config->gate_hold_ms < 0 || config->talkers < CF_TALKERS_ALL || config->talkers > CF_TALKERS_MAX)
        return NULL;
    cf_room *room = calloc(1, sizeof *room);
    if (!room)
        return NULL;
    room->config = *config;
    if (!room->config.gate_dbov)
        room->config.gate_dbov = GATE_DBOV;
    if (!room->config.gate_hold_ms)
        room->config.gate_hold_ms = GATE_HOLD_MS;
    if (!room->config.talkers)
        room->config.talkers = TALKERS;
    room->hold_frames = ((uint32_t)room->config.gate_hold_ms + 19) / 20;
    room->by_id.owner = room;
    cf_limiter_init(&room->limiter);
    room_make_noise(room);
    return room;
}

void cf_room_free(cf_room *room) {
    if (room)
        plays_free(room->plays);
    free(room);
}

/* The slot with the fewest rooms; the first of equals. */
static int slot_choose(const cf_core *core) {
    int best = 0;
    for (int i = 1; i < SLOTS; i++)
        if (core->slots[i].rooms < core->slots[best].rooms)
            best = i;
    return best;
}

int cf_core_room_add(cf_core *core, cf_room *room, int64_t now) {
    cf_core_time(core, now);
    if (room_by_id(core, room->config.id))
        return -EEXIST;
    if (core->rooms >= core->config.max_rooms)
        return -ENOSPC;
    room->slot = slot_choose(core);
    core->slots[room->slot].rooms++;
    table_add(&core->rooms_by_id, &room->by_id, hash_u64(room->config.id));
    counter_set(&core->count.rooms, ++core->rooms);
    return 0;
}

cf_room *cf_core_room_remove(cf_core *core, uint64_t id) {
    cf_room *room = room_by_id(core, id);
    if (!room || room->first)
        return NULL;
    room_leave_lists(core, room);
    core->slots[room->slot].rooms--;
    table_remove(&core->rooms_by_id, &room->by_id);
    taps_end(&room->taps);
    plays_end(core, &room->plays, NULL, room);
    counter_set(&core->count.rooms, --core->rooms);
    return room;
}

void room_link(cf_room *room, cf_leg *leg) {
    leg->room = room;
    leg->prev = room->last;
    leg->next = NULL;
    *(room->last ? &room->last->next : &room->first) = leg;
    room->last = leg;
    room->legs++;
    room->paired += leg->pairs != NULL;
}

static void speakers_forget(cf_room *room, const cf_leg *leg) {
    int kept = 0;
    for (int i = 0; i < room->speaker_count; i++)
        if (room->speakers[i].leg != leg)
            room->speakers[kept++] = room->speakers[i];
    room->speaker_count = kept;
}

void room_unlink(cf_room *room, cf_leg *leg) {
    *(leg->prev ? &leg->prev->next : &room->first) = leg->next;
    *(leg->next ? &leg->next->prev : &room->last) = leg->prev;
    leg->prev = leg->next = NULL;
    leg->room = NULL;
    room->legs--;
    room->paired -= leg->pairs != NULL;
    if (room->challenger == leg)
        room->challenger = NULL;
    speakers_forget(room, leg);
}

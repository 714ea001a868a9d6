/* The media machine of one thread: its set-up, and the rooms' ticks in their slots. Packets come in through demux.c. */
#include "counter.h"
#include "leg.h"
#include "room.h"
#include "state.h"
#include "table.h"
#include "tap.h"
#include "units.h"

#include <stdlib.h>
#include <string.h>

enum { CATCH_UP = 5 }; /* ticks that a late core runs after the fact; 100 ms is what jitter buffers can swallow */

enum { DEFAULT_ROOMS = 4096, DEFAULT_LEGS = 8192 };

static int tables_init(cf_core *core) {
    size_t legs = core->config.max_legs, rooms = core->config.max_rooms;
    int failed = table_init(&core->legs_by_id, legs);
    failed |= table_init(&core->legs_by_ufrag, legs);
    failed |= table_init(&core->legs_by_path, legs * 2);
    failed |= table_init(&core->legs_by_socket, legs * 2);
    failed |= table_init(&core->rooms_by_id, rooms);
    return failed;
}

cf_core *cf_core_new(const cf_core_config *config) {
    if (!config->send)
        return NULL;
    cf_core *core = calloc(1, sizeof *core);
    if (!core)
        return NULL;
    core->config = *config;
    if (!core->config.max_rooms)
        core->config.max_rooms = DEFAULT_ROOMS;
    if (!core->config.max_legs)
        core->config.max_legs = DEFAULT_LEGS;
    for (int i = 0; i < SLOTS; i++)
        core->slots[i].next_at = INT64_MAX;
    if (tables_init(core)) {
        cf_core_free(core);
        return NULL;
    }
    return core;
}

static void room_free_with_legs(cf_room *room) {
    for (cf_leg *leg = room->first, *next; leg; leg = next) {
        next = leg->next;
        cf_leg_free(leg);
    }
    cf_room_free(room);
}

void cf_core_free(cf_core *core) {
    if (!core)
        return;
    for (size_t i = 0; core->rooms_by_id.heads && i <= core->rooms_by_id.mask; i++)
        for (struct node *node = core->rooms_by_id.heads[i], *next; node; node = next) {
            next = node->next;
            room_free_with_legs(node->owner);
        }
    for (cf_tap *tap = core->taps, *next; tap; tap = next) {
        next = tap->next_in_core;
        cf_tap_free(tap);
    }
    struct table *tables[] = {&core->legs_by_id, &core->legs_by_ufrag, &core->legs_by_path, &core->legs_by_socket,
                              &core->rooms_by_id};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        free(tables[i]->heads);
    free(core);
}

void cf_core_time(cf_core *core, int64_t now) {
    if (now > core->now)
        core->now = now;
}

void core_send(cf_core *core, const cf_path *path, const uint8_t *data, size_t len) {
    counter_add(&core->count.packets_out, 1);
    core->config.send(core->config.arg, path, data, len);
}

void cf_core_wall(cf_core *core, int64_t offset_ns) {
    core->config.wall_offset_ns = offset_ns;
}

/* Seconds since 1900 and their 32-bit fraction (RFC 3550 section 4). */
uint64_t core_ntp(const cf_core *core, int64_t now) {
    uint64_t unix_ns = (uint64_t)(now + core->config.wall_offset_ns);
    uint64_t seconds = unix_ns / SECOND + UINT64_C(2208988800);
    return seconds << 32 | (unix_ns % SECOND << 32) / SECOND;
}

static struct slot *slot_earliest(const cf_core *core) {
    const struct slot *first = &core->slots[0];
    for (int i = 1; i < SLOTS; i++)
        if (core->slots[i].next_at < first->next_at)
            first = &core->slots[i];
    return (struct slot *)first;
}

int64_t cf_core_deadline(const cf_core *core) {
    int64_t tick = slot_earliest(core)->next_at, doze = core_doze_deadline(core);
    return tick < doze ? tick : doze;
}

static void room_tick_measured(cf_core *core, cf_room *room, int64_t at, int64_t now) {
    int64_t begin = core_stopwatch(core);
    room_tick(core, room, at, now);
    counter_add(&core->count.ticks, 1);
    uint64_t took = (uint64_t)(core_stopwatch(core) - begin);
    counter_add(&core->count.tick_ns_sum, took);
    if (took > counter_get(&core->count.tick_ns_max))
        counter_set(&core->count.tick_ns_max, took);
}

/* A core that was held up runs the last CATCH_UP ticks, so that its listeners lose nothing; what is older is skipped
 * and counted, and the timestamps, which follow the clock, show the gap. */
static void slot_run(cf_core *core, struct slot *slot, int64_t now) {
    int64_t behind = (now - slot->next_at) / PERIOD;
    if (behind >= CATCH_UP) {
        int64_t skipped = behind - CATCH_UP + 1;
        slot->next_at += skipped * PERIOD;
        counter_add(&core->count.late_ticks, (uint64_t)skipped * slot->rooms);
    }
    int64_t at = slot->next_at;
    slot->next_at += PERIOD;
    for (cf_room *room = slot->first, *next; room; room = next) {
        next = room->next_in_list;
        room_tick_measured(core, room, at, now);
        room_rest_if_idle(core, room);
    }
}

void cf_core_advance(cf_core *core, int64_t now) {
    cf_core_time(core, now);
    for (;;) {
        struct slot *slot = slot_earliest(core);
        int64_t doze_at = core_doze_deadline(core);
        if ((slot->next_at > now && doze_at > now) || cf_core_deadline(core) == INT64_MAX)
            return;
        if (doze_at < slot->next_at)
            core_doze(core, now);
        else
            slot_run(core, slot, now);
    }
}

void cf_core_stats_get(const cf_core *core, cf_core_stats *stats) {
    memset(stats, 0, sizeof *stats);
#define COPY(name) stats->name = counter_get(&core->count.name);
    CORE_COUNTERS(COPY)
#undef COPY
}

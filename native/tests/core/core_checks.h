/* What must hold between the core's lists, tables and counters at any moment between two calls. */
#ifndef CONFEROCORE_TEST_CORE_CHECKS_H
#define CONFEROCORE_TEST_CORE_CHECKS_H

#include "core/state.h"

/* A room stands once in the list of its slot, of its bucket, or in none. */
static inline int times_listed(const cf_room *first, const cf_room *room) {
    int n = 0;
    for (const cf_room *r = first, *before = NULL; r; before = r, r = r->next_in_list) {
        CHECK(r->prev_in_list == before);
        n += r == room;
    }
    return n;
}

static inline void check_lists(const cf_core *core) {
    size_t sleepers = 0;
    for (int i = 0; i < SLOTS; i++) {
        CHECK((core->slots[i].first == NULL) == (core->slots[i].next_at == INT64_MAX));
        for (const cf_room *r = core->slots[i].first; r; r = r->next_in_list)
            CHECK(r->state == ROOM_AWAKE && r->slot == i);
    }
    for (int i = 0; i < DOZE_BUCKETS; i++)
        for (const cf_room *r = core->asleep[i]; r; r = r->next_in_list) {
            CHECK(r->state == ROOM_ASLEEP && r->bucket == i);
            sleepers++;
        }
    CHECK_INT(core->sleepers, sleepers);
    CHECK_INT(counter_get(&core->count.rooms_asleep), sleepers);
}

static inline void check_state(const cf_core *core, const cf_room *room) {
    CHECK_INT(times_listed(core->slots[room->slot].first, room), room->state == ROOM_AWAKE);
    CHECK_INT(times_listed(core->asleep[room->bucket], room), room->state == ROOM_ASLEEP);
    if (room->state == ROOM_PARKED)
        CHECK(!room->first && !room->taps && !room->has_tail);
    if (room->state == ROOM_ASLEEP)
        CHECK(room->first && !room->taps && !room->plays && !room->has_tail);
}

static inline void check_legs(const cf_core *core, const cf_room *room) {
    size_t legs = 0, paired = 0;
    for (const cf_leg *leg = room->first, *before = NULL; leg; before = leg, leg = leg->next) {
        CHECK(leg->room == room && leg->prev == before && leg->config.room == room->config.id);
        CHECK(leg_by_id(core, leg->config.id) == leg);
        CHECK(leg->next || room->last == leg);
        CHECK(counter_get(&leg->count.playout.lost) < UINT32_MAX);
        CHECK(leg->pair_count <= CF_PAIRS && (leg->pairs != NULL) == (leg->pair_count > 0));
        legs++;
        paired += leg->pairs != NULL;
    }
    CHECK_INT(room->legs, legs);
    CHECK_INT(room->paired, paired);
}

static inline void check_places(const cf_room *room) {
    int placed = 0;
    for (const cf_leg *leg = room->first; leg; leg = leg->next)
        placed += leg->placed;
    if (room->config.talkers != CF_TALKERS_ALL)
        CHECK_INT(room->placed_count, placed);
    CHECK(room->placed_count <= CF_TALKERS_MAX && room->placed_count <= (int)room->legs);
    for (int i = 0; i < room->placed_count; i++) {
        CHECK(room->placed[i]->room == room && room->placed[i]->placed && !room->placed[i]->aside);
        for (int k = 0; k < i; k++)
            CHECK(room->placed[k] != room->placed[i]);
    }
    CHECK(!room->challenger || room->challenger->room == room);
    for (int i = 0; i < room->speaker_count; i++)
        CHECK(room->speakers[i].leg->room == room);
}

static inline void check_streams(const cf_room *room) {
    size_t shared = 0, listed = 0;
    for (const cf_leg *leg = room->first; leg; leg = leg->next)
        shared += leg->stream != NULL;
    for (int i = 0; i < STREAMS; i++)
        for (const cf_leg *leg = room->streams[i].first, *before = NULL; leg; before = leg, leg = leg->next_listener) {
            CHECK(leg->stream == &room->streams[i] && leg->prev_listener == before && leg->room == room);
            CHECK(!memcmp(&leg->config.tx, &room->streams[i].params, sizeof leg->config.tx));
            listed++;
        }
    CHECK_INT(listed, shared);
}

static inline void check_core(const cf_core *core) {
    size_t rooms = 0, legs = 0;
    check_lists(core);
    for (size_t i = 0; i <= core->rooms_by_id.mask; i++)
        for (const struct node *node = core->rooms_by_id.heads[i]; node; node = node->next) {
            const cf_room *room = node->owner;
            check_state(core, room);
            check_legs(core, room);
            check_places(room);
            check_streams(room);
            rooms++;
            legs += room->legs;
        }
    CHECK(core->rooms == rooms && counter_get(&core->count.rooms) == rooms);
    CHECK(core->legs == legs && counter_get(&core->count.legs) == legs);
}

#endif

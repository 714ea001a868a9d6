/* Legs come, move between rooms and go: table entries, lists and what fades behind them. No memory is taken. */
#include "counter.h"
#include "leg.h"
#include "leg_sound.h"
#include "leg_wire.h"
#include "play.h"
#include "room.h"
#include "state.h"
#include "table.h"
#include "tap.h"

#include <errno.h>

static int sockets_add(cf_core *core, cf_leg *leg) {
    const uint32_t numbers[2] = {leg->config.rtp_socket, leg->config.rtcp_socket};
    size_t count = numbers[0] == numbers[1] ? 1 : 2;
    for (size_t i = 0; i < count; i++)
        if (leg_by_socket(core, numbers[i]))
            return -EEXIST;
    for (size_t i = 0; i < count; i++) {
        leg->sockets[i].socket = numbers[i];
        table_add(&core->legs_by_socket, &leg->sockets[i].node, hash_u64(numbers[i]));
    }
    return 0;
}

static int leg_add_names(cf_core *core, cf_leg *leg) {
    if (leg->config.kind == CF_LEG_RTP)
        return sockets_add(core, leg);
    if (leg_by_ufrag(core, leg->ice.local_ufrag))
        return -EEXIST;
    table_add(&core->legs_by_ufrag, &leg->by_ufrag, hash_text(leg->ice.local_ufrag));
    return 0;
}

static void leg_drop_names(cf_core *core, cf_leg *leg) {
    table_remove(&core->legs_by_id, &leg->by_id);
    table_remove(&core->legs_by_ufrag, &leg->by_ufrag);
    for (size_t i = 0; i < 2; i++)
        table_remove(&core->legs_by_socket, &leg->sockets[i].node);
    leg_paths_drop(core, leg);
}

int cf_core_leg_add(cf_core *core, cf_leg *leg, int64_t now) {
    cf_core_time(core, now);
    if (leg_by_id(core, leg->config.id))
        return -EEXIST;
    cf_room *room = room_by_id(core, leg->config.room);
    if (!room)
        return -ENOENT;
    if (core->legs >= core->config.max_legs)
        return -ENOSPC;
    int result = leg_add_names(core, leg);
    if (result)
        return result;
    table_add(&core->legs_by_id, &leg->by_id, hash_u64(leg->config.id));
    leg->alive_since = now;
    if (leg->config.kind == CF_LEG_RTP)
        cf_core_leg_remote(core, leg->config.id, &leg->config.remote_rtp, &leg->config.remote_rtcp);
    room_link(room, leg);
    room_wake(core, room);
    counter_set(&core->count.legs, ++core->legs);
    return 0;
}

cf_leg *cf_core_leg_remove(cf_core *core, uint64_t id, bool bye, int64_t now) {
    cf_core_time(core, now);
    cf_leg *leg = leg_by_id(core, id);
    if (!leg)
        return NULL;
    if (bye && leg_sendable(leg))
        leg_rtcp_send(core, leg, true, core->now);
    room_wake(core, leg->room);
    leg_leave_stream(leg, false);
    leg_fade(core, leg);
    plays_end(core, &leg->plays, leg, NULL);
    room_unlink(leg->room, leg);
    taps_end(&leg->taps);
    leg_drop_names(core, leg);
    counter_set(&core->count.legs, --core->legs);
    return leg;
}

/* Streams, SSRC and sequence numbers stay. The listener goes on with its own encoder, which continues what it has heard
 * so far, until its part of the new room has been zero for a while: no seam. */
int cf_core_leg_move(cf_core *core, uint64_t id, uint64_t room_id) {
    cf_leg *leg = leg_by_id(core, id);
    cf_room *room = room_by_id(core, room_id);
    if (!leg || !room)
        return -ENOENT;
    if (leg->room == room)
        return 0;
    room_wake(core, leg->room);
    room_wake(core, room);
    leg_leave_stream(leg, true);
    leg_fade(core, leg);
    room_unlink(leg->room, leg);
    leg->config.room = room_id;
    leg->gain_now = 0;
    leg->wanted_frames = 0;
    leg->loudness = 0;
    room_link(room, leg);
    return 0;
}

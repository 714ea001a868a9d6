/* Commands: submitted on the control side, done on the media thread, and taken back with what is to be freed. */
#include "engine_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* ---- on the media thread ---- */

static void do_socket_close(cf_media *media, cf_command *c) {
    cf_media_flush(media); /* what waits may be for this socket */
    cf_socket *socket = c->object;
    cf_conns_let_go(media->conns, socket);
    if (socket->fd >= 0)
        epoll_ctl(media->epoll, EPOLL_CTL_DEL, socket->fd, NULL);
    atomic_store_explicit(&media->sockets[c->id], NULL, memory_order_relaxed);
}

static void do_socket_connect(cf_media *media, cf_command *c) {
    if (cf_conns_adopt(media->conns, c->object, (int)c->value, &c->rtp))
        return;
    close((int)c->value);
    c->result = -ENOSPC;
}

static void do_room_add(cf_media *media, cf_command *c) {
    c->result = cf_core_room_add(media->core, c->object, media->now);
}

static void do_room_remove(cf_media *media, cf_command *c) {
    c->object = cf_core_room_remove(media->core, c->id);
}

static void do_leg_add(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_add(media->core, c->object, media->now);
}

static void do_leg_remove(cf_media *media, cf_command *c) {
    cf_media_unsettle(media, c->id); /* the next leg with this socket may have another peer */
    c->object = cf_core_leg_remove(media->core, c->id, c->value != 0, media->now);
}

static void do_leg_move(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_move(media->core, c->id, (uint64_t)c->value);
}

static void do_leg_mute(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_mute(media->core, c->id, c->value != 0);
}

static void do_leg_deaf(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_deaf(media->core, c->id, c->value != 0);
}

static void do_leg_gain(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_gain(media->core, c->id, (int32_t)c->value);
}

static void do_leg_ear(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_ear(media->core, c->id, (int32_t)c->value);
}

static void do_leg_hold(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_hold(media->core, c->id, c->value != 0);
}

static void do_leg_suspend(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_suspend(media->core, c->id, c->value != 0);
}

static void do_leg_aside(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_aside(media->core, c->id, c->value != 0);
}

static void do_leg_gate(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_gate(media->core, c->id, (int)c->value);
}

static void do_leg_agc(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_agc(media->core, c->id, c->value != 0);
}

static void do_pair(cf_media *media, cf_command *c) {
    cf_pair *pair = c->object;
    c->result = cf_core_pair(media->core, c->id, &pair);
    c->object = pair; /* NULL: it went over to the leg */
}

static void do_unpair(cf_media *media, cf_command *c) {
    c->result = cf_core_unpair(media->core, c->id, (uint64_t)c->value);
}

static void do_leg_remote(cf_media *media, cf_command *c) {
    cf_media_unsettle(media, c->id);
    c->result = cf_core_leg_remote(media->core, c->id, &c->rtp, &c->rtcp);
}

static void do_leg_prove(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_prove(media->core, c->id);
}

static void do_leg_ice(cf_media *media, cf_command *c) {
    const cf_ice_restart *r = c->object;
    c->result = cf_core_leg_ice(media->core, c->id, r->local_ufrag, r->local_pwd, r->remote_ufrag);
}

static void do_leg_keys(cf_media *media, cf_command *c) {
    cf_srtp *inbound = c->object, *outbound = c->second;
    c->result = cf_core_leg_keys(media->core, c->id, &inbound, &outbound);
    c->object = inbound; /* the old ones, or the new ones if the leg did not take them */
    c->second = outbound;
}

static void do_leg_dtls(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_dtls_send(media->core, c->id, c->object, (size_t)c->value);
}

static void do_tap(cf_media *media, cf_command *c) {
    c->result = cf_core_tap(media->core, c->id, c->object);
}

static void do_untap(cf_media *media, cf_command *c) {
    cf_core_untap(media->core, c->object);
}

static void do_room_play(cf_media *media, cf_command *c) {
    c->result = cf_core_room_play(media->core, c->id, c->object);
}

static void do_leg_play(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_play(media->core, c->id, c->object);
}

static void do_room_stop(cf_media *media, cf_command *c) {
    c->result = cf_core_room_stop(media->core, c->id, (uint64_t)c->value);
}

static void do_leg_stop(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_stop(media->core, c->id, (uint64_t)c->value);
}

static void do_leg_listen(cf_media *media, cf_command *c) {
    cf_dtmf *dtmf = c->object;
    c->result = cf_core_leg_listen(media->core, c->id, &dtmf);
    c->object = dtmf; /* the old one, or the new one if there is no such leg */
}

static void do_leg_digits(cf_media *media, cf_command *c) {
    c->result = cf_core_leg_digits(media->core, c->id, c->object, (int)c->value);
}

static void (*const execute[CF_OP_COUNT])(cf_media *, cf_command *) = {
    [CF_OP_SOCKET_CLOSE] = do_socket_close,
    [CF_OP_SOCKET_CONNECT] = do_socket_connect,
    [CF_OP_ROOM_ADD] = do_room_add,
    [CF_OP_ROOM_REMOVE] = do_room_remove,
    [CF_OP_LEG_ADD] = do_leg_add,
    [CF_OP_LEG_REMOVE] = do_leg_remove,
    [CF_OP_LEG_MOVE] = do_leg_move,
    [CF_OP_LEG_MUTE] = do_leg_mute,
    [CF_OP_LEG_DEAF] = do_leg_deaf,
    [CF_OP_LEG_GAIN] = do_leg_gain,
    [CF_OP_LEG_EAR] = do_leg_ear,
    [CF_OP_LEG_SUSPEND] = do_leg_suspend,
    [CF_OP_LEG_HOLD] = do_leg_hold,
    [CF_OP_LEG_ASIDE] = do_leg_aside,
    [CF_OP_LEG_GATE] = do_leg_gate,
    [CF_OP_LEG_AGC] = do_leg_agc,
    [CF_OP_PAIR] = do_pair,
    [CF_OP_UNPAIR] = do_unpair,
    [CF_OP_LEG_REMOTE] = do_leg_remote,
    [CF_OP_LEG_PROVE] = do_leg_prove,
    [CF_OP_LEG_ICE] = do_leg_ice,
    [CF_OP_LEG_KEYS] = do_leg_keys,
    [CF_OP_LEG_DTLS] = do_leg_dtls,
    [CF_OP_TAP] = do_tap,
    [CF_OP_UNTAP] = do_untap,
    [CF_OP_ROOM_PLAY] = do_room_play,
    [CF_OP_LEG_PLAY] = do_leg_play,
    [CF_OP_ROOM_STOP] = do_room_stop,
    [CF_OP_LEG_STOP] = do_leg_stop,
    [CF_OP_LEG_LISTEN] = do_leg_listen,
    [CF_OP_LEG_DIGITS] = do_leg_digits,
};

void cf_command_execute(cf_media *media, cf_command *command) {
    execute[command->op](media, command);
}

/* ---- on the control side ---- */

bool cf_may_submit(const cf_media *media, size_t n, bool removal) {
    return media->outstanding + n <= CF_COMMANDS - (removal ? 0 : CF_COMMANDS_KEPT);
}

void cf_submit(cf_media *media, const cf_command *command) {
    cf_ring_push(media->down, command); /* never full: no more than CF_COMMANDS are outstanding */
    media->outstanding++;
    uint64_t one = 1;
    ssize_t n = write(media->wake, &one, sizeof one);
    (void)n; /* fails only when the counter is full, and then the thread wakes anyhow */
}

/* One completion on its way through the table below. */
typedef struct completion {
    cf_engine *engine;
    cf_media *media;
    cf_command *command;
    cf_event *event; /* what the caller hears, */
    bool told;       /* if it is to hear of it */
} completion;

static void done_socket_close(completion *c) {
    cf_socket *socket = c->command->object;
    cf_socket_free(socket);
    c->media->free_sockets[c->media->free_count++] = (uint32_t)c->command->id;
}

static void done_room_add(completion *c) {
    if (c->command->result < 0) /* cannot be: id and number were checked. Legs for it would come back as refused. */
        cf_room_free(c->command->object);
}

static void done_room_remove(completion *c) {
    cf_room_handle *room = cf_table_find(&c->engine->rooms, c->command->id);
    *c->event = (cf_event){.type = CF_EVENT_RELEASED, .room = room->base.id, .at = cf_engine_now(c->engine)};
    c->told = true;
    cf_room_free(c->command->object);
    cf_table_remove(&c->engine->rooms, &room->base);
    free(room);
    c->media->rooms--;
}

static void tell_and_forget_leg(completion *c, cf_leg_handle *leg) {
    *c->event = (cf_event){.type = CF_EVENT_RELEASED,
                           .leg = leg->base.id,
                           .room = leg->room->base.id,
                           .at = cf_engine_now(c->engine),
                           .value = (uint64_t)-leg->refused};
    c->told = true;
    c->media->legs--;
    cf_table_remove(&c->engine->legs, &leg->base);
    free(leg);
}

static void done_leg_add(completion *c) {
    if (c->command->result == 0)
        return;
    cf_leg_handle *leg = cf_table_find(&c->engine->legs, c->command->id);
    cf_leg_free(c->command->object);
    leg->leg = NULL;
    leg->refused = c->command->result;
    if (leg->leaving) /* its removal is on the way back and tells */
        return;
    cf_leg_let_go(leg);
    tell_and_forget_leg(c, leg);
}

static void done_leg_remove(completion *c) {
    cf_leg_free(c->command->object);
    tell_and_forget_leg(c, cf_table_find(&c->engine->legs, c->command->id));
}

static void done_keys(completion *c) {
    cf_srtp_free(c->command->object);
    cf_srtp_free(c->command->second);
}

static void done_pair(completion *c) {
    cf_pair_free(c->command->object);
}

static void done_memory(completion *c) {
    free(c->command->object);
}

static void done_tap(completion *c) {
    cf_taps_done(c->engine, c->command);
}

/* It found no place: told as if it had been played, so that whoever waits for its end does not wait for ever. */
static void done_play(completion *c) {
    const cf_command *command = c->command;
    if (command->result == 0)
        return;
    bool room = command->op == CF_OP_ROOM_PLAY;
    *c->event = (cf_event){.type = CF_EVENT_PLAYED,
                           .room = room ? command->id : 0,
                           .leg = room ? 0 : command->id,
                           .at = cf_engine_now(c->engine),
                           .value = (uint64_t)command->value};
    c->told = true;
    cf_plays_ended(c->engine, (uint64_t)command->value);
}

/* NULL: the command brings nothing back. */
static void (*const complete[CF_OP_COUNT])(completion *) = {
    [CF_OP_SOCKET_CLOSE] = done_socket_close,
    [CF_OP_ROOM_ADD] = done_room_add,
    [CF_OP_ROOM_REMOVE] = done_room_remove,
    [CF_OP_LEG_ADD] = done_leg_add,
    [CF_OP_LEG_REMOVE] = done_leg_remove,
    [CF_OP_PAIR] = done_pair,
    [CF_OP_LEG_ICE] = done_memory,
    [CF_OP_LEG_KEYS] = done_keys,
    [CF_OP_LEG_DTLS] = done_memory,
    [CF_OP_TAP] = done_tap,
    [CF_OP_UNTAP] = done_tap,
    [CF_OP_ROOM_PLAY] = done_play,
    [CF_OP_LEG_PLAY] = done_play,
    [CF_OP_LEG_LISTEN] = done_memory,
    [CF_OP_LEG_DIGITS] = done_memory,
};

bool cf_complete(cf_engine *engine, cf_media *media, cf_command *command, cf_event *event) {
    completion c = {engine, media, command, event, false};
    media->outstanding--;
    if (complete[command->op] != NULL)
        complete[command->op](&c);
    return c.told;
}

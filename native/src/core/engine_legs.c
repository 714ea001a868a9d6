/* Rooms and legs from the control side: each call checks what it can at once, takes the memory, and submits a command.
 */
#include "engine_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- rooms ---- */

int cf_engine_room_add(cf_engine *engine, int thread, const cf_room_config *config) {
    cf_media *media = cf_engine_media(engine, thread);
    if (media == NULL || config->id == 0)
        return -EINVAL;
    if (cf_table_find(&engine->rooms, config->id) != NULL)
        return -EEXIST;
    if (media->rooms == CF_ENGINE_ROOMS)
        return -ENOSPC;
    if (!cf_may_submit(media, 1, false))
        return -EAGAIN;
    cf_room_handle *handle = calloc(1, sizeof *handle);
    cf_room *room = cf_room_new(config);
    if (handle != NULL)
        *handle = (cf_room_handle){.base.id = config->id, .media = media};
    if (handle == NULL || room == NULL || cf_table_add(&engine->rooms, &handle->base) < 0) {
        free(handle);
        cf_room_free(room);
        return -ENOMEM;
    }
    media->rooms++;
    cf_submit(media, &(cf_command){.op = CF_OP_ROOM_ADD, .id = config->id, .object = room});
    return 0;
}

static cf_room_handle *find_room(cf_engine *engine, uint64_t id) {
    cf_room_handle *room = cf_table_find(&engine->rooms, id);
    return room != NULL && !room->leaving ? room : NULL;
}

int cf_engine_room_remove(cf_engine *engine, uint64_t id) {
    cf_room_handle *room = find_room(engine, id);
    if (room == NULL)
        return -ENOENT;
    if (room->legs > 0)
        return -EBUSY;
    if (!cf_may_submit(room->media, 1 + cf_taps_on(engine, true, id), true))
        return -EAGAIN;
    room->leaving = true;
    cf_taps_end(engine, true, id);
    cf_submit(room->media, &(cf_command){.op = CF_OP_ROOM_REMOVE, .id = id});
    return 0;
}

/* ---- legs ---- */

static cf_socket *own_socket(const cf_media *media, uint32_t number) {
    cf_socket *socket =
        number < CF_ENGINE_SOCKETS ? atomic_load_explicit(&media->sockets[number], memory_order_relaxed) : NULL;
    return socket != NULL && !socket->shared && (!socket->listener || socket->stream) && !socket->closing ? socket
                                                                                                          : NULL;
}

/* An RTP leg is told by its socket, so the socket is its alone. */
static int find_sockets(const cf_media *media, const cf_leg_config *config, cf_leg_handle *leg) {
    if (config->kind != CF_LEG_RTP)
        return 0;
    leg->rtp = own_socket(media, config->rtp_socket);
    leg->rtcp = own_socket(media, config->rtcp_socket);
    if (leg->rtp == NULL || leg->rtcp == NULL)
        return -EBADF;
    return leg->rtp->users > 0 || leg->rtcp->users > 0 ? -EBUSY : 0;
}

static void hold(cf_leg_handle *leg) {
    leg->room->legs++;
    if (leg->rtp != NULL)
        leg->rtp->users++;
    if (leg->rtcp != NULL)
        leg->rtcp->users++;
}

void cf_leg_let_go(cf_leg_handle *leg) {
    leg->room->legs--;
    if (leg->rtp != NULL)
        leg->rtp->users--;
    if (leg->rtcp != NULL)
        leg->rtcp->users--;
}

/* Whatever is wrong in the configuration is found by cf_leg_new: then nothing has changed. */
static int make_leg(cf_engine *engine, const cf_leg_config *config, const cf_leg_handle *draft) {
    cf_leg_handle *leg = malloc(sizeof *leg);
    if (leg == NULL)
        return -ENOMEM;
    *leg = *draft;
    leg->leg = cf_leg_new(config, cf_rng_next(&engine->rng));
    if (leg->leg == NULL || cf_table_add(&engine->legs, &leg->base) < 0) {
        int rc = leg->leg == NULL ? -EINVAL : -ENOMEM;
        cf_leg_free(leg->leg);
        free(leg);
        return rc;
    }
    hold(leg);
    leg->media->legs++;
    cf_submit(leg->media, &(cf_command){.op = CF_OP_LEG_ADD, .id = config->id, .object = leg->leg});
    return 0;
}

int cf_engine_leg_add(cf_engine *engine, const cf_leg_config *config) {
    if (cf_table_find(&engine->legs, config->id) != NULL)
        return -EEXIST;
    cf_room_handle *room = find_room(engine, config->room);
    if (room == NULL)
        return -ENOENT;
    if (room->media->legs == CF_ENGINE_LEGS)
        return -ENOSPC;
    cf_leg_handle draft = {.base.id = config->id, .kind = config->kind, .media = room->media, .room = room};
    draft.dtls = config->kind == CF_LEG_WEBRTC || config->dtls;
    int rc = find_sockets(room->media, config, &draft);
    if (rc < 0)
        return rc;
    return cf_may_submit(room->media, 1, false) ? make_leg(engine, config, &draft) : -EAGAIN;
}

static cf_leg_handle *find_leg(cf_engine *engine, uint64_t id) {
    cf_leg_handle *leg = cf_table_find(&engine->legs, id);
    return leg != NULL && !leg->leaving && leg->leg != NULL ? leg : NULL;
}

int cf_engine_leg_remove(cf_engine *engine, uint64_t id, int bye) {
    cf_leg_handle *leg = find_leg(engine, id);
    if (leg == NULL)
        return -ENOENT;
    if (!cf_may_submit(leg->media, 1 + cf_taps_on(engine, false, id), true))
        return -EAGAIN;
    leg->leaving = true;
    cf_leg_let_go(leg);
    cf_taps_end(engine, false, id);
    cf_submit(leg->media, &(cf_command){.op = CF_OP_LEG_REMOVE, .id = id, .value = bye});
    return 0;
}

int cf_command_leg(cf_engine *engine, uint64_t id, cf_command *command) {
    cf_leg_handle *leg = find_leg(engine, id);
    if (leg == NULL)
        return -ENOENT;
    if (!cf_may_submit(leg->media, 1, false))
        return -EAGAIN;
    command->id = id;
    cf_submit(leg->media, command);
    return 0;
}

int cf_engine_leg_move(cf_engine *engine, uint64_t id, uint64_t to) {
    cf_leg_handle *leg = find_leg(engine, id);
    cf_room_handle *room = find_room(engine, to);
    if (leg == NULL || room == NULL)
        return -ENOENT;
    if (room->media != leg->media)
        return -EXDEV;
    int rc = cf_command_leg(engine, id, &(cf_command){.op = CF_OP_LEG_MOVE, .value = (int64_t)to});
    if (rc == 0) {
        leg->room->legs--;
        leg->room = room;
        room->legs++;
    }
    return rc;
}

int cf_engine_leg_mute(cf_engine *engine, uint64_t leg, int muted) {
    return cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_MUTE, .value = muted});
}

int cf_engine_leg_deaf(cf_engine *engine, uint64_t leg, int deaf) {
    return cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_DEAF, .value = deaf});
}

int cf_engine_leg_gain(cf_engine *engine, uint64_t leg, int32_t gain_q14) {
    if (gain_q14 < 0 || gain_q14 > CF_GAIN_MAX)
        return -EINVAL;
    return cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_GAIN, .value = gain_q14});
}

int cf_engine_leg_ear(cf_engine *engine, uint64_t leg, int32_t gain_q14) {
    if (gain_q14 < 0 || gain_q14 > CF_GAIN_MAX)
        return -EINVAL;
    return cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_EAR, .value = gain_q14});
}

int cf_engine_leg_hold(cf_engine *engine, uint64_t leg, int held) {
    return cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_HOLD, .value = held});
}

int cf_engine_leg_suspend(cf_engine *engine, uint64_t leg, int suspended) {
    return cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_SUSPEND, .value = suspended});
}

int cf_engine_leg_aside(cf_engine *engine, uint64_t leg, int aside) {
    return cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_ASIDE, .value = aside});
}

int cf_engine_leg_gate(cf_engine *engine, uint64_t leg, int gate_dbov) {
    if (gate_dbov < 0 || gate_dbov > 127)
        return -EINVAL;
    return cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_GATE, .value = gate_dbov});
}

int cf_engine_leg_agc(cf_engine *engine, uint64_t leg, int agc) {
    return cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_AGC, .value = agc});
}

int cf_engine_pair(cf_engine *engine, uint64_t listener, uint64_t talker, int32_t gain_q14) {
    if (find_leg(engine, talker) == NULL || listener == talker)
        return listener == talker ? -EINVAL : -ENOENT;
    cf_pair *pair = cf_pair_new(talker, gain_q14);
    if (pair == NULL)
        return gain_q14 < 0 || gain_q14 > CF_GAIN_MAX ? -EINVAL : -ENOMEM;
    int rc = cf_command_leg(engine, listener, &(cf_command){.op = CF_OP_PAIR, .object = pair});
    if (rc < 0)
        cf_pair_free(pair);
    return rc;
}

int cf_engine_unpair(cf_engine *engine, uint64_t listener, uint64_t talker) {
    return cf_command_leg(engine, listener, &(cf_command){.op = CF_OP_UNPAIR, .value = (int64_t)talker});
}

/* 0, or why a command for legs of one kind only cannot be given to this one. */
static int check_kind(cf_engine *engine, uint64_t id, int kind) {
    const cf_leg_handle *leg = find_leg(engine, id);
    if (leg == NULL)
        return -ENOENT;
    return leg->kind == kind ? 0 : -EINVAL;
}

static int check_dtls(cf_engine *engine, uint64_t id) {
    const cf_leg_handle *leg = find_leg(engine, id);
    if (leg == NULL)
        return -ENOENT;
    return leg->dtls ? 0 : -EINVAL;
}

int cf_engine_leg_remote(cf_engine *engine, uint64_t leg, const cf_addr *rtp, const cf_addr *rtcp) {
    int rc = check_kind(engine, leg, CF_LEG_RTP);
    return rc < 0 ? rc : cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_REMOTE, .rtp = *rtp, .rtcp = *rtcp});
}

int cf_engine_leg_prove(cf_engine *engine, uint64_t leg) {
    int rc = check_kind(engine, leg, CF_LEG_RTP);
    return rc < 0 ? rc : cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_PROVE});
}

int cf_engine_leg_ice(cf_engine *engine, uint64_t leg, const char *local_ufrag, const char *local_pwd,
                      const char *remote_ufrag) {
    cf_ice checked;
    int rc = check_kind(engine, leg, CF_LEG_WEBRTC);
    if (rc == 0)
        rc = cf_ice_init(&checked, local_ufrag, local_pwd, remote_ufrag);
    if (rc < 0)
        return rc;
    cf_ice_restart *restart = calloc(1, sizeof *restart);
    if (restart == NULL)
        return -ENOMEM;
    memcpy(restart->local_ufrag, checked.local_ufrag, sizeof restart->local_ufrag);
    memcpy(restart->local_pwd, checked.local_pwd, sizeof restart->local_pwd);
    memcpy(restart->remote_ufrag, checked.remote_ufrag, sizeof restart->remote_ufrag);
    rc = cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_ICE, .object = restart});
    if (rc < 0)
        free(restart);
    return rc;
}

/* Lengths of master key and salt (RFC 5764 section 4.1.2, RFC 4568 section 6.2, RFC 7714 section 12). */
static bool key_lengths(int profile, size_t *key, size_t *salt) {
    *key = profile == CF_SRTP_AEAD_AES_256_GCM ? 32 : 16;
    bool counter_mode = profile == CF_SRTP_AES128_CM_SHA1_80 || profile == CF_SRTP_AES128_CM_SHA1_32;
    *salt = counter_mode ? 14 : 12;
    return counter_mode || profile == CF_SRTP_AEAD_AES_128_GCM || profile == CF_SRTP_AEAD_AES_256_GCM;
}

int cf_engine_leg_keys(cf_engine *engine, uint64_t leg, int profile, const uint8_t *rx_key, const uint8_t *rx_salt,
                       const uint8_t *tx_key, const uint8_t *tx_salt) {
    size_t key, salt;
    if (!key_lengths(profile, &key, &salt))
        return -EINVAL;
    cf_srtp *inbound = cf_srtp_new(profile, rx_key, key, rx_salt, salt);
    cf_srtp *outbound = cf_srtp_new(profile, tx_key, key, tx_salt, salt);
    int rc = inbound == NULL || outbound == NULL ? -ENOMEM : 0;
    if (rc == 0)
        rc = cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_KEYS, .object = inbound, .second = outbound});
    if (rc < 0) {
        cf_srtp_free(inbound);
        cf_srtp_free(outbound);
    }
    return rc;
}

int cf_engine_leg_dtls_send(cf_engine *engine, uint64_t leg, const uint8_t *data, size_t len) {
    int rc = len == 0 || len > CF_DTLS_MAX ? -EMSGSIZE : check_dtls(engine, leg);
    if (rc < 0)
        return rc;
    uint8_t *copy = malloc(len);
    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, data, len);
    rc = cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_DTLS, .object = copy, .value = (int64_t)len});
    if (rc < 0)
        free(copy);
    return rc;
}

int cf_engine_leg_dtls_take(cf_engine *engine, uint64_t leg, uint8_t *out, size_t cap) {
    int rc = check_dtls(engine, leg);
    return rc < 0 ? rc : (int)cf_leg_dtls_take(find_leg(engine, leg)->leg, out, cap);
}

int cf_engine_leg_stats(cf_engine *engine, uint64_t leg, cf_leg_stats *stats) {
    cf_leg_handle *handle = find_leg(engine, leg);
    if (handle == NULL)
        return -ENOENT;
    cf_leg_stats_get(handle->leg, stats);
    return 0;
}

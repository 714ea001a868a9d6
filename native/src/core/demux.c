/* Where a datagram belongs: by its socket (RTP legs), else by its first byte and its path (RFC 7983). */
#include "counter.h"
#include "leg.h"
#include "leg_wire.h"
#include "state.h"
#include "table.h"

/* RFC 7983 section 7. */
static bool is_stun(uint8_t first) {
    return first <= 3;
}
static bool is_dtls(uint8_t first) {
    return first >= 20 && first <= 63;
}
static bool is_media(uint8_t first) {
    return first >= 128 && first <= 191;
}

static void leg_dtls(cf_core *core, cf_leg *leg, const uint8_t *data, size_t len, int64_t now) {
    bool wake;
    if (!inbox_put(leg->inbox, data, len, now, &wake))
        counter_add(&leg->count.dtls_dropped, 1);
    else if (wake)
        event_leg(core, CF_EVENT_DTLS, leg);
}

/* The shared sockets: only STUN checks are taken from anywhere; everything else must come over a path that a check has
 * proved. */
static void receive_shared(cf_core *core, const cf_path *path, uint8_t *data, size_t len, int64_t now) {
    if (is_stun(data[0])) {
        leg_stun(core, path, data, len, now);
        return;
    }
    struct path_node *node = node_by_path(core, path);
    if (!node) {
        counter_add(&core->count.packets_unknown, 1);
        return;
    }
    cf_leg *leg = node->node.owner;
    if (is_dtls(data[0]))
        leg_dtls(core, leg, data, len, now);
    else if (is_media(data[0]))
        leg_media(core, leg, path, data, len, now);
    else
        counter_add(&leg->count.rx_dropped, 1);
}

/* The sockets of one RTP leg. */
static void receive_own(cf_core *core, cf_leg *leg, const cf_path *path, uint8_t *data, size_t len, int64_t now) {
    if (is_media(data[0])) {
        leg_media(core, leg, path, data, len, now);
    } else if (is_dtls(data[0]) && leg_dtls_allowed(leg, path)) {
        leg->dtls_path = *path;
        leg_dtls(core, leg, data, len, now);
    } else {
        counter_add(&leg->count.rx_dropped, 1);
    }
}

bool cf_core_has_socket(const cf_core *core, uint32_t socket) {
    return leg_by_socket(core, socket) != NULL;
}

bool cf_core_socket_takes(const cf_core *core, uint32_t socket, const cf_addr *remote) {
    const cf_leg *leg = leg_by_socket(core, socket);
    return leg && leg->config.kind == CF_LEG_RTP && leg_may_be_at(leg, remote);
}

/* As source_allowed (leg_rtp.c) has it: what is learnt is learnt for good. */
bool cf_core_socket_settled(const cf_core *core, uint32_t socket, cf_addr *remote) {
    const cf_leg *leg = leg_by_socket(core, socket);
    if (!leg || leg->config.kind != CF_LEG_RTP || leg->config.rtp_socket != socket || !leg->has_path ||
        (leg->config.symmetric && !leg->locked))
        return false;
    *remote = leg->path.remote;
    return true;
}

bool cf_core_leg_socket(const cf_core *core, uint64_t id, uint32_t *socket) {
    const cf_leg *leg = leg_by_id(core, id);
    if (!leg || leg->config.kind != CF_LEG_RTP)
        return false;
    *socket = leg->config.rtp_socket;
    return true;
}

void cf_core_receive(cf_core *core, const cf_path *path, uint8_t *data, size_t len, int64_t now) {
    cf_core_time(core, now);
    counter_add(&core->count.packets_in, 1);
    if (!len) {
        counter_add(&core->count.packets_unknown, 1);
        return;
    }
    cf_leg *leg = leg_by_socket(core, path->socket);
    if (leg)
        receive_own(core, leg, path, data, len, now);
    else
        receive_shared(core, path, data, len, now);
}

/* The way of a packet: from a client by channel or Send indication to a peer, from a peer back (RFC 8656 sections 11,
 * 12), and what is counted. */
#include "rcore.h"

#include <string.h>

/* ---- counting ---- */

void cf_rcore_drop(cf_rcore *core, int64_t n, enum cf_relay_drop why) {
    cf_tally(&core->drops[why], 1);
    if (n >= 0 && n < core->config.allocations)
        cf_tally(&core->relayed[n].drops[why], 1);
}

static void drop(cf_rcore *core, cf_relayed *relayed, enum cf_relay_drop why) {
    cf_rcore_drop(core, relayed != NULL ? relayed - core->relayed : -1, why);
}

static void count_out(cf_flow_count *count, cf_out_to to, size_t len) {
    cf_tally(to == CF_OUT_PEER ? &count->to_peer_packets : &count->to_client_packets, 1);
    cf_tally(to == CF_OUT_PEER ? &count->to_peer_bytes : &count->to_client_bytes, len);
}

static void read_flow(const cf_flow_count *count, cf_relay_traffic *traffic) {
    traffic->to_peer_packets += cf_tallied(&count->to_peer_packets);
    traffic->to_peer_bytes += cf_tallied(&count->to_peer_bytes);
    traffic->to_client_packets += cf_tallied(&count->to_client_packets);
    traffic->to_client_bytes += cf_tallied(&count->to_client_bytes);
}

void cf_rcore_traffic(const cf_relayed *relayed, cf_relay_traffic *traffic, uint64_t *drops) {
    *traffic = (cf_relay_traffic){0};
    read_flow(&relayed->count, traffic);
    traffic->to_peer_bytes += cf_tallied(&relayed->carried[CF_OUT_PEER]);
    traffic->to_client_bytes += cf_tallied(&relayed->carried[CF_OUT_CLIENT]);
    for (int i = 0; i < CF_DROPS; i++)
        drops[i] = cf_tallied(&relayed->drops[i]);
}

void cf_rcore_stats(const cf_rcore *core, cf_relay_stats *stats) {
    for (int i = 0; i < CF_RELAY_TRANSPORTS; i++)
        read_flow(&core->by_transport[i], &stats->by_transport[i]);
    for (int i = 0; i < CF_DROPS; i++)
        stats->drops[i] += cf_tallied(&core->drops[i]);
    stats->allocations += cf_tallied(&core->count);
}

/* A stream has no packets: only its bytes are counted. */
int64_t cf_rcore_carried(cf_rcore *core, cf_relayed *of, int transport, cf_out_to to, size_t len, int64_t now) {
    bool to_peer = to == CF_OUT_PEER;
    cf_flow_count *all = &core->by_transport[transport];
    atomic_fetch_add_explicit(&of->carried[to], len, memory_order_relaxed);
    cf_tally(to_peer ? &all->to_peer_bytes : &all->to_client_bytes, len);
    int64_t own = cf_gate_charge(to_peer ? &of->to_peer : &of->to_client, now, len);
    int64_t total = cf_gate_charge(to_peer ? core->config.to_peer : core->config.to_client, now, len);
    return own > total ? own : total;
}

/* ---- what both ways share ---- */

/* What is over the limit is dropped, not delayed (RFC 8656 section 14 knows no queue). */
static bool within_limits(cf_rcore *core, cf_relayed *relayed, cf_out_to to, size_t len, int64_t now) {
    if (!cf_gate_pass(to == CF_OUT_PEER ? &relayed->to_peer : &relayed->to_client, now, len)) {
        drop(core, relayed, CF_DROP_RATE);
        return false;
    }
    if (!cf_gate_pass(to == CF_OUT_PEER ? core->config.to_peer : core->config.to_client, now, len)) {
        drop(core, relayed, CF_DROP_RATE_TOTAL);
        return false;
    }
    return true;
}

static void pass_on(cf_rcore *core, cf_relayed *relayed, cf_out *out, int64_t now) {
    if (!within_limits(core, relayed, out->to, out->len, now))
        return;
    out->allocation = (uint32_t)(relayed - core->relayed);
    out->client = &relayed->client;
    count_out(&relayed->count, out->to, out->len);
    count_out(&core->by_transport[relayed->transport], out->to, out->len);
    core->config.send(core->config.arg, out);
}

/* ---- client to peer ---- */

static void to_peer(cf_rcore *core, cf_relayed *relayed, cf_out *out, int64_t now) {
    enum { UDP_MAX = 65507 };
    out->to = CF_OUT_PEER;
    if (!relayed->family[out->peer.family == 6])
        drop(core, relayed, CF_DROP_FAMILY);
    else if (out->len > UDP_MAX)
        drop(core, relayed, CF_DROP_TOO_BIG);
    else
        pass_on(core, relayed, out, now);
}

/* RFC 8656 section 12.6: no permission is asked for here, the channel is one; but the ports of its address may have
 * become fewer since. */
static void take_channel(cf_rcore *core, cf_relayed *relayed, const uint8_t *data, size_t len, int64_t now) {
    size_t size = cf_get16(data + 2);
    if (size > len - CF_CHANNEL_HEAD) {
        drop(core, relayed, CF_DROP_MALFORMED);
        return;
    }
    const cf_channel *channel = cf_rcore_channel(core, relayed, cf_get16(data));
    if (channel == NULL || channel->until <= now) {
        drop(core, relayed, CF_DROP_NO_CHANNEL);
        return;
    }
    if (channel->permission == NULL || !cf_port_allowed(channel->permission, channel->peer.port)) {
        drop(core, relayed, channel->permission == NULL ? CF_DROP_NO_PERMISSION : CF_DROP_PORT);
        return;
    }
    cf_out out = {.peer = channel->peer, .body = data + CF_CHANNEL_HEAD, .len = size};
    to_peer(core, relayed, &out, now);
}

static bool permitted(cf_rcore *core, cf_relayed *relayed, const cf_addr *peer, int64_t now) {
    const cf_permission *permission = cf_rcore_permission(core, relayed, peer);
    bool live = permission != NULL && permission->until > now;
    if (live && cf_port_allowed(permission, peer->port))
        return true;
    drop(core, relayed, live ? CF_DROP_PORT : CF_DROP_NO_PERMISSION);
    return false;
}

static void take_send(cf_rcore *core, cf_relayed *relayed, const uint8_t *data, size_t len, int64_t now) {
    /* RFC 8656 section 11.2: the two attributes are there, then the permission, then the datagram. */
    cf_turn_send send;
    if (cf_turn_read_send(&send, data, len) < 0) {
        drop(core, relayed, CF_DROP_MALFORMED);
        return;
    }
    if (!permitted(core, relayed, &send.peer, now))
        return;
    cf_out out = {.peer = send.peer, .body = send.data, .len = send.len, .dont_fragment = send.dont_fragment};
    to_peer(core, relayed, &out, now);
}

void cf_rcore_from_client(cf_rcore *core, const cf_path *client, int transport, const uint8_t *data, size_t len,
                          int64_t now) {
    cf_turn_kind kind = cf_turn_kind_of(data, len);
    if (kind == CF_TURN_STUN) {
        core->config.request(core->config.arg, client, transport, data, len);
        return;
    }
    if (kind == CF_TURN_OTHER) {
        drop(core, NULL, CF_DROP_MALFORMED);
        return;
    }
    int64_t n = cf_rcore_of(core, client);
    if (n < 0 || core->relayed[n].until <= now)
        drop(core, n < 0 ? NULL : &core->relayed[n], CF_DROP_NO_ALLOCATION);
    else if (kind == CF_TURN_CHANNEL)
        take_channel(core, &core->relayed[n], data, len, now);
    else
        take_send(core, &core->relayed[n], data, len, now);
}

/* ---- peer to client ---- */

static void write_channel(cf_out *out, uint16_t number, bool stream) {
    cf_put16(out->head, number);
    cf_put16(out->head + 2, (uint16_t)out->len);
    out->head_len = CF_CHANNEL_HEAD;
    out->padding =
        stream ? (uint8_t)cf_padding(out->len) : 0; /* section 12.5: over TCP it must be, over UDP it need not */
}

static void write_data(cf_rcore *core, cf_out *out) {
    uint8_t txid[16];
    for (int i = 0; i < 2; i++) {
        uint64_t random = cf_rng_next(&core->rng);
        memcpy(txid + 8 * i, &random, 8);
    }
    out->head_len = (uint8_t)cf_turn_write_data(out->head, &out->peer, out->len, txid);
    out->padding = (uint8_t)cf_padding(out->len);
}

/* RFC 8656 section 11.3: the permission first, then whether a channel is bound (section 12.7). */
void cf_rcore_from_peer(cf_rcore *core, uint32_t n, const cf_addr *peer, const uint8_t *data, size_t len, int64_t now) {
    enum { INDICATION_MAX = 65535 - CF_DATA_HEAD_MAX - 3 };
    cf_relayed *relayed = cf_rcore_at(core, n);
    if (relayed == NULL || relayed->until <= now) {
        drop(core, relayed, CF_DROP_NO_ALLOCATION);
        return;
    }
    if (!permitted(core, relayed, peer, now))
        return;
    if (!relayed->attached || len > INDICATION_MAX) {
        drop(core, relayed, relayed->attached ? CF_DROP_TOO_BIG : CF_DROP_GONE);
        return;
    }
    cf_out out = {.to = CF_OUT_CLIENT, .peer = *peer, .body = data, .len = len};
    const cf_channel *channel = cf_rcore_channel_to(core, relayed, peer);
    if (channel != NULL && channel->until > now)
        write_channel(&out, channel->number, relayed->transport != CF_RELAY_UDP);
    else
        write_data(core, &out);
    pass_on(core, relayed, &out, now);
}

/* Anything from clients over UDP and TCP (split anywhere) and from peers: nothing is read outside of its message, only
 * what a live permission or channel allows comes out, and a stream's messages are the same however it is cut. */
#include "fuzzlib.h"
#include "relay/rcore.h"

#include <errno.h>

enum { ALLOCATIONS = 3, PERMISSIONS = 3 };

static const uint8_t *input; /* of the call that is under way */
static size_t input_len;
static int64_t now;
static cf_rcore *core;

static cf_addr peer_at(uint8_t which) {
    return which & 8 ? (cf_addr){.ip = {0x20, 1, [15] = which & 3}, .port = 1 + (which >> 4), .family = 6}
                     : (cf_addr){.ip = {192, 0, 2, which & 3}, .port = 1 + (which >> 4), .family = 4};
}

static cf_path client_at(uint8_t which) {
    return (cf_path){.socket = which % ALLOCATIONS == 2 ? 0x80000000u : 0,
                     .local = {.ip = {192, 0, 2, 99}, .port = 3478, .family = 4},
                     .remote = {.ip = {198, 51, 100, which % ALLOCATIONS}, .port = 5000, .family = 4}};
}

static void on_send(void *arg, const cf_out *out) {
    (void)arg;
    inside(out->body, out->len, input, input_len);
    HOLDS(out->head_len <= sizeof out->head && out->padding < 4);
    const cf_relayed *relayed = cf_rcore_at(core, out->allocation);
    HOLDS(relayed != NULL && relayed->until > now && relayed->attached);
    const cf_permission *permission = cf_rcore_permission(core, relayed, &out->peer);
    const cf_channel *channel = cf_rcore_channel_to(core, relayed, &out->peer);
    bool bound = channel != NULL && channel->until > now, permitted = permission != NULL && permission->until > now;
    HOLDS(permission != NULL && cf_port_allowed(permission, out->peer.port));
    HOLDS(out->to == CF_OUT_CLIENT ? permitted : permitted || bound);
    HOLDS(out->to == CF_OUT_CLIENT || relayed->family[out->peer.family == 6]);
    if (out->to == CF_OUT_PEER)
        HOLDS(out->head_len == 0 && out->padding == 0);
    else if (bound)
        HOLDS(cf_get16(out->head) == channel->number && cf_get16(out->head + 2) == out->len);
    else
        HOLDS(cf_get16(out->head + 2) == out->head_len - CF_TURN_HEAD + out->len + out->padding);
}

static void on_request(void *arg, const cf_path *client, int transport, const uint8_t *data, size_t len) {
    (void)arg, (void)client, (void)transport;
    inside(data, len, input, input_len);
    HOLDS(len >= CF_TURN_HEAD);
}

static void from_client(uint8_t which, const uint8_t *data, size_t len) {
    block b = copy_of(data, len, 0);
    input = b.data;
    input_len = len;
    cf_path client = client_at(which);
    cf_rcore_from_client(core, &client, which % ALLOCATIONS == 2 ? CF_RELAY_TCP : CF_RELAY_UDP, b.data, len, now);
    free(b.base);
}

static void from_peer(uint8_t which, const uint8_t *data, size_t len) {
    block b = copy_of(data, len, 0);
    input = b.data;
    input_len = len;
    cf_addr peer = peer_at(which);
    cf_rcore_from_peer(core, which % ALLOCATIONS, &peer, b.data, len, now);
    free(b.base);
}

/* What a connection does with it: whole messages of the bytes so far; how many bytes they are, -EBADMSG: the end. */
static long messages_of(const uint8_t *data, size_t len, bool hand_over, size_t *count) {
    for (size_t at = 0;;) {
        int size = cf_turn_stream_length(data + at, len - at);
        if (size < 0)
            return size;
        if (size == 0 || (size_t)size > len - at)
            return (long)at;
        HOLDS(size >= CF_CHANNEL_HEAD && size <= CF_TURN_MESSAGE_MAX);
        if (hand_over)
            from_client(2, data + at, (size_t)size);
        at += (size_t)size;
        ++*count;
    }
}

static void stream(const uint8_t *data, size_t len, size_t step) {
    size_t whole = 0, cut = 0, done = 0;
    long end = messages_of(data, len, true, &whole), last = 0;
    for (size_t have = step; done < len && last >= 0; have += step) {
        have = have < len ? have : len;
        block b = copy_of(data + done, have - done, 0);
        last = messages_of(b.data, have - done, false, &cut);
        free(b.base);
        done += last > 0 ? (size_t)last : 0;
        if (have == len)
            break;
    }
    HOLDS(cut == whole);
    HOLDS(end < 0 || done == (size_t)end);
}

/* Orders of the control side, so that there is something that could be got wrong. */
static void order(const record *r) {
    uint32_t n = r->which % ALLOCATIONS;
    cf_path client = client_at(r->which);
    cf_addr peer = peer_at(r->len > 0 ? r->data[0] : 0);
    int64_t until = now + (r->len > 1 ? r->data[1] : 100) * (int64_t)1000;
    cf_relay_ports ranges[] = {{2, 5}};
    switch (r->what >> 4 & 7) {
    case 0:
    case 1:
        cf_rcore_open(core, n, &client, n == 2 ? CF_RELAY_TCP : CF_RELAY_UDP, true, r->which & 16, until + 100000, 0);
        break;
    case 2:
        cf_rcore_permit(core, n, &peer, until, ranges, r->which & 32 ? 1 : 0, now);
        break;
    case 3:
        cf_rcore_bind(core, n, (uint16_t)(0x4000 + (r->which >> 6)), &peer, until, now);
        break;
    case 4:
        cf_rcore_refresh(core, n, until);
        break;
    case 5:
        cf_rcore_detach(core, &client);
        break;
    case 6:
        if (r->which & 64)
            cf_rcore_withdraw(core, n, r->which & 128 ? 6 : 4);
        else
            cf_rcore_close(core, n);
        break;
    default:
        now += r->which * (int64_t)1000;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cf_gate open_gate;
    cf_gate_init(&open_gate, 0);
    now = 1000000;
    core = cf_rcore_new(&(cf_rcore_config){.allocations = ALLOCATIONS,
                                           .permissions = PERMISSIONS,
                                           .seed = 1,
                                           .to_peer = &open_gate,
                                           .to_client = &open_gate,
                                           .send = on_send,
                                           .request = on_request});
    if (core == NULL)
        abort();
    record r;
    for (size_t at = 0; next_record(&r, data, size, &at);) {
        if ((r.what & 3) == 0)
            from_client(r.which, r.data, r.len);
        else if ((r.what & 3) == 1)
            from_peer(r.which, r.data, r.len);
        else if ((r.what & 3) == 2)
            stream(r.data, r.len, 1 + r.which);
        else
            order(&r);
    }
    cf_rcore_free(core);
    return 0;
}

/* A core with everything that it sends and hands up written down. */
#ifndef CONFEROCORE_TESTS_RCORE_LIB_H
#define CONFEROCORE_TESTS_RCORE_LIB_H

#include "relay/rcore.h"
#include "testlib.h"

enum { SENT_MAX = 256, SENT_BYTES = 2048 };

typedef struct sent {
    cf_out_to to;
    uint32_t allocation;
    cf_addr peer;
    cf_path client;
    bool dont_fragment;
    size_t len;
    uint8_t data[SENT_BYTES];
} sent;

typedef struct bench {
    cf_rcore *core;
    cf_gate to_peer, to_client;
    sent out[SENT_MAX];
    size_t sent, requests;
    int64_t now;
} bench;

static inline void note_sent(void *arg, const cf_out *out) {
    bench *b = arg;
    sent *s = &b->out[b->sent++ % SENT_MAX];
    *s = (sent){.to = out->to,
                .allocation = out->allocation,
                .peer = out->peer,
                .client = *out->client,
                .dont_fragment = out->dont_fragment,
                .len = out->head_len + out->len + out->padding};
    if (s->len > SENT_BYTES)
        return;
    memcpy(s->data, out->head, out->head_len);
    memcpy(s->data + out->head_len, out->body, out->len);
}

static inline void note_request(void *arg, const cf_path *client, int transport, const uint8_t *data, size_t len) {
    (void)client, (void)transport, (void)data, (void)len;
    ((bench *)arg)->requests++;
}

static inline bench *bench_new(uint32_t allocations, uint32_t permissions, uint64_t total) {
    bench *b = calloc(1, sizeof *b);
    if (b == NULL)
        abort();
    cf_gate_init(&b->to_peer, total);
    cf_gate_init(&b->to_client, total);
    b->now = 1000000000;
    b->core = cf_rcore_new(&(cf_rcore_config){.allocations = allocations,
                                              .permissions = permissions,
                                              .seed = 7,
                                              .to_peer = &b->to_peer,
                                              .to_client = &b->to_client,
                                              .send = note_sent,
                                              .request = note_request,
                                              .arg = b});
    if (b->core == NULL)
        abort();
    return b;
}

static inline void bench_free(bench *b) {
    cf_rcore_free(b->core);
    free(b);
}

static inline cf_addr v4(unsigned last, uint16_t port) {
    return (cf_addr){.ip = {192, 0, 2, (uint8_t)last}, .port = port, .family = 4};
}

static inline cf_addr v6(unsigned last, uint16_t port) {
    return (cf_addr){.ip = {0x20, 1, 0xd, 0xb8, [15] = (uint8_t)last}, .port = port, .family = 6};
}

static inline cf_path client_at(unsigned last, uint16_t port) {
    return (cf_path){.socket = 0, .local = v4(1, 3478), .remote = v4(last, port)};
}

static inline const sent *last_sent(const bench *b) {
    return &b->out[(b->sent - 1) % SENT_MAX];
}

static inline uint64_t dropped(const bench *b, enum cf_relay_drop why) {
    return cf_tallied(&b->core->drops[why]);
}

/* ChannelData of so many bytes: its length. */
static inline size_t channel_data(uint8_t *out, uint16_t number, size_t len) {
    cf_put16(out, number);
    cf_put16(out + 2, (uint16_t)len);
    memset(out + 4, 0x5a, len);
    return 4 + len;
}

/* A Send indication to an address: its length. */
static inline size_t send_indication(uint8_t *out, const cf_addr *peer, const void *data, size_t len) {
    static const uint8_t txid[12] = "transaction";
    size_t head = cf_turn_write_data(out, peer, len, txid);
    cf_put16(out, 0x0016);
    memcpy(out + head, data, len);
    memset(out + head + len, 0, cf_padding(len));
    return head + len + cf_padding(len);
}

#endif

/* The relay without sockets, threads or clock: allocations, permissions and channels in tables; bytes, addresses and
 * `now` go in, and what is to be sent comes out, around a payload that stays where it was. */
#ifndef CONFEROCORE_RELAY_RCORE_H
#define CONFEROCORE_RELAY_RCORE_H

#include "conferocore/relay.h"
#include "gate.h"
#include "keyed.h"
#include "wire.h"

#include <stdatomic.h>

typedef struct cf_permission {
    cf_link link; /* by allocation and address */
    struct cf_permission *next;
    struct cf_relayed *of;
    cf_addr host; /* port 0 */
    int64_t until;
    uint8_t ranges; /* 0: every port */
    cf_relay_ports ports[CF_RELAY_RANGES];
} cf_permission;

typedef struct cf_channel {
    cf_link by_number, by_peer;
    struct cf_channel *next;
    struct cf_relayed *of;
    const cf_permission *permission; /* of the peer's address; NULL: it has none any more */
    cf_addr peer;
    int64_t until;
    uint16_t number;
} cf_channel;

/* Counters with one writer, read by others. */
typedef struct cf_flow_count {
    _Atomic uint64_t to_peer_packets, to_peer_bytes, to_client_packets, to_client_bytes;
} cf_flow_count;

typedef enum cf_out_to { CF_OUT_PEER, CF_OUT_CLIENT } cf_out_to;

/* An allocation. */
typedef struct cf_relayed {
    cf_link link;        /* by client */
    bool used, attached; /* attached: its client can be sent to */
    bool family[2];      /* has a relayed address of IPv4, IPv6 */
    int32_t transport;
    uint32_t permission_count, channel_count;
    cf_path client;
    int64_t until;
    cf_permission *permissions;
    cf_channel *channels;
    cf_gate to_peer, to_client;
    cf_flow_count count;
    _Atomic uint64_t carried[2]; /* bytes of streams, by enum cf_out_to: other threads write here too */
    _Atomic uint64_t drops[CF_DROPS];
} cf_relayed;

/* One message to be sent: `head`, `body`, and so many zeros. */
typedef struct cf_out {
    cf_out_to to;
    uint32_t allocation;
    cf_addr peer;
    const cf_path *client;
    bool dont_fragment;
    uint8_t padding, head_len;
    uint8_t head[CF_DATA_HEAD_MAX];
    const uint8_t *body;
    size_t len;
} cf_out;

typedef struct cf_rcore_config {
    uint32_t allocations, permissions; /* permissions and channels of one allocation */
    uint64_t seed;
    cf_gate *to_peer, *to_client;               /* of all threads; they outlive the core */
    void (*send)(void *arg, const cf_out *out); /* the body is there until the call that led to this has returned, and
                                                 * as long after as its caller says */
    void (*request)(void *arg, const cf_path *client, int transport, const uint8_t *data, size_t len);
    void *arg;
} cf_rcore_config;

typedef struct cf_rcore cf_rcore;

cf_rcore *cf_rcore_new(const cf_rcore_config *config);
void cf_rcore_free(cf_rcore *core);

/* Tables; `n` is the allocation's place, 0 to config.allocations - 1. -EEXIST: the client or the place has one. */
int cf_rcore_open(cf_rcore *core, uint32_t n, const cf_path *client, int transport, bool v4, bool v6, int64_t until,
                  uint64_t bytes_per_second);
int cf_rcore_refresh(cf_rcore *core, uint32_t n, int64_t until);
/* -ENOSPC: the allocation has as many as it may, and none is past its time. */
int cf_rcore_permit(cf_rcore *core, uint32_t n, const cf_addr *peer, int64_t until, const cf_relay_ports *ranges,
                    int count, int64_t now);
/* -EPERM: the peer's address is not permitted, or its port is not. -EEXIST: the number is another peer's, or the peer
 * has another number (RFC 8656 section 12.2). */
int cf_rcore_bind(cf_rcore *core, uint32_t n, uint16_t number, const cf_addr *peer, int64_t until, int64_t now);
/* The relayed address of this family (4, 6) is gone, with its permissions and channels. */
void cf_rcore_withdraw(cf_rcore *core, uint32_t n, int family);
void cf_rcore_close(cf_rcore *core, uint32_t n);
/* Its client's connection has ended. */
void cf_rcore_detach(cf_rcore *core, const cf_path *client);
/* The allocation of a client, -1: none. */
int64_t cf_rcore_of(const cf_rcore *core, const cf_path *client);
cf_relayed *cf_rcore_at(const cf_rcore *core, uint32_t n);

/* A datagram, or one whole message of a stream. */
void cf_rcore_from_client(cf_rcore *core, const cf_path *client, int transport, const uint8_t *data, size_t len,
                          int64_t now);
/* What came at the relayed address. */
void cf_rcore_from_peer(cf_rcore *core, uint32_t n, const cf_addr *peer, const uint8_t *data, size_t len, int64_t now);

/* Bytes of a stream (RFC 6062) have passed for an allocation, which may be another thread's: how long (ns) no more
 * should. */
int64_t cf_rcore_carried(cf_rcore *core, cf_relayed *of, int transport, cf_out_to to, size_t len, int64_t now);

/* Something was not relayed; n < 0: of no allocation. */
void cf_rcore_drop(cf_rcore *core, int64_t n, enum cf_relay_drop why);
/* Adds what this core counts. */
void cf_rcore_stats(const cf_rcore *core, cf_relay_stats *stats);
void cf_rcore_traffic(const cf_relayed *relayed, cf_relay_traffic *traffic, uint64_t *drops);

/* Into the counters of a core or of an allocation: no locked instruction is needed. */
static inline void cf_tally(_Atomic uint64_t *counter, uint64_t n) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}
static inline uint64_t cf_tallied(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ---- between rcore.c and rcore_pass.c ---- */

struct cf_rcore {
    cf_rcore_config config;
    cf_relayed *relayed;
    cf_permission *permissions; /* config.permissions for each allocation: what one may have is there for it */
    cf_channel *channels;
    cf_permission *free_permission; /* by `next` */
    cf_channel *free_channel;
    size_t used_permissions, used_channels;
    cf_keyed by_client, by_host, by_number, by_peer;
    cf_rng rng;
    _Atomic uint64_t count;
    cf_flow_count by_transport[CF_RELAY_TRANSPORTS];
    _Atomic uint64_t drops[CF_DROPS];
};

cf_permission *cf_rcore_permission(const cf_rcore *core, const cf_relayed *relayed, const cf_addr *peer);
cf_channel *cf_rcore_channel(const cf_rcore *core, const cf_relayed *relayed, uint16_t number);
cf_channel *cf_rcore_channel_to(const cf_rcore *core, const cf_relayed *relayed, const cf_addr *peer);
bool cf_port_allowed(const cf_permission *permission, uint16_t port);

#endif

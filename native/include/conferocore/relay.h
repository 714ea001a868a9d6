/* The relay's data path (RFC 8656): threads that pass packets between TURN clients and their peers by tables which a
 * control side fills. Requests go up to it, its replies come down; it never sees a relayed byte. */
#ifndef CONFEROCORE_RELAY_H
#define CONFEROCORE_RELAY_H

#include "base.h"

/*cdef*/
typedef struct cf_relay cf_relay;

enum cf_relay_transport { CF_RELAY_UDP, CF_RELAY_TCP, CF_RELAY_TLS, CF_RELAY_TRANSPORTS };

/* Why a packet was not relayed, or a request not handed up. */
enum cf_relay_drop {
    CF_DROP_MALFORMED,     /* neither STUN nor ChannelData, or an indication that cannot be read */
    CF_DROP_NO_ALLOCATION, /* data of a client that has none, or whose time is over */
    CF_DROP_NO_CHANNEL,    /* not bound, or no longer */
    CF_DROP_NO_PERMISSION, /* for this peer's address, or its time is over */
    CF_DROP_PORT,          /* the address is permitted, this port of it is not */
    CF_DROP_FAMILY,        /* the allocation has no relayed address of the peer's family */
    CF_DROP_RATE,          /* beyond the allocation's bit rate */
    CF_DROP_RATE_TOTAL,    /* beyond that of all */
    CF_DROP_SLOW,          /* the client's connection does not take more */
    CF_DROP_GONE,          /* the client's connection has ended */
    CF_DROP_TOO_BIG,       /* for a datagram, or with DONT-FRAGMENT for the path */
    CF_DROP_SEND,          /* refused by the kernel */
    CF_DROP_EVENTS,        /* a request while too many wait for the control side */
    CF_DROPS
};

typedef struct cf_relay_config {
    int threads;                /* 1-64 */
    uint32_t allocations;       /* of one thread, 1-65536 */
    uint32_t permissions;       /* of one allocation, 1-256; the same number of channels */
    uint32_t connections;       /* of one thread, 1-65536 */
    uint32_t handshakes;        /* connections of all threads that have not said anything whole yet; beyond, the oldest
                                 * is closed */
    uint32_t handshakes_source; /* of these, from one IPv4 address or IPv6 /64; beyond, the new one is closed */
    int64_t first_message_ns;   /* as long as they may take */
    int64_t idle_ns;            /* a connection without an allocation that says nothing */
    uint64_t bytes_per_second;  /* relayed by all, each way; 0: no limit */
    int64_t rest_ns;            /* the longest rest between two turns of a busy thread: 0-1000000 */
    uint64_t seed;              /* of the tables' hashes: hard to guess */
} cf_relay_config;

/* A client flow. Of UDP it is the addresses (connection 0), else the connection. `local` is the address that was asked.
 */
typedef struct cf_relay_client {
    uint64_t connection;
    int32_t transport; /* enum cf_relay_transport */
    int32_t thread;
    cf_addr peer, local;
} cf_relay_client;

enum cf_relay_event_type {
    CF_RELAY_REQUEST = 1,  /* STUN that is no indication of data: `data` */
    CF_RELAY_NOT_STUN,     /* a connection begins with `data`, which is something else; it waits for cf_relay_join or
                            * cf_relay_hang_up */
    CF_RELAY_DISCONNECTED, /* the connection has ended: with errno in `value`; its allocations relay nothing more */
    CF_RELAY_CLOSED        /* the allocation is gone: its counters can be read until cf_relay_forget. `value`: 0, or why
                            * it never came to be */
};
enum { CF_RELAY_DATA_MAX = 1500 }; /* of a request and of a reply; longer ones are dropped (CF_DROP_TOO_BIG) */

typedef struct cf_relay_event {
    int32_t type;
    int32_t value;
    uint64_t allocation; /* of CF_RELAY_CLOSED */
    cf_relay_client client;
    uint32_t len;
    uint8_t data[1500];
} cf_relay_event;

typedef struct cf_relay_ports {
    uint16_t low, high; /* inclusive */
} cf_relay_ports;
enum { CF_RELAY_RANGES = 8 };

/* What was relayed, and what was not. */
typedef struct cf_relay_traffic {
    uint64_t to_peer_packets, to_peer_bytes, to_client_packets, to_client_bytes; /* bytes of payload */
} cf_relay_traffic;

typedef struct cf_relay_stats {
    cf_relay_traffic by_transport[3];
    uint64_t drops[13];                    /* by enum cf_relay_drop */
    uint64_t requests, replies;            /* handed up, sent */
    uint64_t allocations, connections;     /* now */
    uint64_t accepted, refused, timed_out; /* connections: taken, not taken for want of room, silent too long */
    uint64_t handshakes, handshakes_failed;
    uint64_t joined;        /* connections that were joined to a descriptor */
    uint64_t receive_drops; /* by the kernel: a listening socket's buffer was full */
    uint64_t turns;         /* wake-ups */
} cf_relay_stats;

/* NULL without memory or descriptors, or for a number out of its range. */
cf_relay *cf_relay_new(const cf_relay_config *config);
/* Ends the threads, closes every descriptor that it was given. NULL is fine. */
void cf_relay_free(cf_relay *relay);
/* A bound UDP socket of this thread, 16 at most, before cf_relay_start; the descriptor is the relay's then. A wildcard
 * address answers from the address that was asked. 0, -EINVAL, -ENOSPC, or what the kernel says. */
int cf_relay_listen(cf_relay *relay, int thread, int fd);
int cf_relay_start(cf_relay *relay);
/* Readable when an event waits: for the asyncio loop. */
int cf_relay_fileno(const cf_relay *relay);
/* Up to n events; those of one client are in order. */
int cf_relay_events(cf_relay *relay, cf_relay_event *events, int n);
int64_t cf_relay_now(const cf_relay *relay); /* CLOCK_MONOTONIC, ns: the clock of every `until` */

/* Certificate chain and key (PEM) for TLS; again to change them: connections keep what they began with. 0, -EINVAL:
 * they cannot be read or do not fit each other. */
int cf_relay_certificate(cf_relay *relay, const char *chain_path, const char *key_path);

enum cf_relay_adopt { CF_ADOPT_PLAIN, CF_ADOPT_TLS, CF_ADOPT_SNIFF };
/* A connected TCP socket: the descriptor is the relay's from now on. Its number (> 0) comes in *connection. -EINVAL,
 * -ENOSPC, -EAGAIN: the descriptor is still the caller's. */
int cf_relay_adopt(cf_relay *relay, int fd, int how, uint64_t *connection);

/* Commands of one client are done in their order, at the next turn of its thread. -EINVAL, -ENOENT, -EAGAIN: too many
 * wait already. */

/* An allocation with its relayed UDP sockets (-1: none of this family; none at all: its peers are reached by TCP, and
 * come by cf_relay_join), which are the relay's from now on if it returns 0; its number (> 0) comes in *allocation.
 * -ENOSPC. bytes_per_second: each way, 0: no limit. */
int cf_relay_open(cf_relay *relay, const cf_relay_client *client, int fd4, int fd6, int64_t until_ns,
                  uint64_t bytes_per_second, uint64_t *allocation);
int cf_relay_refresh(cf_relay *relay, uint64_t allocation, int64_t until_ns);
/* Permits the address of `peer`, whatever its port says; with ranges only those ports of it. Again: renews, with the
 * new ranges. */
int cf_relay_permit(cf_relay *relay, uint64_t allocation, const cf_addr *peer, int64_t until_ns,
                    const cf_relay_ports *ranges, int n);
/* 0x4000-0x4FFF. */
int cf_relay_bind(cf_relay *relay, uint64_t allocation, int channel, const cf_addr *peer, int64_t until_ns);
/* The relayed address of this family (4, 6) is given up: its socket is closed, its permissions and channels end. */
int cf_relay_withdraw(cf_relay *relay, uint64_t allocation, int family);
int cf_relay_close(cf_relay *relay, uint64_t allocation);  /* CF_RELAY_CLOSED when it is gone */
int cf_relay_forget(cf_relay *relay, uint64_t allocation); /* after CF_RELAY_CLOSED: its number is free again */
int cf_relay_reply(cf_relay *relay, const cf_relay_client *client, const uint8_t *data, size_t len);
/* From now on the connection's bytes (inside TLS: what it protects) go to the descriptor and back, what has come
 * already first; both end together. Before that `said` (CF_RELAY_DATA_MAX bytes at most) goes to the client: nothing
 * that it answers is read as a message. It is counted and limited as the allocation's (0: as nobody's), which ends by
 * itself. The descriptor is the relay's if it returns 0. */
int cf_relay_join(cf_relay *relay, uint64_t connection, int fd, uint64_t allocation, const uint8_t *said, size_t len);
int cf_relay_hang_up(cf_relay *relay, uint64_t connection); /* after what was said before has been sent */

/* While it is there and until cf_relay_forget. -ENOENT. */
int cf_relay_traffic_of(const cf_relay *relay, uint64_t allocation, cf_relay_traffic *traffic, uint64_t *drops);
/* Of one thread, or of all (-1). */
int cf_relay_stats_of(const cf_relay *relay, int thread, cf_relay_stats *stats);
/*end*/

#endif

/* What the relay's files share: a worker with its sockets and batches, the orders that cross to it, connections, and
 * the lobby in which they wait until they have said something. */
#ifndef CONFEROCORE_RELAY_INTERNAL_H
#define CONFEROCORE_RELAY_INTERNAL_H

#include "conferocore/ring.h"
#include "rcore.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

enum {
    CF_WORKERS = 64,
    CF_LISTENERS = 16,    /* of one worker */
    CF_ORDERS = 1024,     /* waiting at one worker */
    CF_ORDERS_KEPT = 256, /* of these not for replies, which are asked for again; tables are not */
    CF_WAITING = 512,     /* requests of one worker that wait for the control side; a client repeats its own */
    CF_BATCH = 64,        /* datagrams read, and sent, in one go */
    CF_SLOT = 2048,       /* what a datagram commonly needs; longer ones go on in a place of their own */
    CF_DATAGRAM = 65536,
    CF_LISTENER_TURN = 8, /* batches of one listening socket in a turn */
    CF_RELAY_READS = 16,  /* datagrams of one relayed socket in a turn */
    CF_TURN_EVENTS = 256  /* of epoll in a turn */
};

typedef struct cf_worker cf_worker;
typedef struct cf_rconn cf_rconn;
typedef struct cf_lobby cf_lobby;

/* ---- addresses (sockets.c) ---- */

typedef union cf_name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} cf_name;

/* For a socket of this family (AF_INET6: an IPv4 address is mapped). 0: it cannot be said in it. */
socklen_t cf_name_of(const cf_addr *addr, int family, cf_name *out);
/* IPv4-mapped ones become IPv4. */
bool cf_addr_of(const cf_name *name, cf_addr *out);
/* The local address of a datagram as PKTINFO tells it, if it does; and the control message that sends from there. */
void cf_read_pktinfo(struct msghdr *header, cf_addr *local);
size_t cf_write_pktinfo(uint8_t *control, const cf_addr *local, int family);
int cf_set_int(int fd, int level, int option, int value);
/* A connection of messages, whose reader may not rest, or one whose bytes are passed on, and may. */
void cf_tune_messages(int fd);
void cf_tune_stream(int fd);
int cf_fd_family(int fd);
void cf_close_fd(int fd); /* negative is fine */

static inline int64_t cf_monotonic(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- the control side's orders ---- */

enum cf_order_op {
    CF_ORDER_OPEN,
    CF_ORDER_REFRESH,
    CF_ORDER_PERMIT,
    CF_ORDER_BIND,
    CF_ORDER_WITHDRAW,
    CF_ORDER_CLOSE,
    CF_ORDER_REPLY,
    CF_ORDER_JOIN,
    CF_ORDER_HANG_UP
};

typedef struct cf_order {
    int op;
    uint64_t number; /* allocation or connection */
    cf_relay_client client;
    cf_addr peer;
    cf_relayed *of; /* whose bytes a joined connection carries: there as long as the relay is */
    int64_t until;
    uint64_t bytes_per_second;
    int fd[2];
    int channel, count;
    cf_relay_ports ranges[CF_RELAY_RANGES];
    uint32_t len;
    uint8_t data[CF_RELAY_DATA_MAX];
} cf_order;

/* What is gone, told in a ring that has a place for everything that can go. */
typedef struct cf_gone {
    uint64_t number; /* allocation or connection */
    int32_t value;
    bool connection;
    cf_relay_client client;
} cf_gone;

/* thread + 1, generation, place: what is meant for one that is gone never reaches another. */
static inline uint64_t cf_number_of(int thread, uint32_t generation, uint32_t place) {
    return (uint64_t)(thread + 1) << 56 | (uint64_t)generation << 24 | place;
}
static inline int cf_number_thread(uint64_t number) {
    return (int)(number >> 56) - 1;
}
static inline uint32_t cf_number_place(uint64_t number) {
    return number & 0xffffff;
}

/* ---- what is sent (outgoing.c) ---- */

typedef struct cf_outgoing {
    int fd;         /* -1: the connection's */
    cf_rconn *conn; /* NULL: a datagram */
    int family;
    cf_addr to, local;
    bool dont_fragment, data; /* data: relayed, may be dropped */
    uint32_t allocation;
    uint8_t head[CF_DATA_HEAD_MAX];
    struct iovec iov[3];
    uint8_t parts;
    size_t len;
    uint32_t next; /* of the same run: one more than its place, 0: none */
} cf_outgoing;

/* The run that a batch has begun for one allocation, one way: equal datagrams to one address, which the kernel may cut
 * from one (UDP_SEGMENT). */
typedef struct cf_run {
    uint64_t batch;
    uint32_t first, last, count;
    bool closed; /* a shorter one ends it */
} cf_run;

typedef struct cf_batch {
    uint64_t number; /* so that old runs are known */
    uint32_t count;
    bool segments; /* the kernel cuts */
    bool taken[CF_BATCH];
    cf_outgoing out[CF_BATCH];
    /* What sendmmsg is given. */
    uint32_t pending;
    int pending_fd;
    uint32_t first_of[CF_BATCH];
    struct mmsghdr msgs[CF_BATCH];
    struct iovec iov[CF_BATCH * 3];
    uint32_t iov_used;
    cf_name names[CF_BATCH];
    _Alignas(struct cmsghdr)
        uint8_t control[CF_BATCH][CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
} cf_batch;

/* A place for one more message, which must be filled at once; what it points to must stay until cf_batch_flush. */
cf_outgoing *cf_batch_next(cf_worker *worker);
/* It is filled: `run` (NULL: of none) may join it to those before it. */
void cf_batch_put(cf_worker *worker, cf_outgoing *out, cf_run *run);
void cf_batch_flush(cf_worker *worker);

/* ---- a worker (worker.c) ---- */

typedef struct cf_listener {
    int fd, family;
    bool wildcard;
    cf_addr bound;
} cf_listener;

/* An allocation's sockets and runs. */
typedef struct cf_ends {
    uint64_t number; /* 0: none here */
    int fd[2];
    cf_run run[2];
} cf_ends;

typedef struct cf_incoming {
    struct mmsghdr msgs[CF_BATCH];
    struct iovec iov[CF_BATCH][2];
    cf_name from[CF_BATCH];
    int64_t of[CF_BATCH]; /* the allocation whose socket it came by */
    _Alignas(struct cmsghdr) uint8_t control[CF_BATCH][CMSG_SPACE(sizeof(struct in6_pktinfo))];
    uint8_t (*large)[CF_DATAGRAM]; /* lazily there */
    uint8_t data[CF_BATCH][CF_SLOT];
} cf_incoming;

typedef struct cf_worker_count {
    _Atomic uint64_t requests, replies, connections, accepted, timed_out, joined, turns;
} cf_worker_count;

struct cf_worker {
    /* Constant once it runs. */
    struct cf_relay *relay;
    int index, epoll, wake, up_fd;
    cf_rcore *core;
    cf_ring *down, *up, *gone, *arrivals; /* arrivals: cf_rconn pointers from the lobby */
    cf_listener listeners[CF_LISTENERS];
    int listener_count;
    atomic_bool stop, signalled;
    cf_worker_count count;
    cf_ends *ends;   /* by place; lazily there */
    cf_rconn *conns; /* by place; lazily there */
    /* The worker's own. */
    int64_t now, last_turn, window_at, rest, look_at;
    unsigned window_packets, window_requests; /* requests: those of the packets that were handed up */
    bool more, pushed;
    size_t look_next, conns_used; /* conns_used: places that have ever been */
    cf_rconn *again;              /* connections that had more than a turn's worth */
    cf_rconn *quiet;              /* those that are over their limit, one of them until quiet_until */
    int64_t quiet_until;
    uint8_t *stream; /* what is read of a connection: CF_STREAM_BUFFER bytes */
    cf_incoming in;
    cf_batch batch;
    /* The control side's own. */
    pthread_t thread;
    bool running;
    uint32_t *free_allocations, *free_connections; /* stacks of places, and */
    size_t free_allocation_count, free_connection_count;
    uint32_t *allocation_generation, *connection_generation;
    uint8_t *allocation_state; /* enum cf_place_state */
    size_t open_connections;
};

enum cf_place_state { CF_PLACE_FREE, CF_PLACE_LIVE, CF_PLACE_CLOSING, CF_PLACE_GONE };

void *cf_worker_run(void *worker); /* the thread */
void cf_ring_bell(int eventfd);
int cf_worker_init(cf_worker *worker, struct cf_relay *relay, int index);
int cf_worker_start(cf_worker *worker);
void cf_worker_stop(cf_worker *worker);
void cf_worker_close(cf_worker *worker);
void cf_worker_tell_gone(cf_worker *worker, const cf_gone *gone);
void cf_worker_push(cf_worker *worker, const cf_relay_event *event);
/* The core's callbacks (arg: the cf_worker). */
void cf_worker_send(void *arg, const cf_out *out);
void cf_worker_request(void *arg, const cf_path *client, int transport, const uint8_t *data, size_t len);
/* Fills in where it goes; *run: the connection's own, if it is one. False: the client is gone. */
bool cf_worker_to_client(cf_worker *worker, const cf_path *client, cf_outgoing *out, cf_run **run);
void cf_worker_wake(cf_worker *worker); /* orders, or a connection of the lobby's, wait */
/* worker_orders.c */
void cf_worker_obey(cf_worker *worker, cf_order *order);
/* incoming.c */
int cf_incoming_init(cf_incoming *in);
void cf_incoming_listener(cf_worker *worker, const cf_listener *listener, int number);
/* What the relayed sockets hold that epoll has named: tags of places, lowest bit the family. */
void cf_incoming_relayed(cf_worker *worker, const uint32_t *tags, int n);

/* What epoll tells. */
enum cf_tag { CF_TAG_WAKE = 1, CF_TAG_LISTENER, CF_TAG_RELAYED, CF_TAG_CONN, CF_TAG_JOINED };
static inline uint64_t cf_tag_of(enum cf_tag tag, uint32_t n) {
    return (uint64_t)tag << 32 | n;
}
int cf_watch(int epoll, int op, int fd, uint32_t events, uint64_t tag);

/* ---- the relay (relay.c) ---- */

struct cf_relay {
    cf_relay_config config;
    int up_fd, threads;
    bool started;
    int turn; /* the worker whose events are taken first next time */
    int next; /* the worker that is asked first for a new connection */
    cf_gate to_peer, to_client;
    cf_lobby *lobby;
    cf_worker *workers[CF_WORKERS];
};

#endif

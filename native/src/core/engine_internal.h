/* What the engine's files share: a media thread, its sockets, the commands that cross to it, and the control side's
 * handles. */
#ifndef CONFEROCORE_ENGINE_INTERNAL_H
#define CONFEROCORE_ENGINE_INTERNAL_H

#include "conferocore/engine.h"
#include "conferocore/ice.h"
#include "conferocore/mixer.h"
#include "conferocore/ring.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

enum {
    CF_ENGINE_THREADS = 64,
    CF_ENGINE_ROOMS = 16384,   /* of one thread: idle ones cost next to nothing */
    CF_ENGINE_LEGS = 8192,     /* of one thread */
    CF_ENGINE_SOCKETS = 16512, /* of one thread: two for each leg, and the shared ones */
    CF_ENGINE_TAPS = 256,
    CF_ENGINE_PLAYS = 1024,
    CF_COMMANDS = 4096,      /* of one thread: submitted and not yet completed */
    CF_COMMANDS_KEPT = 1024, /* of these only for removals, so that taking down always finds room */
    CF_EVENTS = 4096,        /* of one thread: waiting for the control side */
    CF_DTLS_MAX = 1500,
    CF_RX_BATCH = 32,
    CF_RX_TURN = 512, /* datagrams of one socket before the others have their turn: half a millisecond of work, and what
                       * comes at 100,000 a second during a tick of 5 ms */
    CF_RX_DATA = 2048,    /* a longer datagram is nothing that we speak: dropped and counted */
    CF_TURN_EVENTS = 256, /* of epoll in one turn */
    CF_TX_BATCH = 64,
    CF_TX_DATA = 1536 /* no less than CF_DATAGRAM_MAX, and whole cache lines */
};

typedef struct cf_media cf_media;
typedef struct cf_conn cf_conn;
typedef struct cf_conns cf_conns;

/* ---- sockets (engine_udp.c) ---- */

typedef struct cf_socket {
    int fd;
    cf_addr bound;
    bool shared, wildcard; /* wildcard: PKTINFO tells and sets the local address */
    bool stream;           /* TCP for one RTP leg: it goes by the connection */
    uint32_t conn;         /* media thread: the number of that; 0: none */
    bool listener;         /* TCP: whoever comes in has a number of its own (engine_tcp.h) */
    bool resting;          /* media thread: a listener that is not listened to */
    uint32_t number;
    bool closing;   /* control side */
    unsigned users; /* control side: legs that send from it */
    bool connected; /* media thread: it has one peer, and nothing else comes in */
    unsigned taken; /* media thread: datagrams that came before it was connected */
} cf_socket;

/* What a path needs of sockaddr_storage's 128 bytes. */
typedef union cf_sockaddr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} cf_sockaddr;

/* The address that a datagram was sent to, and when it came. */
#define CF_RX_CONTROL (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct timespec)))

typedef struct cf_rx {
    struct mmsghdr msgs[CF_RX_BATCH];
    struct iovec iov[CF_RX_BATCH];
    cf_sockaddr from[CF_RX_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[CF_RX_BATCH][CF_RX_CONTROL];
    uint8_t data[CF_RX_BATCH][CF_RX_DATA];
} cf_rx;

typedef struct cf_tx {
    unsigned count;
    cf_conns *conns; /* NULL: there is no TCP */
    uint32_t socket[CF_TX_BATCH];
    struct mmsghdr msgs[CF_TX_BATCH];
    struct iovec iov[CF_TX_BATCH];
    cf_sockaddr to[CF_TX_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[CF_TX_BATCH][CMSG_SPACE(sizeof(struct in6_pktinfo))];
    uint8_t data[CF_TX_BATCH][CF_TX_DATA];
} cf_tx;

/* 0: a family that is neither; false: likewise. */
socklen_t cf_to_sockaddr(const cf_addr *addr, cf_sockaddr *out);
bool cf_from_sockaddr(const cf_sockaddr *in, cf_addr *addr);
/* A bound, non-blocking UDP socket, or a negative errno. */
int cf_udp_open(const cf_addr *addr, bool shared, cf_socket *out);
void cf_rx_init(cf_rx *rx);
void cf_tx_init(cf_tx *tx);
/* One batch of a socket's datagrams, from 0 on: how many, 0 when nothing waits. */
int cf_rx_read(cf_rx *rx, const cf_socket *socket);
/* One datagram into place i, so that a batch can be of many sockets; false when nothing waits. */
bool cf_rx_read_one(cf_rx *rx, int i, const cf_socket *socket);
/* A datagram as it came. */
typedef struct cf_datagram {
    cf_path path;
    uint8_t *data;
    size_t len;
    int64_t came; /* when the kernel took it, ns of the wall clock; 0: it did not say */
} cf_datagram;
/* Datagram i of the batch; false for one that is too long or of a strange family. */
bool cf_rx_get(cf_rx *rx, int i, const cf_socket *socket, uint32_t number, cf_datagram *out);
/* Where the next datagram of the batch is written, which must have room: CF_TX_DATA bytes; and its putting in, false if
 * it is too long or has no address. */
uint8_t *cf_tx_room(cf_tx *tx);
bool cf_tx_commit(cf_tx *tx, const cf_path *path, size_t len);
/* The same for a datagram that stands elsewhere. */
bool cf_tx_put(cf_tx *tx, const cf_path *path, const uint8_t *data, size_t len);
/* Sends and empties the batch; how many the kernel refused (they are gone: late media is worse than lost media). */
unsigned cf_tx_flush(cf_tx *tx, cf_socket *_Atomic const *sockets);
/* Closes what it has. NULL is fine. */
void cf_socket_free(cf_socket *socket);
/* From now on datagrams come from and go to this address alone, which saves the search for a route with each; and back.
 * Not a wildcard socket, which would be bound to one local address by it. 0, or a negative errno and nothing has
 * changed.
 */
int cf_udp_connect(cf_socket *socket, const cf_addr *remote);
int cf_udp_disconnect(cf_socket *socket);
/* What the kernel has dropped because the socket's buffer was full, since it was opened. */
uint32_t cf_udp_drops(const cf_socket *socket);

/* ---- connections (engine_tcp.h) ---- */

/* Numbers from here on are connections': place and generation, so that what is meant for one that is closed never
 * reaches another. */
#define CF_TCP_FIRST (UINT32_C(1) << 31)
enum { CF_TCP_PLACE_BITS = 12 };

static inline uint32_t cf_conn_number(uint32_t place, uint32_t generation) {
    return CF_TCP_FIRST | (generation << CF_TCP_PLACE_BITS & (CF_TCP_FIRST - 1)) | place;
}
static inline uint32_t cf_conn_place(uint32_t number) {
    return number & ((UINT32_C(1) << CF_TCP_PLACE_BITS) - 1);
}

/* Datagrams in a row for one connection; how many were dropped. */
unsigned cf_conns_send(cf_conns *conns, uint32_t number, const struct mmsghdr *msgs, unsigned n);

/* ---- commands: down, executed, and back up as their own completion (engine_commands.c) ---- */

enum cf_op {
    CF_OP_SOCKET_CLOSE,
    CF_OP_SOCKET_CONNECT,
    CF_OP_ROOM_ADD,
    CF_OP_ROOM_REMOVE,
    CF_OP_LEG_ADD,
    CF_OP_LEG_REMOVE,
    CF_OP_LEG_MOVE,
    CF_OP_LEG_MUTE,
    CF_OP_LEG_DEAF,
    CF_OP_LEG_GAIN,
    CF_OP_LEG_EAR,
    CF_OP_LEG_SUSPEND,
    CF_OP_LEG_HOLD,
    CF_OP_LEG_ASIDE,
    CF_OP_LEG_GATE,
    CF_OP_LEG_AGC,
    CF_OP_PAIR,
    CF_OP_UNPAIR,
    CF_OP_LEG_REMOTE,
    CF_OP_LEG_PROVE,
    CF_OP_LEG_ICE,
    CF_OP_LEG_KEYS,
    CF_OP_LEG_DTLS,
    CF_OP_TAP,
    CF_OP_UNTAP,
    CF_OP_ROOM_PLAY,
    CF_OP_LEG_PLAY,
    CF_OP_ROOM_STOP,
    CF_OP_LEG_STOP,
    CF_OP_LEG_LISTEN,
    CF_OP_LEG_DIGITS,
    CF_OP_COUNT
};

typedef struct cf_command {
    int op, result;
    uint64_t id;           /* leg, room or socket */
    int64_t value;         /* flag, gain, length, or the other room */
    void *object, *second; /* what goes down; on the way up: what is the control side's to free */
    cf_addr rtp, rtcp;
} cf_command;

typedef struct cf_ice_restart {
    char local_ufrag[33], local_pwd[65], remote_ufrag[33];
} cf_ice_restart;

/* What goes up: an event of the core, or a command that has been done. One ring keeps their order. */
typedef struct cf_up {
    bool done;
    union {
        cf_event event;
        cf_command command;
    };
} cf_up;

/* ---- a media thread (engine_thread.c) ---- */

struct cf_media {
    /* Set before the thread starts, then constant. */
    int index, epoll, wake, timer; /* wake: an eventfd that says commands wait */
    int up_fd;                     /* the engine's eventfd */
    int nice;                      /* 0: as the process */
    cf_conns *conns;               /* NULL: no TCP */
    cf_core *core;
    cf_ring *down, *up;
    /* Shared. The control side puts a socket in, the media thread takes it out. */
    cf_socket *_Atomic sockets[CF_ENGINE_SOCKETS];
    atomic_bool stop;
    _Atomic uint64_t send_failures, unusable, events_lost, commands, tick_ns_max, tick_ns_sum, io_ns, tcp_open,
        tcp_refused;
    /* The media thread's own. */
    int64_t now, armed;
    int64_t last_turn, window_at; /* ns */
    int64_t wall_at;              /* when the wall clock was last read, ns */
    int64_t wall_offset;          /* wall clock less ours, ns */
    unsigned window_packets;      /* since window_at */
    bool busy;                    /* so many that turns are spaced */
    bool more;                    /* a socket had more than one turn's worth: the next turn comes at once */
    unsigned calls;               /* that send or receive, timed or not */
    uint64_t lost_untold;
    bool pushed;
    cf_rx rx;
    int held;                      /* datagrams of legs' own sockets in rx, not yet taken in, ... */
    uint32_t held_of[CF_RX_BATCH]; /* ... and whose each is */
    cf_tx tx;
    /* The control side's own. */
    pthread_t thread;
    bool running;
    size_t outstanding, rooms, legs, shared_sockets;
    uint32_t free_sockets[CF_ENGINE_SOCKETS];
    size_t free_count;
};

int cf_media_init(cf_media *media, int index, int up_fd, uint64_t seed);
void cf_media_close(cf_media *media);
int cf_media_start(cf_media *media);
void cf_media_stop(cf_media *media);
/* On the media thread, or after it has ended: does every command that waits. */
void cf_media_run_commands(cf_media *media);
/* Ticks if it is time; the latter only if it has been time for a while, so that what had come before is taken in first.
 */
void cf_media_advance(cf_media *media);
void cf_media_advance_late(cf_media *media);
/* engine_io.c: sends what is batched; takes in what the sockets hold that epoll has named. */
void cf_media_flush(cf_media *media);
struct epoll_event;
void cf_media_receive(cf_media *media, const struct epoll_event *ready, int n);
/* engine_io.c: one call in so many is timed, for io_ns. */
int64_t cf_meter_start(cf_media *media);
void cf_meter_stop(cf_media *media, int64_t begin);
/* engine_io.c: an RTP leg's media may come from elsewhere again. */
void cf_media_unsettle(cf_media *media, uint64_t leg);
/* What the core calls for each datagram (arg: the cf_media). */
void cf_media_send(void *arg, const cf_path *path, const uint8_t *data, size_t len);
uint8_t *cf_media_reserve(void *arg);
void cf_media_commit(void *arg, const cf_path *path, size_t len);
/* What the core calls with an event (arg: the cf_media). */
void cf_media_event(void *arg, const cf_event *event);
/* Reads the wall clock for the core, at most once a second. */
void cf_media_wall(cf_media *media);
void cf_media_push_done(cf_media *media, const cf_command *command);
void cf_command_execute(cf_media *media, cf_command *command);

static inline int64_t cf_clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A counter with one writer: no locked instruction is needed. */
static inline void cf_count(_Atomic uint64_t *counter, uint64_t n) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}
static inline void cf_count_to(_Atomic uint64_t *counter, uint64_t n) {
    atomic_store_explicit(counter, n, memory_order_relaxed);
}
static inline uint64_t cf_counted(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ---- the control side's handles (engine_handles.c) ---- */

typedef struct cf_handle {
    struct cf_handle *next;
    uint64_t id;
} cf_handle;

typedef struct cf_table {
    cf_handle **buckets;
    size_t size, count; /* size: a power of two */
} cf_table;

typedef struct cf_room_handle {
    cf_handle base;
    cf_media *media;
    size_t legs;  /* that are not leaving */
    bool leaving; /* its removal is under way */
} cf_room_handle;

typedef struct cf_leg_handle {
    cf_handle base;
    int kind; /* enum cf_leg_kind */
    cf_media *media;
    cf_leg *leg; /* NULL: the core refused it */
    cf_room_handle *room;
    cf_socket *rtp, *rtcp; /* RTP legs; equal with rtcp-mux */
    bool dtls;             /* datagrams of DTLS go up and down */
    bool leaving;          /* its removal is under way */
    int refused;           /* why the core did not take it */
} cf_leg_handle;

typedef enum cf_tap_state { CF_TAP_UNUSED, CF_TAP_LIVE, CF_TAP_ENDING, CF_TAP_ENDED } cf_tap_state;

typedef struct cf_tap_handle {
    cf_tap_state state;
    bool forgotten; /* nobody will read it again */
    int point;
    uint64_t id;
    cf_tap *tap;
    cf_media *media;
} cf_tap_handle;

typedef struct cf_play_handle {
    uint64_t number; /* 0: unused */
    bool room;       /* where it plays: a room or a leg */
    uint64_t id;
    cf_playing *playing;
} cf_play_handle;

int cf_table_init(cf_table *table);
/* Frees every handle that is left. */
void cf_table_free(cf_table *table);
void *cf_table_find(const cf_table *table, uint64_t id);
/* -ENOMEM, and the handle stays the caller's. The id must not be in the table. */
int cf_table_add(cf_table *table, cf_handle *handle);
void cf_table_remove(cf_table *table, cf_handle *handle);

struct cf_engine {
    int up_fd, threads;
    bool started;
    int turn; /* the thread whose events are taken first next time */
    cf_rng rng;
    cf_table rooms, legs;
    cf_tap_handle taps[CF_ENGINE_TAPS];
    cf_play_handle plays[CF_ENGINE_PLAYS];
    uint64_t next_play; /* numbers are not used again */
    cf_media *media[CF_ENGINE_THREADS];
};

/* Room for n more commands? Removals may use what is kept for them. */
bool cf_may_submit(const cf_media *media, size_t n, bool removal);
void cf_submit(cf_media *media, const cf_command *command);
/* Takes one completion back; true if *event says something that the caller should hear. */
bool cf_complete(cf_engine *engine, cf_media *media, cf_command *command, cf_event *event);
cf_media *cf_engine_media(const cf_engine *engine, int thread);
/* engine_legs.c: the leg no longer counts in its room and no longer uses its sockets. */
void cf_leg_let_go(cf_leg_handle *leg);
/* The leg's thread has room for one command more: then it is submitted. -ENOENT, -EAGAIN. */
int cf_command_leg(cf_engine *engine, uint64_t id, cf_command *command);
/* engine_plays.c: the media thread has let go of it; at the very end. */
void cf_plays_ended(cf_engine *engine, uint64_t number);
void cf_plays_free(cf_engine *engine);
/* engine_taps.c: how many live taps hang on a leg or room; ending them; their commands' completions; freeing all. */
size_t cf_taps_on(const cf_engine *engine, bool room, uint64_t id);
void cf_taps_end(cf_engine *engine, bool room, uint64_t id);
void cf_taps_done(cf_engine *engine, const cf_command *command);
void cf_taps_free(cf_engine *engine);

#endif

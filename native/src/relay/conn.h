/* Connections of a worker: streams of STUN and ChannelData, plain or in TLS, or bytes that are passed to a descriptor.
 */
#ifndef CONFEROCORE_RELAY_CONN_H
#define CONFEROCORE_RELAY_CONN_H

#include "internal.h"

enum {
    CF_RCONN_READ = 32768, /* bytes of one connection in one go */
    CF_RCONN_READS = 4,    /* of these in a turn */
    CF_STREAM_BUFFER = CF_TURN_MESSAGE_MAX + CF_RCONN_READ,
    /* What may wait for a slow client: beyond CF_QUEUE_DATA no relayed message, beyond CF_QUEUE_REPLIES it is hung up.
     */
    CF_QUEUE_DATA = 65536,
    CF_QUEUE_REPLIES = CF_QUEUE_DATA + 16384,
    CF_QUEUE_SIZE = CF_QUEUE_REPLIES + CF_TURN_MESSAGE_MAX, /* and what has begun is finished */
    CF_LOOK_MS = 250                                        /* so often silent ones are looked for */
};
#define CF_RCONN_FIRST (UINT32_C(1) << 31) /* from here on a path's socket is a connection's place */

/* While it is in the lobby, all but `number`, `doomed` is the lobby's. */
struct cf_rconn {
    uint64_t number;         /* 0: none here */
    uint64_t entering;       /* the number that it will have */
    _Atomic uint64_t doomed; /* hung up before it came */
    cf_worker *worker;
    int fd, joined, how; /* joined: -1, or where the bytes go */
    int error;           /* why it has failed or is broken */
    SSL *ssl;            /* NULL: in the clear */
    cf_addr peer, local;
    int64_t heard, speak_by; /* speak_by: by then there must have been a message */
    uint32_t watched, joined_watched;
    bool shaking;        /* the lobby: TLS has begun */
    bool spoken, parked; /* parked: it is not STUN, and nobody has said yet where it goes */
    bool ending, eof;    /* ending: to be closed when the queue is empty; eof: when `part` is */
    bool wants_write, again;
    bool broken;           /* to be closed as soon as it has its turn: with `error` */
    cf_rconn *prev, *next; /* in the lobby, by age */
    cf_rconn *again_next, *quiet_next;
    cf_relayed *of;       /* whose the joined bytes are; NULL: nobody's, without a limit */
    int64_t quiet_for[2]; /* by enum cf_out_to: until when nothing is read that goes there */
    bool quiet;           /* on the worker's list */
    cf_run run;
    size_t part_len, queue_at, queue_len;
    uint8_t part[CF_TURN_MESSAGE_MAX]; /* of the next message; or what the joined descriptor does not take */
    uint8_t queue[CF_QUEUE_SIZE];
};

/* ---- conn.c ---- */

cf_rconn *cf_rconns_new(uint32_t n); /* only what is used is there in fact */
void cf_rconns_free(cf_worker *worker);
bool cf_rconns_any(const cf_worker *worker);
/* What the lobby has let in comes to be the worker's; what epoll has named is read and written. */
struct epoll_event;
void cf_rconns_turn(cf_worker *worker, const struct epoll_event *ready, int n);
/* Who is silent for too long is hung up: when the clock says so. */
void cf_rconns_look(cf_worker *worker);
cf_rconn *cf_rconn_of(cf_worker *worker, const cf_path *path);
cf_rconn *cf_rconn_find(cf_worker *worker, uint64_t number); /* NULL: it is gone */
bool cf_rconn_path(cf_worker *worker, uint64_t number, cf_path *path);
void cf_rconn_name(const cf_worker *worker, const cf_path *path, cf_relay_client *client);
cf_path cf_path_of(const cf_rconn *conn);
void cf_rconn_close(cf_rconn *conn, int why);
void cf_rconn_hang_up(cf_worker *worker, uint64_t number);
/* epoll is told what the connection, and what it is joined to, waits for; who waits for nothing is taken out, or epoll
 * would name it for ever once its peer has gone. */
void cf_rconn_watch(cf_rconn *conn);
void cf_rconn_again(cf_rconn *conn);

/* ---- conn_io.c ---- */

/* Bytes; 0: none now; negative: no more. */
ssize_t cf_rconn_read(cf_rconn *conn, uint8_t *out, size_t len);
ssize_t cf_rconn_write(cf_rconn *conn, const uint8_t *data, size_t len);
void cf_rconn_take(cf_rconn *conn); /* reads messages */
/* A run of the batch. */
void cf_rconn_send(cf_worker *worker, cf_rconn *conn, uint32_t place);
/* Bytes behind what waits already; false: there is no room. */
bool cf_rconn_queue(cf_rconn *conn, const uint8_t *data, size_t len, size_t limit);
void cf_rconn_drain(cf_rconn *conn);          /* writes what waits */
void cf_rconn_break(cf_rconn *conn, int why); /* it is closed when it has its turn, which comes at once */

/* ---- conn_join.c ---- */

void cf_rconn_join(cf_worker *worker, const cf_order *order);
bool cf_rconn_is_quiet(const cf_rconn *conn, cf_out_to to);
/* Those whose time it is go on. */
void cf_rconns_wake(cf_worker *worker);
void cf_rconn_forget_quiet(cf_rconn *conn);
void cf_rconn_pass(cf_rconn *conn);                       /* from the connection to what it is joined to */
void cf_rconn_pass_back(cf_rconn *conn, uint32_t events); /* epoll has named that */

#endif

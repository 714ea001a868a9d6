/* Media over TCP: connections of a media thread, each a path like an address of UDP (RFC 6544, RFC 4571). */
#ifndef CONFEROCORE_ENGINE_TCP_H
#define CONFEROCORE_ENGINE_TCP_H

#include "conferocore/framing.h"
#include "engine_internal.h"

enum {
    CF_TCP_CONNS = 4096,    /* of one thread; a power of two */
    CF_TCP_NEW = 256,       /* of these, that have not shown yet whose they are; beyond, the oldest is closed */
    CF_TCP_NEW_SOURCE = 32, /* of these, from one host: an office behind one address may all come at once */
    CF_TCP_NEW_FRAMES = 16, /* a new one's checks: they may come before the leg that they are for */
    CF_TCP_ACCEPTS = 16,    /* of one listener in a turn */
    CF_TCP_READ = 16384     /* bytes of one connection in a turn */
};
#define CF_TCP_NEW_NS INT64_C(5000000000) /* as long as a new one may take */
#define CF_TCP_LOOK_NS INT64_C(250000000) /* so often all this is looked at */

struct cf_conn {
    uint32_t number; /* 0: free. From CF_TCP_FIRST on; a place that is used again has another */
    uint32_t generation;
    int fd;
    cf_path path;
    cf_conn *prev, *next; /* among the new ones, by age; next also among the free ones */
    int64_t since;
    unsigned frames;
    cf_socket *owner; /* an RTP leg's, which lives longer; NULL: of a WebRTC leg, or a stranger's */
    bool proven;      /* the core has tabled its path */
    bool doubtful;    /* at the last look no leg had it any more */
    bool writing;     /* epoll tells when it takes more */
    cf_frame_reader in;
    cf_frame_queue out;
};

/* Big, but only what was used is there in fact. The media thread's own once it runs. */
struct cf_conns {
    cf_media *media;
    cf_conn *free, *oldest, *newest; /* oldest, newest: of the new ones */
    size_t used;                     /* places that have ever been used */
    size_t open, fresh;              /* fresh: new ones */
    int64_t look_at;
    size_t look_next;
    bool resting; /* a listener rests because there was no descriptor to be had */
    uint8_t data[CF_FRAME_HEAD + CF_FRAME_MAX + CF_TCP_READ];
    cf_conn conn[CF_TCP_CONNS];
};

/* ---- engine_tcp.c ---- */

/* NULL without memory. Freeing closes what is open. */
cf_conns *cf_conns_new(cf_media *media);
void cf_conns_free(cf_conns *conns);
/* A listening, non-blocking socket, or a negative errno. */
int cf_tcp_listen(const cf_addr *addr, cf_socket *out);
/* Whoever waits at a listener comes in. */
void cf_conns_accept(cf_conns *conns, cf_socket *listener);
/* What lasts too long, or belongs to no leg any more, is closed: when the clock says so. */
void cf_conns_look(cf_conns *conns);
int64_t cf_conns_deadline(const cf_conns *conns); /* INT64_MAX: nothing to look at */
/* A place for a connection, not yet listed or watched; NULL: all are taken. */
cf_conn *cf_conn_begin(cf_conns *conns, int fd, const cf_addr *remote);
/* False: epoll would not, and it is closed. */
bool cf_conn_watch(cf_conns *conns, cf_conn *conn, uint32_t events);
void cf_conn_close(cf_conns *conns, cf_conn *conn);
/* The core has tabled its path: from now on it lives as long as that. */
void cf_conn_prove(cf_conns *conns, cf_conn *conn);

/* ---- engine_tcp_legs.c ---- */

/* The connection of an RTP leg's socket, connected or about to be: true, and the descriptor is its own. */
bool cf_conns_adopt(cf_conns *conns, cf_socket *owner, int fd, const cf_addr *remote);
/* A descriptor that connects from this address, or a negative errno. */
int cf_tcp_connect(const cf_addr *from, const cf_addr *to);
/* The connection that an RTP leg's socket has is closed. */
void cf_conns_let_go(cf_conns *conns, const cf_socket *owner);

/* ---- engine_tcp_io.c ---- */

cf_conn *cf_conn_find(cf_conns *conns, uint32_t number); /* NULL: it is closed */
/* epoll has named it. */
void cf_conn_ready(cf_conns *conns, uint32_t number, uint32_t events);

#endif

/* TCP connections of a media thread: who comes in, for how long it may stay a stranger, and when it is closed. */
#include "engine_tcp.h"

#include "base/lazy.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    BACKLOG = 128,
    /* Bytes that the kernel holds beyond what the network has taken: what waits longer waits in our queue, where the
     * oldest can go. */
    UNSENT_MAX = 4096,
    GIVEN_UP_MS = 10000, /* the peer has acknowledged nothing for this long (RFC 5482) */
    LOOKED_AT = 512      /* connections in one look */
};

/* ---- memory ---- */

cf_conns *cf_conns_new(cf_media *media) {
    cf_conns *conns = cf_lazy_new(sizeof *conns);
    if (conns != NULL)
        conns->media = media;
    return conns;
}

void cf_conns_free(cf_conns *conns) {
    if (conns == NULL)
        return;
    for (size_t i = 0; i < conns->used; i++)
        if (conns->conn[i].number != 0)
            close(conns->conn[i].fd);
    cf_lazy_free(conns);
}

/* ---- sockets ---- */

static int set_int(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

/* Sockets of those who came earlier and are being forgotten do not hold the port. */
static int set_up(const cf_addr *addr, cf_socket *s) {
    cf_sockaddr name;
    socklen_t len = cf_to_sockaddr(addr, &name);
    int rc = set_int(s->fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0 && addr->family == 6)
        rc = set_int(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (rc < 0)
        return rc;
    if (bind(s->fd, &name.any, len) < 0 || listen(s->fd, BACKLOG) < 0 || getsockname(s->fd, &name.any, &len) < 0)
        return -errno;
    cf_from_sockaddr(&name, &s->bound);
    return 0;
}

int cf_tcp_listen(const cf_addr *addr, cf_socket *out) {
    if (addr->family != 4 && addr->family != 6)
        return -EAFNOSUPPORT;
    *out = (cf_socket){.listener = true};
    out->fd = socket(addr->family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (out->fd < 0)
        return -errno;
    int rc = set_up(addr, out);
    if (rc < 0)
        close(out->fd);
    return rc;
}

/* Where one of these is not to be had the connection works, only later. */
static void tune(int fd) {
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX);
    set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, GIVEN_UP_MS);
}

/* ---- the new ones, by age ---- */

static void list_new(cf_conns *conns, cf_conn *conn) {
    conn->prev = conns->newest;
    conn->next = NULL;
    *(conns->newest != NULL ? &conns->newest->next : &conns->oldest) = conn;
    conns->newest = conn;
    conns->fresh++;
}

static void unlist(cf_conns *conns, cf_conn *conn) {
    *(conn->prev != NULL ? &conn->prev->next : &conns->oldest) = conn->next;
    *(conn->next != NULL ? &conn->next->prev : &conns->newest) = conn->prev;
    conns->fresh--;
}

/* The address, or of IPv6 the network that one host commonly has for itself. */
static bool same_source(const cf_addr *a, const cf_addr *b) {
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == 4 ? 4 : 8) == 0;
}

static unsigned new_from(const cf_conns *conns, const cf_addr *source) {
    unsigned n = 0;
    for (const cf_conn *conn = conns->oldest; conn != NULL; conn = conn->next)
        n += same_source(&conn->path.remote, source);
    return n;
}

void cf_conn_prove(cf_conns *conns, cf_conn *conn) {
    unlist(conns, conn);
    conn->proven = true;
}

/* ---- coming and going ---- */

static cf_conn *place(cf_conns *conns) {
    cf_conn *conn = conns->free;
    if (conn != NULL)
        conns->free = conn->next;
    else if (conns->used < CF_TCP_CONNS)
        conn = &conns->conn[conns->used++];
    return conn;
}

cf_conn *cf_conn_begin(cf_conns *conns, int fd, const cf_addr *remote) {
    cf_conn *conn = place(conns);
    if (conn == NULL)
        return NULL;
    tune(fd);
    conn->generation++; /* all that is kept from the one before */
    conn->number = cf_conn_number((uint32_t)(conn - conns->conn), conn->generation);
    conn->fd = fd;
    conn->path = (cf_path){.socket = conn->number, .remote = *remote};
    conn->since = conns->media->now;
    conn->frames = 0;
    conn->owner = NULL;
    conn->proven = conn->doubtful = conn->writing = false;
    conn->in.have = 0;
    cf_frame_queue_init(&conn->out);
    if (conns->open++ == 0)
        conns->look_at = conns->media->now + CF_TCP_LOOK_NS;
    cf_count_to(&conns->media->tcp_open, conns->open);
    return conn;
}

void cf_conn_close(cf_conns *conns, cf_conn *conn) {
    cf_media *media = conns->media;
    if (conn->owner != NULL) {
        conn->owner->conn = 0;
    } else if (conn->proven) {
        cf_core_path_closed(media->core, &conn->path);
    } else {
        unlist(conns, conn);
        cf_count(&media->tcp_refused, 1);
    }
    close(conn->fd); /* and so out of epoll */
    conn->number = 0;
    conn->next = conns->free;
    conns->free = conn;
    cf_count_to(&media->tcp_open, --conns->open);
}

/* Drop rules: a host's newest, of all strangers the oldest; an honest browser's check follows at once. */
static bool may_come(cf_conns *conns, const cf_addr *remote) {
    if (new_from(conns, remote) >= CF_TCP_NEW_SOURCE)
        return false;
    if (conns->fresh >= CF_TCP_NEW)
        cf_conn_close(conns, conns->oldest);
    return true;
}

bool cf_conn_watch(cf_conns *conns, cf_conn *conn, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u32 = conn->number};
    if (epoll_ctl(conns->media->epoll, EPOLL_CTL_ADD, conn->fd, &event) == 0)
        return true;
    cf_conn_close(conns, conn);
    return false;
}

/* True: the descriptor is the connection's. */
static bool come_in(cf_conns *conns, int fd, const cf_addr *remote) {
    cf_conn *conn = may_come(conns, remote) ? cf_conn_begin(conns, fd, remote) : NULL;
    if (conn == NULL)
        return false;
    list_new(conns, conn);
    cf_conn_watch(conns, conn, EPOLLIN);
    return true;
}

/* ---- listeners ---- */

static void listen_for(const cf_conns *conns, cf_socket *listener, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u32 = listener->number};
    epoll_ctl(conns->media->epoll, EPOLL_CTL_MOD, listener->fd, &event);
    listener->resting = events == 0;
}

static bool admit(cf_conns *conns, cf_socket *listener, int fd, const cf_addr *remote) {
    return listener->stream ? cf_conns_adopt(conns, listener, fd, remote) : come_in(conns, fd, remote);
}

void cf_conns_accept(cf_conns *conns, cf_socket *listener) {
    for (int i = 0; i < CF_TCP_ACCEPTS; i++) {
        cf_sockaddr name;
        socklen_t len = sizeof name;
        int fd = accept4(listener->fd, &name.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            listen_for(conns, listener, 0); /* or epoll would name it for ever, while nobody can come in */
            conns->resting = true;
            return;
        }
        if (fd < 0)
            return;
        cf_addr remote;
        if (!cf_from_sockaddr(&name, &remote) || !admit(conns, listener, fd, &remote)) {
            close(fd);
            cf_count(&conns->media->tcp_refused, 1);
        }
    }
}

/* ---- by the clock ---- */

static void wake_listeners(cf_conns *conns) {
    conns->resting = false;
    for (uint32_t n = 0; n < CF_ENGINE_SOCKETS; n++) {
        cf_socket *socket = atomic_load_explicit(&conns->media->sockets[n], memory_order_acquire);
        if (socket != NULL && socket->resting)
            listen_for(conns, socket, EPOLLIN);
    }
}

/* Twice in a row: a path changes hands between a leg and the one that replaces it. */
static void look_at(cf_conns *conns, cf_conn *conn) {
    if (conn->number == 0 || !conn->proven || conn->owner != NULL)
        return;
    bool wanted = cf_core_has_path(conns->media->core, &conn->path);
    if (!wanted && conn->doubtful)
        cf_conn_close(conns, conn);
    conn->doubtful = !wanted;
}

void cf_conns_look(cf_conns *conns) {
    int64_t now = conns->media->now;
    if (now < cf_conns_deadline(conns))
        return;
    conns->look_at = now + CF_TCP_LOOK_NS;
    while (conns->oldest != NULL && now - conns->oldest->since >= CF_TCP_NEW_NS)
        cf_conn_close(conns, conns->oldest);
    size_t n = conns->used < LOOKED_AT ? conns->used : LOOKED_AT;
    for (; n > 0; n--) {
        conns->look_next = conns->look_next + 1 < conns->used ? conns->look_next + 1 : 0;
        look_at(conns, &conns->conn[conns->look_next]);
    }
    if (conns->resting)
        wake_listeners(conns);
}

int64_t cf_conns_deadline(const cf_conns *conns) {
    return conns->open > 0 || conns->resting ? conns->look_at : INT64_MAX;
}

/* The engine's UDP sockets: opening, reading and sending in batches, and the local address by PKTINFO. */
#include "engine_internal.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a shared socket asks for in each direction: the default holds 256 packets, a tick of a full room many more. The
 * sysctl caps it. */
enum { SHARED_BUFFER = 4 << 20 };

socklen_t cf_to_sockaddr(const cf_addr *addr, cf_sockaddr *out) {
    if (addr->family == 4) {
        out->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(addr->port)};
        memcpy(&out->v4.sin_addr, addr->ip, 4);
        return sizeof out->v4;
    }
    if (addr->family == 6) {
        out->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
        memcpy(&out->v6.sin6_addr, addr->ip, 16);
        return sizeof out->v6;
    }
    return 0;
}

bool cf_from_sockaddr(const cf_sockaddr *in, cf_addr *addr) {
    *addr = (cf_addr){0};
    if (in->any.sa_family == AF_INET) {
        addr->family = 4;
        addr->port = ntohs(in->v4.sin_port);
        memcpy(addr->ip, &in->v4.sin_addr, 4);
        return true;
    }
    if (in->any.sa_family == AF_INET6) {
        addr->family = 6;
        addr->port = ntohs(in->v6.sin6_port);
        memcpy(addr->ip, &in->v6.sin6_addr, 16);
        return true;
    }
    return false;
}

static bool is_wildcard(const cf_addr *addr) {
    static const uint8_t any[16];
    return memcmp(addr->ip, any, addr->family == 4 ? 4 : 16) == 0;
}

static int set_int(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static void raise_buffers(int fd) {
    /* FORCE goes past the sysctl where we are privileged; either may fail, and then the default has to do. */
    if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, SHARED_BUFFER) < 0)
        set_int(fd, SOL_SOCKET, SO_RCVBUF, SHARED_BUFFER);
    if (set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, SHARED_BUFFER) < 0)
        set_int(fd, SOL_SOCKET, SO_SNDBUF, SHARED_BUFFER);
}

static int set_up(const cf_addr *addr, cf_socket *s) {
    cf_sockaddr name;
    socklen_t len = cf_to_sockaddr(addr, &name);
    int rc = addr->family == 6 ? set_int(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) : 0;
    if (rc == 0 && s->wildcard)
        rc = addr->family == 4 ? set_int(s->fd, IPPROTO_IP, IP_PKTINFO, 1)
                               : set_int(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    if (rc < 0)
        return rc;
    set_int(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1); /* without it the time of reading has to do */
    if (s->shared) /* a leg's own socket carries one stream: the default lasts seconds */
        raise_buffers(s->fd);
    if (bind(s->fd, &name.any, len) < 0 || getsockname(s->fd, &name.any, &len) < 0)
        return -errno;
    cf_from_sockaddr(&name, &s->bound);
    return 0;
}

int cf_udp_open(const cf_addr *addr, bool shared, cf_socket *out) {
    if (addr->family != 4 && addr->family != 6)
        return -EAFNOSUPPORT;
    *out = (cf_socket){.shared = shared, .wildcard = is_wildcard(addr)};
    out->fd = socket(addr->family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (out->fd < 0)
        return -errno;
    int rc = set_up(addr, out);
    if (rc < 0)
        close(out->fd);
    return rc;
}

int cf_udp_connect(cf_socket *s, const cf_addr *remote) {
    cf_sockaddr name;
    socklen_t len = cf_to_sockaddr(remote, &name);
    if (len == 0 || s->wildcard)
        return -EINVAL;
    if (connect(s->fd, &name.any, len) < 0)
        return -errno;
    s->connected = true;
    return 0;
}

/* A port that the kernel had chosen is given up by this, and asked for again; one that was named is kept (EINVAL: it
 * has its name). */
int cf_udp_disconnect(cf_socket *s) {
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    cf_sockaddr name;
    socklen_t len = cf_to_sockaddr(&s->bound, &name);
    if (connect(s->fd, &none, sizeof none) < 0)
        return -errno;
    s->connected = false;
    s->taken = 0;
    return bind(s->fd, &name.any, len) < 0 && errno != EINVAL ? -errno : 0;
}

void cf_rx_init(cf_rx *rx) {
    for (int i = 0; i < CF_RX_BATCH; i++) {
        rx->iov[i] = (struct iovec){rx->data[i], CF_RX_DATA};
        rx->msgs[i].msg_hdr = (struct msghdr){.msg_name = &rx->from[i], .msg_iov = &rx->iov[i], .msg_iovlen = 1};
    }
}

/* The kernel has overwritten these lengths. */
static void rx_rewind(cf_rx *rx, int i) {
    struct msghdr *h = &rx->msgs[i].msg_hdr;
    h->msg_namelen = sizeof rx->from[i];
    h->msg_control = rx->control[i];
    h->msg_controllen = sizeof rx->control[i];
}

bool cf_rx_read_one(cf_rx *rx, int i, const cf_socket *socket) {
    rx_rewind(rx, i);
    ssize_t n = recvmsg(socket->fd, &rx->msgs[i].msg_hdr, MSG_DONTWAIT);
    rx->msgs[i].msg_len = n < 0 ? 0 : (unsigned)n;
    return n >= 0;
}

int cf_rx_read(cf_rx *rx, const cf_socket *socket) {
    for (int i = 0; i < CF_RX_BATCH; i++)
        rx_rewind(rx, i);
    int n = recvmmsg(socket->fd, rx->msgs, CF_RX_BATCH, MSG_DONTWAIT, NULL);
    return n < 0 ? 0 : n;
}

static void read_address(const struct cmsghdr *c, cf_addr *local) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        local->family = 4;
        memcpy(local->ip, &info.ipi_addr, 4);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        local->family = 6;
        memcpy(local->ip, &info.ipi6_addr, 16);
    }
}

static int64_t read_stamp(const struct cmsghdr *c) {
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    return (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
}

static void read_control(struct msghdr *header, cf_datagram *out) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            out->came = read_stamp(c);
        else
            read_address(c, &out->path.local);
}

bool cf_rx_get(cf_rx *rx, int i, const cf_socket *socket, uint32_t number, cf_datagram *out) {
    struct msghdr *h = &rx->msgs[i].msg_hdr;
    *out = (cf_datagram){.path.socket = number, .data = rx->data[i], .len = rx->msgs[i].msg_len};
    if ((h->msg_flags & MSG_TRUNC) || !cf_from_sockaddr(&rx->from[i], &out->path.remote))
        return false;
    read_control(h, out);
    if (out->path.local.family != 0)
        out->path.local.port = socket->bound.port;
    return true;
}

void cf_tx_init(cf_tx *tx) {
    tx->count = 0;
    for (int i = 0; i < CF_TX_BATCH; i++) {
        tx->iov[i].iov_base = tx->data[i];
        tx->msgs[i].msg_hdr = (struct msghdr){.msg_iov = &tx->iov[i], .msg_iovlen = 1};
    }
}

/* The source address of an answer: where the question was sent to. Without one the kernel chooses. */
static void write_pktinfo(struct msghdr *header, uint8_t *control, const cf_addr *local) {
    header->msg_control = local->family != 0 ? control : NULL;
    header->msg_controllen = 0;
    if (local->family == 0)
        return;
    bool v4 = local->family == 4;
    size_t size = v4 ? sizeof(struct in_pktinfo) : sizeof(struct in6_pktinfo);
    struct cmsghdr *c = (struct cmsghdr *)control;
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(size),
                          .cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6,
                          .cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO};
    header->msg_controllen = CMSG_SPACE(size);
    if (v4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, local->ip, 4);
        memcpy(CMSG_DATA(c), &info, sizeof info);
    } else {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, local->ip, 16);
        memcpy(CMSG_DATA(c), &info, sizeof info);
    }
}

uint8_t *cf_tx_room(cf_tx *tx) {
    return tx->data[tx->count];
}

bool cf_tx_commit(cf_tx *tx, const cf_path *path, size_t len) {
    unsigned i = tx->count;
    struct msghdr *h = &tx->msgs[i].msg_hdr;
    h->msg_name = &tx->to[i];
    h->msg_namelen = cf_to_sockaddr(&path->remote, &tx->to[i]);
    if (len > CF_TX_DATA || h->msg_namelen == 0)
        return false;
    tx->iov[i].iov_len = len;
    tx->socket[i] = path->socket;
    write_pktinfo(h, tx->control[i], &path->local);
    tx->count++;
    return true;
}

bool cf_tx_put(cf_tx *tx, const cf_path *path, const uint8_t *data, size_t len) {
    if (len > CF_TX_DATA)
        return false;
    memcpy(cf_tx_room(tx), data, len);
    return cf_tx_commit(tx, path, len);
}

/* A connected socket tells once that an earlier datagram found nobody (RFC 1122 section 4.1.3.3); this one has not been
 * sent then, and somebody may be back. */
static int send_some(int fd, struct mmsghdr *msgs, unsigned n) {
    int sent = sendmmsg(fd, msgs, n, MSG_DONTWAIT);
    return sent < 0 && errno == ECONNREFUSED ? sendmmsg(fd, msgs, n, MSG_DONTWAIT) : sent;
}

static unsigned send_run(int fd, struct mmsghdr *msgs, unsigned n) {
    unsigned at = 0, failed = 0;
    while (at < n) {
        int sent = send_some(fd, msgs + at, n - at);
        if (sent > 0) {
            at += (unsigned)sent;
            continue;
        }
        if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS))
            return failed + (n - at); /* full: the rest would meet the same */
        at++;                         /* this one cannot be sent (unreachable, not permitted); the next one may */
        failed++;
    }
    return failed;
}

/* With a name the kernel would look for a route all the same. */
static void leave_out_names(struct mmsghdr *msgs, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        msgs[i].msg_hdr.msg_name = NULL;
        msgs[i].msg_hdr.msg_namelen = 0;
    }
}

/* Datagrams in a row of one socket. */
static unsigned flush_run(const cf_socket *socket, struct mmsghdr *msgs, unsigned n) {
    if (socket == NULL)
        return n;
    if (socket->connected)
        leave_out_names(msgs, n);
    return send_run(socket->fd, msgs, n);
}

/* Nobody has come yet, or they have gone: nothing was refused. */
static unsigned flush_stream(const cf_tx *tx, const cf_socket *socket, unsigned at, unsigned end) {
    return socket->conn != 0 ? cf_conns_send(tx->conns, socket->conn, tx->msgs + at, end - at) : 0;
}

unsigned cf_tx_flush(cf_tx *tx, cf_socket *_Atomic const *sockets) {
    unsigned failed = 0;
    for (unsigned at = 0, end; at < tx->count; at = end) {
        for (end = at + 1; end < tx->count && tx->socket[end] == tx->socket[at]; end++)
            ;
        uint32_t number = tx->socket[at];
        if (number >= CF_TCP_FIRST) {
            failed += cf_conns_send(tx->conns, number, tx->msgs + at, end - at);
            continue;
        }
        const cf_socket *socket =
            number < CF_ENGINE_SOCKETS ? atomic_load_explicit(&sockets[number], memory_order_acquire) : NULL;
        failed += socket != NULL && socket->stream ? flush_stream(tx, socket, at, end)
                                                   : flush_run(socket, tx->msgs + at, end - at);
    }
    tx->count = 0;
    return failed;
}

/* Asked for when somebody wants to know: SO_RXQ_OVFL would put the number beside every datagram. */
uint32_t cf_udp_drops(const cf_socket *socket) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof info;
    if (getsockopt(socket->fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
        return 0;
    return info[SK_MEMINFO_DROPS];
}

void cf_socket_free(cf_socket *socket) {
    if (socket != NULL && socket->fd >= 0)
        close(socket->fd);
    free(socket);
}

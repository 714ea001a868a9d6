/* What TCP connections carry: frames read in place and handed to the core as datagrams are, and batches written out. */
#include "engine_tcp.h"

#include "conferocore/stun.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

cf_conn *cf_conn_find(cf_conns *conns, uint32_t number) {
    cf_conn *conn = &conns->conn[cf_conn_place(number)];
    return number != 0 && conn->number == number ? conn : NULL;
}

/* ---- in ---- */

/* RFC 6544 section 7: a stranger has nothing to say but checks, until one of them is authenticated. */
static bool may_say(cf_conn *conn, const uint8_t *frame, size_t len) {
    return conn->proven || (conn->frames++ < CF_TCP_NEW_FRAMES && len <= CF_STUN_MAX && cf_stun_looks_like(frame, len));
}

static bool take_frame(cf_conns *conns, cf_conn *conn, uint8_t *frame, size_t len) {
    cf_media *media = conns->media;
    if (!may_say(conn, frame, len))
        return false;
    if (conn->owner != NULL && !cf_core_has_socket(media->core, conn->path.socket))
        return false; /* its leg has gone */
    cf_core_receive(media->core, &conn->path, frame, len, media->now);
    media->window_packets++;
    if (!conn->proven && cf_core_has_path(media->core, &conn->path))
        cf_conn_prove(conns, conn);
    return true;
}

/* Bytes beyond those that were kept; 0: none now, negative: no more will come. */
static ssize_t read_some(cf_conns *conns, const cf_conn *conn, size_t have) {
    int64_t begin = cf_meter_start(conns->media);
    ssize_t n = recv(conn->fd, conns->data + have, CF_TCP_READ, MSG_DONTWAIT);
    cf_meter_stop(conns->media, begin);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n > 0 ? n : -EPIPE;
}

/* False: it is to be closed. */
static bool read_frames(cf_conns *conns, cf_conn *conn) {
    size_t have = cf_frame_resume(&conn->in, conns->data), at = 0;
    ssize_t n = read_some(conns, conn, have);
    uint8_t *frame;
    int len = n < 0 ? (int)n : 0;
    for (unsigned taken = 1; n > 0; taken++) {
        len = cf_frame_next(&conn->in, conns->data, have + (size_t)n, &at, &frame);
        if (len <= 0)
            break;
        if (!take_frame(conns, conn, frame, (size_t)len))
            return false;
        if (taken % CF_RX_BATCH == 0)
            cf_media_advance_late(conns->media);
    }
    return len >= 0;
}

/* ---- out ---- */

static void tell_when_writable(const cf_conns *conns, cf_conn *conn) {
    bool wanted = conn->out.count > 0;
    if (wanted == conn->writing)
        return;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.u32 = conn->number};
    epoll_ctl(conns->media->epoll, EPOLL_CTL_MOD, conn->fd, &event);
    conn->writing = wanted;
}

static void write_waiting(const cf_conns *conns, cf_conn *conn) {
    size_t len;
    for (const uint8_t *data; (data = cf_frame_queue_first(&conn->out, &len)) != NULL;) {
        ssize_t n = send(conn->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0)
            break;
        cf_frame_queue_took(&conn->out, (size_t)n);
    }
    tell_when_writable(conns, conn);
}

/* Heads and datagrams in one call, from where they stand; how many bytes went. A connection that is broken is closed
 * when epoll tells of it: here the core may be in the middle of a tick. */
static size_t write_frames(const cf_conn *conn, const struct mmsghdr *msgs, unsigned n) {
    uint8_t heads[CF_TX_BATCH][CF_FRAME_HEAD];
    struct iovec parts[2 * CF_TX_BATCH];
    for (unsigned i = 0; i < n; i++) {
        const struct iovec *datagram = msgs[i].msg_hdr.msg_iov;
        cf_put16(heads[i], (uint16_t)datagram->iov_len);
        parts[(size_t)2 * i] = (struct iovec){heads[i], CF_FRAME_HEAD};
        parts[(size_t)2 * i + 1] = *datagram;
    }
    struct msghdr all = {.msg_iov = parts, .msg_iovlen = (size_t)2 * n};
    ssize_t sent = sendmsg(conn->fd, &all, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? (size_t)sent : 0;
}

unsigned cf_conns_send(cf_conns *conns, uint32_t number, const struct mmsghdr *msgs, unsigned n) {
    cf_conn *conn = conns != NULL ? cf_conn_find(conns, number) : NULL;
    if (conn == NULL)
        return n;
    size_t sent = conn->out.count == 0 ? write_frames(conn, msgs, n) : 0;
    unsigned dropped = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct iovec *datagram = msgs[i].msg_hdr.msg_iov;
        size_t whole = CF_FRAME_HEAD + datagram->iov_len;
        if (sent < whole) {
            dropped += (unsigned)cf_frame_queue_put(&conn->out, datagram->iov_base, datagram->iov_len, sent);
            sent = 0;
        } else {
            sent -= whole;
        }
    }
    tell_when_writable(conns, conn);
    return dropped;
}

void cf_conn_ready(cf_conns *conns, uint32_t number, uint32_t events) {
    cf_conn *conn = cf_conn_find(conns, number);
    if (conn == NULL)
        return; /* closed earlier in this turn */
    if (events & EPOLLOUT)
        write_waiting(conns, conn);
    if ((events & ~(uint32_t)EPOLLOUT) && !read_frames(conns, conn))
        cf_conn_close(conns, conn);
}

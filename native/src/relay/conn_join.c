/* A connection that is passed on: its bytes go to a descriptor and that one's come back, each way only as fast as the
 * other side takes them (RFC 6062 section 5.4; HTTP inside TLS). */
#include "conn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

/* What goes to the client before the descriptor's first byte. */
static bool say(cf_rconn *conn, const cf_order *order) {
    if (order->len == 0)
        return true;
    if (!cf_rconn_queue(conn, order->data, order->len, CF_QUEUE_REPLIES))
        return false;
    cf_tally(&conn->worker->count.replies, 1);
    cf_rconn_drain(conn);
    return true;
}

void cf_rconn_join(cf_worker *worker, const cf_order *order) {
    cf_rconn *conn = cf_rconn_find(worker, order->number);
    int fd = order->fd[0];
    if (conn == NULL || conn->joined >= 0 || conn->ending || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        cf_watch(worker->epoll, EPOLL_CTL_ADD, fd, EPOLLIN,
                 cf_tag_of(CF_TAG_JOINED, (uint32_t)(conn - worker->conns))) < 0) {
        cf_close_fd(fd);
        return;
    }
    cf_tune_stream(conn->fd);
    cf_tune_stream(fd); /* no more than an error where it is no TCP */
    conn->joined = fd;
    conn->joined_watched = EPOLLIN;
    conn->of = order->of;
    conn->spoken = true;
    conn->parked = false;
    cf_tally(&worker->count.joined, 1);
    if (say(conn, order))
        cf_rconn_pass(conn);
    else /* it asks and asks, and does not read the answers */
        cf_rconn_close(conn, ENOBUFS);
}

/* What the descriptor has not taken: true when nothing of it is left. */
static bool push(cf_rconn *conn) {
    size_t at = 0;
    while (at < conn->part_len) {
        ssize_t n = send(conn->joined, conn->part + at, conn->part_len - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            at = conn->part_len, conn->eof = true; /* nobody is there: the rest is for nobody */
        if (n < 0)
            break;
        at += (size_t)n;
    }
    conn->part_len -= at;
    memmove(conn->part, conn->part + at, conn->part_len);
    return conn->part_len == 0;
}

/* ---- limits: what is over them is not read for a while ---- */

bool cf_rconn_is_quiet(const cf_rconn *conn, cf_out_to to) {
    return conn->quiet_for[to] > conn->worker->now;
}

static void keep_quiet(cf_rconn *conn, int64_t until) {
    cf_worker *worker = conn->worker;
    if (worker->quiet == NULL || until < worker->quiet_until)
        worker->quiet_until = until;
    if (conn->quiet)
        return;
    conn->quiet = true;
    conn->quiet_next = worker->quiet;
    worker->quiet = conn;
}

static void count(cf_rconn *conn, cf_out_to to, size_t len) {
    cf_worker *worker = conn->worker;
    if (conn->of == NULL)
        return;
    int transport = conn->ssl != NULL ? CF_RELAY_TLS : CF_RELAY_TCP;
    int64_t wait = cf_rcore_carried(worker->core, conn->of, transport, to, len, worker->now);
    if (wait == 0)
        return;
    conn->quiet_for[to] = worker->now + wait;
    keep_quiet(conn, conn->quiet_for[to]);
}

void cf_rconns_wake(cf_worker *worker) {
    if (worker->quiet == NULL || worker->now < worker->quiet_until)
        return;
    cf_rconn *conn = worker->quiet;
    worker->quiet = NULL;
    for (cf_rconn *next; conn != NULL; conn = next) {
        next = conn->quiet_next;
        conn->quiet = false;
        cf_rconn_again(conn);
        for (int to = CF_OUT_PEER; to <= CF_OUT_CLIENT; to++)
            if (conn->quiet_for[to] > worker->now)
                keep_quiet(conn, conn->quiet_for[to]);
    }
}

void cf_rconn_forget_quiet(cf_rconn *conn) {
    cf_rconn **at = &conn->worker->quiet;
    while (*at != NULL && *at != conn)
        at = &(*at)->quiet_next;
    if (*at != NULL)
        *at = conn->quiet_next;
    conn->quiet = false;
}

/* ---- there and back ---- */

void cf_rconn_pass(cf_rconn *conn) {
    for (int i = 0; i < CF_RCONN_READS && push(conn) && !cf_rconn_is_quiet(conn, CF_OUT_PEER); i++) {
        if (conn->eof) {
            cf_rconn_close(conn, 0);
            return;
        }
        ssize_t n = cf_rconn_read(conn, conn->part, CF_RCONN_READ);
        if (n == 0)
            break;
        conn->part_len = n > 0 ? (size_t)n : 0;
        count(conn, CF_OUT_PEER, conn->part_len);
        conn->eof = n < 0;
        if (i + 1 == CF_RCONN_READS)
            cf_rconn_again(conn);
    }
    cf_rconn_watch(conn);
}

static void read_back(cf_rconn *conn) {
    uint8_t *stream = conn->worker->stream;
    for (int i = 0; i < CF_RCONN_READS && conn->queue_len == 0 && !cf_rconn_is_quiet(conn, CF_OUT_CLIENT); i++) {
        ssize_t n = recv(conn->joined, stream, CF_RCONN_READ, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) { /* the end; what waits for the client still goes */
            conn->ending = true;
            conn->speak_by = conn->worker->now + conn->worker->relay->config.first_message_ns;
            cf_rconn_drain(conn);
            return;
        }
        count(conn, CF_OUT_CLIENT, (size_t)n);
        cf_rconn_queue(conn, stream, (size_t)n, CF_QUEUE_SIZE);
        cf_rconn_drain(conn);
    }
}

void cf_rconn_pass_back(cf_rconn *conn, uint32_t events) {
    if (events & EPOLLOUT)
        cf_rconn_pass(conn);
    if (conn->number != 0 && conn->joined >= 0 && events & ~(uint32_t)EPOLLOUT && !conn->ending) {
        read_back(conn);
        cf_rconn_watch(conn);
    }
}

/* A connection that is passed on: its bytes go to a descriptor and that one's come back, each way only as fast as the
 * other side takes them (RFC 6062 section 5.4; HTTP inside TLS). */
#include "conn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

void cf_rconn_join(cf_worker *worker, uint64_t number, int fd) {
    cf_rconn *conn = cf_rconn_find(worker, number);
    if (conn == NULL || conn->joined >= 0 || conn->ending || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        cf_watch(worker->epoll, EPOLL_CTL_ADD, fd, EPOLLIN,
                 cf_tag_of(CF_TAG_JOINED, (uint32_t)(conn - worker->conns))) < 0) {
        cf_close_fd(fd);
        return;
    }
    conn->joined = fd;
    conn->joined_watched = EPOLLIN;
    conn->spoken = true;
    conn->parked = false;
    cf_tally(&worker->count.joined, 1);
    cf_rconn_pass(conn);
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

void cf_rconn_pass(cf_rconn *conn) {
    for (int i = 0; i < CF_RCONN_READS && push(conn); i++) {
        if (conn->eof) {
            cf_rconn_close(conn, 0);
            return;
        }
        ssize_t n = cf_rconn_read(conn, conn->part, CF_RCONN_READ);
        if (n == 0)
            break;
        conn->part_len = n > 0 ? (size_t)n : 0;
        conn->eof = n < 0;
        if (i + 1 == CF_RCONN_READS)
            cf_rconn_again(conn);
    }
    cf_rconn_watch(conn);
}

static void read_back(cf_rconn *conn) {
    uint8_t *stream = conn->worker->stream;
    for (int i = 0; i < CF_RCONN_READS && conn->queue_len == 0; i++) {
        ssize_t n = recv(conn->joined, stream, CF_RCONN_READ, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) { /* the end; what waits for the client still goes */
            conn->ending = true;
            conn->speak_by = conn->worker->now + conn->worker->relay->config.first_message_ns;
            cf_rconn_drain(conn);
            return;
        }
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

/* What a connection carries: messages read in place, split anywhere; and a bounded queue of whole ones for who is slow.
 */
#include "conn.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

enum { RECORD = 16384 }; /* of TLS (RFC 8446 section 5.1) */

/* ---- bytes ---- */

static ssize_t ssl_result(cf_rconn *conn, int rc, size_t n) {
    if (rc == 1)
        return (ssize_t)n;
    int why = SSL_get_error(conn->ssl, rc);
    conn->wants_write = why == SSL_ERROR_WANT_WRITE;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return 0;
    ERR_clear_error();
    return -ECONNRESET;
}

static ssize_t plain_result(ssize_t n) {
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return n;
}

ssize_t cf_rconn_read(cf_rconn *conn, uint8_t *out, size_t len) {
    size_t n = 0;
    if (conn->ssl != NULL) {
        int rc = SSL_read_ex(conn->ssl, out, len, &n);
        return ssl_result(conn, rc, n);
    }
    ssize_t got = recv(conn->fd, out, len, MSG_DONTWAIT);
    return got == 0 ? -ECONNRESET : plain_result(got);
}

ssize_t cf_rconn_write(cf_rconn *conn, const uint8_t *data, size_t len) {
    size_t n = 0;
    if (conn->ssl == NULL)
        return plain_result(send(conn->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL));
    int rc = SSL_write_ex(conn->ssl, data, len < RECORD ? len : RECORD, &n);
    return ssl_result(conn, rc, n);
}

void cf_rconn_break(cf_rconn *conn, int why) {
    if (!conn->broken)
        conn->error = why;
    conn->broken = true;
    cf_rconn_again(conn);
}

/* ---- in ---- */

/* It is something else: its bytes wait, and the control side says where they go. */
static void park(cf_rconn *conn, const uint8_t *data, size_t len) {
    cf_worker *worker = conn->worker;
    cf_path path = cf_path_of(conn);
    cf_relay_event event = {.type = CF_RELAY_NOT_STUN};
    event.client = (cf_relay_client){.thread = worker->index, .peer = conn->peer, .local = conn->local};
    cf_rconn_name(worker, &path, &event.client);
    event.len = len < CF_RELAY_DATA_MAX ? (uint32_t)len : CF_RELAY_DATA_MAX;
    memcpy(event.data, data, event.len);
    conn->parked = true;
    conn->speak_by = worker->now + worker->relay->config.first_message_ns;
    cf_worker_push(worker, &event);
    cf_rconn_watch(conn);
}

/* How much of the bytes has been used; negative: the connection makes no sense. */
static ssize_t take_messages(cf_rconn *conn, const uint8_t *data, size_t len) {
    cf_worker *worker = conn->worker;
    cf_path path = cf_path_of(conn);
    int transport = conn->ssl != NULL ? CF_RELAY_TLS : CF_RELAY_TCP;
    for (size_t at = 0;;) {
        int size = cf_turn_stream_length(data + at, len - at);
        if (!conn->spoken && (size < 0 || (len > 0 && data[0] > 3))) { /* a first message is STUN */
            park(conn, data, len);
            return 0;
        }
        if (size < 0) {
            cf_rcore_drop(worker->core, -1, CF_DROP_MALFORMED);
            return size;
        }
        if (size == 0 || (size_t)size > len - at)
            return (ssize_t)at;
        conn->spoken = true;
        cf_rcore_from_client(worker->core, &path, transport, data + at, (size_t)size, worker->now);
        worker->window_packets++;
        at += (size_t)size;
    }
}

/* One read and its messages: what came, 0: nothing is left, negative: the end. */
static ssize_t take_some(cf_rconn *conn) {
    cf_worker *worker = conn->worker;
    uint8_t *stream = worker->stream;
    memcpy(stream, conn->part, conn->part_len);
    ssize_t n = cf_rconn_read(conn, stream + conn->part_len, CF_RCONN_READ);
    if (n <= 0)
        return n;
    size_t have = conn->part_len + (size_t)n;
    ssize_t used = take_messages(conn, stream, have);
    cf_batch_flush(worker); /* it points into the buffer */
    if (used < 0)
        return used;
    conn->part_len = have - (size_t)used;
    memcpy(conn->part, stream + used, conn->part_len);
    conn->heard = worker->now;
    return n;
}

void cf_rconn_take(cf_rconn *conn) {
    if (conn->broken || conn->joined >= 0) {
        conn->broken ? cf_rconn_close(conn, conn->error) : cf_rconn_pass(conn);
        return;
    }
    for (int i = 0; i < CF_RCONN_READS; i++) {
        if (conn->parked || conn->ending)
            return;
        ssize_t n = take_some(conn);
        if (n < 0) {
            cf_rconn_close(conn, (int)-n);
            return;
        }
        if (n == 0 || (conn->ssl == NULL && n < CF_RCONN_READ)) {
            if (conn->wants_write)
                cf_rconn_watch(conn);
            return;
        }
    }
    cf_rconn_again(conn);
}

/* ---- out ---- */

bool cf_rconn_queue(cf_rconn *conn, const uint8_t *data, size_t len, size_t limit) {
    if (conn->queue_len + len > limit)
        return false;
    if (conn->queue_at + conn->queue_len + len > sizeof conn->queue) {
        memmove(conn->queue, conn->queue + conn->queue_at, conn->queue_len);
        conn->queue_at = 0;
    }
    memcpy(conn->queue + conn->queue_at + conn->queue_len, data, len);
    conn->queue_len += len;
    return true;
}

/* What TLS could not write must be given to it again from its beginning, and the queue only grows behind it. */
void cf_rconn_drain(cf_rconn *conn) {
    while (conn->queue_len > 0) {
        ssize_t n = cf_rconn_write(conn, conn->queue + conn->queue_at, conn->queue_len);
        if (n < 0) {
            cf_rconn_break(conn, (int)-n);
            return;
        }
        if (n == 0)
            break;
        conn->queue_at += (size_t)n;
        conn->queue_len -= (size_t)n;
    }
    if (conn->queue_len == 0)
        conn->queue_at = 0;
    if (conn->queue_len == 0 && conn->ending)
        cf_rconn_break(conn, 0);
    cf_rconn_watch(conn);
}

/* A message less its first `skip` bytes, which are on their way: then it must be finished. */
static void queue_message(cf_worker *worker, cf_rconn *conn, const cf_outgoing *out, size_t skip) {
    size_t limit = skip > 0 ? CF_QUEUE_SIZE : out->data ? CF_QUEUE_DATA : CF_QUEUE_REPLIES;
    if (conn->queue_len + out->len > limit && conn->ssl != NULL)
        cf_rconn_drain(conn); /* a batch may be more than there is room for, and the stream be fast */
    if (conn->queue_len + out->len - skip > limit) {
        cf_rcore_drop(worker->core, out->data ? (int64_t)out->allocation : -1, CF_DROP_SLOW);
        if (!out->data) /* it asks and asks, and does not read the answers */
            cf_rconn_break(conn, ENOBUFS);
        return;
    }
    for (unsigned i = 0; i < out->parts; i++) {
        size_t over = skip < out->iov[i].iov_len ? skip : out->iov[i].iov_len;
        cf_rconn_queue(conn, (const uint8_t *)out->iov[i].iov_base + over, out->iov[i].iov_len - over, limit);
        skip -= over;
    }
}

/* All of a run in one call: how many bytes went. */
static ssize_t write_run(cf_worker *worker, cf_rconn *conn, uint32_t place) {
    struct iovec iov[CF_BATCH * 3];
    struct msghdr header = {.msg_iov = iov};
    const cf_outgoing *out = &worker->batch.out[place];
    for (;; out = &worker->batch.out[out->next - 1]) {
        memcpy(iov + header.msg_iovlen, out->iov, out->parts * sizeof iov[0]);
        header.msg_iovlen += out->parts;
        if (out->next == 0)
            return plain_result(sendmsg(conn->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL));
    }
}

void cf_rconn_send(cf_worker *worker, cf_rconn *conn, uint32_t place) {
    ssize_t sent = conn->ssl == NULL && conn->queue_len == 0 ? write_run(worker, conn, place) : 0;
    if (sent < 0) {
        cf_rconn_break(conn, (int)-sent);
        return;
    }
    size_t over = (size_t)sent;
    for (const cf_outgoing *out = &worker->batch.out[place];; out = &worker->batch.out[out->next - 1]) {
        size_t skip = over < out->len ? over : out->len;
        if (skip < out->len)
            queue_message(worker, conn, out, skip);
        over -= skip;
        if (out->next == 0)
            break;
    }
    if (conn->ssl != NULL)
        cf_rconn_drain(conn);
    else
        cf_rconn_watch(conn);
}

/* A connection's life in its worker: it comes from the lobby, is watched, looked at, and closed. */
#include "conn.h"

#include "base/lazy.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { LOOKED_AT = 512 }; /* connections in one look */

/* ---- places ---- */

cf_rconn *cf_rconns_new(uint32_t n) {
    return cf_lazy_new(n * sizeof(cf_rconn));
}

bool cf_rconns_any(const cf_worker *worker) {
    return cf_tallied(&worker->count.connections) > 0;
}

static uint32_t place_of(const cf_rconn *conn) {
    return (uint32_t)(conn - conn->worker->conns);
}

cf_rconn *cf_rconn_find(cf_worker *worker, uint64_t number) {
    uint32_t place = cf_number_place(number);
    cf_rconn *conn = place < worker->relay->config.connections ? &worker->conns[place] : NULL;
    return conn != NULL && number != 0 && conn->number == number ? conn : NULL;
}

cf_rconn *cf_rconn_of(cf_worker *worker, const cf_path *path) {
    cf_rconn *conn = &worker->conns[path->socket - CF_RCONN_FIRST];
    return conn->number != 0 ? conn : NULL;
}

cf_path cf_path_of(const cf_rconn *conn) {
    return (cf_path){.socket = CF_RCONN_FIRST + place_of(conn), .local = conn->local, .remote = conn->peer};
}

bool cf_rconn_path(cf_worker *worker, uint64_t number, cf_path *path) {
    const cf_rconn *conn = cf_rconn_find(worker, number);
    if (conn != NULL)
        *path = cf_path_of(conn);
    return conn != NULL;
}

static int transport_of(const cf_rconn *conn) {
    return conn->ssl != NULL ? CF_RELAY_TLS : CF_RELAY_TCP;
}

void cf_rconn_name(const cf_worker *worker, const cf_path *path, cf_relay_client *client) {
    const cf_rconn *conn = &worker->conns[path->socket - CF_RCONN_FIRST];
    client->connection = conn->number;
    client->transport = transport_of(conn);
}

/* ---- what epoll watches ---- */

static void watch(cf_worker *worker, int fd, uint32_t *watched, uint32_t events, uint64_t tag) {
    if (*watched == events)
        return;
    int op = *watched == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    cf_watch(worker->epoll, op, fd, events, tag);
    *watched = events;
}

void cf_rconn_watch(cf_rconn *conn) {
    bool joined = conn->joined >= 0, full = joined && conn->part_len > 0, waits = conn->queue_len > 0;
    bool stopped = conn->parked || full || conn->ending || conn->eof || cf_rconn_is_quiet(conn, CF_OUT_PEER);
    uint32_t in = stopped ? 0 : EPOLLIN;
    watch(conn->worker, conn->fd, &conn->watched, in | (waits || conn->wants_write ? EPOLLOUT : 0),
          cf_tag_of(CF_TAG_CONN, place_of(conn)));
    if (joined)
        watch(conn->worker, conn->joined, &conn->joined_watched,
              (waits || conn->ending || cf_rconn_is_quiet(conn, CF_OUT_CLIENT) ? 0 : EPOLLIN) | (full ? EPOLLOUT : 0),
              cf_tag_of(CF_TAG_JOINED, place_of(conn)));
}

/* ---- coming ---- */

static void fail(cf_worker *worker, cf_rconn *conn, int why) {
    cf_gone gone = {.number = conn->entering, .value = why, .connection = true};
    gone.client = (cf_relay_client){.connection = conn->entering,
                                    .transport = transport_of(conn),
                                    .thread = worker->index,
                                    .peer = conn->peer,
                                    .local = conn->local};
    cf_close_fd(conn->fd);
    SSL_free(conn->ssl);
    conn->ssl = NULL;
    cf_worker_tell_gone(worker, &gone);
}

static void arrive(cf_worker *worker, cf_rconn *conn) {
    int why = conn->error;
    if (why == 0 && atomic_load(&conn->doomed) == conn->entering)
        why = ECONNABORTED;
    uint64_t tag = cf_tag_of(CF_TAG_CONN, place_of(conn));
    if (why == 0)
        why = -cf_watch(worker->epoll, EPOLL_CTL_ADD, conn->fd, EPOLLIN, tag);
    if (why != 0) {
        fail(worker, conn, why);
        return;
    }
    conn->number = conn->entering;
    if (place_of(conn) >= worker->conns_used)
        worker->conns_used = place_of(conn) + 1;
    conn->watched = EPOLLIN;
    conn->heard = worker->now;
    cf_tally(&worker->count.connections, 1);
    cf_tally(&worker->count.accepted, 1);
    cf_rconn_again(conn); /* TLS may have read something already */
}

void cf_rconn_again(cf_rconn *conn) {
    if (conn->again)
        return;
    conn->again = true;
    conn->again_next = conn->worker->again;
    conn->worker->again = conn;
    conn->worker->more = true;
}

/* ---- a turn ---- */

/* A connection may be closed while another's turn lasts: it is asked for each time. */
static void ready_conn(cf_worker *worker, uint32_t place, uint32_t events) {
    cf_rconn *conn = &worker->conns[place];
    if (conn->number == 0)
        return;
    bool reads = conn->wants_write || events & ~(uint32_t)EPOLLOUT; /* TLS may have to write before it can read */
    if (events & EPOLLOUT)
        cf_rconn_drain(conn);
    if (reads)
        cf_rconn_take(conn);
}

static void take_again(cf_worker *worker) {
    cf_rconn *conn = worker->again;
    worker->again = NULL;
    for (cf_rconn *next; conn != NULL; conn = next) {
        next = conn->again_next;
        conn->again = false;
        if (conn->number != 0)
            cf_rconn_take(conn);
    }
}

void cf_rconns_turn(cf_worker *worker, const struct epoll_event *ready, int n) {
    for (cf_rconn *conn; cf_ring_pop(worker->arrivals, &conn);)
        arrive(worker, conn);
    for (int i = 0; i < n; i++) {
        uint32_t place = (uint32_t)ready[i].data.u64;
        if (ready[i].data.u64 >> 32 == CF_TAG_CONN)
            ready_conn(worker, place, ready[i].events);
        else if (ready[i].data.u64 >> 32 == CF_TAG_JOINED && worker->conns[place].joined >= 0)
            cf_rconn_pass_back(&worker->conns[place], ready[i].events);
    }
    cf_rconns_wake(worker);
    take_again(worker);
}

/* ---- by the clock ---- */

static bool overdue(const cf_worker *worker, const cf_rconn *conn) {
    if (!conn->spoken || conn->parked || conn->ending)
        return worker->now >= conn->speak_by;
    if (conn->joined >= 0 || worker->now - conn->heard < worker->relay->config.idle_ns)
        return false;
    cf_path path = cf_path_of(conn);
    return cf_rcore_of(worker->core, &path) < 0;
}

void cf_rconns_look(cf_worker *worker) {
    if (!cf_rconns_any(worker) || worker->now < worker->look_at)
        return;
    worker->look_at = worker->now + (int64_t)CF_LOOK_MS * 1000000;
    size_t all = worker->conns_used, n = all < LOOKED_AT ? all : LOOKED_AT;
    for (; n > 0; n--) {
        cf_rconn *conn = &worker->conns[worker->look_next];
        worker->look_next = worker->look_next + 1 < all ? worker->look_next + 1 : 0;
        if (conn->number == 0 || !overdue(worker, conn))
            continue;
        cf_tally(&worker->count.timed_out, 1);
        cf_rconn_close(conn, ETIMEDOUT);
    }
}

/* ---- going ---- */

static void forget_again(cf_rconn *conn) {
    cf_rconn **at = &conn->worker->again;
    while (*at != NULL && *at != conn)
        at = &(*at)->again_next;
    if (*at != NULL)
        *at = conn->again_next;
    conn->again = false;
}

void cf_rconn_close(cf_rconn *conn, int why) {
    cf_worker *worker = conn->worker;
    cf_batch_flush(worker); /* it may be in it */
    if (conn->again)
        forget_again(conn);
    if (conn->quiet)
        cf_rconn_forget_quiet(conn);
    cf_path path = cf_path_of(conn);
    cf_gone gone = {.number = conn->number, .value = why, .connection = true};
    gone.client = (cf_relay_client){.connection = conn->number,
                                    .transport = transport_of(conn),
                                    .thread = worker->index,
                                    .peer = conn->peer,
                                    .local = conn->local};
    cf_rcore_detach(worker->core, &path);
    if (conn->ssl != NULL && why == 0)
        SSL_shutdown(conn->ssl); /* says that this is the end; whether it is heard is not waited for */
    SSL_free(conn->ssl);
    conn->ssl = NULL;
    cf_close_fd(conn->fd);
    cf_close_fd(conn->joined);
    conn->joined = -1;
    conn->number = 0;
    cf_tally(&worker->count.connections, (uint64_t)-1);
    cf_worker_tell_gone(worker, &gone);
}

void cf_rconn_hang_up(cf_worker *worker, uint64_t number) {
    cf_rconn *conn = cf_rconn_find(worker, number);
    if (conn == NULL) {
        atomic_store(&worker->conns[cf_number_place(number)].doomed, number);
        return;
    }
    if (conn->queue_len == 0) {
        cf_rconn_close(conn, 0);
        return;
    }
    conn->ending = true;
    conn->speak_by = worker->now + worker->relay->config.first_message_ns;
    cf_rconn_watch(conn);
}

static void free_conn(cf_rconn *conn) {
    SSL_free(conn->ssl);
    cf_close_fd(conn->fd);
    cf_close_fd(conn->joined);
}

void cf_rconns_free(cf_worker *worker) {
    cf_rconn *arrived;
    while (worker->arrivals != NULL && cf_ring_pop(worker->arrivals, &arrived))
        free_conn(arrived);
    for (uint32_t n = 0; worker->conns != NULL && n < worker->relay->config.connections; n++)
        if (worker->conns[n].number != 0)
            free_conn(&worker->conns[n]);
    cf_lazy_free(worker->conns);
}

/* A thread of the relay: waits for packets and orders, and gives each its turn without allocating, locking or blocking.
 */
#include "conn.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A wake-up costs more than a packet. From BUSY packets in WINDOW on (2000 a second) turns are so far apart that about
 * TOGETHER packets come meanwhile, but no farther than the configuration says; below REST_MIN it is not worth sleeping
 * (docs/decisions/052). */
enum { WINDOW = 20000000, BUSY = 40, TOGETHER = 7, REST_MIN = 30000, SLACK = 1000 }; /* ns, packets, packets, ns, ns */

/* ---- what the core and the files beside say ---- */

void cf_worker_push(cf_worker *worker, const cf_relay_event *event) {
    if (cf_ring_push(worker->up, event))
        worker->pushed = true;
    else
        cf_rcore_drop(worker->core, -1, CF_DROP_EVENTS);
}

void cf_worker_tell_gone(cf_worker *worker, const cf_gone *gone) {
    cf_ring_push(worker->gone, gone); /* it has room for all that is there */
    worker->pushed = true;
}

static void name_client(const cf_worker *worker, cf_relay_client *client, const cf_path *path, int transport) {
    *client =
        (cf_relay_client){.transport = transport, .thread = worker->index, .peer = path->remote, .local = path->local};
    if (transport != CF_RELAY_UDP)
        cf_rconn_name(worker, path, client);
}

void cf_worker_request(void *arg, const cf_path *path, int transport, const uint8_t *data, size_t len) {
    cf_worker *worker = arg;
    if (len > CF_RELAY_DATA_MAX) {
        cf_rcore_drop(worker->core, -1, CF_DROP_TOO_BIG);
        return;
    }
    cf_relay_event event;
    event.type = CF_RELAY_REQUEST;
    event.value = 0;
    event.allocation = 0;
    name_client(worker, &event.client, path, transport);
    event.len = (uint32_t)len;
    memcpy(event.data, data, len);
    cf_tally(&worker->count.requests, 1);
    worker->window_requests++;
    cf_worker_push(worker, &event);
}

static void add_part(cf_outgoing *out, const void *data, size_t len) {
    if (len > 0)
        out->iov[out->parts++] = (struct iovec){(void *)(uintptr_t)data, len};
    out->len += len;
}

static void fill(cf_outgoing *out, const cf_out *from) {
    static const uint8_t zeros[4];
    memcpy(out->head, from->head, from->head_len);
    out->parts = 0;
    out->len = 0;
    out->data = true;
    out->dont_fragment = from->dont_fragment;
    out->allocation = from->allocation;
    add_part(out, out->head, from->head_len);
    add_part(out, from->body, from->len);
    add_part(out, zeros, from->padding);
}

void cf_worker_send(void *arg, const cf_out *from) {
    cf_worker *worker = arg;
    cf_ends *ends = &worker->ends[from->allocation];
    cf_outgoing *out = cf_batch_next(worker);
    cf_run *run = &ends->run[from->to];
    fill(out, from);
    out->conn = NULL;
    out->local.family = 0;
    if (from->to == CF_OUT_PEER) {
        bool v6 = from->peer.family == 6;
        out->fd = ends->fd[v6];
        out->family = v6 ? AF_INET6 : AF_INET;
        out->to = from->peer;
    } else if (!cf_worker_to_client(worker, from->client, out, &run)) {
        cf_rcore_drop(worker->core, from->allocation, CF_DROP_GONE);
        return;
    }
    cf_batch_put(worker, out, run);
}

bool cf_worker_to_client(cf_worker *worker, const cf_path *client, cf_outgoing *out, cf_run **run) {
    if (client->socket >= CF_RCONN_FIRST) {
        out->conn = cf_rconn_of(worker, client);
        if (out->conn == NULL)
            return false;
        out->fd = -1;
        *run = &out->conn->run;
        return true;
    }
    const cf_listener *listener = &worker->listeners[client->socket];
    out->fd = listener->fd;
    out->family = listener->family;
    out->to = client->remote;
    if (listener->wildcard)
        out->local = client->local;
    return true;
}

/* ---- a turn ---- */

static void clear_wake(cf_worker *worker) {
    uint64_t value;
    ssize_t n = read(worker->wake, &value, sizeof value);
    (void)n; /* non-blocking: nothing there is fine */
    atomic_store(&worker->signalled, false);
}

void cf_ring_bell(int fd) {
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    (void)n; /* fails only when the counter is full, and then it is readable */
}

void cf_worker_wake(cf_worker *worker) {
    if (!atomic_exchange(&worker->signalled, true))
        cf_ring_bell(worker->wake);
}

/* The packets of the last window tell how long a few more will take to come. Requests do not: who has asked says no
 * more until he is answered, and the answer would rest as well. */
static void choose_rest(cf_worker *worker) {
    int64_t passed = worker->now - worker->window_at;
    if (passed < WINDOW)
        return;
    int64_t packets = worker->window_packets - worker->window_requests, rest = 0;
    if (packets * WINDOW >= BUSY * passed)
        rest = TOGETHER * passed / packets;
    int64_t most = worker->relay->config.rest_ns;
    worker->rest = rest < REST_MIN ? 0 : rest < most ? rest : most;
    worker->window_at = worker->now;
    worker->window_packets = worker->window_requests = 0;
}

static void space_turns(cf_worker *worker) {
    if (worker->rest == 0 || worker->more)
        return;
    int64_t until = worker->last_turn + worker->rest;
    struct timespec at = {until / 1000000000, until % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void obey_all(cf_worker *worker) {
    cf_order order;
    /* No more than were there at the start, so that a busy control side cannot hold up packets. */
    for (size_t n = cf_ring_used(worker->down); n > 0 && cf_ring_pop(worker->down, &order); n--)
        cf_worker_obey(worker, &order);
}

/* Orders first: a channel that was bound is there for the data behind it. */
static void give_turns(cf_worker *worker, const struct epoll_event *ready, int n) {
    uint32_t relayed[CF_TURN_EVENTS];
    int relayed_count = 0;
    for (int i = 0; i < n; i++)
        if (ready[i].data.u64 >> 32 == CF_TAG_WAKE)
            clear_wake(worker);
    obey_all(worker);
    for (int i = 0; i < n; i++)
        if (ready[i].data.u64 >> 32 == CF_TAG_RELAYED)
            relayed[relayed_count++] = (uint32_t)ready[i].data.u64;
    cf_incoming_relayed(worker, relayed, relayed_count);
    for (int i = 0; i < n; i++) {
        uint32_t place = (uint32_t)ready[i].data.u64;
        if (ready[i].data.u64 >> 32 == CF_TAG_LISTENER)
            cf_incoming_listener(worker, &worker->listeners[place], (int)place);
    }
    cf_rconns_turn(worker, ready, n);
}

static int timeout_of(const cf_worker *worker) {
    int most = worker->more ? 0 : cf_rconns_any(worker) ? CF_LOOK_MS : -1;
    if (most <= 0 || worker->quiet == NULL)
        return most;
    int64_t wait = (worker->quiet_until - worker->now) / 1000000 + 1; /* since the turn began: early is no harm */
    return wait < 1 ? 1 : wait < most ? (int)wait : most;
}

static void turn(cf_worker *worker) {
    struct epoll_event ready[CF_TURN_EVENTS];
    space_turns(worker);
    int n = epoll_wait(worker->epoll, ready, CF_TURN_EVENTS, timeout_of(worker));
    worker->more = n == CF_TURN_EVENTS;
    worker->now = worker->last_turn = cf_monotonic();
    choose_rest(worker);
    give_turns(worker, ready, n);
    cf_rconns_look(worker);
    cf_tally(&worker->count.turns, 1);
    if (worker->pushed)
        cf_ring_bell(worker->up_fd);
    worker->pushed = false;
}

void *cf_worker_run(void *arg) {
    cf_worker *worker = arg;
    prctl(PR_SET_TIMERSLACK, SLACK, 0, 0, 0); /* the default of 50 us would be half of a rest */
    while (!atomic_load_explicit(&worker->stop, memory_order_acquire))
        turn(worker);
    return NULL;
}

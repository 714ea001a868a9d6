/* A thread of the relay: waits for packets and orders, and gives each its turn without allocating, locking or blocking.
 */
#include "conn.h"

#include "base/lazy.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A wake-up costs more than a packet. From BUSY packets in WINDOW on (2000 a second) turns are so far apart that about
 * TOGETHER packets come meanwhile, but no farther than the configuration says; below REST_MIN it is not worth sleeping
 * (docs/decisions/052). */
enum { WINDOW = 20000000, BUSY = 40, TOGETHER = 8, REST_MIN = 30000, SLACK = 1000 }; /* ns, packets, packets, ns, ns */

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

static void ring(int fd) {
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    (void)n; /* fails only when the counter is full, and then it is readable */
}

void cf_worker_wake(cf_worker *worker) {
    if (!atomic_exchange(&worker->signalled, true))
        ring(worker->wake);
}

/* The packets of the last window tell how long a few more will take to come. */
static void choose_rest(cf_worker *worker) {
    int64_t passed = worker->now - worker->window_at;
    if (passed < WINDOW)
        return;
    int64_t packets = worker->window_packets, rest = 0;
    if (packets * WINDOW >= BUSY * passed)
        rest = TOGETHER * passed / packets;
    int64_t most = worker->relay->config.rest_ns;
    worker->rest = rest < REST_MIN ? 0 : rest < most ? rest : most;
    worker->window_at = worker->now;
    worker->window_packets = 0;
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
    return worker->more ? 0 : cf_rconns_any(worker) ? CF_LOOK_MS : -1;
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
        ring(worker->up_fd);
    worker->pushed = false;
}

static void *run(void *arg) {
    cf_worker *worker = arg;
    prctl(PR_SET_TIMERSLACK, SLACK, 0, 0, 0); /* the default of 50 us would be half of a rest */
    while (!atomic_load_explicit(&worker->stop, memory_order_acquire))
        turn(worker);
    return NULL;
}

/* ---- coming and going ---- */

int cf_worker_start(cf_worker *worker) {
    sigset_t all, before;
    sigfillset(&all); /* signals are for the interpreter's main thread; SIGPIPE of a connection is nobody's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&worker->thread, NULL, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return -rc;
    char name[16];
    snprintf(name, sizeof name, "cf-relay-%d", worker->index);
    pthread_setname_np(worker->thread, name);
    worker->running = true;
    ring(worker->wake); /* orders may have been waiting for the start */
    return 0;
}

void cf_worker_stop(cf_worker *worker) {
    if (!worker->running)
        return;
    atomic_store_explicit(&worker->stop, true, memory_order_release);
    ring(worker->wake);
    pthread_join(worker->thread, NULL);
    worker->running = false;
}

static int open_descriptors(cf_worker *worker) {
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->epoll < 0 || worker->wake < 0)
        return -errno;
    return cf_watch(worker->epoll, EPOLL_CTL_ADD, worker->wake, EPOLLIN, cf_tag_of(CF_TAG_WAKE, 0));
}

static int open_core(cf_worker *worker) {
    const cf_relay_config *config = &worker->relay->config;
    cf_rcore_config core = {.allocations = config->allocations,
                            .permissions = config->permissions,
                            .seed = config->seed + (uint64_t)worker->index,
                            .to_peer = &worker->relay->to_peer,
                            .to_client = &worker->relay->to_client,
                            .send = cf_worker_send,
                            .request = cf_worker_request,
                            .arg = worker};
    worker->core = cf_rcore_new(&core);
    return worker->core != NULL ? 0 : -ENOMEM;
}

static int open_rings(cf_worker *worker) {
    const cf_relay_config *config = &worker->relay->config;
    worker->down = cf_ring_new(CF_ORDERS, sizeof(cf_order));
    worker->up = cf_ring_new(CF_WAITING, sizeof(cf_relay_event));
    worker->gone = cf_ring_new(config->allocations + config->connections, sizeof(cf_gone));
    worker->arrivals = cf_ring_new(config->connections, sizeof(cf_rconn *));
    return worker->down && worker->up && worker->gone && worker->arrivals ? 0 : -ENOMEM;
}

/* A stack of places, the lowest on top. */
static uint32_t *stack_of(uint32_t n) {
    uint32_t *stack = malloc(n * sizeof *stack);
    for (uint32_t i = 0; stack != NULL && i < n; i++)
        stack[i] = n - 1 - i;
    return stack;
}

static int open_places(cf_worker *worker) {
    uint32_t allocations = worker->relay->config.allocations, connections = worker->relay->config.connections;
    worker->ends = cf_lazy_new(allocations * sizeof *worker->ends);
    worker->conns = cf_rconns_new(connections);
    worker->stream = cf_lazy_new(CF_STREAM_BUFFER);
    worker->free_allocations = stack_of(allocations);
    worker->free_connections = stack_of(connections);
    worker->allocation_generation = calloc(allocations, sizeof(uint32_t));
    worker->connection_generation = calloc(connections, sizeof(uint32_t));
    worker->allocation_state = calloc(allocations, 1);
    worker->free_allocation_count = allocations;
    worker->free_connection_count = connections;
    bool there = worker->ends && worker->conns && worker->stream && worker->free_allocations &&
                 worker->free_connections && worker->allocation_generation && worker->connection_generation &&
                 worker->allocation_state;
    return there ? 0 : -ENOMEM;
}

int cf_worker_init(cf_worker *worker, struct cf_relay *relay, int index) {
    worker->relay = relay;
    worker->index = index;
    worker->up_fd = relay->up_fd;
    worker->epoll = worker->wake = -1;
    worker->batch.number = 1; /* runs of no batch say 0 */
    worker->batch.segments = true;
    int rc = cf_incoming_init(&worker->in);
    if (rc == 0)
        rc = open_descriptors(worker);
    if (rc == 0)
        rc = open_core(worker);
    if (rc == 0)
        rc = open_rings(worker);
    return rc == 0 ? open_places(worker) : rc;
}

static void close_sockets(cf_worker *worker) {
    for (int i = 0; i < worker->listener_count; i++)
        cf_close_fd(worker->listeners[i].fd);
    for (uint32_t n = 0; worker->ends != NULL && n < worker->relay->config.allocations; n++)
        for (int v6 = 0; v6 < 2 && worker->ends[n].number != 0; v6++)
            cf_close_fd(worker->ends[n].fd[v6]);
    for (cf_order order; worker->down != NULL && cf_ring_pop(worker->down, &order);)
        for (int v6 = 0; v6 < 2; v6++)
            cf_close_fd(order.fd[v6]);
}

void cf_worker_close(cf_worker *worker) {
    cf_rconns_free(worker);
    close_sockets(worker);
    cf_rcore_free(worker->core);
    cf_ring_free(worker->down);
    cf_ring_free(worker->up);
    cf_ring_free(worker->gone);
    cf_ring_free(worker->arrivals);
    cf_lazy_free(worker->in.large);
    cf_lazy_free(worker->ends);
    cf_lazy_free(worker->stream);
    free(worker->free_allocations);
    free(worker->free_connections);
    free(worker->allocation_generation);
    free(worker->connection_generation);
    free(worker->allocation_state);
    cf_close_fd(worker->wake);
    cf_close_fd(worker->epoll);
}

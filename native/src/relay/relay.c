/* The control side: makes and ends workers, hands out places, gives orders, and takes what is told. */
#include "conn.h"
#include "lobby.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LISTEN_BUFFER = 4 << 20 }; /* 10 ms of 300,000 datagrams a second */

/* ---- making and ending ---- */

static bool usable(const cf_relay_config *c) {
    return c->threads >= 1 && c->threads <= CF_WORKERS && c->allocations >= 1 && c->allocations <= 65536 &&
           c->permissions >= 1 && c->permissions <= 256 && c->connections >= 1 && c->connections <= 65536 &&
           c->handshakes >= 1 && c->handshakes <= 65536 && c->handshakes_source >= 1 && c->first_message_ns > 0 &&
           c->idle_ns > 0 && c->rest_ns >= 0 && c->rest_ns <= 1000000;
}

static int make_workers(cf_relay *relay) {
    for (int i = 0; i < relay->config.threads; i++) {
        cf_worker *worker = aligned_alloc(64, (sizeof *worker + 63) & ~(size_t)63);
        if (worker == NULL)
            return -ENOMEM;
        memset(worker, 0, sizeof *worker);
        relay->workers[relay->threads++] = worker;
        int rc = cf_worker_init(worker, relay, i);
        if (rc < 0)
            return rc;
    }
    return 0;
}

cf_relay *cf_relay_new(const cf_relay_config *config) {
    cf_relay *relay = usable(config) ? calloc(1, sizeof *relay) : NULL;
    if (relay == NULL)
        return NULL;
    relay->config = *config;
    cf_gate_init(&relay->to_peer, config->bytes_per_second);
    cf_gate_init(&relay->to_client, config->bytes_per_second);
    relay->up_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    relay->lobby = cf_lobby_new(relay);
    if (relay->up_fd >= 0 && relay->lobby != NULL && make_workers(relay) == 0)
        return relay;
    cf_relay_free(relay);
    return NULL;
}

void cf_relay_free(cf_relay *relay) {
    if (relay == NULL)
        return;
    cf_lobby_stop(relay->lobby);
    for (int i = 0; i < relay->threads; i++)
        cf_worker_stop(relay->workers[i]);
    for (int i = 0; i < relay->threads; i++) {
        cf_worker_close(relay->workers[i]);
        free(relay->workers[i]);
    }
    cf_lobby_free(relay->lobby);
    cf_close_fd(relay->up_fd);
    free(relay);
}

int cf_relay_start(cf_relay *relay) {
    if (relay->started)
        return -EINVAL;
    relay->started = true;
    int rc = cf_lobby_start(relay->lobby);
    for (int i = 0; i < relay->threads && rc == 0; i++)
        rc = cf_worker_start(relay->workers[i]);
    return rc;
}

int cf_relay_fileno(const cf_relay *relay) {
    return relay->up_fd;
}

int64_t cf_relay_now(const cf_relay *relay) {
    (void)relay;
    return cf_monotonic();
}

static cf_worker *worker_of(const cf_relay *relay, int thread) {
    return thread >= 0 && thread < relay->threads ? relay->workers[thread] : NULL;
}

/* ---- listening sockets ---- */

static bool is_wildcard(const cf_addr *addr) {
    static const uint8_t any[16];
    return memcmp(addr->ip, any, sizeof any) == 0;
}

static int read_bound(cf_listener *listener) {
    cf_name name;
    socklen_t len = sizeof name;
    int type = 0;
    socklen_t type_len = sizeof type;
    listener->family = cf_fd_family(listener->fd);
    if (getsockopt(listener->fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0 ||
        getsockname(listener->fd, &name.any, &len) < 0)
        return -errno;
    if (type != SOCK_DGRAM || !cf_addr_of(&name, &listener->bound) || listener->bound.port == 0)
        return -EINVAL;
    listener->wildcard = is_wildcard(&listener->bound);
    return 0;
}

static void raise_buffers(int fd) {
    /* FORCE goes past the sysctl where we are privileged; either may fail, and then the default has to do. */
    if (cf_set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, LISTEN_BUFFER) < 0)
        cf_set_int(fd, SOL_SOCKET, SO_RCVBUF, LISTEN_BUFFER);
    if (cf_set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, LISTEN_BUFFER) < 0)
        cf_set_int(fd, SOL_SOCKET, SO_SNDBUF, LISTEN_BUFFER);
}

int cf_relay_listen(cf_relay *relay, int thread, int fd) {
    cf_worker *worker = worker_of(relay, thread);
    if (worker == NULL || relay->started)
        return -EINVAL;
    if (worker->listener_count == CF_LISTENERS)
        return -ENOSPC;
    cf_listener listener = {.fd = fd};
    int rc = read_bound(&listener);
    if (rc == 0 && listener.wildcard)
        rc = listener.family == AF_INET ? cf_set_int(fd, IPPROTO_IP, IP_PKTINFO, 1)
                                        : cf_set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    if (rc < 0)
        return rc;
    raise_buffers(fd);
    uint32_t place = (uint32_t)worker->listener_count;
    rc = cf_watch(worker->epoll, EPOLL_CTL_ADD, fd, EPOLLIN, cf_tag_of(CF_TAG_LISTENER, place));
    if (rc == 0)
        worker->listeners[worker->listener_count++] = listener;
    return rc;
}

/* ---- statistics ---- */

/* Asked for when somebody wants to know: SO_RXQ_OVFL would put the number beside every datagram. */
static uint64_t drops_of(const cf_listener *listener) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof info;
    return getsockopt(listener->fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0 ? 0 : info[SK_MEMINFO_DROPS];
}

static void add_worker(const cf_worker *worker, cf_relay_stats *stats) {
    const cf_worker_count *c = &worker->count;
    cf_rcore_stats(worker->core, stats);
    stats->requests += cf_tallied(&c->requests);
    stats->replies += cf_tallied(&c->replies);
    stats->connections += cf_tallied(&c->connections);
    stats->accepted += cf_tallied(&c->accepted);
    stats->timed_out += cf_tallied(&c->timed_out);
    stats->joined += cf_tallied(&c->joined);
    stats->turns += cf_tallied(&c->turns);
    for (int i = 0; i < worker->listener_count; i++)
        stats->receive_drops += drops_of(&worker->listeners[i]);
}

int cf_relay_stats_of(const cf_relay *relay, int thread, cf_relay_stats *stats) {
    *stats = (cf_relay_stats){0};
    if (thread >= 0 && worker_of(relay, thread) == NULL)
        return -ENOENT;
    for (int i = 0; i < relay->threads; i++)
        if (thread < 0 || thread == i)
            add_worker(relay->workers[i], stats);
    if (thread < 0)
        cf_lobby_stats(relay->lobby, stats);
    return 0;
}

/* ---- events ---- */

static void tell_gone(cf_worker *worker, const cf_gone *gone, cf_relay_event *event) {
    event->type = gone->connection ? CF_RELAY_DISCONNECTED : CF_RELAY_CLOSED;
    event->value = gone->value;
    event->allocation = gone->connection ? 0 : gone->number;
    event->client = gone->client;
    event->len = 0;
    uint32_t place = cf_number_place(gone->number);
    if (gone->connection) {
        worker->free_connections[worker->free_connection_count++] = place;
        worker->open_connections--;
    } else {
        worker->allocation_state[place] = CF_PLACE_GONE;
    }
}

/* What is gone is told after what came before it: as many of these as there were before the others were looked for. */
static int take_events(cf_worker *worker, cf_relay_event *events, int n) {
    size_t gone_count = cf_ring_used(worker->gone);
    int taken = 0;
    while (taken < n && cf_ring_pop(worker->up, &events[taken]))
        taken++;
    for (cf_gone gone; taken < n && gone_count > 0 && cf_ring_pop(worker->gone, &gone); gone_count--)
        tell_gone(worker, &gone, &events[taken++]);
    return taken;
}

int cf_relay_events(cf_relay *relay, cf_relay_event *events, int n) {
    uint64_t value;
    ssize_t got = read(relay->up_fd, &value, sizeof value);
    (void)got; /* non-blocking */
    int taken = 0;
    for (int i = 0; i < relay->threads && taken < n; i++)
        taken += take_events(relay->workers[(relay->turn + i) % relay->threads], events + taken, n - taken);
    relay->turn = (relay->turn + 1) % relay->threads;
    if (taken == n) { /* there may be more */
        value = 1;
        got = write(relay->up_fd, &value, sizeof value);
        (void)got;
    }
    return taken;
}

/* A worker's coming and going: its descriptors, tables and rings, its thread, and the closing of all that is left. */
#include "conn.h"

#include "base/lazy.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int cf_worker_start(cf_worker *worker) {
    sigset_t all, before;
    sigfillset(&all); /* signals are for the interpreter's main thread; SIGPIPE of a connection is nobody's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&worker->thread, NULL, cf_worker_run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return -rc;
    char name[16];
    snprintf(name, sizeof name, "cf-relay-%d", worker->index);
    pthread_setname_np(worker->thread, name);
    worker->running = true;
    cf_ring_bell(worker->wake); /* orders may have been waiting for the start */
    return 0;
}

void cf_worker_stop(cf_worker *worker) {
    if (!worker->running)
        return;
    atomic_store_explicit(&worker->stop, true, memory_order_release);
    cf_ring_bell(worker->wake);
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

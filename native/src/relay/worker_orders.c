/* What the control side orders, done by the worker: tables, replies, connections. */
#include "conn.h"

#include <errno.h>
#include <sys/epoll.h>

static cf_ends *ends_of(cf_worker *worker, uint64_t allocation) {
    uint32_t place = cf_number_place(allocation);
    cf_ends *ends = place < worker->relay->config.allocations ? &worker->ends[place] : NULL;
    return ends != NULL && ends->number == allocation ? ends : NULL;
}

/* The listening socket that was asked there: its own address, else a wildcard's. */
static int find_listener(const cf_worker *worker, const cf_addr *local) {
    for (int i = 0; i < worker->listener_count; i++)
        if (cf_addr_equal(&worker->listeners[i].bound, local))
            return i;
    for (int pass = 0; pass < 2; pass++) /* of its own family first, else one of IPv6 that takes both */
        for (int i = 0; i < worker->listener_count; i++) {
            const cf_listener *l = &worker->listeners[i];
            if (l->wildcard && l->bound.port == local->port && (pass == 1 || l->bound.family == local->family))
                return i;
        }
    return -1;
}

/* The path by which the core knows the client; false: there is none (any more). */
static bool path_of(cf_worker *worker, const cf_relay_client *client, cf_path *path) {
    if (client->transport != CF_RELAY_UDP)
        return cf_rconn_path(worker, client->connection, path);
    int listener = find_listener(worker, &client->local);
    *path = (cf_path){.socket = (uint32_t)listener, .local = client->local, .remote = client->peer};
    return listener >= 0;
}

static void close_ends(cf_ends *ends) {
    for (int v6 = 0; v6 < 2; v6++)
        cf_close_fd(ends->fd[v6]);
    *ends = (cf_ends){0};
}

static int watch_ends(cf_worker *worker, const cf_ends *ends, uint32_t place) {
    int rc = 0;
    for (uint32_t v6 = 0; v6 < 2 && rc == 0; v6++) {
        if (ends->fd[v6] < 0)
            continue;
        /* RFC 8656 section 14: without DONT-FRAGMENT the bit is not set. */
        cf_set_int(ends->fd[v6], v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
                   IP_PMTUDISC_DONT);
        rc = cf_watch(worker->epoll, EPOLL_CTL_ADD, ends->fd[v6], EPOLLIN, cf_tag_of(CF_TAG_RELAYED, place << 1 | v6));
    }
    return rc;
}

static void open_allocation(cf_worker *worker, const cf_order *order) {
    uint32_t place = cf_number_place(order->number);
    cf_ends *ends = &worker->ends[place];
    cf_path path;
    int rc = -ENOTCONN;
    *ends = (cf_ends){.number = order->number, .fd = {order->fd[0], order->fd[1]}};
    if (path_of(worker, &order->client, &path))
        rc = cf_rcore_open(worker->core, place, &path, order->client.transport, order->fd[0] >= 0, order->fd[1] >= 0,
                           order->until, order->bytes_per_second);
    if (rc == 0) {
        rc = watch_ends(worker, ends, place);
        if (rc == 0)
            return;
        cf_rcore_close(worker->core, place);
    }
    close_ends(ends);
    cf_worker_tell_gone(worker, &(cf_gone){.number = order->number, .value = -rc});
}

static void close_allocation(cf_worker *worker, cf_ends *ends) {
    uint64_t number = ends->number;
    cf_rcore_close(worker->core, cf_number_place(number));
    close_ends(ends);
    cf_worker_tell_gone(worker, &(cf_gone){.number = number});
}

static void withdraw(cf_worker *worker, cf_ends *ends, int family) {
    int v6 = family == 6;
    cf_rcore_withdraw(worker->core, cf_number_place(ends->number), family);
    cf_close_fd(ends->fd[v6]);
    ends->fd[v6] = -1;
}

static void change_allocation(cf_worker *worker, const cf_order *order) {
    cf_ends *ends = ends_of(worker, order->number);
    if (ends == NULL)
        return;
    uint32_t place = cf_number_place(order->number);
    if (order->op == CF_ORDER_REFRESH)
        cf_rcore_refresh(worker->core, place, order->until);
    else if (order->op == CF_ORDER_PERMIT)
        cf_rcore_permit(worker->core, place, &order->peer, order->until, order->ranges, order->count, worker->now);
    else if (order->op == CF_ORDER_BIND)
        cf_rcore_bind(worker->core, place, (uint16_t)order->channel, &order->peer, order->until, worker->now);
    else if (order->op == CF_ORDER_WITHDRAW)
        withdraw(worker, ends, order->peer.family);
    else
        close_allocation(worker, ends);
}

/* Sent at once: the order's bytes do not outlive it. */
static void reply(cf_worker *worker, cf_order *order) {
    cf_path path;
    cf_outgoing *out = cf_batch_next(worker);
    cf_run *run;
    if (!path_of(worker, &order->client, &path))
        return;
    out->data = out->dont_fragment = false;
    out->conn = NULL;
    out->local.family = 0;
    if (!cf_worker_to_client(worker, &path, out, &run))
        return;
    out->iov[0] = (struct iovec){order->data, order->len};
    out->parts = 1;
    out->len = order->len;
    cf_batch_put(worker, out, NULL);
    cf_batch_flush(worker);
    cf_tally(&worker->count.replies, 1);
}

void cf_worker_obey(cf_worker *worker, cf_order *order) {
    switch (order->op) {
    case CF_ORDER_OPEN:
        open_allocation(worker, order);
        break;
    case CF_ORDER_REPLY:
        reply(worker, order);
        break;
    case CF_ORDER_JOIN:
        cf_rconn_join(worker, order);
        break;
    case CF_ORDER_HANG_UP:
        cf_rconn_hang_up(worker, order->number);
        break;
    default:
        change_allocation(worker, order);
    }
}

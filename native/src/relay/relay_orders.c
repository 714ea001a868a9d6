/* The control side's orders: checked, given their places, put into the worker's ring. */
#include "conn.h"
#include "lobby.h"

#include <errno.h>
#include <string.h>

/* The last places are kept for orders that nobody would give again. */
static int put(cf_worker *worker, const cf_order *order) {
    size_t room = CF_ORDERS - (order->op == CF_ORDER_REPLY ? CF_ORDERS_KEPT : 0);
    if (cf_ring_used(worker->down) >= room || !cf_ring_push(worker->down, order))
        return -EAGAIN;
    cf_worker_wake(worker);
    return 0;
}

static cf_worker *worker_at(const cf_relay *relay, int thread) {
    return thread >= 0 && thread < relay->threads ? relay->workers[thread] : NULL;
}

/* ---- allocations ---- */

static cf_worker *worker_with(const cf_relay *relay, uint64_t allocation, enum cf_place_state state) {
    cf_worker *worker = worker_at(relay, cf_number_thread(allocation));
    uint32_t place = cf_number_place(allocation);
    if (worker == NULL || place >= relay->config.allocations || worker->allocation_state[place] != state)
        return NULL;
    bool same = cf_number_of(worker->index, worker->allocation_generation[place], place) == allocation;
    return same ? worker : NULL;
}

int cf_relay_open(cf_relay *relay, const cf_relay_client *client, int fd4, int fd6, int64_t until_ns,
                  uint64_t bytes_per_second, uint64_t *allocation) {
    cf_worker *worker = worker_at(relay, client->thread);
    if (worker == NULL)
        return -EINVAL;
    if (worker->free_allocation_count == 0)
        return -ENOSPC;
    uint32_t place = worker->free_allocations[worker->free_allocation_count - 1];
    uint64_t number = cf_number_of(worker->index, worker->allocation_generation[place] + 1, place);
    cf_order order = {.op = CF_ORDER_OPEN,
                      .number = number,
                      .client = *client,
                      .until = until_ns,
                      .bytes_per_second = bytes_per_second,
                      .fd = {fd4, fd6}};
    int rc = put(worker, &order);
    if (rc < 0)
        return rc;
    worker->free_allocation_count--;
    worker->allocation_generation[place]++;
    worker->allocation_state[place] = CF_PLACE_LIVE;
    *allocation = number;
    return 0;
}

static int change(cf_relay *relay, cf_order *order) {
    cf_worker *worker = worker_with(relay, order->number, CF_PLACE_LIVE);
    order->fd[0] = order->fd[1] = -1;
    return worker != NULL ? put(worker, order) : -ENOENT;
}

int cf_relay_refresh(cf_relay *relay, uint64_t allocation, int64_t until_ns) {
    return change(relay, &(cf_order){.op = CF_ORDER_REFRESH, .number = allocation, .until = until_ns});
}

int cf_relay_permit(cf_relay *relay, uint64_t allocation, const cf_addr *peer, int64_t until_ns,
                    const cf_relay_ports *ranges, int n) {
    if (n < 0 || n > CF_RELAY_RANGES || (peer->family != 4 && peer->family != 6))
        return -EINVAL;
    cf_order order = {.op = CF_ORDER_PERMIT, .number = allocation, .peer = *peer, .until = until_ns, .count = n};
    for (int i = 0; i < n; i++)
        order.ranges[i] = ranges[i];
    return change(relay, &order);
}

int cf_relay_bind(cf_relay *relay, uint64_t allocation, int channel, const cf_addr *peer, int64_t until_ns) {
    if (channel < CF_CHANNEL_FIRST || channel > CF_CHANNEL_LAST || (peer->family != 4 && peer->family != 6))
        return -EINVAL;
    return change(
        relay,
        &(cf_order){.op = CF_ORDER_BIND, .number = allocation, .channel = channel, .peer = *peer, .until = until_ns});
}

int cf_relay_withdraw(cf_relay *relay, uint64_t allocation, int family) {
    if (family != 4 && family != 6)
        return -EINVAL;
    return change(relay, &(cf_order){.op = CF_ORDER_WITHDRAW, .number = allocation, .peer.family = (uint8_t)family});
}

int cf_relay_close(cf_relay *relay, uint64_t allocation) {
    int rc = change(relay, &(cf_order){.op = CF_ORDER_CLOSE, .number = allocation});
    if (rc == 0)
        worker_with(relay, allocation, CF_PLACE_LIVE)->allocation_state[cf_number_place(allocation)] = CF_PLACE_CLOSING;
    return rc;
}

int cf_relay_forget(cf_relay *relay, uint64_t allocation) {
    cf_worker *worker = worker_with(relay, allocation, CF_PLACE_GONE);
    if (worker == NULL)
        return -ENOENT;
    uint32_t place = cf_number_place(allocation);
    worker->allocation_state[place] = CF_PLACE_FREE;
    worker->free_allocations[worker->free_allocation_count++] = place;
    return 0;
}

int cf_relay_traffic_of(const cf_relay *relay, uint64_t allocation, cf_relay_traffic *traffic, uint64_t *drops) {
    for (int state = CF_PLACE_LIVE; state <= CF_PLACE_GONE; state++) {
        const cf_worker *worker = worker_with(relay, allocation, (enum cf_place_state)state);
        if (worker == NULL)
            continue;
        cf_rcore_traffic(&worker->core->relayed[cf_number_place(allocation)], traffic, drops);
        return 0;
    }
    return -ENOENT;
}

/* ---- clients and connections ---- */

int cf_relay_reply(cf_relay *relay, const cf_relay_client *client, const uint8_t *data, size_t len) {
    cf_worker *worker = worker_at(relay, client->thread);
    if (worker == NULL || len > CF_RELAY_DATA_MAX)
        return -EINVAL;
    cf_order order = {.op = CF_ORDER_REPLY, .client = *client, .fd = {-1, -1}, .len = (uint32_t)len};
    memcpy(order.data, data, len);
    return put(worker, &order);
}

/* The worker with the fewest connections; of equals they take turns. */
static cf_worker *least_busy(cf_relay *relay) {
    cf_worker *best = NULL;
    for (int i = 0; i < relay->threads; i++) {
        cf_worker *worker = relay->workers[(relay->next + i) % relay->threads];
        if (best == NULL || worker->open_connections < best->open_connections)
            best = worker;
    }
    relay->next = (relay->next + 1) % relay->threads;
    return best;
}

int cf_relay_adopt(cf_relay *relay, int fd, int how, uint64_t *connection) {
    if (fd < 0 || how < CF_ADOPT_PLAIN || how > CF_ADOPT_SNIFF)
        return -EINVAL;
    cf_worker *worker = least_busy(relay);
    if (worker->free_connection_count == 0) {
        cf_lobby_refused(relay->lobby);
        return -ENOSPC;
    }
    uint32_t place = worker->free_connections[worker->free_connection_count - 1];
    uint64_t number = cf_number_of(worker->index, worker->connection_generation[place] + 1, place);
    int rc = cf_lobby_enter(relay->lobby, worker, number, fd, how);
    if (rc < 0)
        return rc;
    worker->free_connection_count--;
    worker->connection_generation[place]++;
    worker->open_connections++;
    *connection = number;
    return 0;
}

static int order_connection(cf_relay *relay, cf_order *order) {
    uint64_t connection = order->number;
    cf_worker *worker = worker_at(relay, cf_number_thread(connection));
    uint32_t place = cf_number_place(connection);
    if (worker == NULL || place >= relay->config.connections ||
        cf_number_of(worker->index, worker->connection_generation[place], place) != connection)
        return -ENOENT;
    return put(worker, order);
}

int cf_relay_join(cf_relay *relay, uint64_t connection, int fd, uint64_t allocation, const uint8_t *said, size_t len) {
    if (fd < 0 || len > CF_RELAY_DATA_MAX)
        return -EINVAL;
    const cf_worker *owner = worker_with(relay, allocation, CF_PLACE_LIVE);
    if (allocation != 0 && owner == NULL)
        return -ENOENT;
    cf_order order = {.op = CF_ORDER_JOIN, .number = connection, .fd = {fd, -1}, .len = (uint32_t)len};
    if (owner != NULL)
        order.of = &owner->core->relayed[cf_number_place(allocation)];
    if (len > 0)
        memcpy(order.data, said, len);
    return order_connection(relay, &order);
}

int cf_relay_hang_up(cf_relay *relay, uint64_t connection) {
    return order_connection(relay, &(cf_order){.op = CF_ORDER_HANG_UP, .number = connection, .fd = {-1, -1}});
}

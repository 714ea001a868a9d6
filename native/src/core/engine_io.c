/* A media thread's way in and out: datagrams in batches, whichever sockets they are of, and what the calls cost. */
#include "engine_tcp.h"

#include <sys/epoll.h>

/* One system call in so many is timed and counts for all: a prime, so that no pattern of calls is met. */
enum { METERED = 13 };

int64_t cf_meter_start(cf_media *media) {
    return ++media->calls % METERED == 0 ? cf_clock_ns(CLOCK_MONOTONIC) : 0;
}

void cf_meter_stop(cf_media *media, int64_t begin) {
    if (begin != 0)
        cf_count(&media->io_ns, METERED * (uint64_t)(cf_clock_ns(CLOCK_MONOTONIC) - begin));
}

void cf_media_flush(cf_media *media) {
    if (media->tx.count == 0)
        return;
    int64_t begin = cf_meter_start(media);
    unsigned failed = cf_tx_flush(&media->tx, media->sockets);
    cf_meter_stop(media, begin);
    if (failed > 0)
        cf_count(&media->send_failures, failed);
}

static void put_in(cf_media *media, bool done) {
    if (!done)
        cf_count(&media->send_failures, 1);
    if (media->tx.count == CF_TX_BATCH)
        cf_media_flush(media);
}

void cf_media_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    cf_media *media = arg;
    put_in(media, cf_tx_put(&media->tx, path, data, len));
}

uint8_t *cf_media_reserve(void *arg) {
    cf_media *media = arg;
    return cf_tx_room(&media->tx); /* a full batch has been sent */
}

void cf_media_commit(void *arg, const cf_path *path, size_t len) {
    cf_media *media = arg;
    put_in(media, cf_tx_commit(&media->tx, path, len));
}

static cf_socket *socket_of(const cf_media *media, uint32_t number) {
    return atomic_load_explicit(&media->sockets[number], memory_order_acquire);
}

/* A leg's own socket before the leg and after it: nobody has asked for what comes, STUN least of all. */
static bool is_wanted(const cf_media *media, uint32_t number) {
    return socket_of(media, number)->shared || cf_core_has_socket(media->core, number);
}

/* On our clock. What waited while we ticked came earlier than it is read: that is no jitter of the network. A stamp
 * that cannot be, because the wall clock was set meanwhile, is the time of reading. */
static int64_t came_at(const cf_media *media, const cf_datagram *datagram) {
    enum { LONGEST_WAIT = 200000000 }; /* ns: ticks that a late core makes up for, and one */
    int64_t at = datagram->came - media->wall_offset;
    return datagram->came && at <= media->now && media->now - at < LONGEST_WAIT ? at : media->now;
}

/* A leg's own socket is connected when the core has settled on where its media comes from: asked each second of media.
 */
static void settle(cf_media *media, uint32_t number) {
    enum { ASKED_EVERY = 50 };
    cf_socket *socket = socket_of(media, number);
    cf_addr remote;
    if (socket->shared || socket->wildcard || socket->connected || ++socket->taken % ASKED_EVERY != 0)
        return;
    if (cf_core_socket_settled(media->core, number, &remote))
        cf_udp_connect(socket, &remote); /* where that is refused it works as before */
}

/* What is still to be sent to the old peer goes first: a connected socket sends to nobody else. */
void cf_media_unsettle(cf_media *media, uint64_t leg) {
    uint32_t number;
    if (!cf_core_leg_socket(media->core, leg, &number) || number >= CF_ENGINE_SOCKETS)
        return;
    cf_socket *socket = socket_of(media, number);
    if (socket == NULL || !socket->connected)
        return;
    cf_media_flush(media);
    cf_udp_disconnect(socket);
}

static void take(cf_media *media, const cf_datagram *datagram) {
    if (!is_wanted(media, datagram->path.socket)) {
        cf_count(&media->unusable, 1);
        return;
    }
    cf_core_receive(media->core, &datagram->path, datagram->data, datagram->len, came_at(media, datagram));
    settle(media, datagram->path.socket);
}

/* The first n datagrams of the batch go to the core; whose they are is foretold for a few at a time. */
static void take_in(cf_media *media, int n, const uint32_t *numbers) {
    cf_datagram good[CF_RX_BATCH];
    cf_path paths[CF_RX_BATCH];
    size_t count = 0;
    for (int i = 0; i < n; i++)
        if (cf_rx_get(&media->rx, i, socket_of(media, numbers[i]), numbers[i], &good[count]))
            count++;
    for (size_t i = 0; i < count; i++)
        paths[i] = good[i].path;
    for (size_t i = 0; i < count; i++) {
        if (i % CF_EXPECT_MAX == 0)
            cf_core_expect(media->core, paths + i, count - i);
        take(media, &good[i]);
    }
    cf_count(&media->unusable, (uint64_t)n - count);
    media->window_packets += (unsigned)n;
}

/* One read of a shared socket; how many datagrams it gave. */
static int receive_batch(cf_media *media, uint32_t number) {
    uint32_t numbers[CF_RX_BATCH];
    const cf_socket *socket = socket_of(media, number);
    if (socket == NULL || !socket->shared)
        return 0;
    int64_t begin = cf_meter_start(media);
    int n = cf_rx_read(&media->rx, socket);
    cf_meter_stop(media, begin);
    for (int i = 0; i < n; i++)
        numbers[i] = number;
    take_in(media, n, numbers);
    return n;
}

static void receive_shared(cf_media *media, uint32_t number) {
    for (int taken = 0; taken < CF_RX_TURN;) {
        int n = receive_batch(media, number);
        cf_media_advance_late(media);
        taken += n;
        if (n < CF_RX_BATCH)
            return;
    }
    media->more = true;
}

static void take_held(cf_media *media) {
    int n = media->held;
    media->held = 0;
    take_in(media, n, media->held_of);
}

/* A leg's own socket rarely holds a second datagram, and to ask for it costs a fifth of the call: epoll tells of it in
 * the next turn. */
static void receive_own(cf_media *media, uint32_t number, const cf_socket *socket) {
    int64_t begin = cf_meter_start(media);
    if (cf_rx_read_one(&media->rx, media->held, socket))
        media->held_of[media->held++] = number;
    cf_meter_stop(media, begin);
    if (media->held < CF_RX_BATCH)
        return;
    take_held(media);
    cf_media_advance_late(media);
}

/* Connections, and who comes in anew. */
static void receive_tcp(cf_media *media, const struct epoll_event *ready, int n) {
    bool any = false;
    for (int i = 0; i < n; i++) {
        uint32_t number = ready[i].data.u32;
        cf_socket *socket = number < CF_ENGINE_SOCKETS ? socket_of(media, number) : NULL;
        bool listener = socket != NULL && socket->listener;
        if (number >= CF_TCP_FIRST)
            cf_conn_ready(media->conns, number, ready[i].events);
        else if (listener)
            cf_conns_accept(media->conns, socket);
        any = any || listener || number >= CF_TCP_FIRST;
    }
    if (any)
        cf_media_advance_late(media);
    cf_conns_look(media->conns);
}

/* Legs' own sockets first, in batches of many; then the shared ones, each a batch of its own. */
void cf_media_receive(cf_media *media, const struct epoll_event *ready, int n) {
    uint32_t shared[CF_TURN_EVENTS];
    int shared_count = 0;
    for (int i = 0; i < n; i++) {
        uint32_t number = ready[i].data.u32;
        const cf_socket *socket = number < CF_ENGINE_SOCKETS ? socket_of(media, number) : NULL;
        if (socket == NULL || socket->listener || socket->stream)
            continue;
        if (socket->shared)
            shared[shared_count++] = number;
        else
            receive_own(media, number, socket);
    }
    take_held(media);
    for (int i = 0; i < shared_count; i++)
        receive_shared(media, shared[i]);
    if (media->conns != NULL)
        receive_tcp(media, ready, n);
    media->more = media->more || n == CF_TURN_EVENTS;
}

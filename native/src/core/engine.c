/* The engine as its owner sees it: made, bound, started, drained of events, and freed. */
#include "engine_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int open_engine(cf_engine *engine, int threads, uint64_t seed) {
    cf_rng_seed(&engine->rng, seed);
    engine->up_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (engine->up_fd < 0 || cf_table_init(&engine->rooms) < 0 || cf_table_init(&engine->legs) < 0)
        return -ENOMEM;
    for (int i = 0; i < threads; i++) {
        cf_media *media = calloc(1, sizeof *media);
        if (media == NULL)
            return -ENOMEM;
        engine->media[engine->threads++] = media;
        if (cf_media_init(media, i, engine->up_fd, cf_rng_next(&engine->rng)) < 0)
            return -ENOMEM;
    }
    return 0;
}

cf_engine *cf_engine_new(int threads, uint64_t seed) {
    if (threads < 1 || threads > CF_ENGINE_THREADS)
        return NULL;
    cf_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return NULL;
    if (open_engine(engine, threads, seed) < 0) {
        cf_engine_free(engine);
        return NULL;
    }
    return engine;
}

void cf_engine_set_nice(cf_engine *engine, int nice) {
    for (int i = 0; i < engine->threads; i++)
        engine->media[i]->nice = nice;
}

int cf_engine_start(cf_engine *engine) {
    if (engine->started)
        return -EALREADY;
    for (int i = 0; i < engine->threads; i++) {
        int rc = cf_media_start(engine->media[i]);
        if (rc < 0) {
            while (i-- > 0)
                cf_media_stop(engine->media[i]);
            return rc;
        }
    }
    engine->started = true;
    return 0;
}

/* Takes at most as much as waits now; returns the number of events. */
static int drain(cf_engine *engine, cf_media *media, cf_event *events, int n) {
    int taken = 0;
    cf_up item;
    for (size_t left = cf_ring_used(media->up); left > 0 && taken < n && cf_ring_pop(media->up, &item); left--) {
        if (!item.done) {
            if (item.event.type == CF_EVENT_PLAYED)
                cf_plays_ended(engine, item.event.value);
            events[taken++] = item.event;
        } else if (cf_complete(engine, media, &item.command, &events[taken])) {
            taken++;
        }
    }
    return taken;
}

/* After the threads have ended: what they had not come to is done here, so that everything finds its owner. */
static void settle(cf_engine *engine, cf_media *media) {
    if (media->core == NULL || media->down == NULL || media->up == NULL)
        return;
    cf_event ignored[16];
    cf_media_run_commands(media);
    while (cf_ring_used(media->up) > 0)
        drain(engine, media, ignored, 16);
}

void cf_engine_free(cf_engine *engine) {
    if (engine == NULL)
        return;
    for (int i = 0; i < engine->threads; i++)
        cf_media_stop(engine->media[i]);
    for (int i = 0; i < engine->threads; i++)
        settle(engine, engine->media[i]);
    cf_taps_free(engine);
    cf_plays_free(engine);
    for (int i = 0; i < engine->threads; i++) {
        cf_media_close(engine->media[i]);
        free(engine->media[i]);
    }
    cf_table_free(&engine->legs);
    cf_table_free(&engine->rooms);
    if (engine->up_fd >= 0)
        close(engine->up_fd);
    free(engine);
}

cf_media *cf_engine_media(const cf_engine *engine, int thread) {
    return thread >= 0 && thread < engine->threads ? engine->media[thread] : NULL;
}

int cf_engine_threads(const cf_engine *engine) {
    return engine->threads;
}

int cf_engine_fileno(const cf_engine *engine) {
    return engine->up_fd;
}

int64_t cf_engine_now(const cf_engine *engine) {
    (void)engine;
    return cf_clock_ns(CLOCK_MONOTONIC);
}

int cf_engine_events(cf_engine *engine, cf_event *events, int n) {
    uint64_t count;
    ssize_t got = read(engine->up_fd, &count, sizeof count);
    (void)got; /* non-blocking: called without a wake-up is fine */
    int taken = 0;
    for (int i = 0; i < engine->threads; i++)
        taken += drain(engine, engine->media[(engine->turn + i) % engine->threads], events + taken, n - taken);
    engine->turn = (engine->turn + 1) % engine->threads; /* one thread's flood does not hide the others */
    bool more = false;
    for (int i = 0; i < engine->threads; i++)
        more = more || cf_ring_used(engine->media[i]->up) > 0;
    if (more) {
        count = 1;
        got = write(engine->up_fd, &count, sizeof count); /* stay readable */
        (void)got;
    }
    return taken;
}

/* Shared sockets are bound first and have the lowest numbers: the look ends soon. */
static uint64_t receive_drops(const cf_media *media) {
    uint64_t drops = 0;
    size_t left = media->shared_sockets;
    for (uint32_t n = 0; n < CF_ENGINE_SOCKETS && left > 0; n++) {
        const cf_socket *socket = atomic_load_explicit(&media->sockets[n], memory_order_relaxed);
        if (socket == NULL || !socket->shared || socket->closing)
            continue;
        drops += cf_udp_drops(socket);
        left--;
    }
    return drops;
}

int cf_engine_stats(cf_engine *engine, int thread, cf_core_stats *stats) {
    const cf_media *media = cf_engine_media(engine, thread);
    if (media == NULL)
        return -EINVAL;
    cf_core_stats_get(media->core, stats);
    stats->packets_unknown += cf_counted(&media->unusable);
    stats->send_failures = cf_counted(&media->send_failures);
    stats->events_lost = cf_counted(&media->events_lost);
    stats->commands = cf_counted(&media->commands);
    stats->tick_ns_max = cf_counted(&media->tick_ns_max);
    stats->tick_ns_sum = cf_counted(&media->tick_ns_sum);
    stats->io_ns = cf_counted(&media->io_ns);
    stats->receive_drops = receive_drops(media);
    stats->tcp_open = cf_counted(&media->tcp_open);
    stats->tcp_refused = cf_counted(&media->tcp_refused);
    return 0;
}

/* ---- sockets ---- */

enum socket_kind { OWN, SHARED, LISTENER, LEG_LISTENER, LEG_CONNECTOR };

static int open_socket(enum socket_kind kind, const cf_addr *addr, cf_socket *out) {
    if (kind == OWN || kind == SHARED)
        return cf_udp_open(addr, kind == SHARED, out);
    if (kind == LEG_CONNECTOR) {
        *out = (cf_socket){.fd = -1, .bound = *addr, .stream = true};
        return addr->family == 4 || addr->family == 6 ? 0 : -EAFNOSUPPORT;
    }
    int rc = cf_tcp_listen(addr, out);
    out->stream = kind == LEG_LISTENER;
    return rc;
}

static int bind_socket(cf_engine *engine, int thread, const cf_addr *addr, enum socket_kind kind) {
    cf_media *media = cf_engine_media(engine, thread);
    if (media == NULL)
        return -EINVAL;
    if (media->free_count == 0)
        return -EMFILE;
    cf_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL)
        return -ENOMEM;
    int rc = open_socket(kind, addr, socket);
    if (rc < 0) {
        free(socket);
        return rc;
    }
    uint32_t number = socket->number = media->free_sockets[media->free_count - 1];
    atomic_store_explicit(&media->sockets[number], socket, memory_order_release); /* before epoll can name it */
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    if (socket->fd >= 0 && epoll_ctl(media->epoll, EPOLL_CTL_ADD, socket->fd, &event) < 0) {
        rc = -errno;
        atomic_store_explicit(&media->sockets[number], NULL, memory_order_relaxed);
        cf_socket_free(socket);
        return rc;
    }
    media->free_count--;
    media->shared_sockets += socket->shared;
    return (int)number;
}

int cf_engine_bind_shared(cf_engine *engine, int thread, const cf_addr *addr) {
    return bind_socket(engine, thread, addr, SHARED);
}

int cf_engine_bind_leg(cf_engine *engine, int thread, const cf_addr *addr) {
    return bind_socket(engine, thread, addr, OWN);
}

/* The connections' memory has to be there before the thread that owns it. */
int cf_engine_listen_shared(cf_engine *engine, int thread, const cf_addr *addr) {
    cf_media *media = cf_engine_media(engine, thread);
    if (media == NULL || (media->running && media->conns == NULL))
        return -EINVAL;
    if (media->conns == NULL)
        media->conns = media->tx.conns = cf_conns_new(media);
    return media->conns == NULL ? -ENOMEM : bind_socket(engine, thread, addr, LISTENER);
}

int cf_engine_stream_leg(cf_engine *engine, int thread, const cf_addr *addr, int listens) {
    const cf_media *media = cf_engine_media(engine, thread);
    if (media == NULL || media->conns == NULL)
        return -EINVAL;
    return bind_socket(engine, thread, addr, listens ? LEG_LISTENER : LEG_CONNECTOR);
}

static cf_socket *open_one(const cf_media *media, uint32_t number) {
    cf_socket *socket =
        number < CF_ENGINE_SOCKETS ? atomic_load_explicit(&media->sockets[number], memory_order_relaxed) : NULL;
    return socket != NULL && !socket->closing ? socket : NULL;
}

int cf_engine_connect(cf_engine *engine, int thread, uint32_t number, const cf_addr *remote) {
    cf_media *media = cf_engine_media(engine, thread);
    cf_socket *socket = media != NULL ? open_one(media, number) : NULL;
    if (socket == NULL)
        return media == NULL ? -EINVAL : -ENOENT;
    if (!socket->stream || socket->listener)
        return -EINVAL;
    if (!cf_may_submit(media, 1, false))
        return -EAGAIN;
    int fd = cf_tcp_connect(&socket->bound, remote);
    if (fd < 0)
        return fd;
    cf_submit(media,
              &(cf_command){.op = CF_OP_SOCKET_CONNECT, .id = number, .object = socket, .value = fd, .rtp = *remote});
    return 0;
}

static void close_at_once(cf_media *media, uint32_t number, cf_socket *socket) {
    atomic_store_explicit(&media->sockets[number], NULL, memory_order_relaxed);
    cf_socket_free(socket); /* and so out of epoll */
    media->free_sockets[media->free_count++] = number;
}

int cf_engine_close_socket(cf_engine *engine, int thread, uint32_t number) {
    cf_media *media = cf_engine_media(engine, thread);
    if (media == NULL || number >= CF_ENGINE_SOCKETS)
        return -EINVAL;
    cf_socket *socket = atomic_load_explicit(&media->sockets[number], memory_order_relaxed);
    if (socket == NULL || socket->closing)
        return -ENOENT;
    if (socket->users > 0)
        return -EBUSY;
    if (media->running && !cf_may_submit(media, 1, true))
        return -EAGAIN;
    media->shared_sockets -= socket->shared;
    if (!media->running) {
        close_at_once(media, number, socket);
        return 0;
    }
    socket->closing = true;
    cf_submit(media, &(cf_command){.op = CF_OP_SOCKET_CLOSE, .id = number, .object = socket});
    return 0;
}

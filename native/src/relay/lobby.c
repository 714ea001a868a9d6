/* The lobby: whoever is silent, slow or many is bounded here; TLS is begun here; who has begun goes on to a worker. */
#include "lobby.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    AT_DOOR = 1024,      /* handed over and not yet looked at */
    TLS_HANDSHAKE = 0x16 /* the first byte of TLS (RFC 8446 section 5.1) */
};

typedef struct cf_entry {
    cf_rconn *conn;
    uint64_t number;
    cf_worker *worker;
    int fd, how;
} cf_entry;

struct cf_lobby {
    cf_relay *relay;
    int epoll, wake;
    cf_ring *door;
    atomic_bool stop;
    pthread_mutex_t tls_lock; /* nobody here is in a hurry */
    SSL_CTX *tls;
    _Atomic uint64_t refused, refused_full, timed_out, handshakes, handshakes_failed;
    pthread_t thread;
    bool running;
    /* The lobby's own. */
    cf_rconn *oldest, *newest;
    size_t waiting;
};

/* ---- the certificate ---- */

SSL_CTX *cf_lobby_tls(cf_lobby *lobby) {
    pthread_mutex_lock(&lobby->tls_lock);
    SSL_CTX *tls = lobby->tls;
    if (tls != NULL)
        SSL_CTX_up_ref(tls);
    pthread_mutex_unlock(&lobby->tls_lock);
    return tls;
}

void cf_lobby_set_tls(cf_lobby *lobby, SSL_CTX *tls) {
    pthread_mutex_lock(&lobby->tls_lock);
    SSL_CTX *old = lobby->tls;
    lobby->tls = tls;
    pthread_mutex_unlock(&lobby->tls_lock);
    SSL_CTX_free(old);
}

/* ---- who waits, by age ---- */

static void list(cf_lobby *lobby, cf_rconn *conn) {
    conn->prev = lobby->newest;
    conn->next = NULL;
    *(conn->prev != NULL ? &conn->prev->next : &lobby->oldest) = conn;
    lobby->newest = conn;
    lobby->waiting++;
}

static void unlist(cf_lobby *lobby, cf_rconn *conn) {
    *(conn->prev != NULL ? &conn->prev->next : &lobby->oldest) = conn->next;
    *(conn->next != NULL ? &conn->next->prev : &lobby->newest) = conn->prev;
    lobby->waiting--;
}

/* The address, or of IPv6 the network that one host commonly has for itself. */
static bool same_source(const cf_addr *a, const cf_addr *b) {
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == 4 ? 4 : 8) == 0;
}

static size_t waiting_from(const cf_lobby *lobby, const cf_addr *source) {
    size_t n = 0;
    for (const cf_rconn *conn = lobby->oldest; conn != NULL; conn = conn->next)
        n += same_source(&conn->peer, source);
    return n;
}

/* ---- going on ---- */

/* To its worker, which also tells of those that have failed. */
static void hand_over(cf_rconn *conn, int error) {
    cf_worker *worker = conn->worker;
    conn->error = error;
    conn->prev = conn->next = NULL;
    cf_ring_push(worker->arrivals, &conn); /* it has a place for each that there can be */
    cf_worker_wake(worker);
}

static void let_in(cf_lobby *lobby, cf_rconn *conn, int error) {
    unlist(lobby, conn);
    epoll_ctl(lobby->epoll, EPOLL_CTL_DEL, conn->fd, NULL);
    hand_over(conn, error);
}

/* ---- coming in ---- */

static int name_ends(cf_rconn *conn) {
    cf_name name;
    socklen_t len = sizeof name;
    if (getpeername(conn->fd, &name.any, &len) < 0)
        return errno;
    bool known = cf_addr_of(&name, &conn->peer);
    len = sizeof name;
    if (getsockname(conn->fd, &name.any, &len) < 0)
        return errno;
    return known && cf_addr_of(&name, &conn->local) ? 0 : EAFNOSUPPORT;
}

/* The place may have been another's: all but the two buffers begins anew. */
static void begin(cf_rconn *conn, const cf_entry *entry, int64_t speak_by) {
    conn->entering = entry->number;
    conn->worker = entry->worker;
    conn->fd = entry->fd;
    conn->how = entry->how;
    conn->joined = -1;
    conn->error = 0;
    conn->ssl = NULL;
    conn->speak_by = speak_by;
    conn->watched = conn->joined_watched = 0;
    conn->shaking = conn->spoken = conn->parked = conn->ending = conn->eof = conn->wants_write = conn->again =
        conn->broken = false;
    conn->run = (cf_run){0};
    conn->of = NULL;
    conn->quiet = false;
    conn->quiet_for[CF_OUT_PEER] = conn->quiet_for[CF_OUT_CLIENT] = 0;
    conn->part_len = conn->queue_at = conn->queue_len = 0;
    conn->peer = conn->local = (cf_addr){0};
}

/* Drop rules: a source's newest, of all the oldest; an honest client says something at once. */
static void come_in(cf_lobby *lobby, const cf_entry *entry) {
    const cf_relay_config *config = &lobby->relay->config;
    cf_rconn *conn = entry->conn;
    begin(conn, entry, cf_monotonic() + config->first_message_ns);
    cf_tune_messages(conn->fd);
    int error = fcntl(conn->fd, F_SETFL, O_NONBLOCK) < 0 ? errno : name_ends(conn);
    if (error == 0 && waiting_from(lobby, &conn->peer) >= config->handshakes_source)
        error = ECONNREFUSED;
    if (error == 0)
        error = -cf_watch(lobby->epoll, EPOLL_CTL_ADD, conn->fd, EPOLLIN, (uint64_t)(uintptr_t)conn);
    if (error != 0) {
        cf_tally(&lobby->refused, 1);
        hand_over(conn, error);
        return;
    }
    if (lobby->waiting >= config->handshakes) {
        cf_tally(&lobby->refused, 1);
        let_in(lobby, lobby->oldest, ECONNREFUSED);
    }
    list(lobby, conn);
}

int cf_lobby_enter(cf_lobby *lobby, cf_worker *worker, uint64_t number, int fd, int how) {
    cf_entry entry = {&worker->conns[cf_number_place(number)], number, worker, fd, how};
    if (!cf_ring_push(lobby->door, &entry))
        return -EAGAIN;
    uint64_t one = 1;
    ssize_t n = write(lobby->wake, &one, sizeof one);
    (void)n; /* fails only when the counter is full, and then it is readable */
    return 0;
}

void cf_lobby_refused(cf_lobby *lobby) {
    cf_tally(&lobby->refused_full, 1);
}

/* ---- what they say first ---- */

static bool begin_tls(cf_lobby *lobby, cf_rconn *conn) {
    SSL_CTX *tls = cf_lobby_tls(lobby);
    if (tls == NULL)
        return false;
    conn->ssl = SSL_new(tls);
    SSL_CTX_free(tls);
    conn->shaking = true;
    return conn->ssl != NULL && SSL_set_fd(conn->ssl, conn->fd) == 1;
}

static void go_on_shaking(cf_lobby *lobby, cf_rconn *conn) {
    int rc = SSL_accept(conn->ssl), why = SSL_get_error(conn->ssl, rc);
    if (rc == 1) {
        cf_tally(&lobby->handshakes, 1);
        let_in(lobby, conn, 0);
    } else if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        cf_watch(lobby->epoll, EPOLL_CTL_MOD, conn->fd, why == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT,
                 (uint64_t)(uintptr_t)conn);
    } else {
        cf_tally(&lobby->handshakes_failed, 1);
        let_in(lobby, conn, EPROTO);
    }
    ERR_clear_error();
}

static void hear(cf_lobby *lobby, cf_rconn *conn) {
    if (conn->shaking) {
        go_on_shaking(lobby, conn);
        return;
    }
    uint8_t first;
    ssize_t n = recv(conn->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    bool tls = n == 1 && first == TLS_HANDSHAKE && conn->how != CF_ADOPT_PLAIN;
    if (n <= 0 || (conn->how == CF_ADOPT_TLS && !tls)) {
        let_in(lobby, conn, n == 0 ? ECONNRESET : n < 0 ? errno : EPROTO);
    } else if (!tls) {
        let_in(lobby, conn, 0);
    } else if (begin_tls(lobby, conn)) {
        go_on_shaking(lobby, conn);
    } else {
        cf_tally(&lobby->handshakes_failed, 1);
        let_in(lobby, conn, EPROTO);
    }
}

/* ---- the thread ---- */

static int timeout_of(const cf_lobby *lobby) {
    if (lobby->oldest == NULL)
        return -1;
    int64_t left = lobby->oldest->speak_by - cf_monotonic();
    return left <= 0 ? 0 : (int)(left / 1000000) + 1;
}

static void turn(cf_lobby *lobby) {
    struct epoll_event ready[CF_TURN_EVENTS];
    int n = epoll_wait(lobby->epoll, ready, CF_TURN_EVENTS, timeout_of(lobby));
    for (int i = 0; i < n; i++) {
        uint64_t value;
        if (ready[i].data.u64 != 0)
            hear(lobby, (cf_rconn *)(uintptr_t)ready[i].data.u64);
        else if (read(lobby->wake, &value, sizeof value) < 0)
            continue; /* nothing there is fine */
    }
    for (cf_entry entry; cf_ring_pop(lobby->door, &entry);)
        come_in(lobby, &entry);
    for (int64_t now = cf_monotonic(); lobby->oldest != NULL && lobby->oldest->speak_by <= now;) {
        cf_tally(&lobby->timed_out, 1);
        let_in(lobby, lobby->oldest, ETIMEDOUT);
    }
}

static void *run(void *arg) {
    cf_lobby *lobby = arg;
    while (!atomic_load_explicit(&lobby->stop, memory_order_acquire))
        turn(lobby);
    return NULL;
}

int cf_lobby_start(cf_lobby *lobby) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&lobby->thread, NULL, run, lobby);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return -rc;
    pthread_setname_np(lobby->thread, "cf-relay-lobby");
    lobby->running = true;
    return 0;
}

void cf_lobby_stop(cf_lobby *lobby) {
    if (lobby == NULL || !lobby->running)
        return;
    atomic_store_explicit(&lobby->stop, true, memory_order_release);
    uint64_t one = 1;
    ssize_t n = write(lobby->wake, &one, sizeof one);
    (void)n;
    pthread_join(lobby->thread, NULL);
    lobby->running = false;
    while (lobby->oldest != NULL) /* the workers' places are freed by the workers */
        let_in(lobby, lobby->oldest, ECONNABORTED);
    for (cf_entry entry; cf_ring_pop(lobby->door, &entry);)
        close(entry.fd);
}

cf_lobby *cf_lobby_new(cf_relay *relay) {
    cf_lobby *lobby = calloc(1, sizeof *lobby);
    if (lobby == NULL)
        return NULL;
    lobby->relay = relay;
    pthread_mutex_init(&lobby->tls_lock, NULL);
    lobby->epoll = epoll_create1(EPOLL_CLOEXEC);
    lobby->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lobby->door = cf_ring_new(AT_DOOR, sizeof(cf_entry));
    if (lobby->epoll >= 0 && lobby->wake >= 0 && lobby->door != NULL &&
        cf_watch(lobby->epoll, EPOLL_CTL_ADD, lobby->wake, EPOLLIN, 0) == 0)
        return lobby;
    cf_lobby_free(lobby);
    return NULL;
}

void cf_lobby_free(cf_lobby *lobby) {
    if (lobby == NULL)
        return;
    cf_entry entry;
    while (lobby->door != NULL && cf_ring_pop(lobby->door, &entry)) /* it never ran */
        close(entry.fd);
    cf_ring_free(lobby->door);
    cf_close_fd(lobby->wake);
    cf_close_fd(lobby->epoll);
    SSL_CTX_free(lobby->tls);
    pthread_mutex_destroy(&lobby->tls_lock);
    free(lobby);
}

void cf_lobby_stats(const cf_lobby *lobby, cf_relay_stats *stats) {
    stats->refused += cf_tallied(&lobby->refused) + cf_tallied(&lobby->refused_full);
    stats->timed_out += cf_tallied(&lobby->timed_out);
    stats->handshakes += cf_tallied(&lobby->handshakes);
    stats->handshakes_failed += cf_tallied(&lobby->handshakes_failed);
}

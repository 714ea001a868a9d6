/* A media thread: waits for packets, commands and the tick, and gives each its turn without allocating, locking or
 * blocking. */
#include "engine_tcp.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* What epoll tells besides socket numbers. */
enum { TAG_WAKE = CF_ENGINE_SOCKETS, TAG_TIMER = CF_ENGINE_SOCKETS + 1 };

/* A wake-up costs more than a packet: from BUSY_PACKETS in WINDOW on (2000 a second) turns are SPACING apart, and each
 * takes what has come since. Nobody hears a millisecond; the tick is not put off. */
enum { WINDOW = 20000000, BUSY_PACKETS = 40, SPACING = 1000000 }; /* ns, packets, ns */
/* A tick waits this long for what had come before it was due to be read: a packet that is left in its socket then waits
 * for the next tick. */
enum { GRACE = 500000 };          /* ns */
enum { WALL_EVERY = 1000000000 }; /* ns */

static void up_push(cf_media *media, const cf_up *item) {
    if (cf_ring_push(media->up, item))
        media->pushed = true;
}

/* Drop rule: an event that finds CF_EVENTS waiting is lost and counted; completions always find room behind them. */
static bool event_fits(cf_media *media) {
    return cf_ring_used(media->up) < CF_EVENTS;
}

static void tell_overrun(cf_media *media) {
    if (media->lost_untold == 0 || !event_fits(media))
        return;
    cf_up item = {.event = {.type = CF_EVENT_OVERRUN, .at = media->now, .value = media->lost_untold}};
    media->lost_untold = 0;
    up_push(media, &item);
}

void cf_media_event(void *arg, const cf_event *event) {
    cf_media *media = arg;
    tell_overrun(media);
    if (!event_fits(media)) {
        media->lost_untold++;
        cf_count(&media->events_lost, 1);
        return;
    }
    cf_up item = {.event = *event};
    up_push(media, &item);
}

void cf_media_push_done(cf_media *media, const cf_command *command) {
    cf_up item = {.done = true, .command = *command};
    up_push(media, &item);
}

void cf_media_run_commands(cf_media *media) {
    cf_command command;
    /* No more than were there at the start, so that a busy control side cannot hold up the tick. */
    for (size_t n = cf_ring_used(media->down); n > 0 && cf_ring_pop(media->down, &command); n--) {
        cf_command_execute(media, &command);
        cf_media_push_done(media, &command);
        cf_count(&media->commands, 1);
    }
}

void cf_media_advance(cf_media *media) {
    int64_t start = cf_clock_ns(CLOCK_MONOTONIC);
    media->now = start;
    if (cf_core_deadline(media->core) > start)
        return;
    cf_core_advance(media->core, start);
    cf_media_flush(media);
    uint64_t took = (uint64_t)(cf_clock_ns(CLOCK_MONOTONIC) - start);
    cf_count(&media->tick_ns_sum, took);
    if (took > cf_counted(&media->tick_ns_max))
        atomic_store_explicit(&media->tick_ns_max, took, memory_order_relaxed);
}

/* A flood does not hold up the tick: it is looked for after every batch. */
void cf_media_advance_late(cf_media *media) {
    media->now = cf_clock_ns(CLOCK_MONOTONIC);
    if (media->now - GRACE >= cf_core_deadline(media->core))
        cf_media_advance(media);
}

static int64_t deadline_of(const cf_media *media) {
    int64_t core = cf_core_deadline(media->core);
    int64_t conns = media->conns != NULL ? cf_conns_deadline(media->conns) : INT64_MAX;
    return core < conns ? core : conns;
}

static void arm_timer(cf_media *media) {
    int64_t deadline = deadline_of(media);
    if (deadline == media->armed)
        return;
    media->armed = deadline;
    struct itimerspec when = {0}; /* all zero: disarmed */
    if (deadline != INT64_MAX) {
        int64_t at = deadline > 0 ? deadline : 1;
        when.it_value = (struct timespec){at / 1000000000, at % 1000000000};
    }
    timerfd_settime(media->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void clear_eventfd(int fd) {
    uint64_t value;
    ssize_t n = read(fd, &value, sizeof value);
    (void)n; /* non-blocking: nothing there is fine */
}

static void ring_eventfd(int fd) {
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    (void)n; /* fails only when the counter is full, and then it is readable */
}

static void space_turns(cf_media *media) {
    if (!media->busy || media->more)
        return;
    int64_t until = media->last_turn + SPACING, deadline = cf_core_deadline(media->core);
    until = until < deadline ? until : deadline;
    struct timespec at = {until / 1000000000, until % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* Sender reports tell wall-clock time (RFC 3550 section 4), which drifts against ours and may be set. */
void cf_media_wall(cf_media *media) {
    if (media->wall_at != 0 && media->now - media->wall_at < WALL_EVERY)
        return;
    media->wall_at = media->now;
    media->wall_offset = cf_clock_ns(CLOCK_REALTIME) - cf_clock_ns(CLOCK_MONOTONIC);
    cf_core_wall(media->core, media->wall_offset);
}

static void start_turn(cf_media *media) {
    media->more = false;
    media->now = media->last_turn = cf_clock_ns(CLOCK_MONOTONIC);
    cf_core_time(media->core, media->now);
    cf_media_wall(media);
    if (media->now - media->window_at < WINDOW)
        return;
    media->busy = media->window_packets >= BUSY_PACKETS;
    media->window_at = media->now;
    media->window_packets = 0;
}

static void turn(cf_media *media) {
    struct epoll_event ready[CF_TURN_EVENTS];
    space_turns(media);
    int n = epoll_wait(media->epoll, ready, CF_TURN_EVENTS, -1);
    start_turn(media);
    for (int i = 0; i < n; i++)
        if (ready[i].data.u32 == TAG_WAKE)
            clear_eventfd(media->wake);
    cf_media_run_commands(media);
    cf_media_receive(media, ready, n);
    cf_media_advance(media);
    tell_overrun(media);
    cf_media_flush(media);
    arm_timer(media);
    if (media->pushed)
        ring_eventfd(media->up_fd);
    media->pushed = false;
}

static void *run(void *arg) {
    cf_media *media = arg;
    if (media->nice != 0) /* of this thread alone on Linux; a refusal is no fault: it is a wish */
        setpriority(PRIO_PROCESS, 0, media->nice);
    while (!atomic_load_explicit(&media->stop, memory_order_acquire))
        turn(media);
    return NULL;
}

int cf_media_start(cf_media *media) {
    sigset_t all, before;
    sigfillset(&all); /* signals are for the interpreter's main thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&media->thread, NULL, run, media);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return -rc;
    char name[16];
    snprintf(name, sizeof name, "cf-media-%d", media->index);
    pthread_setname_np(media->thread, name);
    media->running = true;
    ring_eventfd(media->wake); /* commands may have been waiting for the start */
    return 0;
}

void cf_media_stop(cf_media *media) {
    if (!media->running)
        return;
    atomic_store_explicit(&media->stop, true, memory_order_release);
    ring_eventfd(media->wake);
    pthread_join(media->thread, NULL);
    media->running = false;
}

static int watch(cf_media *media, int fd, uint32_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = tag};
    return fd < 0 || epoll_ctl(media->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_descriptors(cf_media *media) {
    media->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (media->epoll < 0)
        return -errno;
    media->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = watch(media, media->wake, TAG_WAKE);
    if (rc < 0)
        return rc;
    media->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return watch(media, media->timer, TAG_TIMER);
}

static int64_t stopwatch(void) {
    return cf_clock_ns(CLOCK_MONOTONIC);
}

static int open_core(cf_media *media, uint64_t seed) {
    cf_core_config config = {
        .seed = seed,
        .max_rooms = CF_ENGINE_ROOMS,
        .max_legs = CF_ENGINE_LEGS,
        .send = cf_media_send,
        .reserve = cf_media_reserve,
        .commit = cf_media_commit,
        .event = cf_media_event,
        .arg = media,
        .stopwatch = stopwatch,
    };
    media->core = cf_core_new(&config);
    media->down = cf_ring_new(CF_COMMANDS, sizeof(cf_command));
    media->up = cf_ring_new(CF_EVENTS + CF_COMMANDS, sizeof(cf_up));
    return media->core != NULL && media->down != NULL && media->up != NULL ? 0 : -ENOMEM;
}

int cf_media_init(cf_media *media, int index, int up_fd, uint64_t seed) {
    media->index = index;
    media->up_fd = up_fd;
    media->epoll = media->wake = media->timer = -1;
    media->armed = INT64_MAX;
    cf_rx_init(&media->rx);
    cf_tx_init(&media->tx);
    for (uint32_t n = 0; n < CF_ENGINE_SOCKETS; n++) /* the lowest number is handed out first */
        media->free_sockets[media->free_count++] = CF_ENGINE_SOCKETS - 1 - n;
    int rc = open_descriptors(media);
    return rc < 0 ? rc : open_core(media, seed);
}

static void close_fd(int fd) {
    if (fd >= 0)
        close(fd);
}

void cf_media_close(cf_media *media) {
    cf_conns_free(media->conns);
    for (uint32_t n = 0; n < CF_ENGINE_SOCKETS; n++) {
        cf_socket *socket = atomic_load_explicit(&media->sockets[n], memory_order_relaxed);
        cf_socket_free(socket);
    }
    cf_core_free(media->core);
    cf_ring_free(media->down);
    cf_ring_free(media->up);
    close_fd(media->timer);
    close_fd(media->wake);
    close_fd(media->epoll);
}

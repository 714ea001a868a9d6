/* First everybody joins, as the front tells; then everybody's packets leave in time, and windows of that are measured.
 */
#include "load.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { READY = 256, TURN_MS = 20, DRAIN_MS = 300, PAUSE_MS = 500, LINE = 1024 };
enum { PERIOD_NS = 20000000, SLOT_NS = PERIOD_NS / SLOTS };

/* Returns true when the front has said "go". */
static bool front_says(load *l) {
    static char line[LINE];
    static size_t have;
    ssize_t n = read(STDIN_FILENO, line + have, sizeof line - 1 - have);
    if (n <= 0)
        fail("the front has gone");
    have += (size_t)n;
    line[have] = 0;
    for (char *end; (end = strchr(line, '\n')) != NULL;) {
        *end = 0;
        if (strcmp(line, "go") == 0)
            return true;
        members_join(l, line);
        have -= (size_t)(end + 1 - line);
        memmove(line, end + 1, have + 1);
    }
    if (have == sizeof line - 1)
        fail("a line of the front is too long");
    return false;
}

static void watch(int epoll, int fd, uint32_t key) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = key};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        fail("cannot wait for a socket");
}

static void timers(load *l) {
    int64_t now = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < l->plan.members; i++)
        if (l->all[i].peer != NULL)
            peer_timers(l, &l->all[i], now);
}

void run_join(load *l) {
    int epoll = epoll_create1(EPOLL_CLOEXEC), n = 0;
    const uint32_t front = MEMBERS_MAX;
    int64_t timers_at = 0;
    for (int i = 0; i < l->plan.members; i++)
        watch(epoll, l->all[i].fd, (uint32_t)i);
    watch(epoll, STDIN_FILENO, front);
    for (bool go = false; !go;) {
        struct epoll_event ready[READY];
        n = epoll_wait(epoll, ready, READY, TURN_MS);
        l->to_real = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);
        for (int i = 0; i < n; i++)
            if (ready[i].data.u32 == front)
                go = front_says(l) || go;
            else
                member_take(l, &l->all[ready[i].data.u32]);
        if (now_ns(CLOCK_MONOTONIC) >= timers_at) {
            timers(l);
            timers_at = now_ns(CLOCK_MONOTONIC) + TURN_MS * MS;
        }
    }
    close(epoll); /* from here on sockets are looked at in turn: waking us would cost the mixer time */
}

/* A member's turn comes once in a frame: it says what is due, and looks at what came since. */
static void turn(load *l, int slot, int64_t due) {
    for (int i = 0; i < l->in_slot[slot]; i++) {
        member *m = l->slots[slot][i];
        if (!m->joined)
            continue;
        member_say(l, m, due);
        if (m->peer != NULL)
            peer_timers(l, m, due);
        member_take(l, m);
    }
}

static void begin_window(load *l, int64_t from) {
    l->measure_from = from;
    l->end = from + (int64_t)(l->plan.seconds * 1e9);
}

/* Everything that a window counts begins anew; what concerns connections is counted over all. */
static void forget(load *l) {
    l->sent = l->held_back = 0;
    l->own_count = l->delay_count = 0;
    l->worst_late = 0;
    for (int i = 0; i < l->plan.members; i++) {
        member *m = &l->all[i];
        m->started = false;
        m->received = m->doubles = 0;
        memset(m->stamps, 0, l->expected * sizeof *m->stamps);
    }
    for (int i = 0; i < l->plan.ears; i++)
        l->ears[i].blocks = l->ears[i].bursts = 0;
    for (int i = 0; i < l->plan.rooms; i++)
        memset(l->rooms[i].measured, 0, sizeof l->rooms[i].measured);
}

/* Judging takes a second of CPU: a child does it, behind the members, who go on. */
static void report_aside(load *l) {
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        fail("cannot fork");
    if (child > 0)
        return;
    setpriority(PRIO_PROCESS, 0, 0);
    report(l);
    printf("}\n");
    fflush(stdout);
    _exit(0);
}

static void say(const char *what) {
    printf("%s\n", what);
    fflush(stdout);
}

static double own_cpu_s(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* Between two windows: "next" begins one, the end of the input ends everything. False: it is over. */
static bool next_wanted(load *l, int64_t now) {
    char line[LINE];
    ssize_t n = read(STDIN_FILENO, line, sizeof line);
    if (n > 0) {
        forget(l);
        begin_window(l, now + PAUSE_MS * MS);
    }
    return n != 0;
}

static void end_window(load *l) {
    l->cpu_percent = 100 * (own_cpu_s() - l->cpu_s) / (l->plan.seconds + DRAIN_MS / 1e3);
    report_aside(l);
    l->measure_from = l->end = INT64_MAX;
}

void run(load *l) {
    signal(SIGCHLD, SIG_IGN); /* nobody waits for the judges */
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    l->start = now_ns(CLOCK_MONOTONIC) + 20 * MS;
    begin_window(l, l->start + (int64_t)(l->plan.warm * 1e9));
    int64_t due = l->start;
    for (int64_t k = 0;; due = l->start + ++k * SLOT_NS) {
        struct timespec at = {due / 1000000000, due % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        l->to_real = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);
        if (due - SLOT_NS < l->measure_from && due >= l->measure_from) {
            l->cpu_s = own_cpu_s();
            say("measuring");
        }
        turn(l, (int)(k % SLOTS), due);
        if (l->end == INT64_MAX && k % SLOTS == 0 && !next_wanted(l, due))
            return;
        if (l->end != INT64_MAX && due >= l->end + DRAIN_MS * MS)
            end_window(l);
    }
}

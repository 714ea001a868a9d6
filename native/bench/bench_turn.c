/* Load for a TURN server: flows that allocate, then packets at a rate both ways at once; what is lost, how long they
 * take, and what the server's process spends. Prints one line of JSON. */
#include "turn/turn.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PAYLOAD_MAX = 1400,
    DELAY_MAX_US = 200000,
    BURST_MAX = 32,
    STAMP = 16,
    DRAIN_NS = 300000000,
    READY = 512,
    LOOK_NS = 20000
};
#define WARM_NS INT64_C(1000000000)

typedef struct plan {
    turn_server server;
    int flows, payload, burst, pid;
    double rate, seconds; /* packets a second, half of them each way */
    bool indications, sleeps;
} plan;

typedef struct tally {
    uint64_t sent, unsent, received; /* within the window */
    uint32_t delays[DELAY_MAX_US + 1];
} tally;

static plan p = {.server = {.host = "127.0.0.1", .port = 3478, .user = "u", .password = "p"},
                 .flows = 100,
                 .payload = 100,
                 .burst = 1,
                 .rate = 10000,
                 .seconds = 4};
static tally t;
static turn_flow *flows;
static int64_t window_from, window_to;

static int64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- the server's process ---- */

/* ns on a CPU, of all its threads. */
static uint64_t cpu_of(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    uint64_t sum = 0;
    for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
        char file[384];
        unsigned long long ns = 0;
        snprintf(file, sizeof file, "%s/%s/schedstat", path, task->d_name);
        FILE *f = task->d_name[0] != '.' ? fopen(file, "r") : NULL;
        if (f != NULL && fscanf(f, "%llu", &ns) == 1)
            sum += ns;
        if (f != NULL)
            fclose(f);
    }
    if (tasks != NULL)
        closedir(tasks);
    return sum;
}

static long resident_kb(int pid) {
    char path[64];
    long pages = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *f = fopen(path, "r");
    if (f != NULL && fscanf(f, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (f != NULL)
        fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- sending ---- */

static void stamp(uint8_t *payload, int64_t at) {
    memcpy(payload, &at, sizeof at);
}

/* The same datagram so many times in one call: the kernel cuts it. */
static bool send_burst(int fd, const uint8_t *data, size_t len) {
    uint8_t all[BURST_MAX * (PAYLOAD_MAX + 64)];
    for (int i = 0; i < p.burst; i++)
        memcpy(all + (size_t)i * len, data, len);
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct iovec iov = {all, len * (size_t)p.burst};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
    if (p.burst > 1) {
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(uint16_t)), .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT};
        uint16_t size = (uint16_t)len;
        memcpy(CMSG_DATA(c), &size, sizeof size);
    }
    return sendmsg(fd, &header, MSG_DONTWAIT) >= 0;
}

static void send_one(uint64_t number, int64_t now) {
    static uint8_t payload[PAYLOAD_MAX], message[PAYLOAD_MAX + 64];
    turn_flow *flow = &flows[number / 2 % (unsigned)p.flows];
    stamp(payload, now);
    bool sent;
    if (number % 2) {
        sent = send_burst(flow->peer_fd, payload, (size_t)p.payload);
    } else {
        size_t n = p.indications ? turn_indication(message, flow, payload, (size_t)p.payload)
                                 : turn_channel(message, payload, (size_t)p.payload, p.server.transport);
        if (p.server.transport == TURN_UDP) {
            sent = send_burst(flow->fd, message, n);
        } else {
            sent = true;
            for (int i = 0; i < p.burst && sent; i++)
                sent = turn_write(flow, message, n);
        }
    }
    if (now < window_from || now >= window_to)
        return;
    t.sent += sent ? (unsigned)p.burst : 0;
    t.unsent += sent ? 0 : (unsigned)p.burst;
}

/* ---- receiving ---- */

static void take(const uint8_t *payload, int len) {
    int64_t at;
    if (len < STAMP)
        return;
    memcpy(&at, payload, sizeof at);
    if (at < window_from || at >= window_to)
        return;
    int64_t us = (clock_ns() - at) / 1000;
    t.received++;
    t.delays[us < DELAY_MAX_US ? us : DELAY_MAX_US]++;
}

static void read_flow(turn_flow *flow, bool peer) {
    uint8_t payload[4096];
    for (int i = 0; i < 64; i++) {
        int n = peer ? (int)recv(flow->peer_fd, payload, sizeof payload, MSG_DONTWAIT)
                     : turn_read(flow, p.server.transport, payload, sizeof payload);
        if (n < 0)
            return;
        take(payload, n);
    }
}

/* Awake all the time, so that the server pays for its packets and not for waking their receiver, which elsewhere is
 * another machine; but it looks only now and then, or both would wait for the same locks. With `sleeps` it sleeps until
 * something comes or is to be sent, where others need the core. */
static void receive(int epoll, int64_t now, int64_t left) {
    static int64_t looked;
    struct epoll_event ready[READY];
    if (!p.sleeps && now - looked < LOOK_NS)
        return;
    looked = now;
    struct timespec timeout = {.tv_nsec = p.sleeps && left > 0 ? left : 0};
    int n = epoll_pwait2(epoll, ready, READY, &timeout, NULL);
    for (int i = 0; i < n; i++)
        read_flow(&flows[ready[i].data.u32 >> 1], ready[i].data.u32 & 1);
}

static int watch_all(void) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < p.flows; i++)
        for (int peer = 0; peer < 2; peer++) {
            struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i << 1 | (uint32_t)peer};
            epoll_ctl(epoll, EPOLL_CTL_ADD, peer ? flows[i].peer_fd : flows[i].fd, &event);
        }
    return epoll;
}

/* ---- a run ---- */

static uint64_t run(void) {
    int epoll = watch_all();
    prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
    int64_t start = clock_ns(), step = (int64_t)(1e9 * p.burst / p.rate), due = start;
    uint64_t number = 0, cpu_from = 0, cpu_to = 0;
    window_from = start + WARM_NS;
    window_to = window_from + (int64_t)(p.seconds * 1e9);
    for (int64_t now; (now = clock_ns()) < window_to + DRAIN_NS;) {
        if (cpu_from == 0 && now >= window_from)
            cpu_from = cpu_of(p.pid);
        if (cpu_to == 0 && now >= window_to)
            cpu_to = cpu_of(p.pid);
        for (int i = 0; i < 16 && now < window_to && now >= due; i++, due += step)
            send_one(number++, clock_ns());
        if (now - due > 5000000) /* who cannot keep up offers less, and says so by what was sent */
            due = now;
        int64_t left = (now < window_to ? due : window_to + DRAIN_NS) - clock_ns();
        receive(epoll, now, left < 1000000 ? left : 1000000);
    }
    close(epoll);
    return cpu_to - cpu_from;
}

static double percentile(double part) {
    uint64_t want = (uint64_t)((double)t.received * part), seen = 0;
    for (int us = 0; us <= DELAY_MAX_US; us++) {
        seen += t.delays[us];
        if (seen > want)
            return us;
    }
    return DELAY_MAX_US;
}

static void parse(int argc, char **argv) {
    static const char *const names[] = {"udp", "tcp", "tls"};
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--host"))
            p.server.host = value;
        else if (!strcmp(name, "--port"))
            p.server.port = atoi(value);
        else if (!strcmp(name, "--user"))
            p.server.user = value;
        else if (!strcmp(name, "--password"))
            p.server.password = value;
        else if (!strcmp(name, "--sources"))
            p.server.sources = atoi(value);
        else if (!strcmp(name, "--flows"))
            p.flows = atoi(value);
        else if (!strcmp(name, "--payload"))
            p.payload = atoi(value);
        else if (!strcmp(name, "--rate"))
            p.rate = atof(value);
        else if (!strcmp(name, "--seconds"))
            p.seconds = atof(value);
        else if (!strcmp(name, "--burst"))
            p.burst = atoi(value);
        else if (!strcmp(name, "--pid"))
            p.pid = atoi(value);
        else if (!strcmp(name, "--indications"))
            p.indications = atoi(value) != 0;
        else if (!strcmp(name, "--sleeps"))
            p.sleeps = atoi(value) != 0;
        else if (!strcmp(name, "--transport"))
            for (int k = 0; k < 3; k++)
                p.server.transport = strcmp(value, names[k]) == 0 ? k : p.server.transport;
    }
    if (p.flows < 1 || p.payload < STAMP || p.payload > PAYLOAD_MAX || p.burst < 1 || p.burst > BURST_MAX)
        exit(2);
}

int main(int argc, char **argv) {
    parse(argc, argv);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    p.server.tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(p.server.tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    flows = calloc((size_t)p.flows, sizeof *flows);
    long before = resident_kb(p.pid);
    uint64_t cpu_before = cpu_of(p.pid);
    int64_t begin = clock_ns();
    for (int i = 0; i < p.flows; i++)
        turn_connect(&flows[i], &p.server);
    double set_up = (double)(clock_ns() - begin) / 1e9;
    uint64_t set_up_cpu = cpu_of(p.pid) - cpu_before;
    long after = resident_kb(p.pid);
    uint64_t cpu = p.seconds > 0 ? run() : 0;
    printf(
        "{\"sent\": %llu, \"unsent\": %llu, \"received\": %llu, \"seconds\": %.3f, \"cpu_s\": %.4f, \"p50_us\": %.0f, "
        "\"p99_us\": %.0f, \"set_up_s\": %.4f, \"set_up_cpu_s\": %.4f, \"resident_before_kb\": %ld, "
        "\"resident_after_kb\": %ld}\n",
        (unsigned long long)t.sent, (unsigned long long)t.unsent, (unsigned long long)t.received, p.seconds,
        (double)cpu / 1e9, percentile(0.5), percentile(0.99), set_up, (double)set_up_cpu / 1e9, before, after);
    for (int i = 0; i < p.flows; i++)
        turn_close(&flows[i], &p.server);
    return 0;
}

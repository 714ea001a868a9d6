/* What the engine's tests share: addresses, waiting for events, and a telephone that speaks G.711 over a real socket.
 */
#ifndef CONFEROCORE_ENGINE_LIB_H
#define CONFEROCORE_ENGINE_LIB_H

#include "conferocore/codec.h"
#include "conferocore/engine.h"
#include "conferocore/rtp.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PHONE_FRAME = 160, PHONE_RATE = 8000, PHONE_HEARD = 8000 * 20 };

static inline cf_addr loopback(uint16_t port) {
    return (cf_addr){{127, 0, 0, 1}, port, 4, 0};
}

static inline int64_t clock_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The number of open descriptors: what is opened has to be closed. */
static inline int open_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* Drains events until one of this type about this leg comes (0: any leg), at most 5 s. */
static inline bool wait_event(cf_engine *engine, int type, uint64_t leg, cf_event *event) {
    int64_t until = clock_ms() + 5000;
    while (clock_ms() < until) {
        while (cf_engine_events(engine, event, 1) == 1)
            if (event->type == type && (leg == 0 || event->leg == leg))
                return true;
        struct pollfd p = {.fd = cf_engine_fileno(engine), .events = POLLIN};
        poll(&p, 1, 50);
    }
    return false;
}

/* Drains until `n` legs or rooms have been released. */
static inline bool wait_released(cf_engine *engine, int n) {
    cf_event event;
    while (n > 0 && wait_event(engine, CF_EVENT_RELEASED, 0, &event))
        n--;
    return n == 0;
}

typedef struct phone {
    int fd;
    cf_addr addr, engine; /* its own, and where it sends */
    double hertz, phase;
    uint16_t seq;
    uint32_t ts, ssrc;
    uint64_t received;
    int16_t heard[PHONE_HEARD]; /* payloads in the order of arrival */
    size_t heard_count;
} phone;

static inline int test_socket(cf_addr *addr) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof name;
    if (bind(fd, (struct sockaddr *)&name, len) < 0 || getsockname(fd, (struct sockaddr *)&name, &len) < 0)
        abort();
    *addr = loopback(ntohs(name.sin_port));
    return fd;
}

static inline void test_send(int fd, const cf_addr *to, const uint8_t *data, size_t len) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(to->port)};
    memcpy(&name.sin_addr, to->ip, 4);
    sendto(fd, data, len, MSG_DONTWAIT, (struct sockaddr *)&name, sizeof name);
}

static inline void phone_open(phone *p, double hertz, uint32_t ssrc) {
    *p = (phone){.hertz = hertz, .ssrc = ssrc, .seq = (uint16_t)ssrc, .ts = ssrc * 7};
    p->fd = test_socket(&p->addr);
}

/* The next 20 ms of its tone, at a quarter of full scale. */
static inline void phone_speak(phone *p) {
    uint8_t packet[CF_RTP_HEADER + PHONE_FRAME];
    int at = cf_rtp_write(packet, sizeof packet, 0, false, p->seq++, p->ts, p->ssrc, NULL, 0);
    p->ts += PHONE_FRAME;
    for (int i = 0; i < PHONE_FRAME; i++, p->phase += 2 * M_PI * p->hertz / PHONE_RATE)
        packet[at + i] = cf_ulaw_encode((int16_t)(8000 * sin(p->phase)));
    test_send(p->fd, &p->engine, packet, sizeof packet);
}

static inline void phone_listen(phone *p) {
    uint8_t packet[2048];
    ssize_t n;
    while ((n = recv(p->fd, packet, sizeof packet, 0)) > 0) {
        cf_rtp rtp;
        bool rtcp;
        if (!cf_rtp_looks_like(packet, (size_t)n, &rtcp) || rtcp || cf_rtp_parse(&rtp, packet, (size_t)n) < 0)
            continue;
        p->received++;
        for (size_t i = 0; i < rtp.payload_len && p->heard_count < PHONE_HEARD; i++)
            p->heard[p->heard_count++] = cf_ulaw_decode(rtp.payload[i]);
    }
}

/* Everybody speaks and listens for this many frames, in real time. */
static inline void phones_talk(phone *phones, int n, int frames) {
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (int f = 0; f < frames; f++) {
        for (int i = 0; i < n; i++)
            phone_speak(&phones[i]);
        next.tv_nsec += 20000000;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        for (int i = 0; i < n; i++)
            phone_listen(&phones[i]);
    }
}

/* Amplitude of a frequency in the last `samples` that were heard (Goertzel). */
static inline double phone_hears(const phone *p, double hertz, size_t samples) {
    size_t n = samples < p->heard_count ? samples : p->heard_count;
    double re = 0, im = 0;
    for (size_t i = 0; i < n; i++) {
        double a = 2 * M_PI * hertz * (double)i / PHONE_RATE;
        double w = 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)n); /* Hann: neighbours do not leak in */
        re += w * p->heard[p->heard_count - n + i] * cos(a);
        im += w * p->heard[p->heard_count - n + i] * sin(a);
    }
    return n > 0 ? 4 * sqrt(re * re + im * im) / (double)n : 0;
}

/* An RTP leg of this phone in a room, its socket bound on the thread: the socket's number. */
static inline int phone_join(cf_engine *engine, int thread, uint64_t room, uint64_t leg, phone *p) {
    int number = -1;
    for (uint16_t port = 0; number < 0 && port < 64;
         port++) { /* the engine tells no ephemeral ports: look for a free one */
        cf_addr addr = loopback((uint16_t)(10000 + (getpid() * 64 + (int)leg * 7 + port) % 4900));
        number = cf_engine_bind_leg(engine, thread, &addr);
        p->engine = addr;
    }
    cf_leg_config config = {.id = leg,
                            .room = room,
                            .kind = CF_LEG_RTP,
                            .tx = {.codec = CF_CODEC_PCMU, .ptime_ms = 20},
                            .tx_pt = 0,
                            .rx_count = 1,
                            .rx = {{0, CF_CODEC_PCMU, 8000}},
                            .rtp_socket = (uint32_t)number,
                            .rtcp_socket = (uint32_t)number,
                            .remote_rtp = p->addr,
                            .signalling = p->addr,
                            .symmetric = CF_SYMMETRIC_ALL,
                            .cname = "phone"};
    int rc = cf_engine_leg_add(engine, &config);
    return rc < 0 ? rc : number;
}

#endif

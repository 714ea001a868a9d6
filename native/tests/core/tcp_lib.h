/* A browser that comes over TCP: it connects, asks by framed checks, and reads frames (RFC 6544, RFC 4571). */
#ifndef CONFEROCORE_TCP_LIB_H
#define CONFEROCORE_TCP_LIB_H

#include "conferocore/framing.h"
#include "conferocore/stun.h"
#include "engine_lib.h"

#include <errno.h>

#define OUR_UFRAG "ours"
#define OUR_PWD "a password of our own"

static inline cf_addr lab_addr(uint8_t host, uint16_t port) {
    return (cf_addr){{127, 75, 0, host}, port, 4, 0};
}

static inline struct sockaddr_in name_of(const cf_addr *addr) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
    memcpy(&name.sin_addr, addr->ip, 4);
    return name;
}

typedef struct stream {
    int fd;
    cf_addr addr; /* its own */
    cf_frame_reader reader;
    uint8_t data[CF_FRAME_HEAD + CF_FRAME_MAX + 65536];
    size_t have, at;
} stream;

/* From this host, with a receive buffer of this size (0: as usual). */
static inline void stream_open(stream *s, uint8_t host, const cf_addr *to, int buffer) {
    *s = (stream){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    cf_addr from = lab_addr(host, 0);
    struct sockaddr_in own = name_of(&from), theirs = name_of(to);
    socklen_t len = sizeof own;
    if (buffer > 0)
        setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (bind(s->fd, (struct sockaddr *)&own, len) < 0 ||
        connect(s->fd, (struct sockaddr *)&theirs, sizeof theirs) < 0 ||
        getsockname(s->fd, (struct sockaddr *)&own, &len) < 0)
        abort();
    s->addr = lab_addr(host, ntohs(own.sin_port));
}

static inline void stream_send(stream *s, const uint8_t *data, size_t len) {
    uint8_t frame[CF_FRAME_HEAD + 4096];
    cf_put16(frame, (uint16_t)len);
    memcpy(frame + CF_FRAME_HEAD, data, len);
    if (send(s->fd, frame, CF_FRAME_HEAD + len, MSG_NOSIGNAL) < 0)
        return; /* it has been closed: that is seen by reading */
}

static inline void stream_check(stream *s, const char *username) {
    uint8_t check[300], txid[12] = {1, 2, 3};
    int len = cf_stun_write_request(check, sizeof check, txid, username, OUR_PWD, 1, true, 5, true);
    stream_send(s, check, (size_t)len);
}

/* The next frame in place, or NULL: none is there within this time. *len -1: the stream has ended. */
static inline uint8_t *stream_next(stream *s, int *len, int wait_ms) {
    uint8_t *frame;
    for (;;) {
        *len = s->have > 0 ? cf_frame_next(&s->reader, s->data, s->have, &s->at, &frame) : 0;
        if (*len != 0)
            return *len > 0 ? frame : NULL;
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, wait_ms) == 0)
            return NULL;
        size_t kept = cf_frame_resume(&s->reader, s->data);
        ssize_t n = recv(s->fd, s->data + kept, 65536, 0);
        if (n <= 0) {
            *len = -1;
            return NULL;
        }
        s->have = kept + (size_t)n;
        s->at = 0;
    }
}

/* Whatever comes is read until the other side has closed, at most so long. */
static inline bool stream_ends(stream *s, int wait_ms) {
    int len;
    while (stream_next(s, &len, wait_ms) != NULL)
        ;
    return len == -1;
}

static inline cf_leg_config browser_config(uint64_t id) {
    cf_leg_config config = {.id = id,
                            .room = 1,
                            .kind = CF_LEG_WEBRTC,
                            .tx = {.codec = CF_CODEC_PCMU},
                            .rx_count = 1,
                            .rx = {{0, CF_CODEC_PCMU, 8000}},
                            .local_ufrag = OUR_UFRAG,
                            .local_pwd = OUR_PWD,
                            .remote_ufrag = "peer"};
    return config;
}

#endif

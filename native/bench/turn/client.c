/* A TURN client as small as a load generator needs: Allocate with long-term credentials, ChannelBind, and data. */
#include "turn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COOKIE 0x2112a442u
enum { HEAD = 20, ALLOCATE = 0x0003, REFRESH = 0x0004, CHANNEL_BIND = 0x0009, SUCCESS = 0x0100, FAILURE = 0x0110 };
enum {
    USERNAME = 0x0006,
    INTEGRITY = 0x0008,
    ERROR_CODE = 0x0009,
    CHANNEL_NUMBER = 0x000c,
    LIFETIME = 0x000d,
    XOR_PEER = 0x0012,
    DATA = 0x0013,
    REALM = 0x0014,
    NONCE = 0x0015,
    XOR_RELAYED = 0x0016,
    REQUESTED_TRANSPORT = 0x0019
};
enum { PATIENCE_MS = 1000, TRIES = 5 };

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- building ---- */

typedef struct message {
    uint8_t data[1024];
    size_t len;
} message;

static void begin(message *m, uint16_t type) {
    static uint32_t counter;
    memset(m->data, 0, HEAD);
    cf_put16(m->data, type);
    cf_put32(m->data + 4, COOKIE);
    cf_put32(m->data + 8, ++counter);
    cf_put32(m->data + 12, (uint32_t)getpid());
    m->len = HEAD;
}

static void add(message *m, uint16_t type, const void *value, size_t len) {
    cf_put16(m->data + m->len, type);
    cf_put16(m->data + m->len + 2, (uint16_t)len);
    memcpy(m->data + m->len + 4, value, len);
    m->len += 4 + len;
    while (m->len % 4)
        m->data[m->len++] = 0;
    cf_put16(m->data + 2, (uint16_t)(m->len - HEAD));
}

/* RFC 8489 section 9.2.2: the key is MD5 of user, realm and password. */
static void sign(message *m, const turn_flow *flow, const turn_server *server) {
    char text[512];
    uint8_t key[16], code[20];
    add(m, USERNAME, server->user, strlen(server->user));
    add(m, REALM, flow->realm, strlen(flow->realm));
    add(m, NONCE, flow->nonce, strlen(flow->nonce));
    int n = snprintf(text, sizeof text, "%s:%s:%s", server->user, flow->realm, server->password);
    EVP_Digest(text, (size_t)n, key, NULL, EVP_md5(), NULL);
    cf_put16(m->data + 2, (uint16_t)(m->len - HEAD + 24));
    HMAC(EVP_sha1(), key, sizeof key, m->data, m->len, code, NULL);
    add(m, INTEGRITY, code, sizeof code);
}

static void write_peer(uint8_t value[8], const cf_addr *peer) {
    value[0] = 0;
    value[1] = 1;
    cf_put16(value + 2, (uint16_t)(peer->port ^ COOKIE >> 16));
    for (int i = 0; i < 4; i++)
        value[4 + i] = (uint8_t)(peer->ip[i] ^ COOKIE >> (24 - 8 * i));
}

/* ---- reading ---- */

static const uint8_t *find(const uint8_t *m, size_t len, uint16_t type, size_t *size) {
    for (size_t at = HEAD; at + 4 <= len;) {
        *size = cf_get16(m + at + 2);
        if (cf_get16(m + at) == type && at + 4 + *size <= len)
            return m + at + 4;
        at += 4 + ((*size + 3) & ~(size_t)3);
    }
    return NULL;
}

static void copy_text(char *out, size_t cap, const uint8_t *m, size_t len, uint16_t type) {
    size_t size = 0;
    const uint8_t *value = find(m, len, type, &size);
    if (value == NULL || size >= cap)
        fail("no REALM or NONCE");
    memcpy(out, value, size);
    out[size] = 0;
}

/* ---- bytes ---- */

static ssize_t stream_read(turn_flow *flow, uint8_t *out, size_t len) {
    if (flow->ssl == NULL)
        return recv(flow->fd, out, len, MSG_DONTWAIT);
    int n = SSL_read(flow->ssl, out, (int)len);
    if (n <= 0)
        errno = EAGAIN;
    return n > 0 ? n : -1;
}

static size_t message_length(const uint8_t *data, size_t len) {
    if (len < 4)
        return 0;
    size_t size = cf_get16(data + 2);
    return data[0] >= 0x40 ? 4 + ((size + 3) & ~(size_t)3) : HEAD + size;
}

/* The next message of a stream is at the beginning of `in`: its length, 0: not whole yet. */
static size_t next_message(turn_flow *flow) {
    for (;;) {
        size_t size = message_length(flow->in, flow->have);
        if (size != 0 && size <= flow->have)
            return size;
        ssize_t n = stream_read(flow, flow->in + flow->have, TURN_IN - flow->have);
        if (n <= 0)
            return 0;
        flow->have += (size_t)n;
    }
}

static void drop_message(turn_flow *flow, size_t size) {
    flow->have -= size;
    memmove(flow->in, flow->in + size, flow->have);
}

bool turn_write(turn_flow *flow, const uint8_t *data, size_t len) {
    for (size_t at = 0; at < len;) {
        ssize_t n = flow->ssl != NULL ? SSL_write(flow->ssl, data + at, (int)(len - at))
                                      : send(flow->fd, data + at, len - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0 && at == 0 && flow->ssl == NULL)
            return false;
        at += n > 0 ? (size_t)n : 0;
        if (n <= 0)
            poll(&(struct pollfd){.fd = flow->fd, .events = POLLOUT}, 1, 1);
    }
    return true;
}

/* ---- requests ---- */

static size_t answer(turn_flow *flow, const message *m, uint8_t *out, size_t cap) {
    for (int i = 0; i < 100; i++) {
        poll(&(struct pollfd){.fd = flow->fd, .events = POLLIN}, 1, flow->ssl != NULL && i == 0 ? 1 : PATIENCE_MS);
        size_t n = 0;
        if (flow->in != NULL) {
            n = next_message(flow);
            memcpy(out, flow->in, n < cap ? n : cap);
            drop_message(flow, n);
        } else {
            ssize_t got = recv(flow->fd, out, cap, MSG_DONTWAIT);
            n = got > 0 ? (size_t)got : 0;
        }
        if (n >= HEAD && memcmp(out + 8, m->data + 8, 12) == 0)
            return n;
        if (n == 0 && flow->ssl == NULL)
            return 0;
    }
    return 0;
}

static size_t ask(turn_flow *flow, const message *m, uint8_t *out, size_t cap) {
    for (int i = 0; i < TRIES; i++) {
        turn_write(flow, m->data, m->len);
        size_t n = answer(flow, m, out, cap);
        if (n != 0)
            return n;
    }
    errno = ETIMEDOUT;
    fail("no answer");
    return 0;
}

/* False: the server knows our port as somebody's who has just gone (RFC 8656 section 7.2, 437). */
static bool allocate(turn_flow *flow, const turn_server *server) {
    static const uint8_t udp[4] = {17};
    uint8_t in[2048];
    for (int i = 0; i < 3; i++) {
        message m;
        begin(&m, ALLOCATE);
        add(&m, REQUESTED_TRANSPORT, udp, sizeof udp);
        if (flow->authenticated)
            sign(&m, flow, server);
        size_t n = ask(flow, &m, in, sizeof in), size = 0;
        if (cf_get16(in) == (ALLOCATE | SUCCESS)) {
            const uint8_t *value = find(in, n, XOR_RELAYED, &size);
            if (value == NULL || size != 8)
                fail("no XOR-RELAYED-ADDRESS");
            flow->relayed = (cf_addr){.family = 4, .port = (uint16_t)(cf_get16(value + 2) ^ COOKIE >> 16)};
            cf_put32(flow->relayed.ip, cf_get32(value + 4) ^ COOKIE);
            return true;
        }
        if (find(in, n, REALM, &size) == NULL)
            return false;
        copy_text(flow->realm, sizeof flow->realm, in, n, REALM);
        copy_text(flow->nonce, sizeof flow->nonce, in, n, NONCE);
        flow->authenticated = true;
    }
    errno = EACCES;
    fail("Allocate");
    return false;
}

static void bind_channel(turn_flow *flow, const turn_server *server) {
    static const uint8_t number[4] = {TURN_CHANNEL >> 8, TURN_CHANNEL & 0xff};
    uint8_t peer[8], in[2048];
    message m;
    begin(&m, CHANNEL_BIND);
    add(&m, CHANNEL_NUMBER, number, sizeof number);
    write_peer(peer, &flow->peer);
    add(&m, XOR_PEER, peer, sizeof peer);
    if (flow->authenticated)
        sign(&m, flow, server);
    ask(flow, &m, in, sizeof in);
    if (cf_get16(in) != (CHANNEL_BIND | SUCCESS)) {
        errno = EACCES;
        fail("ChannelBind");
    }
}

/* ---- coming and going ---- */

static void close_all(turn_flow *flow) {
    SSL_free(flow->ssl);
    free(flow->in);
    close(flow->fd);
    close(flow->peer_fd);
}

static struct sockaddr_in name_of(const char *host, int port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &name.sin_addr) != 1)
        fail(host);
    return name;
}

static int open_socket(int type, int buffer) {
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    return fd;
}

static void open_peer(turn_flow *flow) {
    struct sockaddr_in name = name_of("127.0.0.1", 0);
    socklen_t len = sizeof name;
    flow->peer_fd = open_socket(SOCK_DGRAM, 1 << 20);
    if (bind(flow->peer_fd, (struct sockaddr *)&name, len) < 0 ||
        getsockname(flow->peer_fd, (struct sockaddr *)&name, &len) < 0)
        fail("peer");
    flow->peer = (cf_addr){.family = 4, .port = ntohs(name.sin_port)};
    memcpy(flow->peer.ip, &name.sin_addr, 4);
}

static void begin_tls(turn_flow *flow, SSL_CTX *tls) {
    flow->ssl = SSL_new(tls);
    SSL_set_fd(flow->ssl, flow->fd);
    if (SSL_connect(flow->ssl) != 1)
        fail("TLS");
}

static void set_nonblocking(int fd) {
    fcntl(fd, F_SETFL, O_NONBLOCK); /* TLS reads its socket itself */
}

/* Servers count what one address asks without having proven anything. */
static void take_source(int fd, const turn_server *server) {
    static int turn;
    char host[32];
    if (server->sources == 0)
        return;
    int index = turn++ % server->sources;
    snprintf(host, sizeof host, "127.2.%d.%d", index / 250 % 250, 1 + index % 250);
    struct sockaddr_in name = name_of(host, 0);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0)
        fail(host);
}

static bool try_connect(turn_flow *flow, const turn_server *server) {
    static const int one = 1;
    struct sockaddr_in name = name_of(server->host, server->port);
    *flow = (turn_flow){.fd = open_socket(server->transport == TURN_UDP ? SOCK_DGRAM : SOCK_STREAM, 1 << 20)};
    take_source(flow->fd, server);
    if (connect(flow->fd, (struct sockaddr *)&name, sizeof name) < 0)
        fail("connect");
    if (server->transport != TURN_UDP) {
        setsockopt(flow->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        flow->in = malloc(TURN_IN);
    }
    if (server->transport == TURN_TLS) {
        begin_tls(flow, server->tls);
        set_nonblocking(flow->fd);
    }
    open_peer(flow);
    if (!allocate(flow, server))
        return false;
    bind_channel(flow, server);
    struct sockaddr_in relayed = {.sin_family = AF_INET, .sin_port = htons(flow->relayed.port)};
    memcpy(&relayed.sin_addr, flow->relayed.ip, 4);
    if (connect(flow->peer_fd, (struct sockaddr *)&relayed, sizeof relayed) < 0)
        fail("relayed address");
    return true;
}

void turn_connect(turn_flow *flow, const turn_server *server) {
    for (int i = 0; i < TRIES; i++) {
        if (try_connect(flow, server))
            return;
        close_all(flow);
    }
    errno = EACCES;
    fail("Allocate");
}

/* Over UDP until the server has said so: an allocation whose end is lost stays for its lifetime. That over a stream
 * ends with it. */
static void give_back(turn_flow *flow, const turn_server *server) {
    static const uint8_t none[4];
    uint8_t in[2048];
    message m;
    if (server->transport != TURN_UDP)
        return;
    begin(&m, REFRESH);
    add(&m, LIFETIME, none, sizeof none);
    if (flow->authenticated)
        sign(&m, flow, server);
    ask(flow, &m, in, sizeof in);
}

void turn_close(turn_flow *flow, const turn_server *server) {
    give_back(flow, server);
    close_all(flow);
}

/* ---- data ---- */

size_t turn_channel(uint8_t *out, const uint8_t *payload, size_t len, int transport) {
    cf_put16(out, TURN_CHANNEL);
    cf_put16(out + 2, (uint16_t)len);
    memcpy(out + 4, payload, len);
    size_t pad = transport == TURN_UDP ? 0 : -len & 3;
    memset(out + 4 + len, 0, pad);
    return 4 + len + pad;
}

size_t turn_indication(uint8_t *out, const turn_flow *flow, const uint8_t *payload, size_t len) {
    memset(out, 0, HEAD);
    cf_put16(out, 0x0016);
    cf_put32(out + 4, COOKIE);
    cf_put32(out + 8, (uint32_t)flow->fd);
    cf_put16(out + 20, XOR_PEER);
    cf_put16(out + 22, 8);
    write_peer(out + 24, &flow->peer);
    cf_put16(out + 32, DATA);
    cf_put16(out + 34, (uint16_t)len);
    memcpy(out + 36, payload, len);
    size_t pad = -len & 3;
    memset(out + 36 + len, 0, pad);
    cf_put16(out + 2, (uint16_t)(16 + len + pad));
    return 36 + len + pad;
}

static int payload_of(const uint8_t *m, size_t n, uint8_t *payload, size_t cap) {
    size_t size = n >= 4 ? cf_get16(m + 2) : 0;
    const uint8_t *value = n >= 4 && m[0] >= 0x40 ? m + 4 : n >= HEAD ? find(m, n, DATA, &size) : NULL;
    if (value == NULL || size > cap || value + size > m + n)
        return -1;
    memcpy(payload, value, size);
    return (int)size;
}

int turn_read(turn_flow *flow, int transport, uint8_t *payload, size_t cap) {
    if (transport == TURN_UDP) {
        uint8_t m[4096];
        ssize_t n = recv(flow->fd, m, sizeof m, MSG_DONTWAIT);
        return n > 0 ? payload_of(m, (size_t)n, payload, cap) : -1;
    }
    size_t n = next_message(flow);
    if (n == 0)
        return -1;
    int len = payload_of(flow->in, n, payload, cap);
    drop_message(flow, n);
    return len;
}

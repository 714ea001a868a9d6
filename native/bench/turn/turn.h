/* Clients of a TURN server for benchmarks: they allocate by themselves, bind a channel to a peer of their own, and
 * speak UDP, TCP or TLS. */
#ifndef CONFEROCORE_BENCH_TURN_H
#define CONFEROCORE_BENCH_TURN_H

#include "conferocore/base.h"

#include <openssl/ssl.h>

enum { TURN_UDP, TURN_TCP, TURN_TLS };
enum { TURN_CHANNEL = 0x4000, TURN_IN = 65536 + 4096 };

typedef struct turn_server {
    const char *host;
    int port, transport;
    const char *user, *password; /* used when the server asks */
    SSL_CTX *tls;
    int sources; /* clients of loopback take turns at so many addresses of 127.2.0.0/16; 0: they have one */
} turn_server;

typedef struct turn_flow {
    int fd, peer_fd;
    SSL *ssl;
    cf_addr relayed, peer;
    bool authenticated;
    char realm[128], nonce[256];
    size_t have; /* of a stream */
    uint8_t *in; /* of a stream: TURN_IN bytes */
} turn_flow;

/* Opens the sockets, allocates, and binds TURN_CHANNEL to the flow's own peer. Says why not and ends the program. */
void turn_connect(turn_flow *flow, const turn_server *server);
/* Gives the allocation back, so that the next client with this port is another. */
void turn_close(turn_flow *flow, const turn_server *server);
/* A ChannelData message or a Send indication around a payload: its length. */
size_t turn_channel(uint8_t *out, const uint8_t *payload, size_t len, int transport);
size_t turn_indication(uint8_t *out, const turn_flow *flow, const uint8_t *payload, size_t len);
/* Writes to the server without waiting; false: it did not take all of it (of a stream what was begun is finished). */
bool turn_write(turn_flow *flow, const uint8_t *data, size_t len);
/* The payloads that wait, one at a time: their length, -1: none. Indications too. */
int turn_read(turn_flow *flow, int transport, uint8_t *payload, size_t cap);

#endif

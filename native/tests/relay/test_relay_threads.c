/* The relay with its threads: allocations that come and go while packets pass, connections of each kind, and an end in
 * the middle of everything. Made for the sanitizers. */
#include "relay_lib.h"

enum { ROUNDS = 12, FLOWS = 6, PACKETS = 20 };

typedef struct flow {
    int client, peer;
    cf_addr peer_addr, relayed;
    uint64_t allocation;
    cf_relay_client name;
} flow;

static void ask(int fd, const cf_addr *server) {
    if (server != NULL)
        send_to(fd, REQUEST, sizeof REQUEST, server);
    else if (send(fd, REQUEST, sizeof REQUEST, 0) < 0)
        abort();
}

static void open_flow(cf_relay *relay, flow *f, const cf_relay_client *client) {
    int fd = bound_socket(SOCK_DGRAM, &f->relayed);
    int64_t until = cf_relay_now(relay) + 60 * SECOND;
    f->name = *client;
    f->peer = bound_socket(SOCK_DGRAM, &f->peer_addr);
    CHECK_INT(cf_relay_open(relay, client, fd, -1, until, 0, &f->allocation), 0);
    CHECK_INT(cf_relay_permit(relay, f->allocation, &f->peer_addr, until, NULL, 0), 0);
    CHECK_INT(cf_relay_bind(relay, f->allocation, 0x4000, &f->peer_addr, until), 0);
    CHECK_INT(cf_relay_reply(relay, client, (const uint8_t *)"done", 4), 0);
}

static void open_udp(cf_relay *relay, flow *f, const cf_addr *server) {
    cf_addr own;
    cf_relay_event event;
    char answer[8];
    f->client = bound_socket(SOCK_DGRAM, &own);
    ask(f->client, server);
    CHECK(event_of(relay, &event, CF_RELAY_REQUEST));
    CHECK(cf_addr_equal(&event.client.peer, &own));
    open_flow(relay, f, &event.client);
    CHECK_INT(take(f->client, answer, sizeof answer), 4);
}

static void talk(flow *f, const cf_addr *server) {
    uint8_t data[64] = {0x40, 0, 0, 8}, got[64];
    for (int i = 0; i < PACKETS; i++) {
        data[4] = (uint8_t)i;
        if (server != NULL)
            send_to(f->client, data, 12, server);
        else
            CHECK_INT(send(f->client, data, 12, 0), 12);
        CHECK_INT(take(f->peer, got, sizeof got), 8);
        CHECK_INT(got[0], i);
        send_to(f->peer, data + 4, 8, &f->relayed);
        CHECK_INT(take(f->client, got, sizeof got), 12);
        CHECK_INT(got[4], i);
    }
}

static void close_flow(cf_relay *relay, flow *f) {
    cf_relay_event event;
    cf_relay_traffic traffic;
    uint64_t drops[CF_DROPS];
    CHECK_INT(cf_relay_close(relay, f->allocation), 0);
    CHECK(event_of(relay, &event, CF_RELAY_CLOSED));
    CHECK_INT(event.value, 0);
    CHECK_INT(cf_relay_traffic_of(relay, event.allocation, &traffic, drops), 0);
    CHECK_INT(traffic.to_peer_packets, PACKETS);
    CHECK_INT(cf_relay_forget(relay, event.allocation), 0);
    close(f->client);
    close(f->peer);
}

static void test_udp_flows_come_and_go(void) {
    cf_relay_config config = small_config(2);
    cf_relay *relay = cf_relay_new(&config);
    cf_addr server[2];
    for (int thread = 0; thread < 2; thread++)
        CHECK_INT(cf_relay_listen(relay, thread, bound_socket(SOCK_DGRAM, &server[thread])), 0);
    CHECK_INT(cf_relay_start(relay), 0);
    for (int round = 0; round < ROUNDS; round++) {
        flow flows[FLOWS];
        for (int i = 0; i < FLOWS; i++)
            open_udp(relay, &flows[i], &server[i % 2]);
        for (int i = 0; i < FLOWS; i++)
            talk(&flows[i], &server[i % 2]);
        cf_relay_stats stats;
        CHECK_INT(cf_relay_stats_of(relay, -1, &stats), 0);
        CHECK_INT(stats.allocations, FLOWS);
        for (int i = 0; i < FLOWS; i++)
            close_flow(relay, &flows[i]);
    }
    cf_relay_free(relay);
}

static void test_connections_come_and_go(void) {
    cf_relay_config config = small_config(2);
    cf_relay *relay = cf_relay_new(&config);
    CHECK_INT(cf_relay_start(relay), 0);
    for (int round = 0; round < ROUNDS * 2; round++) {
        cf_relay_event event;
        uint64_t number;
        flow f;
        char answer[8];
        f.client = connected(relay, &number);
        ask(f.client, NULL);
        CHECK(event_of(relay, &event, CF_RELAY_REQUEST));
        CHECK_INT(event.client.connection, number);
        open_flow(relay, &f, &event.client);
        CHECK_INT(take(f.client, answer, sizeof answer), 4);
        talk(&f, NULL);
        if (round % 2)
            CHECK_INT(cf_relay_hang_up(relay, number), 0);
        else
            shutdown(f.client, SHUT_RDWR);
        CHECK(event_of(relay, &event, CF_RELAY_DISCONNECTED));
        close_flow(relay, &f);
    }
    cf_relay_free(relay);
}

static SSL *shake(SSL_CTX *context, int fd) {
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    CHECK_INT(SSL_connect(ssl), 1);
    return ssl;
}

static void test_tls_and_a_certificate_that_changes(void) {
    char chain[] = "/tmp/confero-chain-XXXXXX", key[] = "/tmp/confero-key-XXXXXX";
    close(mkstemp(chain));
    close(mkstemp(key));
    cf_relay_config config = small_config(1);
    cf_relay *relay = cf_relay_new(&config);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    CHECK_INT(cf_relay_certificate(relay, "/nowhere", key), -EINVAL);
    CHECK_INT(cf_relay_start(relay), 0);
    for (int round = 0; round < ROUNDS; round++) {
        cf_relay_event event;
        uint64_t number;
        write_certificate(chain, key);
        CHECK_INT(cf_relay_certificate(relay, chain, key), 0);
        int fd = connected(relay, &number), pair[2];
        SSL *ssl = shake(context, fd);
        char text[16];
        if (round % 2) {
            CHECK_INT(SSL_write(ssl, REQUEST, sizeof REQUEST), sizeof REQUEST);
            CHECK(event_of(relay, &event, CF_RELAY_REQUEST));
            CHECK_INT(event.client.transport, CF_RELAY_TLS);
            CHECK_INT(cf_relay_reply(relay, &event.client, (const uint8_t *)"answer", 6), 0);
            CHECK_INT(SSL_read(ssl, text, sizeof text), 6);
        } else {
            CHECK_INT(SSL_write(ssl, "GET /", 5), 5);
            CHECK(event_of(relay, &event, CF_RELAY_NOT_STUN));
            CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
            CHECK_INT(cf_relay_join(relay, number, pair[1], 0, NULL, 0), 0);
            CHECK_INT(take(pair[0], text, sizeof text), 5);
            CHECK_INT(write(pair[0], "answer", 6), 6);
            CHECK_INT(SSL_read(ssl, text, sizeof text), 6);
            close(pair[0]);
        }
        SSL_free(ssl);
        close(fd);
        CHECK(event_of(relay, &event, CF_RELAY_DISCONNECTED));
    }
    SSL_CTX_free(context);
    cf_relay_free(relay);
    unlink(chain);
    unlink(key);
}

/* RFC 6062: an allocation without sockets, and connections of its client that become connections of peers, each with
 * its reply before the peer's first byte. */
static void test_tcp_allocations_come_and_go(void) {
    cf_relay_config config = small_config(2);
    cf_relay *relay = cf_relay_new(&config);
    CHECK_INT(cf_relay_start(relay), 0);
    for (int round = 0; round < ROUNDS; round++) {
        cf_relay_event event;
        uint64_t control, number, allocation;
        char text[32];
        int pair[2], fd = connected(relay, &control), data = connected(relay, &number);
        ask(fd, NULL);
        CHECK(event_of(relay, &event, CF_RELAY_REQUEST));
        int64_t until = cf_relay_now(relay) + 60 * SECOND;
        CHECK_INT(cf_relay_open(relay, &event.client, -1, -1, until, 0, &allocation), 0);
        CHECK_INT(cf_relay_reply(relay, &event.client, (const uint8_t *)"done", 4), 0);
        CHECK_INT(take(fd, text, sizeof text), 4); /* the other connection may be another thread's */
        ask(data, NULL);
        CHECK(event_of(relay, &event, CF_RELAY_REQUEST));
        CHECK_INT(event.client.connection, number);
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        CHECK_INT(write(pair[0], "peer", 4), 4);
        const uint8_t *yes = (const uint8_t *)"yes ";
        CHECK_INT(cf_relay_join(relay, number, pair[1], allocation, yes, CF_RELAY_DATA_MAX + 1), -EINVAL);
        CHECK_INT(cf_relay_join(relay, number, pair[1], allocation ^ 1, yes, 4), -ENOENT);
        CHECK_INT(cf_relay_join(relay, number, pair[1], allocation, yes, 4), 0);
        for (ssize_t n = 0; n < 8;) {
            ssize_t got = take(data, text + n, sizeof text - (size_t)n);
            CHECK(got > 0);
            n = got > 0 ? n + got : 8;
        }
        CHECK(memcmp(text, "yes peer", 8) == 0);
        CHECK_INT(send(data, REQUEST, sizeof REQUEST, 0), sizeof REQUEST); /* no message any more */
        CHECK_INT(take(pair[0], text, sizeof text), sizeof REQUEST);
        CHECK_INT(cf_relay_hang_up(relay, number), 0);
        CHECK(event_of(relay, &event, CF_RELAY_DISCONNECTED));
        CHECK_INT(take(pair[0], text, sizeof text), 0);
        CHECK_INT(cf_relay_close(relay, allocation), 0);
        CHECK(event_of(relay, &event, CF_RELAY_CLOSED));
        cf_relay_traffic traffic;
        uint64_t drops[CF_DROPS];
        CHECK_INT(cf_relay_traffic_of(relay, allocation, &traffic, drops), 0);
        CHECK_INT(traffic.to_peer_bytes, sizeof REQUEST);
        CHECK_INT(traffic.to_client_bytes, 4);
        CHECK_INT(cf_relay_forget(relay, allocation), 0);
        close(pair[0]);
        close(data);
        close(fd);
        CHECK(event_of(relay, &event, CF_RELAY_DISCONNECTED));
    }
    cf_relay_free(relay);
}

/* The socket is closed, so that its port is free. */
static void test_a_withdrawn_family_gives_its_port_back(void) {
    cf_relay_config config = small_config(1);
    cf_relay *relay = cf_relay_new(&config);
    cf_addr server;
    CHECK_INT(cf_relay_listen(relay, 0, bound_socket(SOCK_DGRAM, &server)), 0);
    CHECK_INT(cf_relay_start(relay), 0);
    flow f;
    open_udp(relay, &f, &server);
    CHECK_INT(cf_relay_withdraw(relay, f.allocation, 5), -EINVAL);
    CHECK_INT(cf_relay_withdraw(relay, f.allocation, 6), 0); /* there is none */
    talk(&f, &server);
    CHECK_INT(cf_relay_withdraw(relay, f.allocation, 4), 0);
    struct sockaddr_in name = name_of(&f.relayed);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = -1;
    for (int i = 0; i < PATIENCE_MS / 10 && rc < 0; i++) {
        rc = bind(fd, (struct sockaddr *)&name, sizeof name);
        if (rc < 0)
            poll(NULL, 0, 10);
    }
    CHECK_INT(rc, 0);
    close(fd);
    close_flow(relay, &f);
    cf_relay_free(relay);
}

/* Everything is open, half open or on its way, and nobody waits for any of it. */
static void test_an_end_in_the_middle(void) {
    for (int round = 0; round < ROUNDS; round++) {
        cf_relay_config config = small_config(2);
        cf_relay *relay = cf_relay_new(&config);
        cf_addr server, own;
        uint64_t number;
        int fds[8], n = 0;
        CHECK_INT(cf_relay_listen(relay, 0, bound_socket(SOCK_DGRAM, &server)), 0);
        if (round % 4 != 3)
            CHECK_INT(cf_relay_start(relay), 0);
        for (int i = 0; i < 4; i++) {
            fds[n++] = connected(relay, &number);
            CHECK(send(fds[i], i % 2 ? "\x16\x03\x01" : "\0\3", 2, 0) > 0);
        }
        CHECK_INT(cf_relay_join(relay, number, bound_socket(SOCK_DGRAM, &own), 0, NULL, 0), 0);
        fds[n++] = bound_socket(SOCK_DGRAM, &own);
        ask(fds[n - 1], &server);
        cf_relay_client client = {.transport = CF_RELAY_UDP, .peer = own, .local = server};
        cf_addr relayed;
        uint64_t allocation;
        CHECK_INT(cf_relay_open(relay, &client, bound_socket(SOCK_DGRAM, &relayed), -1, cf_relay_now(relay) + SECOND, 0,
                                &allocation),
                  0);
        cf_relay_free(relay);
        for (int i = 0; i < n; i++)
            close(fds[i]);
    }
}

static void test_descriptors_are_given_back(void) {
    int before = dup(0), after;
    close(before);
    test_an_end_in_the_middle();
    after = dup(0);
    close(after);
    CHECK_INT(after, before);
}

int main(void) {
    RUN(test_udp_flows_come_and_go);
    RUN(test_connections_come_and_go);
    RUN(test_tls_and_a_certificate_that_changes);
    RUN(test_tcp_allocations_come_and_go);
    RUN(test_a_withdrawn_family_gives_its_port_back);
    RUN(test_an_end_in_the_middle);
    RUN(test_descriptors_are_given_back);
    return REPORT();
}

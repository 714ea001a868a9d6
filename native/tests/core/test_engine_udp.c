/* The engine's sockets alone: batches, the local address of wildcard sockets, and what the kernel refuses. */
#include "core/engine_internal.h"
#include "testlib.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static cf_rx rx;
static cf_tx tx;
static cf_socket *_Atomic sockets[CF_ENGINE_SOCKETS];

static cf_addr v4(uint8_t last, uint16_t port) {
    return (cf_addr){{127, 0, 0, last}, port, 4, 0};
}
static cf_addr v6_loopback(uint16_t port) {
    return (cf_addr){{[15] = 1}, port, 6, 0};
}

static void open_as(uint32_t number, cf_socket *socket, cf_addr addr, bool shared) {
    CHECK_INT(cf_udp_open(&addr, shared, socket), 0);
    CHECK(socket->bound.port != 0);
    atomic_store(&sockets[number], socket);
}

static void close_all(void) {
    for (int n = 0; n < 4; n++) {
        if (sockets[n] != NULL)
            close(sockets[n]->fd);
        sockets[n] = NULL;
    }
}

static int wait_and_read(const cf_socket *socket) {
    struct pollfd p = {.fd = socket->fd, .events = POLLIN};
    return poll(&p, 1, 2000) > 0 ? cf_rx_read(&rx, socket) : 0;
}

static void send_from(uint32_t number, cf_addr local, cf_addr remote, const char *text) {
    cf_path path = {.socket = number, .local = local, .remote = remote};
    CHECK(cf_tx_put(&tx, &path, (const uint8_t *)text, strlen(text)));
}

static void test_a_batch_arrives_in_order(void) {
    cf_socket a, b;
    open_as(0, &a, v4(1, 0), true);
    open_as(1, &b, v4(1, 0), true);
    const char *texts[] = {"one", "two", "three"};
    for (int i = 0; i < 3; i++)
        send_from(0, (cf_addr){0}, b.bound, texts[i]);
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    CHECK_INT(tx.count, 0);
    CHECK_INT(wait_and_read(&b), 3);
    for (int i = 0; i < 3; i++) {
        cf_datagram in;
        CHECK(cf_rx_get(&rx, i, &b, 1, &in));
        CHECK(in.len == strlen(texts[i]) && memcmp(in.data, texts[i], in.len) == 0);
        CHECK(cf_addr_equal(&in.path.remote, &a.bound));
        CHECK_INT(in.path.socket, 1);
        CHECK_INT(in.path.local.family, 0);
    }
    close_all();
}

/* Written in its place, given up once, and too long or without address: only the good one goes out. */
static void test_a_datagram_is_written_where_it_is_sent_from(void) {
    cf_socket a, b;
    open_as(0, &a, v4(1, 0), true);
    open_as(1, &b, v4(1, 0), false);
    cf_path path = {.socket = 0, .remote = b.bound};
    uint8_t *room = cf_tx_room(&tx);
    memcpy(room, "given up", 8);
    CHECK(cf_tx_room(&tx) == room);
    memcpy(room, "good", 4);
    CHECK(!cf_tx_commit(&tx, &path, CF_TX_DATA + 1));
    CHECK(!cf_tx_commit(&tx, &(cf_path){.socket = 0}, 4));
    CHECK(cf_tx_commit(&tx, &path, 4));
    CHECK(cf_tx_room(&tx) != room);
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    CHECK_INT(wait_and_read(&b), 1);
    cf_datagram in;
    CHECK(cf_rx_get(&rx, 0, &b, 1, &in) && in.len == 4 && memcmp(in.data, "good", 4) == 0);
    CHECK_INT(cf_rx_read(&rx, &b), 0);
    close_all();
}

/* When it came, not when it is read: what waits while we are busy has not been on the way for longer. */
static void test_a_datagram_says_when_it_came(void) {
    cf_socket a, b;
    cf_datagram in;
    open_as(0, &a, v4(1, 0), true);
    open_as(1, &b, v4(1, 0), true);
    int64_t before = cf_clock_ns(CLOCK_REALTIME);
    send_from(0, (cf_addr){0}, b.bound, "now");
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    int64_t after = cf_clock_ns(CLOCK_REALTIME);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    CHECK_INT(wait_and_read(&b), 1);
    CHECK(cf_rx_get(&rx, 0, &b, 1, &in));
    CHECK(in.came >= before - 1000000 && in.came <= after + 5000000); /* the clock ticks coarsely on some machines */
    close_all();
}

static void test_a_batch_may_be_of_many_sockets(void) {
    cf_socket a, b, c;
    open_as(0, &a, v4(1, 0), true);
    open_as(1, &b, v4(1, 0), false);
    open_as(2, &c, v4(1, 0), false);
    const cf_socket *from[] = {&b, &c, &b};
    const char *texts[] = {"one", "two", "three"};
    for (int i = 0; i < 3; i++)
        send_from(0, (cf_addr){0}, from[i]->bound, texts[i]);
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    for (int i = 0; i < 3; i++)
        CHECK(cf_rx_read_one(&rx, i, from[i]));
    CHECK(!cf_rx_read_one(&rx, 3, &b) && !cf_rx_read_one(&rx, 3, &c));
    for (int i = 0; i < 3; i++) {
        cf_datagram in;
        CHECK(cf_rx_get(&rx, i, from[i], 7, &in) && in.path.socket == 7);
        CHECK(in.len == strlen(texts[i]) && memcmp(in.data, texts[i], in.len) == 0);
        CHECK(cf_addr_equal(&in.path.remote, &a.bound));
    }
    close_all();
}

static bool gets(const cf_socket *socket, const char *text) {
    cf_datagram in;
    return wait_and_read(socket) == 1 && cf_rx_get(&rx, 0, socket, 0, &in) && in.len == strlen(text) &&
           memcmp(in.data, text, in.len) == 0;
}

/* It hears and reaches one peer, and after it everybody as before, at the same port. */
static void test_a_socket_is_connected_and_let_go(void) {
    cf_socket a, b, c, wild;
    open_as(0, &a, v4(1, 0), false);
    open_as(1, &b, v4(1, 0), false);
    open_as(2, &c, v4(1, 0), false);
    open_as(3, &wild, (cf_addr){.family = 4}, false);
    CHECK_INT(cf_udp_connect(&wild, &b.bound), -EINVAL);
    CHECK_INT(cf_udp_connect(&a, &b.bound), 0);
    send_from(0, (cf_addr){0}, b.bound, "to the peer");
    send_from(2, (cf_addr){0}, a.bound, "from a stranger");
    send_from(1, (cf_addr){0}, a.bound, "from the peer");
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    CHECK(gets(&b, "to the peer"));
    CHECK(gets(&a, "from the peer"));
    CHECK_INT(cf_rx_read(&rx, &a), 0);
    CHECK_INT(cf_udp_disconnect(&a), 0);
    send_from(0, (cf_addr){0}, c.bound, "to a stranger");
    send_from(2, (cf_addr){0}, a.bound, "from a stranger");
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    CHECK(gets(&c, "to a stranger"));
    CHECK(gets(&a, "from a stranger"));
    close_all();
}

/* The peer was away: what is refused counts against nobody, and the next datagram goes out. */
static void test_a_refusal_costs_no_datagram(void) {
    cf_socket a, b;
    open_as(0, &a, v4(1, 0), false);
    open_as(1, &b, v4(1, 0), false);
    cf_addr peer = b.bound;
    CHECK_INT(cf_udp_connect(&a, &peer), 0);
    close(b.fd);
    atomic_store(&sockets[1], NULL);
    send_from(0, (cf_addr){0}, peer, "to nobody");
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    open_as(1, &b, peer, false);
    send_from(0, (cf_addr){0}, peer, "again");
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    CHECK(gets(&b, "again"));
    close_all();
}

static void test_what_the_kernel_drops_is_counted(void) {
    cf_socket a, b;
    open_as(0, &a, v4(1, 0), true);
    open_as(1, &b, v4(1, 0), false);
    int small = 0; /* the kernel takes its least, a few packets */
    CHECK_INT(setsockopt(b.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    CHECK_INT(cf_udp_drops(&b), 0);
    enum { SENT = 50 };
    for (int i = 0; i < SENT; i++)
        send_from(0, (cf_addr){0}, b.bound, "a packet");
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    int got = 0;
    while (cf_rx_read_one(&rx, 0, &b))
        got++;
    CHECK(got > 0 && got < SENT);
    CHECK_INT(cf_udp_drops(&b), SENT - got);
    close_all();
}

/* Asked at one of many local addresses, a wildcard socket answers from that one. */
static void echo_through_wildcard(cf_addr any, cf_addr asked, cf_addr client_addr) {
    cf_socket wild, client;
    open_as(0, &wild, any, true);
    open_as(1, &client, client_addr, false);
    CHECK(wild.wildcard && !client.wildcard);
    asked.port = wild.bound.port;
    send_from(1, (cf_addr){0}, asked, "ask");
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    CHECK_INT(wait_and_read(&wild), 1);
    cf_datagram in;
    CHECK(cf_rx_get(&rx, 0, &wild, 0, &in));
    CHECK(cf_addr_equal(&in.path.local, &asked));
    CHECK(cf_tx_put(&tx, &in.path, in.data, in.len));
    CHECK_INT(cf_tx_flush(&tx, sockets), 0);
    CHECK_INT(wait_and_read(&client), 1);
    CHECK(cf_rx_get(&rx, 0, &client, 1, &in));
    CHECK(cf_addr_equal(&in.path.remote, &asked));
    close_all();
}

static void test_wildcard_answers_from_the_address_that_was_asked(void) {
    echo_through_wildcard((cf_addr){.family = 4}, v4(77, 0), v4(5, 0));
    echo_through_wildcard((cf_addr){.family = 6}, v6_loopback(0), v6_loopback(0));
}

static void test_ipv4_and_ipv6_share_a_port(void) {
    cf_socket four, six;
    open_as(0, &four, (cf_addr){.family = 4}, true);
    open_as(1, &six, (cf_addr){.family = 6, .port = four.bound.port}, true);
    CHECK_INT(six.bound.port, four.bound.port);
    close_all();
}

static void test_too_long_is_dropped(void) {
    cf_socket a, b;
    open_as(0, &a, v4(1, 0), true);
    open_as(1, &b, v4(1, 0), true);
    static uint8_t big[CF_RX_DATA + 1];
    cf_path path = {.socket = 0, .remote = b.bound};
    CHECK(!cf_tx_put(&tx, &path, big, CF_TX_DATA + 1));
    CHECK_INT(tx.count, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(b.bound.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_INT(sendto(a.fd, big, sizeof big, 0, (struct sockaddr *)&to, sizeof to), sizeof big);
    CHECK_INT(wait_and_read(&b), 1);
    cf_datagram in;
    CHECK(!cf_rx_get(&rx, 0, &b, 1, &in));
    close_all();
}

static void test_refusals_are_counted_and_the_rest_is_sent(void) {
    cf_socket a, b;
    open_as(0, &a, v4(1, 0), true);
    open_as(1, &b, v4(1, 0), true);
    send_from(0, (cf_addr){0}, b.bound, "first");
    send_from(0, (cf_addr){0}, (cf_addr){{255, 255, 255, 255}, 9, 4, 0}, "broadcast is not permitted");
    send_from(3, (cf_addr){0}, b.bound, "no such socket");
    send_from(0, (cf_addr){0}, b.bound, "last");
    CHECK_INT(cf_tx_flush(&tx, sockets), 2);
    CHECK_INT(wait_and_read(&b), 2);
    CHECK(!cf_tx_put(&tx, &(cf_path){.socket = 0}, (const uint8_t *)"x", 1)); /* no address */
    close_all();
}

static void test_open_says_why_not(void) {
    cf_socket a, b;
    open_as(0, &a, v4(1, 0), false);
    CHECK_INT(cf_udp_open(&a.bound, false, &b), -EADDRINUSE);
    CHECK_INT(cf_udp_open(&(cf_addr){{192, 0, 2, 1}, 0, 4, 0}, false, &b), -EADDRNOTAVAIL);
    CHECK_INT(cf_udp_open(&(cf_addr){.family = 5}, false, &b), -EAFNOSUPPORT);
    close_all();
}

int main(void) {
    cf_rx_init(&rx);
    cf_tx_init(&tx);
    RUN(test_a_batch_arrives_in_order);
    RUN(test_a_datagram_is_written_where_it_is_sent_from);
    RUN(test_a_datagram_says_when_it_came);
    RUN(test_a_batch_may_be_of_many_sockets);
    RUN(test_a_socket_is_connected_and_let_go);
    RUN(test_a_refusal_costs_no_datagram);
    RUN(test_what_the_kernel_drops_is_counted);
    RUN(test_wildcard_answers_from_the_address_that_was_asked);
    RUN(test_ipv4_and_ipv6_share_a_port);
    RUN(test_too_long_is_dropped);
    RUN(test_refusals_are_counted_and_the_rest_is_sent);
    RUN(test_open_says_why_not);
    return REPORT();
}

/* The relay's core in simulated time: tables, permissions to the moment, limits, bounds, and a search at random against
 * plain lists. */
#include "rcore_lib.h"

#include <errno.h>

#define SECOND INT64_C(1000000000)

static void say(bench *b, const cf_path *client, const uint8_t *data, size_t len) {
    cf_rcore_from_client(b->core, client, CF_RELAY_UDP, data, len, b->now);
}

static bench *with_allocation(cf_path *client) {
    bench *b = bench_new(4, 4, 0);
    *client = client_at(10, 5000);
    CHECK_INT(cf_rcore_open(b->core, 0, client, CF_RELAY_UDP, true, false, b->now + 600 * SECOND, 0), 0);
    return b;
}

static void test_channels_and_their_end(void) {
    cf_path client;
    bench *b = with_allocation(&client);
    cf_addr peer = v4(20, 7000);
    uint8_t data[64];
    size_t n = channel_data(data, 0x4000, 10);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4000, &peer, b->now + 10 * SECOND, b->now), -EPERM);
    CHECK_INT(cf_rcore_permit(b->core, 0, &peer, b->now + 5 * SECOND, NULL, 0, b->now), 0);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x3fff, &peer, b->now + 10 * SECOND, b->now), -EINVAL);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x5000, &peer, b->now + 10 * SECOND, b->now), -EINVAL);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4000, &peer, b->now + 10 * SECOND, b->now), 0);
    say(b, &client, data, n);
    CHECK_INT(b->sent, 1);
    CHECK_INT(last_sent(b)->to, CF_OUT_PEER);
    CHECK(cf_addr_equal(&last_sent(b)->peer, &peer));
    CHECK_INT(last_sent(b)->len, 10);
    cf_rcore_from_peer(b->core, 0, &peer, data, 7, b->now);
    CHECK_INT(b->sent, 2);
    CHECK_INT(last_sent(b)->len, 11); /* over UDP without padding */
    CHECK_INT(cf_get16(last_sent(b)->data), 0x4000);
    b->now += 5 * SECOND; /* the permission has ended, the channel has not */
    cf_rcore_from_peer(b->core, 0, &peer, data, 7, b->now);
    CHECK_INT(dropped(b, CF_DROP_NO_PERMISSION), 1);
    say(b, &client, data, n);
    CHECK_INT(b->sent, 3);
    b->now += 5 * SECOND - 1;
    say(b, &client, data, n);
    CHECK_INT(b->sent, 4);
    b->now += 1;
    say(b, &client, data, n);
    CHECK_INT(dropped(b, CF_DROP_NO_CHANNEL), 1);
    CHECK_INT(b->sent, 4);
    bench_free(b);
}

static void test_a_channel_is_one_peers_and_a_peer_has_one(void) {
    cf_path client;
    bench *b = with_allocation(&client);
    cf_addr one = v4(20, 7000), two = v4(20, 7001);
    int64_t until = b->now + 10 * SECOND;
    cf_rcore_permit(b->core, 0, &one, until, NULL, 0, b->now);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4000, &one, until, b->now), 0);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4000, &two, until, b->now), -EEXIST);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4001, &one, until, b->now), -EEXIST);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4000, &one, until + SECOND, b->now), 0);
    b->now = until + SECOND; /* its time is over: both are free */
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4001, &one, b->now + SECOND, b->now), 0);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4000, &two, b->now + SECOND, b->now), 0);
    bench_free(b);
}

static void test_data_without_a_channel_is_an_indication(void) {
    cf_path client;
    bench *b = with_allocation(&client);
    cf_addr peer = v4(20, 7000);
    cf_rcore_permit(b->core, 0, &peer, b->now + SECOND, NULL, 0, b->now);
    cf_rcore_from_peer(b->core, 0, &peer, (const uint8_t *)"hello", 5, b->now);
    CHECK_INT(b->sent, 1);
    CHECK_INT(cf_get16(last_sent(b)->data), 0x0017);
    cf_turn_send read;
    CHECK_INT(cf_turn_read_send(&read, last_sent(b)->data, last_sent(b)->len), 0);
    CHECK(cf_addr_equal(&read.peer, &peer) && read.len == 5 && memcmp(read.data, "hello", 5) == 0);
    bench_free(b);
}

static void test_ranges_of_ports(void) {
    cf_path client;
    bench *b = with_allocation(&client);
    cf_addr in = v4(20, 7000), out = v4(20, 80), other = v4(21, 7000);
    cf_relay_ports ranges[] = {{1, 2}, {6000, 7000}};
    cf_rcore_permit(b->core, 0, &in, b->now + SECOND, ranges, 2, b->now);
    uint8_t message[128];
    say(b, &client, message, send_indication(message, &in, "x", 1));
    CHECK_INT(b->sent, 1);
    say(b, &client, message, send_indication(message, &out, "x", 1));
    cf_rcore_from_peer(b->core, 0, &out, message, 4, b->now);
    CHECK_INT(dropped(b, CF_DROP_PORT), 2);
    say(b, &client, message, send_indication(message, &other, "x", 1));
    CHECK_INT(dropped(b, CF_DROP_NO_PERMISSION), 1);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4000, &out, b->now + SECOND, b->now), -EPERM);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4000, &in, b->now + SECOND, b->now), 0);
    cf_rcore_permit(b->core, 0, &in, b->now + SECOND, ranges, 1, b->now); /* fewer now */
    say(b, &client, message, channel_data(message, 0x4000, 4));
    CHECK_INT(dropped(b, CF_DROP_PORT), 3);
    CHECK_INT(cf_rcore_permit(b->core, 0, &in, b->now, ranges, CF_RELAY_RANGES + 1, b->now), -EINVAL);
    bench_free(b);
}

static void test_an_allocation_has_a_bound_of_permissions(void) {
    cf_path client;
    bench *b = with_allocation(&client);
    for (unsigned i = 0; i < 4; i++) {
        cf_addr peer = v4(20 + i, 1);
        CHECK_INT(cf_rcore_permit(b->core, 0, &peer, b->now + (i + 1) * SECOND, NULL, 0, b->now), 0);
        CHECK_INT(cf_rcore_bind(b->core, 0, (uint16_t)(0x4000 + i), &peer, b->now + 9 * SECOND, b->now), 0);
    }
    cf_addr more = v4(30, 1), first = v4(20, 2);
    CHECK_INT(cf_rcore_permit(b->core, 0, &more, b->now + SECOND, NULL, 0, b->now), -ENOSPC);
    CHECK_INT(cf_rcore_bind(b->core, 0, 0x4010, &first, b->now + SECOND, b->now), -ENOSPC);
    b->now += SECOND; /* the first one's time is over: it makes room, and its channel stands without */
    CHECK_INT(cf_rcore_permit(b->core, 0, &more, b->now + SECOND, NULL, 0, b->now), 0);
    uint8_t data[16];
    say(b, &client, data, channel_data(data, 0x4000, 3));
    CHECK_INT(dropped(b, CF_DROP_NO_PERMISSION), 1);
    say(b, &client, data, channel_data(data, 0x4001, 3));
    CHECK_INT(b->sent, 1);
    bench_free(b);
}

static void test_a_client_has_one_allocation_and_a_place_one_client(void) {
    cf_path client;
    bench *b = with_allocation(&client);
    cf_path other = client_at(10, 5001), elsewhere = client;
    elsewhere.local = v4(2, 3478); /* the same client at another of our addresses is another 5-tuple */
    CHECK_INT(cf_rcore_open(b->core, 1, &client, CF_RELAY_UDP, true, false, b->now + SECOND, 0), -EEXIST);
    CHECK_INT(cf_rcore_open(b->core, 0, &other, CF_RELAY_UDP, true, false, b->now + SECOND, 0), -EEXIST);
    CHECK_INT(cf_rcore_open(b->core, 4, &other, CF_RELAY_UDP, true, false, b->now + SECOND, 0), -EINVAL);
    CHECK_INT(cf_rcore_open(b->core, 1, &other, CF_RELAY_UDP, true, false, b->now + SECOND, 0), 0);
    CHECK_INT(cf_rcore_open(b->core, 2, &elsewhere, CF_RELAY_UDP, true, false, b->now + SECOND, 0), 0);
    CHECK_INT(cf_rcore_of(b->core, &client), 0);
    CHECK_INT(cf_rcore_of(b->core, &other), 1);
    CHECK_INT(cf_rcore_of(b->core, &elsewhere), 2);
    cf_rcore_close(b->core, 0);
    CHECK_INT(cf_rcore_of(b->core, &client), -1);
    CHECK_INT(cf_rcore_refresh(b->core, 0, b->now), -ENOENT);
    CHECK_INT(cf_rcore_open(b->core, 0, &client, CF_RELAY_UDP, true, false, b->now + SECOND, 0), 0);
    uint8_t data[8];
    say(b, &client, data, channel_data(data, 0x4000, 1)); /* nothing of the one before is left */
    CHECK_INT(dropped(b, CF_DROP_NO_CHANNEL), 1);
    bench_free(b);
}

static void test_limits(void) {
    bench *b = bench_new(2, 4, 50000);
    cf_addr peer = v4(20, 1);
    uint8_t data[1100];
    for (uint32_t i = 0; i < 2; i++) {
        cf_path client = client_at(10 + i, 5000);
        cf_rcore_open(b->core, i, &client, CF_RELAY_UDP, true, false, b->now + 99 * SECOND, i == 0 ? 10000 : 0);
        cf_rcore_permit(b->core, i, &peer, b->now + 99 * SECOND, NULL, 0, b->now);
    }
    for (int i = 0; i < 100; i++)
        cf_rcore_from_peer(b->core, 0, &peer, data, 1000, b->now);
    CHECK_INT(b->sent, 65); /* a burst of 64 kB */
    CHECK_INT(dropped(b, CF_DROP_RATE), 35);
    b->now += SECOND;
    for (int i = 0; i < 100; i++)
        cf_rcore_from_peer(b->core, 0, &peer, data, 1000, b->now);
    CHECK_INT(b->sent, 75); /* and its 10,000 bytes of each second */
    cf_path free_client = client_at(11, 5000);
    static const uint8_t zeros[1000];
    size_t n = send_indication(data, &peer, zeros, sizeof zeros);
    for (int i = 0; i < 200; i++) /* the other has no limit of its own; of all it finds the other way unused */
        say(b, &free_client, data, n);
    CHECK_INT(b->sent, 75 + 65);
    CHECK_INT(dropped(b, CF_DROP_RATE_TOTAL), 200 - 65);
    bench_free(b);
}

/* Bytes of streams are not dropped: whoever carries them is told for how long to carry no more. */
static void test_streams_pay_as_packets_do(void) {
    bench *b = bench_new(1, 4, 100000);
    cf_path client = client_at(10, 5000);
    cf_relayed *of = &b->core->relayed[0];
    cf_relay_traffic traffic;
    uint64_t drops[CF_DROPS];
    cf_rcore_open(b->core, 0, &client, CF_RELAY_TCP, false, false, b->now + 99 * SECOND, 50000);
    CHECK_INT(cf_rcore_carried(b->core, of, CF_RELAY_TLS, CF_OUT_PEER, 65000, b->now), 0); /* a burst of 64 kB */
    int64_t wait = cf_rcore_carried(b->core, of, CF_RELAY_TLS, CF_OUT_PEER, 50536, b->now);
    CHECK(wait > SECOND - SECOND / 1000 && wait < SECOND + SECOND / 1000);
    CHECK_INT(cf_rcore_carried(b->core, of, CF_RELAY_TLS, CF_OUT_CLIENT, 1000, b->now), 0); /* each way by itself */
    CHECK(cf_rcore_carried(b->core, of, CF_RELAY_TLS, CF_OUT_PEER, 100, b->now + wait) > 0);
    cf_gate_init(&of->to_client, 0); /* the limit of all is left */
    CHECK(cf_rcore_carried(b->core, of, CF_RELAY_TLS, CF_OUT_CLIENT, 400000, b->now) > 3 * SECOND);
    cf_rcore_traffic(of, &traffic, drops);
    CHECK_INT(traffic.to_peer_bytes, 65000 + 50536 + 100);
    CHECK_INT(traffic.to_client_bytes, 401000);
    CHECK_INT(cf_tallied(&b->core->by_transport[CF_RELAY_TLS].to_client_bytes), 401000);
    bench_free(b);
}

static void test_a_client_that_is_gone(void) {
    bench *b = bench_new(2, 4, 0);
    cf_path client = {.socket = 0x80000001, .remote = v4(10, 5000), .local = v4(1, 443)};
    cf_addr peer = v4(20, 1);
    cf_rcore_open(b->core, 0, &client, CF_RELAY_TCP, true, false, b->now + SECOND, 0);
    cf_rcore_permit(b->core, 0, &peer, b->now + SECOND, NULL, 0, b->now);
    cf_rcore_bind(b->core, 0, 0x4000, &peer, b->now + SECOND, b->now);
    cf_rcore_from_peer(b->core, 0, &peer, (const uint8_t *)"hello", 5, b->now);
    CHECK_INT(last_sent(b)->len, 12); /* over TCP padded */
    cf_rcore_detach(b->core, &client);
    cf_rcore_from_peer(b->core, 0, &peer, (const uint8_t *)"hello", 5, b->now);
    CHECK_INT(dropped(b, CF_DROP_GONE), 1);
    CHECK_INT(cf_rcore_open(b->core, 1, &client, CF_RELAY_TCP, true, false, b->now + SECOND, 0), 0);
    cf_rcore_close(b->core, 0);
    CHECK_INT(cf_rcore_of(b->core, &client), 1);
    bench_free(b);
}

static void test_families(void) {
    bench *b = bench_new(1, 4, 0);
    cf_path client = client_at(10, 5000);
    cf_addr four = v4(20, 1), six = v6(20, 1);
    cf_rcore_open(b->core, 0, &client, CF_RELAY_UDP, false, true, b->now + SECOND, 0);
    cf_rcore_permit(b->core, 0, &four, b->now + SECOND, NULL, 0, b->now);
    cf_rcore_permit(b->core, 0, &six, b->now + SECOND, NULL, 0, b->now);
    uint8_t message[128];
    say(b, &client, message, send_indication(message, &four, "x", 1));
    CHECK_INT(dropped(b, CF_DROP_FAMILY), 1);
    say(b, &client, message, send_indication(message, &six, "x", 1));
    CHECK_INT(b->sent, 1);
    bench_free(b);
}

/* Of two relayed addresses one goes with all that is of its family; the other notices nothing. */
static void test_a_family_that_is_withdrawn(void) {
    bench *b = bench_new(1, 2, 0);
    cf_path client = client_at(10, 5000);
    cf_addr four = v4(20, 1), six = v6(20, 1);
    int64_t until = b->now + SECOND;
    uint8_t message[128];
    cf_rcore_withdraw(b->core, 0, 4); /* of no allocation */
    cf_rcore_open(b->core, 0, &client, CF_RELAY_UDP, true, true, until, 0);
    for (int v6 = 0; v6 < 2; v6++) {
        CHECK_INT(cf_rcore_permit(b->core, 0, v6 ? &six : &four, until, NULL, 0, b->now), 0);
        CHECK_INT(cf_rcore_bind(b->core, 0, v6 ? 0x4006 : 0x4004, v6 ? &six : &four, until, b->now), 0);
    }
    cf_rcore_withdraw(b->core, 0, 6);
    say(b, &client, message, channel_data(message, 0x4006, 1));
    CHECK_INT(dropped(b, CF_DROP_NO_CHANNEL), 1);
    say(b, &client, message, send_indication(message, &six, "x", 1));
    cf_rcore_from_peer(b->core, 0, &six, message, 1, b->now);
    CHECK_INT(dropped(b, CF_DROP_NO_PERMISSION), 2);
    CHECK_INT(b->sent, 0);
    say(b, &client, message, channel_data(message, 0x4004, 1));
    cf_rcore_from_peer(b->core, 0, &four, message, 1, b->now);
    CHECK_INT(b->sent, 2);
    /* Their places are free again, but of no use for that family. */
    CHECK_INT(cf_rcore_permit(b->core, 0, &six, until, NULL, 0, b->now), 0);
    say(b, &client, message, send_indication(message, &six, "x", 1));
    CHECK_INT(dropped(b, CF_DROP_FAMILY), 1);
    bench_free(b);
}

/* ---- at random, against lists ---- */

enum { CLIENTS = 6, HOSTS = 5, PORTS = 3, CHANNELS = 4, STEPS = 200000 };

typedef struct model {
    int64_t until, permitted[HOSTS], bound[CHANNELS];
    cf_addr peer[CHANNELS];
} model;

static int bound_to(const model *m, const cf_addr *peer, int64_t now) {
    for (int c = 0; c < CHANNELS; c++)
        if (m->bound[c] > now && cf_addr_equal(&m->peer[c], peer))
            return c;
    return -1;
}

static void check_from_peer(bench *b, const model *m, uint32_t n, const cf_addr *peer, int host) {
    size_t before = b->sent;
    cf_rcore_from_peer(b->core, n, peer, (const uint8_t *)"abc", 3, b->now);
    bool due = m->until > b->now && m->permitted[host] > b->now;
    CHECK_INT(b->sent - before, due);
    int c = bound_to(m, peer, b->now);
    if (due && c >= 0)
        CHECK_INT(cf_get16(last_sent(b)->data), 0x4000 + c);
    else if (due)
        CHECK_INT(cf_get16(last_sent(b)->data), 0x0017);
}

static void check_from_client(bench *b, const model *m, uint32_t n, int c) {
    size_t before = b->sent;
    uint8_t data[16];
    cf_path client = client_at(10 + n, 5000);
    say(b, &client, data, channel_data(data, (uint16_t)(0x4000 + c), 3));
    bool due = m->until > b->now && m->bound[c] > b->now;
    CHECK_INT(b->sent - before, due);
    if (due)
        CHECK(cf_addr_equal(&last_sent(b)->peer, &m->peer[c]) && last_sent(b)->allocation == n);
}

static void step(bench *b, model *models, cf_rng *rng) {
    uint32_t n = cf_rng_u32(rng) % CLIENTS, host = cf_rng_u32(rng) % HOSTS, c = cf_rng_u32(rng) % CHANNELS;
    model *m = &models[n];
    cf_addr peer = v4(20 + host, (uint16_t)(1 + cf_rng_u32(rng) % PORTS));
    int64_t until = b->now + cf_rng_u32(rng) % 2000;
    cf_path client = client_at(10 + n, 5000);
    b->now += cf_rng_u32(rng) % 50;
    switch (cf_rng_u32(rng) % 8) {
    case 0:
        if (m->until == 0 && cf_rcore_open(b->core, n, &client, CF_RELAY_UDP, true, true, until + 5000, 0) == 0)
            *m = (model){.until = until + 5000};
        break;
    case 1:
        if (cf_rng_u32(rng) % 20 == 0) {
            cf_rcore_close(b->core, n);
            *m = (model){0};
        }
        break;
    case 2:
        if (cf_rcore_permit(b->core, n, &peer, until, NULL, 0, b->now) == 0)
            m->permitted[host] = until;
        break;
    case 3: {
        int other = bound_to(m, &peer, b->now);
        bool taken = m->bound[c] > b->now && !cf_addr_equal(&m->peer[c], &peer);
        int rc = cf_rcore_bind(b->core, n, (uint16_t)(0x4000 + c), &peer, until, b->now);
        CHECK(rc == 0 || rc == -EPERM || rc == -ENOENT ||
              (rc == -EEXIST && (taken || (other >= 0 && other != (int)c))));
        if (rc == 0) {
            m->bound[c] = until;
            m->peer[c] = peer;
        }
        break;
    }
    case 4:
        if (cf_rcore_refresh(b->core, n, until + 3000) == 0)
            m->until = until + 3000;
        break;
    case 5:
        check_from_client(b, m, n, (int)c);
        break;
    default:
        check_from_peer(b, m, n, &peer, (int)host);
    }
}

/* Permissions never run out here (HOSTS are no more than there is room for), so a channel keeps the one it stands on.
 */
static void test_at_random(void) {
    bench *b = bench_new(CLIENTS, HOSTS, 0);
    model models[CLIENTS] = {0};
    cf_rng rng;
    cf_rng_seed(&rng, 11);
    for (int i = 0; i < STEPS && checks_failed == 0; i++)
        step(b, models, &rng);
    CHECK(b->sent > STEPS / 50);
    bench_free(b);
}

int main(void) {
    RUN(test_channels_and_their_end);
    RUN(test_a_channel_is_one_peers_and_a_peer_has_one);
    RUN(test_data_without_a_channel_is_an_indication);
    RUN(test_ranges_of_ports);
    RUN(test_an_allocation_has_a_bound_of_permissions);
    RUN(test_a_client_has_one_allocation_and_a_place_one_client);
    RUN(test_limits);
    RUN(test_streams_pay_as_packets_do);
    RUN(test_a_client_that_is_gone);
    RUN(test_families);
    RUN(test_a_family_that_is_withdrawn);
    RUN(test_at_random);
    return REPORT();
}

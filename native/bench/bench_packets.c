/* What one packet costs beside the kernel: SRTP by each backend, and the way in and out of a media thread over real
 * sockets, against the bare system calls. CPU time, the least of ROUNDS; one line of JSON.
 * Usage: bench_packets MEMBERS [BYTES] */
#include "bench_lib.h"
#include "conferocore/stun.h"
#include "core/engine_internal.h"
#include "net/srtp_suite.h"

#include <sys/resource.h>

enum { ROUNDS = 25, QUIET = 100, MS = 1000000, PERIOD = 20 * MS };
#define PASSWORD "benchmark password"

static size_t members, payload_len = 80;
static uint8_t payload[PACKET_MAX];

/* ---- cryptography alone ---- */

static const struct {
    const char *name;
    int profile;
    size_t key_len, salt_len;
} PROFILES[] = {{"gcm128", CF_SRTP_AEAD_AES_128_GCM, 16, 12},
                {"gcm256", CF_SRTP_AEAD_AES_256_GCM, 32, 12},
                {"cm_sha1", CF_SRTP_AES128_CM_SHA1_80, 16, 14}};

typedef struct keyed {
    cf_srtp *out, *in;
    uint8_t packet[256 + PACKET_MAX];
    int len;
} keyed;

static void make_keys(keyed *all, const cf_srtp_backend *backend, size_t p) {
    uint8_t key[32] = {1}, salt[14] = {2};
    for (size_t i = 0; i < members; i++) {
        cf_put32(key, (uint32_t)i);
        all[i].out = cf_srtp_new_on(backend, PROFILES[p].profile, key, PROFILES[p].key_len, salt, PROFILES[p].salt_len);
        all[i].in = cf_srtp_new_on(backend, PROFILES[p].profile, key, PROFILES[p].key_len, salt, PROFILES[p].salt_len);
        if (all[i].out == NULL || all[i].in == NULL)
            fail("no SRTP context");
    }
}

/* One payload to everybody, each with a key of its own; then everybody's packet back. */
static void crypto_round(keyed *all, uint16_t seq, double *seal, double *open) {
    for (size_t i = 0; i < members; i++)
        cf_rtp_write(all[i].packet, 12, 111, false, seq, seq * 960u, 7, NULL, 0);
    int64_t t0 = cpu_ns();
    for (size_t i = 0; i < members; i++)
        all[i].len = cf_srtp_protect_from(all[i].out, all[i].packet, 12, payload, payload_len, sizeof all[i].packet);
    int64_t t1 = cpu_ns();
    size_t failed = 0;
    for (size_t i = 0; i < members; i++)
        failed += all[i].len < 0 || cf_srtp_unprotect(all[i].in, all[i].packet, (size_t)all[i].len) < 0;
    int64_t t2 = cpu_ns();
    if (failed > 0)
        fail("a packet was refused");
    *seal = fmin(*seal, (double)(t1 - t0) / (double)members);
    *open = fmin(*open, (double)(t2 - t1) / (double)members);
}

static void bench_crypto(const cf_srtp_backend *backend) {
    keyed *all = calloc(members, sizeof *all);
    for (size_t p = 0; p < sizeof PROFILES / sizeof PROFILES[0]; p++) {
        double seal = INFINITY, open = INFINITY;
        make_keys(all, backend, p);
        for (uint16_t round = 0; round < ROUNDS; round++)
            crypto_round(all, round, &seal, &open);
        printf("\"%s_%s\": {\"seal_ns\": %.0f, \"open_ns\": %.0f}, ", backend->name, PROFILES[p].name, seal, open);
        for (size_t i = 0; i < members; i++) {
            cf_srtp_free(all[i].out);
            cf_srtp_free(all[i].in);
        }
    }
    free(all);
}

/* ---- a media thread's way in and out, without the thread ---- */

typedef struct peer {
    int fd;
    mouth mouth;
    uint8_t packet[PACKET_MAX];
    size_t len;
} peer;

static peer *peers;
static cf_core *core;
static cf_rx rx;
static cf_tx tx;
static cf_socket shared;
static cf_socket *_Atomic sockets[CF_ENGINE_SOCKETS];
static int64_t flush_ns, core_now;
static uint64_t flushed, refused;

static void flush(void) {
    int64_t begin = cpu_ns();
    flushed += tx.count;
    refused += cf_tx_flush(&tx, sockets);
    flush_ns += cpu_ns() - begin;
}

static uint8_t *on_reserve(void *arg) {
    (void)arg;
    return cf_tx_room(&tx);
}

static void on_commit(void *arg, const cf_path *path, size_t len) {
    (void)arg;
    cf_tx_commit(&tx, path, len);
    if (tx.count == CF_TX_BATCH)
        flush();
}

static void on_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    memcpy(on_reserve(arg), data, len);
    on_commit(arg, path, len);
}

static void open_peer(size_t i) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(shared.bound.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peers[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (peers[i].fd < 0 || connect(peers[i].fd, (struct sockaddr *)&to, sizeof to) < 0)
        fail("cannot open a member's socket");
}

static void take_in(int64_t *bare, int64_t *whole, size_t *packets) {
    for (int n = CF_RX_BATCH; n == CF_RX_BATCH;) {
        int64_t t0 = cpu_ns();
        n = cf_rx_read(&rx, &shared);
        int64_t t1 = cpu_ns();
        cf_path path[CF_RX_BATCH];
        cf_datagram got[CF_RX_BATCH];
        for (int i = 0; i < n; i++) {
            if (!cf_rx_get(&rx, i, &shared, 0, &got[i]))
                fail("an unusable datagram");
            path[i] = got[i].path;
        }
        for (int i = 0; i < n; i++) {
            if (i % CF_EXPECT_MAX == 0)
                cf_core_expect(core, path + i, (size_t)(n - i));
            cf_core_receive(core, &path[i], got[i].data, got[i].len, core_now);
        }
        *whole += cpu_ns() - t0;
        *bare += t1 - t0;
        *packets += (size_t)n;
    }
}

static void join(size_t i) {
    uint8_t check[512], txid[12] = {1};
    char name[48];
    cf_leg_config config = {.id = 1 + i,
                            .room = 1,
                            .kind = CF_LEG_WEBRTC,
                            .tx = codec_params(CF_CODEC_OPUS),
                            .tx_pt = 111,
                            .rx_count = 1,
                            .rx = {{111, CF_CODEC_OPUS, 48000}},
                            .local_pwd = PASSWORD,
                            .remote_ufrag = "peer"};
    snprintf(config.local_ufrag, sizeof config.local_ufrag, "m%zu", i);
    snprintf(name, sizeof name, "m%zu:peer", i);
    cf_leg *leg = cf_leg_new(&config, i);
    cf_srtp *in = srtp_of((uint32_t)i, 1), *out = srtp_of((uint32_t)i, 0);
    if (leg == NULL || cf_core_leg_add(core, leg, core_now) < 0)
        fail("cannot add a leg");
    cf_core_leg_keys(core, config.id, &in, &out);
    peers[i].mouth = (mouth){.codec = CF_CODEC_OPUS, .ssrc = 1000 + (uint32_t)i, .srtp = srtp_of((uint32_t)i, 1)};
    int len = cf_stun_write_request(check, sizeof check, txid, name, PASSWORD, 1, true, 1, true);
    if (send(peers[i].fd, check, (size_t)len, 0) != len)
        fail("a check was not sent");
    int64_t bare = 0, whole = 0;
    size_t got = 0;
    take_in(&bare, &whole, &got);
}

static void set_up(void) {
    cf_addr here = {{127, 0, 0, 1}, 0, 4, 0};
    cf_core_config config = {
        .seed = 1, .max_legs = members, .send = on_send, .reserve = on_reserve, .commit = on_commit};
    core_now = 1000 * (int64_t)MS;
    core = cf_core_new(&config);
    peers = calloc(members, sizeof *peers);
    if (core == NULL || peers == NULL || cf_udp_open(&here, true, &shared) < 0)
        fail("cannot set up");
    atomic_store(&sockets[0], &shared);
    cf_rx_init(&rx);
    cf_tx_init(&tx);
    cf_core_room_add(core, cf_room_new(&(cf_room_config){.id = 1}), core_now);
    const voice *silence = voice_make(CF_CODEC_OPUS, 0);
    for (size_t i = 0; i < members; i++) {
        open_peer(i);
        join(i);
        peers[i].mouth.says = silence;
    }
    flush();
}

static void drain_peers(void) {
    uint8_t data[2048];
    for (size_t i = 0; i < members; i++)
        while (recv(peers[i].fd, data, sizeof data, 0) > 0)
            ;
}

typedef struct figures {
    double in_bare, in_whole, out_bare, out_whole;
} figures;

static void least(double *a, double b) {
    *a = fmin(*a, b);
}

/* Everybody says 20 ms of silence, and all is read. */
static void come_in(figures *f) {
    int64_t bare = 0, whole = 0;
    size_t got = 0;
    for (size_t i = 0; i < members; i++) {
        peers[i].len = mouth_packet(&peers[i].mouth, peers[i].packet);
        if (send(peers[i].fd, peers[i].packet, peers[i].len, 0) < 0)
            fail("a packet was not sent");
    }
    take_in(&bare, &whole, &got);
    if (got != members)
        fail("packets were lost");
    least(&f->in_bare, (double)bare / (double)got);
    least(&f->in_whole, (double)whole / (double)got);
}

/* The room's tick: with nobody talking its whole work is to send. */
static void go_out(figures *f) {
    core_now += PERIOD;
    flush_ns = 0;
    flushed = 0;
    int64_t begin = cpu_ns();
    cf_core_advance(core, core_now);
    flush();
    int64_t took = cpu_ns() - begin;
    if (flushed >= members) {
        least(&f->out_whole, (double)took / (double)flushed);
        least(&f->out_bare, (double)flush_ns / (double)flushed);
    }
    drain_peers();
}

static void bench_shell(void) {
    figures f = {INFINITY, INFINITY, INFINITY, INFINITY}, ignored = f;
    set_up();
    for (int i = 0; i < ROUNDS; i++, core_now += PERIOD) /* no tick between: what decoding does to caches is not ours */
        come_in(&f);
    for (int i = 0; i < QUIET; i++)
        go_out(&ignored);
    for (int i = 0; i < ROUNDS; i++)
        go_out(&f);
    printf("\"in\": {\"kernel_ns\": %.0f, \"whole_ns\": %.0f}, \"out\": {\"kernel_ns\": %.0f, \"whole_ns\": %.0f}, ",
           f.in_bare, f.in_whole, f.out_bare, f.out_whole);
    printf("\"refused\": %llu}\n", (unsigned long long)refused);
}

int main(int argc, char **argv) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    members = argc > 1 ? (size_t)atoi(argv[1]) : 0;
    payload_len = argc > 2 ? (size_t)atoi(argv[2]) : payload_len;
    if (members < 2 || members > 4000 || payload_len > 1200)
        fail("usage: bench_packets MEMBERS(2-4000) [BYTES(0-1200)]");
    printf("{\"members\": %zu, \"payload\": %zu, ", members, payload_len);
    bench_crypto(&cf_srtp_libcrypto);
    if (cf_srtp_aes_ni.usable())
        bench_crypto(&cf_srtp_aes_ni);
    bench_shell();
    return 0;
}

/* rng.c and addr.c: known sequences, ranges, and what makes two addresses different. */
#include "conferocore/base.h"
#include "testlib.h"

/* The published reference outputs of both generators. */
static void test_rng_known_sequence(void) {
    static const uint64_t want[] = {11520u,
                                    0u,
                                    1509978240u,
                                    1215971899390074240u,
                                    1216172134540287360u,
                                    607988272756665600u,
                                    16172922978634559625u,
                                    8476171486693032832u,
                                    10595114339597558777u,
                                    2904607092377533576u};
    cf_rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        CHECK(cf_rng_next(&rng) == want[i]);
}

static void test_rng_seed_is_splitmix(void) {
    cf_rng rng;
    cf_rng_seed(&rng, 1234567);
    CHECK(rng.s[0] == 6457827717110365317u && rng.s[1] == 3203168211198807973u);
    CHECK(rng.s[2] == 9817491932198370423u && rng.s[3] == 4593380528125082431u);
    cf_rng_seed(&rng, 0);
    CHECK(rng.s[0] == 0xe220a8397b1dcdafu);
}

static void test_rng_same_seed_repeats(void) {
    cf_rng a, b, c;
    cf_rng_seed(&a, 7);
    cf_rng_seed(&b, 7);
    cf_rng_seed(&c, 8);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t x = cf_rng_next(&a);
        CHECK(x == cf_rng_next(&b));
        same += x == cf_rng_next(&c);
    }
    CHECK_INT(same, 0);
}

/* 100,000 draws: the mean of a uniform variable lies within 5 sigma (0.0046) of 0.5. */
static void test_rng_unit_range_and_mean(void) {
    cf_rng rng;
    cf_rng_seed(&rng, 42);
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double x = cf_rng_unit(&rng);
        CHECK(x >= 0 && x < 1);
        sum += x;
    }
    CHECK(sum / 100000 > 0.4954 && sum / 100000 < 0.5046);
}

static void test_rng_unit_never_one(void) {
    /* s[1] for which the next output is all ones: the inverse of rotl(s1 * 5, 7) * 9 on 64 bits */
    cf_rng rng = {{1, 0, 3, 4}};
    uint64_t ninth = 0x8e38e38e38e38e39u, fifth = 0xcccccccccccccccdu; /* inverses of 9 and 5 mod 2^64 */
    uint64_t x = UINT64_MAX * ninth;
    rng.s[1] = (x >> 7 | x << 57) * fifth;
    cf_rng copy = rng;
    CHECK(cf_rng_next(&copy) == UINT64_MAX);
    CHECK(cf_rng_unit(&rng) < 1);
}

static void test_rng_u32_sets_every_bit(void) {
    cf_rng rng;
    cf_rng_seed(&rng, 3);
    uint32_t any = 0, all = UINT32_MAX;
    for (int i = 0; i < 200; i++) {
        uint32_t x = cf_rng_u32(&rng);
        any |= x;
        all &= x;
    }
    CHECK(any == UINT32_MAX && all == 0);
}

static cf_addr v4(uint8_t last, uint16_t port) {
    cf_addr a = {.ip = {192, 0, 2, last}, .port = port, .family = 4};
    return a;
}

static void test_addr_equal_sees_each_field(void) {
    cf_addr a = v4(1, 5000), b = v4(1, 5000);
    CHECK(cf_addr_equal(&a, &b));
    b.port = 5001;
    CHECK(!cf_addr_equal(&a, &b));
    b = v4(2, 5000);
    CHECK(!cf_addr_equal(&a, &b));
    b = v4(1, 5000);
    b.family = 6;
    CHECK(!cf_addr_equal(&a, &b));
    b = v4(1, 5000);
    b.ip[15] = 1;
    CHECK(!cf_addr_equal(&a, &b));
}

static void test_path_equal_sees_each_field(void) {
    cf_path a = {.socket = 1, .local = v4(1, 5000), .remote = v4(9, 40000)}, b = a;
    CHECK(cf_path_equal(&a, &b));
    b.socket = 2;
    CHECK(!cf_path_equal(&a, &b));
    b = a;
    b.local.port++;
    CHECK(!cf_path_equal(&a, &b));
    b = a;
    b.remote.ip[0]++;
    CHECK(!cf_path_equal(&a, &b));
}

/* 65,536 addresses of one network in 65,536 buckets: a good hash leaves about e^-1 of them empty. */
static void test_addr_hash_spreads(void) {
    static uint8_t used[65536];
    memset(used, 0, sizeof used);
    int filled = 0;
    for (int host = 0; host < 256; host++)
        for (int port = 0; port < 256; port++) {
            cf_addr a = v4((uint8_t)host, (uint16_t)(5000 + 2 * port));
            uint64_t h = cf_addr_hash(&a);
            CHECK(h == cf_addr_hash(&a));
            filled += used[h & 65535] == 0;
            used[h & 65535] = 1;
        }
    CHECK(filled > 40500 && filled < 42500); /* 65536 * (1 - 1/e) = 41427 */
}

static void test_addr_hash_uses_all_of_v6(void) {
    cf_addr a = {.ip = {0x20, 1, 0xd, 0xb8}, .port = 9, .family = 6};
    uint64_t h = cf_addr_hash(&a);
    for (int i = 0; i < 16; i++) {
        cf_addr b = a;
        b.ip[i] ^= 1;
        CHECK(cf_addr_hash(&b) != h);
    }
}

static void test_big_endian_access_at_any_alignment(void) {
    uint8_t buf[8];
    for (int at = 0; at < 4; at++) {
        cf_put32(buf + at, 0x80c1d2e3u);
        CHECK(buf[at] == 0x80 && buf[at + 3] == 0xe3 && cf_get32(buf + at) == 0x80c1d2e3u);
        cf_put16(buf + at, 0xfedc);
        CHECK(buf[at] == 0xfe && cf_get16(buf + at) == 0xfedc);
    }
}

int main(void) {
    RUN(test_rng_known_sequence);
    RUN(test_rng_seed_is_splitmix);
    RUN(test_rng_same_seed_repeats);
    RUN(test_rng_unit_range_and_mean);
    RUN(test_rng_unit_never_one);
    RUN(test_rng_u32_sets_every_bit);
    RUN(test_addr_equal_sees_each_field);
    RUN(test_path_equal_sees_each_field);
    RUN(test_addr_hash_spreads);
    RUN(test_addr_hash_uses_all_of_v6);
    RUN(test_big_endian_access_at_any_alignment);
    return REPORT();
}

/* rtp.c and rtp_source.c: packets good and broken, both forms of extensions, and the statistics of RFC 3550. */
#include "conferocore/rtp.h"
#include "netlib.h"
#include "testlib.h"
#include <errno.h>

static cf_rtp rtp;

/* Parses at each alignment 0-3; the results must agree. Views point into memory that is gone: for fields only. */
static int parse_hex(const char *text) {
    uint8_t bytes[256];
    size_t len = unhex(bytes, sizeof bytes, text);
    int first = 1;
    for (size_t offset = 0; offset < 4; offset++) {
        placed p = place(bytes, len, offset);
        int got = cf_rtp_parse(&rtp, p.data, len);
        CHECK(first == 1 || got == first);
        first = got;
        free(p.block);
    }
    return first;
}

static void test_looks_like(void) {
    struct {
        uint8_t bytes[2];
        bool is, rtcp;
    } cases[] = {{{0x80, 0}, true, false},   {{0xbf, 0xff}, true, false}, {{0x80, 191}, true, false},
                 {{0x80, 192}, true, true},  {{0x81, 200}, true, true},   {{0xa0, 223}, true, true},
                 {{0x80, 224}, true, false}, {{0x7f, 200}, false, false}, {{0xc0, 200}, false, false},
                 {{0, 1}, false, false},     {{22, 254}, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool rtcp = false;
        CHECK(cf_rtp_looks_like(cases[i].bytes, 2, &rtcp) == cases[i].is);
        CHECK(rtcp == cases[i].rtcp);
        CHECK(!cf_rtp_looks_like(cases[i].bytes, 1, &rtcp));
    }
}

static void test_parse_plain(void) {
    CHECK_INT(parse_hex("80e0 1234 deadbeef cafebabe 010203"), 0);
    CHECK(rtp.pt == 0x60 && rtp.marker && rtp.seq == 0x1234);
    CHECK(rtp.ts == 0xdeadbeef && rtp.ssrc == 0xcafebabe);
    CHECK(rtp.payload_len == 3 && rtp.ext == NULL && rtp.ext_len == 0);
}

static void test_parse_empty_payload(void) {
    CHECK_INT(parse_hex("8000 0001 00000002 00000003"), 0);
    CHECK(rtp.payload_len == 0 && !rtp.marker);
}

static void test_parse_csrc(void) {
    CHECK_INT(parse_hex("8200 0001 00000002 00000003 11111111 22222222 aa"), 0);
    CHECK_INT(rtp.payload_len, 1);
    CHECK_INT(parse_hex("8200 0001 00000002 00000003 11111111 222222"), -EBADMSG);
    CHECK_INT(parse_hex("8f00 0001 00000002 00000003"), -EBADMSG);
}

static void test_parse_padding(void) {
    CHECK_INT(parse_hex("a000 0001 00000002 00000003 aabb 000003"), 0);
    CHECK_INT(rtp.payload_len, 2);
    CHECK_INT(parse_hex("a000 0001 00000002 00000003 000003"), 0); /* padding only */
    CHECK_INT(rtp.payload_len, 0);
    CHECK_INT(parse_hex("a000 0001 00000002 00000003 aa00"), -EBADMSG); /* a count of 0 */
    CHECK_INT(parse_hex("a000 0001 00000002 00000003 aa03"), -EBADMSG); /* more than there is */
    CHECK_INT(parse_hex("a000 0001 00000002 00000003"), -EBADMSG);      /* no byte that counts it */
}

static void test_parse_extension_lengths(void) {
    CHECK_INT(parse_hex("9000 0001 00000002 00000003 bede 0001 10aa0000 77"), 0);
    CHECK(rtp.ext_profile == 0xbede && rtp.ext_len == 4 && rtp.payload_len == 1);
    CHECK_INT(parse_hex("9000 0001 00000002 00000003 bede 0000"), 0);
    CHECK(rtp.ext_len == 0 && rtp.payload_len == 0);
    CHECK_INT(parse_hex("9000 0001 00000002 00000003 bede 0002 10aa0000"), -EBADMSG);
    CHECK_INT(parse_hex("9000 0001 00000002 00000003 bede ffff 10aa0000"), -EBADMSG);
    CHECK_INT(parse_hex("9000 0001 00000002 00000003 bede 00"), -EBADMSG);
    CHECK_INT(parse_hex("9000 0001 00000002 00000003"), -EBADMSG);
}

static void test_parse_padding_may_not_reach_into_extension(void) {
    CHECK_INT(parse_hex("b000 0001 00000002 00000003 bede 0001 10aa0000 0002"), 0);
    CHECK_INT(parse_hex("b000 0001 00000002 00000003 bede 0001 10aa0000 0003"), -EBADMSG);
}

static void test_parse_version_and_length(void) {
    CHECK_INT(parse_hex("4000 0001 00000002 00000003"), -EBADMSG);
    CHECK_INT(parse_hex("c000 0001 00000002 00000003"), -EBADMSG);
    CHECK_INT(parse_hex("8000 0001 00000002 000000"), -EBADMSG);
    CHECK_INT(parse_hex(""), -EBADMSG);
}

/* Every prefix of a packet with everything in it: a result, never a byte too far. */
static void test_parse_every_prefix(void) {
    uint8_t bytes[64];
    size_t len = unhex(bytes, sizeof bytes,
                       "b2ef 1234 00000002 00000003 11111111 22222222 bede 0002 10aa 2201 0203 00 00 cafe 000002");
    for (size_t n = 0; n <= len; n++)
        for (size_t offset = 0; offset < 4; offset++) {
            placed p = place(bytes, n, offset);
            int got = cf_rtp_parse(&rtp, p.data, n);
            CHECK(got == 0 || got == -EBADMSG);
            if (n < 32)
                CHECK_INT(got, -EBADMSG);
            size_t size;
            for (int id = 0; got == 0 && id < 256; id++)
                cf_rtp_ext_find(&rtp, (uint8_t)id, &size);
            free(p.block);
        }
}

/* The extension block alone, at the end of its memory. */
static int find_in(uint16_t profile, const char *block, uint8_t id, uint8_t *first) {
    uint8_t bytes[300];
    size_t n = unhex(bytes, sizeof bytes, block), len = 999;
    placed p = place(bytes, n, 1);
    cf_rtp packet = {.ext = p.data, .ext_len = n, .ext_profile = profile};
    const uint8_t *found = cf_rtp_ext_find(&packet, id, &len);
    *first = found && len ? *found : 0;
    free(p.block);
    return found ? (int)len : -1;
}

static void test_ext_one_byte(void) {
    uint8_t first;
    const char *block = "10aa 00 21bbcc 00 00"; /* id 1: aa; padding; id 2: bbcc; padding */
    CHECK(find_in(0xbede, block, 1, &first) == 1 && first == 0xaa);
    CHECK(find_in(0xbede, block, 2, &first) == 2 && first == 0xbb);
    CHECK_INT(find_in(0xbede, block, 3, &first), -1);
    CHECK_INT(find_in(0xbede, block, 0, &first), -1);
    CHECK(find_in(0xbede, "10aa 10bb", 1, &first) == 1 && first == 0xaa);
    CHECK(find_in(0xbede, "ef 000102030405060708090a0b0c0d0e0f", 14, &first) == 16);
}

static void test_ext_one_byte_stops(void) {
    uint8_t first;
    CHECK_INT(find_in(0xbede, "f0aa 10bb", 1, &first), -1);  /* id 15 ends the processing */
    CHECK_INT(find_in(0xbede, "f0aa 10bb", 15, &first), -1); /* and is never an element */
    CHECK_INT(find_in(0xbede, "01aabb 10cc", 1, &first), -1);
    CHECK_INT(find_in(0xbede, "10aa 23bbcc", 2, &first), -1); /* runs over the end */
    CHECK_INT(find_in(0xbede, "10aa 23bbcc", 1, &first), 1);
    CHECK_INT(find_in(0xbede, "10", 1, &first), -1);
    CHECK_INT(find_in(0xbede, "", 1, &first), -1);
}

static void test_ext_two_byte(void) {
    uint8_t first;
    const char *block = "01 00  02 01 aa  00 00  ff 03 bbccdd 00";
    for (uint16_t profile = 0x1000; profile <= 0x100f; profile++) {
        CHECK_INT(find_in(profile, block, 1, &first), 0);
        CHECK(find_in(profile, block, 2, &first) == 1 && first == 0xaa);
        CHECK(find_in(profile, block, 255, &first) == 3 && first == 0xbb);
        CHECK_INT(find_in(profile, block, 0, &first), -1);
    }
    CHECK_INT(find_in(0x1010, block, 2, &first), -1);
    CHECK_INT(find_in(0x0fff, block, 2, &first), -1);
}

static void test_ext_two_byte_broken(void) {
    uint8_t first;
    CHECK_INT(find_in(0x1000, "02", 2, &first), -1);
    CHECK_INT(find_in(0x1000, "0203aabb", 2, &first), -1);
    CHECK_INT(find_in(0x1000, "02ffaabb", 2, &first), -1);
    CHECK_INT(find_in(0x1000, "0100 0203aabb", 1, &first), 0);
}

static void test_write_round_trip(void) {
    const uint8_t level = 0x85, mid[] = "audio0";
    cf_rtp_ext ext[] = {{1, 1, &level}, {4, 6, mid}};
    uint8_t out[64];
    int at = cf_rtp_write(out, sizeof out, 111, true, 65535, 0xfffffff0, 7, ext, 2);
    CHECK_INT(at, 12 + 4 + 12); /* 2 + 7 bytes, padded to three words */
    memcpy(out + at, "xyz", 3);
    CHECK_INT(cf_rtp_parse(&rtp, out, (size_t)at + 3), 0);
    CHECK(rtp.pt == 111 && rtp.marker && rtp.seq == 65535 && rtp.ts == 0xfffffff0 && rtp.ssrc == 7);
    CHECK(rtp.payload == out + at && rtp.payload_len == 3);
    size_t len = 0;
    const uint8_t *found = cf_rtp_ext_find(&rtp, 1, &len);
    CHECK(found && len == 1 && *found == level);
    found = cf_rtp_ext_find(&rtp, 4, &len);
    CHECK(found && len == 6 && memcmp(found, "audio0", 6) == 0);
}

static void test_write_bounds(void) {
    const uint8_t data[16] = {0};
    cf_rtp_ext ext = {1, 16, data};
    uint8_t out[36];
    memset(out, 0x55, sizeof out);
    CHECK_INT(cf_rtp_write(out, 12, 0, false, 0, 0, 0, NULL, 0), 12);
    CHECK_INT(out[12], 0x55);
    CHECK_INT(cf_rtp_write(out, 11, 0, false, 0, 0, 0, NULL, 0), -ENOSPC);
    CHECK_INT(cf_rtp_write(out, 36, 0, false, 0, 0, 0, &ext, 1), 36);
    CHECK_INT(cf_rtp_write(out, 35, 0, false, 0, 0, 0, &ext, 1), -ENOSPC);
    CHECK_INT(cf_rtp_write(out, 36, 128, false, 0, 0, 0, NULL, 0), -EINVAL);
    cf_rtp_ext bad[] = {{0, 1, data}, {15, 1, data}, {1, 0, data}, {1, 17, data}};
    for (size_t i = 0; i < 4; i++)
        CHECK_INT(cf_rtp_write(out, 36, 0, false, 0, 0, 0, &bad[i], 1), -EINVAL);
    cf_rtp_ext many[15];
    for (size_t i = 0; i < 15; i++)
        many[i] = ext;
    CHECK_INT(cf_rtp_write(out, 36, 0, false, 0, 0, 0, many, 15), -EINVAL);
}

static void test_circle_arithmetic(void) {
    CHECK_INT(cf_seq_diff(2, 65534), 4);
    CHECK_INT(cf_seq_diff(65534, 2), -4);
    CHECK_INT(cf_seq_diff(0x8000, 0), -32768);
    CHECK_INT(cf_ts_diff(5, 0xfffffffb), 10);
    CHECK_INT(cf_ts_diff(0xfffffffb, 5), -10);
}

static void test_source_counts_losses_over_the_wrap(void) {
    cf_rtp_source s;
    cf_rtp_source_init(&s, 9, 65530);
    for (uint32_t i = 0; i < 20; i++)
        if (i != 3 && i != 8) /* one lost before the wrap, one after */
            CHECK(cf_rtp_source_update(&s, (uint16_t)(65530 + i), i * 160, i * 160));
    CHECK_INT(cf_rtp_source_extended_max(&s), 65536 + 13);
    CHECK_INT(cf_rtp_source_lost(&s), 2);
    CHECK_INT(s.received, 18);
}

static void test_source_reordered_and_duplicated(void) {
    cf_rtp_source s;
    cf_rtp_source_init(&s, 9, 100);
    uint16_t order[] = {100, 102, 101, 103, 103, 103};
    for (size_t i = 0; i < 6; i++)
        CHECK(cf_rtp_source_update(&s, order[i], 0, 0));
    CHECK_INT(cf_rtp_source_extended_max(&s), 103);
    CHECK_INT(cf_rtp_source_lost(&s), -2); /* duplicates make it negative (A.3) */
}

/* A reordered packet from before the wrap must not count the wrap again. */
static void test_source_reorder_at_the_wrap(void) {
    cf_rtp_source s;
    cf_rtp_source_init(&s, 9, 65534);
    uint16_t order[] = {65534, 0, 65535, 1};
    for (size_t i = 0; i < 4; i++)
        CHECK(cf_rtp_source_update(&s, order[i], 0, 0));
    CHECK_INT(cf_rtp_source_extended_max(&s), 65537);
    CHECK_INT(cf_rtp_source_lost(&s), 0);
}

static void test_source_jump_needs_two(void) {
    cf_rtp_source s;
    cf_rtp_source_init(&s, 9, 100);
    CHECK(cf_rtp_source_update(&s, 100, 0, 0));
    CHECK(cf_rtp_source_update(&s, 100 + 2999, 0, 0));   /* MAX_DROPOUT: still a gap */
    CHECK(!cf_rtp_source_update(&s, 3099 + 3000, 0, 0)); /* a jump */
    CHECK(!cf_rtp_source_update(&s, 40000, 0, 0));       /* another: not the confirmation */
    CHECK(cf_rtp_source_update(&s, 3100, 0, 0));         /* the old sequence goes on */
    CHECK_INT(cf_rtp_source_extended_max(&s), 3100);
    CHECK(!cf_rtp_source_update(&s, 50000, 0, 0));
    CHECK(cf_rtp_source_update(&s, 50001, 0, 0)); /* confirmed: a restart */
    CHECK_INT(cf_rtp_source_extended_max(&s), 50001);
    CHECK_INT(cf_rtp_source_lost(&s), 0);
    CHECK_INT(s.ssrc, 9);
}

static void test_source_old_packets_are_not_a_jump(void) {
    cf_rtp_source s;
    cf_rtp_source_init(&s, 9, 1000);
    CHECK(cf_rtp_source_update(&s, 1000, 0, 0));
    CHECK(cf_rtp_source_update(&s, 901, 0, 0));  /* within MAX_MISORDER */
    CHECK(!cf_rtp_source_update(&s, 900, 0, 0)); /* outside */
}

/* Constant delay has no jitter; alternating delay of d converges to d (A.8's mean deviation of differences). */
static void test_source_jitter(void) {
    cf_rtp_source s;
    cf_rtp_source_init(&s, 9, 0);
    for (uint32_t i = 0; i < 100; i++)
        cf_rtp_source_update(&s, (uint16_t)i, 0xffffff00u + i * 160, INT64_C(5000000000) + i * 160);
    CHECK(s.jitter == 0);
    for (uint32_t i = 100; i < 400; i++)
        cf_rtp_source_update(&s, (uint16_t)i, 0xffffff00u + i * 160, INT64_C(5000000000) + i * 160 + (i % 2) * 80);
    CHECK(s.jitter > 79.9 && s.jitter <= 80);
}

static void test_source_lost_is_clamped(void) {
    cf_rtp_source s;
    cf_rtp_source_init(&s, 9, 0);
    s.cycles = 0x2000000;
    CHECK_INT(cf_rtp_source_lost(&s), 0x7fffff);
    cf_rtp_source_init(&s, 9, 0);
    s.received = 0x2000000;
    CHECK_INT(cf_rtp_source_lost(&s), -0x800000);
}

int main(void) {
    RUN(test_looks_like);
    RUN(test_parse_plain);
    RUN(test_parse_empty_payload);
    RUN(test_parse_csrc);
    RUN(test_parse_padding);
    RUN(test_parse_extension_lengths);
    RUN(test_parse_padding_may_not_reach_into_extension);
    RUN(test_parse_version_and_length);
    RUN(test_parse_every_prefix);
    RUN(test_ext_one_byte);
    RUN(test_ext_one_byte_stops);
    RUN(test_ext_two_byte);
    RUN(test_ext_two_byte_broken);
    RUN(test_write_round_trip);
    RUN(test_write_bounds);
    RUN(test_circle_arithmetic);
    RUN(test_source_counts_losses_over_the_wrap);
    RUN(test_source_reordered_and_duplicated);
    RUN(test_source_reorder_at_the_wrap);
    RUN(test_source_jump_needs_two);
    RUN(test_source_old_packets_are_not_a_jump);
    RUN(test_source_jitter);
    RUN(test_source_lost_is_clamped);
    return REPORT();
}

/* red*.c: redundancy read and written, every malformed form refused, and which packet a block is a copy of. */
#include "conferocore/red.h"
#include "netlib.h"
#include "testlib.h"
#include <errno.h>

static cf_red red;
static placed here;

/* Parses a payload that ends where its memory ends; views stay until the next call. */
static int parse(const uint8_t *data, size_t len) {
    free(here.block);
    here = place(data, len, len % 4);
    return cf_red_parse(&red, here.data, len);
}

static int parse_hex(const char *text) {
    uint8_t bytes[2048];
    return parse(bytes, unhex(bytes, sizeof bytes, text));
}

static bool holds(size_t i, int pt, int offset, const char *text) {
    uint8_t bytes[64];
    size_t len = unhex(bytes, sizeof bytes, text);
    const cf_red_block *b = &red.blocks[i];
    return i < red.count && b->pt == pt && b->offset == offset && b->len == len && !memcmp(b->payload, bytes, len);
}

static void test_primary_alone(void) {
    CHECK_INT(parse_hex("6f aabbcc"), 0);
    CHECK(red.count == 1 && holds(0, 111, 0, "aabbcc"));
    CHECK_INT(parse_hex("6f"), 0); /* nothing in it: the payload's own affair */
    CHECK(red.count == 1 && red.blocks[0].len == 0);
}

/* Offset 960 (0x3c0), length 2: 14 and 10 bits are 0x3c0 << 10 | 2 = 0x0f0002. */
static void test_blocks_in_their_order(void) {
    CHECK_INT(parse_hex("ef 1e0003  ef 0f0002  6f  a1a2a3 b1b2 c1"), 0);
    CHECK_INT(red.count, 3);
    CHECK(holds(0, 111, 1920, "a1a2a3") && holds(1, 111, 960, "b1b2") && holds(2, 111, 0, "c1"));
}

static void test_largest_values(void) {
    uint8_t bytes[4 + 1 + 1023 + 1] = {0xff, 0xff, 0xff, 0xff, 0x7f};
    CHECK_INT(parse(bytes, sizeof bytes), 0);
    CHECK(red.count == 2 && red.blocks[0].offset == 16383 && red.blocks[0].len == 1023 && red.blocks[1].len == 1);
    CHECK(red.blocks[0].pt == 127 && red.blocks[1].pt == 127);
    CHECK_INT(parse(bytes, sizeof bytes - 1), 0);
    CHECK_INT(parse(bytes, sizeof bytes - 2), -EBADMSG);
}

static void test_malformed(void) {
    static const char *const cases[] = {
        "",                            /* no header */
        "ef",                          /* cut in a header */
        "ef0f00",                      /* ... */
        "ef0f0002",                    /* no primary */
        "ef0f0002 6f",                 /* no data */
        "ef0f0002 6f aa",              /* less data than said */
        "ef0f0002 ef0f0002 6f aabbcc", /* ... by the second */
        "ef0f0002 ef0f0002 ef0f0002 ef0f0002",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_INT(parse_hex(cases[i]), -EBADMSG);
}

static void test_every_prefix_of_a_packet(void) {
    uint8_t bytes[64];
    size_t len = unhex(bytes, sizeof bytes, "ef1e0003 ef0f0002 6f a1a2a3 b1b2 c1");
    for (size_t n = 0; n <= len; n++)
        CHECK_INT(parse(bytes, n), n < 14 ? -EBADMSG : 0);
}

static void test_empty_redundant_blocks_are_left_out(void) {
    CHECK_INT(parse_hex("ef1e0000 ef0f0002 6f b1b2 c1"), 0);
    CHECK(red.count == 2 && holds(0, 111, 960, "b1b2") && holds(1, 111, 0, "c1"));
}

/* n headers with one byte each, the block's number, and a primary of one byte. */
static int parse_many(int n) {
    uint8_t bytes[256];
    size_t at = 0;
    for (int i = 0; i < n; i++, at += 4)
        cf_put32(bytes + at, 0xef000000u | (uint32_t)(n - i) * 10 << 10 | 1);
    bytes[at++] = 0x6f;
    for (int i = 0; i <= n; i++)
        bytes[at++] = (uint8_t)i;
    return parse(bytes, at);
}

static void test_of_too_many_the_oldest_are_left_out(void) {
    for (int n = 0; n < CF_RED_HEADERS; n++) {
        CHECK_INT(parse_many(n), 0);
        size_t want = n < CF_RED_BLOCKS ? (size_t)n + 1 : CF_RED_BLOCKS;
        CHECK_INT(red.count, want);
        for (size_t i = 0; i < red.count; i++) {
            int number = n - (int)(red.count - 1 - i);
            CHECK(red.blocks[i].len == 1 && red.blocks[i].payload[0] == number);
            CHECK_INT(red.blocks[i].offset, (n - number) * 10);
        }
    }
    CHECK_INT(parse_many(CF_RED_HEADERS), -EBADMSG);
}

static const uint8_t data[1300] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void test_written_and_read_again(void) {
    cf_red_block blocks[] = {{111, 1920, data, 5}, {111, 960, data + 1, 3}, {96, 0, data + 2, 4}};
    uint8_t out[64];
    int len = cf_red_write(out, sizeof out, blocks, 3);
    CHECK_INT(len, 4 + 4 + 1 + 5 + 3 + 4);
    CHECK_INT(parse(out, (size_t)len), 0);
    CHECK_INT(red.count, 3);
    for (size_t i = 0; i < 3 && i < red.count; i++)
        CHECK(red.blocks[i].pt == blocks[i].pt && red.blocks[i].offset == blocks[i].offset &&
              red.blocks[i].len == blocks[i].len && !memcmp(red.blocks[i].payload, blocks[i].payload, blocks[i].len));
}

static void test_write_leaves_out_what_does_not_fit(void) {
    cf_red_block blocks[] = {{111, 1920, data, 5}, {111, 960, data + 1, 3}, {96, 0, data + 2, 4}};
    struct {
        size_t cap;
        int len, count;
    } cases[] = {{21, 21, 3}, {20, 12, 2}, {12, 12, 2}, {11, 5, 1}, {5, 5, 1}, {4, -ENOSPC, 0}, {0, -ENOSPC, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *out = malloc(cases[i].cap + 1);
        CHECK_INT(cf_red_write(out, cases[i].cap, blocks, 3), cases[i].len);
        if (cases[i].len > 0 && !parse(out, (size_t)cases[i].len))
            CHECK_INT(red.count, cases[i].count);
        free(out);
    }
}

static void test_write_leaves_out_what_cannot_be_said(void) {
    cf_red_block bad[] = {{111, 16384, data, 5}, {111, 960, data, 1024}, {111, 960, data, 0}, {128, 960, data, 5}};
    uint8_t out[1500];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cf_red_block blocks[] = {{111, 1920, data, 3}, bad[i], {111, 0, data, 4}};
        int len = cf_red_write(out, sizeof out, blocks, 3);
        CHECK_INT(len, 4 + 1 + 3 + 4);
        CHECK_INT(parse(out, (size_t)len), 0);
        CHECK(red.count == 2 && red.blocks[0].offset == 1920);
    }
}

static void test_write_wrong_use(void) {
    cf_red_block blocks[CF_RED_BLOCKS + 1] = {{.pt = 111, .payload = data, .len = 1}};
    uint8_t out[64];
    CHECK_INT(cf_red_write(out, sizeof out, blocks, 0), -EINVAL);
    CHECK_INT(cf_red_write(out, sizeof out, blocks, CF_RED_BLOCKS + 1), -EINVAL);
    blocks[0].pt = 128;
    CHECK_INT(cf_red_write(out, sizeof out, blocks, 1), -EINVAL);
}

/* The packets that came, then which number a block of `offset` in the packet (seq, ts) is of. */
static int number(const cf_red_seen *seen, uint16_t seq, uint32_t ts, uint16_t offset, uint32_t duration) {
    cf_rtp packet = {.ssrc = 7, .seq = seq, .ts = ts};
    return cf_red_seq(seen, &packet, &(cf_red_block){.offset = offset, .len = 1}, duration);
}

static void came(cf_red_seen *seen, int seq, int64_t ts) {
    cf_red_seen_note(seen, 7, (uint16_t)seq, (uint32_t)ts);
}

static void test_number_of_a_copy_is_none(void) {
    cf_red_seen seen;
    cf_red_seen_init(&seen);
    for (int i = 0; i < 100; i++) { /* over the wrap of both */
        uint16_t seq = (uint16_t)(65500 + i);
        uint32_t ts = 0xffff0000u + (uint32_t)i * 960;
        if (i > 1) {
            CHECK_INT(number(&seen, seq, ts, 960, 960), -ENOENT);
            CHECK_INT(number(&seen, seq, ts, 1920, 960), -ENOENT);
        }
        came(&seen, seq, ts);
    }
    CHECK_INT(number(&seen, 66, 0xffff0000u + 102 * 960, 0, 960), -ENOENT);
}

static void test_number_of_one_lost(void) {
    cf_red_seen seen;
    for (int start = 0; start < 65536; start += 4369) {
        cf_red_seen_init(&seen);
        came(&seen, start, 5000);
        CHECK_INT(number(&seen, (uint16_t)(start + 2), 5000 + 1920, 960, 960), (uint16_t)(start + 1));
        CHECK_INT(number(&seen, (uint16_t)(start + 2), 5000 + 1920, 960, 0), (uint16_t)(start + 1));
        CHECK_INT(number(&seen, (uint16_t)(start + 2), 5000 + 1920, 1920, 960), -ENOENT); /* the one that came */
    }
}

/* Silence of 300 ms between the packets: the numbers do not count it, the timestamps do. */
static void test_number_over_a_pause(void) {
    cf_red_seen seen;
    cf_red_seen_init(&seen);
    came(&seen, 10, 0);
    CHECK_INT(number(&seen, 12, 960 + 14400, 14400, 960), 11);
    CHECK_INT(number(&seen, 11, 14400, 7200, 960), -ENOENT); /* no number is missing: nobody's */
}

static void test_number_of_several_lost(void) {
    cf_red_seen seen;
    cf_red_seen_init(&seen);
    came(&seen, 10, 0);
    CHECK_INT(number(&seen, 14, 4 * 960, 960, 960), 13);
    CHECK_INT(number(&seen, 14, 4 * 960, 1920, 960), 12);
    CHECK_INT(number(&seen, 14, 4 * 960, 2880, 960), 11);
    CHECK_INT(number(&seen, 14, 4 * 960, 1000, 960), -ENOENT);     /* no whole packets back */
    CHECK_INT(number(&seen, 14, 4 * 960, 960, 0), -ENOENT);        /* duration not known */
    CHECK_INT(number(&seen, 13, 40 * 960, 4 * 960, 960), -ENOENT); /* a number that came */
    came(&seen, 14, 4 * 960);
    came(&seen, 13, 3 * 960); /* recovered */
    CHECK_INT(number(&seen, 15, 5 * 960, 1920, 960), -ENOENT);
    CHECK_INT(number(&seen, 15, 5 * 960, 2880, 960), 12); /* counted back from 13 */
}

static void test_number_at_the_start(void) {
    cf_red_seen seen;
    cf_red_seen_init(&seen);
    CHECK_INT(number(&seen, 0, 100, 960, 960), 65535);
    CHECK_INT(number(&seen, 0, 100, 960, 0), -ENOENT);
    CHECK_INT(number(&seen, 0, 100, 9600, 960), -ENOENT); /* further back than a packet holds */
    cf_red_seen_note(&seen, 8, 65535, 100 - 960);         /* another stream knows nothing of this one */
    CHECK_INT(number(&seen, 0, 100, 960, 960), 65535);
}

static void test_the_window_forgets(void) {
    cf_red_seen seen;
    cf_red_seen_init(&seen);
    came(&seen, 0, 0);
    came(&seen, 63, 63 * 960);
    CHECK_INT(number(&seen, 64, 64 * 960, 1920, 960),
              62);                                 /* 1-62 are missing, nothing of 64 numbers ago stands there */
    came(&seen, 64, 64 * 960);                     /* in the place of 0 */
    CHECK_INT(number(&seen, 1, 960, 960, 960), 0); /* not known any more, as is everything older */
    came(&seen, 30000, 0);                         /* a restart */
    CHECK_INT(number(&seen, 30001, 960, 960, 960), -ENOENT);
    CHECK_INT(number(&seen, 30002, 1920, 960, 960), 30001);
}

static void test_sent_payloads_come_again(void) {
    cf_red_sender sender;
    cf_red_sender_init(&sender);
    for (int i = 0; i < 10; i++) {
        uint8_t payload[3] = {(uint8_t)i, 2, 3}, out[64];
        int depth = i % 3, want = i < depth ? i : depth;
        int len = cf_red_send(&sender, depth, 111, (uint32_t)i * 960 - 1920, payload, 3, out, sizeof out);
        CHECK_INT(len, 1 + 3 + want * 7);
        CHECK_INT(parse(out, (size_t)len), 0);
        CHECK_INT(red.count, want + 1);
        for (int k = 0; k < (int)red.count; k++) {
            const cf_red_block *b = &red.blocks[(int)red.count - 1 - k];
            CHECK(b->len == 3 && b->payload[0] == i - k && b->offset == k * 960);
        }
    }
}

static void test_sender_keeps_no_long_payload_and_no_old_one(void) {
    cf_red_sender sender;
    uint8_t out[1500];
    cf_red_sender_init(&sender);
    cf_red_send(&sender, 2, 111, 0, data, 10, out, sizeof out);
    CHECK_INT(cf_red_send(&sender, 2, 111, 960, data, 513, out, sizeof out), 1 + 513 + 4 + 10);
    CHECK_INT(cf_red_send(&sender, 2, 111, 1920, data, 20, out, sizeof out), 1 + 20 + 4 + 10);
    CHECK(parse(out, 35) == 0 && red.blocks[0].offset == 1920); /* the one too long left its place empty */
    CHECK_INT(cf_red_send(&sender, 2, 111, 1920 + 16384, data, 30, out, sizeof out), 1 + 30);
    CHECK_INT(cf_red_send(&sender, 3, 111, 0, data, 30, out, sizeof out), -EINVAL);
    CHECK_INT(cf_red_send(&sender, -1, 111, 0, data, 30, out, sizeof out), -EINVAL);
    CHECK_INT(cf_red_send(&sender, 1, 128, 0, data, 30, out, sizeof out), -EINVAL);
}

/* A stream with depth 2 under loss in rows of up to two: all of it comes out, each number once, in order. */
static void test_two_lost_in_a_row_are_mended(void) {
    cf_red_sender sender;
    cf_red_seen seen;
    uint8_t got[300] = {0};
    cf_red_sender_init(&sender);
    cf_red_seen_init(&seen);
    for (int i = 0; i < 300; i++) {
        uint8_t payload[2] = {(uint8_t)i, 77}, out[64];
        int len = cf_red_send(&sender, 2, 111, (uint32_t)i * 960, payload, 2, out, sizeof out);
        if (i % 7 == 3 || i % 7 == 4)
            continue;
        cf_rtp packet = {.ssrc = 7, .seq = (uint16_t)(65400 + i), .ts = (uint32_t)i * 960};
        CHECK_INT(parse(out, (size_t)len), 0);
        for (size_t k = 0; k + 1 < red.count; k++) {
            int seq = cf_red_seq(&seen, &packet, &red.blocks[k], 960);
            if (seq < 0)
                continue;
            int at = (uint16_t)(seq - 65400);
            got[at]++;
            CHECK_INT(red.blocks[k].payload[0], (uint8_t)at);
            came(&seen, seq, (int64_t)packet.ts - red.blocks[k].offset);
        }
        came(&seen, packet.seq, packet.ts);
        got[i]++;
    }
    for (int i = 0; i < 297; i++) /* what is lost at the very end has no packet after it */
        CHECK_INT(got[i], 1);
}

int main(void) {
    RUN(test_primary_alone);
    RUN(test_blocks_in_their_order);
    RUN(test_largest_values);
    RUN(test_malformed);
    RUN(test_every_prefix_of_a_packet);
    RUN(test_empty_redundant_blocks_are_left_out);
    RUN(test_of_too_many_the_oldest_are_left_out);
    RUN(test_written_and_read_again);
    RUN(test_write_leaves_out_what_does_not_fit);
    RUN(test_write_leaves_out_what_cannot_be_said);
    RUN(test_write_wrong_use);
    RUN(test_number_of_a_copy_is_none);
    RUN(test_number_of_one_lost);
    RUN(test_number_over_a_pause);
    RUN(test_number_of_several_lost);
    RUN(test_number_at_the_start);
    RUN(test_the_window_forgets);
    RUN(test_sent_payloads_come_again);
    RUN(test_sender_keeps_no_long_payload_and_no_old_one);
    RUN(test_two_lost_in_a_row_are_mended);
    free(here.block);
    return REPORT();
}

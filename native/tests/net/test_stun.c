/* stun.c, stun_write.c, hmac_sha1.c: RFC 5769's messages and their broken twins, the rules of order, and the writers.
 */
#include "conferocore/stun.h"
#include "net/hmac_sha1.h"
#include "netlib.h"
#include "testlib.h"
#include <errno.h>

#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

/* RFC 5769 sections 2.1 to 2.4. */
static const char REQUEST[] =
    "00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74"
    "00240004 6e0001ff 80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020"
    "00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf";
static const char RESPONSE4[] = "0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220"
                                "00200008 0001a147 e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7"
                                "80280004 c07d4c96";
static const char RESPONSE6[] = "01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220"
                                "00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9"
                                "00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c";
static const char LONG_TERM[] =
    "00010060 2112a442 78ad3433 c6ad72c0 29da412e 00060012 e3839ee3 8388e383 aae38383 e382afe3"
    "82b90000 0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341"
    "0014000b 6578616d 706c652e 6f726700 00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666";

static const uint8_t TXID[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static cf_stun_msg msg;
static uint8_t bytes[2048];

/* Parses at each alignment 0-3 in memory that ends with the message; views of `msg` stay valid for the last (offset 0).
 */
static int parse_bytes(const uint8_t *data, size_t len) {
    static uint8_t *kept;
    int result = 1;
    for (size_t offset = 4; offset-- > 0;) {
        placed p = place(data, len, offset);
        int got = cf_stun_parse(&msg, p.data, len);
        CHECK(result == 1 || got == result);
        result = got;
        free(kept);
        kept = p.block;
    }
    return result;
}

static int parse_hex(const char *text) {
    return parse_bytes(bytes, unhex(bytes, sizeof bytes, text));
}

/* A request of the attributes in hexadecimal, with the right length in its header. */
static int parse_attributes(const char *text) {
    size_t len = 20 + unhex(bytes + 20, sizeof bytes - 20, text);
    unhex(bytes, 20, "0001 0000 2112a442 0102030405060708090a0b0c");
    cf_put16(bytes + 2, (uint16_t)(len - 20));
    return parse_bytes(bytes, len);
}

static bool integrity_holds(void) {
    return cf_stun_check_integrity(&msg, PASSWORD, strlen(PASSWORD));
}

/* Every single flipped bit of a message must make it fail somewhere: at parsing, at a checksum, or as another message.
 */
static void check_broken_twins(const char *text, const char *key, size_t key_len, bool fingerprint) {
    uint8_t good[256];
    size_t len = unhex(good, sizeof good, text);
    for (size_t bit = 0; bit < len * 8; bit++) {
        good[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        bool passes = parse_bytes(good, len) == 0 && cf_stun_check_integrity(&msg, key, key_len) &&
                      (!fingerprint || cf_stun_check_fingerprint(&msg));
        CHECK(!passes);
        good[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    }
    for (size_t n = 0; n < len; n++)
        CHECK_INT(parse_bytes(good, n), -EBADMSG);
    good[len] = 0;
    CHECK_INT(parse_bytes(good, len + 1), -EBADMSG);
}

static void test_rfc5769_request(void) {
    CHECK_INT(parse_hex(REQUEST), 0);
    CHECK_INT(msg.type, CF_STUN_BINDING_REQUEST);
    CHECK(msg.username_len == 9 && memcmp(msg.username, "evtj:h6vY", 9) == 0);
    CHECK(msg.has_priority && msg.priority == 0x6e0001ff);
    CHECK(msg.controlled && !msg.controlling && !msg.use_candidate && msg.unknown_count == 0);
    CHECK(msg.txid[0] == 0xb7 && msg.txid[11] == 0xae);
    CHECK(cf_stun_check_fingerprint(&msg) && integrity_holds());
    CHECK(!cf_stun_check_integrity(&msg, PASSWORD, strlen(PASSWORD) - 1));
    CHECK(!cf_stun_check_integrity(&msg, "", 0));
    check_broken_twins(REQUEST, PASSWORD, strlen(PASSWORD), true);
}

static void test_rfc5769_response_ipv4(void) {
    CHECK_INT(parse_hex(RESPONSE4), 0);
    CHECK(msg.type == CF_STUN_BINDING_SUCCESS && msg.has_mapped);
    cf_addr want = {.ip = {192, 0, 2, 1}, .port = 32853, .family = 4};
    CHECK(cf_addr_equal(&msg.mapped, &want));
    CHECK(cf_stun_check_fingerprint(&msg) && integrity_holds());
    check_broken_twins(RESPONSE4, PASSWORD, strlen(PASSWORD), true);
}

static void test_rfc5769_response_ipv6(void) {
    CHECK_INT(parse_hex(RESPONSE6), 0);
    cf_addr want = {.port = 32853, .family = 6};
    unhex(want.ip, 16, "20010db8 12345678 00112233 44556677");
    CHECK(msg.has_mapped && cf_addr_equal(&msg.mapped, &want));
    CHECK(cf_stun_check_fingerprint(&msg) && integrity_holds());
    check_broken_twins(RESPONSE6, PASSWORD, strlen(PASSWORD), true);
}

/* The key is the MD5 of user, realm and password: the code over the message is the same with any kind of key. */
static void test_rfc5769_long_term(void) {
    uint8_t key[16];
    unhex(key, 16, "e8ca7ad59d5eb0518e312911d2dab2a9");
    CHECK_INT(parse_hex(LONG_TERM), 0);
    CHECK(msg.username_len == 18 && msg.unknown_count == 0);
    CHECK(msg.fingerprint_at == 0 && !cf_stun_check_fingerprint(&msg));
    CHECK(cf_stun_check_integrity(&msg, (const char *)key, sizeof key));
    check_broken_twins(LONG_TERM, (const char *)key, sizeof key, false);
}

/* RFC 2202 cases 1, 2 and 6. */
static void test_hmac_sha1(void) {
    struct {
        uint8_t key[80];
        size_t key_len;
        const char *text, *want;
    } cases[] = {{{0}, 20, "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"},
                 {"Jefe", 4, "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
                 {{0},
                  80,
                  "Test Using Larger Than Block-Size Key - Hash Key First",
                  "aa4ae5e15272d00e95705637ce8a3b55ed402112"}};
    memset(cases[0].key, 0x0b, 20);
    memset(cases[2].key, 0xaa, 80);
    for (size_t i = 0; i < 3; i++) {
        uint8_t want[20], got[20];
        cf_hmac_key key;
        unhex(want, 20, cases[i].want);
        cf_hmac_sha1_key(&key, cases[i].key, cases[i].key_len);
        for (size_t split = 0; split <= strlen(cases[i].text); split++) {
            const uint8_t *text = (const uint8_t *)cases[i].text;
            cf_hmac_sha1(&key, text, split, text + split, strlen(cases[i].text) - split, got);
            CHECK(memcmp(got, want, 20) == 0);
        }
    }
}

static void test_looks_like(void) {
    size_t len = unhex(bytes, sizeof bytes, REQUEST);
    CHECK(cf_stun_looks_like(bytes, len) && cf_stun_looks_like(bytes, 20));
    CHECK(!cf_stun_looks_like(bytes, 19) && !cf_stun_looks_like(bytes, 0));
    bytes[0] = 4; /* RFC 7983: 0-3 is STUN */
    CHECK(!cf_stun_looks_like(bytes, len));
    bytes[0] = 0;
    bytes[7] ^= 1; /* the cookie */
    CHECK(!cf_stun_looks_like(bytes, len));
}

static void test_header_only(void) {
    CHECK_INT(parse_attributes(""), 0);
    CHECK(!msg.username && !msg.integrity_at && !msg.fingerprint_at && !msg.has_mapped && !msg.has_priority);
    CHECK(!cf_stun_check_integrity(&msg, PASSWORD, strlen(PASSWORD)));
    CHECK_INT(parse_hex("0011 0000 2112a442 0102030405060708090a0b0c"), 0);
    CHECK_INT(msg.type, CF_STUN_BINDING_INDICATION);
}

static void test_length_field(void) {
    CHECK_INT(parse_hex("0001 0004 2112a442 0102030405060708090a0b0c"), -EBADMSG);
    CHECK_INT(parse_hex("0001 0000 2112a442 0102030405060708090a0b0c 80220000"), -EBADMSG);
    CHECK_INT(parse_hex("0001 0002 2112a442 0102030405060708090a0b0c 8022"), -EBADMSG);
    CHECK_INT(parse_hex("0001 ffff 2112a442 0102030405060708090a0b0c"), -EBADMSG);
}

static void test_attribute_lengths(void) {
    CHECK_INT(parse_attributes("80220001 61000000"), 0);
    CHECK_INT(parse_attributes("80220005 61626364"), -EBADMSG); /* runs over the end */
    CHECK_INT(parse_attributes("8022ffff 61626364"), -EBADMSG);
    CHECK_INT(parse_attributes("80220004"), -EBADMSG);
    CHECK_INT(parse_attributes("00060000"), -EBADMSG);          /* an empty USERNAME */
    CHECK_INT(parse_attributes("00240003 01020300"), -EBADMSG); /* PRIORITY */
    CHECK_INT(parse_attributes("00250001 00000000"), -EBADMSG); /* USE-CANDIDATE */
    CHECK_INT(parse_attributes("802a0004 00000000"), -EBADMSG); /* ICE-CONTROLLING */
    CHECK_INT(parse_attributes("80290004 00000000"), -EBADMSG); /* ICE-CONTROLLED */
    CHECK_INT(parse_attributes("00080010 00000000 00000000 00000000 00000000"), -EBADMSG);
    CHECK_INT(parse_attributes("80280008 00000000 00000000"), -EBADMSG);
    CHECK_INT(parse_attributes("00250000"), 0);
    CHECK(msg.use_candidate);
}

static void test_username_bound(void) {
    char text[2048];
    memset(text, '6', sizeof text);
    memcpy(text, "000601fc", 8); /* 508 bytes: the longest */
    text[8 + 2 * 508] = 0;
    CHECK_INT(parse_attributes(text), 0);
    CHECK_INT(msg.username_len, 508);
    memset(text, '6', sizeof text);
    memcpy(text, "00060200", 8);
    text[8 + 2 * 512] = 0;
    CHECK_INT(parse_attributes(text), -EBADMSG);
}

static void test_message_bound(void) {
    memset(bytes, 0, sizeof bytes);
    unhex(bytes, 20, "0001 0000 2112a442 0102030405060708090a0b0c");
    cf_put16(bytes + 2, CF_STUN_MAX - 20);
    for (size_t at = 20; at < CF_STUN_MAX; at += 4) /* many empty attributes */
        cf_put16(bytes + at, 0x8022);
    CHECK_INT(parse_bytes(bytes, CF_STUN_MAX), 0);
    cf_put16(bytes + CF_STUN_MAX, 0x8022);
    cf_put16(bytes + 2, CF_STUN_MAX + 4 - 20);
    CHECK_INT(parse_bytes(bytes, CF_STUN_MAX + 4), -EBADMSG);
}

static void test_first_of_duplicates_counts(void) {
    CHECK_INT(parse_attributes("00240004 00000001 00240004 00000002 00060001 61000000 00060001 62000000"), 0);
    CHECK(msg.priority == 1 && msg.username_len == 1 && msg.username[0] == 'a');
    CHECK_INT(parse_attributes("00240004 00000001 00240002 00000000"), 0); /* the second is not even looked at */
}

static const char INTEGRITY[] = "00080014 00000000 00000000 00000000 00000000 00000000";

/* RFC 8489 section 14.5: what follows MESSAGE-INTEGRITY is not protected by it. */
static void test_attributes_after_integrity_are_ignored(void) {
    char text[256];
    snprintf(text, sizeof text, "00240004 00000007 %s 00250000 00060001 61000000 7fff0000 %s 80280004 00000000",
             INTEGRITY, INTEGRITY);
    CHECK_INT(parse_attributes(text), 0);
    CHECK(msg.integrity_at == 28 && msg.fingerprint_at != 0);
    CHECK(!msg.use_candidate && !msg.username && msg.unknown_count == 0);
}

/* RFC 8489 section 14.7: FINGERPRINT is the last attribute. */
static void test_nothing_may_follow_fingerprint(void) {
    CHECK_INT(parse_attributes("80280004 00000000"), 0);
    CHECK_INT(parse_attributes("80280004 00000000 80220000"), -EBADMSG);
    CHECK_INT(parse_attributes("80280004 00000000 80280004 00000000"), -EBADMSG);
    char text[128];
    snprintf(text, sizeof text, "80280004 00000000 %s", INTEGRITY);
    CHECK_INT(parse_attributes(text), -EBADMSG);
}

static void test_unknown_required_attributes(void) {
    CHECK_INT(parse_attributes("7ffe0000 c0570004 00000001 7fff0000 7ffe0000"), 0);
    CHECK(msg.unknown_count == 2 && msg.unknown[0] == 0x7ffe && msg.unknown[1] == 0x7fff);
    CHECK_INT(parse_attributes("71000000 71010000 71020000 71030000 71040000 71050000 71060000 71070000 71080000"), 0);
    CHECK_INT(msg.unknown_count, CF_STUN_UNKNOWN_MAX);
    CHECK_INT(msg.unknown[7], 0x7107);
}

static void test_mapped_address_forms(void) {
    CHECK_INT(parse_attributes("00200008 0003a147 e112a643"), -EBADMSG); /* no such family */
    CHECK_INT(parse_attributes("00200008 0002a147 e112a643"), -EBADMSG); /* IPv6 in four bytes */
    CHECK_INT(parse_attributes("00200014 0001a147 00000000 00000000 00000000 00000000"), -EBADMSG);
}

static void test_error_code_forms(void) {
    CHECK_INT(parse_attributes("00090004 00000414"), 0);
    CHECK_INT(msg.error_code, 420);
    CHECK_INT(parse_attributes("00090004 00000200"), -EBADMSG); /* class 2 */
    CHECK_INT(parse_attributes("00090004 00000700"), -EBADMSG);
    CHECK_INT(parse_attributes("00090004 00000464"), -EBADMSG); /* number 100 */
    CHECK_INT(parse_attributes("00090003 00000000"), -EBADMSG);
}

static void test_write_request(void) {
    uint8_t out[256];
    int len =
        cf_stun_write_request(out, sizeof out, TXID, "abcd:efgh", PASSWORD, 0x6e7f1eff, true, 0x0102030405060708, true);
    CHECK(len > 0);
    CHECK_INT(parse_bytes(out, (size_t)len), 0);
    CHECK(msg.type == CF_STUN_BINDING_REQUEST && memcmp(msg.txid, TXID, 12) == 0);
    CHECK(msg.username_len == 9 && memcmp(msg.username, "abcd:efgh", 9) == 0);
    CHECK(msg.priority == 0x6e7f1eff && msg.controlling && !msg.controlled && msg.use_candidate);
    CHECK(integrity_holds() && cf_stun_check_fingerprint(&msg));
    len = cf_stun_write_request(out, sizeof out, TXID, "a:b", PASSWORD, 1, false, 0, false);
    CHECK_INT(parse_bytes(out, (size_t)len), 0);
    CHECK(msg.controlled && !msg.controlling && !msg.use_candidate);
}

static void test_write_success(void) {
    cf_addr addrs[] = {{.ip = {203, 0, 113, 9}, .port = 54321, .family = 4},
                       {.ip = {0x20, 1, 0xd, 0xb8, [15] = 7}, .port = 1, .family = 6}};
    for (size_t i = 0; i < 2; i++) {
        uint8_t out[128];
        int len = cf_stun_write_success(out, sizeof out, TXID, &addrs[i], PASSWORD);
        CHECK_INT(parse_bytes(out, (size_t)len), 0);
        CHECK(msg.type == CF_STUN_BINDING_SUCCESS && msg.has_mapped && cf_addr_equal(&msg.mapped, &addrs[i]));
        CHECK(integrity_holds() && cf_stun_check_fingerprint(&msg));
    }
}

static void test_write_error(void) {
    uint8_t out[128];
    const uint16_t unknown[] = {0x7ffe, 0x7fff, 0x7001};
    int len = cf_stun_write_error(out, sizeof out, TXID, 420, unknown, 3, PASSWORD);
    CHECK_INT(parse_bytes(out, (size_t)len), 0);
    CHECK(msg.type == CF_STUN_BINDING_ERROR && msg.error_code == 420 && msg.unknown_count == 0);
    CHECK(integrity_holds() && cf_stun_check_fingerprint(&msg));
    uint8_t want[12];
    unhex(want, sizeof want, "000a0006 7ffe7fff 70010000");
    CHECK(memcmp(out + 20 + 4 + 4 + 20, want, sizeof want) == 0); /* behind ERROR-CODE with "Unknown Attribute" */
    len = cf_stun_write_error(out, sizeof out, TXID, 401, NULL, 0, NULL);
    CHECK_INT(parse_bytes(out, (size_t)len), 0);
    CHECK(msg.error_code == 401 && !msg.integrity_at && cf_stun_check_fingerprint(&msg));
}

/* Every capacity below the length is refused, and nothing is written behind it. */
static void test_write_needs_room(void) {
    uint8_t out[256];
    cf_addr addr = {.ip = {1, 2, 3, 4}, .port = 5, .family = 4};
    int lens[3] = {cf_stun_write_request(out, sizeof out, TXID, "abcd:efgh", PASSWORD, 1, true, 2, true),
                   cf_stun_write_success(out, sizeof out, TXID, &addr, PASSWORD),
                   cf_stun_write_error(out, sizeof out, TXID, 400, NULL, 0, PASSWORD)};
    for (int kind = 0; kind < 3; kind++)
        for (size_t cap = 0; cap <= (size_t)lens[kind]; cap++) {
            placed p = place(out, cap, 1);
            int got = kind == 0   ? cf_stun_write_request(p.data, cap, TXID, "abcd:efgh", PASSWORD, 1, true, 2, true)
                      : kind == 1 ? cf_stun_write_success(p.data, cap, TXID, &addr, PASSWORD)
                                  : cf_stun_write_error(p.data, cap, TXID, 400, NULL, 0, PASSWORD);
            CHECK_INT(got, cap < (size_t)lens[kind] ? -ENOSPC : lens[kind]);
            free(p.block);
        }
}

/* Random bytes behind a right header: a result, nothing else. */
static void test_garbage(void) {
    cf_rng rng;
    cf_rng_seed(&rng, 5);
    for (int round = 0; round < 20000; round++) {
        size_t len = 20 + 4 * (cf_rng_u32(&rng) % 40);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)cf_rng_u32(&rng) & (i % 4 < 2 ? 0x2f : 0xff);
        unhex(bytes, 20, "0001 0000 2112a442 0102030405060708090a0b0c");
        cf_put16(bytes + 2, (uint16_t)(len - 20));
        placed p = place(bytes, len, (size_t)round % 4);
        int got = cf_stun_parse(&msg, p.data, len);
        CHECK(got == 0 || got == -EBADMSG);
        if (got == 0)
            CHECK(!cf_stun_check_integrity(&msg, PASSWORD, strlen(PASSWORD)));
        free(p.block);
    }
}

int main(void) {
    RUN(test_rfc5769_request);
    RUN(test_rfc5769_response_ipv4);
    RUN(test_rfc5769_response_ipv6);
    RUN(test_rfc5769_long_term);
    RUN(test_hmac_sha1);
    RUN(test_looks_like);
    RUN(test_header_only);
    RUN(test_length_field);
    RUN(test_attribute_lengths);
    RUN(test_username_bound);
    RUN(test_message_bound);
    RUN(test_first_of_duplicates_counts);
    RUN(test_attributes_after_integrity_are_ignored);
    RUN(test_nothing_may_follow_fingerprint);
    RUN(test_unknown_required_attributes);
    RUN(test_mapped_address_forms);
    RUN(test_error_code_forms);
    RUN(test_write_request);
    RUN(test_write_success);
    RUN(test_write_error);
    RUN(test_write_needs_room);
    RUN(test_garbage);
    return REPORT();
}

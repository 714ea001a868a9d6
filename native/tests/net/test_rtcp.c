/* rtcp.c, rtcp_write.c: what is handed out, what is refused as a whole, and the figures of a report block. */
#include "conferocore/rtcp.h"
#include "netlib.h"
#include "testlib.h"
#include <errno.h>
#include <stdarg.h>

/* The visits as one line of text, so that a test reads as the trace of a compound. */
static char trace[4096];

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...) {
    size_t at = strlen(trace);
    va_list args;
    va_start(args, format);
    vsnprintf(trace + at, sizeof trace - at, format, args);
    va_end(args);
}

static void on_sr(void *arg, const cf_rtcp_sr *sr) {
    CHECK(arg == trace);
    note("sr %x ntp=%llx ts=%x %u/%u; ", sr->ssrc, (unsigned long long)sr->ntp, sr->rtp_ts, sr->packets, sr->octets);
}
static void on_report(void *arg, uint32_t sender, const cf_rtcp_report *b) {
    CHECK(arg == trace);
    note("report %x on %x %u %d %x %u %x %x; ", sender, b->ssrc, b->fraction_lost, b->lost, b->highest_seq, b->jitter,
         b->lsr, b->dlsr);
}
static void on_cname(void *arg, uint32_t ssrc, const uint8_t *text, size_t len) {
    CHECK(arg == trace);
    note("cname %x %.*s; ", ssrc, (int)len, (const char *)text);
}
static void on_bye(void *arg, uint32_t ssrc) {
    CHECK(arg == trace);
    note("bye %x; ", ssrc);
}
static void on_feedback(void *arg, uint8_t pt, uint8_t fmt, uint32_t sender, uint32_t media, const uint8_t *fci,
                        size_t len) {
    CHECK(arg == trace);
    note("fb %u/%u %x %x +%zu", pt, fmt, sender, media, len);
    for (size_t i = 0; i < len; i++)
        note(" %02x", fci[i]);
    note("; ");
}

static const cf_rtcp_visitor VISITOR = {trace, on_sr, on_report, on_cname, on_bye, on_feedback};

/* Parses at each alignment, with memory that ends with the packet; results and traces must agree. */
static int parse_bytes(const uint8_t *data, size_t len) {
    char first[sizeof trace];
    int result = 1;
    for (size_t offset = 0; offset < 4; offset++) {
        placed p = place(data, len, offset);
        trace[0] = 0;
        int got = cf_rtcp_parse(p.data, len, &VISITOR);
        free(p.block);
        CHECK(offset == 0 || (got == result && strcmp(first, trace) == 0));
        result = got;
        strcpy(first, trace);
    }
    CHECK(result == 0 || trace[0] == 0); /* nothing is handed out of what is refused */
    return result;
}

static int parse_hex(const char *text) {
    uint8_t bytes[1024];
    return parse_bytes(bytes, unhex(bytes, sizeof bytes, text));
}

static void expect(const char *text, const char *want) {
    CHECK_INT(parse_hex(text), 0);
    if (strcmp(trace, want) != 0) {
        fprintf(stderr, "got:  %s\nwant: %s\n", trace, want);
        CHECK(!"the trace");
    }
}

static void refuse(const char *text) {
    CHECK_INT(parse_hex(text), -EBADMSG);
}

#define SR "80c80006 0000000a 01020304 05060708 090a0b0c 00000001 00000002 "
#define RR0 "80c90001 0000000a "
#define BLOCK "000000bb 40fffffe 00010005 00000007 11223344 55667788 "
#define SDES "81ca0003 0000000a 01036162 63000000 "
#define BYE "81cb0001 0000000a "

static void test_sender_report(void) {
    expect(SR, "sr a ntp=102030405060708 ts=90a0b0c 1/2; ");
    expect("81c8000c 0000000a 01020304 05060708 090a0b0c 00000001 00000002 " BLOCK,
           "sr a ntp=102030405060708 ts=90a0b0c 1/2; report a on bb 64 -2 10005 7 11223344 55667788; ");
}

static void test_receiver_report(void) {
    expect(RR0, "");
    expect("81c90007 0000000a " BLOCK, "report a on bb 64 -2 10005 7 11223344 55667788; ");
    expect("82c9000d 0000000a " BLOCK "000000cc 007fffff 00000001 00000000 00000000 00000000",
           "report a on bb 64 -2 10005 7 11223344 55667788; report a on cc 0 8388607 1 0 0 0; ");
    expect("80c90002 0000000a deadbeef", ""); /* a profile's extension */
}

static void test_source_description(void) {
    expect(RR0 SDES, "cname a abc; ");
    /* two chunks; NAME is passed over; a zero and padding end each */
    expect("82ca0007 0000000a 02024142 01016100 0000000b 01046162 63640000 00000000" BYE,
           "cname a a; cname b abcd; bye a; ");
    expect("80ca0000", "");
    expect("81ca0002 0000000a 00000000", ""); /* a chunk without items */
    expect("81ca0003 0000000a 01056162 63646500", "cname a abcde; ");
    expect("81ca0002 0000000a 01026162", "cname a ab; "); /* the zero left out, as some do */
    expect("81ca0001 0000000a", "");
}

static void test_bye(void) {
    expect(BYE, "bye a; ");
    expect("82cb0002 0000000a 0000000b", "bye a; bye b; ");
    expect("81cb0003 0000000a 05626f72 65640000", "bye a; "); /* with a reason */
    expect("80cb0000", "");
}

static void test_feedback(void) {
    expect("81ce0002 0000000a 0000000b", "fb 206/1 a b +0; ");                      /* PLI */
    expect("81cd0003 0000000a 0000000b 00640001", "fb 205/1 a b +4 00 64 00 01; "); /* NACK */
    expect("8fce0005 0000000a 00000000 52454d42 010c8000 0000000b",                 /* REMB */
           "fb 206/15 a 0 +12 52 45 4d 42 01 0c 80 00 00 00 00 0b; ");
}

static void test_compound_in_order(void) {
    expect(SR SDES BYE, "sr a ntp=102030405060708 ts=90a0b0c 1/2; cname a abc; bye a; ");
    expect(RR0 "80cc0002 0000000a 6e616d65 80cf0001 0000000a 80c00000" BYE, "bye a; "); /* APP, XR, unknown */
}

static void test_padding(void) {
    expect("a0c90002 0000000a 00000004", "");
    expect(RR0 "a1cb0003 0000000a 00000000 00000008", "bye a; ");
    refuse("a0c90002 0000000a 00000000");     /* a count of 0 */
    refuse("a0c90002 0000000a 00000003");     /* not whole words */
    refuse("a0c90002 0000000a 0000000c");     /* reaches into the header */
    refuse("a0c90002 0000000a 00000008");     /* leaves no SSRC */
    refuse("a0c90002 0000000a 00000004" BYE); /* only the last may have it (A.2) */
    refuse("a0c00000");                       /* no room for a count */
    expect("a0c00001 00000004", "");
}

static void test_lengths(void) {
    refuse("");
    refuse("80c900");
    refuse("80c90001 000000");
    refuse("80c90002 0000000a");
    refuse("80c9ffff 0000000a");
    refuse(RR0 "80");
    refuse(RR0 "80c90001");
    refuse("81c90006 0000000a 000000bb 40fffffe 00010005 00000007 11223344"); /* RC says one, there is less */
    refuse("9fc90001 0000000a");
    refuse("80c80005 0000000a 01020304 05060708 090a0b0c 00000001"); /* a short SR */
    refuse("81c80006 0000000a 01020304 05060708 090a0b0c 00000001 00000002");
    refuse("80c90000"); /* an RR without its SSRC */
    refuse("81cb0000");
    refuse("9fcb0001 0000000a");
    refuse("81cd0001 0000000a");
    refuse("81ce0000");
}

static void test_source_description_broken(void) {
    refuse("81ca0000");
    refuse("81ca0002 0000000a 01030304");                   /* runs over the end by one */
    refuse("81ca0002 0000000a 01ff6162");                   /* runs over the end */
    refuse("81ca0002 0000000a 02006101");                   /* a type without length */
    refuse("82ca0003 0000000a 01036162 63000000");          /* one chunk of two */
    refuse("83ca0004 0000000a 01036162 63000000 0000000b"); /* two of three */
}

/* The first parts are right, the last is not: nobody hears of the first. */
static void test_nothing_of_a_broken_compound(void) {
    refuse(SR SDES "81cb0000");
    refuse(SR SDES "41cb0001 0000000a");
    refuse(SR SDES "81bf0001 0000000a"); /* types below 192 and above 223 are not RTCP */
    refuse(SR SDES "81e00001 0000000a");
}

static void test_no_handlers(void) {
    uint8_t bytes[256];
    cf_rtcp_visitor nobody = {0};
    size_t len = unhex(bytes, sizeof bytes, SR SDES BYE "81ce0002 0000000a 0000000b");
    CHECK_INT(cf_rtcp_parse(bytes, len, &nobody), 0);
}

static void test_every_prefix(void) {
    uint8_t bytes[256];
    size_t len = unhex(bytes, sizeof bytes, SR SDES BYE "81cd0003 0000000a 0000000b 00640001");
    for (size_t n = 0; n < len; n++) {
        bool whole = n == 28 || n == 44 || n == 52;
        CHECK_INT(parse_bytes(bytes, n), whole ? 0 : -EBADMSG);
    }
    CHECK_INT(parse_bytes(bytes, len), 0);
}

static void test_write_and_read_back(void) {
    uint8_t out[256];
    size_t at = 0;
    cf_rtcp_sr sr = {.ssrc = 10, .ntp = 0x0102030405060708, .rtp_ts = 9, .packets = 1, .octets = 2};
    cf_rtcp_report blocks[2] = {{0xbb, 64, -2, 0x10005, 7, 0x11223344, 0x55667788}, {0xcc, 255, 8388607, 1, 0, 0, 0}};
    CHECK_INT(cf_rtcp_write_sr(out, sizeof out, &at, &sr, blocks, 2), 0);
    CHECK_INT(cf_rtcp_write_cname(out, sizeof out, &at, 10, "user@example"), 0);
    CHECK_INT(cf_rtcp_write_rr(out, sizeof out, &at, 11, blocks, 1), 0);
    CHECK_INT(cf_rtcp_write_bye(out, sizeof out, &at, 10), 0);
    CHECK_INT(at, 76 + 24 + 32 + 8);
    CHECK_INT(parse_bytes(out, at), 0);
    CHECK(strcmp(trace, "sr a ntp=102030405060708 ts=9 1/2; report a on bb 64 -2 10005 7 11223344 55667788; "
                        "report a on cc 255 8388607 1 0 0 0; cname a user@example; "
                        "report b on bb 64 -2 10005 7 11223344 55667788; bye a; ") == 0);
}

/* Each length of a name, so each amount of padding; the longest is 255 bytes. */
static void test_write_cname_lengths(void) {
    uint8_t out[300];
    char name[257], want[300];
    for (size_t len = 0; len <= 256; len++) {
        size_t at = 0;
        memset(name, 'n', len);
        name[len] = 0;
        if (len == 256) {
            CHECK_INT(cf_rtcp_write_cname(out, sizeof out, &at, 10, name), -EINVAL);
            CHECK_INT(at, 0);
            break;
        }
        CHECK_INT(cf_rtcp_write_cname(out, sizeof out, &at, 10, name), 0);
        CHECK(at % 4 == 0 && at > 10 + len && at <= 10 + len + 4);
        CHECK_INT(parse_bytes(out, at), 0);
        snprintf(want, sizeof want, "cname a %s; ", name);
        CHECK(strcmp(trace, want) == 0);
    }
}

static void test_write_needs_room(void) {
    cf_rtcp_report block = {.ssrc = 1}, many[32] = {{0}};
    cf_rtcp_sr sr = {.ssrc = 2};
    for (size_t cap = 0; cap < 60; cap++) {
        placed p = place((const uint8_t[60]){0}, cap, 1);
        size_t at[4] = {0};
        CHECK_INT(cf_rtcp_write_sr(p.data, cap, &at[0], &sr, &block, 1), cap < 52 ? -ENOSPC : 0);
        CHECK_INT(cf_rtcp_write_rr(p.data, cap, &at[1], 2, &block, 1), cap < 32 ? -ENOSPC : 0);
        CHECK_INT(cf_rtcp_write_cname(p.data, cap, &at[2], 2, "abc"), cap < 16 ? -ENOSPC : 0);
        CHECK_INT(cf_rtcp_write_bye(p.data, cap, &at[3], 2), cap < 8 ? -ENOSPC : 0);
        for (size_t i = 0; i < 4; i++)
            CHECK(at[i] <= cap && (at[i] > 0) == (cap >= (size_t[]){52, 32, 16, 8}[i]));
        free(p.block);
    }
    uint8_t out[2048];
    size_t at = 0, beyond = sizeof out + 4;
    CHECK_INT(cf_rtcp_write_rr(out, sizeof out, &at, 2, many, 31), 0);
    CHECK_INT(cf_rtcp_write_rr(out, sizeof out, &at, 2, many, 32), -EINVAL);
    CHECK_INT(cf_rtcp_write_sr(out, sizeof out, &at, &sr, many, 32), -EINVAL);
    CHECK_INT(cf_rtcp_write_bye(out, sizeof out, &beyond, 2), -ENOSPC);
}

/* RFC 3550 A.3: the fraction is of the interval alone, the loss of the whole time. */
static void test_report_of_a_source(void) {
    cf_rtp_source s;
    cf_rtcp_report block;
    cf_rtp_source_init(&s, 9, 1000);
    for (uint32_t i = 0; i < 256; i++)
        if (i % 4 != 1)
            cf_rtp_source_update(&s, (uint16_t)(1000 + i), i * 160, i * 160);
    cf_rtcp_fill_report(&block, &s, 0x1234, 0x5678);
    CHECK(block.ssrc == 9 && block.fraction_lost == 64 && block.lost == 64 && block.highest_seq == 1255);
    CHECK(block.jitter == 0 && block.lsr == 0x1234 && block.dlsr == 0x5678 && s.fraction_lost == 64);
    for (uint32_t i = 256; i < 356; i++)
        cf_rtp_source_update(&s, (uint16_t)(1000 + i), i * 160, i * 160);
    cf_rtcp_fill_report(&block, &s, 0, 0);
    CHECK(block.fraction_lost == 0 && block.lost == 64); /* nothing lost since */
    cf_rtcp_fill_report(&block, &s, 0, 0);
    CHECK(block.fraction_lost == 0 && block.lost == 64); /* nothing came since */
    cf_rtp_source_update(&s, (uint16_t)(1000 + 355 + 2999), 0, 0);
    cf_rtcp_fill_report(&block, &s, 0, 0);
    CHECK_INT(block.fraction_lost, 255); /* 2998 of 2999 */
    CHECK_INT(block.lost, 64 + 2998);
}

/* A caller that counts received packets in another way may have none in an interval: all is lost, not nothing. */
static void test_report_of_an_interval_without_packets(void) {
    cf_rtp_source s;
    cf_rtcp_report block;
    cf_rtp_source_init(&s, 9, 1);
    cf_rtp_source_update(&s, 1, 0, 0);
    cf_rtcp_fill_report(&block, &s, 0, 0);
    s.max_seq += 5;
    cf_rtcp_fill_report(&block, &s, 0, 0);
    CHECK(block.fraction_lost == 255 && block.lost == 5);
}

static void test_report_with_duplicates(void) {
    cf_rtp_source s;
    cf_rtcp_report block;
    cf_rtp_source_init(&s, 9, 1);
    for (uint32_t i = 0; i < 20; i++)
        cf_rtp_source_update(&s, (uint16_t)(1 + i / 2), 0, 0);
    cf_rtcp_fill_report(&block, &s, 0, 0);
    CHECK(block.fraction_lost == 0 && block.lost == -10);
}

int main(void) {
    RUN(test_sender_report);
    RUN(test_receiver_report);
    RUN(test_source_description);
    RUN(test_bye);
    RUN(test_feedback);
    RUN(test_compound_in_order);
    RUN(test_padding);
    RUN(test_lengths);
    RUN(test_source_description_broken);
    RUN(test_nothing_of_a_broken_compound);
    RUN(test_no_handlers);
    RUN(test_every_prefix);
    RUN(test_write_and_read_back);
    RUN(test_write_cname_lengths);
    RUN(test_write_needs_room);
    RUN(test_report_of_a_source);
    RUN(test_report_of_an_interval_without_packets);
    RUN(test_report_with_duplicates);
    return REPORT();
}

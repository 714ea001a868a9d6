/* srtp.c, srtcp.c, srtp_state.c: round trips, forgeries, replays, roll-overs under loss, and the bounded table of
 * SSRCs. */
#include "net/srtp_state.h"
#include "srtplib.h"
#include "testlib.h"
#include <errno.h>

static cf_srtp *out, *in;
static int profile;
static uint8_t pkt[ROOM], sealed[ROOM];

static void open_pair(void) {
    out = new_srtp(profile, 1);
    in = new_srtp(profile, 1);
    CHECK(out && in);
}

static void close_pair(void) {
    cf_srtp_free(out);
    cf_srtp_free(in);
}

/* Protects the packet of an index into `sealed`; returns the length. */
static int seal_index(uint32_t ssrc, uint32_t index) {
    size_t len = make_rtp(sealed, ssrc, index);
    return cf_srtp_protect(out, sealed, len, sizeof sealed);
}

/* Unprotects a copy of `sealed`; checks the plain text against the index. */
static int open_index(int len, uint32_t ssrc, uint32_t index) {
    uint8_t copy[ROOM];
    memcpy(copy, sealed, sizeof copy);
    int n = cf_srtp_unprotect(in, copy, (size_t)len);
    if (n >= 0)
        CHECK((size_t)n == make_rtp(pkt, ssrc, index) && memcmp(copy, pkt, (size_t)n) == 0);
    return n;
}

static int send_index(uint32_t ssrc, uint32_t index) {
    int len = seal_index(ssrc, index);
    return len < 0 ? len : open_index(len, ssrc, index);
}

static void round_trip(const char *text, size_t clear, int (*protect)(cf_srtp *, uint8_t *, size_t, size_t),
                       int (*unprotect)(cf_srtp *, uint8_t *, size_t), size_t overhead) {
    uint8_t plain[ROOM];
    size_t len = unhex(plain, sizeof plain, text);
    for (size_t offset = 0; offset < 4; offset++) {
        open_pair();
        placed p = place(plain, len + overhead, offset);
        for (size_t cap = 0; cap < len + overhead; cap++)
            CHECK_INT(protect(out, p.data, len, cap), -ENOSPC);
        CHECK_INT(protect(out, p.data, len, len + overhead), len + overhead);
        CHECK(memcmp(p.data, plain, clear) == 0);
        CHECK(len - clear < 4 || memcmp(p.data + clear, plain + clear, len - clear) != 0);
        CHECK_INT(unprotect(in, p.data, len + overhead), len);
        CHECK(memcmp(p.data, plain, len) == 0);
        free(p.block);
        close_pair();
    }
}

static void test_round_trips(void) {
    size_t tag = tag_len_of(profile), rtcp_tag = rtcp_tag_len_of(profile);
    round_trip("8000 0001 00000002 00000003 0102030405060708", 12, cf_srtp_protect, cf_srtp_unprotect, tag);
    round_trip("8000 0001 00000002 00000003", 12, cf_srtp_protect, cf_srtp_unprotect, tag); /* no payload */
    round_trip("a200 ffff 00000002 00000003 11111111 22222222 0102030400000004", 20, cf_srtp_protect, cf_srtp_unprotect,
               tag);
    round_trip("9100 0001 00000002 00000003 11111111 bede0002 10aa21bb cc000000 0102030405", 28, cf_srtp_protect,
               cf_srtp_unprotect, tag);
    round_trip("80c90001 00000003", 8, cf_srtcp_protect, cf_srtcp_unprotect, rtcp_tag + 4);
    round_trip("80c80006 00000003 01020304 05060708 090a0b0c 00000001 00000002", 8, cf_srtcp_protect,
               cf_srtcp_unprotect, rtcp_tag + 4);
}

/* Neither sealed nor, with and without room for a trailer, opened; in memory that ends with the packet. */
static void refuse(const char *text, int (*protect)(cf_srtp *, uint8_t *, size_t, size_t),
                   int (*unprotect)(cf_srtp *, uint8_t *, size_t), size_t overhead) {
    uint8_t bytes[ROOM] = {0};
    size_t len = unhex(bytes, sizeof bytes, text);
    placed exact = place(bytes, len, 1), longer = place(bytes, len + overhead, 1);
    CHECK_INT(protect(out, exact.data, len, len), -EBADMSG);
    CHECK_INT(unprotect(in, exact.data, len), -EBADMSG);
    CHECK_INT(unprotect(in, longer.data, len + overhead), -EBADMSG);
    free(exact.block);
    free(longer.block);
}

static void test_not_rtp(void) {
    const char *texts[] = {"",
                           "80",
                           "8000 0001 00000002 000000",
                           "4000 0001 00000002 00000003 01",
                           "8f00 0001 00000002 00000003 01",
                           "9000 0001 00000002 00000003 bede",
                           "9000 0001 00000002 00000003 bede0001 0102",
                           "9000 0001 00000002 00000003 bedeffff"};
    const char *rtcp[] = {"", "80c90001 000000", "40c90001 00000003"};
    open_pair();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refuse(texts[i], cf_srtp_protect, cf_srtp_unprotect, tag_len_of(profile));
    for (size_t i = 0; i < sizeof rtcp / sizeof rtcp[0]; i++)
        refuse(rtcp[i], cf_srtcp_protect, cf_srtcp_unprotect, rtcp_tag_len_of(profile) + 4);
    CHECK(out->count == 0 && in->count == 0);
    close_pair();
}

/* Every flipped bit and every cut: refused, the packet as it was, no state made. Then the good one passes. */
static void forge(int len, int (*unprotect)(cf_srtp *, uint8_t *, size_t)) {
    uint8_t copy[ROOM], bad[ROOM];
    for (int bit = 0; bit < len * 8; bit++) {
        memcpy(bad, sealed, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        memcpy(copy, bad, sizeof copy);
        int got = unprotect(in, copy, (size_t)len);
        CHECK(got == -EKEYREJECTED || got == -EBADMSG);
        CHECK(memcmp(copy, bad, sizeof copy) == 0);
    }
    for (int n = 0; n < len; n++) {
        memcpy(copy, sealed, sizeof copy);
        int got = unprotect(in, copy, (size_t)n);
        CHECK(got == -EKEYREJECTED || got == -EBADMSG);
        CHECK(memcmp(copy, sealed, sizeof copy) == 0);
    }
    CHECK_INT(in->count, 0);
    CHECK(unprotect(in, sealed, (size_t)len) > 0);
    CHECK_INT(in->count, 1);
}

/* The same bytes as if the packet had been put together first, and the payload is left alone. */
static void test_payload_from_elsewhere(void) {
    uint8_t plain[ROOM], kept[ROOM], elsewhere[ROOM];
    for (uint32_t n = 0; n < 120; n++) {
        open_pair();
        size_t len = 12 + n;
        make_rtp(plain, 7, n);
        for (size_t i = 12; i < len; i++)
            plain[i] = (uint8_t)(31 * i + n);
        memcpy(sealed, plain, len);
        int whole = cf_srtp_protect(out, sealed, len, sizeof sealed);
        placed payload = place(plain + 12, n, 0);
        placed p = place(plain, 12 + n + tag_len_of(profile), 0);
        memset(p.data + 12, 0xee, n);
        CHECK_INT(cf_srtp_protect_from(in, p.data, 12, payload.data, n, len + tag_len_of(profile) - 1), -ENOSPC);
        CHECK_INT(cf_srtp_protect_from(in, p.data, 12, payload.data, n, len + tag_len_of(profile)), whole);
        CHECK(memcmp(p.data, sealed, (size_t)whole) == 0 && memcmp(payload.data, plain + 12, n) == 0);
        free(p.block);
        free(payload.block);
        close_pair();
    }
    open_pair();
    memcpy(kept, plain, sizeof kept);
    memset(elsewhere, 0, sizeof elsewhere);
    CHECK_INT(cf_srtp_protect_from(out, plain, 11, elsewhere, 8, ROOM), -EBADMSG);
    CHECK_INT(cf_srtp_protect_from(out, plain, 16, elsewhere, 8, ROOM), -EBADMSG); /* the header says 12 */
    CHECK_INT(cf_srtp_protect_from(out, plain, 12, elsewhere, 65524, 1 << 20), -EBADMSG);
    CHECK(memcmp(kept, plain, sizeof kept) == 0);
    close_pair();
}

static void test_forgeries(void) {
    open_pair();
    forge(seal_index(7, 1000), cf_srtp_unprotect);
    close_pair();
    open_pair();
    size_t len = make_rtcp(sealed, 7);
    forge(cf_srtcp_protect(out, sealed, len, sizeof sealed), cf_srtcp_unprotect);
    close_pair();
}

static void test_other_key_is_refused(void) {
    open_pair();
    cf_srtp_free(in);
    in = new_srtp(profile, 2);
    CHECK_INT(send_index(7, 1), -EKEYREJECTED);
    CHECK_INT(in->count, 0);
    close_pair();
}

/* RTP and RTCP have different keys: one is never taken for the other. */
static void test_rtp_is_not_rtcp(void) {
    open_pair();
    int len = seal_index(7, 1);
    CHECK_INT(cf_srtcp_unprotect(in, sealed, (size_t)len), -EKEYREJECTED);
    size_t plain = make_rtcp(sealed, 7);
    len = cf_srtcp_protect(out, sealed, plain, sizeof sealed);
    CHECK_INT(cf_srtp_unprotect(in, sealed, (size_t)len), -EKEYREJECTED);
    close_pair();
}

static void test_outbound_refuses_what_it_has_sent(void) {
    open_pair();
    for (uint32_t i = 0; i < 300; i++)
        CHECK(seal_index(7, i) > 0);
    for (uint32_t i = 0; i < 300; i++)
        CHECK_INT(seal_index(7, i), -EALREADY);
    close_pair();
}

/* Records 300 packets, loses two of them at the window's edge, and replays all. */
static void test_replays_are_refused(void) {
    static uint8_t record[300][ROOM];
    int len = 0;
    open_pair();
    for (uint32_t i = 0; i < 300; i++) {
        len = seal_index(7, i);
        memcpy(record[i], sealed, ROOM);
        if (i != 172 && i != 171)
            CHECK(open_index(len, 7, i) > 0);
    }
    for (uint32_t i = 0; i < 300; i++) {
        memcpy(sealed, record[i], ROOM);
        CHECK_INT(open_index(len, 7, i), i == 172 ? 44 : -EALREADY); /* 299 - 127 is inside, 299 - 128 outside */
    }
    memcpy(sealed, record[172], ROOM);
    CHECK_INT(open_index(len, 7, 172), -EALREADY);
    close_pair();
}

static void test_rtcp_index_and_replay(void) {
    static uint8_t record[200][ROOM];
    int len = 0;
    open_pair();
    for (uint32_t i = 0; i < 200; i++) {
        len = cf_srtcp_protect(out, record[i], make_rtcp(record[i], 7), ROOM);
        size_t word = is_counter_mode(profile) ? (size_t)len - 14 : (size_t)len - 4;
        CHECK_INT(cf_get32(record[i] + word), 0x80000000 | i);
    }
    for (uint32_t i = 0; i < 400; i++) { /* in pairs backwards, each twice */
        memcpy(pkt, record[(i / 2) ^ 1], ROOM);
        CHECK_INT(cf_srtcp_unprotect(in, pkt, (size_t)len), i % 2 ? -EALREADY : 28);
    }
    memcpy(pkt, record[10], ROOM);
    CHECK_INT(cf_srtcp_unprotect(in, pkt, (size_t)len), -EALREADY); /* before the window */
    close_pair();
}

/* Three roll-overs with loss, swaps and duplicates, most of it near the wrap: no honest packet fails. */
static void long_run(uint32_t first, uint32_t count, uint32_t lose_percent) {
    cf_rng rng;
    cf_rng_seed(&rng, first + lose_percent);
    uint8_t late[ROOM];
    int late_len = 0;
    uint32_t late_index = 0;
    open_pair();
    for (uint32_t index = first; index < first + count; index++) {
        int len = seal_index(7, index);
        CHECK_INT(len, 44 + tag_len_of(profile));
        uint32_t dice = cf_rng_u32(&rng) % 100;
        if (dice < lose_percent)
            continue;
        if (dice == 99 && late_len == 0) { /* this one overtakes nothing: it is held back */
            memcpy(late, sealed, ROOM);
            late_len = len;
            late_index = index;
            continue;
        }
        CHECK_INT(open_index(len, 7, index), 44);
        if (dice >= 97)
            CHECK_INT(open_index(len, 7, index), -EALREADY);
        if (late_len && (index - late_index >= 100 || dice % 7 == 0)) {
            memcpy(sealed, late, ROOM);
            CHECK_INT(open_index(late_len, 7, late_index), index - late_index < 128 ? 44 : -EALREADY);
            late_len = 0;
        }
    }
    CHECK(cf_srtp_find(in, 7)->rtp.highest >= first + count - 100);
    close_pair();
}

static void test_roll_over_without_loss(void) {
    long_run(65000, 2 * 65536, 0);
}
static void test_roll_over_with_loss(void) {
    long_run(30000, 3 * 65536, 30);
}

/* Each count of packets lost around the wrap, and both orders at it. */
static void test_roll_over_at_every_gap(void) {
    for (uint32_t before = 0; before < 4; before++)
        for (uint32_t after = 0; after < 4; after++) {
            open_pair();
            CHECK_INT(send_index(7, 65500), 44);
            CHECK_INT(send_index(7, 65535 - before), 44);
            CHECK(seal_index(7, 65536 + after) > 0);
            uint8_t next[ROOM];
            memcpy(next, sealed, ROOM);
            if (before) { /* overtaken: it comes after the first of the new round */
                int len = seal_index(7, 65535);
                uint8_t last[ROOM];
                memcpy(last, sealed, ROOM);
                memcpy(sealed, next, ROOM);
                CHECK_INT(open_index(len, 7, 65536 + after), 44);
                memcpy(sealed, last, ROOM);
                CHECK_INT(open_index(len, 7, 65535), 44);
            } else {
                CHECK_INT(open_index((int)(44 + tag_len_of(profile)), 7, 65536 + after), 44);
            }
            CHECK_INT(send_index(7, 65600), 44);
            close_pair();
        }
}

/* A burst of up to half the circle may be lost (RFC 3711 section 3.3.1). */
static void test_long_silence(void) {
    open_pair();
    CHECK_INT(send_index(7, 65000), 44);
    uint32_t index = 65000;
    for (int i = 0; i < 5; i++) {
        uint32_t next = index + 32767;
        CHECK_INT(send_index(7, next), 44);
        index = next;
    }
    close_pair();
}

/* The first packets of a source are lost, and its sequence number rolls over before one arrives. */
static void test_first_packet_after_the_wrap(void) {
    open_pair();
    CHECK(seal_index(7, 65535) > 0);
    CHECK_INT(send_index(7, 65536 + 2), 44);
    CHECK_INT(send_index(7, 65536 + 3), 44);
    CHECK_INT(cf_srtp_find(in, 7)->rtp.highest, 65536 + 3);
    close_pair();
}

static void test_each_ssrc_has_its_own_roll_over(void) {
    open_pair();
    for (uint32_t i = 0; i < 400; i++)
        for (uint32_t ssrc = 1; ssrc <= CF_SRTP_SSRCS; ssrc++)
            CHECK_INT(send_index(ssrc, 65536 - 20 * ssrc + i), 44);
    CHECK_INT(in->count, CF_SRTP_SSRCS);
    close_pair();
}

static void test_forged_ssrcs_take_no_place(void) {
    open_pair();
    cf_srtp_free(in);
    in = new_srtp(profile, 2);
    for (uint32_t ssrc = 0; ssrc < CF_SRTP_SSRCS; ssrc++)
        CHECK_INT(send_index(ssrc, 1), -EKEYREJECTED);
    CHECK_INT(in->count, 0);
    close_pair();
}

static void test_outbound_ssrcs_are_bounded(void) {
    open_pair();
    for (uint32_t ssrc = 0; ssrc < CF_SRTP_SSRCS; ssrc++)
        CHECK(seal_index(ssrc, 1) > 0);
    CHECK_INT(seal_index(99, 1), -EMFILE);
    size_t len = make_rtcp(pkt, 99);
    CHECK_INT(cf_srtcp_protect(out, pkt, len, sizeof pkt), -EMFILE);
    CHECK(seal_index(3, 2) > 0);
    close_pair();
}

/* Seals with a fresh sender, as one that has no bound of its own. */
static int from_other_sender(uint32_t ssrc, uint32_t index) {
    cf_srtp *kept = out;
    out = new_srtp(profile, 1);
    int got = send_index(ssrc, index);
    cf_srtp_free(out);
    out = kept;
    return got;
}

static void test_the_longest_silent_makes_room(void) {
    open_pair();
    for (uint32_t ssrc = 0; ssrc < CF_SRTP_SSRCS; ssrc++)
        CHECK_INT(from_other_sender(ssrc, 1), 44);
    CHECK_INT(from_other_sender(50, 1), -EMFILE); /* nobody has been silent for long */
    for (uint32_t i = 2; i < CF_SRTP_SILENT + 2; i++)
        CHECK_INT(send_index(i % 15 + 1, i), 44); /* all but SSRC 0 go on */
    CHECK_INT(from_other_sender(50, 1), 44);
    CHECK_INT(from_other_sender(51, 1), -EMFILE);
    CHECK_INT(from_other_sender(0, 1), -EALREADY); /* a replay of what had its window here once */
    CHECK_INT(from_other_sender(0, 9), -EALREADY);
    CHECK(in->count == CF_SRTP_SSRCS && in->retired_count == 1);
    close_pair();
}

/* A peer that changes its SSRC at every hold is heard each time, up to the stated bound. */
static void test_many_ssrcs_one_after_the_other(void) {
    open_pair();
    uint32_t heard = 0;
    for (uint32_t ssrc = 1; ssrc <= 100; ssrc++) {
        bool heard_this = true;
        cf_srtp_free(out);
        out = new_srtp(profile, 1);
        for (uint32_t i = 0; i < 100; i++)
            heard_this = send_index(ssrc, i) == 44 && heard_this;
        heard += heard_this;
    }
    CHECK_INT(heard, CF_SRTP_SSRCS + CF_SRTP_RETIRED);
    CHECK_INT(in->retired_count, CF_SRTP_RETIRED);
    close_pair();
}

static void test_an_index_is_never_used_twice(void) {
    open_pair();
    CHECK(seal_index(7, 500) > 0);
    size_t len = make_rtp(pkt, 7, 500);
    pkt[20] ^= 1; /* other contents, the same place in the key stream */
    memcpy(sealed, pkt, sizeof pkt);
    CHECK_INT(cf_srtp_protect(out, pkt, len, sizeof pkt), -EALREADY);
    CHECK(memcmp(pkt, sealed, sizeof pkt) == 0);
    close_pair();
}

static void test_indices_end(void) {
    open_pair();
    CHECK(seal_index(7, 65535) > 0);
    cf_srtp_find(out, 7)->rtp.highest = (UINT64_C(1) << 48) - 1;
    CHECK_INT(seal_index(7, 0), -EKEYEXPIRED);
    size_t len = make_rtcp(pkt, 7);
    CHECK(cf_srtcp_protect(out, pkt, len, sizeof pkt) > 0);
    cf_srtp_find(out, 7)->rtcp.highest = 0x7ffffffe;
    make_rtcp(pkt, 7);
    CHECK(cf_srtcp_protect(out, pkt, len, sizeof pkt) > 0);
    CHECK(cf_srtcp_unprotect(in, pkt, len + rtcp_tag_len_of(profile) + 4) == (int)len);
    make_rtcp(pkt, 7);
    CHECK_INT(cf_srtcp_protect(out, pkt, len, sizeof pkt), -EKEYEXPIRED);
    close_pair();
}

/* A peer may go on with its roll-over counter under another key, or begin again: both are understood. */
static void test_another_key_and_the_roll_over_goes_on(void) {
    for (int goes_on = 0; goes_on < 2; goes_on++) {
        open_pair();
        CHECK(seal_index(7, 65535) > 0); /* and the one after it is the first of the next round */
        int len = seal_index(7, 65536);
        CHECK(open_index(len, 7, 65536) > 0);
        cf_srtp *before = in, *sender = new_srtp(profile, 9);
        in = new_srtp(profile, 9);
        cf_srtp_follow(in, before);
        cf_srtp_free(before);
        cf_srtp_free(out);
        out = sender;
        if (goes_on)
            cf_srtp_touch(out, NULL, 7)->rtp = (cf_srtp_window){.started = true, .highest = 65540};
        uint32_t next = goes_on ? 65541 : 5;
        len = seal_index(7, next);
        CHECK(open_index(len, 7, next) > 0);
        len = seal_index(7, next + 1);
        CHECK(open_index(len, 7, next + 1) > 0);
        close_pair();
    }
}

static void test_wrong_parameters(void) {
    uint8_t bytes[64] = {0};
    size_t key = key_len_of(profile), salt = salt_len_of(profile);
    CHECK(cf_srtp_new(CF_SRTP_NONE, bytes, key, bytes, salt) == NULL);
    CHECK(cf_srtp_new(3, bytes, key, bytes, salt) == NULL);
    CHECK(cf_srtp_new(profile, bytes, key - 1, bytes, salt) == NULL);
    CHECK(cf_srtp_new(profile, bytes, key + 1, bytes, salt) == NULL);
    CHECK(cf_srtp_new(profile, bytes, key, bytes, salt - 1) == NULL);
    CHECK(cf_srtp_new(profile, bytes, key, bytes, salt + 1) == NULL);
    cf_srtp_free(NULL);
}

static void run_all(void) {
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        profile = PROFILES[i];
        RUN(test_round_trips);
        RUN(test_not_rtp);
        RUN(test_payload_from_elsewhere);
        RUN(test_forgeries);
        RUN(test_other_key_is_refused);
        RUN(test_rtp_is_not_rtcp);
        RUN(test_outbound_refuses_what_it_has_sent);
        RUN(test_replays_are_refused);
        RUN(test_rtcp_index_and_replay);
        RUN(test_roll_over_without_loss);
        RUN(test_roll_over_with_loss);
        RUN(test_roll_over_at_every_gap);
        RUN(test_long_silence);
        RUN(test_first_packet_after_the_wrap);
        RUN(test_each_ssrc_has_its_own_roll_over);
        RUN(test_forged_ssrcs_take_no_place);
        RUN(test_outbound_ssrcs_are_bounded);
        RUN(test_the_longest_silent_makes_room);
        RUN(test_many_ssrcs_one_after_the_other);
        RUN(test_an_index_is_never_used_twice);
        RUN(test_indices_end);
        RUN(test_another_key_and_the_roll_over_goes_on);
        RUN(test_wrong_parameters);
    }
}

int main(void) {
    run_all();
    tested_backend = &cf_srtp_aes_ni;
    if (tested_backend->usable())
        run_all();
    return REPORT();
}

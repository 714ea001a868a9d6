/* TURN's two data messages and the framing of a stream. */
#include "rcore_lib.h"

#include <errno.h>

static void test_kinds(void) {
    uint8_t data[32] = {0};
    CHECK_INT(cf_turn_kind_of(data, 0), CF_TURN_OTHER);
    data[0] = 0x40;
    CHECK_INT(cf_turn_kind_of(data, 3), CF_TURN_OTHER);
    CHECK_INT(cf_turn_kind_of(data, 4), CF_TURN_CHANNEL);
    data[0] = 0x4f;
    CHECK_INT(cf_turn_kind_of(data, 4), CF_TURN_CHANNEL);
    data[0] = 0x50; /* reserved (RFC 8656 section 12) */
    CHECK_INT(cf_turn_kind_of(data, 32), CF_TURN_OTHER);
    data[0] = 0;
    data[1] = 0x16;
    CHECK_INT(cf_turn_kind_of(data, 32), CF_TURN_OTHER); /* no cookie */
    cf_put32(data + 4, 0x2112a442);
    CHECK_INT(cf_turn_kind_of(data, 19), CF_TURN_OTHER);
    CHECK_INT(cf_turn_kind_of(data, 20), CF_TURN_SEND);
    data[1] = 0x03;
    CHECK_INT(cf_turn_kind_of(data, 20), CF_TURN_STUN);
}

static void test_lengths_of_a_stream(void) {
    uint8_t data[20] = {0x40, 0, 0, 5};
    CHECK_INT(cf_turn_stream_length(data, 0), 0);
    CHECK_INT(cf_turn_stream_length(data, 3), 0);
    CHECK_INT(cf_turn_stream_length(data, 4), 12); /* padded */
    cf_put16(data + 2, 65535);
    CHECK_INT(cf_turn_stream_length(data, 4), 4 + 65536);
    memset(data, 0, sizeof data);
    data[1] = 1;
    cf_put16(data + 2, 8);
    CHECK_INT(cf_turn_stream_length(data, 7), 0);
    CHECK_INT(cf_turn_stream_length(data, 8), -EBADMSG); /* no cookie */
    cf_put32(data + 4, 0x2112a442);
    CHECK_INT(cf_turn_stream_length(data, 8), 28);
    cf_put16(data + 2, 6); /* attributes are multiples of four */
    CHECK_INT(cf_turn_stream_length(data, 8), -EBADMSG);
    cf_put16(data + 2, 65532);
    CHECK_INT(cf_turn_stream_length(data, 8), CF_TURN_MESSAGE_MAX);
    data[0] = 0x16;
    CHECK_INT(cf_turn_stream_length(data, 1), -EBADMSG);
    data[0] = 0x80;
    CHECK_INT(cf_turn_stream_length(data, 1), -EBADMSG);
}

static void test_an_indication_reads_as_it_was_written(void) {
    cf_addr peers[] = {v4(9, 4000), v6(9, 65535)};
    for (int p = 0; p < 2; p++)
        for (size_t len = 0; len < 9; len++) {
            uint8_t message[128];
            size_t n = send_indication(message, &peers[p], "01234567", len);
            cf_turn_send send;
            CHECK_INT(n % 4, 0);
            CHECK_INT(cf_turn_read_send(&send, message, n), 0);
            CHECK(cf_addr_equal(&send.peer, &peers[p]));
            CHECK_INT(send.len, len);
            CHECK(memcmp(send.data, "01234567", len) == 0);
            CHECK(!send.dont_fragment);
            for (size_t cut = CF_TURN_HEAD; cut < n; cut++)
                CHECK_INT(cf_turn_read_send(&send, message, cut), -EBADMSG);
        }
}

/* An indication of attributes as they are given: type, length, and a value of zeros. */
static size_t with_attributes(uint8_t *out, const uint16_t (*attributes)[2], size_t n) {
    size_t at = CF_TURN_HEAD;
    memset(out, 0, CF_TURN_HEAD);
    cf_put16(out, 0x0016);
    cf_put32(out + 4, 0x2112a442);
    for (size_t i = 0; i < n; i++) {
        size_t padded = attributes[i][1] + cf_padding(attributes[i][1]);
        cf_put16(out + at, attributes[i][0]);
        cf_put16(out + at + 2, attributes[i][1]);
        memset(out + at + 4, 0, padded);
        if (attributes[i][0] == 0x0012 && padded > 1)
            out[at + 5] = attributes[i][1] == 20 ? 2 : 1;
        at += 4 + padded;
    }
    cf_put16(out + 2, (uint16_t)(at - CF_TURN_HEAD));
    return at;
}

static void test_attributes_that_make_sense_and_those_that_do_not(void) {
    static const struct {
        uint16_t attributes[4][2];
        size_t n;
        int rc;
        bool dont_fragment;
    } cases[] = {
        {{{0x12, 8}, {0x13, 5}}, 2, 0, false},
        {{{0x13, 5}, {0x12, 20}}, 2, 0, false},
        {{{0x12, 8}, {0x13, 5}, {0x1a, 0}}, 3, 0, true},
        {{{0x12, 8}, {0x13, 5}, {0x8022, 7}}, 3, 0, false}, /* optional and unknown */
        {{{0x12, 8}, {0x13, 5}, {0x7fff, 0}}, 3, -EBADMSG, false},
        {{{0x12, 8}}, 1, -EBADMSG, false},
        {{{0x13, 8}}, 1, -EBADMSG, false},
        {{{0x12, 0}, {0x13, 5}}, 2, -EBADMSG, false},
        {{{0x12, 4}, {0x13, 5}}, 2, -EBADMSG, false},
        {{{0x12, 12}, {0x13, 5}}, 2, -EBADMSG, false},
        {{{0x12, 8}, {0x13, 5}, {0x12, 3}}, 3, 0, false}, /* of several the first counts */
        {{{0, 0}}, 0, -EBADMSG, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t message[128];
        size_t n = with_attributes(message, cases[i].attributes, cases[i].n);
        cf_turn_send send;
        CHECK_INT(cf_turn_read_send(&send, message, n), cases[i].rc);
        if (cases[i].rc == 0)
            CHECK(send.dont_fragment == cases[i].dont_fragment);
    }
}

int main(void) {
    RUN(test_kinds);
    RUN(test_lengths_of_a_stream);
    RUN(test_an_indication_reads_as_it_was_written);
    RUN(test_attributes_that_make_sense_and_those_that_do_not);
    return REPORT();
}

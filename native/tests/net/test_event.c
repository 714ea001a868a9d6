/* event_*.c: digits sent and received, one each, whatever the network loses, doubles, swaps or cuts. */
#include "conferocore/event.h"
#include "netlib.h"
#include "testlib.h"
#include <errno.h>

#define MS INT64_C(1000000)

static cf_event_receiver receiver;
static cf_digit got[64];
static int got_count;

static void start(int clock_rate) {
    CHECK_INT(cf_event_receiver_init(&receiver, clock_rate), 0);
    got_count = 0;
}

static int hear_bytes(const uint8_t *bytes, size_t len, uint32_t ts, bool marker, uint32_t ssrc, int64_t ms) {
    placed p = place(bytes, len, len % 4);
    cf_rtp rtp = {.payload = p.data, .payload_len = len, .ts = ts, .marker = marker, .ssrc = ssrc};
    int n = cf_event_receive(&receiver, &rtp, ms * MS, got + got_count);
    got_count += n > 0 ? n : 0;
    free(p.block);
    return n;
}

/* One report; returns how many digits have ended with it. */
static int hear(int code, bool end, int length, uint32_t ts, int64_t ms) {
    uint8_t bytes[] = {(uint8_t)code, (uint8_t)((end ? 0x80 : 0) | 10), (uint8_t)(length >> 8), (uint8_t)length};
    return hear_bytes(bytes, 4, ts, false, 1, ms);
}

static int hear_marked(int code, int length, uint32_t ts, int64_t ms) {
    uint8_t bytes[] = {(uint8_t)code, 10, (uint8_t)(length >> 8), (uint8_t)length};
    return hear_bytes(bytes, 4, ts, true, 1, ms);
}

static bool digit_is(int i, char digit, uint32_t ms) {
    return i < got_count && got[i].digit == digit && got[i].duration_ms == ms;
}

static void test_codes(void) {
    const char *all = "0123456789*#ABCD!";
    for (int i = 0; i < 256; i++) {
        CHECK_INT(cf_event_digit((uint8_t)i), i < 17 ? all[i] : 0);
        const char *at = i ? strchr(all, i) : NULL;
        CHECK_INT(cf_event_code((char)i), at ? at - all : -1);
    }
}

static void test_wrong_rates(void) {
    cf_event_sender sender;
    int wrong[] = {-1, 0, 7999, 48001};
    for (int i = 0; i < 4; i++) {
        CHECK_INT(cf_event_receiver_init(&receiver, wrong[i]), -EINVAL);
        CHECK_INT(cf_event_sender_init(&sender, wrong[i]), -EINVAL);
    }
}

static void test_one_digit_with_three_ends(void) {
    start(8000);
    CHECK_INT(hear_marked(5, 160, 1000, 0), 0);
    CHECK_INT(hear(5, false, 320, 1000, 20), 0);
    CHECK_INT(hear(5, true, 800, 1000, 80), 1);
    CHECK_INT(hear(5, true, 800, 1000, 100), 0);
    CHECK_INT(hear(5, true, 800, 1000, 120), 0);
    CHECK_INT(hear(5, false, 480, 1000, 130), 0); /* a late report of what has ended */
    CHECK(got_count == 1 && digit_is(0, '5', 100) && got[0].volume == 10 && got[0].ts == 1000);
    CHECK_INT(cf_event_receiver_deadline(&receiver), INT64_MAX);
}

static void test_any_single_report_is_enough(void) {
    start(8000);
    CHECK_INT(hear(11, true, 800, 1000, 80), 1);
    CHECK(digit_is(0, '#', 100));
}

static void test_lost_ends_lapse(void) {
    start(8000);
    cf_digit out;
    hear_marked(1, 160, 1000, 0);
    hear(1, false, 320, 1000, 20);
    CHECK_INT(cf_event_receiver_deadline(&receiver), 220 * MS);
    CHECK_INT(cf_event_receiver_advance(&receiver, 219 * MS, &out), 0);
    CHECK_INT(cf_event_receiver_advance(&receiver, 220 * MS, &out), 1);
    CHECK(out.digit == '1' && out.duration_ms == 40);
    CHECK_INT(cf_event_receiver_advance(&receiver, 500 * MS, &out), 0);
    CHECK_INT(hear(1, true, 800, 1000, 520), 0); /* the end comes after all: known already */
    CHECK_INT(hear_marked(1, 160, 6000, 600), 0);
    CHECK_INT(hear(1, true, 320, 6000, 620), 1); /* the same key again is another digit */
}

static void test_lost_ends_and_the_next_digit(void) {
    start(8000);
    hear_marked(1, 160, 1000, 0);
    CHECK_INT(hear_marked(1, 160, 2200, 150), 1); /* the same key: its beginning tells */
    CHECK_INT(hear(2, true, 400, 3000, 250), 2);
    CHECK(digit_is(0, '1', 20) && digit_is(1, '1', 20) && digit_is(2, '2', 50));
}

static void test_reports_in_any_order(void) {
    start(8000);
    hear(7, false, 480, 1000, 0);
    hear(7, false, 160, 1000, 1);
    hear(7, false, 320, 1000, 2);
    hear(7, true, 640, 1000, 3);
    hear(7, false, 560, 1000, 4);
    CHECK(got_count == 1 && digit_is(0, '7', 80));
    CHECK_INT(hear(8, true, 320, 3000, 5), 1);
    CHECK_INT(hear(7, true, 640, 1000, 6), 0); /* of the digit before */
    CHECK_INT(hear(9, true, 640, 2000, 6), 0); /* one that never began in time: its place is taken */
    CHECK_INT(hear(8, true, 320, 3000, 7), 0);
    CHECK_INT(got_count, 2);
}

/* 20 s of a key at 8 kHz: three segments; and at 48 kHz fifteen. Timestamps wrap on the way. */
static void test_long_digits_are_one(void) {
    for (int rate = 8000; rate <= 48000; rate += 40000) {
        start(rate);
        uint32_t begin = 0xffffff00u, segment = begin;
        for (int ms = 20; ms <= 20000; ms += 20) {
            uint32_t length = begin + (uint32_t)(ms * (rate / 1000)) - segment;
            if (length > 0xffff) {
                hear(3, false, 0xffff, segment, ms);
                segment += 0xffff;
                length -= 0xffff;
            }
            hear(3, ms == 20000, (int)length, segment, ms);
        }
        CHECK(got_count == 1 && digit_is(0, '3', 20000) && got[0].ts == begin);
    }
}

/* The last reports of a segment are lost; and a segment that ends early because its sender cuts at a frame. */
static void test_long_digits_with_losses(void) {
    start(8000);
    hear_marked(3, 160, 0, 0);
    hear(3, false, 60000, 0, 7500);
    hear(3, false, 160, 0xffff, 7700);
    CHECK_INT(hear(3, true, 8000, 0xffff, 9000), 1);
    CHECK_INT(got[0].duration_ms, (0xffff + 8000) / 8);
    hear_marked(4, 160, 500000, 20000);
    hear(4, false, 65440, 500000, 20500);
    CHECK_INT(hear(4, true, 160, 565440, 20600), 1);
    CHECK_INT(got[1].duration_ms, 8200);
}

static void test_a_marked_beginning_is_a_new_digit(void) {
    start(8000);
    hear_marked(3, 160, 0, 0);
    hear(3, false, 0xffff, 0, 8000);
    CHECK_INT(hear_marked(3, 160, 0xffff, 8100), 1);
    CHECK_INT(hear(3, true, 400, 0xffff, 8150), 1);
    CHECK(digit_is(0, '3', 8191) && digit_is(1, '3', 50));
}

static void test_several_reports_in_a_packet(void) {
    start(8000);
    uint8_t three[] = {1, 0x8a, 1, 64, 16, 0x80, 1, 64, 2, 0x0a, 0, 160};
    CHECK_INT(hear_bytes(three, 12, 1000, true, 1, 0), 2);
    CHECK(digit_is(0, '1', 40) && digit_is(1, '!', 40) && got[1].ts == 1320);
    CHECK_INT(hear(2, true, 320, 1640, 40), 1);
    CHECK_INT(hear_bytes(three, 12, 1000, true, 1, 50), 0); /* again */
    uint8_t many[20 * 4];
    for (int i = 0; i < 20; i++) {
        uint8_t one[] = {(uint8_t)(i % 10), 0x80, 1, 64};
        memcpy(many + 4 * (size_t)i, one, 4);
    }
    CHECK_INT(hear_bytes(many, 80, 50000, true, 1, 0), CF_EVENT_REPORTS);
}

static void test_broken_packets(void) {
    start(8000);
    uint8_t bytes[8] = {1, 0x80, 1, 64, 2, 0x80};
    for (size_t n = 0; n < 4; n++)
        CHECK_INT(hear_bytes(bytes, n, 0, false, 1, 0), -EBADMSG);
    CHECK_INT(hear_bytes(bytes, 7, 0, false, 1, 0), 1); /* whole reports count, what hangs over does not */
}

static void test_other_events_are_no_digits(void) {
    start(8000);
    cf_digit out;
    for (int code = 17; code < 256; code++)
        CHECK_INT(hear(code, true, 800, (uint32_t)code * 1000, code), 0);
    hear(32, false, 800, 500000, 500);
    CHECK_INT(cf_event_receiver_advance(&receiver, 9000 * MS, &out), 0);
    CHECK_INT(hear(1, true, 800, 501000, 9000), 1);
}

/* Another source, whose timestamps may be anything; and a sender that has set its clock back by an hour. */
static void test_another_source_and_clock(void) {
    start(8000);
    uint8_t begun[] = {4, 10, 0, 160}, ended[] = {5, 0x8a, 1, 64};
    hear_bytes(begun, 4, 0x80000000u, true, 1, 0);
    CHECK_INT(hear_bytes(ended, 4, 100, true, 2, 20), 2);
    CHECK_INT(hear_bytes(ended, 4, 100, true, 2, 30), 0);
    CHECK_INT(hear_bytes(ended, 4, 100u - 3600u * 8000, true, 2, 40), 1);
    CHECK_INT(hear_bytes(ended, 4, 0x7fffff00u, true, 2, 50), 1);
}

/* Plays the sender into `hear` with the frames of a loss pattern left out: reports heard, digits by their names. */
static void play(cf_event_sender *sender, int frames, int frame_ms, int rate, bool (*lost)(int), char *names) {
    for (int i = 0; i < frames; i++) {
        cf_event_report report;
        int64_t ms = (int64_t)i * frame_ms;
        uint32_t ts = 0xfffff000u + (uint32_t)(ms * (rate / 1000));
        cf_digit lapsed;
        if (cf_event_receiver_advance(&receiver, ms * MS, &lapsed))
            got[got_count++] = lapsed;
        if (cf_event_next(sender, ts, frame_ms, &report) && !(lost && lost(i)))
            hear_bytes(report.payload, 4, report.ts, report.marker, 1, ms);
    }
    for (int i = 0; i < got_count; i++)
        names[i] = got[i].digit;
    names[got_count] = 0;
}

static void test_sent_digits_are_received(void) {
    int rates[] = {8000, 16000, 48000}, frames[] = {10, 20, 30, 40, 60};
    for (int r = 0; r < 3; r++)
        for (int f = 0; f < 5; f++) {
            cf_event_sender sender;
            char names[64];
            start(rates[r]);
            cf_event_sender_init(&sender, rates[r]);
            for (const char *d = "0123456789*#ABCD!1122"; *d; d++)
                CHECK_INT(cf_event_send(&sender, *d, 40 + (*d == '5') * 8200, 7), 0);
            play(&sender, 20000 / frames[f], frames[f], rates[r], NULL, names);
            CHECK(!strcmp(names, "0123456789*#ABCD!1122"));
            for (int i = 0; i < got_count; i++)
                CHECK(got[i].duration_ms == (got[i].digit == '5' ? 8240u : 40u) && got[i].volume == 7);
        }
}

static bool every_third(int i) {
    return i % 3 != 0;
}
static bool rows_of_two(int i) {
    return i % 5 < 2;
}

static void test_sent_digits_survive_losses(void) {
    bool (*patterns[])(int) = {every_third, rows_of_two};
    for (int p = 0; p < 2; p++) {
        cf_event_sender sender;
        char names[64];
        start(8000);
        cf_event_sender_init(&sender, 8000);
        for (const char *d = "1122334455"; *d; d++)
            cf_event_send(&sender, *d, 100, 7);
        play(&sender, 200, 20, 8000, patterns[p], names);
        CHECK(!strcmp(names, "1122334455"));
        for (int i = 0; i < got_count; i++)
            CHECK_INT(got[i].duration_ms, 100); /* one of the three ends has come */
    }
}

/* Bit by bit: what goes out for a digit of 50 ms in frames of 20 ms. */
static void test_reports_of_a_digit(void) {
    static const struct {
        bool sent, marker;
        uint8_t end;
        uint16_t length;
    } want[] = {{1, 1, 0, 160},    {1, 0, 0, 320}, {1, 0, 0x80, 400}, {1, 0, 0x80, 400},
                {1, 0, 0x80, 400}, {0, 0, 0, 0},   {1, 1, 0, 160}};
    cf_event_sender sender;
    cf_event_sender_init(&sender, 8000);
    cf_event_send(&sender, '9', 50, 33);
    cf_event_send(&sender, '9', 50, 33);
    for (uint32_t i = 0; i < 7; i++) {
        cf_event_report r;
        CHECK_INT(cf_event_next(&sender, 1000 + 160 * i, 20, &r), want[i].sent);
        if (!want[i].sent)
            continue;
        CHECK_INT(r.marker, want[i].marker);
        CHECK_INT(r.ts, i < 6 ? 1000 : 1960);
        CHECK(r.payload[0] == 9 && r.payload[1] == (want[i].end | 33) && cf_get16(r.payload + 2) == want[i].length);
    }
}

static void test_queue_is_bounded(void) {
    cf_event_sender sender;
    cf_event_report r;
    cf_event_sender_init(&sender, 8000);
    CHECK(!cf_event_next(&sender, 0, 20, &r));
    for (int i = 0; i < CF_EVENT_QUEUE; i++)
        CHECK_INT(cf_event_send(&sender, '1', 40, 0), 0);
    CHECK_INT(cf_event_send(&sender, '1', 40, 0), -ENOSPC);
    CHECK(cf_event_next(&sender, 0, 20, &r));
    cf_event_sender_clear(&sender);
    int sent = 1;
    for (uint32_t i = 1; i < 100; i++)
        sent += cf_event_next(&sender, i * 160, 20, &r);
    CHECK_INT(sent, 4); /* what had begun is sent to its end */
    CHECK_INT(cf_event_send(&sender, '2', 40, 0), 0);
}

static void test_wrong_digits(void) {
    cf_event_sender sender;
    cf_event_sender_init(&sender, 8000);
    CHECK_INT(cf_event_send(&sender, 'E', 100, 10), -EINVAL);
    CHECK_INT(cf_event_send(&sender, 0, 100, 10), -EINVAL);
    CHECK_INT(cf_event_send(&sender, '1', 39, 10), -EINVAL);
    CHECK_INT(cf_event_send(&sender, '1', 10001, 10), -EINVAL);
    CHECK_INT(cf_event_send(&sender, '1', 100, 64), -EINVAL);
    CHECK_INT(cf_event_send(&sender, '1', 100, -1), -EINVAL);
}

int main(void) {
    RUN(test_codes);
    RUN(test_wrong_rates);
    RUN(test_one_digit_with_three_ends);
    RUN(test_any_single_report_is_enough);
    RUN(test_lost_ends_lapse);
    RUN(test_lost_ends_and_the_next_digit);
    RUN(test_reports_in_any_order);
    RUN(test_long_digits_are_one);
    RUN(test_long_digits_with_losses);
    RUN(test_a_marked_beginning_is_a_new_digit);
    RUN(test_several_reports_in_a_packet);
    RUN(test_broken_packets);
    RUN(test_other_events_are_no_digits);
    RUN(test_another_source_and_clock);
    RUN(test_sent_digits_are_received);
    RUN(test_sent_digits_survive_losses);
    RUN(test_reports_of_a_digit);
    RUN(test_queue_is_bounded);
    RUN(test_wrong_digits);
    return REPORT();
}

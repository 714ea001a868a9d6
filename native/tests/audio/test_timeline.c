/* Sequence numbers and timestamps laid out: wraps, gaps, jumps, second streams, two clocks. */
#include "../testlib.h"
#include "audio/timeline.h"

#define MS INT64_C(1000000)

static cf_timeline line;
static cf_spot spot;
static int64_t now, transit;

static void fresh(void) {
    memset(&line, 0, sizeof line);
    now = 50 * MS;
    transit = INT64_MIN;
}

/* A packet of 20 ms at 8 kHz. */
static enum cf_place place(uint32_t ssrc, uint32_t seq, uint32_t ts) {
    cf_rtp rtp = {.ssrc = ssrc, .seq = (uint16_t)seq, .ts = ts};
    spot = (cf_spot){.clock = 0, .ratio = 6, .samples = 960, .now = now, .low = transit};
    enum cf_place result = cf_timeline_place(&line, &rtp, &spot);
    if (result != CF_PLACE_NOWHERE && spot.seq == line.newest)
        transit = now - cf_pos_ns(spot.pos);
    return result;
}

/* n packets in order from here. */
static void stream(uint32_t seq, uint32_t ts, int n) {
    for (int i = 0; i < n; i++, now += 20 * MS)
        place(1, seq + (uint32_t)i, ts + 160 * (uint32_t)i);
}

static void test_numbers_go_on_over_their_wraps(void) {
    fresh();
    CHECK_INT(place(1, 65533, UINT32_MAX - 400), CF_PLACE_RESTART);
    int64_t seq = spot.seq, pos = spot.pos;
    for (uint32_t i = 1; i < 140000; i++) {
        now += 20 * MS;
        CHECK_INT(place(1, 65533 + i, UINT32_MAX - 400 + 160 * i), CF_PLACE_HERE);
        CHECK_INT(spot.seq, seq + i);
        CHECK_INT(spot.pos, pos + 960 * (int64_t)i);
    }
}

static void test_an_earlier_packet_finds_its_place(void) {
    fresh();
    stream(65530, 100, 10);
    int64_t seq = line.newest, pos = line.pos;
    for (uint32_t back = 0; back < 10; back++) {
        CHECK_INT(place(1, 65539 - back, 100 + 9 * 160 - 160 * back), CF_PLACE_HERE);
        CHECK_INT(spot.seq, seq - back);
        CHECK_INT(spot.pos, pos - 960 * (int64_t)back);
    }
    CHECK_INT(line.newest, seq);
    CHECK_INT(place(1, 65535, 100 + 50 * 160), CF_PLACE_NOWHERE); /* between two packets, but later than both */
}

static void test_a_pause_moves_the_position_with_the_clock(void) {
    fresh();
    stream(10, 0, 10);
    int64_t end = line.end;
    now += 3000 * MS;
    CHECK_INT(place(1, 20, 1600 + 24000), CF_PLACE_HERE);
    CHECK_INT(spot.pos, end + 144000);
    CHECK_INT(line.jumps, 0);
}

static void test_a_timestamp_ahead_of_time_is_not_believed(void) {
    static const uint32_t jumps[] = {8000, 80000, 1U << 31, 0U - 160U, 0U - 320U, 0U - 80000U};
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        fresh();
        stream(10, 0, 10);
        int64_t end = line.end;
        CHECK_INT(place(1, 20, 1600 + jumps[i]), CF_PLACE_HERE);
        CHECK_INT(spot.pos, end);
        CHECK_INT(line.jumps, 1);
        now += 20 * MS;
        CHECK_INT(place(1, 22, 1600 + jumps[i] + 320), CF_PLACE_HERE); /* the new timestamps hold from here */
        CHECK_INT(spot.pos, end + 2 * 960);
        CHECK_INT(line.jumps, 1);
    }
}

static void test_a_backlog_is_no_jump(void) {
    fresh();
    stream(10, 0, 100);
    now += 3000 * MS;
    for (uint32_t i = 0; i < 150; i++)
        CHECK_INT(place(1, 110 + i, 16000 + 160 * i), CF_PLACE_HERE);
    CHECK_INT(line.jumps, 0);
}

static void test_a_stranger_needs_a_witness_while_the_stream_lives(void) {
    fresh();
    stream(10, 0, 100);
    CHECK_INT(place(2, 500, 7), CF_PLACE_NOWHERE);
    CHECK_INT(place(3, 501, 7), CF_PLACE_NOWHERE);  /* another stranger */
    CHECK_INT(place(3, 503, 7), CF_PLACE_NOWHERE);  /* not the next */
    CHECK_INT(place(1, 110, 16000), CF_PLACE_HERE); /* the stream itself */
    CHECK_INT(place(3, 504, 7), CF_PLACE_NOWHERE);
    CHECK_INT(place(3, 505, 167), CF_PLACE_RESTART);
    CHECK_INT(line.ssrc, 3);
    CHECK_INT(place(3, 506, 327), CF_PLACE_HERE);
}

static void test_a_stranger_is_welcome_when_the_stream_is_gone(void) {
    fresh();
    stream(10, 0, 100);
    now += 600 * MS;
    CHECK_INT(place(2, 500, 7), CF_PLACE_RESTART);
    fresh();
    stream(10, 0, 100);
    now += 600 * MS;
    CHECK_INT(place(1, 60000, 7), CF_PLACE_RESTART);
}

static void test_a_gap_after_an_outage_is_loss_and_no_restart(void) {
    fresh();
    stream(10, 0, 100);
    int64_t seq = line.newest, end = line.end;
    now += 2000 * MS;
    CHECK_INT(place(1, 210, 16000 + 16000), CF_PLACE_HERE);
    CHECK_INT(spot.seq, seq + 101);
    CHECK_INT(spot.pos, end + 96000);
}

static void test_numbers_of_the_past_are_believed_the_second_time_when_the_stream_is_gone(void) {
    fresh();
    stream(1000, 0, 100);
    CHECK_INT(place(1, 1050, 8000), CF_PLACE_HERE); /* an old one: its place is known, the caller knows it is late */
    CHECK_INT(place(1, 1051, 8160), CF_PLACE_HERE);
    now += 600 * MS;
    CHECK_INT(place(1, 1060, 77), CF_PLACE_HERE);
    CHECK_INT(place(1, 1061, 77 + 160), CF_PLACE_RESTART);
}

static void test_two_clocks_on_one_line(void) {
    fresh();
    stream(10, 0, 10);
    int64_t end = line.end;
    cf_rtp rtp = {.ssrc = 1, .seq = 20, .ts = 123456789};
    spot = (cf_spot){.clock = 1, .ratio = 1, .samples = 960, .now = now, .low = transit};
    CHECK_INT(cf_timeline_place(&line, &rtp, &spot), CF_PLACE_HERE);
    CHECK_INT(spot.pos, end); /* its timestamp says nothing yet: the sequence number does */
    rtp.seq = 22;
    rtp.ts += 2 * 960;
    spot.now = now += 40 * MS;
    CHECK_INT(cf_timeline_place(&line, &rtp, &spot), CF_PLACE_HERE);
    CHECK_INT(spot.pos, end + 2 * 960);
    CHECK_INT(line.jumps, 0);
}

int main(void) {
    RUN(test_numbers_go_on_over_their_wraps);
    RUN(test_an_earlier_packet_finds_its_place);
    RUN(test_a_pause_moves_the_position_with_the_clock);
    RUN(test_a_timestamp_ahead_of_time_is_not_believed);
    RUN(test_a_backlog_is_no_jump);
    RUN(test_a_stranger_needs_a_witness_while_the_stream_lives);
    RUN(test_a_stranger_is_welcome_when_the_stream_is_gone);
    RUN(test_a_gap_after_an_outage_is_loss_and_no_restart);
    RUN(test_numbers_of_the_past_are_believed_the_second_time_when_the_stream_is_gone);
    RUN(test_two_clocks_on_one_line);
    return REPORT();
}

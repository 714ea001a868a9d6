/* Legs with packets of their own length and their own codec in one room: each is sent every sample once, at its own
 * time, also when it goes over to an encoding of its own and back, and when it could not be sent to for a while. */
#include "testlib.h"

#include "core_fixture.h"

enum { REFERENCE = 1, TALKER = 2, SUBJECT = 3, LENGTH = 8000 * 12 };

static const cf_codec_params kinds[] = {
    {.codec = CF_CODEC_PCMU, .ptime_ms = 10}, {.codec = CF_CODEC_PCMU, .ptime_ms = 30},
    {.codec = CF_CODEC_PCMU, .ptime_ms = 40}, {.codec = CF_CODEC_PCMU, .ptime_ms = 60},
    {.codec = CF_CODEC_PCMA, .ptime_ms = 60}, {.codec = CF_CODEC_G722, .ptime_ms = 30},
    {.codec = CF_CODEC_L16, .ptime_ms = 40},  {.codec = CF_CODEC_L16, .ptime_ms = 10, .rate = 48000},
    {.codec = CF_CODEC_OPUS, .ptime_ms = 10}, {.codec = CF_CODEC_OPUS, .ptime_ms = 60, .complexity = 1},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Every packet begins where the one before it ended; returns how many there were. */
static int check_rhythm(const fixture *f, uint64_t id, const cf_codec_params *tx) {
    uint32_t step = (uint32_t)(cf_codec_clock(tx->codec, tx->rate) / 1000 * tx->ptime_ms);
    int count = 0, at = 0;
    cf_rtp rtp, last = {0};
    for (; next_rtp(f, id, &at, &rtp); last = rtp, count++)
        if (count) {
            CHECK_INT((uint16_t)(rtp.seq - last.seq), 1);
            CHECK_INT((uint32_t)(rtp.ts - last.ts), step);
            CHECK(!rtp.marker);
        }
    return count;
}

static void test_every_codec_and_length_has_its_rhythm(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    for (int k = 0; k < KINDS; k++) {
        cf_leg_config config = ear_config((uint64_t)k + 10, &kinds[k]);
        CHECK(join_as(f, &config, 0) != NULL);
    }
    voice v = {.id = TALKER, .hz = 440, .amplitude = 5000};
    join(f, TALKER, 1);
    run_ms(f, 2400, &v, 1);
    for (int k = 0; k < KINDS; k++)
        CHECK(abs(check_rhythm(f, (uint64_t)k + 10, &kinds[k]) * kinds[k].ptime_ms - 2400) <= kinds[k].ptime_ms);
    fixture_free(f);
}

/* The octets that a member of G.711 was sent, by the time of their samples since `first`. */
static int lay_out(const fixture *f, uint64_t id, uint32_t first, int16_t *sound) {
    int at = 0, samples = 0;
    cf_rtp rtp;
    while (next_rtp(f, id, &at, &rtp))
        for (size_t i = 0; i < rtp.payload_len; i++) {
            uint32_t when = rtp.ts + (uint32_t)i - first;
            CHECK(when < LENGTH && sound[when] < 0); /* none twice */
            if (when < LENGTH)
                sound[when] = rtp.payload[i];
            samples++;
        }
    return samples;
}

static uint32_t first_ts(const fixture *f, uint64_t id) {
    int at = 0;
    cf_rtp rtp = {0};
    CHECK(next_rtp(f, id, &at, &rtp));
    return rtp.ts;
}

/* slack 1: neighbouring codes are taken for the same. */
static bool differ(int16_t x, int16_t y, int slack) {
    if (x < 0 || y < 0 || x == y)
        return false;
    int a = cf_ulaw_decode((uint8_t)x), b = cf_ulaw_decode((uint8_t)y);
    return abs(a - b) > slack * (8 + abs(a) / 12);
}

/* By how many samples the second member's first packet begins before the first one's, who joined with it: a packet that
 * is longer than a tick may begin in the silence before. -1: they do not hear the same at all. */
static int head_start(const fixture *f, uint64_t a, uint64_t b, int slack) {
    static int16_t x[LENGTH], y[LENGTH];
    for (uint32_t early = 0; early <= 480; early += 160) {
        int different = 0, common = 0;
        memset(x, -1, sizeof x);
        memset(y, -1, sizeof y);
        lay_out(f, a, first_ts(f, a) - early, x);
        lay_out(f, b, first_ts(f, b), y);
        for (int i = 0; i < LENGTH; i++) {
            common += x[i] >= 0 && y[i] >= 0;
            different += differ(x[i], y[i], slack);
        }
        if (!different && common > 2000)
            return (int)early;
    }
    return -1;
}

static void test_listeners_hear_the_same_in_packets_of_any_length(void) {
    for (int k = 0; k < 4; k++) {
        fixture *f = fixture_new();
        add_room(f, 1);
        join(f, REFERENCE, 1);
        join(f, TALKER, 1);
        cf_leg_config config = ear_config(SUBJECT, &kinds[k]);
        join_as(f, &config, 0);
        voice v = {.id = TALKER, .hz = 440, .amplitude = 5000};
        run_ms(f, 2400, &v, 1);
        CHECK(head_start(f, REFERENCE, SUBJECT, 0) >= 0);
        CHECK(check_rhythm(f, SUBJECT, &kinds[k]) * kinds[k].ptime_ms > 2400 - 60);
        fixture_free(f);
    }
}

/* It joins at any tick, talks by turns, and so goes over to its own encoder and back to the shared one. */
static void test_turns_neither_repeat_nor_skip_a_sample(void) {
    for (int k = 0; k < 4; k++)
        for (int late = 0; late < 6; late++) {
            fixture *f = fixture_new();
            add_room(f, 1);
            join(f, TALKER, 1);
            cf_leg_config shared = ear_config(9, &kinds[k]), config = ear_config(SUBJECT, &kinds[k]);
            join_as(f, &shared, 0);
            voice both[] = {{.id = TALKER, .hz = 440, .amplitude = 5000},
                            {.id = SUBJECT, .hz = 900, .amplitude = 5000}};
            run_ms(f, 200 + 20 * late, both, 1);
            cf_leg *subject = join_as(f, &config, 0);
            for (int turn = 0; turn < 5; turn++) {
                run_ms(f, 340, both, 2);
                run_ms(f, 700 + 20 * turn, both, 1);
            }
            CHECK(stats_of(subject).own_encodes > 0 && stats_of(subject).shared_frames > 0);
            CHECK(check_rhythm(f, SUBJECT, &kinds[k]) > 50);
            fixture_free(f);
        }
}

/* A member that nobody could send to for a while is not sent what was held back then. */
static void test_nothing_old_comes_after_a_pause(void) {
    for (int k = 0; k < 4; k++)
        for (int pause = 1; pause <= 6; pause++) {
            fixture *f = fixture_new();
            add_room(f, 1);
            join(f, REFERENCE, 1);
            join(f, TALKER, 1);
            cf_leg_config config = ear_config(SUBJECT, &kinds[k]);
            join_as(f, &config, 0);
            voice v = {.id = TALKER, .hz = 440, .amplitude = 5000};
            run_ms(f, 400 + pause * 20, &v, 1);
            int early = head_start(f, REFERENCE, SUBJECT, 0);
            uint32_t start = first_ts(f, SUBJECT), reference = first_ts(f, REFERENCE) - (uint32_t)early;
            CHECK(early >= 0);
            cf_addr nowhere = {0}, there = addr4(SUBJECT, 4000);
            CHECK_INT(cf_core_leg_remote(f->core, SUBJECT, &nowhere, &nowhere), 0);
            run_ms(f, 1000 + pause * 20, &v, 1);
            clear_sent(f);
            CHECK_INT(cf_core_leg_remote(f->core, SUBJECT, &there, &there), 0);
            run_ms(f, 600, &v, 1);
            static int16_t x[LENGTH], y[LENGTH];
            memset(x, -1, sizeof x);
            memset(y, -1, sizeof y);
            lay_out(f, REFERENCE, reference, x);
            CHECK(lay_out(f, SUBJECT, start, y) >= (600 - 60) * 8);
            int other = 0; /* silence where it began within a packet, else what is heard now */
            for (int i = 0; i < LENGTH; i++)
                other += y[i] >= 0 && x[i] >= 0 && x[i] != y[i] && abs(cf_ulaw_decode((uint8_t)y[i])) > 8;
            CHECK(other <= 32); /* the conversion's filter is still in the silence before */
            fixture_free(f);
        }
}

/* From here on the listener has an encoding of its own. */
static void hear_apart(fixture *f, uint64_t listener, uint64_t talker, int32_t gain) {
    cf_pair *pair = cf_pair_new(talker, gain);
    CHECK(pair && cf_core_pair(f->core, listener, &pair) == 0);
    cf_pair_free(pair);
}

/* Its packets begin where those of the shared encoding do, at whatever tick it came: it can go over to that. */
static void test_an_own_encoding_begins_in_step(void) {
    for (int k = 0; k < 4; k++)
        for (int begin = 0; begin < 6; begin++) {
            fixture *f = fixture_new();
            add_room(f, 1);
            join(f, TALKER, 1);
            cf_leg_config shared = ear_config(9, &kinds[k]), config = ear_config(SUBJECT, &kinds[k]);
            join_as(f, &shared, 0);
            voice v = {.id = TALKER, .hz = 440, .amplitude = 5000};
            run_ms(f, 300 + 20 * begin, &v, 1);
            cf_leg *subject = join_as(f, &config, 0);
            hear_apart(f, SUBJECT, TALKER, CF_GAIN_ONE / 2);
            run_ms(f, 300, &v, 1);
            CHECK(stats_of(subject).shared_frames == 0 && stats_of(subject).own_encodes > 0);
            CHECK_INT(cf_core_unpair(f->core, SUBJECT, TALKER), 0);
            run_ms(f, 1000, &v, 1);
            CHECK(stats_of(subject).shared_frames > 0);
            CHECK(check_rhythm(f, SUBJECT, &kinds[k]) * kinds[k].ptime_ms >= 1300 - 60);
            fixture_free(f);
        }
}

/* To an encoding of its own and back at any tick of a packet: no sample is missing or other than the listener's
 * beside it (but for the least gain that makes the encoding its own). */
static void test_going_over_changes_no_sample(void) {
    for (int k = 0; k < 4; k++)
        for (int begin = 0; begin < 6; begin++) {
            fixture *f = fixture_new();
            add_room(f, 1);
            join(f, REFERENCE, 1);
            join(f, TALKER, 1);
            cf_leg_config shared = ear_config(9, &kinds[k]), config = ear_config(SUBJECT, &kinds[k]);
            join_as(f, &shared, 0);
            cf_leg *subject = join_as(f, &config, 0);
            voice v = {.id = TALKER, .hz = 440, .amplitude = 5000};
            run_ms(f, 500 + 20 * begin, &v, 1);
            hear_apart(f, SUBJECT, TALKER, CF_GAIN_ONE + 1);
            run_ms(f, 500, &v, 1);
            CHECK(stats_of(subject).own_encodes > 20);
            uint64_t own = stats_of(subject).own_encodes;
            CHECK_INT(cf_core_unpair(f->core, SUBJECT, TALKER), 0);
            run_ms(f, 500, &v, 1);
            CHECK(stats_of(subject).own_encodes < own + 20);
            CHECK(head_start(f, REFERENCE, SUBJECT, 1) >= 0);
            CHECK(check_rhythm(f, SUBJECT, &kinds[k]) > 0);
            fixture_free(f);
        }
}

/* The largest sample that a member heard from one time to another, ms of what it was sent. */
static int loudest(const fixture *f, uint64_t id, const cf_codec_params *tx, int from, int to) {
    cf_decoder *decoder = cf_decoder_new(tx->codec, cf_codec_clock(tx->codec, tx->rate));
    int16_t pcm[CF_DECODE_MAX];
    int at = 0, done = 0, peak = 0;
    cf_rtp rtp;
    while (next_rtp(f, id, &at, &rtp)) {
        int n = cf_decoder_decode(decoder, rtp.payload, rtp.payload_len, pcm, CF_DECODE_MAX);
        for (int i = 0; i < n; i++, done++)
            if (done >= from * 48 && done < to * 48 && abs(pcm[i]) > peak)
                peak = abs(pcm[i]);
    }
    cf_decoder_free(decoder);
    return peak;
}

/* Long silence is said again and again where that can be done: it must be heard as silence, whatever the codec. */
static void test_silence_is_heard_as_silence(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, TALKER, 1);
    cf_codec_params silent[KINDS + 1];
    memcpy(silent, kinds, sizeof kinds);
    silent[KINDS] = (cf_codec_params){.codec = CF_CODEC_G722, .ptime_ms = 20};
    for (int k = 0; k <= KINDS; k++) {
        cf_leg_config config = ear_config((uint64_t)k + 10, &silent[k]);
        join_as(f, &config, 0);
    }
    voice v = {.id = TALKER, .hz = 700, .amplitude = 9000};
    run_ms(f, 600, &v, 1);
    run_ms(f, 2400, NULL, 0);
    v.ts += 8 * 2400;
    run_ms(f, 300, &v, 1);
    for (int k = 0; k <= KINDS; k++) {
        CHECK(loudest(f, (uint64_t)k + 10, &silent[k], 300, 600) > 7000);
        CHECK(loudest(f, (uint64_t)k + 10, &silent[k], 1500, 2900) <= 12);
        int again = loudest(f, (uint64_t)k + 10, &silent[k], 3000, 3300);
        CHECK(again > 7000 && again < 11000);
    }
    fixture_free(f);
}

/* G.722 adapts in silence too: what is sent is what the encoder makes, whatever the packets' length. */
static void test_g722_is_encoded_through_silence(void) {
    static const cf_codec_params even = {.codec = CF_CODEC_G722}, odd = {.codec = CF_CODEC_G722, .ptime_ms = 30};
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, TALKER, 1);
    cf_leg_config reference = ear_config(REFERENCE, &odd), config = ear_config(SUBJECT, &even);
    join_as(f, &reference, 0);
    join_as(f, &config, 0);
    voice v = {.id = TALKER, .hz = 700, .amplitude = 9000};
    run_ms(f, 600, &v, 1);
    run_ms(f, 2400, NULL, 0);
    v.ts += 8 * 2400;
    run_ms(f, 300, &v, 1);
    CHECK(head_start(f, SUBJECT, REFERENCE, 0) >= 0);
    fixture_free(f);
}

int main(void) {
    RUN(test_every_codec_and_length_has_its_rhythm);
    RUN(test_listeners_hear_the_same_in_packets_of_any_length);
    RUN(test_turns_neither_repeat_nor_skip_a_sample);
    RUN(test_an_own_encoding_begins_in_step);
    RUN(test_going_over_changes_no_sample);
    RUN(test_silence_is_heard_as_silence);
    RUN(test_g722_is_encoded_through_silence);
    RUN(test_nothing_old_comes_after_a_pause);
    return REPORT();
}

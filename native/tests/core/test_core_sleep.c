/* Rooms in which nothing is to be heard: what they still send, that they cost next to nothing, and that they wake. */
#include "testlib.h"

#include "core_fixture.h"

static cf_leg_config opus_ear(uint64_t id, uint64_t room, int dtx) {
    cf_codec_params opus = {.codec = CF_CODEC_OPUS, .complexity = 0, .bitrate = 24000};
    cf_leg_config config = ear_config(id, &opus);
    config.room = room;
    config.dtx = dtx;
    return config;
}

static cf_leg *join_opus(fixture *f, uint64_t id, uint64_t room, int dtx) {
    cf_leg_config config = opus_ear(id, room, dtx);
    return join_as(f, &config, 0);
}

static void test_empty_rooms_are_not_ticked(void) {
    fixture *f = fixture_new();
    for (uint64_t id = 1; id <= 100; id++)
        add_room(f, id);
    CHECK_INT(cf_core_deadline(f->core), INT64_MAX);
    join(f, 1, 7);
    run_ms(f, 1000, NULL, 0);
    CHECK_INT(core_stats(f).ticks, 50);
    leave(f, 1);
    run_ms(f, 1000, NULL, 0);
    CHECK(core_stats(f).ticks <= 51); /* one more, in which the last voice fades */
    CHECK_INT(cf_core_deadline(f->core), INT64_MAX);
    fixture_free(f);
}

/* Payload lengths that a member was sent, with its marker bits. */
static int lengths_of(const fixture *f, uint64_t id, size_t *lengths, bool *markers, int cap) {
    int n = 0, at = 0;
    cf_rtp rtp;
    while (n < cap && next_rtp(f, id, &at, &rtp)) {
        lengths[n] = rtp.payload_len;
        markers[n++] = rtp.marker;
    }
    return n;
}

static void test_a_silent_room_is_transmitted_discontinuously(void) {
    fixture *f = fixture_new();
    size_t lengths[200];
    bool markers[200];
    add_room(f, 1);
    join_opus(f, 1, 1, 1);
    join_opus(f, 2, 1, 1);
    voice v = {.id = 1, .hz = 440, .amplitude = 5000};
    run_ms(f, 1000, &v, 1);
    run_ms(f, 3000, NULL, 0);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    clear_sent(f);
    uint64_t ticks = core_stats(f).ticks, encoded = core_stats(f).frames_encoded;
    run_ms(f, 4000, NULL, 0);
    CHECK_INT(core_stats(f).ticks - ticks, 0);
    CHECK_INT(core_stats(f).frames_encoded - encoded, 0);
    int n = lengths_of(f, 2, lengths, markers, 200);
    CHECK_INT(n, 2); /* one in two seconds */
    for (int i = 0; i < n; i++)
        CHECK(lengths[i] == 1 && !markers[i]);
    clear_sent(f);
    v.ts += 8000 * 7;       /* its clock went on */
    run_ms(f, 1000, &v, 1); /* the packet wakes the room */
    CHECK_INT(core_stats(f).rooms_asleep, 0);
    n = lengths_of(f, 2, lengths, markers, 200);
    CHECK(n >= 45);
    int first = 0;
    while (first < n && lengths[first] == 1)
        first++;
    CHECK(markers[first]); /* a talk spurt begins */
    CHECK(!markers[first + 1]);
    fixture_free(f);
}

/* What is sent of settled silence costs no encoder, is the same for all, and does not stop where nobody asked for DTX.
 */
static void test_a_silent_room_is_sent_the_same_again(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_opus(f, 1, 1, 0);
    join(f, 2, 1);
    run_ms(f, 3000, NULL, 0);
    clear_sent(f);
    uint64_t encoded = core_stats(f).frames_encoded, ticks = core_stats(f).ticks;
    run_ms(f, 1000, NULL, 0);
    CHECK_INT(core_stats(f).frames_encoded - encoded, 0);
    CHECK_INT(core_stats(f).ticks - ticks, 50);
    CHECK_INT(count_rtp(f, 1), 50);
    CHECK_INT(count_rtp(f, 2), 50);
    fixture_free(f);
}

/* Decoded, the seams of settled silence are as quiet as silence encoded all along. */
static int loudest(cf_decoder *decoder, const fixture *f, uint64_t id, int16_t *last_frame) {
    int16_t pcm[CF_DECODE_MAX];
    int most = 0, at = 0;
    cf_rtp rtp;
    while (next_rtp(f, id, &at, &rtp)) {
        int n = cf_decoder_decode(decoder, rtp.payload, rtp.payload_len, pcm, CF_DECODE_MAX);
        for (int k = 0; k < n; k++)
            most = abs(pcm[k]) > most ? abs(pcm[k]) : most;
        if (n >= CF_FRAME)
            memcpy(last_frame, pcm, CF_FRAME * sizeof *pcm);
    }
    return most;
}

static void silence_is_silent(int fec, int low_delay) {
    fixture *f = fixture_new();
    int16_t frame[CF_FRAME];
    add_room(f, 1);
    cf_leg_config config = opus_ear(1, 1, 0);
    config.tx.fec = fec;
    config.tx.loss_percent = fec * 10;
    config.tx.low_delay = low_delay;
    join_as(f, &config, 0);
    join(f, 2, 1);
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_OPUS, 48000);
    voice v = {.id = 2, .hz = 440, .amplitude = 8000};
    run_ms(f, 1000, &v, 1);
    CHECK(loudest(decoder, f, 1, frame) > 6000);
    run_ms(f, 1200, NULL, 0); /* hold, limiter, settling */
    loudest(decoder, f, 1, frame);
    clear_sent(f);
    run_ms(f, 6000, NULL, 0);
    CHECK(loudest(decoder, f, 1, frame) <= 3);
    clear_sent(f);
    v.ts += 8000 * 8; /* its clock went on */
    v.amplitude = 60; /* talks again, softly: a seam would stand out */
    run_ms(f, 1000, &v, 1);
    CHECK(loudest(decoder, f, 1, frame) < 100);
    cf_decoder_free(decoder);
    fixture_free(f);
}

static void test_settled_silence_is_silent_and_ends_without_a_click(void) {
    silence_is_silent(0, 0);
    silence_is_silent(1, 0);
    silence_is_silent(0, 1);
}

static void test_settings_wake_a_room(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_opus(f, 1, 1, 1);
    join_opus(f, 2, 1, 1);
    run_ms(f, 3000, NULL, 0);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    cf_core_leg_deaf(f->core, 1, true);
    CHECK_INT(core_stats(f).rooms_asleep, 0);
    run_ms(f, 3000, NULL, 0);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    join_opus(f, 3, 1, 0); /* wants a packet in each tick: the room stays awake */
    clear_sent(f);
    run_ms(f, 3000, NULL, 0);
    CHECK_INT(core_stats(f).rooms_asleep, 0);
    CHECK_INT(count_rtp(f, 3), 150);
    leave(f, 3);
    run_ms(f, 3000, NULL, 0);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    leave(f, 1);
    leave(f, 2);
    run_ms(f, 500, NULL, 0);
    CHECK_INT(core_stats(f).rooms_asleep, 0);
    cf_room_free(cf_core_room_remove(f->core, 1));
    fixture_free(f);
}

/* Members whose microphones send silence keep their room asleep; their packets are let go by, none is decoded. */
static void test_silent_microphones_do_not_wake(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_opus(f, 1, 1, 1);
    join_opus(f, 2, 1, 1);
    voice v = {.id = 1, .hz = 440, .amplitude = 0};
    run_ms(f, 3000, &v, 1);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    uint64_t decoded = core_stats(f).frames_decoded;
    run_ms(f, 3000, &v, 1);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    CHECK_INT(core_stats(f).frames_decoded - decoded, 0);
    fixture_free(f);
}

/* Rooms fall asleep one after the other, each when a packet was due, and may be looked at in the same period: what that
 * had to say has been sent. */
static void test_no_period_is_sent_twice(void) {
    fixture *f = fixture_new();
    enum { MANY = 60 };
    for (uint64_t id = 101; id <= 119; id++)
        add_room(f, id); /* so that the first to sleep ticks last in the period, and sets the time of looking */
    for (uint64_t id = 1; id <= 4 * MANY; id++) {
        cf_leg_config config = plain_config(id, id);
        config.cn_pt = 13;
        if (id <= MANY) {
            cf_room_config noisy = {.id = id, .noise_dbov = 70};
            CHECK_INT(cf_core_room_add(f->core, cf_room_new(&noisy), f->now), 0);
            join_as(f, &config, 0);
        }
        for (int ms = 0; ms < 20; ms++)
            cf_core_advance(f->core, f->now += MS);
    }
    CHECK_INT(core_stats(f).rooms_asleep, MANY);
    for (uint64_t id = 1; id <= MANY; id++) {
        uint32_t last = 0;
        int packets = 0, at = 0;
        cf_rtp rtp;
        while (next_rtp(f, id, &at, &rtp)) {
            CHECK(packets++ == 0 || cf_ts_diff(rtp.ts, last) > 0);
            last = rtp.ts;
        }
        CHECK(packets > 10);
    }
    fixture_free(f);
}

/* It has been sent this silence all along: it is sent the same again. */
static void test_a_talker_in_a_silent_room_needs_no_encoder(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    join(f, 2, 1);
    voice v = {.id = 1, .hz = 440, .amplitude = 5000};
    run_ms(f, 500, &v, 1);
    v.amplitude = 0;
    run_ms(f, 2500, &v, 1);
    v.amplitude = 5000;
    uint64_t encoded = core_stats(f).frames_encoded;
    run_ms(f, 1000, &v, 1);
    encoded = core_stats(f).frames_encoded - encoded;
    CHECK(encoded > 40 && encoded <= 50); /* what the other hears */
    CHECK(heard_tone(f, 1, 440) < 5);
    fixture_free(f);
}

/* A packet that keeps a sleeping room's paths open tells nothing of who talks in another room. */
static void test_a_sleeping_room_is_told_of_nobody(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    add_room(f, 2);
    cf_leg_config config = opus_ear(1, 1, 1);
    config.csrc_level_ext = 5;
    join_as(f, &config, 0);
    join(f, 2, 2);
    join(f, 3, 2);
    voice v = {.id = 2, .hz = 440, .amplitude = 5000};
    run_ms(f, 3000, &v, 1);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    clear_sent(f);
    run_ms(f, 6000, &v, 1);
    int seen = 0, at = 0;
    cf_rtp rtp;
    for (; next_rtp(f, 1, &at, &rtp); seen++)
        CHECK_INT(f->out[at - 1].data[0] & 0x0F, 0); /* CSRCs */
    CHECK(seen >= 2);
    fixture_free(f);
}

int main(void) {
    RUN(test_empty_rooms_are_not_ticked);
    RUN(test_a_silent_room_is_transmitted_discontinuously);
    RUN(test_a_silent_room_is_sent_the_same_again);
    RUN(test_settled_silence_is_silent_and_ends_without_a_click);
    RUN(test_settings_wake_a_room);
    RUN(test_silent_microphones_do_not_wake);
    RUN(test_no_period_is_sent_twice);
    RUN(test_a_talker_in_a_silent_room_needs_no_encoder);
    RUN(test_a_sleeping_room_is_told_of_nobody);
    return REPORT();
}

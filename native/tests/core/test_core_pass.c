/* Packets of a sole talker are passed on as they came: when, to whom, and that nobody hears where it begins and ends.
 */
#include "testlib.h"

#include "../audio/signals.h"
#include "conferocore/agc.h"
#include "core_fixture.h"

enum {
    OPUS_PT = 111,
    SECONDS_MAX = 40,
    ALIGNED_MS = 3000, /* in its first pause a voice comes to lie on its packets */
    HEARD_MAX = SECONDS_MAX * CF_RATE
};

/* A member that talks Opus, as a browser does: a speech encoder of its own at better than the mixer's complexity. */
typedef struct talker {
    uint64_t id;
    cf_encoder *encoder;
    const int16_t *says; /* NULL: nothing is sent */
    size_t at, len;
    uint16_t seq;
    uint32_t ts;
    uint8_t last[CF_PAYLOAD_MAX];
    int last_len;
} talker;

static cf_codec_params browser_params(void) {
    return (cf_codec_params){.codec = CF_CODEC_OPUS, .bitrate = 32000, .complexity = 9, .fec = 1, .loss_percent = 10};
}

static talker talker_new(uint64_t id, const int16_t *says, size_t len) {
    cf_codec_params params = browser_params();
    return (talker){.id = id, .encoder = cf_encoder_new(&params), .says = says, .len = len};
}

static void talk(fixture *f, talker *t) {
    t->ts += 960;
    if (!t->says)
        return;
    uint8_t packet[1500];
    int at = cf_rtp_write(packet, sizeof packet, OPUS_PT, false, t->seq++, t->ts, (uint32_t)t->id + 1000, NULL, 0);
    t->last_len = cf_encoder_once(t->encoder, t->says + t->at % t->len, t->last, sizeof t->last);
    t->at += CF_FRAME;
    memcpy(packet + at, t->last, (size_t)t->last_len);
    cf_path path = plain_path(t->id);
    cf_core_receive(f->core, &path, packet, (size_t)(at + t->last_len), f->now);
}

static cf_leg_config opus_config(uint64_t id) {
    cf_leg_config config = plain_config(id, 1);
    config.tx = (cf_codec_params){.codec = CF_CODEC_OPUS, .bitrate = 32000, .complexity = 5};
    config.tx_pt = OPUS_PT;
    config.rx[0] = (cf_pt_map){OPUS_PT, CF_CODEC_OPUS, 48000};
    return config;
}

static void join_opus(fixture *f, uint64_t id) {
    cf_leg_config config = opus_config(id);
    join_as(f, &config, 0);
}

static void add_room_with(fixture *f, int transcode) {
    cf_room_config config = {.id = 1, .transcode = transcode};
    cf_room *room = cf_room_new(&config);
    CHECK_INT(cf_core_room_add(f->core, room, f->now), 0);
}

/* What one member hears, decoded packet by packet. */
typedef struct ear {
    uint64_t id;
    cf_decoder *decoder;
    int16_t *pcm;
    size_t n;
    size_t passed; /* packets that were the first talker's own */
} ear;

static ear ear_new(uint64_t id) {
    return (ear){.id = id, .decoder = cf_decoder_new(CF_CODEC_OPUS, 48000), .pcm = calloc(HEARD_MAX, sizeof(int16_t))};
}

static void ear_free(ear *e) {
    cf_decoder_free(e->decoder);
    free(e->pcm);
}

static void hear(fixture *f, ear *e) {
    int at = 0;
    cf_rtp rtp;
    while (e->n + CF_FRAME <= HEARD_MAX && next_rtp(f, e->id, &at, &rtp)) {
        int n = cf_decoder_decode(e->decoder, rtp.payload, rtp.payload_len, e->pcm + e->n, CF_FRAME);
        CHECK_INT(n, CF_FRAME);
        e->n += CF_FRAME;
    }
}

static void run(fixture *f, int ms, talker *talkers, int count, ear *ears, int ear_count) {
    for (int t = 0; t < ms; t += 20) {
        for (int i = 0; i < count; i++)
            talk(f, &talkers[i]);
        f->now += 20 * MS;
        cf_core_advance(f->core, f->now);
        for (int i = 0; i < ear_count; i++)
            hear(f, &ears[i]);
        clear_sent(f);
    }
}

static int16_t babble[4 * CF_RATE], tone[CF_RATE], soft[CF_RATE];

/* A second of a tone that takes breath: without pauses a stream's frames need not lie on its packets. */
static void breathing(int16_t *out, double hz, double amplitude) {
    enum { BREATH = 60 * 48, RAMP = 10 * 48 };
    test_tone(out, CF_RATE, hz, CF_RATE, amplitude, 0);
    for (int i = 0; i < BREATH; i++) {
        double left = i < RAMP ? (RAMP - i) / (double)RAMP : i > BREATH - RAMP ? (i - BREATH + RAMP) / (double)RAMP : 0;
        out[i] = (int16_t)(out[i] * left + (i % 3) - 1);
    }
}

static void make_signals(void) {
    test_babble(babble, sizeof babble / sizeof *babble, 9000, 5);
    for (size_t i = 0; i < sizeof babble / sizeof *babble; i++) /* never quite silent */
        babble[i] = (int16_t)(babble[i] + (int)(i * 7919 % 21) - 10);
    breathing(tone, 440, 8000);
    test_tone(soft, CF_RATE, 700, CF_RATE, 120, 0);
}

static void test_a_sole_talker_is_passed_on(void) {
    fixture *f = fixture_new();
    add_room_with(f, 0);
    for (uint64_t id = 1; id <= 3; id++)
        join_opus(f, id);
    talker t = talker_new(1, tone, CF_RATE);
    ear e = ear_new(2);
    run(f, ALIGNED_MS, &t, 1, &e, 1);
    uint64_t encoded = core_stats(f).frames_encoded, passed = core_stats(f).frames_passed;
    size_t from = e.n;
    run(f, 1000, &t, 1, &e, 1);
    CHECK_INT(core_stats(f).frames_encoded - encoded, 0); /* not even the talker's own silence */
    CHECK_INT(core_stats(f).frames_passed - passed, 50);
    CHECK(test_amplitude(e.pcm + from, CF_RATE, 440, CF_RATE) > 7000);
    ear_free(&e);
    cf_encoder_free(t.encoder);
    fixture_free(f);
}

static void test_a_room_may_forbid_it(void) {
    fixture *f = fixture_new();
    add_room_with(f, 1);
    join_opus(f, 1);
    join_opus(f, 2);
    talker t = talker_new(1, tone, CF_RATE);
    run(f, 2000, &t, 1, NULL, 0);
    CHECK_INT(core_stats(f).frames_passed, 0);
    cf_encoder_free(t.encoder);
    fixture_free(f);
}

/* Only to those who would be sent the same codec in the same mode, and never a voice that somebody has turned down. */
static void test_not_to_everybody_and_not_everything(void) {
    fixture *f = fixture_new();
    add_room_with(f, 0);
    join_opus(f, 1);
    join(f, 2, 1); /* G.711 */
    cf_leg_config celt = opus_config(3), poor = opus_config(4);
    celt.tx.low_delay = 1;
    poor.tx.bitrate = 8000;
    join_as(f, &celt, 0);
    join_as(f, &poor, 0);
    talker t = talker_new(1, tone, CF_RATE);
    run(f, 2000, &t, 1, NULL, 0);
    CHECK_INT(core_stats(f).frames_passed, 0);
    join_opus(f, 5);
    run(f, ALIGNED_MS, &t, 1, NULL, 0);
    uint64_t passed = core_stats(f).frames_passed;
    CHECK(passed > 30);
    CHECK_INT(cf_core_leg_gain(f->core, 1, CF_GAIN_ONE / 2), 0);
    run(f, 1000, &t, 1, NULL, 0);
    CHECK(core_stats(f).frames_passed - passed <= 1);
    cf_encoder_free(t.encoder);
    fixture_free(f);
}

/* Two legs that both talk are bridged without an encoder; when a third talks all three are mixed for each other. */
static void test_two_are_bridged_until_a_third_joins(void) {
    static int16_t third[CF_RATE];
    breathing(third, 1000, 6000);
    static int16_t other[CF_RATE];
    breathing(other, 620, 6000);
    fixture *f = fixture_new();
    add_room_with(f, 0);
    join_opus(f, 1);
    join_opus(f, 2);
    talker talkers[3] = {talker_new(1, tone, CF_RATE), talker_new(2, other, CF_RATE), talker_new(3, third, CF_RATE)};
    ear ears[2] = {ear_new(1), ear_new(2)};
    run(f, ALIGNED_MS, talkers, 2, ears, 2);
    uint64_t encoded = core_stats(f).frames_encoded;
    size_t from = ears[0].n;
    run(f, 1000, talkers, 2, ears, 2);
    CHECK_INT(core_stats(f).frames_encoded - encoded, 0);
    CHECK(test_amplitude(ears[0].pcm + from, CF_RATE, 620, CF_RATE) > 5000);
    CHECK(test_amplitude(ears[0].pcm + from, CF_RATE, 440, CF_RATE) < 60);
    CHECK(test_amplitude(ears[1].pcm + from, CF_RATE, 440, CF_RATE) > 7000);
    join_opus(f, 3);
    run(f, 1000, talkers, 3, ears, 2);
    from = ears[0].n;
    encoded = core_stats(f).frames_encoded;
    run(f, 1000, talkers, 3, ears, 2);
    CHECK(core_stats(f).frames_encoded - encoded >= 150);
    CHECK(test_amplitude(ears[0].pcm + from, CF_RATE, 620, CF_RATE) > 5000);
    CHECK(test_amplitude(ears[0].pcm + from, CF_RATE, 1000, CF_RATE) > 5000);
    CHECK(test_amplitude(ears[1].pcm + from, CF_RATE, 1000, CF_RATE) > 5000);
    for (int i = 0; i < 3; i++)
        cf_encoder_free(talkers[i].encoder);
    ear_free(&ears[0]);
    ear_free(&ears[1]);
    fixture_free(f);
}

/* The loudest sharp bend around each moment at which a second, soft voice comes or goes; `whole`: of all that was
 * heard. */
static int seams(int transcode, const int16_t *says, size_t len, int *whole) {
    fixture *f = fixture_new();
    add_room_with(f, transcode);
    for (uint64_t id = 1; id <= 3; id++)
        join_opus(f, id);
    talker talkers[2] = {talker_new(1, says, len), talker_new(2, NULL, CF_RATE)};
    ear e = ear_new(3);
    int worst = 0;
    run(f, ALIGNED_MS, talkers, 2, &e, 1);
    for (int turn = 0; turn < 6; turn++) {
        bool comes = turn % 2 == 0;
        size_t from = e.n;
        talkers[1].says = comes ? soft : NULL;
        run(f, comes ? 240 + 60 * turn : 1100, talkers, 2, &e, 1);
        int bend = test_bend(e.pcm + from - CF_FRAME, (comes ? 8 : 50) * CF_FRAME);
        worst = bend > worst ? bend : worst;
    }
    CHECK(transcode ? core_stats(f).frames_passed == 0 : core_stats(f).frames_passed > 60);
    *whole = test_bend(e.pcm + CF_RATE / 2, e.n - CF_RATE / 2);
    ear_free(&e);
    for (int i = 0; i < 2; i++)
        cf_encoder_free(talkers[i].encoder);
    fixture_free(f);
    return worst;
}

/* The same speech without a mixer: what bends are its own. */
static int bend_of_itself(const int16_t *says, size_t len) {
    static int16_t out[10 * CF_RATE];
    talker t = talker_new(1, says, len);
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_OPUS, CF_RATE);
    for (size_t n = 0; n < 10 * CF_RATE; n += CF_FRAME) {
        int size = cf_encoder_once(t.encoder, says + n % len, t.last, sizeof t.last);
        cf_decoder_decode(decoder, t.last, (size_t)size, out + n, CF_FRAME);
    }
    cf_decoder_free(decoder);
    cf_encoder_free(t.encoder);
    return test_bend(out + CF_RATE / 2, 9 * CF_RATE);
}

static void going_over(const int16_t *says, size_t len) {
    int mixed, ignored, itself = bend_of_itself(says, len);
    seams(1, says, len, &mixed);
    int natural = mixed > itself ? mixed : itself;
    CHECK(seams(0, says, len, &ignored) <= natural * 5 / 4);
}

static void test_going_over_is_not_heard(void) {
    going_over(tone, CF_RATE);
    going_over(babble, sizeof babble / sizeof *babble);
}

/* A listener that begins to talk goes on hearing the other's packets; its own encoder takes over when there is more to
 * hear. */
static void test_a_listener_that_begins_to_talk_hears_no_seam(void) {
    fixture *f = fixture_new();
    add_room_with(f, 0);
    for (uint64_t id = 1; id <= 3; id++)
        join_opus(f, id);
    talker talkers[3] = {talker_new(1, tone, CF_RATE), talker_new(2, NULL, CF_RATE), talker_new(3, NULL, CF_RATE)};
    ear e = ear_new(2);
    run(f, ALIGNED_MS, talkers, 3, &e, 1);
    int calm = test_bend(e.pcm + CF_RATE, e.n - CF_RATE);
    size_t from = e.n;
    talkers[1].says = soft;
    run(f, 1000, talkers, 3, &e, 1);
    CHECK(test_bend(e.pcm + from - CF_FRAME, e.n - from) < calm * 3 / 2);
    from = e.n;
    talkers[2].says = soft;
    run(f, 1000, talkers, 3, &e, 1);
    CHECK(test_bend(e.pcm + from - CF_FRAME, e.n - from) < calm * 3);
    CHECK(test_amplitude(e.pcm + e.n - CF_RATE / 2, CF_RATE / 2, 440, CF_RATE) > 6500);
    for (int i = 0; i < 3; i++)
        cf_encoder_free(talkers[i].encoder);
    ear_free(&e);
    fixture_free(f);
}

/* With automatic gain only who needs none is passed on. */
static void test_who_is_made_louder_is_not_passed_on(void) {
    static int16_t level[CF_RATE];
    const double at_target = 32768 * sqrt(2) * pow(10, -CF_AGC_TARGET / 20.0);
    for (int softer = 1; softer <= 4; softer *= 4) {
        breathing(level, 440, at_target / softer);
        fixture *f = fixture_new();
        add_room(f, 1);
        cf_leg_config config = opus_config(1);
        config.agc = 1;
        join_as(f, &config, 0);
        join_opus(f, 2);
        talker one = talker_new(1, level, CF_RATE);
        ear e = ear_new(2);
        run(f, 6000, &one, 1, &e, 1);
        uint64_t before = core_stats(f).frames_passed;
        size_t from = e.n;
        run(f, 1000, &one, 1, &e, 1);
        CHECK_INT(core_stats(f).frames_passed - before, softer == 1 ? 50 : 0);
        CHECK(fabs(test_amplitude(e.pcm + from, CF_RATE, 440, CF_RATE) / at_target - 1) < 0.1);
        cf_encoder_free(one.encoder);
        ear_free(&e);
        fixture_free(f);
    }
}

int main(void) {
    make_signals();
    RUN(test_a_sole_talker_is_passed_on);
    RUN(test_a_room_may_forbid_it);
    RUN(test_not_to_everybody_and_not_everything);
    RUN(test_two_are_bridged_until_a_third_joins);
    RUN(test_going_over_is_not_heard);
    RUN(test_a_listener_that_begins_to_talk_hears_no_seam);
    RUN(test_who_is_made_louder_is_not_passed_on);
    return REPORT();
}

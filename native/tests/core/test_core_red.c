/* Redundancy in the core: losses mended on the way in, earlier payloads on the way out, as many as the loss asks for.
 */
#include "testlib.h"

#include "conferocore/red.h"
#include "conferocore/rtcp.h"
#include "core_fixture.h"

enum { OPUS_PT = 111, RED_PT = 63 };

static cf_leg_config opus_config(uint64_t id) {
    cf_leg_config config = plain_config(id, 1);
    config.tx = (cf_codec_params){.codec = CF_CODEC_OPUS, .complexity = 1};
    config.tx_pt = OPUS_PT;
    config.rx_count = 2;
    config.rx[0] = (cf_pt_map){OPUS_PT, CF_CODEC_OPUS, 48000};
    config.rx[1] = (cf_pt_map){RED_PT, CF_CODEC_RED, 48000};
    config.red_pt = RED_PT;
    return config;
}

/* A member that talks Opus, with redundancy or without. */
typedef struct talker {
    cf_encoder *encoder;
    cf_red_sender red;
    int depth;
    uint16_t seq;
    uint32_t n;
} talker;

static talker talker_new(int depth) {
    talker t = {.encoder = cf_encoder_new(&(cf_codec_params){.codec = CF_CODEC_OPUS, .complexity = 1}), .depth = depth};
    t.seq = 65500;
    cf_red_sender_init(&t.red);
    return t;
}

static void talk(fixture *f, talker *t, bool lost) {
    int16_t pcm[CF_FRAME];
    uint8_t payload[CF_PAYLOAD_MAX], packet[CF_RTP_MAX];
    for (uint32_t i = 0; i < CF_FRAME; i++)
        pcm[i] = (int16_t)(8000 * sin(2 * M_PI * 400 * (t->n * CF_FRAME + i) / 48000.0));
    uint32_t ts = t->n * 960;
    int len = cf_encoder_once(t->encoder, pcm, payload, sizeof payload);
    int at = cf_rtp_write(packet, sizeof packet, t->depth ? RED_PT : OPUS_PT, false, t->seq++, ts, 77, NULL, 0);
    if (t->depth)
        len =
            cf_red_send(&t->red, t->depth, OPUS_PT, ts, payload, (size_t)len, packet + at, sizeof packet - (size_t)at);
    else
        memcpy(packet + at, payload, (size_t)len);
    t->n++;
    cf_path path = plain_path(1);
    if (!lost)
        cf_core_receive(f->core, &path, packet, (size_t)(at + len), f->now);
    f->now += 20 * MS;
    cf_core_advance(f->core, f->now);
}

/* 40 s of a tone under 10 % loss, every fifth of it in pairs: samples concealed in the last 30 s; what came again. */
static uint64_t concealed_with(int depth, uint64_t *recovered) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = opus_config(1);
    cf_leg *leg = join_as(f, &config, 0);
    talker t = talker_new(depth);
    uint64_t before = 0;
    for (int i = 0; i < 2000; i++) {
        if (i == 500)
            before = stats_of(leg).playout.concealed;
        talk(f, &t, i > 50 && (i % 12 == 0 || i % 60 == 1));
    }
    cf_leg_stats stats = stats_of(leg);
    CHECK_INT(stats.rx_dropped, 0);
    static const uint32_t missing[] = {1950 / 12 + 1950 / 60 + 2, 1950 / 60 + 2, 2};
    CHECK(stats.playout.packets >= t.n - missing[depth]);
    *recovered = stats.rx_recovered;
    cf_encoder_free(t.encoder);
    fixture_free(f);
    return stats.playout.concealed - before;
}

static void test_losses_are_mended(void) {
    uint64_t recovered[3], concealed[3];
    for (int depth = 0; depth < 3; depth++)
        concealed[depth] = concealed_with(depth, &recovered[depth]);
    printf("concealed of 30 s under 10 %% loss: %.0f ms, with one earlier payload %.0f ms, with two %.0f ms\n",
           (double)concealed[0] / 48, (double)concealed[1] / 48, (double)concealed[2] / 48);
    CHECK_INT(recovered[0], 0);
    CHECK(concealed[0] > 125 * 960);
    CHECK(recovered[1] >= 160 && concealed[1] < concealed[0] / 3); /* of a pair the second comes again */
    CHECK(recovered[2] >= 190 && concealed[2] <= 960);
}

/* Nothing is lost: redundancy changes nothing of what is heard, and is no reason to wait longer. */
static void test_copies_are_not_played_twice(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = opus_config(1);
    cf_leg *leg = join_as(f, &config, 0);
    talker t = talker_new(2);
    for (int i = 0; i < 300; i++)
        talk(f, &t, false);
    cf_leg_stats stats = stats_of(leg);
    CHECK(stats.rx_recovered <= 2); /* the two before the first packet */
    CHECK_INT(stats.playout.duplicate + stats.playout.late + stats.playout.lost, 0);
    CHECK(stats.playout.target_ms <= 40);
    cf_encoder_free(t.encoder);
    fixture_free(f);
}

static void test_malformed_redundancy_is_dropped(void) {
    static const uint8_t bad[][6] = {{0xef, 0, 0, 50, 111, 1}, {0xef, 0xff}, {63, 1, 2, 3, 4, 5}, {5, 1, 2}};
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = opus_config(1);
    cf_leg *leg = join_as(f, &config, 0);
    for (size_t i = 0; i < 4; i++) {
        uint8_t packet[64];
        int at = cf_rtp_write(packet, sizeof packet, RED_PT, false, (uint16_t)i, (uint32_t)i * 960, 77, NULL, 0);
        memcpy(packet + at, bad[i], sizeof bad[i]);
        cf_path path = plain_path(1);
        cf_core_receive(f->core, &path, packet, (size_t)at + sizeof bad[i], f->now);
    }
    CHECK_INT(stats_of(leg).rx_dropped, 4);
    fixture_free(f);
}

static void report_loss(fixture *f, cf_leg *leg, uint32_t ssrc, uint8_t fraction) {
    (void)leg;
    uint8_t out[64];
    size_t len = 0;
    cf_rtcp_report block = {.ssrc = ssrc, .fraction_lost = fraction};
    CHECK_INT(cf_rtcp_write_rr(out, sizeof out, &len, 77, &block, 1), 0);
    CHECK_INT(cf_rtcp_write_cname(out, sizeof out, &len, 77, "x"), 0);
    cf_path path = plain_path(1);
    cf_core_receive(f->core, &path, out, len, f->now);
}

/* The blocks of the last packet to leg 1; 0: plain. */
static int blocks_sent(fixture *f, uint32_t *ssrc) {
    int blocks = -1;
    clear_sent(f);
    run_ms(f, 200, NULL, 0);
    for (int i = 0; i < f->out_count; i++) {
        cf_rtp rtp;
        cf_red red;
        bool rtcp;
        if (!cf_rtp_looks_like(f->out[i].data, f->out[i].len, &rtcp) || rtcp ||
            cf_rtp_parse(&rtp, f->out[i].data, f->out[i].len))
            continue;
        *ssrc = rtp.ssrc;
        blocks = 0;
        if (rtp.pt == RED_PT) {
            CHECK_INT(cf_red_parse(&red, rtp.payload, rtp.payload_len), 0);
            blocks = (int)red.count;
            for (size_t k = 0; k < red.count; k++)
                CHECK(red.blocks[k].pt == OPUS_PT && red.blocks[k].offset == 960 * (red.count - 1 - k));
        }
    }
    return blocks;
}

static void test_as_much_goes_out_as_the_loss_asks_for(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = opus_config(1);
    config.red = CF_RED_AUTO;
    cf_leg *leg = join_as(f, &config, 0);
    uint32_t ssrc = 0;
    CHECK_INT(blocks_sent(f, &ssrc), 0);
    report_loss(f, leg, ssrc, 2); /* under 1 % */
    CHECK_INT(blocks_sent(f, &ssrc), 0);
    report_loss(f, leg, ssrc, 8); /* 3 % */
    CHECK_INT(blocks_sent(f, &ssrc), 2);
    report_loss(f, leg, ssrc, 30); /* 12 % */
    CHECK_INT(blocks_sent(f, &ssrc), 3);
    report_loss(f, leg, ssrc, 0); /* one report without loss changes nothing yet */
    CHECK_INT(blocks_sent(f, &ssrc), 3);
    run_ms(f, 16000, NULL, 0);
    report_loss(f, leg, ssrc, 0);
    CHECK_INT(blocks_sent(f, &ssrc), 0);
    fixture_free(f);
}

static void test_a_fixed_number_goes_out(void) {
    for (int depth = 0; depth <= 2; depth++) {
        fixture *f = fixture_new();
        add_room(f, 1);
        cf_leg_config config = opus_config(1);
        config.red = depth;
        join_as(f, &config, 0);
        uint32_t ssrc;
        CHECK_INT(blocks_sent(f, &ssrc), depth ? depth + 1 : 0);
        fixture_free(f);
    }
    cf_leg_config bad = opus_config(1);
    bad.red = 3;
    CHECK(cf_leg_new(&bad, 1) == NULL);
}

int main(void) {
    RUN(test_losses_are_mended);
    RUN(test_copies_are_not_played_twice);
    RUN(test_malformed_redundancy_is_dropped);
    RUN(test_as_much_goes_out_as_the_loss_asks_for);
    RUN(test_a_fixed_number_goes_out);
    return REPORT();
}

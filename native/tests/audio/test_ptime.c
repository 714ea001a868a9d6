/* Packets of 10 to 60 ms out of ticks of 20: none lost, none early, the same sound in each. */
#include "codeclab.h"

#include <errno.h>

enum { TICKS = 60, STREAM = 64 * 1024 };

static const cf_codec_params codecs[] = {
    {.codec = CF_CODEC_PCMU},
    {.codec = CF_CODEC_PCMA},
    {.codec = CF_CODEC_G722},
    {.codec = CF_CODEC_L16, .rate = 8000},
    {.codec = CF_CODEC_L16, .rate = 16000},
    {.codec = CF_CODEC_L16, .rate = 24000},
    {.codec = CF_CODEC_L16, .rate = 48000},
    {.codec = CF_CODEC_OPUS, .complexity = 5},
    {.codec = CF_CODEC_OPUS, .complexity = 5, .low_delay = 1},
    {.codec = CF_CODEC_OPUS, .complexity = 5, .bitrate = 16000, .fec = 1, .loss_percent = 10},
    {.codec = CF_CODEC_OPUS, .complexity = 5, .bitrate = 64000, .channels = 2},
};
static const int ptimes[] = {10, 20, 30, 40, 60};
enum { CODECS = sizeof codecs / sizeof *codecs, PTIMES = sizeof ptimes / sizeof *ptimes };

/* The largest ptime whose payload fits: RFC 3551 leaves L16 large. */
static int ptime_most(const cf_codec_params *params) {
    return params->codec == CF_CODEC_L16 ? CF_PAYLOAD_MAX * 1000 / 2 / params->rate : 60;
}

static cf_encoder *encoder_for(int codec, int ptime) {
    cf_codec_params params = codecs[codec];
    params.ptime_ms = ptime;
    cf_encoder *encoder = cf_encoder_new(&params);
    bool offered = ptime <= ptime_most(&params) && (params.codec != CF_CODEC_OPUS || ptime != 30);
    CHECK_INT(encoder != NULL, offered);
    return encoder;
}

/* Each packet begins where the last one ended, and comes in the tick in which it ends. */
static void check_times(const cf_encoded *made, int tick, int ptime, int64_t *next) {
    for (int part = 0; part < made->count; part++) {
        int64_t start = (int64_t)tick * CF_FRAME + made->part[part].offset, end = start + ptime * 48;
        CHECK_INT(start, *next);
        CHECK(end > (int64_t)tick * CF_FRAME && end <= (int64_t)(tick + 1) * CF_FRAME);
        *next = end;
    }
    CHECK((int64_t)(tick + 1) * CF_FRAME - *next < ptime * 48);
}

static void test_packets_come_when_they_end(void) {
    for (int codec = 0; codec < CODECS; codec++)
        for (int k = 0; k < PTIMES; k++) {
            cf_encoder *encoder = encoder_for(codec, ptimes[k]);
            int64_t next = 0;
            cf_encoded made;
            for (int tick = 0; encoder && tick < TICKS; tick++) {
                CHECK_INT(cf_encoder_encode(encoder, speech + tick * CF_FRAME, &made), 0);
                check_times(&made, tick, ptimes[k], &next);
                for (int part = 0; part < made.count; part++)
                    CHECK_INT(cf_decoder_duration(codecs[codec].codec,
                                                  cf_codec_clock(codecs[codec].codec, codecs[codec].rate),
                                                  made.payload[part], made.part[part].len),
                              ptimes[k] * 48);
            }
            cf_encoder_free(encoder);
        }
}

/* The octets of all packets in a row. */
static size_t stream_of(int codec, int ptime, uint8_t *stream) {
    cf_encoder *encoder = encoder_for(codec, ptime);
    size_t len = 0;
    cf_encoded made;
    for (int tick = 0; encoder && tick < TICKS; tick++) {
        cf_encoder_encode(encoder, speech + tick * CF_FRAME, &made);
        for (int part = 0; part < made.count; part++) {
            memcpy(stream + len, made.payload[part], made.part[part].len);
            len += made.part[part].len;
        }
    }
    cf_encoder_free(encoder);
    return len;
}

static void test_the_length_of_packets_does_not_change_a_sample(void) {
    static uint8_t reference[4 * STREAM], stream[4 * STREAM];
    for (int codec = 0; codec < CODECS && codecs[codec].codec != CF_CODEC_OPUS; codec++) {
        size_t want = stream_of(codec, 10, reference);
        CHECK(want > 0);
        for (int k = 1; k < PTIMES; k++) {
            size_t len = stream_of(codec, ptimes[k], stream);
            CHECK(len <= want && memcmp(stream, reference, len) == 0);
            CHECK_INT(len, ptimes[k] <= ptime_most(&codecs[codec]) ? want : 0); /* 1,200 ms hold whole packets */
        }
    }
}

static void test_a_tone_is_heard_in_packets_of_any_length(void) {
    static int16_t tone[SAMPLES];
    test_tone(tone, SAMPLES, 1000, CF_RATE, 8000, 0);
    for (int codec = 0; codec < CODECS; codec++)
        for (int k = 0; k < PTIMES; k++) {
            cf_encoder *encoder = encoder_for(codec, ptimes[k]);
            if (!encoder)
                continue;
            cf_decoder *decoder = decoder_of(&codecs[codec]);
            size_t n = 0;
            cf_encoded made;
            for (int tick = 0; tick < TICKS; tick++) {
                cf_encoder_encode(encoder, tone + tick * CF_FRAME, &made);
                for (int part = 0; part < made.count; part++)
                    n += (size_t)cf_decoder_decode(decoder, made.payload[part], made.part[part].len, out + n,
                                                   CF_DECODE_MAX);
            }
            CHECK_INT(n, TICKS * CF_FRAME);
            CHECK(fabs(20 * log10(test_amplitude(out + n / 2, n / 2, 1000, CF_RATE) / 8000)) < 1);
            CHECK(test_residual_db(out + n / 2, n / 2, 1000, CF_RATE) < -20);
            cf_encoder_free(encoder);
            cf_decoder_free(decoder);
        }
}

static bool same(const cf_encoded *a, const cf_encoded *b) {
    bool alike = a->count == b->count;
    for (int part = 0; alike && part < a->count; part++)
        alike = a->part[part].len == b->part[part].len && a->part[part].offset == b->part[part].offset &&
                memcmp(a->payload[part], b->payload[part], a->part[part].len) == 0;
    return alike;
}

/* At whatever tick of a packet the listener begins to talk: what is held back goes over with the rest. */
static void clone_at(int codec, int ptime, int seam) {
    cf_encoder *shared = encoder_for(codec, ptime), *own = encoder_for(codec, ptime), *one = encoder_for(codec, ptime);
    cf_encoded a, b;
    for (int tick = 0; shared && tick < seam; tick++) {
        cf_encoder_encode(shared, speech + tick * CF_FRAME, &a);
        cf_encoder_encode(one, speech + tick * CF_FRAME, &a);
        if (tick % 2)
            cf_encoder_encode(own, other, &a);
    }
    CHECK(!shared || cf_encoder_clone(own, shared) == 0);
    for (int tick = seam; shared && tick < seam + 7; tick++) {
        cf_encoder_encode(own, other + tick * CF_FRAME, &a);
        cf_encoder_encode(one, other + tick * CF_FRAME, &b);
        CHECK(same(&a, &b));
    }
    cf_encoder_free(shared);
    cf_encoder_free(own);
    cf_encoder_free(one);
}

static void test_a_clone_takes_over_what_is_held_back(void) {
    for (int codec = 0; codec < CODECS; codec++)
        for (int k = 0; k < PTIMES; k++)
            for (int seam = 9; seam < 15; seam++)
                clone_at(codec, ptimes[k], seam);
}

static void test_reset_forgets_what_is_held_back(void) {
    cf_encoder *encoder = cf_encoder_new(&(cf_codec_params){.codec = CF_CODEC_G722, .ptime_ms = 60});
    cf_encoded made;
    CHECK_INT(cf_encoder_encode(encoder, speech, &made), 0);
    CHECK_INT(made.count, 0);
    cf_encoder_reset(encoder);
    for (int tick = 0; tick < 3; tick++)
        CHECK_INT(cf_encoder_encode(encoder, speech, &made), 0);
    CHECK_INT(made.count, 1);
    CHECK_INT(made.part[0].offset, -2 * CF_FRAME);
    cf_encoder_free(encoder);
}

/* One that begins at any tick ends its packets with those of one that has run from the first: with silence before. */
static void test_aligned_encoders_keep_step(void) {
    for (int k = 0; k < PTIMES; k++)
        for (int begin = 1; begin < 8; begin++) {
            cf_encoder *first = encoder_for(0, ptimes[k]), *late = encoder_for(0, ptimes[k]);
            cf_encoded a, b;
            for (int tick = 0; tick < 20; tick++) {
                cf_encoder_encode(first, speech + tick * CF_FRAME, &a);
                if (tick == begin)
                    cf_encoder_align(late, (uint64_t)tick + 6 * UINT64_C(1000000000000));
                if (tick < begin)
                    continue;
                cf_encoder_encode(late, speech + tick * CF_FRAME, &b);
                CHECK_INT(b.count, a.count);
                for (int part = 0; part < a.count; part++)
                    CHECK_INT(b.part[part].offset, a.part[part].offset);
                CHECK(tick < begin + 4 || same(&a, &b));
            }
            cf_encoder_free(first);
            cf_encoder_free(late);
        }
}

static void test_one_packet_a_tick_or_none_at_all(void) {
    uint8_t payload[CF_PAYLOAD_MAX];
    cf_encoder *even = encoder_for(0, 20), *slow = encoder_for(0, 40), *fast = encoder_for(0, 10);
    CHECK_INT(cf_encoder_once(even, speech, payload, sizeof payload), 160);
    CHECK_INT(cf_encoder_once(even, speech, payload, 159), -ENOSPC);
    CHECK_INT(cf_encoder_once(slow, speech, payload, sizeof payload), -ENOSPC);
    CHECK_INT(cf_encoder_once(fast, speech, payload, sizeof payload), -ENOSPC);
    cf_encoder_free(even);
    cf_encoder_free(slow);
    cf_encoder_free(fast);
}

int main(void) {
    test_babble(speech, SAMPLES, 20000, 1);
    test_babble(other, SAMPLES, 20000, 2);
    RUN(test_packets_come_when_they_end);
    RUN(test_the_length_of_packets_does_not_change_a_sample);
    RUN(test_a_tone_is_heard_in_packets_of_any_length);
    RUN(test_a_clone_takes_over_what_is_held_back);
    RUN(test_reset_forgets_what_is_held_back);
    RUN(test_aligned_encoders_keep_step);
    RUN(test_one_packet_a_tick_or_none_at_all);
    return REPORT();
}

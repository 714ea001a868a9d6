/* Comfort noise in place of silence (RFC 3389): who takes it is sent a packet now and then, and hears the next word
 * whole.
 */
#include "testlib.h"

#include "../audio/signals.h"
#include "conferocore/noise.h"
#include "core_fixture.h"

enum { TALKER = 1, EAR = 2, CN = 13 };

static const cf_codec_params kinds[] = {{.codec = CF_CODEC_PCMU},
                                        {.codec = CF_CODEC_PCMA, .ptime_ms = 60},
                                        {.codec = CF_CODEC_G722},
                                        {.codec = CF_CODEC_G722, .ptime_ms = 30},
                                        {.codec = CF_CODEC_L16, .rate = 8000}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static cf_leg *join_ear(fixture *f, uint64_t id, const cf_codec_params *tx, int cn_pt) {
    cf_leg_config config = ear_config(id, tx);
    config.cn_pt = cn_pt;
    return join_as(f, &config, 0);
}

/* A room of two that take comfort noise, in which one has talked and then fallen silent. */
static fixture *silent_room(const cf_codec_params *tx, voice *v) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_ear(f, TALKER, tx, CN);
    join_ear(f, EAR, tx, CN);
    run_ms(f, 1000, v, 1);
    return f;
}

static void test_silence_is_sent_as_comfort_noise(void) {
    for (int k = 0; k < KINDS; k++) {
        voice v = {.id = TALKER, .hz = 440, .amplitude = 8000};
        fixture *f = silent_room(&kinds[k], &v);
        run_ms(f, 3000, NULL, 0);
        CHECK_INT(core_stats(f).rooms_asleep, 1);
        clear_sent(f);
        uint64_t encoded = core_stats(f).frames_encoded;
        run_ms(f, 4000, NULL, 0);
        CHECK_INT(core_stats(f).frames_encoded, encoded);
        int at = 0, count = 0;
        cf_rtp rtp, last = {0};
        for (; next_rtp(f, EAR, &at, &rtp); last = rtp, count++) {
            cf_cn cn;
            CHECK(rtp.pt == CN && !rtp.marker && cf_cn_parse(&cn, rtp.payload, rtp.payload_len) == 0);
            CHECK(cn.level == CF_CN_SILENCE && cn.order == 0);
            if (count) {
                CHECK_INT((uint16_t)(rtp.seq - last.seq), 1);
                CHECK_INT((uint32_t)(rtp.ts - last.ts), 8000 * 2); /* a room that sleeps: every 2 s */
            }
        }
        CHECK_INT(count, 2);
        fixture_free(f);
    }
}

/* What an ear hears that renders noise packets as silence; returns how many samples. */
static size_t hear(const fixture *f, const cf_codec_params *tx, int16_t *pcm, size_t cap, int *marked) {
    cf_decoder *decoder = cf_decoder_new(tx->codec, cf_codec_clock(tx->codec, tx->rate));
    size_t n = 0;
    int at = 0;
    cf_rtp rtp;
    *marked = 0;
    while (next_rtp(f, EAR, &at, &rtp)) {
        *marked += rtp.marker;
        if (rtp.pt == EAR_PT && n + CF_DECODE_MAX <= cap)
            n += (size_t)cf_decoder_decode(decoder, rtp.payload, rtp.payload_len, pcm + n, CF_DECODE_MAX);
    }
    cf_decoder_free(decoder);
    return n;
}

/* While others keep the room awake it is every 400 ms. */
static void test_a_room_that_is_awake_tells_more_often(void) {
    for (int k = 0; k < KINDS; k++) {
        voice v = {.id = TALKER, .hz = 440, .amplitude = 8000};
        fixture *f = silent_room(&kinds[k], &v);
        join_ear(f, 3, &kinds[0], 0);
        run_ms(f, 3000, NULL, 0);
        CHECK_INT(core_stats(f).rooms_asleep, 0);
        clear_sent(f);
        run_ms(f, 4000, NULL, 0);
        CHECK_INT(count_rtp(f, EAR), 10);
        CHECK_INT(count_rtp(f, 3), 200);
        fixture_free(f);
    }
}

static void test_the_next_word_is_whole(void) {
    static int16_t pcm[48000 * 8];
    for (int k = 0; k < KINDS; k++) {
        voice v = {.id = TALKER, .hz = 440, .amplitude = 8000};
        fixture *f = silent_room(&kinds[k], &v);
        run_ms(f, 3000, NULL, 0);
        v.ts += 8 * 3000;
        run_ms(f, 1000, &v, 1);
        int marked;
        size_t n = hear(f, &kinds[k], pcm, sizeof pcm / sizeof *pcm, &marked);
        CHECK_INT(marked, 2); /* the first packet of all, and the first after the pause */
        CHECK(n > 48000 * 2 && n < 48000 * 7 / 2);
        CHECK(test_residual_db(pcm + n - 48000 / 2, 48000 / 2, 440, 48000) < -30);
        CHECK(fabs(20 * log10(test_amplitude(pcm + n - 24000, 24000, 440, 48000) / 8000)) < 0.5);
        CHECK(test_bend(pcm + 4800, n - 4800) < 400); /* the tone begins at once, by itself: 300 */
        fixture_free(f);
    }
}

static void test_others_are_sent_their_silence(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_ear(f, 1, &kinds[0], CN);
    join_ear(f, 2, &kinds[0], 0);
    cf_codec_params opus = {.codec = CF_CODEC_OPUS, .complexity = 1};
    join_ear(f, 3, &opus, CN); /* RFC 3389 is not for Opus: it has its own */
    run_ms(f, 3000, NULL, 0);
    CHECK_INT(core_stats(f).rooms_asleep, 0);
    clear_sent(f);
    run_ms(f, 1000, NULL, 0);
    CHECK(count_rtp(f, 1) <= 3);
    CHECK_INT(count_rtp(f, 2), 50);
    CHECK_INT(count_rtp(f, 3), 50);
    fixture_free(f);
}

static int add_noisy_room(fixture *f, int dbov) {
    cf_room_config config = {.id = 1, .noise_dbov = dbov};
    cf_room *room = cf_room_new(&config);
    if (!room)
        return -EINVAL;
    return cf_core_room_add(f->core, room, f->now);
}

static double dbov(const int16_t *x, size_t n) {
    return 20 * log10((test_rms(x, n) + 1e-9) / 32768);
}

/* Everybody hears the room's noise at its level, while nobody talks and under those who do; the talker too. */
static void test_the_mix_has_its_noise(void) {
    static const cf_codec_params l16 = {.codec = CF_CODEC_L16, .rate = 24000};
    static int16_t pcm[48000 * 8];
    for (int level = 40; level <= 70; level += 15) {
        fixture *f = fixture_new();
        CHECK_INT(add_noisy_room(f, level), 0);
        join_ear(f, EAR, &l16, 0);
        join(f, TALKER, 1);
        run_ms(f, 2000, NULL, 0);
        CHECK_INT(core_stats(f).rooms_asleep, 0);
        int marked;
        size_t n = hear(f, &l16, pcm, sizeof pcm / sizeof *pcm, &marked);
        CHECK(n > 48000 * 19 / 10);
        CHECK(fabs(dbov(pcm + 4800, n - 4800) + level) < 1);
        clear_sent(f);
        voice v = {.id = EAR, .hz = 440, .amplitude = 8000};
        run_ms(f, 2000, &v, 1); /* the ear talks, and hears the noise without itself */
        n = hear(f, &l16, pcm, sizeof pcm / sizeof *pcm, &marked);
        CHECK(fabs(dbov(pcm + 4800, n - 4800) + level) < 1);
        CHECK(heard_tone(f, TALKER, 440) > 7500);
        fixture_free(f);
    }
}

/* Who takes comfort noise renders the room's own: told once in a while, in its colour, and the room sleeps. */
static void test_noise_is_told_instead_of_sent(void) {
    fixture *f = fixture_new();
    CHECK_INT(add_noisy_room(f, 60), 0);
    join_ear(f, TALKER, &kinds[0], CN);
    join_ear(f, EAR, &kinds[0], CN);
    run_ms(f, 3000, NULL, 0);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    clear_sent(f);
    run_ms(f, 4000, NULL, 0);
    int at = 0, count = 0;
    cf_rtp rtp;
    cf_cn cn = {0};
    for (; next_rtp(f, EAR, &at, &rtp); count++)
        CHECK(rtp.pt == CN && cf_cn_parse(&cn, rtp.payload, rtp.payload_len) == 0);
    CHECK_INT(count, 2);
    CHECK(cn.order == CF_CN_ORDER && cn.reflection[0] < -0.5F); /* low */
    CHECK(cn.level >= 60 && cn.level <= 63);                    /* what lies above 4 kHz is missing */
    static int16_t rendered[8000];
    cf_cng cng;
    cf_cng_init(&cng, 1);
    cf_cng_set(&cng, &cn);
    cf_cng_render(&cng, rendered, 8000);
    CHECK(fabs(dbov(rendered + 4000, 4000) + 61) < 2);
    voice v = {.id = TALKER, .hz = 440, .amplitude = 8000, .ts = 8 * 7000};
    clear_sent(f);
    run_ms(f, 1000, &v, 1);
    CHECK_INT(core_stats(f).rooms_asleep, 0);
    CHECK(heard_tone(f, EAR, 440) > 7000);
    fixture_free(f);
}

static void test_wrong_noise_is_refused(void) {
    fixture *f = fixture_new();
    CHECK_INT(add_noisy_room(f, 19), -EINVAL);
    CHECK_INT(add_noisy_room(f, 127), -EINVAL);
    CHECK_INT(add_noisy_room(f, -1), -EINVAL);
    CHECK_INT(add_noisy_room(f, 20), 0);
    fixture_free(f);
}

static void test_payload_types_are_checked(void) {
    cf_leg_config config = plain_config(1, 1);
    config.cn_pt = 128;
    CHECK(cf_leg_new(&config, 1) == NULL);
    config.cn_pt = -1;
    CHECK(cf_leg_new(&config, 1) == NULL);
}

int main(void) {
    RUN(test_silence_is_sent_as_comfort_noise);
    RUN(test_a_room_that_is_awake_tells_more_often);
    RUN(test_the_next_word_is_whole);
    RUN(test_others_are_sent_their_silence);
    RUN(test_the_mix_has_its_noise);
    RUN(test_noise_is_told_instead_of_sent);
    RUN(test_wrong_noise_is_refused);
    RUN(test_payload_types_are_checked);
    return REPORT();
}

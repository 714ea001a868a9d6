/* Members whose senders tell no levels and are silent for minutes: they are hardly ever decoded, and nothing that can
 * be heard of them is missed. */
#include "testlib.h"

#include "../audio/signals.h"
#include "conferocore/codec.h"
#include "core_fixture.h"

enum { LEVEL_EXT = 3, TALKER = 1, EAR = 2, FRAMES_A_SECOND = 50 };

static const cf_codec_params opus = {.codec = CF_CODEC_OPUS, .bitrate = 24000, .complexity = 0};

/* Its room is noise of a level that the case moves; over it it may say something. */
typedef struct speaker {
    fixture *f;
    cf_encoder *encoder;
    cf_rng rng;
    bool claims; /* RFC 6464 */
    double room_dbov;
    const int16_t *says; /* frames, or NULL */
    int said;
    uint16_t seq;
} speaker;

static void join_pair(fixture *f) {
    cf_leg_config talker = plain_config(TALKER, 1);
    talker.tx = opus;
    talker.tx_pt = 111;
    talker.rx[0].pt = 111;
    talker.rx[0].codec = CF_CODEC_OPUS;
    talker.rx[0].clock_rate = 48000;
    talker.audio_level_ext = LEVEL_EXT;
    join_as(f, &talker, 0);
    join(f, EAR, 1);
}

static void begin(speaker *s, bool claims) {
    *s = (speaker){.f = fixture_new(), .encoder = cf_encoder_new(&opus), .claims = claims, .room_dbov = -72};
    cf_rng_seed(&s->rng, 5);
    add_room(s->f, 1);
    join_pair(s->f);
}

static void end(speaker *s) {
    cf_encoder_free(s->encoder);
    fixture_free(s->f);
}

static void make_sound(speaker *s, int16_t *pcm) {
    double amplitude = 32768 * pow(10, s->room_dbov / 20) * sqrt(3);
    for (int i = 0; i < CF_FRAME; i++) {
        double says = s->says ? s->says[s->said * CF_FRAME + i] : 0;
        pcm[i] = (int16_t)lrint(amplitude * (2 * cf_rng_unit(&s->rng) - 1) + says);
    }
    s->said += s->says != NULL;
}

static void frame(speaker *s) {
    uint8_t packet[CF_PAYLOAD_MAX + 64];
    int16_t pcm[CF_FRAME];
    make_sound(s, pcm);
    uint8_t level = cf_level(pcm, CF_FRAME);
    cf_rtp_ext ext = {.id = LEVEL_EXT, .len = 1, .data = &level};
    uint32_t ts = s->seq * (uint32_t)CF_FRAME;
    int at = cf_rtp_write(packet, sizeof packet, 111, false, s->seq, ts, 99, s->claims ? &ext : NULL, s->claims);
    int len = cf_encoder_once(s->encoder, pcm, packet + at, CF_PAYLOAD_MAX);
    CHECK(len > 0);
    s->seq++;
    cf_path path = plain_path(TALKER);
    cf_core_receive(s->f->core, &path, packet, (size_t)(at + len), s->f->now);
    s->f->now += 20 * MS;
    cf_core_advance(s->f->core, s->f->now);
}

static void run_frames(speaker *s, int frames) {
    for (int i = 0; i < frames; i++) {
        clear_sent(s->f);
        frame(s);
    }
}

static void run_seconds(speaker *s, int seconds) {
    run_frames(s, seconds * FRAMES_A_SECOND);
}

/* What the ear gets in so many frames from now on, as an energy. */
static double energy_of(speaker *s, int frames) {
    double sum = 0;
    for (int i = 0; i < frames; i++) {
        clear_sent(s->f);
        frame(s);
        for (int k = 0; k < s->f->out_count; k++) {
            cf_rtp rtp;
            bool rtcp = false;
            const sent *out = &s->f->out[k];
            if (out->path.socket != EAR || !cf_rtp_looks_like(out->data, out->len, &rtcp) || rtcp ||
                cf_rtp_parse(&rtp, out->data, out->len))
                continue;
            for (size_t n = 0; n < rtp.payload_len; n++)
                sum += pow(cf_ulaw_decode(rtp.payload[n]), 2);
        }
    }
    return sum;
}

static void test_calm_silence_is_looked_into_every_five_seconds(void) {
    speaker s;
    begin(&s, false);
    run_seconds(&s, 10);
    uint64_t before = core_stats(s.f).frames_decoded;
    run_seconds(&s, 100);
    uint64_t decoded = core_stats(s.f).frames_decoded - before;
    CHECK(decoded >= 15); /* it is looked into */
    CHECK(decoded <= 30);
    end(&s);
}

/* A fan that comes nearer is never a voice to SILK: 2 dB a second, so that it does not notice. */
static void grow(speaker *s, double until_dbov) {
    for (; s->room_dbov < until_dbov; s->room_dbov += 0.5)
        run_frames(s, FRAMES_A_SECOND / 4);
}

static void test_what_grows_is_decoded_at_once(void) {
    speaker s;
    begin(&s, false);
    s.room_dbov = -90;
    run_seconds(&s, 60);
    uint64_t before = core_stats(s.f).frames_decoded;
    grow(&s, -70);
    uint64_t decoded = core_stats(s.f).frames_decoded - before;
    CHECK(decoded >= 3); /* each 5 s, and each 4 dB beyond what was last seen */
    CHECK(decoded <= 8);
    CHECK(energy_of(&s, FRAMES_A_SECOND) < 1);
    grow(&s, -56);
    double heard = energy_of(&s, FRAMES_A_SECOND) / 8000;
    CHECK(10 * log10(heard / 32768 / 32768) > -68); /* of what the fan sounds like up to 4 kHz: -64 */
    end(&s);
}

/* After minutes of silence the first frames are heard as well as those of a sender who tells its levels. */
static void test_no_first_syllable_is_cut(void) {
    static int16_t word[30 * CF_FRAME];
    for (int i = 0; i < 30 * CF_FRAME; i++) { /* a vowel, as low and high tones, that is there at once */
        double at = 2 * TEST_PI * i / CF_RATE;
        word[i] = (int16_t)(3000 * (sin(140 * at) + 0.7 * sin(280 * at) + 0.5 * sin(700 * at) + 0.3 * sin(1120 * at)));
    }
    for (int minutes = 1; minutes <= 3; minutes += 2) {
        double heard[2];
        for (int claims = 0; claims < 2; claims++) {
            speaker s;
            begin(&s, claims);
            run_seconds(&s, minutes * 60);
            s.says = word;
            heard[claims] = energy_of(&s, 8);
            end(&s);
        }
        CHECK(heard[1] > 8 * 160 * 100.0 * 100.0);
        CHECK(fabs(10 * log10(heard[0] / heard[1])) < 1);
    }
}

/* A sender in CELT alone that is muted at its end: digital silence, which is not decoded at all. */
static void test_celts_silence_is_told_from_its_flag(void) {
    static const cf_codec_params celt = {.codec = CF_CODEC_OPUS, .bitrate = 64000, .low_delay = 1};
    speaker s;
    begin(&s, false);
    cf_encoder_free(s.encoder);
    s.encoder = cf_encoder_new(&celt);
    s.room_dbov = -200;
    run_seconds(&s, 5);
    uint64_t before = core_stats(s.f).frames_decoded;
    run_seconds(&s, 20);
    CHECK_INT(core_stats(s.f).frames_decoded, before);
    s.room_dbov = -40;
    run_seconds(&s, 2);
    CHECK(core_stats(s.f).frames_decoded > before + 90);
    end(&s);
}

int main(void) {
    RUN(test_calm_silence_is_looked_into_every_five_seconds);
    RUN(test_what_grows_is_decoded_at_once);
    RUN(test_no_first_syllable_is_cut);
    RUN(test_celts_silence_is_told_from_its_flag);
    return REPORT();
}

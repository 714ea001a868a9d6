/* A playout that nobody listens to for a while: what it says of itself meanwhile, and how it comes back. */
#include "../testlib.h"
#include "conferocore/mixer.h"
#include "listening.h"

enum { SECONDS = 10, VOICE = SECONDS * CF_RATE, FADE = 240 };
static const cf_codec_params hybrid = {.codec = CF_CODEC_OPUS, .bitrate = 32000, .complexity = 5};
static const cf_codec_params silk = {.codec = CF_CODEC_OPUS, .bitrate = 14000, .complexity = 5};
static const cf_codec_params celt = {.codec = CF_CODEC_OPUS, .bitrate = 48000, .complexity = 5, .low_delay = 1};
static int16_t voice[VOICE];

static lab *opened(const cf_codec_params *opus, uint64_t seed) {
    static lab l[2];
    static int turn;
    lab *now = &l[turn++ % 2];
    *now = (lab){.hz = 440, .opus = opus, .voice = opus ? voice : NULL, .voice_len = VOICE};
    lab_open(now, seed);
    return now;
}

/* Of every `step`th sample. */
static double likeness_at(const int16_t *a, const int16_t *b, size_t n, size_t step) {
    double ab = 0, aa = 1, bb = 1;
    for (size_t i = 0; i < n; i += step) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    return ab / sqrt(aa * bb);
}

static double likeness(const int16_t *a, const int16_t *b, size_t n) {
    return likeness_at(a, b, n, 1);
}

static double distance_db(const int16_t *a, const int16_t *b, size_t n) {
    double dd = 1, aa = 1;
    for (size_t i = 0; i < n; i++) {
        dd += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        aa += (double)a[i] * a[i];
    }
    return 10 * log10(dd / aa);
}

/* What a decoder gives that hears every packet of the stream. */
static void decode_all(const lab *l, int16_t *pcm, int frames) {
    lab sender = {.hz = l->hz, .opus = l->opus, .voice = l->voice, .voice_len = l->voice_len};
    lab_open(&sender, 70);
    cf_decoder *decoder = cf_decoder_new(l->opus ? CF_CODEC_OPUS : CF_CODEC_PCMU, l->opus ? 48000 : 8000);
    for (; sender.frame < frames; sender.frame++) {
        uint8_t payload[CF_PAYLOAD_MAX];
        size_t len = lab_encode(&sender, payload);
        CHECK_INT(cf_decoder_decode(decoder, payload, len, pcm + sender.frame * CF_FRAME, CF_FRAME), CF_FRAME);
    }
    cf_decoder_free(decoder);
    lab_close(&sender);
}

/* Where from `from` on x is found, if only every `step`th place and sample is looked at. */
static size_t best_of(const int16_t *whole, size_t from, size_t places, const int16_t *x, size_t n, size_t step) {
    size_t best = from;
    double score = -2;
    for (size_t at = from; at < from + places; at += step) {
        double now = likeness_at(whole + at, x, n, step);
        best = now > score ? at : best;
        score = fmax(score, now);
    }
    return best;
}

/* Where in `whole`, up to 120 ms back from `at`, x is found: roughly at first, as looking everywhere takes long. */
static const int16_t *find(const int16_t *whole, size_t at, const int16_t *x, size_t n) {
    enum { STEP = 4 };
    size_t near = best_of(whole, at - 48 * 120, 48 * 120 + 1, x, n, STEP);
    return whole + best_of(whole, near - STEP, 2 * STEP + 1, x, n, 1);
}

/* One ear that skips `frames` has to hear what a decoder gives that never stopped. */
static void come_back(const cf_codec_params *opus, int frames) {
    enum { HEARD = 6 };
    static int16_t whole[500 * CF_FRAME];
    double worst_first = 1, worst_later = -99;
    for (int at = 100; at < 420; at += 32) {
        lab *l = opened(opus, 70);
        if (at == 100)
            decode_all(l, whole, 500);
        lab_run(l, (at - frames) * 20);
        for (int i = 0; i < frames; i++)
            lab_skip(l);
        int16_t x[HEARD * CF_FRAME];
        for (int i = 0; i < HEARD; i++) {
            CHECK_INT(lab_tick(l), CF_PLAY_AUDIO);
            memcpy(x + i * CF_FRAME, l->pcm, sizeof l->pcm);
        }
        CHECK(abs(x[0]) < 300); /* a fade in */
        const int16_t *same = find(whole, (size_t)at * CF_FRAME, x + CF_FRAME, (HEARD - 1) * CF_FRAME) - CF_FRAME;
        for (int i = 0; i < HEARD; i++) {
            const int16_t *want = same + i * CF_FRAME, *got = x + i * CF_FRAME;
            if (test_rms(want, CF_FRAME) < 300)
                continue;
            if (i == 0)
                worst_first = fmin(worst_first, likeness(want + FADE, got + FADE, CF_FRAME - FADE));
            else
                worst_later = fmax(worst_later, distance_db(want, got, CF_FRAME));
        }
        CHECK_INT(lab_stats(l).lost + lab_stats(l).late + lab_stats(l).overflow + lab_stats(l).concealed, 0);
        lab_close(l);
    }
    printf("  %d frames unheard: first likeness %.3f, then %.1f dB\n", frames, worst_first, worst_later);
    CHECK(worst_first > 0.9);
    CHECK(worst_later < -15);
}

static void test_what_is_heard_again_is_as_if_it_had_never_stopped(void) {
    static const int unheard[] = {1, 2, 3, 10, 90};
    test_babble(voice, VOICE, 20000, 7);
    for (size_t i = 0; i < sizeof unheard / sizeof *unheard; i++) {
        come_back(&hybrid, unheard[i]);
        come_back(&silk, unheard[i]);
        come_back(&celt, unheard[i]);
        come_back(NULL, unheard[i]);
    }
}

static void test_books_and_delay_while_nobody_listens(void) {
    static lab l = {.hz = 440, .loss = 0.05, .jitter = 15 * LAB_MS, .ppm = 300};
    lab_open(&l, 71);
    lab_run(&l, 1000);
    for (int i = 0; i < 30000; i++) {
        lab_skip(&l);
        CHECK(lab_stats(&l).delay_ms <= 60);
    }
    cf_playout_stats s = lab_stats(&l);
    CHECK(s.skipped > 28000 && s.skipped <= s.packets);
    CHECK(s.lost + 3 >= l.dropped && s.lost <= l.dropped);
    CHECK_INT(s.late + s.overflow + s.restarts, 0);
    CHECK(s.concealed < 48 * 200);
    lab_tick(&l);
    CHECK_INT(l.kind, CF_PLAY_AUDIO);
    lab_close(&l);
}

/* While nobody listens the delay may go up and down at once. */
static int64_t calm_storm_calm(lab *l, int64_t frame) {
    return frame > 500 && frame < 1000 ? (int64_t)(cf_rng_unit(&l->rng) * 80) * LAB_MS : 0;
}

static void test_the_position_follows_the_wanted_delay(void) {
    static lab l = {.hz = 440, .more_delay = calm_storm_calm};
    lab_open(&l, 72);
    for (int i = 0; i < 990; i++)
        lab_skip(&l);
    CHECK(lab_stats(&l).target_ms > 70);
    lab_tick(&l);
    lab_tick(&l);
    uint64_t concealed = lab_stats(&l).concealed;
    lab_run(&l, 60);
    CHECK_INT(lab_stats(&l).concealed, concealed);
    for (int i = 0; i < 1500; i++)
        lab_skip(&l);
    CHECK(lab_stats(&l).target_ms <= 22);
    lab_tick(&l);
    CHECK(lab_stats(&l).delay_ms <= 40);
    CHECK_INT(lab_stats(&l).squeezed + lab_stats(&l).stretched, 0);
    lab_close(&l);
}

/* Peeks before each frame; true if what it said covers what then came. */
static void test_peek_knows_what_will_be_heard(void) {
    static lab l = {.hz = 440, .jitter = 30 * LAB_MS};
    lab_open(&l, 73);
    int told = 0, quiet = 0, before = 127;
    for (int i = 0; i < 3000; i++) {
        if (i % 50 == 0)
            l.amplitude = i % 100 ? 8000 : 80;
        int64_t now = lab_come(&l);
        int level = cf_playout_peek(l.playout, now);
        CHECK_INT(cf_playout_peek(l.playout, now), level);
        int kind = lab_tick(&l), heard = kind == CF_PLAY_SILENCE ? 127 : cf_level(l.pcm, CF_FRAME);
        CHECK(level >= 0 && (level <= heard + 1 || before < 20)); /* decoders lag a little */
        before = heard;
        told += level < 20;
        quiet += level > 40;
    }
    CHECK(told > 1200 && quiet > 1200);
    lab_close(&l);
}

static void test_levels_are_believed_or_found_out(void) {
    static const cf_codec_params *codecs[] = {NULL, &silk, &hybrid, &celt};
    test_babble(voice, VOICE, 20000, 8);
    for (size_t i = 0; i < 4; i++) {
        lab *l = opened(codecs[i], 74);
        CHECK_INT(cf_playout_peek(l->playout, 0), 127);
        l->level = 31 + 1;
        for (int k = 0; k < 20; k++)
            lab_skip(l);
        CHECK_INT(cf_playout_peek(l->playout, lab_come(l)), 31);
        l->level = 0;
        int unknown = 0;
        for (int k = 0; k < 50; k++) {
            lab_skip(l);
            unknown += cf_playout_peek(l->playout, lab_come(l)) == CF_PEEK_UNKNOWN;
        }
        CHECK(codecs[i] ? unknown > 20 : unknown == 0);
        static int16_t zeros[CF_FRAME];
        l->voice = zeros;
        l->voice_len = CF_FRAME;
        l->amplitude = 0;
        for (int k = 0; k < 50; k++)
            lab_skip(l);
        int level = cf_playout_peek(l->playout, lab_come(l));
        if (codecs[i] && !codecs[i]->low_delay)
            CHECK(cf_peek_is_quiet(level) && cf_peek_gain(level) >= 0 && cf_peek_gain(level) < 8);
        else
            CHECK_INT(level, 127);
        lab_close(l);
    }
}

static void test_packets_of_opus_dtx_are_silence(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 75);
    uint8_t toc[2] = {0x08, 0};
    for (int i = 0; i < 20; i++) {
        cf_rtp rtp = {.pt = LAB_OPUS, .seq = (uint16_t)i, .ts = (uint32_t)i * 960, .payload = toc, .payload_len = 1};
        CHECK_INT(cf_playout_put(l.playout, &rtp, -1, i * 20 * LAB_MS), 0);
        CHECK_INT(cf_playout_peek(l.playout, i * 20 * LAB_MS), 127);
        cf_playout_skip(l.playout, i * 20 * LAB_MS);
    }
    CHECK(lab_stats(&l).skipped >= 17);
    lab_close(&l);
}

static void test_a_whole_packet_can_stand_for_its_frame(void) {
    lab *l = opened(&hybrid, 76);
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_OPUS, 48000);
    lab_run(l, 2000);
    int whole = 0, same = 0;
    for (int i = 0; i < 500; i++) {
        lab_tick(l);
        const uint8_t *payload;
        size_t len;
        int codec;
        int16_t pcm[CF_FRAME];
        if (!cf_playout_verbatim(l->playout, &payload, &len, &codec))
            continue;
        whole++;
        CHECK_INT(codec, CF_CODEC_OPUS);
        CHECK_INT(cf_decoder_decode(decoder, payload, len, pcm, CF_FRAME), CF_FRAME);
        same += i >= 100 && !memcmp(pcm, l->pcm, sizeof pcm); /* by then it has heard what the playout's has */
    }
    CHECK(whole >= 495);
    CHECK(same >= 395);
    cf_decoder_free(decoder);
    lab_close(l);
}

/* Digits: 200 ms of packets that are no audio, then audio again. */
static void test_numbers_without_audio_are_a_pause(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 77);
    lab_run(&l, 1000);
    int bend = lab_bend_while(&l, 1000);
    uint64_t silent = l.kinds[CF_PLAY_SILENCE];
    for (int i = 0; i < 100; i++) {
        l.quiet = true;
        cf_playout_pass(l.playout, l.seq++);
        int b = lab_bend_while(&l, 20);
        bend = b > bend ? b : bend;
    }
    l.quiet = false;
    CHECK(l.kinds[CF_PLAY_SILENCE] - silent >= 95); /* not concealed for 160 ms */
    CHECK(lab_bend_while(&l, 1000) < 2 * LAB_BEND_440);
    CHECK(bend < 2 * LAB_BEND_440);
    CHECK_INT(l.kind, CF_PLAY_AUDIO);
    cf_playout_stats s = lab_stats(&l);
    CHECK_INT(s.lost + s.late + s.restarts + s.overflow, 0);
    CHECK(s.concealed <= 240);
    lab_close(&l);
}

static void test_a_number_without_audio_that_comes_late_was_not_lost(void) {
    static lab l = {.hz = 440};
    lab_open(&l, 78);
    lab_run(&l, 1000);
    uint16_t seq = l.seq++;
    lab_run(&l, 400);
    CHECK_INT(lab_stats(&l).lost, 1);
    cf_playout_pass(l.playout, seq);
    cf_playout_pass(l.playout, seq);
    CHECK_INT(lab_stats(&l).lost, 0);
    cf_playout_pass(l.playout, (uint16_t)(seq + 20000)); /* of no window */
    lab_run(&l, 400);
    CHECK_INT(lab_stats(&l).lost + lab_stats(&l).restarts, 0);
    lab_close(&l);
}

/* Everything that may happen to a stream happens to one that nobody hears; then somebody does. */
static void test_streams_change_unheard(void) {
    for (int what = 0; what < 5; what++) {
        static lab l;
        l = (lab){.hz = 440, .jitter = 5 * LAB_MS};
        lab_open(&l, 90 + (uint64_t)what);
        lab_run(&l, 2000);
        for (int i = 0; i < 1000; i++) {
            if (i == 500)
                switch (what) {
                case 0: /* another source */
                    l.ssrc++;
                    l.seq += 9000;
                    l.ts += 77777777;
                    break;
                case 1: /* the same begins anew */
                    l.seq = 1;
                    l.ts = 0;
                    break;
                case 2:
                    l.ts += 3000000000U;
                    break;
                case 3:
                    l.codec = CF_CODEC_PCMA;
                    break;
                default:
                    l.quiet = true;
                }
            if (i == 900)
                l.quiet = false;
            lab_skip(&l);
        }
        CHECK_INT(lab_tick(&l), CF_PLAY_AUDIO);
        hearing h = listen(&l, 5000);
        CHECK_INT(h.gaps, 0);
        CHECK(h.bend < LAB_BEND_440);
        CHECK(h.most <= 45);
        cf_playout_stats s = lab_stats(&l);
        CHECK_INT(s.restarts, what <= 2);
        CHECK_INT(s.lost + s.late, 0);
        lab_close(&l);
    }
}

static void test_numbers_wrap_unheard(void) {
    static lab l = {.hz = 440, .loss = 0.01, .reorder = 0.01, .duplicate = 0.01};
    lab_open(&l, 96);
    for (int i = 0; i < 70000; i++)
        lab_skip(&l);
    CHECK_INT(lab_stats(&l).restarts, 0);
    CHECK(fabs((double)lab_stats(&l).lost - (double)l.dropped) <= 3);
    CHECK(lab_tick(&l) != CF_PLAY_SILENCE);
    lab_close(&l);
}

/* Hours of hold, in which nobody asks for anything, and a clock that has drifted meanwhile. */
static void test_a_very_long_pause(void) {
    for (int unheard = 0; unheard < 2; unheard++) {
        static lab l;
        l = (lab){.hz = 440, .ppm = 300};
        lab_open(&l, 97);
        lab_run(&l, 2000);
        l.quiet = true;
        for (int i = 0; i < 3 * 3600 * 50; i++)
            if (unheard)
                lab_skip(&l);
            else
                l.tick++;
        l.quiet = false;
        while (lab_sent_at(&l, l.frame) <= l.tick * 20 * LAB_MS) /* what it kept to itself */
            l.frame++, l.ts += 160;
        lab_run(&l, 200);
        CHECK_INT(l.kind, CF_PLAY_AUDIO);
        hearing h = listen(&l, 3000);
        CHECK_INT(h.gaps, 0);
        CHECK(h.most <= 60);
        CHECK_INT(lab_stats(&l).lost + lab_stats(&l).late + lab_stats(&l).overflow, 0);
        lab_close(&l);
    }
}

int main(void) {
    RUN(test_streams_change_unheard);
    RUN(test_numbers_wrap_unheard);
    RUN(test_a_very_long_pause);
    RUN(test_what_is_heard_again_is_as_if_it_had_never_stopped);
    RUN(test_books_and_delay_while_nobody_listens);
    RUN(test_the_position_follows_the_wanted_delay);
    RUN(test_peek_knows_what_will_be_heard);
    RUN(test_levels_are_believed_or_found_out);
    RUN(test_packets_of_opus_dtx_are_silence);
    RUN(test_a_whole_packet_can_stand_for_its_frame);
    RUN(test_numbers_without_audio_are_a_pause);
    RUN(test_a_number_without_audio_that_comes_late_was_not_lost);
    return REPORT();
}

/* What codec.h promises of the way 48 kHz -> codec -> 48 kHz: the pass-band, aliases and images, and the delay. */
#include "codeclab.h"

enum { MIDDLE = SAMPLES / 2 };

static const struct {
    const char *name;
    cf_codec_params params;
    int delay;               /* samples at 48 kHz */
    double wire, flat, stop; /* Hz: its rate; up to here within `ripple`; from here on nothing comes through */
    double ripple, deaf;     /* dB; the codec's own noise is part of `deaf` */
} chains[] = {
    {"PCMU", {.codec = CF_CODEC_PCMU}, 186, 8000, 3400, 4600, 0.1, -34},
    {"PCMA", {.codec = CF_CODEC_PCMA}, 186, 8000, 3400, 4600, 0.1, -34},
    {"G722", {.codec = CF_CODEC_G722}, 159, 16000, 6800, 9200, 0.2, -60},
    {"L16/8", {.codec = CF_CODEC_L16, .rate = 8000}, 186, 8000, 3400, 4600, 0.1, -68},
    {"L16/16", {.codec = CF_CODEC_L16, .rate = 16000}, 93, 16000, 6800, 9200, 0.1, -68},
    {"L16/24", {.codec = CF_CODEC_L16, .rate = 24000}, 62, 24000, 10200, 13800, 0.1, -68},
    {"L16/48", {.codec = CF_CODEC_L16, .rate = 48000, .ptime_ms = 10}, 0, 48000, 20000, 24000, 0.01, 0},
    {"Opus", {.codec = CF_CODEC_OPUS, .bitrate = 128000, .complexity = 10}, 312, 48000, 0, 0, 0, 0},
    {"CELT", {.codec = CF_CODEC_OPUS, .bitrate = 128000, .complexity = 10, .low_delay = 1}, 120, 48000, 0, 0, 0, 0},
};
enum { CHAINS = sizeof chains / sizeof *chains };

static void through(const cf_codec_params *params, const int16_t *in) {
    cf_encoder *encoder = cf_encoder_new(params);
    cf_decoder *decoder = decoder_of(params);
    cf_encoded made;
    size_t n = 0;
    for (int i = 0; i < FRAMES; i++) {
        CHECK_INT(cf_encoder_encode(encoder, in + i * CF_FRAME, &made), 0);
        for (int part = 0; part < made.count; part++)
            n += (size_t)cf_decoder_decode(decoder, made.payload[part], made.part[part].len, out + n, CF_DECODE_MAX);
    }
    CHECK_INT(n, SAMPLES);
    cf_encoder_free(encoder);
    cf_decoder_free(decoder);
}

static int16_t tone[SAMPLES];
static double tone_through(const cf_codec_params *params, double hz) {
    test_tone(tone, SAMPLES, hz, CF_RATE, 8000, 0);
    through(params, tone);
    return 20 * log10((test_amplitude(out + MIDDLE, MIDDLE, hz, CF_RATE) + 1e-9) / 8000);
}

static void at_most(int chain, double hz, double level, double most) {
    if (level > most)
        fprintf(stderr, "%s at %.0f Hz: %.2f dB\n", chains[chain].name, hz, level);
    CHECK(level <= most);
}

static void test_pass_band(void) {
    static const double parts[] = {0.02, 0.05, 0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 1};
    for (int c = 0; c < CHAINS; c++)
        for (size_t k = 0; chains[c].flat > 0 && k < sizeof parts / sizeof *parts; k++) {
            double hz = parts[k] * chains[c].flat;
            at_most(c, hz, fabs(tone_through(&chains[c].params, hz)), chains[c].ripple);
        }
}

/* A tone that the wire cannot carry must be gone, not heard as another. */
static void test_aliases(void) {
    for (int c = 0; c < CHAINS; c++)
        for (double hz = chains[c].stop; hz > 0 && hz < 23900; hz *= 1.13) {
            tone_through(&chains[c].params, hz);
            double level = 20 * log10((test_rms(out + MIDDLE, MIDDLE) + 1e-9) / test_rms(tone, SAMPLES));
            at_most(c, hz, level, chains[c].deaf);
        }
}

/* A tone in the pass-band leaves no image around the multiples of the wire's rate. */
static void test_images(void) {
    static const double parts[] = {0.1, 0.3, 0.6, 0.9, 1};
    for (int c = 0; c < CHAINS; c++)
        for (size_t k = 0; chains[c].wire < CF_RATE && k < sizeof parts / sizeof *parts; k++) {
            double hz = parts[k] * chains[c].flat;
            tone_through(&chains[c].params, hz);
            for (double around = chains[c].wire; around < CF_RATE / 2 + hz; around += chains[c].wire)
                for (int side = -1; side <= 1; side += 2) {
                    double image = around + side * hz;
                    if (image < 23900)
                        at_most(c, image,
                                20 * log10((test_amplitude(out + MIDDLE, MIDDLE, image, CF_RATE) + 1e-9) / 8000), -65);
                }
        }
}

/* By how much `in` must be delayed to be most like what came out. */
static int best_delay(const int16_t *in, int most) {
    double best = INFINITY;
    int at = -1;
    for (int delay = 0; delay < most; delay++) {
        double error = 0;
        for (int i = MIDDLE; i < MIDDLE + 30 * CF_FRAME; i++)
            error += pow(out[i] - in[i - delay], 2);
        if (error < best) {
            best = error;
            at = delay;
        }
    }
    return at;
}

static void test_delay(void) {
    for (int c = 0; c < CHAINS; c++) {
        through(&chains[c].params, speech);
        int delay = best_delay(speech, 600);
        int slack = chains[c].params.codec == CF_CODEC_OPUS ? 3 : 0; /* SILK's own filters are not linear */
        if (abs(delay - chains[c].delay) > slack)
            fprintf(stderr, "%s: %d samples late\n", chains[c].name, delay);
        CHECK(abs(delay - chains[c].delay) <= slack);
    }
}

static void test_l16_at_48_khz_is_the_same_to_the_bit(void) {
    through(&chains[6].params, speech);
    CHECK(memcmp(out, speech, sizeof out) == 0);
}

int main(void) {
    test_babble(speech, SAMPLES, 20000, 1);
    RUN(test_pass_band);
    RUN(test_aliases);
    RUN(test_images);
    RUN(test_delay);
    RUN(test_l16_at_48_khz_is_the_same_to_the_bit);
    return REPORT();
}

/* dtmf.c: every digit as Q.24 wants it found, nothing else found, and how much of a digit is heard before it is cut. */
#include "../testlib.h"
#include "conferocore/codec.h"
#include "conferocore/dtmf.h"
#include "signals.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STARTS = 4, STEP = 11, SPEECH_S = 20 };
#else
enum { STARTS = 14, STEP = 3, SPEECH_S = 90 };
#endif
enum { SECOND = 8000, BLOCK = 160 };
#define DBM0_OF_FULL_SCALE 3.14 /* a sine */
#define CLEAN 200.0             /* dB */

static const char digits[] = "0123456789*#ABCD";
static cf_rng rng;

/* A digit as somebody sends it: levels in dBm0, frequencies as a share of the nominal ones. */
typedef struct sent {
    double ms, low_dbm0, high_dbm0, low_off, high_off, snr_db;
    double gap_at_ms, gap_ms;
} sent;

/* Twelve uniform numbers make a normal one. */
static double gauss(void) {
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += cf_rng_unit(&rng);
    return sum;
}

static double amplitude(double dbm0) {
    return 32767 * pow(10, (dbm0 - DBM0_OF_FULL_SCALE) / 20);
}

/* n samples with the digit from sample `start` on, phases by chance, white noise all the time. */
static void say(int16_t *out, size_t n, double rate, char digit, const sent *s, size_t start) {
    int low = 0, high = 0;
    cf_dtmf_tones(digit, &low, &high);
    double a = amplitude(s->low_dbm0), b = amplitude(s->high_dbm0), p = 7 * cf_rng_unit(&rng),
           q = 7 * cf_rng_unit(&rng);
    double noise = sqrt((a * a + b * b) / 2 * pow(10, -s->snr_db / 10));
    for (size_t i = 0; i < n; i++) {
        double ms = ((double)i - (double)start) * 1000 / rate, t = 2 * TEST_PI * ms / 1000, x = noise * gauss();
        bool in_gap = ms >= s->gap_at_ms && ms < s->gap_at_ms + s->gap_ms;
        if (ms >= 0 && ms < s->ms && !in_gap)
            x += a * sin(low * (1 + s->low_off) * t + p) + b * sin(high * (1 + s->high_off) * t + q);
        out[i] = (int16_t)lrint(fmax(-32768, fmin(32767, x)));
    }
}

/* The digits found in n samples at 8 kHz, by their names. */
static int find(const int16_t *pcm, size_t n, char *names, cf_digit *last) {
    cf_dtmf d;
    int found = 0;
    cf_dtmf_init(&d);
    for (size_t at = 0; at + BLOCK <= n; at += BLOCK)
        if (cf_dtmf_run_8k(&d, pcm + at, BLOCK, last))
            names[found++] = last->digit;
    names[found] = 0;
    return found;
}

/* Each digit, its beginning at STARTS places over the windows: how many came out as just that digit, once, and how many
 * not at all. */
static void sweep(const sent *s, int *right, int *none) {
    static int16_t pcm[SECOND];
    *right = *none = 0;
    for (const char *d = digits; *d; d++)
        for (size_t start = 0; start < STARTS; start++) {
            char names[64];
            cf_digit last;
            say(pcm, SECOND, SECOND, *d, s, 400 + start * STEP);
            int n = find(pcm, SECOND, names, &last);
            *right += n == 1 && names[0] == *d;
            *none += n == 0;
        }
}

enum { ALL = 16 * STARTS };

static void test_frequencies(void) {
    int low, high;
    CHECK(cf_dtmf_tones('1', &low, &high) && low == 697 && high == 1209);
    CHECK(cf_dtmf_tones('0', &low, &high) && low == 941 && high == 1336);
    CHECK(cf_dtmf_tones('D', &low, &high) && low == 941 && high == 1633);
    for (int c = 0; c < 256; c++)
        CHECK_INT(cf_dtmf_tones((char)c, &low, &high), c && strchr(digits, c) != NULL);
}

/* Every corner of what Q.24 wants taken: 40 ms in all of them. */
static void test_accepted(void) {
    static const struct {
        const char *what;
        sent sent;
    } cases[] = {
        {"40 ms", {40, -9, -9, 0, 0, CLEAN, 0, 0}},
        {"loudest", {40, 0, 0, 0, 0, CLEAN, 0, 0}},
        {"softest", {40, -36, -36, 0, 0, CLEAN, 0, 0}},
        {"15 dB of noise", {40, -9, -9, 0, 0, 15, 0, 0}},
        {"+1.5 % both", {40, -9, -9, .015, .015, 15, 0, 0}},
        {"-1.5 % both", {40, -9, -9, -.015, -.015, 15, 0, 0}},
        {"+1.5 % low, -1.5 % high", {40, -9, -9, .015, -.015, 15, 0, 0}},
        {"-1.5 % low, +1.5 % high", {40, -9, -9, -.015, .015, 15, 0, 0}},
        {"+1.8 % both", {40, -9, -9, .018, .018, CLEAN, 0, 0}},
        {"-1.8 % both", {40, -9, -9, -.018, -.018, CLEAN, 0, 0}},
        {"high 4 dB above", {40, -13, -9, 0, 0, 15, 0, 0}},
        {"low 8 dB above", {40, -9, -17, 0, 0, 15, 0, 0}},
        {"high 4 dB above, +1.5 %", {40, -13, -9, .015, .015, 15, 0, 0}},
        {"high 4 dB above, -1.5 %", {40, -13, -9, -.015, -.015, 15, 0, 0}},
        {"low 8 dB above, +1.5 %", {40, -9, -17, .015, .015, 15, 0, 0}},
        {"low 8 dB above, -1.5 %", {40, -9, -17, -.015, -.015, 15, 0, 0}},
        {"a gap of 10 ms", {110, -9, -9, 0, 0, 15, 50, 10}},
        {"a second", {800, -9, -9, .015, -.015, 15, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int right, none;
        sweep(&cases[i].sent, &right, &none);
        if (right != ALL)
            fprintf(stderr, "%s: %d of %d\n", cases[i].what, right, ALL);
        CHECK_INT(right, ALL);
    }
}

static void test_refused(void) {
    static const struct {
        const char *what;
        sent sent;
    } cases[] = {
        {"23 ms", {23, -9, -9, 0, 0, CLEAN, 0, 0}},
        {"23 ms, noise", {23, -9, -9, 0, 0, 15, 0, 0}},
        {"10 ms", {10, 0, 0, 0, 0, CLEAN, 0, 0}},
        {"+3.5 % low", {200, -9, -9, .035, 0, CLEAN, 0, 0}},
        {"-3.5 % low", {200, -9, -9, -.035, 0, CLEAN, 0, 0}},
        {"+3.5 % high", {200, -9, -9, 0, .035, CLEAN, 0, 0}},
        {"-3.5 % high", {200, -9, -9, 0, -.035, CLEAN, 0, 0}},
        {"+3.5 % both, noise", {200, -9, -9, .035, .035, 15, 0, 0}},
        {"-3.5 % both, noise", {200, -9, -9, -.035, -.035, 15, 0, 0}},
        {"too soft", {200, -45, -45, 0, 0, CLEAN, 0, 0}},
        {"one tone", {200, -9, -60, 0, 0, CLEAN, 0, 0}},
        {"the other tone", {200, -60, -9, 0, 0, CLEAN, 0, 0}},
        {"high 7 dB above", {200, -16, -9, 0, 0, CLEAN, 0, 0}},
        {"low 13 dB above", {200, -9, -22, 0, 0, CLEAN, 0, 0}},
        {"under noise", {200, -30, -30, 0, 0, -10, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int right, none;
        sweep(&cases[i].sent, &right, &none);
        if (none != ALL)
            fprintf(stderr, "%s: taken %d times\n", cases[i].what, ALL - none);
        CHECK_INT(none, ALL);
    }
}

static void test_duration_level_and_moment(void) {
    static int16_t pcm[SECOND];
    for (int ms = 40; ms <= 640; ms += 40)
        for (size_t start = 400; start < 400 + STARTS * STEP; start += STEP) {
            char names[64];
            cf_digit last = {0};
            say(pcm, SECOND, SECOND, '8', &(sent){.ms = ms, .low_dbm0 = -20, .high_dbm0 = -20, .snr_db = 30}, start);
            CHECK_INT(find(pcm, SECOND, names, &last), 1);
            CHECK(abs((int)last.duration_ms - ms) <= 6);
            CHECK(abs((int)last.ts - (int)start) <= 48);
            CHECK(last.volume >= 16 && last.volume <= 18); /* two tones of -20 are -17 */
        }
}

/* 45 ms of tone and 40 ms of pause: faster than any finger and as fast as any machine may. */
static void test_the_fastest_row_of_digits(void) {
    static int16_t pcm[10 * SECOND];
    const char *row = "00112233445566778899**##AABBCCDD1234567890";
    for (size_t i = 0; row[i]; i++)
        say(pcm + i * 680, 680, SECOND, row[i], &(sent){.ms = 45, .low_dbm0 = -9, .high_dbm0 = -9, .snr_db = 20}, 160);
    char names[128];
    cf_digit last;
    find(pcm, sizeof pcm / sizeof *pcm, names, &last);
    CHECK(!strcmp(names, row));
}

static void test_one_digit_right_after_another(void) {
    static int16_t pcm[SECOND];
    say(pcm, 1600, SECOND, '1', &(sent){.ms = 400, .low_dbm0 = -9, .high_dbm0 = -9, .snr_db = CLEAN}, 400);
    say(pcm + 1600, SECOND - 1600, SECOND, '5', &(sent){.ms = 100, .low_dbm0 = -9, .high_dbm0 = -9, .snr_db = CLEAN},
        0);
    char names[64];
    cf_digit last;
    CHECK_INT(find(pcm, SECOND, names, &last), 2);
    CHECK(!strcmp(names, "15"));
}

/* At 48 kHz, as the engine asks: how many ms of the tone are in frames before the first that is to be cut; and nothing
 * is cut 60 ms after its end. */
static void test_what_leaks_before_the_cut(void) {
    static int16_t pcm[48 * CF_FRAME];
    double worst = 0;
    for (const char *digit = digits; *digit; digit++)
        for (int late = 0; late < 20; late++) {
            cf_dtmf d;
            cf_digit out;
            size_t start = 10 * CF_FRAME + (size_t)late * 48;
            double leak = -1, tail = 0;
            cf_dtmf_init(&d);
            say(pcm, sizeof pcm / sizeof *pcm, 48000, *digit,
                &(sent){.ms = 100, .low_dbm0 = -9, .high_dbm0 = -9, .low_off = .015, .high_off = -.015, .snr_db = 15},
                start);
            for (size_t f = 0; f < 48; f++) {
                cf_dtmf_run(&d, pcm + f * CF_FRAME, CF_FRAME, &out);
                double from = ((double)(f * CF_FRAME) - (double)start) / 48;
                if (cf_dtmf_present(&d)) {
                    leak = leak < 0 ? fmax(0, from) : leak;
                    tail = from + 20 - 100;
                }
            }
            CHECK(leak >= 0 && tail < 60);
            worst = fmax(worst, leak);
        }
    printf("at most %.0f ms of a digit are heard\n", worst);
    CHECK(worst <= 25);
}

/* The library's own codecs, as a leg would bring it. */
static void through(const cf_codec_params *params, const char *row) {
    static int16_t pcm[200 * CF_FRAME];
    size_t n = strlen(row);
    for (size_t i = 0; i < n; i++)
        say(pcm + i * 5 * CF_FRAME, 5 * CF_FRAME, 48000, row[i],
            &(sent){.ms = 60, .low_dbm0 = -12, .high_dbm0 = -10, .snr_db = 30}, 700);
    cf_encoder *encoder = cf_encoder_new(params);
    cf_decoder *decoder = cf_decoder_new(params->codec, params->codec == CF_CODEC_OPUS ? 48000 : 8000);
    cf_dtmf d;
    cf_digit out;
    char names[64] = {0};
    size_t found = 0;
    cf_dtmf_init(&d);
    for (size_t f = 0; f < n * 5; f++) {
        uint8_t payload[CF_PAYLOAD_MAX];
        int16_t heard[CF_FRAME];
        int len = cf_encoder_once(encoder, pcm + f * CF_FRAME, payload, sizeof payload);
        CHECK_INT(cf_decoder_decode(decoder, payload, (size_t)len, heard, CF_FRAME), CF_FRAME);
        if (cf_dtmf_run(&d, heard, CF_FRAME, &out))
            names[found++] = out.digit;
    }
    CHECK(!strncmp(names, row, n - 1)); /* the last one may not have ended */
    cf_encoder_free(encoder);
    cf_decoder_free(decoder);
}

static void test_digits_through_codecs(void) {
    through(&(cf_codec_params){.codec = CF_CODEC_PCMU}, "0123456789*#ABCD1");
    through(&(cf_codec_params){.codec = CF_CODEC_PCMA}, "0123456789*#ABCD1");
    through(&(cf_codec_params){.codec = CF_CODEC_OPUS, .bitrate = 32000, .complexity = 5}, "0123456789*#ABCD1");
    through(&(cf_codec_params){.codec = CF_CODEC_OPUS, .bitrate = 24000, .complexity = 5}, "0123456789*#ABCD1");
}

static void test_pieces_of_any_length_give_the_same(void) {
    static int16_t pcm[SECOND];
    say(pcm, SECOND, SECOND, '3', &(sent){.ms = 333, .low_dbm0 = -9, .high_dbm0 = -9, .snr_db = 15}, 401);
    char names[64];
    cf_digit whole, pieces = {0};
    CHECK_INT(find(pcm, SECOND, names, &whole), 1);
    cf_dtmf d, copy;
    cf_dtmf_init(&d);
    int found = 0;
    for (size_t at = 0, n = 1; at < SECOND; at += n, n = n * 5 % 157 + 1) {
        n = at + n > SECOND ? SECOND - at : n;
        copy = d; /* plain data */
        found += cf_dtmf_run_8k(&copy, pcm + at, n, &pieces);
        d = copy;
    }
    CHECK_INT(found, 1);
    CHECK(pieces.digit == whole.digit && pieces.ts == whole.ts && pieces.duration_ms == whole.duration_ms);
}

/* What another program writes as 16-bit samples at this rate; n samples at most. */
static size_t listen_to(const char *command, int16_t *pcm, size_t n) {
    FILE *f = popen(command, "r");
    if (!f)
        return 0;
    size_t got = fread(pcm, sizeof *pcm, n, f);
    while (fgetc(f) != EOF) /* so that it ends by itself */
        ;
    return pclose(f) == 0 ? got : 0;
}

/* Somebody else's tones: ffmpeg's, 50 ms each, 50 ms apart, pink noise under them. */
static void test_tones_of_another_program(void) {
    static int16_t pcm[2 * SECOND];
    char command[8192], names[64];
    cf_digit last;
    int at = snprintf(command, sizeof command, "ffmpeg -loglevel error -f lavfi -i 'aevalsrc=s=8000:d=2:exprs=0");
    for (int i = 0; i < 16; i++) {
        int low, high;
        cf_dtmf_tones(digits[i], &low, &high);
        at += snprintf(command + at, sizeof command - (size_t)at,
                       "+between(t\\,%.1f\\,%.2f)*0.2*(sin(%d*2*PI*t)+sin(%d*2*PI*t))", i * .1 + .1, i * .1 + .15, low,
                       high);
    }
    snprintf(command + at, sizeof command - (size_t)at,
             "' -f lavfi -i 'anoisesrc=r=8000:c=pink:a=0.05:s=1:d=2' -filter_complex amix=normalize=0 -f s16le -");
    size_t n = listen_to(command, pcm, 2 * SECOND);
    CHECK_INT(n, 2 * SECOND);
    find(pcm, n, names, &last);
    CHECK(!strcmp(names, digits));
}

static int16_t speech[3 * SPEECH_S * 48000];
static size_t speech_n;

/* Three voices of espeak-ng, each as loud as full scale allows. */
static void speak(void) {
    static const char *const voices[] = {"en-us+f3", "de+m3", "es+f2"};
    for (int i = 0; i < 3; i++) {
        char command[512];
        snprintf(
            command, sizeof command,
            "for n in $(seq %d); do echo \"$n. Please enter the conference number and press the pound key. Wir mieten "
            "neun Boote, Mimi; la luna llena ilumina el camino. Numbers: $((n * 7919)), oh no, woo, yeah, mmm.\"; done "
            "|"
            "espeak-ng -v %s --stdout | ffmpeg -loglevel error -i - -t %d -af volume=8dB -f s16le -ar 48000 -ac 1 -",
            SPEECH_S / 8, voices[i], SPEECH_S);
        speech_n += listen_to(command, speech + speech_n, SPEECH_S * 48000);
    }
}

static void test_speech_is_no_digit_and_is_not_cut(void) {
    CHECK(speech_n > 2 * SPEECH_S * 48000);
    cf_dtmf d;
    cf_digit out;
    int cut = 0, found = 0, loud = 0;
    cf_dtmf_init(&d);
    for (size_t at = 0; at + CF_FRAME <= speech_n; at += CF_FRAME) {
        found += cf_dtmf_run(&d, speech + at, CF_FRAME, &out);
        cut += cf_dtmf_present(&d);
        loud += test_rms(speech + at, CF_FRAME) > 300;
    }
    CHECK_INT(found, 0);
    CHECK_INT(cut, 0);
    CHECK(loud > SPEECH_S * 50); /* there was speech */
}

/* A hand on the key while somebody goes on talking, 15 dB softer than the tones. */
static void test_digits_over_speech(void) {
    static int16_t tone[12 * CF_FRAME], x[CF_FRAME];
    cf_dtmf d;
    cf_digit out;
    char want[1024], names[1024];
    size_t sent_n = 0, found = 0;
    double sum = 0;
    cf_dtmf_init(&d);
    for (size_t i = 0; i < speech_n; i++)
        sum += (double)speech[i] * speech[i];
    double gain = amplitude(-9) / sqrt(sum / (double)speech_n) * pow(10, -15 / 20.0);
    for (size_t at = 0; at + 12 * CF_FRAME <= speech_n && sent_n < 200; at += 12 * CF_FRAME) {
        want[sent_n] = digits[sent_n % 16];
        say(tone, 12 * CF_FRAME, 48000, want[sent_n++],
            &(sent){.ms = 120, .low_dbm0 = -9, .high_dbm0 = -9, .snr_db = CLEAN}, 960);
        for (size_t f = 0; f < 12; f++) {
            for (size_t i = 0; i < CF_FRAME; i++)
                x[i] =
                    (int16_t)fmax(-32768, fmin(32767, tone[f * CF_FRAME + i] + gain * speech[at + f * CF_FRAME + i]));
            if (cf_dtmf_run(&d, x, CF_FRAME, &out) && found < sizeof names - 1)
                names[found++] = out.digit;
        }
    }
    names[found] = want[sent_n] = 0;
    if (strcmp(names, want))
        fprintf(stderr, "sent  %s\nfound %s\n", want, names);
    CHECK(!strcmp(names, want));
}

int main(void) {
    cf_rng_seed(&rng, 4733);
    speak();
    RUN(test_frequencies);
    RUN(test_accepted);
    RUN(test_refused);
    RUN(test_duration_level_and_moment);
    RUN(test_the_fastest_row_of_digits);
    RUN(test_one_digit_right_after_another);
    RUN(test_what_leaks_before_the_cut);
    RUN(test_digits_through_codecs);
    RUN(test_pieces_of_any_length_give_the_same);
    RUN(test_tones_of_another_program);
    RUN(test_speech_is_no_digit_and_is_not_cut);
    RUN(test_digits_over_speech);
    return REPORT();
}

/* What the audio kernels cost, in ns of CPU a frame. Not part of check: gcc -O3, link with the audio archives, run on a
 * quiet machine. */
#include "conferocore/dtmf.h"
#include "conferocore/mixer.h"
#include "conferocore/noise.h"
#include "conferocore/resample.h"
#include "playlab.h"

#include <stdio.h>
#include <time.h>

enum { ROUNDS = 20000, FEW = ROUNDS / 4 };

static double cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#define BENCH(name, rounds, statement)                                                                                 \
    do {                                                                                                               \
        double best_ = 1e18;                                                                                           \
        for (int take_ = 0; take_ < 5; take_++) {                                                                      \
            double start_ = cpu_ns();                                                                                  \
            for (int i = 0; i < (rounds); i++) {                                                                       \
                statement;                                                                                             \
                __asm__ volatile("" ::: "memory");                                                                     \
            }                                                                                                          \
            double ns_ = (cpu_ns() - start_) / (double)(rounds);                                                       \
            best_ = ns_ < best_ ? ns_ : best_;                                                                         \
        }                                                                                                              \
        printf("%-34s %9.0f ns\n", name, best_);                                                                       \
    } while (0)

static int16_t pcm[CF_FRAME], out[CF_FRAME];
static int32_t own[CF_FRAME], sum[CF_FRAME], others[CF_FRAME];

static void bench_mixer(void) {
    static cf_limiter limiter;
    static uint8_t level;
    BENCH("gain 1", ROUNDS, cf_mix_gain(own, pcm, CF_FRAME, CF_GAIN_ONE, CF_GAIN_ONE));
    BENCH("gain, constant", ROUNDS, cf_mix_gain(own, pcm, CF_FRAME, 9000, 9000));
    BENCH("gain, ramp", ROUNDS, cf_mix_gain(own, pcm, CF_FRAME, 0, CF_GAIN_ONE));
    BENCH("add", ROUNDS, cf_mix_add(sum, own, CF_FRAME));
    BENCH("minus", ROUNDS, cf_mix_minus(others, sum, own, CF_FRAME));
    BENCH("level", ROUNDS, level = cf_level(pcm, CF_FRAME));
    (void)level;
    for (int i = 0; i < CF_FRAME; i++)
        others[i] = i * 20;
    cf_limiter_init(&limiter);
    BENCH("limiter at rest", ROUNDS, cf_limiter_run(&limiter, others, out, CF_FRAME));
    for (int i = 0; i < CF_FRAME; i++)
        others[i] = i * 200;
    BENCH("limiter at work", ROUNDS, cf_limiter_run(&limiter, others, out, CF_FRAME));
}

static void bench_g711(void) {
    cf_encoder *encoder = cf_encoder_new(&(cf_codec_params){.codec = CF_CODEC_PCMU});
    cf_decoder *decoder = cf_decoder_new(CF_CODEC_PCMU, 8000);
    uint8_t payload[160];
    BENCH("G.711 encode with 48 -> 8 kHz", ROUNDS, cf_encoder_once(encoder, pcm, payload, sizeof payload));
    BENCH("G.711 decode with 8 -> 48 kHz", ROUNDS, cf_decoder_decode(decoder, payload, sizeof payload, out, CF_FRAME));
    BENCH("G.711 conceal, start and frame", FEW,
          (cf_decoder_decode(decoder, payload, sizeof payload, out, CF_FRAME),
           cf_decoder_conceal(decoder, out, CF_FRAME)));
    cf_encoder_free(encoder);
    cf_decoder_free(decoder);
}

/* Speech, coded: the price depends little on what is coded, but silence is not the case. */
static void bench_wide(const char *name, const cf_codec_params *params) {
    enum { FRAMES = 50 };
    static int16_t speech[FRAMES * CF_FRAME];
    static cf_encoded made[FRAMES];
    char label[64];
    test_babble(speech, FRAMES * CF_FRAME, 20000, 1);
    cf_encoder *encoder = cf_encoder_new(params);
    cf_decoder *decoder = cf_decoder_new(params->codec, cf_codec_clock(params->codec, params->rate));
    snprintf(label, sizeof label, "%s encode", name);
    BENCH(label, FEW, cf_encoder_encode(encoder, speech + i % FRAMES * CF_FRAME, &made[i % FRAMES]));
    snprintf(label, sizeof label, "%s decode", name);
    BENCH(label, FEW,
          cf_decoder_decode(decoder, made[i % FRAMES].payload[0], made[i % FRAMES].part[0].len, out, CF_FRAME));
    cf_encoder_free(encoder);
    cf_decoder_free(decoder);
}

static void bench_noise(void) {
    static const cf_cn room = {.level = 50, .order = CF_CN_ORDER, .reflection = {-0.8F, 0.3F}};
    cf_cng cng;
    cf_noise noise;
    cf_cng_init(&cng, 1);
    cf_cng_set(&cng, &room);
    cf_noise_init(&noise, 60, 1);
    BENCH("comfort noise of 8 kHz", FEW, cf_cng_render(&cng, out, 160));
    BENCH("comfort noise of the mix", FEW, cf_noise_add(&noise, sum, CF_FRAME));
}

static void bench_dtmf(void) {
    static cf_dtmf dtmf;
    static int16_t low[CF_DTMF_BLOCK];
    static cf_digit digit;
    cf_dtmf_init(&dtmf);
    BENCH("digits by their sound, silence", ROUNDS, cf_dtmf_run_8k(&dtmf, low, CF_DTMF_BLOCK, &digit));
    for (int i = 0; i < CF_DTMF_BLOCK; i++)
        low[i] = (int16_t)(i * 40);
    BENCH("digits by their sound, 8 kHz", ROUNDS, cf_dtmf_run_8k(&dtmf, low, CF_DTMF_BLOCK, &digit));
    for (int i = 0; i < CF_FRAME; i++)
        out[i] = (int16_t)(i * 7);
    BENCH("digits by their sound, 48 kHz", ROUNDS, cf_dtmf_run(&dtmf, out, CF_FRAME, &digit));
}

static void bench_clone(void) {
    static const cf_codec_params params = {.codec = CF_CODEC_OPUS, .complexity = -1};
    cf_encoder *a = cf_encoder_new(&params), *b = cf_encoder_new(&params);
    BENCH("Opus encoder clone", ROUNDS, cf_encoder_clone(a, b));
    cf_encoder_free(a);
    cf_encoder_free(b);
}

/* The time of put and get alone: a minute of a stream is encoded first. */
static void bench_playout(const char *name, const cf_codec_params *opus, double ppm) {
    enum { FRAMES = 3000 };
    static uint8_t payloads[FRAMES][CF_PAYLOAD_MAX];
    static size_t lengths[FRAMES];
    lab l = {.hz = 0, .opus = opus};
    lab_open(&l, 1);
    static int16_t speech[CF_RATE * 10];
    test_babble(speech, CF_RATE * 10, 20000, 1);
    cf_encoder *encoder = cf_encoder_new(opus ? opus : &(cf_codec_params){.codec = CF_CODEC_PCMU});
    for (int i = 0; i < FRAMES; i++)
        lengths[i] = (size_t)cf_encoder_once(encoder, speech + i % 500 * CF_FRAME, payloads[i], CF_PAYLOAD_MAX);
    cf_rtp rtp = {.pt = opus ? LAB_OPUS : LAB_PCMU, .ssrc = 7};
    double start = cpu_ns();
    for (int i = 0, k = 0; i < FRAMES; i++) {
        int64_t now = i * 20 * LAB_MS;
        for (; k < FRAMES && (double)k * 20 * (double)LAB_MS / (1 + ppm * 1e-6) <= (double)now; k++) {
            rtp.payload = payloads[k];
            rtp.payload_len = lengths[k];
            cf_playout_put(l.playout, &rtp, -1, now);
            rtp.seq++;
            rtp.ts += opus ? 960 : 160;
        }
        cf_playout_get(l.playout, out, now);
    }
    printf("%-34s %9.0f ns\n", name, (cpu_ns() - start) / FRAMES);
    cf_encoder_free(encoder);
    lab_close(&l);
}

int main(void) {
    test_babble(pcm, CF_FRAME, 20000, 3);
    bench_mixer();
    bench_g711();
    bench_wide("G.722 with 48 <-> 16 kHz", &(cf_codec_params){.codec = CF_CODEC_G722});
    bench_wide("L16 with 48 <-> 16 kHz", &(cf_codec_params){.codec = CF_CODEC_L16});
    bench_noise();
    bench_dtmf();
    bench_clone();
    static const cf_codec_params voice = {.codec = CF_CODEC_OPUS, .bitrate = 24000, .complexity = -1};
    bench_playout("playout put + get, G.711", NULL, 0);
    bench_playout("playout put + get, G.711, 2 % skew", NULL, 20000);
    bench_playout("playout put + get, Opus", &voice, 0);
    bench_playout("playout put + get, Opus, 2 % skew", &voice, 20000);
    return 0;
}

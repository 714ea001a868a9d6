/* Automatic gain listened to: who is soft and who is loud end alike, pauses do not grow, shouts are not clipped. */
#include "../testlib.h"
#include "conferocore/agc.h"
#include "conferocore/mixer.h"
#include "signals.h"

enum { SECOND = 50 /* frames */, LONG = 60 * SECOND, GATE = 65 };

/* A voice on its way through gain and limiter, as in a room. */
typedef struct chain {
    cf_agc agc;
    cf_limiter limiter;
    int32_t gain;
    int16_t heard[CF_FRAME * LONG];
    int32_t gains[LONG];
} chain;

static chain *chain_new(void) {
    chain *c = calloc(1, sizeof *c);
    cf_agc_init(&c->agc, 0);
    cf_limiter_init(&c->limiter);
    c->gain = CF_GAIN_ONE;
    return c;
}

static void pass(chain *c, const int16_t *pcm, int frames) {
    for (int i = 0; i < frames; i++, pcm += CF_FRAME) {
        int32_t wide[CF_FRAME];
        uint8_t level = cf_level(pcm, CF_FRAME);
        int32_t target = cf_agc_step(&c->agc, level, level <= GATE);
        cf_mix_gain(wide, pcm, CF_FRAME, c->gain, target);
        c->gain = c->gains[i] = target;
        cf_limiter_run(&c->limiter, wide, c->heard + (size_t)i * CF_FRAME, CF_FRAME);
    }
}

/* Active speech level, -dBov, as ITU-T P.56 has it, by frames: the mean power of all that is not 15.9 dB under it. */
static double speech_level(const int16_t *pcm, int frames) {
    double threshold = 0, mean = 0;
    for (int turn = 0; turn < 20; turn++) {
        double sum = 0;
        int n = 0;
        for (int i = 0; i < frames; i++) {
            double rms = test_rms(pcm + (size_t)i * CF_FRAME, CF_FRAME), power = rms * rms;
            if (power > threshold) {
                sum += power;
                n++;
            }
        }
        mean = n ? sum / n : 1;
        threshold = mean * pow(10, -1.59);
    }
    return -10 * log10(mean / (32768.0 * 32768.0));
}

static int16_t *silence(int frames) {
    return calloc((size_t)frames * CF_FRAME, sizeof(int16_t));
}

/* The babble at this level. */
static int16_t *voice(int frames, double dbov, uint64_t seed) {
    size_t n = (size_t)frames * CF_FRAME;
    int16_t *pcm = silence(frames);
    test_babble(pcm, n, 20000, seed);
    double factor = pow(10, (speech_level(pcm, frames) - dbov) / 20);
    for (size_t i = 0; i < n; i++)
        pcm[i] = (int16_t)fmax(-32768, fmin(32767, lrint(pcm[i] * factor)));
    return pcm;
}

static int16_t *noise(int frames, double dbov, uint64_t seed) {
    int16_t *pcm = silence(frames);
    cf_rng rng;
    cf_rng_seed(&rng, seed);
    double amplitude = 32768 * pow(10, -dbov / 20) * sqrt(3);
    for (size_t i = 0; i < (size_t)frames * CF_FRAME; i++)
        pcm[i] = (int16_t)lrint(amplitude * (2 * cf_rng_unit(&rng) - 1));
    return pcm;
}

/* Syllables of a tone: 200 ms of it, 100 ms of nothing, with soft edges. */
static int16_t *syllables(int frames, double amplitude) {
    int16_t *pcm = silence(frames);
    for (size_t i = 0; i < (size_t)frames * CF_FRAME; i++) {
        double at = (double)(i % 14400) / 9600, edge = at >= 1 ? 0 : fmin(1, 8 * fmin(at, 1 - at));
        pcm[i] = (int16_t)lrint(edge * amplitude * sin(2 * TEST_PI * 500 * (double)i / CF_RATE));
    }
    return pcm;
}

static double db(int32_t gain) {
    return 20 * log10((double)gain / CF_GAIN_ONE);
}

/* How loud a voice of this level is between its sixth and eleventh second. */
static double after_five_seconds(double dbov, uint64_t seed) {
    chain *c = chain_new();
    int16_t *pcm = voice(11 * SECOND, dbov, seed);
    pass(c, pcm, 11 * SECOND);
    double level = speech_level(c->heard + (size_t)6 * SECOND * CF_FRAME, 5 * SECOND);
    free(pcm);
    free(c);
    return level;
}

static void test_soft_and_loud_end_alike(void) {
    for (uint64_t seed = 1; seed <= 8; seed++) {
        double soft = after_five_seconds(32, seed), loud = after_five_seconds(14, seed);
        CHECK(fabs(soft - loud) < 2);
        CHECK(fabs(soft - CF_AGC_TARGET) < 3);
        CHECK(fabs(loud - CF_AGC_TARGET) < 3);
    }
}

static void test_a_voice_at_the_target_is_left_alone(void) {
    for (uint64_t seed = 1; seed <= 8; seed++) {
        chain *c = chain_new();
        int16_t *pcm = voice(20 * SECOND, CF_AGC_TARGET, seed);
        pass(c, pcm, 20 * SECOND);
        int at_one = 0;
        for (int i = 0; i < 20 * SECOND; i++) {
            CHECK(fabs(db(c->gains[i])) < 2.5);
            at_one += c->gains[i] == CF_GAIN_ONE;
        }
        CHECK(at_one > 10 * SECOND);
        free(pcm);
        free(c);
    }
}

/* 3 dB a second up, 12 down, and no further than the bounds. */
static void test_it_moves_slowly_and_not_too_far(void) {
    const struct { double dbov, least, most; } cases[] = {{55, 0, 18}, {3, -12, 0}};
    for (int k = 0; k < 2; k++) {
        chain *c = chain_new();
        int16_t *pcm = voice(30 * SECOND, cases[k].dbov, 5);
        pass(c, pcm, 30 * SECOND);
        for (int i = 1; i < 30 * SECOND; i++) {
            double step = db(c->gains[i]) - db(c->gains[i - 1]);
            CHECK(step < 3.2 / SECOND && step > -12.2 / SECOND);
            CHECK(db(c->gains[i]) > cases[k].least - 0.01 && db(c->gains[i]) < cases[k].most + 0.01);
        }
        CHECK(fabs(db(c->gain)) > (k ? 11.9 : 17.9));
        free(pcm);
        free(c);
    }
}

/* The noise of a room that its gate lets through is as loud after a minute as at first. */
static void test_pauses_do_not_grow(void) {
    chain *c = chain_new();
    int16_t *pcm = voice(10 * SECOND, 35, 2), *hiss = noise(LONG, 50, 3);
    pass(c, pcm, 10 * SECOND);
    int32_t gain = c->gain;
    CHECK(db(gain) > 8);
    pass(c, hiss, LONG);
    CHECK_INT(c->gain, gain);
    for (int i = 0; i < LONG; i++)
        CHECK_INT(c->gains[i], gain);
    free(pcm);
    free(hiss);
    free(c);
}

static void test_noise_is_no_voice(void) {
    chain *c = chain_new();
    int16_t *hiss = noise(LONG, 45, 4), *nothing = silence(3 * SECOND);
    pass(c, hiss, LONG);
    CHECK_INT(c->gain, CF_GAIN_ONE);
    pass(c, nothing, 3 * SECOND); /* and then the fan is switched on */
    pass(c, hiss, LONG);
    CHECK_INT(c->gain, CF_GAIN_ONE);
    free(hiss);
    free(nothing);
    free(c);
}

/* Speech in noise of 15 dB below it is speech, and what is beside it counts for nothing. */
static void test_a_voice_in_noise_is_found(void) {
    chain *c = chain_new();
    int16_t *pcm = voice(12 * SECOND, 33, 6), *hiss = noise(12 * SECOND, 50, 7);
    for (size_t i = 0; i < (size_t)12 * SECOND * CF_FRAME; i++)
        pcm[i] = (int16_t)(pcm[i] + hiss[i]);
    pass(c, pcm, 12 * SECOND);
    CHECK(db(c->gain) > 7.5 && db(c->gain) < 12);
    free(pcm);
    free(hiss);
    free(c);
}

/* A voice that was made 18 dB louder shouts at full scale: the limiter bends it into its ceiling, no top is cut flat,
 * and after three seconds nothing needs bending any more. */
static void test_a_shout_is_not_clipped(void) {
    chain *c = chain_new();
    int16_t *soft = syllables(15 * SECOND, 150), *shout = syllables(3 * SECOND, 30000);
    pass(c, soft, 15 * SECOND);
    CHECK(db(c->gain) > 17.9);
    pass(c, shout, 3 * SECOND);
    for (int i = 0; i < 3 * SECOND * CF_FRAME; i++)
        CHECK(abs(c->heard[i]) <= CF_LIMIT_CEILING);
    for (int i = 0; i < 2; i++) { /* the plateaus of the first syllables, one after the other */
        const int16_t *plateau = c->heard + (size_t)i * 14400 + 2400;
        CHECK(test_residual_db(plateau, 4800, 500, CF_RATE) < -30);
    }
    CHECK(db(c->gain) < -4);
    free(soft);
    free(shout);
    free(c);
}

/* Nothing bends more than the voice itself does at the highest gain: a change of gain is never heard as a click. */
static void test_no_click(void) {
    const double amplitudes[] = {300, 25000};
    for (int k = 0; k < 2; k++) {
        chain *c = chain_new();
        int16_t *pcm = syllables(12 * SECOND, amplitudes[k]);
        pass(c, pcm, 12 * SECOND);
        int32_t most = CF_GAIN_ONE;
        for (int i = 0; i < 12 * SECOND; i++)
            most = c->gains[i] > most ? c->gains[i] : most;
        size_t n = (size_t)12 * SECOND * CF_FRAME;
        CHECK(test_bend(c->heard, n) < 1.02 * test_bend(pcm, n) * most / CF_GAIN_ONE + 3);
        CHECK(fabs(db(c->gain)) > 6);
        free(pcm);
        free(c);
    }
}

/* A neighbour who asks something aside changes nothing; who takes over the microphone is heard in the end. */
static void test_who_takes_over_is_learnt(void) {
    chain *c = chain_new();
    int16_t *near = voice(8 * SECOND, 18, 8), *far = voice(20 * SECOND, 42, 9);
    pass(c, near, 8 * SECOND);
    int32_t gain = c->gain;
    CHECK(db(gain) < -3);
    pass(c, far, 3 * SECOND);
    CHECK(fabs(db(c->gain) - db(gain)) < 0.5);
    pass(c, far, 20 * SECOND);
    CHECK(db(c->gain) > 12);
    free(near);
    free(far);
    free(c);
}

int main(void) {
    RUN(test_soft_and_loud_end_alike);
    RUN(test_a_voice_at_the_target_is_left_alone);
    RUN(test_it_moves_slowly_and_not_too_far);
    RUN(test_pauses_do_not_grow);
    RUN(test_noise_is_no_voice);
    RUN(test_a_voice_in_noise_is_found);
    RUN(test_a_shout_is_not_clipped);
    RUN(test_no_click);
    RUN(test_who_takes_over_is_learnt);
    return REPORT();
}

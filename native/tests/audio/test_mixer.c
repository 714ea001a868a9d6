/* The mix's arithmetic against its definitions, written out sample by sample. */
#include "../testlib.h"
#include "conferocore/mixer.h"
#include "conferocore/oneshot.h"
#include "signals.h"

#include <errno.h>

static cf_rng rng;

static int random_within(int lo, int hi) {
    return lo + (int)(cf_rng_unit(&rng) * (hi - lo + 1));
}

static void test_unity_gain_changes_nothing(void) {
    int16_t in[1000];
    int32_t got[1000];
    for (int i = 0; i < 1000; i++)
        in[i] = (int16_t)random_within(INT16_MIN, INT16_MAX);
    cf_mix_gain(got, in, 1000, CF_GAIN_ONE, CF_GAIN_ONE);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(got[i], in[i]);
}

/* round(in * gain / 16384) in whole numbers, halves away from zero; gain is a fraction over n. */
static int64_t exact_gain(int64_t in, int64_t gain_times_n, int64_t n) {
    int64_t unit = CF_GAIN_ONE * n, product = in * gain_times_n;
    return product < 0 ? -((-product * 2 + unit) / (2 * unit)) : (product * 2 + unit) / (2 * unit);
}

static void test_gains_and_ramps_are_exact(void) {
    static const int32_t gains[] = {0, 1, 5000, CF_GAIN_ONE - 1, CF_GAIN_ONE, 40001, CF_GAIN_MAX};
    int16_t in[CF_FRAME];
    int32_t got[CF_FRAME];
    for (size_t a = 0; a < 7; a++)
        for (size_t b = 0; b < 7; b++)
            for (int n = CF_FRAME; n > 0; n /= 7) {
                for (int i = 0; i < n; i++)
                    in[i] = (int16_t)(i < 2 ? (i ? INT16_MAX : INT16_MIN) : random_within(INT16_MIN, INT16_MAX));
                cf_mix_gain(got, in, (size_t)n, gains[a], gains[b]);
                for (int i = 0; i < n; i++)
                    CHECK_INT(got[i],
                              exact_gain(in[i], (int64_t)gains[a] * n + ((int64_t)gains[b] - gains[a]) * (i + 1), n));
            }
}

static void test_a_share_of_a_voice_is_added_exactly(void) {
    static const int32_t gains[][2] = {{0, 0}, {-CF_GAIN_ONE, -CF_GAIN_ONE}, {0, -CF_GAIN_ONE}, {CF_GAIN_MAX, 5000}};
    int32_t own[CF_FRAME], sum[CF_FRAME], got[CF_FRAME];
    for (size_t g = 0; g < 4; g++) {
        for (int i = 0; i < CF_FRAME; i++) {
            own[i] = random_within(-260000, 260000);
            sum[i] = got[i] = random_within(-2000000, 2000000);
        }
        cf_mix_add_gain(got, own, CF_FRAME, gains[g][0], gains[g][1]);
        for (int64_t i = 0; i < CF_FRAME; i++) {
            int64_t gain = (int64_t)gains[g][0] * CF_FRAME + ((int64_t)gains[g][1] - gains[g][0]) * (i + 1);
            CHECK_INT(got[i], sum[i] + exact_gain(own[i], gain, CF_FRAME));
        }
    }
}

static void test_narrowing_saturates(void) {
    static const int32_t wide[] = {0, -1, 32767, 32768, -32768, -32769, INT32_MAX, INT32_MIN};
    static const int16_t want[] = {0, -1, 32767, 32767, -32768, -32768, 32767, -32768};
    int16_t narrow[8];
    cf_mix_narrow(narrow, wide, 8);
    CHECK(memcmp(narrow, want, sizeof want) == 0);
}

static void test_silence_is_not_one_sample_but_zero(void) {
    int16_t x[CF_FRAME] = {0};
    CHECK(cf_silent(x, CF_FRAME));
    for (int i = 0; i < CF_FRAME; i += 59) {
        x[i] = i % 2 ? 1 : INT16_MIN;
        CHECK(!cf_silent(x, CF_FRAME));
        x[i] = 0;
    }
}

static void test_a_ramp_ends_at_its_goal_and_does_not_click(void) {
    int16_t in[CF_FRAME], low[CF_FRAME];
    int32_t got[CF_FRAME];
    test_tone(in, CF_FRAME, 440, CF_RATE, 30000, 0);
    cf_mix_gain(got, in, CF_FRAME, CF_GAIN_ONE, 0);
    CHECK_INT(got[CF_FRAME - 1], 0);
    CHECK(abs(got[0] - in[0]) <= 32);
    for (int i = 0; i < CF_FRAME; i++)
        low[i] = (int16_t)got[i];
    CHECK(test_bend(low, CF_FRAME) <= test_bend(in, CF_FRAME) + 8);
}

static void test_the_sum_minus_self_is_the_sum_of_the_others(void) {
    enum { LEGS = 50, ODD = 957 };
    static int32_t own[LEGS][ODD], sum[ODD], got[ODD];
    for (int leg = 0; leg < LEGS; leg++)
        for (int i = 0; i < ODD; i++)
            own[leg][i] = random_within(-260000, 260000);
    for (int leg = 0; leg < LEGS; leg++)
        cf_mix_add(sum, own[leg], ODD);
    for (int leg = 0; leg < LEGS; leg++) {
        cf_mix_minus(got, sum, own[leg], ODD);
        for (int i = 0; i < ODD; i++) {
            int64_t others = 0;
            for (int k = 0; k < LEGS; k++)
                others += k == leg ? 0 : own[k][i];
            CHECK_INT(got[i], others);
        }
    }
}

static void test_levels_of_rfc_6464(void) {
    int16_t x[CF_FRAME];
    memset(x, 0, sizeof x);
    CHECK_INT(cf_level(x, CF_FRAME), 127);
    x[7] = 1; /* 10 log10(960) + 90.3 dB down */
    CHECK_INT(cf_level(x, CF_FRAME), 120);
    for (int i = 0; i < CF_FRAME; i++)
        x[i] = i % 2 ? INT16_MAX : INT16_MIN;
    CHECK_INT(cf_level(x, CF_FRAME), 0);
    for (int down = 4; down < 80; down++) { /* a full-scale sine is at 3.01 dB */
        test_tone(x, CF_FRAME, 1000, CF_RATE, 32768 * sqrt(2) * pow(10, -down / 20.0), 0);
        CHECK_INT(cf_level(x, CF_FRAME), down);
    }
}

static int level_by_logarithm(double square) {
    double level = square > 0 ? -10 * log10(square / (32768.0 * 32768.0)) : 127;
    return (int)(level > 127 ? 127 : level < 0 ? 0 : level + 0.5);
}

static void test_every_level_is_its_logarithm(void) {
    static int16_t x[CF_FRAME];
    for (int v = INT16_MIN; v <= INT16_MAX; v++) {
        x[0] = (int16_t)v;
        CHECK_INT(cf_level(x, 1), level_by_logarithm((double)v * v));
        CHECK_INT(cf_level(x, CF_FRAME), level_by_logarithm((double)v * v / CF_FRAME));
    }
    for (int i = 0; i < CF_FRAME; i++)
        x[i] = INT16_MIN;
    for (size_t n = 1; n <= CF_FRAME; n++)
        CHECK_INT(cf_level(x, n), 0);
}

/* The limiter by the letter of mixer.h, each window walked through anew. */
typedef struct oracle {
    double rel[CF_LIMIT_AHEAD + 1], low[CF_LIMIT_AHEAD]; /* newest first */
    int32_t x[CF_LIMIT_AHEAD + 1];
} oracle;

static void oracle_init(oracle *o) {
    memset(o, 0, sizeof *o);
    for (int i = 0; i <= CF_LIMIT_AHEAD; i++)
        o->rel[i] = 1;
    for (int i = 0; i < CF_LIMIT_AHEAD; i++)
        o->low[i] = 1;
}

static double oracle_next(oracle *o, int32_t x) {
    double need = fmin(1, CF_LIMIT_CEILING / fabs((double)x)), rel = o->rel[0];
    rel = fmin(need, rel + (1 - rel) * CF_LIMIT_RELEASE);
    memmove(o->rel + 1, o->rel, sizeof o->rel - sizeof rel);
    memmove(o->low + 1, o->low, sizeof o->low - sizeof rel);
    memmove(o->x + 1, o->x, sizeof o->x - sizeof x);
    o->rel[0] = 1 - rel < CF_LIMIT_REST ? 1 : rel;
    o->x[0] = x;
    double low = 1, gain = 0;
    for (int i = 0; i <= CF_LIMIT_AHEAD; i++)
        low = fmin(low, o->rel[i]);
    o->low[0] = low;
    for (int i = 0; i < CF_LIMIT_AHEAD; i++)
        gain += o->low[i] / CF_LIMIT_AHEAD;
    return o->x[CF_LIMIT_AHEAD] * gain;
}

enum { LONG = 96000 };
static int32_t loud[LONG];
static int16_t got[LONG];

static void limit_and_compare(void) {
    cf_limiter l;
    static oracle o;
    cf_limiter_init(&l);
    oracle_init(&o);
    cf_limiter_run(&l, loud, got, LONG);
    for (int i = 0; i < LONG; i++) {
        double want = oracle_next(&o, loud[i]);
        CHECK(fabs(got[i] - want) <= 0.5 + 1e-6);
        CHECK(abs(got[i]) <= CF_LIMIT_CEILING);
    }
}

static void test_the_limiter_is_its_definition_on_speech(void) {
    static int16_t speech[LONG];
    memset(loud, 0, sizeof loud);
    for (uint64_t talker = 0; talker < 6; talker++) {
        test_babble(speech, LONG, 32767, talker + 1);
        for (int i = 0; i < LONG; i++)
            loud[i] += speech[i];
    }
    limit_and_compare();
}

static void test_the_limiter_is_its_definition_on_spikes(void) {
    for (int i = 0; i < LONG; i++)
        loud[i] = i % 9973 == 5 ? (i % 2 ? INT32_MAX : INT32_MIN) : random_within(-100, 100);
    limit_and_compare();
    for (int i = 0; i < LONG; i++)
        loud[i] = cf_rng_unit(&rng) < 0.01 ? random_within(-500000, 500000) : random_within(-32100, 32100);
    limit_and_compare();
}

static void test_the_limiter_is_its_definition_when_it_comes_to_rest(void) {
    for (int i = 0; i < LONG; i++)
        loud[i] = i < 50 || (i > 80000 && i < 80003) ? 32001 : i % 7 ? 31999 : -32000;
    limit_and_compare();
}

static void test_a_signal_under_the_ceiling_is_only_late(void) {
    cf_limiter l;
    cf_limiter_init(&l);
    for (int i = 0; i < LONG; i++)
        loud[i] = random_within(-CF_LIMIT_CEILING, CF_LIMIT_CEILING);
    cf_limiter_run(&l, loud, got, LONG);
    for (int i = 0; i < CF_LIMIT_AHEAD; i++)
        CHECK_INT(got[i], 0);
    for (int i = CF_LIMIT_AHEAD; i < LONG; i++)
        CHECK_INT(got[i], loud[i - CF_LIMIT_AHEAD]);
}

static void test_the_limiter_rests_again_after_a_peak(void) {
    cf_limiter l;
    cf_limiter_init(&l);
    for (int i = 0; i < LONG; i++)
        loud[i] = i == 100 ? 200000 : random_within(-CF_LIMIT_CEILING, CF_LIMIT_CEILING);
    cf_limiter_run(&l, loud, got, LONG);
    for (int i = 76000; i < LONG; i++) /* 4800 * ln(2^20), and the windows */
        CHECK_INT(got[i], loud[i - CF_LIMIT_AHEAD]);
    for (int i = 0; i < CF_LIMIT_AHEAD; i++)
        CHECK(l.away[i] == 0 && l.high[i] == 0);
}

static void test_pieces_of_any_length_give_the_same(void) {
    static int16_t pieces[LONG];
    cf_limiter l;
    for (int i = 0; i < LONG; i++)
        loud[i] = i / 20000 % 2 ? random_within(-90000, 90000) : random_within(-9000, 9000);
    cf_limiter_init(&l);
    cf_limiter_run(&l, loud, got, LONG);
    cf_limiter_init(&l);
    for (size_t at = 0, n = 1; at < LONG; at += n, n = n * 7 % 1009 + 1) {
        n = at + n > LONG ? LONG - at : n;
        cf_limiter copy = l;
        cf_limiter_run(&copy, loud + at, pieces + at, n);
        l = copy;
    }
    CHECK(memcmp(got, pieces, sizeof got) == 0);
}

/* Hours at work must leave no trace: afterwards the limiter is in the very state of a new one. */
static void test_the_limiter_does_not_drift(void) {
    cf_limiter l;
    cf_limiter_init(&l);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < LONG; i++)
            loud[i] = (i * 2654435761U >> 12) % 150000 - 75000;
        cf_limiter_run(&l, loud, got, LONG);
    }
    memset(loud, 0, sizeof loud);
    cf_limiter_run(&l, loud, got, LONG);
    cf_limiter fresh;
    cf_limiter_init(&fresh);
    CHECK(memcmp(l.delay, fresh.delay, sizeof l.delay) == 0);
    for (int i = 0; i < CF_LIMIT_AHEAD; i++)
        CHECK(l.away[i] == fresh.away[i] && l.high[i] == fresh.high[i]);
    CHECK(l.carry == fresh.carry && l.resting == fresh.resting && l.lane == fresh.lane);
}

static void test_oneshot_is_the_kernels_in_order(void) {
    enum { LEGS = 3, FRAMES = 20, N = FRAMES * CF_FRAME };
    static int16_t in[LEGS][N], out[LEGS][N], want[N];
    static int32_t own[LEGS][N], others[N];
    int32_t gains[LEGS] = {CF_GAIN_ONE, 8000, CF_GAIN_MAX};
    for (int leg = 0; leg < LEGS; leg++)
        test_babble(in[leg], N, 32767, 40 + (uint64_t)leg);
    CHECK_INT(cf_oneshot_mix(in[0], gains, LEGS, FRAMES, out[0]), 0);
    for (int leg = 0; leg < LEGS; leg++)
        cf_mix_gain(own[leg], in[leg], N, gains[leg], gains[leg]);
    for (int leg = 0; leg < LEGS; leg++) {
        cf_limiter l;
        cf_limiter_init(&l);
        for (int i = 0; i < N; i++)
            others[i] = own[(leg + 1) % LEGS][i] + own[(leg + 2) % LEGS][i];
        cf_limiter_run(&l, others, want, N);
        CHECK(memcmp(out[leg], want, sizeof want) == 0);
    }
}

static void test_oneshot_refuses_nonsense(void) {
    int16_t in[CF_FRAME] = {0}, out[CF_FRAME];
    int32_t gains[1] = {CF_GAIN_ONE};
    CHECK_INT(cf_oneshot_mix(in, gains, 0, 1, out), -EINVAL);
    CHECK_INT(cf_oneshot_mix(in, gains, 8193, 1, out), -EINVAL);
    CHECK_INT(cf_oneshot_mix(in, gains, 1, SIZE_MAX, out), -EINVAL);
    gains[0] = CF_GAIN_MAX + 1;
    CHECK_INT(cf_oneshot_mix(in, gains, 1, 1, out), -EINVAL);
    gains[0] = -1;
    CHECK_INT(cf_oneshot_mix(in, gains, 1, 1, out), -EINVAL);
}

int main(void) {
    cf_rng_seed(&rng, 3);
    RUN(test_unity_gain_changes_nothing);
    RUN(test_gains_and_ramps_are_exact);
    RUN(test_a_share_of_a_voice_is_added_exactly);
    RUN(test_narrowing_saturates);
    RUN(test_silence_is_not_one_sample_but_zero);
    RUN(test_a_ramp_ends_at_its_goal_and_does_not_click);
    RUN(test_the_sum_minus_self_is_the_sum_of_the_others);
    RUN(test_levels_of_rfc_6464);
    RUN(test_every_level_is_its_logarithm);
    RUN(test_the_limiter_is_its_definition_on_speech);
    RUN(test_the_limiter_is_its_definition_on_spikes);
    RUN(test_the_limiter_is_its_definition_when_it_comes_to_rest);
    RUN(test_a_signal_under_the_ceiling_is_only_late);
    RUN(test_the_limiter_rests_again_after_a_peak);
    RUN(test_pieces_of_any_length_give_the_same);
    RUN(test_the_limiter_does_not_drift);
    RUN(test_oneshot_is_the_kernels_in_order);
    RUN(test_oneshot_refuses_nonsense);
    return REPORT();
}

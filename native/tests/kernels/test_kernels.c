/* Gain, sums, levels, narrowing and G.711 of every path that this machine runs against the plain C form, bit for bit;
 * and how a path is chosen. */
#include "cases.h"

#include <errno.h>

static void add_case(size_t n, size_t before, int kind) {
    static int32_t want[MOST];
    int32_t *sum = PLACE(&result, int32_t, n, before), *own = PLACE(&left, int32_t, n, before / 3);
    fill_32(own, n, kind, -(1 << 30), 1 << 30);
    fill_32(sum, n, 0, -(1 << 30) + 1, (1 << 30) - 1);
    memcpy(want, sum, n * sizeof *sum);
    truth->add(want, own, n);
    path->add(sum, own, n);
    CHECK_SAME(sum, want, n);
}

static void minus_case(size_t n, size_t before, int kind) {
    static int32_t want[MOST];
    int32_t *out = PLACE(&result, int32_t, n, before), *own = PLACE(&left, int32_t, n, before / 3),
            *sum = PLACE(&right, int32_t, n, before / 2);
    fill_32(own, n, kind, -(1 << 30), 1 << 30);
    fill_32(sum, n, 0, -(1 << 30) + 1, (1 << 30) - 1);
    truth->minus(want, sum, own, n);
    path->minus(out, sum, own, n);
    CHECK_SAME(out, want, n);
    CHECK(guard_kept(&right));
}

static void widen_case(size_t n, size_t before, int kind) {
    static int32_t want[MOST];
    int32_t *out = PLACE(&result, int32_t, n, before);
    int16_t *in = PLACE(&left, int16_t, n, before / 3);
    fill_16(in, n, kind);
    truth->widen(want, in, n);
    path->widen(out, in, n);
    CHECK_SAME(out, want, n);
}

static void gain_case(size_t n, size_t before, int kind) {
    static const uint32_t gains[] = {0, 1, 8191, 8192, 16383, 16385, 65535, 65536, CF_GAIN_MAX};
    static int32_t want[MOST];
    for (size_t g = 0; g < sizeof gains / sizeof *gains; g++) {
        int32_t *out = PLACE(&result, int32_t, n, before);
        int16_t *in = PLACE(&left, int16_t, n, before / 3);
        fill_16(in, n, kind);
        truth->gain(want, in, n, gains[g]);
        path->gain(out, in, n, gains[g]);
        CHECK_SAME(out, want, n);
    }
}

static void ramp_case(size_t n, size_t before, int kind) {
    static const int gains[][2] = {{0, CF_GAIN_ONE}, {CF_GAIN_ONE, 0}, {CF_GAIN_MAX, 1}, {5000, 40001}};
    static int32_t want[MOST];
    for (size_t g = 0; g < sizeof gains / sizeof *gains; g++) {
        double start = gains[g][0] * (double)n, step = gains[g][1] - gains[g][0], unit = CF_GAIN_ONE * (double)n;
        int32_t *out = PLACE(&result, int32_t, n, before);
        int16_t *in = PLACE(&left, int16_t, n, before / 3);
        fill_16(in, n, kind);
        truth->ramp(want, in, n, start, step, unit);
        path->ramp(out, in, n, start, step, unit);
        CHECK_SAME(out, want, n);
    }
}

static void add_ramp_case(size_t n, size_t before, int kind) {
    static const int gains[][2] = {{0, CF_GAIN_ONE}, {-CF_GAIN_ONE, -CF_GAIN_ONE}, {CF_GAIN_MAX, -CF_GAIN_ONE}};
    static int32_t want[MOST];
    for (size_t g = 0; g < sizeof gains / sizeof *gains; g++) {
        double start = gains[g][0] * (double)n, step = gains[g][1] - gains[g][0], unit = CF_GAIN_ONE * (double)n;
        int32_t *sum = PLACE(&result, int32_t, n, before), *own = PLACE(&left, int32_t, n, before / 3);
        fill_32(own, n, kind, -260000, 260000);
        fill_32(sum, n, 0, -(1 << 30), 1 << 30);
        memcpy(want, sum, n * sizeof *sum);
        truth->add_ramp(want, own, n, start, step, unit);
        path->add_ramp(sum, own, n, start, step, unit);
        CHECK_SAME(sum, want, n);
    }
}

static void energy_case(size_t n, size_t before, int kind) {
    int16_t *in = PLACE(&left, int16_t, n, before);
    fill_16(in, n, kind);
    if (kind == 1) /* pairs whose squares sum up to 2^31 */
        for (size_t i = 0; i < n; i++)
            in[i] = INT16_MIN;
    CHECK(path->energy(in, n) == truth->energy(in, n));
    CHECK(guard_kept(&left));
}

static void silent_case(size_t n, size_t before, int kind) {
    int16_t *in = PLACE(&left, int16_t, n, before);
    fill_16(in, n, kind);
    CHECK(path->silent(in, n) == truth->silent(in, n));
    memset(in, 0, n * sizeof *in);
    CHECK(path->silent(in, n));
    for (size_t i = 0; i < n; i += 1 + n / 50) { /* one sample is enough, wherever it is */
        in[i] = i % 2 ? 1 : INT16_MIN;
        CHECK(!path->silent(in, n));
        in[i] = 0;
    }
    CHECK(guard_kept(&left));
}

static void narrow_case(size_t n, size_t before, int kind) {
    static int16_t want[MOST];
    int16_t *out = PLACE(&result, int16_t, n, before);
    int32_t *in = PLACE(&left, int32_t, n, before / 3);
    fill_32(in, n, kind, kind ? INT32_MIN : -40000, kind ? INT32_MAX : 40000);
    CHECK(path->narrow(out, in, n) == truth->narrow(want, in, n));
    CHECK_SAME(out, want, n);
    for (size_t i = 0; i < n; i += 1 + n / 50)
        for (int over = -1; over <= 1; over++) {
            out = PLACE(&result, int16_t, n, before);
            in = PLACE(&left, int32_t, n, before / 3);
            fill_32(in, n, 0, -CF_LIMIT_CEILING, CF_LIMIT_CEILING);
            in[i] = (CF_LIMIT_CEILING + over) * (i % 2 ? 1 : -1);
            CHECK(path->narrow(out, in, n) == (over > 0));
        }
}

static void g711_case(size_t n, size_t before, int kind) {
    static uint8_t want[MOST];
    static int16_t want_samples[MOST];
    for (int law = 0; law < 2; law++) {
        uint8_t *codes = PLACE(&result, uint8_t, n, before);
        int16_t *in = PLACE(&left, int16_t, n, before / 3);
        fill_16(in, n, kind);
        (law ? truth->alaw_encode : truth->ulaw_encode)(want, in, n);
        (law ? path->alaw_encode : path->ulaw_encode)(codes, in, n);
        CHECK_SAME(codes, want, n);
        int16_t *samples = PLACE(&result, int16_t, n, before);
        codes = PLACE(&left, uint8_t, n, before / 3);
        for (size_t i = 0; i < n; i++)
            codes[i] = (uint8_t)random_within(0, 255);
        (law ? truth->alaw_decode : truth->ulaw_decode)(want_samples, codes, n);
        (law ? path->alaw_decode : path->ulaw_decode)(samples, codes, n);
        CHECK_SAME(samples, want_samples, n);
    }
}

/* Every sample and every code there is. */
static void test_g711_is_whole(void) {
    static int16_t all[65536], got[65536];
    static uint8_t codes[65536], want[65536];
    for (int i = 0; i < 65536; i++)
        all[i] = (int16_t)(i - 32768);
    truth->ulaw_encode(want, all, 65536);
    path->ulaw_encode(codes, all, 65536);
    CHECK(memcmp(codes, want, 65536) == 0);
    truth->alaw_encode(want, all, 65536);
    path->alaw_encode(codes, all, 65536);
    CHECK(memcmp(codes, want, 65536) == 0);
    for (int i = 0; i < 65536; i++)
        codes[i] = (uint8_t)i;
    truth->ulaw_decode(all, codes, 65536);
    path->ulaw_decode(got, codes, 65536);
    CHECK(memcmp(all, got, sizeof got) == 0);
    truth->alaw_decode(all, codes, 65536);
    path->alaw_decode(got, codes, 65536);
    CHECK(memcmp(all, got, sizeof got) == 0);
}

TEST_CASES(add)
TEST_CASES(minus)
TEST_CASES(widen)
TEST_CASES(gain)
TEST_CASES(ramp)
TEST_CASES(add_ramp)
TEST_CASES(energy)
TEST_CASES(silent)
TEST_CASES(narrow)
TEST_CASES(g711)

static void test_one_path(void) {
    RUN(test_add);
    RUN(test_minus);
    RUN(test_widen);
    RUN(test_gain);
    RUN(test_ramp);
    RUN(test_add_ramp);
    RUN(test_energy);
    RUN(test_silent);
    RUN(test_narrow);
    RUN(test_g711);
    RUN(test_g711_is_whole);
}

static void test_paths_are_chosen_by_name(void) {
    CHECK_INT(cf_kernels_use("mmx"), -EINVAL);
    CHECK_INT(cf_kernels_use(""), -EINVAL);
    CHECK_INT(cf_kernels_use("c"), 0);
    CHECK(cf_kernels_now == &cf_kernels_c);
    size_t paths = 0;
    for (const cf_kernels *k; (k = cf_kernels_at(paths)); paths++) {
        CHECK_INT(cf_kernels_use(k->name), 0);
        CHECK(cf_kernels_now == k);
    }
    CHECK(paths > 1); /* each machine that we know has something better than C */
    CHECK(cf_kernels_at(paths - 1) == &cf_kernels_c);
#if defined(__x86_64__)
    CHECK_INT(cf_kernels_use("neon"), -ENOTSUP);
#elif defined(__aarch64__)
    CHECK_INT(cf_kernels_use("avx2"), -ENOTSUP);
#endif
    cf_kernels_use(cf_kernels_at(0)->name);
}

int main(void) {
    each_path(test_one_path);
    RUN(test_paths_are_chosen_by_name);
    return REPORT();
}

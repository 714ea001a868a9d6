/* The limiter's passes and the resampler's sums of every path that this machine runs against the plain C form, bit for
 * bit. */
#include "cases.h"

#include <math.h>

static void need_case(size_t n, size_t before, int kind) {
    static double want[MOST];
    double *away = PLACE(&result, double, n, before);
    int32_t *in = PLACE(&left, int32_t, n, before / 3);
    fill_32(in, n, kind, kind ? INT32_MIN : -90000, kind ? INT32_MAX : 90000);
    CHECK(path->need(away, in, n) == truth->need(want, in, n));
    CHECK_SAME(away, want, n);
    for (size_t i = 0; i < n; i += 1 + n / 50)
        for (int over = 0; over <= 1; over++) {
            away = PLACE(&result, double, n, before);
            in = PLACE(&left, int32_t, n, before / 3);
            fill_32(in, n, 0, -CF_LIMIT_CEILING, CF_LIMIT_CEILING);
            in[i] = (CF_LIMIT_CEILING + over) * (i % 2 ? 1 : -1);
            CHECK(path->need(away, in, n) == over);
        }
}

static void fill_needs(double *away, size_t n, int kind) {
    for (size_t i = 0; i < n; i++)
        away[i] = kind == 3 || (kind == 2 && random_within(0, 40)) ? 0 : kind == 1 ? 1 : cf_rng_unit(&rng);
}

static void release_case(size_t n, size_t before, int kind) {
    static const double carries[] = {0, 1e-7, CF_LIMIT_REST, 0.3, 1};
    static double want[MOST];
    n -= n % CF_LIMIT_CHUNK;
    for (size_t c = 0; c < sizeof carries / sizeof *carries; c++) {
        double *away = PLACE(&result, double, n, before);
        fill_needs(away, n, kind);
        memcpy(want, away, n * sizeof *away);
        truth->release(want, n, carries[c], kind != 3);
        path->release(away, n, carries[c], kind != 3);
        CHECK(memcmp(away, want, n * sizeof *away) == 0);
        CHECK(guard_kept(&result));
    }
}

static void highest_case(size_t n, size_t before, int kind) {
    static double want[MOST], used[MOST + CF_LIMIT_AHEAD];
    size_t all = n + CF_LIMIT_AHEAD;
    double *out = PLACE(&result, double, n, before), *x = PLACE(&left, double, all, before / 3);
    fill_needs(x, all, kind);
    memcpy(used, x, all * sizeof *x);
    truth->highest(want, used, n);
    path->highest(out, x, n);
    CHECK_SAME(out, want, n);
}

static void mean_case(size_t n, size_t before, int kind) {
    static double want[MOST + CF_LIMIT_AHEAD];
    size_t all = n + CF_LIMIT_AHEAD;
    double *x = PLACE(&result, double, all, before);
    fill_needs(x, all, kind);
    memcpy(want, x, all * sizeof *x);
    truth->mean(want, n);
    path->mean(x, n);
    CHECK(memcmp(x, want, n * sizeof *x) == 0);
    CHECK(guard_kept(&result));
}

static void scale_case(size_t n, size_t before, int kind) {
    static int16_t want[MOST];
    int16_t *out = PLACE(&result, int16_t, n, before);
    int32_t *in = PLACE(&left, int32_t, n, before / 3);
    double *less = PLACE(&right, double, n, before / 2);
    fill_32(in, n, kind, kind ? INT32_MIN : -90000, kind ? INT32_MAX : 90000);
    for (size_t i = 0; i < n; i++) {
        double most = fmin(1, CF_LIMIT_CEILING / fabs((double)in[i] + 1e-9)), half = random_within(0, 999) + 0.5;
        double gain = most * (i % 3 ? 1 : cf_rng_unit(&rng));
        if (i % 5 == 0 && in[i]) /* halves, and what is next to a half */
            gain = fmin(most, nextafter(half, i % 2 ? 0 : 1e9) / fabs((double)in[i]));
        less[i] = 1 - gain;
    }
    truth->scale(want, in, less, n);
    path->scale(out, in, less, n);
    CHECK_SAME(out, want, n);
    CHECK(guard_kept(&right));
}

static const int ratios[] = {2, 3, 4, 6};

static void fir_case(size_t n, size_t before, int kind) {
    static int16_t want[CF_FIR_BLOCK * CF_RESAMPLE_RATIO_MAX], taps[CF_RESAMPLE_RATIO_MAX * CF_FIR_TAPS],
        phases[CF_RESAMPLE_RATIO_MAX][CF_FIR_TAPS];
    if (n > CF_FIR_BLOCK)
        return;
    for (size_t r = 0; r < sizeof ratios / sizeof *ratios; r++) {
        size_t ratio = (size_t)ratios[r], past = CF_FIR_TAPS - 1;
        for (size_t i = 0; i < ratio * CF_FIR_TAPS; i++) { /* no sum of absolute values beyond the real ones' */
            taps[i] = (int16_t)random_within(-1, 1) * (int16_t)(2 * 65536 / (ratio * CF_FIR_TAPS) - 2);
            phases[i % ratio][i / ratio] = (int16_t)random_within(-1200, 1200);
        }
        int16_t *out = PLACE(&result, int16_t, n, before), *in = PLACE(&left, int16_t, ratio * (n + past), before / 3);
        fill_16(in, ratio * (n + past), kind);
        truth->fir_down(want, in, n, (int)ratio, taps);
        path->fir_down(out, in, n, (int)ratio, taps);
        CHECK_SAME(out, want, n);
        out = PLACE(&result, int16_t, n * ratio, before);
        in = PLACE(&left, int16_t, n + past, before / 3);
        fill_16(in, n + past, kind);
        truth->fir_up(want, in, n, (int)ratio, (const int16_t(*)[CF_FIR_TAPS])phases);
        path->fir_up(out, in, n, (int)ratio, (const int16_t(*)[CF_FIR_TAPS])phases);
        CHECK_SAME(out, want, n * ratio);
    }
}

TEST_CASES(need)
TEST_CASES(release)
TEST_CASES(highest)
TEST_CASES(mean)
TEST_CASES(scale)
TEST_CASES(fir)

static void test_one_path(void) {
    RUN(test_need);
    RUN(test_release);
    RUN(test_highest);
    RUN(test_mean);
    RUN(test_scale);
    RUN(test_fir);
}

int main(void) {
    each_path(test_one_path);
    return REPORT();
}

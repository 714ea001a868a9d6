/* Gain, sums, levels and narrowing over the vector vocabulary that the including file has chosen. */
#include "portable.h"

static void add(int32_t *sum, const int32_t *own, size_t n) {
    size_t i = 0;
    for (; i + V_LANES <= n; i += V_LANES)
        v_store(sum + i, v_add(v_load(sum + i), v_load(own + i)));
    cf_add_c(sum + i, own + i, n - i);
}

static void minus(int32_t *out, const int32_t *sum, const int32_t *own, size_t n) {
    size_t i = 0;
    for (; i + V_LANES <= n; i += V_LANES)
        v_store(out + i, v_sub(v_load(sum + i), v_load(own + i)));
    cf_minus_c(out + i, sum + i, own + i, n - i);
}

static void widen(int32_t *out, const int16_t *in, size_t n) {
    size_t i = 0;
    for (; i + 2 * V_LANES <= n; i += 2 * V_LANES) {
        v_store(out + i, v_wide(in + i));
        v_store(out + i + V_LANES, v_wide(in + i + V_LANES));
    }
    cf_widen_c(out + i, in + i, n - i);
}

/* The sign is put aside: halves are then rounded upwards, and the product has 32 bits for itself. */
static void gain(int32_t *out, const int16_t *in, size_t n, uint32_t by) {
    size_t i = 0;
    vi factor = v_all((int32_t)by), half = v_all(1 << 13);
    for (; i + V_LANES <= n; i += V_LANES) {
        vi x = v_wide(in + i), sign = v_sra(x, 31), size = v_sub(v_xor(x, sign), sign);
        size = v_srl(v_add(v_mul(size, factor), half), 14);
        v_store(out + i, v_sub(v_xor(size, sign), sign));
    }
    cf_gain_c(out + i, in + i, n - i, by);
}

static const double first_lanes[] = {1, 2, 3, 4, 5, 6, 7, 8};

static void ramp(int32_t *out, const int16_t *in, size_t n, double start, double step, double unit) {
    vd at = d_load(first_lanes), lanes = d_all(D_LANES), from = d_all(start), by = d_all(step), over = d_all(unit);
    size_t i = 0;
    for (; i + D_LANES <= n; i += D_LANES, at = d_add(at, lanes))
        d_round_32(out + i, d_div(d_mul(d_wide(in + i), d_add(from, d_mul(by, at))), over));
    cf_ramp_c(out + i, in + i, n - i, start + step * (double)(int64_t)i, step, unit);
}

static void add_ramp(int32_t *sum, const int32_t *own, size_t n, double start, double step, double unit) {
    vd at = d_load(first_lanes), lanes = d_all(D_LANES), from = d_all(start), by = d_all(step), over = d_all(unit);
    size_t i = 0;
    for (; i + D_LANES <= n; i += D_LANES, at = d_add(at, lanes))
        d_add_32(sum + i, d_div(d_mul(d_from(own + i), d_add(from, d_mul(by, at))), over));
    cf_add_ramp_c(sum + i, own + i, n - i, start + step * (double)(int64_t)i, step, unit);
}

static uint64_t energy(const int16_t *in, size_t n) {
    size_t i = 0;
    vi sum = v_all(0);
    for (; i + 2 * V_LANES <= n; i += 2 * V_LANES) {
        vi x = v_pairs(in + i);
        sum = v_add_wide(sum, v_madd(x, x));
    }
    return v_sum_wide(sum) + cf_energy_c(in + i, n - i);
}

static bool silent(const int16_t *in, size_t n) {
    size_t i = 0;
    vi any = v_all(0);
    for (; i + 2 * V_LANES <= n; i += 2 * V_LANES)
        any = v_or(any, v_pairs(in + i));
    return !v_any(any) && cf_silent_c(in + i, n - i);
}

static bool narrow(int16_t *out, const int32_t *in, size_t n) {
    size_t i = 0;
    vi most = v_all(0), least = most;
    for (; i + 2 * V_LANES <= n; i += 2 * V_LANES) {
        vi a = v_load(in + i), b = v_load(in + i + V_LANES);
        most = v_max(most, v_max(a, b));
        least = v_min(least, v_min(a, b));
        v_narrow(out + i, a, b);
    }
    bool loud = v_any(v_or(v_gt(most, v_all(CF_LIMIT_CEILING)), v_gt(v_all(-CF_LIMIT_CEILING), least)));
    return cf_narrow_c(out + i, in + i, n - i) || loud;
}

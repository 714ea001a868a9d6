/* The resampler's sums of products over the vector vocabulary that the including file has chosen.
 *
 * Up: a vector holds as many samples; for each pair of taps all phases take their share of the same samples, and the
 * phases are woven into one another at the end. Down: a vector lies along the taps, four results at a time. */
#include "portable.h"

#include <string.h>

enum {
    PAIRS = CF_FIR_TAPS / 2,
    WEAVE = 8, /* samples of each phase that are woven at once */
    UP_ROOM = (CF_FIR_BLOCK + 2 * V_LANES + WEAVE) / WEAVE * WEAVE,
};

static inline int32_t pair_of(const int16_t *p) {
    int32_t pair;
    memcpy(&pair, p, sizeof pair);
    return pair;
}

/* pairs[i] = in[i] and in[i + 1] side by side. */
static inline void make_pairs(int32_t *pairs, const int16_t *in, size_t n) {
    size_t i = 0;
    for (; i + V_LANES <= n; i += V_LANES)
        v_store(pairs + i, v_or(v_and(v_wide(in + i), v_all(0xFFFF)), v_sll(v_wide(in + i + 1), 16)));
    for (; i < n; i++)
        pairs[i] = pair_of(in + i);
}

/* The `ratio` results of each of 2 * V_LANES samples, every phase for itself, UP_ROOM apart. */
static ALWAYS_INLINE void up_phases(int16_t *y, const int32_t *pairs, const int ratio,
                                    const int16_t (*taps)[CF_FIR_TAPS]) {
    vi a[CF_RESAMPLE_RATIO_MAX], b[CF_RESAMPLE_RATIO_MAX];
    for (int phase = 0; phase < ratio; phase++)
        a[phase] = b[phase] = v_all(1 << (CF_FIR_UP_BITS - 1));
    for (int k = 0; k < PAIRS; k++) {
        vi x = v_load(pairs + 2 * k), z = v_load(pairs + 2 * k + V_LANES);
        for (int phase = 0; phase < ratio; phase++) {
            vi tap = v_all(pair_of(taps[phase] + 2 * k));
            a[phase] = v_add(a[phase], v_madd(x, tap));
            b[phase] = v_add(b[phase], v_madd(z, tap));
        }
    }
    for (int phase = 0; phase < ratio; phase++)
        v_narrow(y + phase * UP_ROOM, v_sra(a[phase], CF_FIR_UP_BITS), v_sra(b[phase], CF_FIR_UP_BITS));
}

static ALWAYS_INLINE void up(int16_t *out, const int16_t *in, size_t n, const int ratio,
                             const int16_t (*taps)[CF_FIR_TAPS]) {
    int32_t pairs[CF_FIR_BLOCK + 2 * V_LANES + CF_FIR_TAPS];
    int16_t y[CF_RESAMPLE_RATIO_MAX * UP_ROOM];
    size_t whole = n / WEAVE * WEAVE, i = 0;
    make_pairs(pairs, in, n + CF_FIR_TAPS - 2);
    memset(pairs + n + CF_FIR_TAPS - 2, 0, 2 * V_LANES * sizeof *pairs);
    for (; i < n; i += 2 * V_LANES)
        up_phases(y + i, pairs + i, ratio, taps);
    for (i = 0; i < whole; i += WEAVE)
        v_weave(out + i * (size_t)ratio, y + i, UP_ROOM, ratio);
    for (; i < n; i++)
        for (int phase = 0; phase < ratio; phase++)
            out[i * (size_t)ratio + (size_t)phase] = y[(size_t)phase * UP_ROOM + i];
}

static void fir_up(int16_t *out, const int16_t *in, size_t n, int ratio, const int16_t (*taps)[CF_FIR_TAPS]) {
    if (ratio == 6)
        up(out, in, n, 6, taps);
    else if (ratio == 3)
        up(out, in, n, 3, taps);
    else if (ratio == 2)
        up(out, in, n, 2, taps);
    else
        up(out, in, n, 4, taps);
}

static ALWAYS_INLINE vi dot(const int16_t *in, const int16_t *taps, const int count) {
    vi sum = v_all(0);
    for (int k = 0; k < count; k += 2 * V_LANES)
        sum = v_add(sum, v_madd(v_pairs(in + k), v_pairs(taps + k)));
    return sum;
}

static ALWAYS_INLINE void down(int16_t *out, const int16_t *in, size_t n, const int ratio, const int16_t *taps) {
    const int count = ratio * CF_FIR_TAPS;
    size_t i = 0;
    for (; i + 4 <= n; i += 4, in += 4 * ratio) {
        vi a = dot(in, taps, count), b = dot(in + ratio, taps, count), c = dot(in + 2 * ratio, taps, count),
           d = dot(in + 3 * ratio, taps, count);
        v_sum_of_quarters(out + i, a, b, c, d);
    }
    cf_fir_down_c(out + i, in, n - i, ratio, taps);
}

static void fir_down(int16_t *out, const int16_t *in, size_t n, int ratio, const int16_t *taps) {
    if (ratio == 6)
        down(out, in, n, 6, taps);
    else if (ratio == 3)
        down(out, in, n, 3, taps);
    else if (ratio == 2)
        down(out, in, n, 2, taps);
    else
        down(out, in, n, 4, taps);
}

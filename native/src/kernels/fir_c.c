/* The resampler's sums of products, as plain C.
 *
 * Taps and samples have 16 bits, so that vector machines multiply and add pairs in one instruction; sums are exact, and
 * rounded once. A sum of all taps that go down can need 34 bits: it is kept in four parts (by pairs of taps, in turn),
 * as the narrowest vector holds them, and each is quartered before they meet. */
#include "portable.h"

enum { PARTS = 4 };

static int16_t saturate(int32_t v) {
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

void cf_fir_up_c(int16_t *out, const int16_t *in, size_t n, int ratio, const int16_t (*taps)[CF_FIR_TAPS]) {
    for (int phase = 0; phase < ratio; phase++)
        for (size_t i = 0; i < n; i++) {
            int32_t sum = 1 << (CF_FIR_UP_BITS - 1);
            for (int k = 0; k < CF_FIR_TAPS; k++)
                sum += taps[phase][k] * in[i + (size_t)k];
            out[i * (size_t)ratio + (size_t)phase] = saturate(sum >> CF_FIR_UP_BITS);
        }
}

/* First products, then sums, twice as many as there are parts: gcc vectorises one as well as the other. (With both in
 * one loop, and pairs added before they are summed up, gcc 12 for AArch64 loses half of the products at -O3: the
 * emulated tests found it.) */
static void add_products(int32_t sums[2 * PARTS], const int16_t *in, const int16_t *taps) {
    int32_t products[CF_FIR_TAPS];
    for (int k = 0; k < CF_FIR_TAPS; k++)
        products[k] = taps[k] * in[k];
    for (int k = 0; k < CF_FIR_TAPS; k += 2 * PARTS)
        for (int p = 0; p < 2 * PARTS; p++)
            sums[p] += products[k + p];
}

void cf_fir_down_c(int16_t *out, const int16_t *in, size_t n, int ratio, const int16_t *taps) {
    for (size_t i = 0; i < n; i++, in += ratio) {
        int32_t sums[2 * PARTS] = {0}, sum = CF_FIR_DOWN_HALF;
        for (int k = 0; k < ratio * CF_FIR_TAPS; k += CF_FIR_TAPS)
            add_products(sums, in + k, taps + k);
        for (int p = 0; p < PARTS; p++)
            sum += (sums[2 * p] + sums[2 * p + 1]) >> 2;
        out[i] = saturate(sum >> CF_FIR_DOWN_SHIFT);
    }
}

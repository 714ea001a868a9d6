/* G.711 over the vector vocabulary that the including file has chosen, without tables.
 *
 * A code is a small floating-point number: the segment is an exponent, the step a mantissa of four bits. So a magnitude
 * converted to float (exactly: it has 13 bits) carries its code in the upper bits of the fraction and the exponent, and
 * the way back puts the code there, with a one after it: the middle of the step. */
#include "portable.h"

#define FLOAT_BIAS 127
#define FRACTION_BITS 23
#define STEP_SHIFT (FRACTION_BITS - 4) /* the four upper bits of the fraction */

static inline vi code_of(vi magnitude, int first_exponent) {
    return v_sub(v_srl(v_float_bits(magnitude), STEP_SHIFT), v_all((FLOAT_BIAS + first_exponent) << 4));
}

static inline vi middle_of(vi code, int first_exponent) {
    int32_t rest = (FLOAT_BIAS + first_exponent) << FRACTION_BITS | 1 << (STEP_SHIFT - 1);
    return v_from_float_bits(v_add(v_sll(code, STEP_SHIFT), v_all(rest)));
}

static inline vi either(vi mask, vi a, vi b) {
    return v_or(v_and(mask, a), v_andnot(mask, b));
}

static void ulaw_encode(uint8_t *out, const int16_t *in, size_t n) {
    size_t i = 0;
    for (; i + V_LANES <= n; i += V_LANES) {
        vi x = v_sra(v_wide(in + i), 2), sign = v_sra(x, 31);
        vi code = code_of(v_min(v_add(v_xor(x, sign), v_all(33)), v_all(8191)), 5);
        v_store_8(out + i, v_xor(code, v_xor(v_and(sign, v_all(0x80)), v_all(0xFF))));
    }
    cf_ulaw_encode_c(out + i, in + i, n - i);
}

/* The first sixteen steps are straight: no exponent. */
static void alaw_encode(uint8_t *out, const int16_t *in, size_t n) {
    size_t i = 0;
    for (; i + V_LANES <= n; i += V_LANES) {
        vi x = v_sra(v_wide(in + i), 4), sign = v_sra(x, 31), magnitude = v_xor(x, sign);
        vi code = either(v_gt(v_all(16), magnitude), magnitude, code_of(magnitude, 3));
        v_store_8(out + i, v_xor(code, v_xor(v_and(sign, v_all(0x80)), v_all(0x80 ^ 0x55))));
    }
    cf_alaw_encode_c(out + i, in + i, n - i);
}

/* Of two vectors of codes, what is sent without inversion; the eighth bit is the sign of a positive number. */
static inline vi signed_by(vi plain, vi magnitude) {
    vi minus = v_sub(v_srl(v_and(plain, v_all(0x80)), 7), v_all(1));
    return v_sub(v_xor(magnitude, minus), minus);
}

static inline vi ulaw_samples_of(vi code) {
    vi inverse = v_and(v_xor(code, v_all(0xFF)), v_all(0x7F));
    return signed_by(code, v_sll(v_sub(middle_of(inverse, 5), v_all(33)), 2));
}

static inline vi alaw_samples_of(vi code) {
    vi plain = v_xor(code, v_all(0x55)), steps = v_and(plain, v_all(0x7F));
    vi straight = v_add(v_sll(steps, 1), v_all(1));
    return signed_by(plain, v_sll(either(v_gt(v_all(16), steps), straight, middle_of(steps, 4)), 3));
}

static void ulaw_decode(int16_t *out, const uint8_t *in, size_t n) {
    size_t i = 0;
    for (; i + 2 * V_LANES <= n; i += 2 * V_LANES)
        v_narrow(out + i, ulaw_samples_of(v_wide_8(in + i)), ulaw_samples_of(v_wide_8(in + i + V_LANES)));
    cf_ulaw_decode_c(out + i, in + i, n - i);
}

static void alaw_decode(int16_t *out, const uint8_t *in, size_t n) {
    size_t i = 0;
    for (; i + 2 * V_LANES <= n; i += 2 * V_LANES)
        v_narrow(out + i, alaw_samples_of(v_wide_8(in + i)), alaw_samples_of(v_wide_8(in + i + V_LANES)));
    cf_alaw_decode_c(out + i, in + i, n - i);
}

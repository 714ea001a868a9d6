/* The vocabulary of AArch64's Advanced SIMD: four words or two doubles. */
#include "portable.h"

#include <arm_neon.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

typedef int32x4_t vi;
typedef float64x2_t vd;
enum { V_LANES = 4, D_LANES = 2 };

#define v_load vld1q_s32
#define v_store vst1q_s32
#define v_all vdupq_n_s32
#define v_add vaddq_s32
#define v_sub vsubq_s32
#define v_mul vmulq_s32
#define v_max vmaxq_s32
#define v_min vminq_s32
#define v_and vandq_s32
#define v_andnot(a, b) vbicq_s32(b, a) /* of the first, inverted */
#define v_or vorrq_s32
#define v_xor veorq_s32
#define v_sll vshlq_n_s32
#define v_srl(v, n) vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(v), n))
#define v_sra vshrq_n_s32
#define v_gt(a, b) vreinterpretq_s32_u32(vcgtq_s32(a, b))
#define v_any(v) (vmaxvq_u32(vreinterpretq_u32_s32(v)) != 0)
#define v_pairs(p) vreinterpretq_s32_s16(vld1q_s16(p))
#define v_wide(p) vmovl_s16(vld1_s16(p))
#define v_float_bits(v) vreinterpretq_s32_f32(vcvtq_f32_s32(v))
#define v_from_float_bits(v) vcvtq_s32_f32(vreinterpretq_f32_s32(v))

/* Products of 16 bits, added pair by pair. */
static inline vi v_madd(vi a, vi b) {
    int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
    return vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
}
static inline vi v_wide_8(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    uint16x8_t words = vmovl_u8(vcreate_u8(four));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(words)));
}
static inline void v_narrow(int16_t *p, vi a, vi b) {
    vst1q_s16(p, vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)));
}
static inline void v_store_8(uint8_t *p, vi v) {
    uint16x4_t words = vmovn_u32(vreinterpretq_u32_s32(v));
    uint32_t four = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
    memcpy(p, &four, sizeof four);
}
/* Adds unsigned words to sums of 64 bits. */
static inline vi v_add_wide(vi sum, vi v) {
    return vreinterpretq_s32_u64(vpadalq_u32(vreinterpretq_u64_s32(sum), vreinterpretq_u32_s32(v)));
}
static inline uint64_t v_sum_wide(vi v) {
    return vaddvq_u64(vreinterpretq_u64_s32(v));
}
static inline void v_sum_of_quarters(int16_t *out, vi a, vi b, vi c, vi d) {
    vi ab = vpaddq_s32(vshrq_n_s32(a, 2), vshrq_n_s32(b, 2)), cd = vpaddq_s32(vshrq_n_s32(c, 2), vshrq_n_s32(d, 2));
    vi sum = vaddq_s32(vpaddq_s32(ab, cd), vdupq_n_s32(CF_FIR_DOWN_HALF));
    vst1_s16(out, vqmovn_s32(vshrq_n_s32(sum, CF_FIR_DOWN_SHIFT)));
}

/* Eight samples of each of `ratio` phases, which lie `stride` apart, in the order of time. */
static ALWAYS_INLINE void v_weave(int16_t *out, const int16_t *y, size_t stride, const int ratio) {
    if (ratio == 2) {
        vst2q_s16(out, ((int16x8x2_t){{vld1q_s16(y), vld1q_s16(y + stride)}}));
    } else if (ratio == 3) {
        vst3q_s16(out, ((int16x8x3_t){{vld1q_s16(y), vld1q_s16(y + stride), vld1q_s16(y + 2 * stride)}}));
    } else if (ratio == 4) {
        vst4q_s16(out, ((int16x8x4_t){{vld1q_s16(y), vld1q_s16(y + stride), vld1q_s16(y + 2 * stride),
                                       vld1q_s16(y + 3 * stride)}}));
    } else {
        int16x8x2_t pairs[3]; /* of phases, the first half and the second */
        for (size_t i = 0; i < 3; i++)
            pairs[i] = vzipq_s16(vld1q_s16(y + 2 * i * stride), vld1q_s16(y + (2 * i + 1) * stride));
        for (int half = 0; half < 2; half++) {
            int32x4x3_t words;
            for (int i = 0; i < 3; i++)
                words.val[i] = vreinterpretq_s32_s16(pairs[i].val[half]);
            int32_t woven[12];
            vst3q_s32(woven, words);
            memcpy(out + 24 * half, woven, sizeof woven);
        }
    }
}

#define d_load vld1q_f64
#define d_store vst1q_f64
#define d_all vdupq_n_f64
#define d_add vaddq_f64
#define d_sub vsubq_f64
#define d_mul vmulq_f64
#define d_div vdivq_f64
#define d_max vmaxq_f64
#define d_abs vabsq_f64

static inline vd d_at_least(vd v, vd least) { /* or 0 */
    return vreinterpretq_f64_u64(vandq_u64(vreinterpretq_u64_f64(v), vcgeq_f64(v, least)));
}
static inline vd d_from(const int32_t *p) {
    return vcvtq_f64_s64(vmovl_s32(vld1_s32(p)));
}
static inline vd d_wide(const int16_t *p) {
    int32_t two[2] = {p[0], p[1]};
    return d_from(two);
}
static inline int32x2_t d_round(vd v) { /* halves away from zero */
    uint64x2_t sign = vandq_u64(vreinterpretq_u64_f64(v), vdupq_n_u64(1ULL << 63));
    vd half = vreinterpretq_f64_u64(vorrq_u64(sign, vreinterpretq_u64_f64(vdupq_n_f64(0.5))));
    return vmovn_s64(vcvtq_s64_f64(vaddq_f64(v, half)));
}
static inline void d_round_32(int32_t *p, vd v) {
    vst1_s32(p, d_round(v));
}
static inline void d_add_32(int32_t *p, vd v) {
    vst1_s32(p, vadd_s32(vld1_s32(p), d_round(v)));
}
static inline void d_round_16(int16_t *p, vd v) {
    int32x2_t w = d_round(v);
    int16_t two[2] = {(int16_t)vget_lane_s32(w, 0), (int16_t)vget_lane_s32(w, 1)};
    memcpy(p, two, sizeof two);
}

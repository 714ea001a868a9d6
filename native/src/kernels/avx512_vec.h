/* The vocabulary in 512 bits: sixteen words or eight doubles. Needs AVX-512 F, BW, DQ and VL. */
#include "x86_vec.h"

typedef __m512i vi;
typedef __m512d vd;
enum { V_LANES = 16, D_LANES = 8 };

#define v_load _mm512_loadu_si512
#define v_pairs _mm512_loadu_si512
#define v_store _mm512_storeu_si512
#define v_all _mm512_set1_epi32
#define v_add _mm512_add_epi32
#define v_sub _mm512_sub_epi32
#define v_mul _mm512_mullo_epi32
#define v_max _mm512_max_epi32
#define v_min _mm512_min_epi32
#define v_and _mm512_and_si512
#define v_andnot _mm512_andnot_si512 /* of the first, inverted */
#define v_or _mm512_or_si512
#define v_xor _mm512_xor_si512
#define v_sll _mm512_slli_epi32
#define v_srl _mm512_srli_epi32
#define v_sra _mm512_srai_epi32
#define v_gt(a, b) _mm512_movm_epi32(_mm512_cmpgt_epi32_mask(a, b))
#define v_madd _mm512_madd_epi16
#define v_any(v) (_mm512_test_epi32_mask(v, v) != 0)
#define v_wide(p) _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(p)))
#define v_wide_8(p) _mm512_cvtepu8_epi32(x_load(p))
#define v_float_bits(v) _mm512_castps_si512(_mm512_cvtepi32_ps(v))
#define v_from_float_bits(v) _mm512_cvttps_epi32(_mm512_castsi512_ps(v))

static inline void v_narrow(int16_t *p, vi a, vi b) {
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtsepi32_epi16(a));
    _mm256_storeu_si256((__m256i *)(p + V_LANES), _mm512_cvtsepi32_epi16(b));
}
static inline void v_store_8(uint8_t *p, vi v) {
    x_store(p, _mm512_cvtepi32_epi8(v));
}
/* Adds unsigned words to sums of 64 bits. */
static inline vi v_add_wide(vi sum, vi v) {
    vi low = _mm512_maskz_mov_epi32(0x5555, v);
    return _mm512_add_epi64(sum, _mm512_add_epi64(_mm512_srli_epi64(v, 32), low));
}
static inline uint64_t v_sum_wide(vi v) {
    return (uint64_t)_mm512_reduce_add_epi64(v);
}
/* Lanes 0 + 1 and 2 + 3 of a, then of b. */
static inline vi v_halve(vi a, vi b) {
    return v_add(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD));
}
static inline void v_sum_of_quarters(int16_t *out, vi a, vi b, vi c, vi d) {
    vi parts = v_sra(v_halve(v_halve(a, b), v_halve(c, d)), 2); /* the four parts of each in a lane of 128 bits */
    parts = v_add(parts, _mm512_shuffle_epi32(parts, _MM_PERM_BADC));
    parts = v_add(parts, _mm512_shuffle_epi32(parts, _MM_PERM_CDAB));
    vi sums = v_sra(v_add(parts, v_all(CF_FIR_DOWN_HALF)), CF_FIR_DOWN_SHIFT);
    __m128i four = _mm512_castsi512_si128(_mm512_maskz_compress_epi32(0x1111, sums));
    x_store_64(out, _mm_packs_epi32(four, four));
}

#define d_load _mm512_loadu_pd
#define d_store _mm512_storeu_pd
#define d_all _mm512_set1_pd
#define d_add _mm512_add_pd
#define d_sub _mm512_sub_pd
#define d_mul _mm512_mul_pd
#define d_div _mm512_div_pd
#define d_max _mm512_max_pd
#define d_abs _mm512_abs_pd
#define d_at_least(v, least) _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(v, least, _CMP_GE_OQ), v) /* or 0 */
#define d_from(p) _mm512_cvtepi32_pd(_mm256_loadu_si256((const __m256i *)(p)))
#define d_wide(p) _mm512_cvtepi32_pd(_mm256_cvtepi16_epi32(x_load(p)))

static inline __m256i d_round(vd v) { /* halves away from zero */
    vd half = _mm512_or_pd(_mm512_and_pd(v, _mm512_set1_pd(-0.0)), _mm512_set1_pd(0.5));
    return _mm512_cvttpd_epi32(_mm512_add_pd(v, half));
}
static inline void d_round_32(int32_t *p, vd v) {
    _mm256_storeu_si256((__m256i *)p, d_round(v));
}
static inline void d_add_32(int32_t *p, vd v) {
    __m256i sum = _mm256_loadu_si256((const __m256i *)p);
    _mm256_storeu_si256((__m256i *)p, _mm256_add_epi32(sum, d_round(v)));
}
static inline void d_round_16(int16_t *p, vd v) {
    x_store(p, _mm256_cvtsepi32_epi16(d_round(v)));
}

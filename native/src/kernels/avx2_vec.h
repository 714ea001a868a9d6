/* The vocabulary in 256 bits: eight words or four doubles. */
#include "x86_vec.h"

typedef __m256i vi;
typedef __m256d vd;
enum { V_LANES = 8, D_LANES = 4 };

#define v_load(p) _mm256_loadu_si256((const __m256i *)(p))
#define v_pairs v_load
#define v_store(p, v) _mm256_storeu_si256((__m256i *)(p), v)
#define v_all _mm256_set1_epi32
#define v_add _mm256_add_epi32
#define v_sub _mm256_sub_epi32
#define v_mul _mm256_mullo_epi32
#define v_max _mm256_max_epi32
#define v_min _mm256_min_epi32
#define v_and _mm256_and_si256
#define v_andnot _mm256_andnot_si256 /* of the first, inverted */
#define v_or _mm256_or_si256
#define v_xor _mm256_xor_si256
#define v_sll _mm256_slli_epi32
#define v_srl _mm256_srli_epi32
#define v_sra _mm256_srai_epi32
#define v_gt _mm256_cmpgt_epi32
#define v_madd _mm256_madd_epi16
#define v_any(v) (!_mm256_testz_si256(v, v))
#define v_wide(p) _mm256_cvtepi16_epi32(x_load(p))
#define v_wide_8(p) _mm256_cvtepu8_epi32(x_load_64(p))
#define v_float_bits(v) _mm256_castps_si256(_mm256_cvtepi32_ps(v))
#define v_from_float_bits(v) _mm256_cvttps_epi32(_mm256_castsi256_ps(v))

static inline void v_narrow(int16_t *p, vi a, vi b) {
    v_store(p, _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), _MM_SHUFFLE(3, 1, 2, 0)));
}
static inline void v_store_8(uint8_t *p, vi v) {
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    x_store_64(p, _mm_packus_epi16(words, words));
}
/* Adds unsigned words to sums of 64 bits. */
static inline vi v_add_wide(vi sum, vi v) {
    vi low = _mm256_blend_epi32(v, _mm256_setzero_si256(), 0xAA);
    return _mm256_add_epi64(sum, _mm256_add_epi64(_mm256_srli_epi64(v, 32), low));
}
static inline uint64_t v_sum_wide(vi v) {
    __m128i half = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    return (uint64_t)_mm_cvtsi128_si64(_mm_add_epi64(half, _mm_unpackhi_epi64(half, half)));
}
static inline __m128i v_fold(vi v) {
    return _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}
#define v_sum_of_quarters(out, a, b, c, d) x_sum_of_quarters(out, v_fold(a), v_fold(b), v_fold(c), v_fold(d))

#define d_load _mm256_loadu_pd
#define d_store _mm256_storeu_pd
#define d_all _mm256_set1_pd
#define d_add _mm256_add_pd
#define d_sub _mm256_sub_pd
#define d_mul _mm256_mul_pd
#define d_div _mm256_div_pd
#define d_max _mm256_max_pd
#define d_abs(v) _mm256_andnot_pd(_mm256_set1_pd(-0.0), v)
#define d_at_least(v, least) _mm256_and_pd(v, _mm256_cmp_pd(v, least, _CMP_GE_OQ)) /* or 0 */
#define d_from(p) _mm256_cvtepi32_pd(x_load(p))
#define d_wide(p) _mm256_cvtepi32_pd(_mm_cvtepi16_epi32(x_load_64(p)))

static inline __m128i d_round(vd v) { /* halves away from zero */
    vd half = _mm256_or_pd(_mm256_and_pd(v, _mm256_set1_pd(-0.0)), _mm256_set1_pd(0.5));
    return _mm256_cvttpd_epi32(_mm256_add_pd(v, half));
}
static inline void d_round_32(int32_t *p, vd v) {
    x_store(p, d_round(v));
}
static inline void d_add_32(int32_t *p, vd v) {
    x_store(p, _mm_add_epi32(x_load(p), d_round(v)));
}
static inline void d_round_16(int16_t *p, vd v) {
    __m128i w = d_round(v);
    x_store_64(p, _mm_packs_epi32(w, w));
}

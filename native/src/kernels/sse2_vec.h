/* The vocabulary in 128 bits: four words or two doubles. */
#include "x86_vec.h"

typedef __m128i vi;
typedef __m128d vd;
enum { V_LANES = 4, D_LANES = 2 };

#define v_load x_load
#define v_pairs x_load
#define v_store x_store
#define v_all _mm_set1_epi32
#define v_add _mm_add_epi32
#define v_sub _mm_sub_epi32
#define v_and _mm_and_si128
#define v_andnot _mm_andnot_si128 /* of the first, inverted */
#define v_or _mm_or_si128
#define v_xor _mm_xor_si128
#define v_sll _mm_slli_epi32
#define v_srl _mm_srli_epi32
#define v_sra _mm_srai_epi32
#define v_gt _mm_cmpgt_epi32
#define v_madd _mm_madd_epi16
#define v_float_bits(v) _mm_castps_si128(_mm_cvtepi32_ps(v))
#define v_from_float_bits(v) _mm_cvttps_epi32(_mm_castsi128_ps(v))
#define v_sum_of_quarters x_sum_of_quarters

static inline vi v_max(vi a, vi b) {
    vi m = v_gt(a, b);
    return v_or(v_and(m, a), v_andnot(m, b));
}
static inline vi v_min(vi a, vi b) {
    vi m = v_gt(b, a);
    return v_or(v_and(m, a), v_andnot(m, b));
}
/* The lower words of products, two and two. */
static inline vi v_mul(vi a, vi b) {
    vi even = _mm_mul_epu32(a, b), odd = _mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32));
    return _mm_unpacklo_epi32(_mm_shuffle_epi32(even, _MM_SHUFFLE(0, 0, 2, 0)),
                              _mm_shuffle_epi32(odd, _MM_SHUFFLE(0, 0, 2, 0)));
}
static inline bool v_any(vi v) {
    return _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) != 0xFFFF;
}
static inline vi v_wide(const int16_t *p) {
    vi v = x_load_64(p);
    return _mm_srai_epi32(_mm_unpacklo_epi16(v, v), 16);
}
static inline vi v_wide_8(const uint8_t *p) {
    vi zero = _mm_setzero_si128();
    return _mm_unpacklo_epi16(_mm_unpacklo_epi8(x_load_32(p), zero), zero);
}
static inline void v_narrow(int16_t *p, vi a, vi b) {
    x_store(p, _mm_packs_epi32(a, b));
}
static inline void v_store_8(uint8_t *p, vi v) {
    vi words = _mm_packs_epi32(v, v);
    x_store_32(p, _mm_packus_epi16(words, words));
}
/* Adds unsigned words to sums of 64 bits. */
static inline vi v_add_wide(vi sum, vi v) {
    return _mm_add_epi64(sum, _mm_add_epi64(_mm_srli_epi64(v, 32), _mm_and_si128(v, _mm_set_epi32(0, -1, 0, -1))));
}
static inline uint64_t v_sum_wide(vi v) {
    return (uint64_t)_mm_cvtsi128_si64(_mm_add_epi64(v, _mm_unpackhi_epi64(v, v)));
}

#define d_load _mm_loadu_pd
#define d_store _mm_storeu_pd
#define d_all _mm_set1_pd
#define d_add _mm_add_pd
#define d_sub _mm_sub_pd
#define d_mul _mm_mul_pd
#define d_div _mm_div_pd
#define d_max _mm_max_pd

static inline vd d_abs(vd v) {
    return _mm_andnot_pd(_mm_set1_pd(-0.0), v);
}
static inline vd d_at_least(vd v, vd least) { /* or 0 */
    return _mm_and_pd(v, _mm_cmpge_pd(v, least));
}
static inline vd d_from(const int32_t *p) {
    return _mm_cvtepi32_pd(x_load_64(p));
}
static inline vd d_wide(const int16_t *p) {
    vi v = x_load_32(p);
    return _mm_cvtepi32_pd(_mm_srai_epi32(_mm_unpacklo_epi16(v, v), 16));
}
static inline vi d_round(vd v) { /* halves away from zero */
    vd half = _mm_or_pd(_mm_and_pd(v, _mm_set1_pd(-0.0)), _mm_set1_pd(0.5));
    return _mm_cvttpd_epi32(_mm_add_pd(v, half));
}
static inline void d_round_32(int32_t *p, vd v) {
    x_store_64(p, d_round(v));
}
static inline void d_add_32(int32_t *p, vd v) {
    x_store_64(p, _mm_add_epi32(x_load_64(p), d_round(v)));
}
static inline void d_round_16(int16_t *p, vd v) {
    vi w = d_round(v);
    x_store_32(p, _mm_packs_epi32(w, w));
}

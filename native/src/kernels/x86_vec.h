/* What all x86 vocabularies do in 128 bits: weaving phases into one another, and the last sums of the FIR. */
#include "portable.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE __m128i x_load(const void *p) {
    return _mm_loadu_si128((const __m128i *)p);
}
static ALWAYS_INLINE void x_store(void *p, __m128i v) {
    _mm_storeu_si128((__m128i *)p, v);
}
static ALWAYS_INLINE __m128i x_load_32(const void *p) {
    int32_t v;
    memcpy(&v, p, sizeof v);
    return _mm_cvtsi32_si128(v);
}
static ALWAYS_INLINE __m128i x_load_64(const void *p) {
    return _mm_loadl_epi64((const __m128i *)p);
}
static ALWAYS_INLINE void x_store_32(void *p, __m128i v) {
    int32_t low = _mm_cvtsi128_si32(v);
    memcpy(p, &low, sizeof low);
}
static ALWAYS_INLINE void x_store_64(void *p, __m128i v) {
    _mm_storel_epi64((__m128i *)p, v);
}

/* Four vectors of four parts: quarters every part, adds up the parts of each, rounds, and stores four saturated
 * results.
 */
static ALWAYS_INLINE void x_sum_of_quarters(int16_t *out, __m128i a, __m128i b, __m128i c, __m128i d) {
    a = _mm_srai_epi32(a, 2);
    b = _mm_srai_epi32(b, 2);
    c = _mm_srai_epi32(c, 2);
    d = _mm_srai_epi32(d, 2);
    __m128i ab = _mm_add_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b)); /* a b a b */
    __m128i cd = _mm_add_epi32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
    __m128i sum = _mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
    sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(CF_FIR_DOWN_HALF)), CF_FIR_DOWN_SHIFT);
    x_store_64(out, _mm_packs_epi32(sum, sum));
}

/* Two words of a, then two of b. */
#define X_PICK(a, b, a0, a1, b0, b1)                                                                                   \
    _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), _MM_SHUFFLE(b1, b0, a1, a0)))

/* a0 b0 c0 a1 | b1 c1 a2 b2 | c2 a3 b3 c3, in words of 32 bits. */
static ALWAYS_INLINE void x_weave_3(int16_t *out, __m128i a, __m128i b, __m128i c) {
    __m128i ab = _mm_unpacklo_epi32(a, b), bc = _mm_unpacklo_epi32(b, c);
    __m128i ab_end = _mm_unpackhi_epi32(a, b), bc_end = _mm_unpackhi_epi32(b, c);
    x_store(out, X_PICK(ab, X_PICK(c, a, 0, 0, 1, 1), 0, 1, 0, 2));
    x_store(out + 8, X_PICK(bc, ab_end, 2, 3, 0, 1));
    x_store(out + 16, X_PICK(X_PICK(c, a, 2, 2, 3, 3), bc_end, 0, 2, 2, 3));
}

static ALWAYS_INLINE void x_weave_3_by_16(int16_t *out, __m128i a, __m128i b, __m128i c) {
    const __m128i low = _mm_set1_epi32(0xFFFF);
    x_weave_3(out, _mm_or_si128(_mm_and_si128(low, a), _mm_slli_epi32(b, 16)),
              _mm_or_si128(_mm_and_si128(low, c), _mm_andnot_si128(low, a)),
              _mm_or_si128(_mm_srli_epi32(b, 16), _mm_andnot_si128(low, c)));
}

static ALWAYS_INLINE void x_weave_4(int16_t *out, __m128i a, __m128i b, __m128i c, __m128i d) {
    __m128i ab = _mm_unpacklo_epi16(a, b), cd = _mm_unpacklo_epi16(c, d);
    x_store(out, _mm_unpacklo_epi32(ab, cd));
    x_store(out + 8, _mm_unpackhi_epi32(ab, cd));
    ab = _mm_unpackhi_epi16(a, b);
    cd = _mm_unpackhi_epi16(c, d);
    x_store(out + 16, _mm_unpacklo_epi32(ab, cd));
    x_store(out + 24, _mm_unpackhi_epi32(ab, cd));
}

/* Eight samples of each of `ratio` phases, which lie `stride` apart, in the order of time. */
static ALWAYS_INLINE void v_weave(int16_t *out, const int16_t *y, size_t stride, const int ratio) {
    __m128i a = x_load(y), b = x_load(y + stride);
    if (ratio == 2) {
        x_store(out, _mm_unpacklo_epi16(a, b));
        x_store(out + 8, _mm_unpackhi_epi16(a, b));
        return;
    }
    __m128i c = x_load(y + 2 * stride);
    if (ratio == 3) {
        x_weave_3_by_16(out, a, b, c);
        return;
    }
    __m128i d = x_load(y + 3 * stride);
    if (ratio == 4) {
        x_weave_4(out, a, b, c, d);
        return;
    }
    __m128i e = x_load(y + 4 * stride), f = x_load(y + 5 * stride);
    x_weave_3(out, _mm_unpacklo_epi16(a, b), _mm_unpacklo_epi16(c, d), _mm_unpacklo_epi16(e, f));
    x_weave_3(out + 24, _mm_unpackhi_epi16(a, b), _mm_unpackhi_epi16(c, d), _mm_unpackhi_epi16(e, f));
}

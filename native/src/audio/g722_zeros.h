/* The six zeros of a G.722 predictor (blocks UPZERO and FILTEZ): half of the codec's work, in plain C and, the same to
 * the bit, in SSE2. */
#ifndef CONFEROCORE_AUDIO_G722_ZEROS_H
#define CONFEROCORE_AUDIO_G722_ZEROS_H

#include "g722.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline int cf_g722_saturate(int v) {
    return v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v;
}

/* The zeros follow the signs of the last six differences, and then weigh the newest six. The lanes beyond the sixth
 * weigh nothing: their past is never filled. */
static inline int cf_g722_zeros_plain(cf_g722_band *band, int difference) {
    int move = difference ? 128 : 0, sum = 0;
    for (int i = 0; i < CF_G722_LANES; i++) {
        int unlike = (band->past[i] ^ difference) >> 31;
        band->zero[i] = (int16_t)((band->zero[i] * 255 >> 8) + ((move ^ unlike) - unlike));
    }
    memmove(band->past + 1, band->past, 5 * sizeof *band->past);
    band->past[0] = (int16_t)cf_g722_saturate(2 * difference);
    for (int i = 0; i < CF_G722_LANES; i++)
        sum += band->zero[i] * band->past[i] >> 15;
    return cf_g722_saturate(sum);
}

#ifdef __SSE2__
/* zero * 255 / 256, rounded down: zero less its 256th part, rounded up. */
static inline __m128i cf_g722_leaked(__m128i zero) {
    __m128i whole = _mm_cmpeq_epi16(_mm_and_si128(zero, _mm_set1_epi16(255)), _mm_setzero_si128());
    __m128i up = _mm_add_epi16(_mm_srai_epi16(zero, 8), _mm_add_epi16(_mm_set1_epi16(1), whole));
    return _mm_sub_epi16(zero, up);
}

static inline int cf_g722_weighed(__m128i zero, __m128i past) {
    __m128i lo = _mm_mullo_epi16(zero, past), hi = _mm_mulhi_epi16(zero, past);
    __m128i sum =
        _mm_add_epi32(_mm_srai_epi32(_mm_unpacklo_epi16(lo, hi), 15), _mm_srai_epi32(_mm_unpackhi_epi16(lo, hi), 15));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(2, 3, 0, 1)));
    return cf_g722_saturate(_mm_cvtsi128_si32(sum));
}

static inline int cf_g722_zeros(cf_g722_band *band, int difference) {
    __m128i zero = _mm_loadu_si128((const __m128i *)band->zero), past = _mm_loadu_si128((const __m128i *)band->past);
    __m128i unlike = _mm_srai_epi16(_mm_xor_si128(past, _mm_set1_epi16((short)difference)), 15);
    __m128i move = _mm_set1_epi16(difference ? 128 : 0);
    move = _mm_sub_epi16(_mm_xor_si128(move, unlike), unlike);
    zero = _mm_add_epi16(cf_g722_leaked(zero), move);
    past = _mm_and_si128(_mm_slli_si128(past, 2), _mm_setr_epi16(0, -1, -1, -1, -1, -1, 0, 0));
    past = _mm_insert_epi16(past, cf_g722_saturate(2 * difference), 0);
    _mm_storeu_si128((__m128i *)band->zero, zero);
    _mm_storeu_si128((__m128i *)band->past, past);
    return cf_g722_weighed(zero, past);
}
#else
static inline int cf_g722_zeros(cf_g722_band *band, int difference) {
    return cf_g722_zeros_plain(band, difference);
}
#endif

#endif

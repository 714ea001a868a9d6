/* What the x86 files of AES share: their instruction set, a block's loads and stores, and blocks of key stream. */
#ifndef CONFEROCORE_AES_X86_H
#define CONFEROCORE_AES_X86_H

#include "aes.h"
#include <immintrin.h>
#include <string.h>

/* AVX only for its three-operand forms and so that no upper half is left dirty; every CPU with the other two that is
 * younger than 2011 has it. */
#define CF_AES_TARGET __attribute__((target("aes,pclmul,avx")))
#define CF_AES_INLINE CF_AES_TARGET __attribute__((always_inline)) static inline

enum {
    CF_AES_LANES = 8
}; /* blocks under way together: a round's latency is hidden from 4 on everywhere, from 8 on
      where two can start in a cycle */

CF_AES_INLINE __m128i block_at(const void *p) {
    return _mm_loadu_si128(p);
}

/* Up to 7 bytes, the first one lowest, by loads that overlap but never leave [p, p + n). */
static inline uint64_t few_bytes(const uint8_t *p, size_t n) {
    if (n >= 4) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + n - 4, 4);
        return low | (uint64_t)high << 8 * (n - 4);
    }
    return n == 0 ? 0 : p[0] | (uint64_t)p[n / 2] << 8 * (n / 2) | (uint64_t)p[n - 1] << 8 * (n - 1);
}

/* The last block of a message, n of 1 to 16 bytes, zeros behind it. */
CF_AES_INLINE __m128i block_part(const uint8_t *p, size_t n) {
    uint64_t low;
    if (n == CF_AES_BLOCK)
        return block_at(p);
    if (n < 8)
        return _mm_cvtsi64_si128((long long)few_bytes(p, n));
    memcpy(&low, p, 8);
    return _mm_set_epi64x((long long)few_bytes(p + 8, n - 8), (long long)low);
}

static inline void put_few(uint8_t *p, uint64_t value, size_t n) {
    for (; n > 0; n--, value >>= 8)
        *p++ = (uint8_t)value;
}

CF_AES_INLINE void block_put(uint8_t *p, __m128i block, size_t n) {
    if (n == CF_AES_BLOCK) {
        _mm_storeu_si128((__m128i *)p, block);
        return;
    }
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(block);
    if (n >= 8) {
        memcpy(p, &low, 8);
        p += 8;
        n -= 8;
        low = (uint64_t)_mm_extract_epi64(block, 1);
    }
    put_few(p, low, n);
}

/* The bytes of a block in reverse order: big-endian numbers become the CPU's. */
CF_AES_INLINE __m128i reversed(__m128i block) {
    return _mm_shuffle_epi8(block, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

CF_AES_INLINE void encrypt_lanes(const cf_aes_key *key, __m128i *x, int lanes) {
    __m128i k = block_at(key->round_keys[0]);
    for (int i = 0; i < lanes; i++)
        x[i] = _mm_xor_si128(x[i], k);
    for (int r = 1; r < key->rounds; r++) {
        k = block_at(key->round_keys[r]);
        for (int i = 0; i < lanes; i++)
            x[i] = _mm_aesenc_si128(x[i], k);
    }
    k = block_at(key->round_keys[key->rounds]);
    for (int i = 0; i < lanes; i++)
        x[i] = _mm_aesenclast_si128(x[i], k);
}

/* The next CF_AES_LANES blocks of key stream, of which `needed` count. `counter` is a reversed counter block. */
CF_AES_INLINE void next_stream(const cf_aes_key *key, __m128i *counter, __m128i out[CF_AES_LANES], size_t needed) {
    for (int i = 0; i < CF_AES_LANES; i++) {
        out[i] = reversed(*counter);
        *counter = _mm_add_epi32(*counter, _mm_set_epi32(0, 0, 0, 1));
    }
    if (needed <= CF_AES_LANES / 2)
        encrypt_lanes(key, out, CF_AES_LANES / 2);
    else
        encrypt_lanes(key, out, CF_AES_LANES);
}

#endif

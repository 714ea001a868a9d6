/* AES by AES-NI: the key schedule (FIPS 197 section 5.2) and counter mode. */
#include "aes.h"

#if defined(__x86_64__)
#include "aes_x86.h"

bool cf_aes_usable(void) {
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("avx");
}

/* w[i-4] ^ w[i-5] ^ ... : each word of the new round key takes in all words before it. */
CF_AES_INLINE __m128i spread(__m128i key, __m128i first) {
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
    return _mm_xor_si128(key, first);
}

/* SubWord(RotWord(last word)) ^ Rcon, and SubWord alone for the odd halves of a 256-bit key, in all four words. */
CF_AES_INLINE __m128i rotated_word(__m128i key, __m128i rcon) {
    __m128i word = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, 0), 0xff);
    return _mm_xor_si128(word, rcon);
}
CF_AES_INLINE __m128i plain_word(__m128i key) {
    return _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, 0), 0xaa);
}

CF_AES_TARGET void cf_aes_init(cf_aes_key *key, const uint8_t *bytes, size_t len) {
    __m128i *out = (__m128i *)key->round_keys, rcon = _mm_set1_epi32(1);
    int halves = len == 32 ? 2 : 1;
    key->rounds = halves == 2 ? 14 : 10;
    for (int i = 0; i < halves; i++)
        out[i] = block_at(bytes + 16 * i);
    for (int i = halves; i <= key->rounds; i++) {
        if (halves == 2 && i % 2 == 1) {
            out[i] = spread(out[i - 2], plain_word(out[i - 1]));
            continue;
        }
        out[i] = spread(out[i - halves], rotated_word(out[i - 1], rcon));
        rcon = i == 8 && halves == 1 ? _mm_set1_epi32(0x1b) : _mm_slli_epi32(rcon, 1); /* x^8 = x^4 + x^3 + x + 1 */
    }
}

CF_AES_TARGET void cf_aes_ctr(const cf_aes_key *key, const uint8_t iv[16], const uint8_t *in, uint8_t *out,
                              size_t len) {
    __m128i counter = reversed(block_at(iv)), stream[CF_AES_LANES];
    size_t at = 0;
    for (int lane = CF_AES_LANES; at < len; at += CF_AES_BLOCK, lane++) {
        if (lane == CF_AES_LANES) {
            next_stream(key, &counter, stream, (len - at + CF_AES_BLOCK - 1) / CF_AES_BLOCK);
            lane = 0;
        }
        size_t n = len - at < CF_AES_BLOCK ? len - at : CF_AES_BLOCK;
        block_put(out + at, _mm_xor_si128(block_part(in + at, n), stream[lane]), n);
    }
}

#else /* no AES-NI: libcrypto does it all */

bool cf_aes_usable(void) {
    return false;
}
void cf_aes_init(cf_aes_key *key, const uint8_t *bytes, size_t len) {
    (void)key, (void)bytes, (void)len;
}
void cf_aes_ctr(const cf_aes_key *key, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t len) {
    (void)key, (void)iv, (void)in, (void)out, (void)len;
}

#endif

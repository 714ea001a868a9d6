/* AES-GCM (SP 800-38D) by AES-NI and PCLMULQDQ: eight blocks of key stream under way together, one reduction for up to
 * eight blocks of the hash. */
#include "aes.h"

#if defined(__x86_64__)
#include "aes_x86.h"
#include <openssl/crypto.h>

/* The hash in the form of RFC 8452 appendix A: blocks are reversed, products are divided by x^128, and the first power
 * is multiplied by x, which together is what SP 800-38D section 6.3 asks for; no bit has to be reflected. */
typedef struct hash {
    const cf_gcm_powers *powers;
    __m128i sum;
    int count; /* blocks that wait */
    __m128i waiting[CF_GCM_POWERS];
} hash;

/* x^128 + x^127 + x^126 + x^121 + 1, its upper half without x^128. */
static const long long POLYNOMIAL = (long long)0xc200000000000000;

/* Divides a product of 256 bits by x^128: twice 64 bits from below. */
CF_AES_INLINE __m128i reduced(__m128i low, __m128i middle, __m128i high) {
    __m128i polynomial = _mm_set_epi64x(0, POLYNOMIAL);
    low = _mm_xor_si128(low, _mm_slli_si128(middle, 8));
    high = _mm_xor_si128(high, _mm_srli_si128(middle, 8));
    for (int i = 0; i < 2; i++)
        low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e), _mm_clmulepi64_si128(low, polynomial, 0x00));
    return _mm_xor_si128(low, high);
}

CF_AES_INLINE __m128i times(__m128i a, __m128i b) {
    __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));
    return reduced(_mm_clmulepi64_si128(a, b, 0x00), middle, _mm_clmulepi64_si128(a, b, 0x11));
}

/* Takes in what waits: the first block was there longest and has the highest power. */
CF_AES_INLINE void hash_fold(hash *h) {
    __m128i low = _mm_setzero_si128(), middle = low, high = low;
    h->waiting[0] = _mm_xor_si128(h->waiting[0], h->sum);
    for (int i = 0; i < h->count; i++) {
        __m128i x = h->waiting[i], power = block_at(h->powers->power[h->count - 1 - i]);
        low = _mm_xor_si128(low, _mm_clmulepi64_si128(x, power, 0x00));
        middle = _mm_xor_si128(middle, _mm_clmulepi64_si128(x, power, 0x01));
        middle = _mm_xor_si128(middle, _mm_clmulepi64_si128(x, power, 0x10));
        high = _mm_xor_si128(high, _mm_clmulepi64_si128(x, power, 0x11));
    }
    h->sum = reduced(low, middle, high);
    h->count = 0;
}

CF_AES_INLINE void hash_block(hash *h, __m128i block) {
    if (h->count == CF_GCM_POWERS)
        hash_fold(h);
    h->waiting[h->count++] = reversed(block);
}

CF_AES_INLINE void hash_bytes(hash *h, const uint8_t *data, size_t len) {
    for (; len >= CF_AES_BLOCK; data += CF_AES_BLOCK, len -= CF_AES_BLOCK)
        hash_block(h, block_at(data));
    if (len > 0)
        hash_block(h, block_part(data, len));
}

/* What is only authenticated; 4 bytes more may follow it in the same block. */
CF_AES_INLINE void hash_aad(hash *h, const cf_gcm_job *job) {
    size_t rest = job->more ? job->aad_len % CF_AES_BLOCK : 0, whole = job->aad_len - rest;
    hash_bytes(h, job->aad, whole);
    if (job->more) {
        uint8_t end[CF_AES_BLOCK + 4];
        memcpy(end, job->aad + whole, rest);
        memcpy(end + rest, job->more, 4);
        hash_bytes(h, end, rest + 4);
    }
}

CF_AES_INLINE __m128i hash_end(hash *h, const cf_gcm_job *job) {
    long long aad_bits = 8 * (long long)(job->aad_len + (job->more ? 4 : 0));
    hash_block(h, reversed(_mm_set_epi64x(aad_bits, 8 * (long long)job->len)));
    hash_fold(h);
    return reversed(h->sum);
}

/* SP 800-38D section 7.1: the initialization vector and a block counter of 32 bits; 1 masks the tag. */
CF_AES_INLINE __m128i first_counter(const uint8_t iv[12]) {
    uint8_t block[CF_AES_BLOCK] = {[15] = 1};
    memcpy(block, iv, 12);
    return reversed(block_at(block));
}

/* A private power table: the multiplication by x of RFC 8452 appendix A, then powers. */
CF_AES_TARGET void cf_gcm_init(cf_gcm_powers *powers, const cf_aes_key *key) {
    __m128i x = _mm_setzero_si128(), *out = (__m128i *)powers->power;
    encrypt_lanes(key, &x, 1);
    x = reversed(x);
    __m128i carry = _mm_slli_si128(_mm_srli_epi64(x, 63), 8), top = _mm_srai_epi32(_mm_shuffle_epi32(x, 0xff), 31);
    x = _mm_or_si128(_mm_slli_epi64(x, 1), carry);
    out[0] = _mm_xor_si128(x, _mm_and_si128(top, _mm_set_epi64x(POLYNOMIAL, 1)));
    for (int i = 1; i < CF_GCM_POWERS; i++)
        out[i] = times(out[i - 1], out[0]);
}

/* The bytes of a last block that lie behind its n are key stream: they are no part of the message. */
CF_AES_INLINE __m128i only_first(__m128i block, size_t n) {
    static const uint8_t keep[2 * CF_AES_BLOCK] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                   255, 255, 255, 255, 255, 255, 255, 255};
    return _mm_and_si128(block, block_at(keep + CF_AES_BLOCK - n));
}

CF_AES_TARGET void cf_gcm_seal(const cf_aes_key *key, const cf_gcm_powers *powers, const cf_gcm_job *job,
                               uint8_t tag[16]) {
    hash h = {.powers = powers};
    __m128i counter = first_counter(job->iv), stream[CF_AES_LANES];
    size_t blocks = (job->len + CF_AES_BLOCK - 1) / CF_AES_BLOCK;
    next_stream(key, &counter, stream, 1 + blocks);
    __m128i mask = stream[0];
    hash_aad(&h, job);
    for (size_t at = 0, lane = 1; at < job->len; at += CF_AES_BLOCK, lane++) {
        if (lane == CF_AES_LANES) {
            next_stream(key, &counter, stream, (job->len - at + CF_AES_BLOCK - 1) / CF_AES_BLOCK);
            lane = 0;
        }
        size_t n = job->len - at < CF_AES_BLOCK ? job->len - at : CF_AES_BLOCK;
        __m128i block = _mm_xor_si128(block_part(job->in + at, n), stream[lane]);
        block_put(job->out + at, block, n);
        hash_block(&h, only_first(block, n));
    }
    block_put(tag, _mm_xor_si128(hash_end(&h, job), mask), CF_AES_BLOCK);
}

CF_AES_TARGET bool cf_gcm_open(const cf_aes_key *key, const cf_gcm_powers *powers, const cf_gcm_job *job,
                               const uint8_t tag[16]) {
    hash h = {.powers = powers};
    uint8_t want[CF_AES_BLOCK], first[CF_AES_BLOCK];
    __m128i counter = first_counter(job->iv), mask = reversed(counter);
    encrypt_lanes(key, &mask, 1);
    hash_aad(&h, job);
    hash_bytes(&h, job->in, job->len);
    block_put(want, _mm_xor_si128(hash_end(&h, job), mask), CF_AES_BLOCK);
    if (CRYPTO_memcmp(want, tag, sizeof want) != 0)
        return false;
    block_put(first, reversed(_mm_add_epi32(counter, _mm_set_epi32(0, 0, 0, 1))), CF_AES_BLOCK);
    cf_aes_ctr(key, first, job->in, job->out, job->len);
    return true;
}

#else

void cf_gcm_init(cf_gcm_powers *powers, const cf_aes_key *key) {
    (void)powers, (void)key;
}
void cf_gcm_seal(const cf_aes_key *key, const cf_gcm_powers *powers, const cf_gcm_job *job, uint8_t tag[16]) {
    (void)key, (void)powers, (void)job, (void)tag;
}
bool cf_gcm_open(const cf_aes_key *key, const cf_gcm_powers *powers, const cf_gcm_job *job, const uint8_t tag[16]) {
    (void)key, (void)powers, (void)job, (void)tag;
    return false;
}

#endif

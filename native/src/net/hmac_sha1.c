/* HMAC-SHA1 over libcrypto's SHA-1, the two key blocks hashed once. */
#include "hmac_sha1.h"
#include <openssl/crypto.h>
#include <string.h>

static void key_block(SHA_CTX *ctx, const uint8_t block[SHA_CBLOCK], uint8_t pad) {
    uint8_t padded[SHA_CBLOCK];
    for (size_t i = 0; i < SHA_CBLOCK; i++)
        padded[i] = block[i] ^ pad;
    SHA1_Init(ctx);
    SHA1_Update(ctx, padded, sizeof padded);
    OPENSSL_cleanse(padded, sizeof padded);
}

void cf_hmac_sha1_key(cf_hmac_key *key, const uint8_t *bytes, size_t len) {
    uint8_t block[SHA_CBLOCK] = {0};
    if (len > sizeof block) { /* RFC 2104 section 2: a longer key is hashed first */
        SHA1_Init(&key->inner);
        SHA1_Update(&key->inner, bytes, len);
        SHA1_Final(block, &key->inner);
    } else {
        memcpy(block, bytes, len);
    }
    key_block(&key->inner, block, 0x36);
    key_block(&key->outer, block, 0x5c);
    OPENSSL_cleanse(block, sizeof block);
}

void cf_hmac_sha1(const cf_hmac_key *key, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
                  uint8_t out[CF_SHA1_LEN]) {
    SHA_CTX ctx = key->inner;
    SHA1_Update(&ctx, head, head_len);
    SHA1_Update(&ctx, tail, tail_len);
    SHA1_Final(out, &ctx);
    ctx = key->outer;
    SHA1_Update(&ctx, out, CF_SHA1_LEN);
    SHA1_Final(out, &ctx);
}

/* HMAC-SHA1 over libcrypto's SHA-1, the two key blocks hashed once. */
#include "hmac_sha1.h"
#include <openssl/crypto.h>
#include <string.h>

static void key_block(uint32_t state[5], const uint8_t block[SHA_CBLOCK], uint8_t pad) {
    uint8_t padded[SHA_CBLOCK];
    SHA_CTX ctx;
    for (size_t i = 0; i < SHA_CBLOCK; i++)
        padded[i] = block[i] ^ pad;
    SHA1_Init(&ctx);
    SHA1_Update(&ctx, padded, sizeof padded);
    memcpy(state, (uint32_t[]){ctx.h0, ctx.h1, ctx.h2, ctx.h3, ctx.h4}, 5 * sizeof *state);
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(&ctx, sizeof ctx);
}

/* As after the 512 bits of the key's block. The buffer need not be set: it is empty. */
static void resume(SHA_CTX *ctx, const uint32_t state[5]) {
    ctx->h0 = state[0];
    ctx->h1 = state[1];
    ctx->h2 = state[2];
    ctx->h3 = state[3];
    ctx->h4 = state[4];
    ctx->Nl = 8 * SHA_CBLOCK;
    ctx->Nh = ctx->num = 0;
}

void cf_hmac_sha1_key(cf_hmac_key *key, const uint8_t *bytes, size_t len) {
    uint8_t block[SHA_CBLOCK] = {0};
    if (len > sizeof block) { /* RFC 2104 section 2: a longer key is hashed first */
        SHA_CTX ctx;
        SHA1_Init(&ctx);
        SHA1_Update(&ctx, bytes, len);
        SHA1_Final(block, &ctx);
    } else {
        memcpy(block, bytes, len);
    }
    key_block(key->inner, block, 0x36);
    key_block(key->outer, block, 0x5c);
    OPENSSL_cleanse(block, sizeof block);
}

void cf_hmac_sha1(const cf_hmac_key *key, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
                  uint8_t out[CF_SHA1_LEN]) {
    SHA_CTX ctx;
    resume(&ctx, key->inner);
    SHA1_Update(&ctx, head, head_len);
    SHA1_Update(&ctx, tail, tail_len);
    SHA1_Final(out, &ctx);
    resume(&ctx, key->outer);
    SHA1_Update(&ctx, out, CF_SHA1_LEN);
    SHA1_Final(out, &ctx);
}

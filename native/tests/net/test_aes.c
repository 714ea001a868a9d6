/* aes_x86.c and gcm_x86.c against libcrypto: every length, every alignment, nothing read or written outside. */
#include "conferocore/base.h"
#include "net/aes.h"
#include "netlib.h"
#include "testlib.h"
#include <openssl/evp.h>

enum { LENGTHS = 600, AADS = 70 };

static uint8_t key[32], iv[16], text[LENGTHS], aad[AADS + 4];

/* Other bytes for each case; a fault repeats. */
static void stir(uint32_t seed) {
    cf_rng rng;
    cf_rng_seed(&rng, seed);
    uint8_t *all[] = {key, iv, text, aad};
    size_t sizes[] = {sizeof key, sizeof iv, sizeof text, sizeof aad};
    for (size_t a = 0; a < 4; a++)
        for (size_t i = 0; i < sizes[a]; i++)
            all[a][i] = (uint8_t)cf_rng_u32(&rng);
}

static void judge_gcm(size_t key_len, size_t aad_len, size_t len, uint8_t *out, uint8_t tag[16]) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    CHECK(EVP_EncryptInit_ex(ctx, key_len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), NULL, key, iv) == 1);
    CHECK(EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1);
    CHECK(EVP_EncryptUpdate(ctx, out, &n, text, (int)len) == 1);
    CHECK(EVP_EncryptFinal_ex(ctx, out, &n) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1);
    EVP_CIPHER_CTX_free(ctx);
}

static void judge_ctr(size_t key_len, size_t len, uint8_t *out) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    CHECK(EVP_EncryptInit_ex(ctx, key_len == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr(), NULL, key, iv) == 1);
    CHECK(EVP_EncryptUpdate(ctx, out, &n, text, (int)len) == 1);
    EVP_CIPHER_CTX_free(ctx);
}

/* Seals into a block that ends with the message, or in place; opens it again, and not with any bit changed. */
static void check_gcm(size_t key_len, size_t aad_len, bool more, size_t len) {
    uint8_t want[LENGTHS], want_tag[16], tag[16];
    cf_aes_key aes;
    cf_gcm_powers powers;
    placed in = place(text, len, len % 3), out = place(text, len, aad_len % 5), head = place(aad, aad_len, 1);
    cf_aes_init(&aes, key, key_len);
    cf_gcm_init(&powers, &aes);
    cf_gcm_job job = {.iv = iv, .aad = head.data, .more = more ? aad + aad_len : NULL, .aad_len = aad_len};
    job.in = len % 2 ? in.data : out.data;
    job.out = out.data;
    job.len = len;
    judge_gcm(key_len, aad_len + (more ? 4 : 0), len, want, want_tag);
    cf_gcm_seal(&aes, &powers, &job, tag);
    CHECK(memcmp(out.data, want, len) == 0 && memcmp(tag, want_tag, 16) == 0);
    job.in = out.data;
    tag[len % 16] ^= (uint8_t)(1 << len % 8);
    CHECK(!cf_gcm_open(&aes, &powers, &job, tag) && memcmp(out.data, want, len) == 0);
    CHECK(cf_gcm_open(&aes, &powers, &job, want_tag) && memcmp(out.data, text, len) == 0);
    free(in.block);
    free(out.block);
    free(head.block);
}

static void test_gcm_every_length(void) {
    for (size_t key_len = 16; key_len <= 32; key_len += 16)
        for (size_t len = 0; len <= LENGTHS; len++) {
            stir((uint32_t)(len + key_len));
            check_gcm(key_len, 12, false, len);
        }
}

static void test_gcm_every_header(void) {
    for (size_t aad_len = 0; aad_len <= AADS; aad_len++)
        for (size_t len = 0; len < 40; len += 3) {
            stir((uint32_t)(aad_len * 100 + len));
            check_gcm(16, aad_len, false, len);
            check_gcm(32, aad_len, true, len);
        }
}

static void test_any_changed_bit_is_seen(void) {
    cf_aes_key aes;
    cf_gcm_powers powers;
    uint8_t out[100], tag[16];
    stir(5);
    cf_aes_init(&aes, key, 16);
    cf_gcm_init(&powers, &aes);
    cf_gcm_job job = {.iv = iv, .aad = aad, .aad_len = 20, .in = text, .out = out, .len = sizeof out};
    cf_gcm_seal(&aes, &powers, &job, tag);
    job.in = out;
    for (size_t bit = 0; bit < 8 * (sizeof out + 20 + 16); bit++) {
        uint8_t *at = bit / 8 < 100 ? out + bit / 8 : bit / 8 < 120 ? aad + bit / 8 - 100 : tag + bit / 8 - 120;
        *at ^= (uint8_t)(1 << bit % 8);
        CHECK(!cf_gcm_open(&aes, &powers, &job, tag));
        *at ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(cf_gcm_open(&aes, &powers, &job, tag));
}

static void test_ctr_every_length(void) {
    uint8_t want[LENGTHS];
    cf_aes_key aes;
    for (size_t key_len = 16; key_len <= 32; key_len += 16)
        for (size_t len = 1; len <= LENGTHS; len++) {
            stir((uint32_t)(7 * len + key_len));
            iv[12] = iv[13] = iv[14] = iv[15] = 0;
            placed in = place(text, len, len % 4), out = place(text, len, 0);
            cf_aes_init(&aes, key, key_len);
            cf_aes_ctr(&aes, iv, len % 2 ? in.data : out.data, out.data, len);
            judge_ctr(key_len, len, want);
            CHECK(memcmp(out.data, want, len) == 0);
            free(in.block);
            free(out.block);
        }
}

int main(void) {
    if (cf_aes_usable()) {
        RUN(test_gcm_every_length);
        RUN(test_gcm_every_header);
        RUN(test_any_changed_bit_is_seen);
        RUN(test_ctr_every_length);
    } else {
        printf("this CPU has no AES instructions: libcrypto is used and tested alone\n");
    }
    return REPORT();
}

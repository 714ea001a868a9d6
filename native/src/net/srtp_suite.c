/* SRTP suites over libcrypto: AES counter mode with HMAC-SHA1 (RFC 3711) and AES-GCM (RFC 7714), contexts kept. */
#include "srtp_suite.h"
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>

static const cf_srtp_suite SUITES[] = {
    {CF_SRTP_AES128_CM_SHA1_80, "AES-128-CTR", "AES-128-CTR", 16, 14, 20, 10, 4},
    {CF_SRTP_AEAD_AES_128_GCM, "AES-128-GCM", "AES-128-CTR", 16, 12, 0, 16, 2},
    {CF_SRTP_AEAD_AES_256_GCM, "AES-256-GCM", "AES-256-CTR", 32, 12, 0, 16, 2},
};

const cf_srtp_suite *cf_srtp_suite_of(int profile) {
    for (size_t i = 0; i < sizeof SUITES / sizeof SUITES[0]; i++)
        if (SUITES[i].profile == profile)
            return &SUITES[i];
    return NULL;
}

static EVP_CIPHER_CTX *new_cipher(const char *name, const uint8_t *key) {
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;
    if (ctx && EVP_EncryptInit_ex2(ctx, cipher, key, NULL, NULL) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    EVP_CIPHER_free(cipher); /* the context holds its own reference */
    return ctx;
}

/* XORs the key stream that begins at `iv` onto the data; its own inverse. */
static bool counter_mode(EVP_CIPHER_CTX *ctx, const uint8_t iv[16], uint8_t *data, size_t len) {
    int n;
    return EVP_CipherInit_ex2(ctx, NULL, NULL, iv, 1, NULL) == 1 &&
           EVP_CipherUpdate(ctx, data, &n, data, (int)len) == 1;
}

/* RFC 3711 section 4.3.1 with a derivation rate of 0: the label is XORed onto the salt at its place in the key id. A
 * salt of 12 bytes is taken as one of 14 that ends in zeros (RFC 7714 section 11). */
static bool derive_one(EVP_CIPHER_CTX *prf, const uint8_t *salt, size_t salt_len, uint8_t label, uint8_t *out,
                       size_t len) {
    uint8_t iv[16] = {0};
    memcpy(iv, salt, salt_len);
    iv[7] ^= label;
    memset(out, 0, len);
    return counter_mode(prf, iv, out, len);
}

int cf_srtp_derive(const cf_srtp_suite *suite, const uint8_t *key, const uint8_t *salt, uint8_t first_label,
                   cf_srtp_keys *out) {
    EVP_CIPHER_CTX *prf = new_cipher(suite->prf, key);
    bool done = prf && derive_one(prf, salt, suite->salt_len, first_label, out->key, suite->key_len) &&
                derive_one(prf, salt, suite->salt_len, first_label + 1, out->auth, suite->auth_len) &&
                derive_one(prf, salt, suite->salt_len, first_label + 2, out->salt, suite->salt_len);
    EVP_CIPHER_CTX_free(prf);
    return done ? 0 : -ENOMEM;
}

int cf_srtp_session_init(cf_srtp_session *session, const cf_srtp_suite *suite, const cf_srtp_keys *keys) {
    *session = (cf_srtp_session){.cipher = new_cipher(suite->cipher, keys->key)};
    if (session->cipher == NULL)
        return -ENOMEM;
    cf_hmac_sha1_key(&session->auth, keys->auth, suite->auth_len);
    memcpy(session->iv, keys->salt, suite->salt_len);
    session->tag_param[0] = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, session->tag, suite->tag_len);
    session->tag_param[1] = OSSL_PARAM_construct_end();
    return 0;
}

void cf_srtp_session_clear(cf_srtp_session *session) {
    EVP_CIPHER_CTX_free(session->cipher); /* wipes its key */
    OPENSSL_cleanse(session, sizeof *session);
}

/* RFC 3711 section 4.1.1 (16 bytes, the last two count blocks), RFC 7714 sections 8.1 and 9.1 (12 bytes). */
static void make_iv(const cf_srtp_suite *suite, const cf_srtp_session *session, const cf_srtp_job *job,
                    uint8_t iv[CF_SRTP_IV]) {
    uint8_t *p = iv + suite->ssrc_at;
    memcpy(iv, session->iv, CF_SRTP_IV);
    cf_put32(p, cf_get32(p) ^ job->ssrc);
    cf_put16(p + 4, cf_get16(p + 4) ^ (uint16_t)(job->index >> 32));
    cf_put32(p + 6, cf_get32(p + 6) ^ (uint32_t)job->index);
}

static void sign(cf_srtp_session *session, const cf_srtp_job *job, uint8_t out[CF_SHA1_LEN]) {
    cf_hmac_sha1(&session->auth, job->data, job->len, job->word, job->word ? 4 : 0, out);
}

static bool cm_crypt(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[16]) {
    return job->clear == job->len || counter_mode(session->cipher, iv, job->data + job->clear, job->len - job->clear);
}

static int cm_seal(const cf_srtp_suite *suite, cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[16]) {
    uint8_t code[CF_SHA1_LEN];
    if (!cm_crypt(session, job, iv))
        return -EIO;
    sign(session, job, code);
    memcpy(job->tag, code, suite->tag_len);
    return 0;
}

static int cm_open(const cf_srtp_suite *suite, cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[16]) {
    uint8_t code[CF_SHA1_LEN];
    sign(session, job, code);
    if (CRYPTO_memcmp(job->tag, code, suite->tag_len) != 0 || !cm_crypt(session, job, iv))
        return -EKEYREJECTED;
    return 0;
}

/* Starts a packet, takes in what is only authenticated, and en- or decrypts the rest in place. */
static bool gcm_run(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[12], int encrypt) {
    EVP_CIPHER_CTX *ctx = session->cipher;
    int n;
    if (EVP_CipherInit_ex2(ctx, NULL, NULL, iv, encrypt, NULL) != 1 ||
        EVP_CipherUpdate(ctx, NULL, &n, job->data, (int)job->clear) != 1 ||
        (job->word && EVP_CipherUpdate(ctx, NULL, &n, job->word, 4) != 1))
        return false;
    uint8_t *body = job->data + job->clear;
    return job->clear == job->len || EVP_CipherUpdate(ctx, body, &n, body, (int)(job->len - job->clear)) == 1;
}

static int gcm_seal(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[12]) {
    int n;
    if (!gcm_run(session, job, iv, 1) || EVP_CipherFinal_ex(session->cipher, job->tag, &n) != 1 ||
        EVP_CIPHER_CTX_get_params(session->cipher, session->tag_param) != 1)
        return -EIO;
    memcpy(job->tag, session->tag, sizeof session->tag);
    return 0;
}

static int gcm_open(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[12]) {
    int n;
    memcpy(session->tag, job->tag, sizeof session->tag);
    if (gcm_run(session, job, iv, 0) && EVP_CIPHER_CTX_set_params(session->cipher, session->tag_param) == 1 &&
        EVP_CipherFinal_ex(session->cipher, session->tag, &n) == 1)
        return 0;
    gcm_run(session, job, iv, 1); /* nothing unauthenticated may stay: the same key stream restores what came */
    return -EKEYREJECTED;
}

int cf_srtp_seal(const cf_srtp_suite *suite, cf_srtp_session *session, const cf_srtp_job *job) {
    uint8_t iv[CF_SRTP_IV];
    make_iv(suite, session, job, iv);
    return suite->auth_len ? cm_seal(suite, session, job, iv) : gcm_seal(session, job, iv);
}

int cf_srtp_open(const cf_srtp_suite *suite, cf_srtp_session *session, const cf_srtp_job *job) {
    uint8_t iv[CF_SRTP_IV];
    make_iv(suite, session, job, iv);
    return suite->auth_len ? cm_open(suite, session, job, iv) : gcm_open(session, job, iv);
}

/* SRTP suites: AES counter mode with HMAC-SHA1 (RFC 3711) and AES-GCM (RFC 7714) over a backend that has the cipher. */
#include "srtp_suite.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static const cf_srtp_suite SUITES[] = {
    {CF_SRTP_AES128_CM_SHA1_80, "AES-128-CTR", "AES-128-CTR", 16, 14, 20, 10, 10, 4},
    {CF_SRTP_AES128_CM_SHA1_32, "AES-128-CTR", "AES-128-CTR", 16, 14, 20, 4, 10, 4},
    {CF_SRTP_AEAD_AES_128_GCM, "AES-128-GCM", "AES-128-CTR", 16, 12, 0, 16, 16, 2},
    {CF_SRTP_AEAD_AES_256_GCM, "AES-256-GCM", "AES-256-CTR", 32, 12, 0, 16, 16, 2},
};

const cf_srtp_suite *cf_srtp_suite_of(int profile) {
    for (size_t i = 0; i < sizeof SUITES / sizeof SUITES[0]; i++)
        if (SUITES[i].profile == profile)
            return &SUITES[i];
    return NULL;
}

/* CONFERO_SRTP=libcrypto in the environment asks for the plain form, to compare or by policy. */
const cf_srtp_backend *cf_srtp_backend_best(void) {
    const char *wanted = getenv("CONFERO_SRTP");
    bool plain = wanted != NULL && strcmp(wanted, cf_srtp_libcrypto.name) == 0;
    return !plain && cf_srtp_aes_ni.usable() ? &cf_srtp_aes_ni : &cf_srtp_libcrypto;
}

const char *cf_srtp_backend_name(void) {
    return cf_srtp_backend_best()->name;
}

/* RFC 3711 section 4.3.1 with a derivation rate of 0: the label is XORed onto the salt at its place in the key id. A
 * salt of 12 bytes is taken as one of 14 that ends in zeros (RFC 7714 section 11). */
static bool derive_one(cf_srtp_session *prf, const uint8_t *salt, size_t salt_len, uint8_t label, uint8_t *out,
                       size_t len) {
    uint8_t iv[16] = {0};
    memcpy(iv, salt, salt_len);
    iv[7] ^= label;
    memset(out, 0, len);
    return prf->backend->ctr(prf, iv, out, out, len);
}

int cf_srtp_derive(const cf_srtp_backend *backend, const cf_srtp_suite *suite, const uint8_t *key, const uint8_t *salt,
                   uint8_t first_label, cf_srtp_keys *out) {
    cf_srtp_session prf = {.backend = backend};
    bool done = backend->init(&prf, suite, CF_SRTP_FOR_KEYS, key) == 0 &&
                derive_one(&prf, salt, suite->salt_len, first_label, out->key, suite->key_len) &&
                derive_one(&prf, salt, suite->salt_len, first_label + 1, out->auth, suite->auth_len) &&
                derive_one(&prf, salt, suite->salt_len, first_label + 2, out->salt, suite->salt_len);
    cf_srtp_session_clear(&prf);
    return done ? 0 : -ENOMEM;
}

int cf_srtp_session_init(cf_srtp_session *session, const cf_srtp_backend *backend, const cf_srtp_suite *suite,
                         const cf_srtp_keys *keys) {
    *session = (cf_srtp_session){.backend = backend};
    memcpy(session->iv, keys->salt, suite->salt_len);
    if (suite->auth_len)
        cf_hmac_sha1_key(&session->auth, keys->auth, suite->auth_len);
    return backend->init(session, suite, CF_SRTP_FOR_PACKETS, keys->key);
}

void cf_srtp_session_clear(cf_srtp_session *session) {
    if (session->backend)
        session->backend->clear(session);
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
    return session->backend->ctr(session, iv, job->body, job->data + job->clear, job->len - job->clear);
}

static bool cm_seal(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[16]) {
    uint8_t code[CF_SHA1_LEN];
    if (!cm_crypt(session, job, iv))
        return false;
    sign(session, job, code);
    memcpy(job->tag, code, job->tag_len);
    return true;
}

static bool cm_open(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[16]) {
    uint8_t code[CF_SHA1_LEN];
    sign(session, job, code);
    return CRYPTO_memcmp(job->tag, code, job->tag_len) == 0 && cm_crypt(session, job, iv);
}

int cf_srtp_seal(const cf_srtp_suite *suite, cf_srtp_session *session, const cf_srtp_job *job) {
    uint8_t iv[CF_SRTP_IV];
    make_iv(suite, session, job, iv);
    bool done = suite->auth_len ? cm_seal(session, job, iv) : session->backend->seal(session, job, iv);
    return done ? 0 : -EIO;
}

int cf_srtp_open(const cf_srtp_suite *suite, cf_srtp_session *session, const cf_srtp_job *job) {
    uint8_t iv[CF_SRTP_IV];
    make_iv(suite, session, job, iv);
    bool done = suite->auth_len ? cm_open(session, job, iv) : session->backend->open(session, job, iv);
    return done ? 0 : -EKEYREJECTED;
}

/* The cipher of SRTP by libcrypto, contexts kept: the plain form, on every machine. */
#include "srtp_suite.h"
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

static bool usable(void) {
    return true;
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

static int init(cf_srtp_session *session, const cf_srtp_suite *suite, enum cf_srtp_use use, const uint8_t *key) {
    session->evp = new_cipher(use == CF_SRTP_FOR_KEYS ? suite->prf : suite->cipher, key);
    return session->evp ? 0 : -ENOMEM;
}

static void clear(cf_srtp_session *session) {
    EVP_CIPHER_CTX_free(session->evp); /* wipes its key */
}

static bool ctr(cf_srtp_session *session, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t len) {
    int n;
    return len == 0 || (EVP_CipherInit_ex2(session->evp, NULL, NULL, iv, 1, NULL) == 1 &&
                        EVP_CipherUpdate(session->evp, out, &n, in, (int)len) == 1);
}

/* Starts a packet, takes in what is only authenticated, and en- or decrypts the rest. */
static bool run(EVP_CIPHER_CTX *ctx, const cf_srtp_job *job, const uint8_t iv[12], int encrypt) {
    int n;
    if (EVP_CipherInit_ex2(ctx, NULL, NULL, iv, encrypt, NULL) != 1 ||
        EVP_CipherUpdate(ctx, NULL, &n, job->data, (int)job->clear) != 1 ||
        (job->word && EVP_CipherUpdate(ctx, NULL, &n, job->word, 4) != 1))
        return false;
    return job->clear == job->len ||
           EVP_CipherUpdate(ctx, job->data + job->clear, &n, job->body, (int)(job->len - job->clear)) == 1;
}

static void tag_param(OSSL_PARAM param[2], uint8_t tag[CF_SRTP_TAG_MAX]) {
    param[0] = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, CF_SRTP_TAG_MAX);
    param[1] = OSSL_PARAM_construct_end();
}

static bool seal(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[12]) {
    int n;
    OSSL_PARAM param[2];
    tag_param(param, job->tag);
    return run(session->evp, job, iv, 1) && EVP_CipherFinal_ex(session->evp, job->tag, &n) == 1 &&
           EVP_CIPHER_CTX_get_params(session->evp, param) == 1;
}

static bool open(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[12]) {
    int n;
    OSSL_PARAM param[2];
    uint8_t end[CF_SRTP_TAG_MAX];
    tag_param(param, job->tag);
    if (run(session->evp, job, iv, 0) && EVP_CIPHER_CTX_set_params(session->evp, param) == 1 &&
        EVP_CipherFinal_ex(session->evp, end, &n) == 1)
        return true;
    run(session->evp, job, iv, 1); /* nothing unauthenticated may stay: the same key stream restores what came */
    return false;
}

const cf_srtp_backend cf_srtp_libcrypto = {"libcrypto", usable, init, clear, ctr, seal, open};

/* The cipher of SRTP by the CPU's own instructions: no allocation, no context but the session itself. */
#include "srtp_suite.h"
#include <string.h>

static int init(cf_srtp_session *session, const cf_srtp_suite *suite, enum cf_srtp_use use, const uint8_t *key) {
    cf_aes_init(&session->aes, key, suite->key_len);
    if (use == CF_SRTP_FOR_PACKETS && suite->auth_len == 0)
        cf_gcm_init(&session->powers, &session->aes);
    return 0;
}

static void clear(cf_srtp_session *session) {
    (void)session; /* nothing outside it */
}

static bool ctr(cf_srtp_session *session, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t len) {
    cf_aes_ctr(&session->aes, iv, in, out, len);
    return true;
}

static cf_gcm_job gcm_job(const cf_srtp_job *job, const uint8_t iv[12]) {
    return (cf_gcm_job){.iv = iv,
                        .aad = job->data,
                        .more = job->word,
                        .aad_len = job->clear,
                        .in = job->body,
                        .out = job->data + job->clear,
                        .len = job->len - job->clear};
}

static bool seal(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[12]) {
    cf_gcm_job gcm = gcm_job(job, iv);
    cf_gcm_seal(&session->aes, &session->powers, &gcm, job->tag);
    return true;
}

static bool open(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[12]) {
    cf_gcm_job gcm = gcm_job(job, iv);
    return cf_gcm_open(&session->aes, &session->powers, &gcm, job->tag);
}

const cf_srtp_backend cf_srtp_aes_ni = {"AES-NI", cf_aes_usable, init, clear, ctr, seal, open};

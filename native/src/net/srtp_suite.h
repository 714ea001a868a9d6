/* The cryptographic half of SRTP: suites, key derivation, and sealing and opening one packet. */
#ifndef CONFEROCORE_SRTP_SUITE_H
#define CONFEROCORE_SRTP_SUITE_H

#include "conferocore/srtp.h"
#include "hmac_sha1.h"
#include <openssl/evp.h>

enum { CF_SRTP_KEY_MAX = 32, CF_SRTP_SALT_MAX = 14, CF_SRTP_TAG_MAX = 16, CF_SRTP_IV = 16 };

typedef struct cf_srtp_suite {
    int profile;        /* enum cf_srtp_profile */
    const char *cipher; /* libcrypto's name of what encrypts packets */
    const char *prf;    /* and of what derives keys (counter mode) */
    uint8_t key_len;    /* of master and session keys, bytes */
    uint8_t salt_len;   /* of master and session salts */
    uint8_t auth_len;   /* of the HMAC key, 0: the cipher authenticates (AEAD) */
    uint8_t tag_len;
    uint8_t ssrc_at; /* where the SSRC is XORed into the initialization vector; the 48-bit index follows it */
} cf_srtp_suite;

/* NULL: none with this number. */
const cf_srtp_suite *cf_srtp_suite_of(int profile);

typedef struct cf_srtp_keys {
    uint8_t key[CF_SRTP_KEY_MAX], auth[CF_SHA1_LEN], salt[CF_SRTP_SALT_MAX];
} cf_srtp_keys;

/* First labels of RFC 3711 section 4.3.2: encryption, authentication and salt follow one another. */
enum { CF_SRTP_LABEL_RTP = 0, CF_SRTP_LABEL_RTCP = 3 };
/* Session keys of one kind from the master key and salt; 0 or -ENOMEM. */
int cf_srtp_derive(const cf_srtp_suite *suite, const uint8_t *key, const uint8_t *salt, uint8_t first_label,
                   cf_srtp_keys *out);

/* Ready-made contexts for one kind of packets (RTP or RTCP) of one direction. */
typedef struct cf_srtp_session {
    EVP_CIPHER_CTX *cipher;
    cf_hmac_key auth;
    uint8_t iv[CF_SRTP_IV];       /* the salt, zeros behind it: what every initialization vector begins from */
    uint8_t tag[CF_SRTP_TAG_MAX]; /* where tag_param points */
    OSSL_PARAM tag_param[2];
} cf_srtp_session;

int cf_srtp_session_init(cf_srtp_session *session, const cf_srtp_suite *suite, const cf_srtp_keys *keys);
void cf_srtp_session_clear(cf_srtp_session *session);

/* One packet in place: `clear` bytes that are only authenticated, then encrypted ones up to `len`. */
typedef struct cf_srtp_job {
    uint8_t *data;
    size_t clear, len;
    uint32_t ssrc;
    uint64_t index;      /* 48 bits */
    const uint8_t *word; /* 4 bytes that are authenticated after the packet: ROC, or E and SRTCP index. NULL: none */
    uint8_t *tag;
} cf_srtp_job;

/* Encrypts, writes the tag. 0, or -EIO if libcrypto fails (the packet must not be sent). */
int cf_srtp_seal(const cf_srtp_suite *suite, cf_srtp_session *session, const cf_srtp_job *job);
/* Compares the tag, decrypts. 0, or -EKEYREJECTED and the packet is as it was. */
int cf_srtp_open(const cf_srtp_suite *suite, cf_srtp_session *session, const cf_srtp_job *job);

/* The context that cf_srtp_new makes, from session keys directly (the RFCs' packet vectors begin there). */
cf_srtp *cf_srtp_new_with(const cf_srtp_suite *suite, const cf_srtp_keys *rtp, const cf_srtp_keys *rtcp);

#endif

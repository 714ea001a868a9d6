/* The cryptographic half of SRTP: suites, key derivation, and sealing and opening one packet. */
#ifndef CONFEROCORE_SRTP_SUITE_H
#define CONFEROCORE_SRTP_SUITE_H

#include "aes.h"
#include "conferocore/srtp.h"
#include "hmac_sha1.h"
#include <openssl/evp.h>

enum { CF_SRTP_KEY_MAX = 32, CF_SRTP_SALT_MAX = 14, CF_SRTP_TAG_MAX = 16, CF_SRTP_IV = 16 };

typedef struct cf_srtp_suite {
    int profile;          /* enum cf_srtp_profile */
    const char *cipher;   /* libcrypto's name of what encrypts packets */
    const char *prf;      /* and of what derives keys (counter mode) */
    uint8_t key_len;      /* of master and session keys, bytes */
    uint8_t salt_len;     /* of master and session salts */
    uint8_t auth_len;     /* of the HMAC key, 0: the cipher authenticates (AEAD) */
    uint8_t tag_len;      /* of RTP and ... */
    uint8_t rtcp_tag_len; /* ... of RTCP */
    uint8_t ssrc_at;      /* where the SSRC is XORed into the initialization vector; the 48-bit index follows it */
} cf_srtp_suite;

/* NULL: none with this number. */
const cf_srtp_suite *cf_srtp_suite_of(int profile);

typedef struct cf_srtp_keys {
    uint8_t key[CF_SRTP_KEY_MAX], auth[CF_SHA1_LEN], salt[CF_SRTP_SALT_MAX];
} cf_srtp_keys;

/* What does the block cipher's work: libcrypto, the plain form and always there, or the CPU's own instructions. */
typedef struct cf_srtp_backend cf_srtp_backend;

/* Ready-made keys for one kind of packets (RTP or RTCP) of one direction. */
typedef struct cf_srtp_session {
    const cf_srtp_backend *backend;
    uint8_t iv[CF_SRTP_IV]; /* the salt, zeros behind it: what every initialization vector begins from */
    union {
        EVP_CIPHER_CTX *evp;
        cf_aes_key aes;
    };
    union {
        cf_hmac_key auth;     /* counter mode's own companion */
        cf_gcm_powers powers; /* AEAD by the CPU's own instructions */
    };
} cf_srtp_session;

/* One packet: `clear` bytes that are only authenticated, then encrypted ones up to `len`. */
typedef struct cf_srtp_job {
    uint8_t *data;
    const uint8_t *body; /* the part after `clear` as it is before: data + clear, or, to seal, read from elsewhere */
    size_t clear, len;
    uint32_t ssrc;
    uint64_t index;      /* 48 bits */
    const uint8_t *word; /* 4 bytes that are authenticated after the packet: ROC, or E and SRTCP index. NULL: none */
    uint8_t *tag;
    size_t tag_len; /* of HMAC's; AEAD's have one length */
} cf_srtp_job;

enum cf_srtp_use { CF_SRTP_FOR_PACKETS, CF_SRTP_FOR_KEYS };

struct cf_srtp_backend {
    const char *name;
    bool (*usable)(void); /* on this machine */
    /* Sets the cipher up, for the suite's packets or as its key derivation function; auth and iv are not its business.
     * 0 or -ENOMEM; after either, and on a session that is all zero, clear is allowed. */
    int (*init)(cf_srtp_session *session, const cf_srtp_suite *suite, enum cf_srtp_use use, const uint8_t *key);
    void (*clear)(cf_srtp_session *session); /* frees; the session is wiped by the caller */
    bool (*ctr)(cf_srtp_session *session, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t len);
    /* AEAD. seal: false, nothing may be sent. open: false, the tag is wrong and the packet as it was. */
    bool (*seal)(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[12]);
    bool (*open)(cf_srtp_session *session, const cf_srtp_job *job, const uint8_t iv[12]);
};

extern const cf_srtp_backend cf_srtp_libcrypto, cf_srtp_aes_ni;
/* The fastest that is usable, or what the environment asks for. */
const cf_srtp_backend *cf_srtp_backend_best(void);

/* First labels of RFC 3711 section 4.3.2: encryption, authentication and salt follow one another. */
enum { CF_SRTP_LABEL_RTP = 0, CF_SRTP_LABEL_RTCP = 3 };
/* Session keys of one kind from the master key and salt; 0 or -ENOMEM. */
int cf_srtp_derive(const cf_srtp_backend *backend, const cf_srtp_suite *suite, const uint8_t *key, const uint8_t *salt,
                   uint8_t first_label, cf_srtp_keys *out);

int cf_srtp_session_init(cf_srtp_session *session, const cf_srtp_backend *backend, const cf_srtp_suite *suite,
                         const cf_srtp_keys *keys);
void cf_srtp_session_clear(cf_srtp_session *session);

/* Encrypts, writes the tag. 0, or -EIO if libcrypto fails (the packet must not be sent). */
int cf_srtp_seal(const cf_srtp_suite *suite, cf_srtp_session *session, const cf_srtp_job *job);
/* Compares the tag, decrypts. 0, or -EKEYREJECTED and the packet is as it was. */
int cf_srtp_open(const cf_srtp_suite *suite, cf_srtp_session *session, const cf_srtp_job *job);

/* The context that cf_srtp_new makes, over a backend of one's choice, */
cf_srtp *cf_srtp_new_on(const cf_srtp_backend *backend, int profile, const uint8_t *key, size_t key_len,
                        const uint8_t *salt, size_t salt_len);
/* and from session keys directly (the RFCs' packet vectors begin there). */
cf_srtp *cf_srtp_new_with(const cf_srtp_backend *backend, const cf_srtp_suite *suite, const cf_srtp_keys *rtp,
                          const cf_srtp_keys *rtcp);

#endif

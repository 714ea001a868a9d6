/* AES in counter mode and AES-GCM by the CPU's own instructions (FIPS 197, SP 800-38D), one flat context per key. */
#ifndef CONFEROCORE_AES_H
#define CONFEROCORE_AES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CF_AES_BLOCK = 16,
    CF_AES_ROUND_KEYS = 15, /* of a key of 256 bits; 11 of one of 128 */
    CF_GCM_POWERS = 8       /* blocks that one reduction serves: header, 96 bytes of payload and lengths of a packet */
};

/* Plain data without pointers. Holds the key as good as the key itself: wipe it with OPENSSL_cleanse. */
typedef struct cf_aes_key {
    _Alignas(CF_AES_BLOCK) uint8_t round_keys[CF_AES_ROUND_KEYS][CF_AES_BLOCK];
    uint8_t rounds;
} cf_aes_key;

typedef struct cf_gcm_powers {
    _Alignas(CF_AES_BLOCK) uint8_t power[CF_GCM_POWERS][CF_AES_BLOCK]; /* H, H^2, ... as cf_gcm_init makes them */
} cf_gcm_powers;

/* Whether this build and this CPU have what the other calls need; false: none of them may be made. */
bool cf_aes_usable(void);

/* len: 16 or 32. */
void cf_aes_init(cf_aes_key *key, const uint8_t *bytes, size_t len);
/* Key stream from the counter block `iv` on, XORed onto `in`; the last 32 bits count and must not run over. */
void cf_aes_ctr(const cf_aes_key *key, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t len);

void cf_gcm_init(cf_gcm_powers *powers, const cf_aes_key *key);

/* What is authenticated is `aad` followed by `more` (NULL: nothing; else 4 bytes). `in` may be `out`. */
typedef struct cf_gcm_job {
    const uint8_t *iv; /* 12 bytes */
    const uint8_t *aad, *more;
    size_t aad_len;
    const uint8_t *in;
    uint8_t *out;
    size_t len;
} cf_gcm_job;

void cf_gcm_seal(const cf_aes_key *key, const cf_gcm_powers *powers, const cf_gcm_job *job, uint8_t tag[16]);
/* Compares first: false, and nothing is written. */
bool cf_gcm_open(const cf_aes_key *key, const cf_gcm_powers *powers, const cf_gcm_job *job, const uint8_t tag[16]);

#endif

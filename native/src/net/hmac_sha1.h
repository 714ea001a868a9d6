/* HMAC-SHA1 (RFC 2104) with the key set up once: what STUN's integrity and SRTP's authentication share. */
#ifndef CONFEROCORE_HMAC_SHA1_H
#define CONFEROCORE_HMAC_SHA1_H

/* SHA1_* are marked deprecated in favour of EVP, which in libcrypto 3 allocates at every start of a digest: measured
 * for 100 bytes, 250 ns and two allocations with a kept EVP_MAC_CTX against 135 ns and none so. The code underneath is
 * the same. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

enum { CF_SHA1_LEN = 20 };

/* The state after the key's inner and outer block. Holds the key as good as the key itself: wipe it with
 * OPENSSL_cleanse. */
typedef struct cf_hmac_key {
    uint32_t inner[5], outer[5]; /* chaining values: the rest of a SHA_CTX is known after one whole block */
} cf_hmac_key;

void cf_hmac_sha1_key(cf_hmac_key *key, const uint8_t *bytes, size_t len);
/* The code over `head` followed by `tail`. No allocation. */
void cf_hmac_sha1(const cf_hmac_key *key, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
                  uint8_t out[CF_SHA1_LEN]);

#endif

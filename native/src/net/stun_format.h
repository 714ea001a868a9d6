/* What STUN's reader and writer share: numbers of the format, the checksum and the code over a message. */
#ifndef CONFEROCORE_STUN_FORMAT_H
#define CONFEROCORE_STUN_FORMAT_H

#include "conferocore/stun.h"
#include "hmac_sha1.h"

#define CF_STUN_COOKIE 0x2112a442u
#define CF_STUN_FINGERPRINT_XOR 0x5354554eu

enum { CF_STUN_HEADER = 20, CF_STUN_ATTR_HEADER = 4, CF_STUN_TXID = 12, CF_STUN_USERNAME_MAX = 508 };

/* RFC 8489 section 18.3, RFC 8445 section 16.1. Types below 0x8000 must be understood. */
enum {
    CF_ATTR_MAPPED_ADDRESS = 0x0001,
    CF_ATTR_USERNAME = 0x0006,
    CF_ATTR_MESSAGE_INTEGRITY = 0x0008,
    CF_ATTR_ERROR_CODE = 0x0009,
    CF_ATTR_UNKNOWN_ATTRIBUTES = 0x000a,
    CF_ATTR_REALM = 0x0014,
    CF_ATTR_NONCE = 0x0015,
    CF_ATTR_XOR_MAPPED_ADDRESS = 0x0020,
    CF_ATTR_PRIORITY = 0x0024,
    CF_ATTR_USE_CANDIDATE = 0x0025,
    CF_ATTR_OPTIONAL = 0x8000,
    CF_ATTR_FINGERPRINT = 0x8028,
    CF_ATTR_ICE_CONTROLLED = 0x8029,
    CF_ATTR_ICE_CONTROLLING = 0x802a
};

/* The value of a FINGERPRINT attribute that stands at `at`: the CRC-32 of all before it, XORed (RFC 8489 section 14.7).
 */
uint32_t cf_stun_fingerprint(const uint8_t *message, size_t at);
/* The value of a MESSAGE-INTEGRITY attribute that stands at `at`, as if the message ended with it (section 14.5). */
void cf_stun_integrity(const uint8_t *message, size_t at, const char *password, size_t password_len,
                       uint8_t out[CF_SHA1_LEN]);

#endif

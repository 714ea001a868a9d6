/* The STUN messages that an ICE-lite agent reads and writes (RFC 8489, RFC 8445). */
#ifndef CONFEROCORE_STUN_H
#define CONFEROCORE_STUN_H

#include "base.h"

enum {
    CF_STUN_BINDING_REQUEST = 0x0001,
    CF_STUN_BINDING_INDICATION = 0x0011,
    CF_STUN_BINDING_SUCCESS = 0x0101,
    CF_STUN_BINDING_ERROR = 0x0111
};
enum { CF_STUN_MAX = 1280, CF_STUN_UNKNOWN_MAX = 8 };

/* A parsed message: views into the caller's buffer, which must outlive it. */
typedef struct cf_stun_msg {
    const uint8_t *raw;
    size_t len;
    uint16_t type;
    const uint8_t *txid;     /* 12 bytes */
    const uint8_t *username; /* NULL: absent */
    size_t username_len;
    size_t integrity_at;   /* offset of the MESSAGE-INTEGRITY attribute, 0: absent */
    size_t fingerprint_at; /* offset of the FINGERPRINT attribute, 0: absent */
    bool use_candidate;
    bool controlling, controlled; /* ICE-CONTROLLING / ICE-CONTROLLED seen */
    bool has_priority;
    uint32_t priority;
    uint16_t error_code; /* of an error response, 0: none */
    bool has_mapped;
    cf_addr mapped;                        /* XOR-MAPPED-ADDRESS of a success response */
    uint16_t unknown[CF_STUN_UNKNOWN_MAX]; /* comprehension-required and not known */
    size_t unknown_count;
} cf_stun_msg;

/* True if a datagram is STUN by its first bytes (RFC 7983 section 7 and the magic cookie). */
bool cf_stun_looks_like(const uint8_t *data, size_t len);
/* 0, or -EBADMSG for anything that is not one whole well-formed message. Attributes after MESSAGE-INTEGRITY other than
 * FINGERPRINT are ignored (RFC 8489 section 14.5). */
int cf_stun_parse(cf_stun_msg *msg, const uint8_t *data, size_t len);
bool cf_stun_check_fingerprint(const cf_stun_msg *msg);
/* HMAC-SHA1 with a short-term password, compared in constant time. */
bool cf_stun_check_integrity(const cf_stun_msg *msg, const char *password, size_t password_len);

/* Writers return the length, or -ENOSPC. All add MESSAGE-INTEGRITY (if password != NULL) and FINGERPRINT. */
int cf_stun_write_request(uint8_t *out, size_t cap, const uint8_t txid[12], const char *username, const char *password,
                          uint32_t priority, bool controlling, uint64_t tie_breaker, bool use_candidate);
int cf_stun_write_success(uint8_t *out, size_t cap, const uint8_t txid[12], const cf_addr *mapped,
                          const char *password);
int cf_stun_write_error(uint8_t *out, size_t cap, const uint8_t txid[12], uint16_t code, const uint16_t *unknown,
                        size_t unknown_count, const char *password);

#endif

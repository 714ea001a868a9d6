/* Writing STUN: requests, success and error responses, with MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489). */
#include "stun_format.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

/* CRC-32 of ITU V.42 (reflected 0xedb88320), four bits a step: the messages are short and the table stays in the cache.
 */
static uint32_t crc32(const uint8_t *data, size_t len) {
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                       0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

uint32_t cf_stun_fingerprint(const uint8_t *message, size_t at) {
    return crc32(message, at) ^ CF_STUN_FINGERPRINT_XOR;
}

void cf_stun_integrity(const uint8_t *message, size_t at, const char *password, size_t password_len,
                       uint8_t out[CF_SHA1_LEN]) {
    uint8_t head[CF_STUN_HEADER];
    memcpy(head, message, sizeof head);
    cf_put16(head + 2, (uint16_t)(at + CF_STUN_ATTR_HEADER + CF_SHA1_LEN - CF_STUN_HEADER));
    cf_hmac_key key; /* set up anew: two blocks of SHA-1, next to the three or more of the message */
    cf_hmac_sha1_key(&key, (const uint8_t *)password, password_len);
    cf_hmac_sha1(&key, head, sizeof head, message + sizeof head, at - sizeof head, out);
    OPENSSL_cleanse(&key, sizeof key);
}

typedef struct writer {
    uint8_t *out;
    size_t cap, at;
    bool full; /* something did not fit: the message is not used */
} writer;

static writer begin(uint8_t *out, size_t cap, uint16_t type, const uint8_t txid[CF_STUN_TXID]) {
    writer w = {.out = out, .cap = cap, .at = CF_STUN_HEADER, .full = cap < CF_STUN_HEADER};
    if (w.full)
        return w;
    cf_put16(out, type);
    cf_put16(out + 2, 0);
    cf_put32(out + 4, CF_STUN_COOKIE);
    memcpy(out + 8, txid, CF_STUN_TXID);
    return w;
}

/* Header and padding of an attribute; returns where its value goes, or NULL. The header's length counts it at once. */
static uint8_t *attribute(writer *w, uint16_t type, size_t len) {
    size_t padded = (len + 3) & ~(size_t)3;
    if (w->full || len > UINT16_MAX || padded + CF_STUN_ATTR_HEADER > w->cap - w->at) {
        w->full = true;
        return NULL;
    }
    uint8_t *p = w->out + w->at;
    cf_put16(p, type);
    cf_put16(p + 2, (uint16_t)len);
    memset(p + CF_STUN_ATTR_HEADER + len, 0, padded - len);
    w->at += CF_STUN_ATTR_HEADER + padded;
    cf_put16(w->out + 2, (uint16_t)(w->at - CF_STUN_HEADER));
    return p + CF_STUN_ATTR_HEADER;
}

static void put_bytes(writer *w, uint16_t type, const void *bytes, size_t len) {
    uint8_t *value = attribute(w, type, len);
    if (value && len)
        memcpy(value, bytes, len);
}

static void put_u32(writer *w, uint16_t type, uint32_t number) {
    uint8_t *value = attribute(w, type, 4);
    if (value)
        cf_put32(value, number);
}

static void put_u64(writer *w, uint16_t type, uint64_t number) {
    uint8_t *value = attribute(w, type, 8);
    if (value) {
        cf_put32(value, (uint32_t)(number >> 32));
        cf_put32(value + 4, (uint32_t)number);
    }
}

/* RFC 8489 section 14.2; the XOR of the address is with cookie and transaction id as they stand in the header. */
static void put_xor_mapped(writer *w, const cf_addr *addr) {
    size_t size = addr->family == 4 ? 4 : 16;
    uint8_t *value = attribute(w, CF_ATTR_XOR_MAPPED_ADDRESS, 4 + size);
    if (value == NULL)
        return;
    value[0] = 0;
    value[1] = addr->family == 4 ? 1 : 2;
    cf_put16(value + 2, addr->port ^ CF_STUN_COOKIE >> 16);
    for (size_t i = 0; i < size; i++)
        value[4 + i] = addr->ip[i] ^ w->out[4 + i];
}

/* RFC 8489 section 14.8, RFC 8445 section 16.2 (487). */
static const struct {
    uint16_t code;
    const char *reason;
} REASONS[] = {{400, "Bad Request"}, {401, "Unauthenticated"}, {420, "Unknown Attribute"}, {487, "Role Conflict"}};

static void put_error_code(writer *w, uint16_t code) {
    const char *reason = "";
    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++)
        if (REASONS[i].code == code)
            reason = REASONS[i].reason;
    uint8_t *value = attribute(w, CF_ATTR_ERROR_CODE, 4 + strlen(reason));
    if (value == NULL)
        return;
    cf_put16(value, 0);
    value[2] = (uint8_t)(code / 100);
    value[3] = (uint8_t)(code % 100);
    memcpy(value + 4, reason, strlen(reason));
}

static void put_unknown(writer *w, const uint16_t *types, size_t count) {
    uint8_t *value = attribute(w, CF_ATTR_UNKNOWN_ATTRIBUTES, 2 * count);
    for (size_t i = 0; value && i < count; i++)
        cf_put16(value + 2 * i, types[i]);
}

/* MESSAGE-INTEGRITY, then FINGERPRINT, each over all that stands before it. */
static int finish(writer *w, const char *password) {
    if (password) {
        size_t at = w->at;
        uint8_t *value = attribute(w, CF_ATTR_MESSAGE_INTEGRITY, CF_SHA1_LEN);
        if (value)
            cf_stun_integrity(w->out, at, password, strlen(password), value);
    }
    size_t at = w->at;
    uint8_t *value = attribute(w, CF_ATTR_FINGERPRINT, 4);
    if (value)
        cf_put32(value, cf_stun_fingerprint(w->out, at));
    return w->full ? -ENOSPC : (int)w->at;
}

int cf_stun_write_request(uint8_t *out, size_t cap, const uint8_t txid[12], const char *username, const char *password,
                          uint32_t priority, bool controlling, uint64_t tie_breaker, bool use_candidate) {
    writer w = begin(out, cap, CF_STUN_BINDING_REQUEST, txid);
    put_bytes(&w, CF_ATTR_USERNAME, username, strlen(username));
    put_u32(&w, CF_ATTR_PRIORITY, priority);
    put_u64(&w, controlling ? CF_ATTR_ICE_CONTROLLING : CF_ATTR_ICE_CONTROLLED, tie_breaker);
    if (use_candidate)
        put_bytes(&w, CF_ATTR_USE_CANDIDATE, NULL, 0);
    return finish(&w, password);
}

int cf_stun_write_success(uint8_t *out, size_t cap, const uint8_t txid[12], const cf_addr *mapped,
                          const char *password) {
    writer w = begin(out, cap, CF_STUN_BINDING_SUCCESS, txid);
    put_xor_mapped(&w, mapped);
    return finish(&w, password);
}

int cf_stun_write_error(uint8_t *out, size_t cap, const uint8_t txid[12], uint16_t code, const uint16_t *unknown,
                        size_t unknown_count, const char *password) {
    writer w = begin(out, cap, CF_STUN_BINDING_ERROR, txid);
    put_error_code(&w, code);
    if (unknown_count)
        put_unknown(&w, unknown, unknown_count);
    return finish(&w, password);
}

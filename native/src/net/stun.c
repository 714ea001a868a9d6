/* Reading STUN: one bounded pass over the attributes, then the checks of FINGERPRINT and MESSAGE-INTEGRITY (RFC 8489).
 */
#include "stun_format.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

bool cf_stun_looks_like(const uint8_t *data, size_t len) {
    return len >= CF_STUN_HEADER && data[0] <= 3 && cf_get32(data + 4) == CF_STUN_COOKIE;
}

/* Readers of one attribute's value; false if the value is malformed. Their lengths are checked by the table below. */
static bool read_username(cf_stun_msg *msg, const uint8_t *value, size_t len) {
    msg->username = value;
    msg->username_len = len;
    return true;
}

static bool read_integrity(cf_stun_msg *msg, const uint8_t *value, size_t len) {
    (void)len;
    msg->integrity_at = (size_t)(value - msg->raw) - CF_STUN_ATTR_HEADER;
    return true;
}

static bool read_fingerprint(cf_stun_msg *msg, const uint8_t *value, size_t len) {
    msg->fingerprint_at = (size_t)(value - msg->raw) - CF_STUN_ATTR_HEADER;
    return value + len == msg->raw + msg->len; /* it must be the last attribute */
}

static bool read_error_code(cf_stun_msg *msg, const uint8_t *value, size_t len) {
    (void)len;
    unsigned class = value[2] & 7, number = value[3];
    msg->error_code = (uint16_t)(class * 100 + number);
    return class >= 3 && class <= 6 && number <= 99;
}

/* RFC 8489 section 14.2: the port is XORed with the cookie's upper half, the address with cookie and transaction id. */
static bool read_xor_mapped(cf_stun_msg *msg, const uint8_t *value, size_t len) {
    size_t size = value[1] == 1 ? 4 : value[1] == 2 ? 16 : 0;
    if (size == 0 || len != 4 + size)
        return false;
    msg->mapped = (cf_addr){.port = cf_get16(value + 2) ^ CF_STUN_COOKIE >> 16, .family = size == 4 ? 4 : 6};
    for (size_t i = 0; i < sizeof msg->mapped.ip && i < size; i++) /* cookie and transaction id stand side by side */
        msg->mapped.ip[i] = value[4 + i] ^ msg->raw[4 + i];
    msg->has_mapped = true;
    return true;
}

static bool read_priority(cf_stun_msg *msg, const uint8_t *value, size_t len) {
    (void)len;
    msg->priority = cf_get32(value);
    msg->has_priority = true;
    return true;
}

static bool read_use_candidate(cf_stun_msg *msg, const uint8_t *value, size_t len) {
    (void)value, (void)len;
    return msg->use_candidate = true;
}

static bool read_controlled(cf_stun_msg *msg, const uint8_t *value, size_t len) {
    (void)value, (void)len;
    return msg->controlled = true;
}

static bool read_controlling(cf_stun_msg *msg, const uint8_t *value, size_t len) {
    (void)value, (void)len;
    return msg->controlling = true;
}

enum { ANY = 0xffff };

/* Every attribute that is understood; a reader of NULL: understood, of no use to an ICE agent. */
static const struct attribute {
    uint16_t type, min, max; /* allowed length of the value, bytes */
    bool (*read)(cf_stun_msg *msg, const uint8_t *value, size_t len);
} ATTRIBUTES[] = {
    {CF_ATTR_USERNAME, 1, CF_STUN_USERNAME_MAX, read_username},
    {CF_ATTR_MESSAGE_INTEGRITY, CF_SHA1_LEN, CF_SHA1_LEN, read_integrity},
    {CF_ATTR_FINGERPRINT, 4, 4, read_fingerprint},
    {CF_ATTR_PRIORITY, 4, 4, read_priority},
    {CF_ATTR_USE_CANDIDATE, 0, 0, read_use_candidate},
    {CF_ATTR_ICE_CONTROLLING, 8, 8, read_controlling},
    {CF_ATTR_ICE_CONTROLLED, 8, 8, read_controlled},
    {CF_ATTR_XOR_MAPPED_ADDRESS, 8, 20, read_xor_mapped},
    {CF_ATTR_ERROR_CODE, 4, ANY, read_error_code},
    {CF_ATTR_UNKNOWN_ATTRIBUTES, 0, ANY, NULL},
    {CF_ATTR_MAPPED_ADDRESS, 0, ANY, NULL},
    {CF_ATTR_REALM, 0, ANY, NULL},
    {CF_ATTR_NONCE, 0, ANY, NULL},
};
enum { ATTRIBUTE_COUNT = sizeof ATTRIBUTES / sizeof ATTRIBUTES[0] };

static int find_attribute(uint16_t type) {
    int i = 0;
    while (i < ATTRIBUTE_COUNT && ATTRIBUTES[i].type != type)
        i++;
    return i;
}

/* Each type once; more than the list holds need not be named. */
static void note_unknown(cf_stun_msg *msg, uint16_t type) {
    for (size_t i = 0; i < msg->unknown_count; i++)
        if (msg->unknown[i] == type)
            return;
    if (msg->unknown_count < CF_STUN_UNKNOWN_MAX)
        msg->unknown[msg->unknown_count++] = type;
}

/* *seen has a bit for each entry of the table: of several attributes of one type the first counts (section 14). */
static bool take_attribute(cf_stun_msg *msg, uint16_t type, const uint8_t *value, size_t len, uint32_t *seen) {
    if (msg->integrity_at && type != CF_ATTR_FINGERPRINT) /* section 14.5: not protected, so not read */
        return true;
    int i = find_attribute(type);
    if (i == ATTRIBUTE_COUNT) {
        if (type < CF_ATTR_OPTIONAL)
            note_unknown(msg, type);
        return true;
    }
    if (*seen & 1u << i)
        return true;
    *seen |= 1u << i;
    const struct attribute *a = &ATTRIBUTES[i];
    return len >= a->min && len <= a->max && (a->read == NULL || a->read(msg, value, len));
}

int cf_stun_parse(cf_stun_msg *msg, const uint8_t *data, size_t len) {
    if (!cf_stun_looks_like(data, len) || len > CF_STUN_MAX || len % 4 || cf_get16(data + 2) != len - CF_STUN_HEADER)
        return -EBADMSG;
    *msg = (cf_stun_msg){.raw = data, .len = len, .type = cf_get16(data), .txid = data + 8};
    uint32_t seen = 0;
    for (size_t at = CF_STUN_HEADER; at < len;) { /* at and len are multiples of 4: a whole attribute header is there */
        uint16_t type = cf_get16(data + at);
        size_t size = cf_get16(data + at + 2), padded = (size + 3) & ~(size_t)3;
        at += CF_STUN_ATTR_HEADER;
        if (padded > len - at || !take_attribute(msg, type, data + at, size, &seen))
            return -EBADMSG;
        at += padded;
    }
    return 0;
}

bool cf_stun_check_fingerprint(const cf_stun_msg *msg) {
    size_t at = msg->fingerprint_at;
    return at && cf_get32(msg->raw + at + CF_STUN_ATTR_HEADER) == cf_stun_fingerprint(msg->raw, at);
}

bool cf_stun_check_integrity(const cf_stun_msg *msg, const char *password, size_t password_len) {
    uint8_t want[CF_SHA1_LEN];
    if (!msg->integrity_at)
        return false;
    cf_stun_integrity(msg->raw, msg->integrity_at, password, password_len, want);
    return CRYPTO_memcmp(msg->raw + msg->integrity_at + CF_STUN_ATTR_HEADER, want, sizeof want) == 0;
}

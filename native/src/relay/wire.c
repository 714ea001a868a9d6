/* ChannelData and the two indications, read in one bounded pass and written around a payload that stays where it is. */
#include "wire.h"

#include <errno.h>
#include <string.h>

#define COOKIE 0x2112a442u
enum { SEND_INDICATION = 0x0016, DATA_INDICATION = 0x0017, HEAD = 4 };
enum {
    XOR_PEER_ADDRESS = 0x0012,
    DATA = 0x0013,
    DONT_FRAGMENT = 0x001a,
    OPTIONAL = 0x8000 /* from here on an attribute may be unknown (RFC 8489 section 14) */
};

static bool is_stun(const uint8_t *data) {
    return data[0] <= 3 && cf_get32(data + 4) == COOKIE;
}

cf_turn_kind cf_turn_kind_of(const uint8_t *data, size_t len) {
    if (len >= CF_CHANNEL_HEAD && data[0] >> 4 == CF_CHANNEL_FIRST >> 12)
        return CF_TURN_CHANNEL;
    if (len < CF_TURN_HEAD || !is_stun(data))
        return CF_TURN_OTHER;
    return cf_get16(data) == SEND_INDICATION ? CF_TURN_SEND : CF_TURN_STUN;
}

int cf_turn_stream_length(const uint8_t *data, size_t len) {
    if (len == 0)
        return 0;
    bool channel = data[0] >> 4 == CF_CHANNEL_FIRST >> 12;
    if (!channel && data[0] > 3)
        return -EBADMSG;
    if (len < (channel ? HEAD : 8))
        return 0;
    size_t size = cf_get16(data + 2);
    if (channel)
        return (int)(CF_CHANNEL_HEAD + size + cf_padding(size));
    return is_stun(data) && size % 4 == 0 ? (int)(CF_TURN_HEAD + size) : -EBADMSG;
}

/* RFC 8489 section 14.2: the port is XORed with the cookie's upper half, the address with cookie and transaction id,
 * which stand side by side in the message. */
static bool read_peer(cf_addr *peer, const uint8_t *message, const uint8_t *value, size_t len) {
    size_t size = len == 8 && value[1] == 1 ? 4 : len == 20 && value[1] == 2 ? 16 : 0;
    *peer = (cf_addr){.port = cf_get16(value + 2) ^ COOKIE >> 16, .family = size == 4 ? 4 : 6};
    for (size_t i = 0; i < sizeof peer->ip && i < size; i++)
        peer->ip[i] = value[4 + i] ^ message[4 + i];
    return size != 0;
}

static bool take(cf_turn_send *send, const uint8_t *message, uint16_t type, const uint8_t *value, size_t len) {
    switch (type) {
    case XOR_PEER_ADDRESS: /* of several the first counts */
        return send->peer.family != 0 || (len >= 4 && read_peer(&send->peer, message, value, len));
    case DATA:
        if (send->data == NULL)
            send->data = value, send->len = len;
        return true;
    case DONT_FRAGMENT:
        send->dont_fragment = true;
        return true;
    default:
        return type >= OPTIONAL;
    }
}

int cf_turn_read_send(cf_turn_send *send, const uint8_t *message, size_t len) {
    *send = (cf_turn_send){0};
    if (len % 4 || cf_get16(message + 2) != len - CF_TURN_HEAD)
        return -EBADMSG;
    for (size_t at = CF_TURN_HEAD; at < len;) { /* both multiples of 4: the head of an attribute is there */
        uint16_t type = cf_get16(message + at);
        size_t size = cf_get16(message + at + 2);
        at += HEAD;
        if (size + cf_padding(size) > len - at || !take(send, message, type, message + at, size))
            return -EBADMSG;
        at += size + cf_padding(size);
    }
    return send->peer.family != 0 && send->data != NULL ? 0 : -EBADMSG;
}

size_t cf_turn_write_data(uint8_t head[CF_DATA_HEAD_MAX], const cf_addr *peer, size_t len, const uint8_t txid[12]) {
    size_t size = peer->family == 4 ? 4 : 16, at = CF_TURN_HEAD;
    cf_put16(head, DATA_INDICATION);
    cf_put16(head + 2, (uint16_t)(HEAD + 4 + size + HEAD + len + cf_padding(len)));
    cf_put32(head + 4, COOKIE);
    memcpy(head + 8, txid, 12);
    cf_put16(head + at, XOR_PEER_ADDRESS);
    cf_put16(head + at + 2, (uint16_t)(4 + size));
    cf_put16(head + at + 4, size == 4 ? 1 : 2);
    cf_put16(head + at + 6, (uint16_t)(peer->port ^ COOKIE >> 16));
    at += 8;
    for (size_t i = 0; i < size; i++)
        head[at + i] = peer->ip[i] ^ head[4 + i];
    at += size;
    cf_put16(head + at, DATA);
    cf_put16(head + at + 2, (uint16_t)len);
    return at + HEAD;
}

/* What of STUN and TURN the data path reads and writes itself: ChannelData, Send and Data indications (RFC 8656). */
#ifndef CONFEROCORE_RELAY_WIRE_H
#define CONFEROCORE_RELAY_WIRE_H

#include "conferocore/base.h"

enum {
    CF_CHANNEL_FIRST = 0x4000,
    CF_CHANNEL_LAST = 0x4fff, /* RFC 8656 section 12 */
    CF_CHANNEL_HEAD = 4,
    CF_TURN_HEAD = 20,
    CF_DATA_HEAD_MAX = CF_TURN_HEAD + 24 + 4,  /* XOR-PEER-ADDRESS of IPv6, and DATA's own head */
    CF_TURN_MESSAGE_MAX = CF_TURN_HEAD + 65532 /* the longest STUN; ChannelData is a little shorter */
};

typedef enum cf_turn_kind {
    CF_TURN_OTHER,   /* nothing of ours */
    CF_TURN_CHANNEL, /* ChannelData */
    CF_TURN_SEND,    /* a Send indication */
    CF_TURN_STUN     /* any other STUN: the control side's */
} cf_turn_kind;

/* By the first two bits and the magic cookie (RFC 8656 section 12, RFC 8489 section 5); at least 20 bytes for STUN. */
cf_turn_kind cf_turn_kind_of(const uint8_t *data, size_t len);

/* How long the message is that begins here, padding included where a stream has it (RFC 8656 section 12.5); 0: that
 * cannot be told yet, -EBADMSG: no message begins here. */
int cf_turn_stream_length(const uint8_t *data, size_t len);

typedef struct cf_turn_send {
    cf_addr peer;
    const uint8_t *data;
    size_t len;
    bool dont_fragment;
} cf_turn_send;

/* 0, or -EBADMSG: not whole, without XOR-PEER-ADDRESS or DATA, or with an attribute that must be understood and is not
 * (RFC 8656 section 11.2). */
int cf_turn_read_send(cf_turn_send *send, const uint8_t *message, size_t len);

/* What stands before the payload in a Data indication (section 11.3), of which up to 3 bytes of padding follow: its
 * length. */
size_t cf_turn_write_data(uint8_t head[CF_DATA_HEAD_MAX], const cf_addr *peer, size_t len, const uint8_t txid[12]);

static inline size_t cf_padding(size_t len) {
    return -len & 3;
}

#endif

/* RTP packets: header, header extensions, sequence arithmetic and reception statistics (RFC 3550, RFC 8285, RFC 6464).
 */
#ifndef CONFEROCORE_RTP_H
#define CONFEROCORE_RTP_H

#include "base.h"

enum { CF_RTP_HEADER = 12, CF_RTP_MAX = 1500 };

/* A parsed packet: views into the caller's buffer. */
typedef struct cf_rtp {
    uint8_t pt;
    bool marker;
    uint16_t seq;
    uint32_t ts, ssrc;
    const uint8_t *ext; /* the extension block's data, NULL: none */
    size_t ext_len;
    uint16_t ext_profile; /* 0xBEDE one-byte, 0x1000-0x100F two-byte */
    const uint8_t *payload;
    size_t payload_len; /* without padding */
} cf_rtp;

/* True if it is RTP or RTCP by its first byte (128-191); *rtcp tells which (RFC 5761 section 4). */
bool cf_rtp_looks_like(const uint8_t *data, size_t len, bool *rtcp);
/* 0 or -EBADMSG: version, CSRC count, extension length and padding are checked against the length. */
int cf_rtp_parse(cf_rtp *rtp, const uint8_t *data, size_t len);
/* The element with this id (1-14, or 1-255 in two-byte form), or NULL. */
const uint8_t *cf_rtp_ext_find(const cf_rtp *rtp, uint8_t id, size_t *len);

typedef struct cf_rtp_ext {
    uint8_t id;  /* 1-14 */
    uint8_t len; /* 1-16 */
    const uint8_t *data;
} cf_rtp_ext;
/* What a packet's header says; csrc: up to 15 contributing sources. */
typedef struct cf_rtp_header {
    uint8_t pt;
    bool marker;
    uint16_t seq;
    uint32_t ts, ssrc;
    const uint32_t *csrc;
    size_t csrc_count;
} cf_rtp_header;
int cf_rtp_write_header(uint8_t *out, size_t cap, const cf_rtp_header *header, const cf_rtp_ext *ext, size_t ext_count);
/* Writes header and one-byte extensions and returns the offset of the payload, or -ENOSPC / -EINVAL. */
int cf_rtp_write(uint8_t *out, size_t cap, uint8_t pt, bool marker, uint16_t seq, uint32_t ts, uint32_t ssrc,
                 const cf_rtp_ext *ext, size_t ext_count);

static inline int16_t cf_seq_diff(uint16_t a, uint16_t b) {
    return (int16_t)(uint16_t)(a - b);
} /* a - b on the circle */
static inline int32_t cf_ts_diff(uint32_t a, uint32_t b) {
    return (int32_t)(a - b);
}

/* What RFC 3550 appendix A keeps per source. */
typedef struct cf_rtp_source {
    bool started;
    uint32_t ssrc, base_seq, cycles, received, expected_prior, received_prior;
    uint16_t max_seq;
    uint32_t bad_seq;
    double jitter;         /* in timestamp units (A.8) */
    int64_t transit;       /* last relative transit time, timestamp units */
    uint8_t fraction_lost; /* of the last report interval, 1/256 */
} cf_rtp_source;

void cf_rtp_source_init(cf_rtp_source *s, uint32_t ssrc, uint16_t seq);
/* Steps of A.1 and A.8, without A.1's probation: the first packet counts, as SRTP or the leg's address vouches for it.
 * arrival is in timestamp units. False if the packet is not (yet) valid for this source: a large jump that no second
 * packet has confirmed. */
bool cf_rtp_source_update(cf_rtp_source *s, uint16_t seq, uint32_t ts, int64_t arrival);
uint32_t cf_rtp_source_extended_max(const cf_rtp_source *s);
int32_t cf_rtp_source_lost(const cf_rtp_source *s); /* cumulative, clamped to 24 bits signed */

#endif

/* Reading and writing RTP packets and their header extensions (RFC 3550 section 5.1, RFC 8285). */
#include "conferocore/rtp.h"
#include <errno.h>
#include <string.h>

enum { RTP_VERSION = 2, ONE_BYTE = 0xBEDE, TWO_BYTE = 0x1000, TWO_BYTE_MASK = 0xfff0, EXT_HEADER = 4 };

bool cf_rtp_looks_like(const uint8_t *data, size_t len, bool *rtcp) {
    if (len < 2 || data[0] >> 6 != RTP_VERSION)
        return false;
    /* RFC 5761 section 4: RTP payload types 64-95 are not used with multiplexing, so 192-223 here is RTCP */
    *rtcp = data[1] >= 192 && data[1] <= 223;
    return true;
}

/* The extension block that begins at `at`; returns where the payload begins, 0 if it does not fit. */
static size_t parse_extension(cf_rtp *rtp, const uint8_t *data, size_t len, size_t at) {
    if (len - at < EXT_HEADER)
        return 0;
    size_t size = (size_t)cf_get16(data + at + 2) * 4;
    if (size > len - at - EXT_HEADER)
        return 0;
    rtp->ext_profile = cf_get16(data + at);
    rtp->ext = data + at + EXT_HEADER;
    rtp->ext_len = size;
    return at + EXT_HEADER + size;
}

/* Takes the padding off: its last byte counts it, itself included. */
static bool strip_padding(cf_rtp *rtp) {
    if (rtp->payload_len == 0)
        return false;
    uint8_t count = rtp->payload[rtp->payload_len - 1];
    if (count == 0 || count > rtp->payload_len)
        return false;
    rtp->payload_len -= count;
    return true;
}

int cf_rtp_parse(cf_rtp *rtp, const uint8_t *data, size_t len) {
    if (len < CF_RTP_HEADER || data[0] >> 6 != RTP_VERSION)
        return -EBADMSG;
    size_t at = CF_RTP_HEADER + 4u * (data[0] & 0x0f); /* contributing sources */
    if (at > len)
        return -EBADMSG;
    *rtp = (cf_rtp){.pt = data[1] & 0x7f,
                    .marker = data[1] >> 7,
                    .seq = cf_get16(data + 2),
                    .ts = cf_get32(data + 4),
                    .ssrc = cf_get32(data + 8)};
    if (data[0] & 0x10 && (at = parse_extension(rtp, data, len, at)) == 0)
        return -EBADMSG;
    rtp->payload = data + at;
    rtp->payload_len = len - at;
    if (data[0] & 0x20 && !strip_padding(rtp))
        return -EBADMSG;
    return 0;
}

/* RFC 8285 section 4.2: id and length in one byte. */
static const uint8_t *find_one_byte(const uint8_t *p, size_t n, uint8_t id, size_t *len) {
    for (size_t at = 0; at < n;) {
        uint8_t head = p[at++];
        if (head == 0) /* padding */
            continue;
        size_t size = (head & 0x0fu) + 1;
        /* id 15, and id 0 with a length, end the processing */
        if (head >> 4 == 15 || head >> 4 == 0 || size > n - at)
            return NULL;
        if (head >> 4 == id) {
            *len = size;
            return p + at;
        }
        at += size;
    }
    return NULL;
}

/* RFC 8285 section 4.3: a byte of id, a byte of length. */
static const uint8_t *find_two_byte(const uint8_t *p, size_t n, uint8_t id, size_t *len) {
    for (size_t at = 0; at < n;) {
        uint8_t head = p[at++];
        if (head == 0) /* padding has no length byte */
            continue;
        if (at == n || p[at] > n - at - 1)
            return NULL;
        size_t size = p[at++];
        if (head == id) {
            *len = size;
            return p + at;
        }
        at += size;
    }
    return NULL;
}

const uint8_t *cf_rtp_ext_find(const cf_rtp *rtp, uint8_t id, size_t *len) {
    if (rtp->ext == NULL || id == 0)
        return NULL;
    if (rtp->ext_profile == ONE_BYTE)
        return find_one_byte(rtp->ext, rtp->ext_len, id, len);
    if ((rtp->ext_profile & TWO_BYTE_MASK) == TWO_BYTE)
        return find_two_byte(rtp->ext, rtp->ext_len, id, len);
    return NULL;
}

/* Bytes of all elements in one-byte form, before padding; -EINVAL if one does not fit that form. */
static int ext_size(const cf_rtp_ext *ext, size_t count) {
    size_t size = 0;
    if (count > 14)
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        if (ext[i].id < 1 || ext[i].id > 14 || ext[i].len < 1 || ext[i].len > 16)
            return -EINVAL;
        size += 1u + ext[i].len;
    }
    return (int)size;
}

static void write_ext(uint8_t *out, const cf_rtp_ext *ext, size_t count, size_t words) {
    cf_put16(out, ONE_BYTE);
    cf_put16(out + 2, (uint16_t)words);
    uint8_t *p = out + EXT_HEADER, *end = p + 4 * words;
    for (size_t i = 0; i < count; i++) {
        *p++ = (uint8_t)(ext[i].id << 4 | (ext[i].len - 1));
        memcpy(p, ext[i].data, ext[i].len);
        p += ext[i].len;
    }
    memset(p, 0, (size_t)(end - p));
}

int cf_rtp_write_header(uint8_t *out, size_t cap, const cf_rtp_header *h, const cf_rtp_ext *ext, size_t ext_count) {
    int size = ext_size(ext, ext_count);
    if (size < 0 || h->pt > 127 || h->csrc_count > 15)
        return -EINVAL;
    size_t words = ((size_t)size + 3) / 4, fixed = CF_RTP_HEADER + 4 * h->csrc_count;
    size_t total = fixed + (ext_count ? EXT_HEADER + 4 * words : 0);
    if (total > cap)
        return -ENOSPC;
    out[0] = (uint8_t)(RTP_VERSION << 6 | (ext_count ? 0x10 : 0) | h->csrc_count);
    out[1] = (uint8_t)(h->marker << 7 | h->pt);
    cf_put16(out + 2, h->seq);
    cf_put32(out + 4, h->ts);
    cf_put32(out + 8, h->ssrc);
    for (size_t i = 0; i < h->csrc_count; i++)
        cf_put32(out + CF_RTP_HEADER + 4 * i, h->csrc[i]);
    if (ext_count)
        write_ext(out + fixed, ext, ext_count, words);
    return (int)total;
}

int cf_rtp_write(uint8_t *out, size_t cap, uint8_t pt, bool marker, uint16_t seq, uint32_t ts, uint32_t ssrc,
                 const cf_rtp_ext *ext, size_t ext_count) {
    cf_rtp_header header = {.pt = pt, .marker = marker, .seq = seq, .ts = ts, .ssrc = ssrc};
    return cf_rtp_write_header(out, cap, &header, ext, ext_count);
}

/* Reading RTCP compound packets: the whole is checked before any part is handed out (RFC 3550 section 6, RFC 4585). */
#include "conferocore/rtcp.h"
#include <errno.h>

enum { HEADER = 4, SENDER = 8, SENDER_INFO = 20, BLOCK = 24, FEEDBACK = 12, SDES_END = 0, SDES_CNAME = 1 };

/* One packet of a compound: views into the caller's buffer. */
typedef struct part {
    uint8_t pt, count; /* count: RC, SC or FMT */
    const uint8_t *data;
    size_t len; /* with header, without padding */
} part;

static cf_rtcp_report read_block(const uint8_t *p) {
    uint32_t lost = cf_get32(p + 4) & 0xffffff;
    return (cf_rtcp_report){.ssrc = cf_get32(p),
                            .fraction_lost = p[4],
                            .lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost,
                            .highest_seq = cf_get32(p + 8),
                            .jitter = cf_get32(p + 12),
                            .lsr = cf_get32(p + 16),
                            .dlsr = cf_get32(p + 20)};
}

/* The readers below check a part's length and hand it out; a visitor without handlers makes them only check. */
static bool read_blocks(const part *p, size_t at, const cf_rtcp_visitor *v) {
    if (p->len < at + (size_t)p->count * BLOCK) /* what follows the blocks is a profile's extension */
        return false;
    for (size_t i = 0; v->report && i < p->count; i++) {
        cf_rtcp_report block = read_block(p->data + at + i * BLOCK);
        v->report(v->arg, cf_get32(p->data + HEADER), &block);
    }
    return true;
}

static bool read_sr(const part *p, const cf_rtcp_visitor *v) {
    const uint8_t *d = p->data;
    if (p->len < SENDER + SENDER_INFO)
        return false;
    cf_rtcp_sr sr = {.ssrc = cf_get32(d + 4),
                     .ntp = (uint64_t)cf_get32(d + 8) << 32 | cf_get32(d + 12),
                     .rtp_ts = cf_get32(d + 16),
                     .packets = cf_get32(d + 20),
                     .octets = cf_get32(d + 24)};
    if (v->sr)
        v->sr(v->arg, &sr);
    return read_blocks(p, SENDER + SENDER_INFO, v);
}

static bool read_rr(const part *p, const cf_rtcp_visitor *v) {
    return p->len >= SENDER && read_blocks(p, SENDER, v);
}

/* The items of one chunk from `at`; returns where the next chunk begins, 0 if an item does not fit. */
static size_t read_chunk(const part *p, size_t at, uint32_t ssrc, const cf_rtcp_visitor *v) {
    while (at < p->len && p->data[at] != SDES_END) {
        if (p->len - at < 2 || p->data[at + 1] > p->len - at - 2)
            return 0;
        if (p->data[at] == SDES_CNAME && v->cname)
            v->cname(v->arg, ssrc, p->data + at + 2, p->data[at + 1]);
        at += 2u + p->data[at + 1];
    }
    /* A zero ends the items, and the next chunk begins at a whole word. Some senders leave it out at the end of the
     * packet */
    return at < p->len ? (at + 4) & ~(size_t)3 : at;
}

static bool read_sdes(const part *p, const cf_rtcp_visitor *v) {
    size_t at = HEADER;
    for (size_t i = 0; i < p->count; i++) {
        if (p->len - at < 4)
            return false;
        at = read_chunk(p, at + 4, cf_get32(p->data + at), v);
        if (at == 0 || at > p->len)
            return false;
    }
    return true;
}

static bool read_bye(const part *p, const cf_rtcp_visitor *v) {
    if (p->len < HEADER + (size_t)p->count * 4) /* a reason may follow */
        return false;
    for (size_t i = 0; v->bye && i < p->count; i++)
        v->bye(v->arg, cf_get32(p->data + HEADER + i * 4));
    return true;
}

static bool read_feedback(const part *p, const cf_rtcp_visitor *v) {
    if (p->len < FEEDBACK)
        return false;
    if (v->feedback)
        v->feedback(v->arg, p->pt, p->count, cf_get32(p->data + 4), cf_get32(p->data + 8), p->data + FEEDBACK,
                    p->len - FEEDBACK);
    return true;
}

static bool read_part(const part *p, const cf_rtcp_visitor *v) {
    switch (p->pt) {
    case CF_RTCP_SR:
        return read_sr(p, v);
    case CF_RTCP_RR:
        return read_rr(p, v);
    case CF_RTCP_SDES:
        return read_sdes(p, v);
    case CF_RTCP_BYE:
        return read_bye(p, v);
    case CF_RTCP_RTPFB:
    case CF_RTCP_PSFB:
        return read_feedback(p, v);
    default: /* APP, XR and what is not known: passed over (RFC 3550 section 6.1) */
        return true;
    }
}

/* Padding is only allowed in the last part; its last byte counts it, in whole words (RFC 3550 section 6.4.1). */
static bool strip_padding(part *p, bool last) {
    uint8_t count = p->data[p->len - 1];
    if (!last || count == 0 || count % 4 || count > p->len - HEADER)
        return false;
    p->len -= count;
    return true;
}

/* Takes the part at *at; false if it does not fit (RFC 3550 appendix A.2). */
static bool next_part(part *p, const uint8_t *data, size_t len, size_t *at) {
    if (len - *at < HEADER)
        return false;
    const uint8_t *d = data + *at;
    size_t size = 4 * ((size_t)cf_get16(d + 2) + 1);
    if (d[0] >> 6 != 2 || d[1] < 192 || d[1] > 223 || size > len - *at)
        return false;
    *p = (part){.pt = d[1], .count = d[0] & 31, .data = d, .len = size};
    *at += size;
    return !(d[0] & 0x20) || strip_padding(p, *at == len);
}

static bool walk(const uint8_t *data, size_t len, const cf_rtcp_visitor *v) {
    part p;
    for (size_t at = 0; at < len;)
        if (!next_part(&p, data, len, &at) || !read_part(&p, v))
            return false;
    return len > 0;
}

int cf_rtcp_parse(const uint8_t *data, size_t len, const cf_rtcp_visitor *visitor) {
    static const cf_rtcp_visitor nobody;
    if (!walk(data, len, &nobody))
        return -EBADMSG;
    walk(data, len, visitor);
    return 0;
}

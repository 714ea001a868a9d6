/* Writing RTCP: sender and receiver reports, CNAME, BYE, and the report block about a source (RFC 3550
 * sections 6.4-6.6). */
#include "conferocore/rtcp.h"
#include <errno.h>
#include <string.h>

enum { HEADER = 4, SENDER = 8, SENDER_INFO = 20, BLOCK = 24, COUNT_MAX = 31, SDES_CNAME = 1, TEXT_MAX = 255 };

/* Makes room for a part of `size` bytes, whole words, and writes its header. NULL: no room. */
static uint8_t *begin(uint8_t *out, size_t cap, size_t *at, uint8_t pt, size_t count, size_t size) {
    if (*at > cap || size > cap - *at)
        return NULL;
    uint8_t *p = out + *at;
    p[0] = (uint8_t)(0x80 | count);
    p[1] = pt;
    cf_put16(p + 2, (uint16_t)(size / 4 - 1));
    *at += size;
    return p;
}

static void write_blocks(uint8_t *p, const cf_rtcp_report *blocks, size_t n) {
    for (size_t i = 0; i < n; i++, p += BLOCK) {
        cf_put32(p, blocks[i].ssrc);
        cf_put32(p + 4, (uint32_t)blocks[i].fraction_lost << 24 | ((uint32_t)blocks[i].lost & 0xffffff));
        cf_put32(p + 8, blocks[i].highest_seq);
        cf_put32(p + 12, blocks[i].jitter);
        cf_put32(p + 16, blocks[i].lsr);
        cf_put32(p + 20, blocks[i].dlsr);
    }
}

int cf_rtcp_write_sr(uint8_t *out, size_t cap, size_t *at, const cf_rtcp_sr *sr, const cf_rtcp_report *blocks,
                     size_t n) {
    if (n > COUNT_MAX)
        return -EINVAL;
    uint8_t *p = begin(out, cap, at, CF_RTCP_SR, n, SENDER + SENDER_INFO + n * BLOCK);
    if (p == NULL)
        return -ENOSPC;
    cf_put32(p + 4, sr->ssrc);
    cf_put32(p + 8, (uint32_t)(sr->ntp >> 32));
    cf_put32(p + 12, (uint32_t)sr->ntp);
    cf_put32(p + 16, sr->rtp_ts);
    cf_put32(p + 20, sr->packets);
    cf_put32(p + 24, sr->octets);
    write_blocks(p + SENDER + SENDER_INFO, blocks, n);
    return 0;
}

int cf_rtcp_write_rr(uint8_t *out, size_t cap, size_t *at, uint32_t ssrc, const cf_rtcp_report *blocks, size_t n) {
    if (n > COUNT_MAX)
        return -EINVAL;
    uint8_t *p = begin(out, cap, at, CF_RTCP_RR, n, SENDER + n * BLOCK);
    if (p == NULL)
        return -ENOSPC;
    cf_put32(p + 4, ssrc);
    write_blocks(p + SENDER, blocks, n);
    return 0;
}

int cf_rtcp_write_cname(uint8_t *out, size_t cap, size_t *at, uint32_t ssrc, const char *cname) {
    size_t len = strlen(cname);
    if (len > TEXT_MAX)
        return -EINVAL;
    size_t size = (SENDER + 2 + len + 4) & ~(size_t)3; /* at least one zero ends the chunk */
    uint8_t *p = begin(out, cap, at, CF_RTCP_SDES, 1, size);
    if (p == NULL)
        return -ENOSPC;
    memset(p + HEADER, 0, size - HEADER);
    cf_put32(p + 4, ssrc);
    p[8] = SDES_CNAME;
    p[9] = (uint8_t)len;
    memcpy(p + 10, cname, len);
    return 0;
}

int cf_rtcp_write_bye(uint8_t *out, size_t cap, size_t *at, uint32_t ssrc) {
    uint8_t *p = begin(out, cap, at, CF_RTCP_BYE, 1, SENDER);
    if (p == NULL)
        return -ENOSPC;
    cf_put32(p + 4, ssrc);
    return 0;
}

/* RFC 3550 appendix A.3: what was lost of what was expected since the last report, in 1/256. */
static uint8_t fraction_lost(cf_rtp_source *s) {
    uint32_t expected = cf_rtp_source_extended_max(s) - s->base_seq + 1;
    int64_t interval = (int32_t)(expected - s->expected_prior);
    int64_t lost = interval - (int32_t)(s->received - s->received_prior);
    s->expected_prior = expected;
    s->received_prior = s->received;
    if (interval <= 0 || lost <= 0)
        return 0;
    int64_t fraction = lost * 256 / interval;
    return fraction > 255 ? 255 : (uint8_t)fraction;
}

void cf_rtcp_fill_report(cf_rtcp_report *block, cf_rtp_source *source, uint32_t lsr, uint32_t dlsr) {
    source->fraction_lost = fraction_lost(source);
    *block = (cf_rtcp_report){.ssrc = source->ssrc,
                              .fraction_lost = source->fraction_lost,
                              .lost = cf_rtp_source_lost(source),
                              .highest_seq = cf_rtp_source_extended_max(source),
                              .jitter = (uint32_t)source->jitter,
                              .lsr = lsr,
                              .dlsr = dlsr};
}

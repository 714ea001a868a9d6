/* RTCP compound packets: SR, RR, SDES, BYE and the feedback messages' headers (RFC 3550 section 6, RFC 4585). */
#ifndef CONFEROCORE_RTCP_H
#define CONFEROCORE_RTCP_H

#include "base.h"
#include "rtp.h"

enum {
    CF_RTCP_SR = 200,
    CF_RTCP_RR = 201,
    CF_RTCP_SDES = 202,
    CF_RTCP_BYE = 203,
    CF_RTCP_APP = 204,
    CF_RTCP_RTPFB = 205,
    CF_RTCP_PSFB = 206,
    CF_RTCP_XR = 207
};

typedef struct cf_rtcp_report { /* one report block */
    uint32_t ssrc;
    uint8_t fraction_lost;
    int32_t lost; /* 24 bits, signed */
    uint32_t highest_seq, jitter, lsr, dlsr;
} cf_rtcp_report;

typedef struct cf_rtcp_sr {
    uint32_t ssrc;
    uint64_t ntp; /* 32.32 */
    uint32_t rtp_ts, packets, octets;
} cf_rtcp_sr;

/* Called for each part of a compound packet, in order; any handler may be NULL. */
typedef struct cf_rtcp_visitor {
    void *arg;
    void (*sr)(void *arg, const cf_rtcp_sr *sr);
    void (*report)(void *arg, uint32_t sender, const cf_rtcp_report *block);
    void (*cname)(void *arg, uint32_t ssrc, const uint8_t *text, size_t len);
    void (*bye)(void *arg, uint32_t ssrc);
    void (*feedback)(void *arg, uint8_t pt, uint8_t fmt, uint32_t sender, uint32_t media, const uint8_t *fci,
                     size_t len);
} cf_rtcp_visitor;

/* Checks the whole compound first (RFC 3550 A.2; reduced-size RFC 5506 is accepted), then visits. 0 or -EBADMSG. */
int cf_rtcp_parse(const uint8_t *data, size_t len, const cf_rtcp_visitor *visitor);

/* Writers append at out+*at and move *at on; 0, -ENOSPC, or -EINVAL for more than 31 blocks or 255 bytes of name. After
 * an error *at is where it was. */
int cf_rtcp_write_sr(uint8_t *out, size_t cap, size_t *at, const cf_rtcp_sr *sr, const cf_rtcp_report *blocks,
                     size_t n);
int cf_rtcp_write_rr(uint8_t *out, size_t cap, size_t *at, uint32_t ssrc, const cf_rtcp_report *blocks, size_t n);
int cf_rtcp_write_cname(uint8_t *out, size_t cap, size_t *at, uint32_t ssrc, const char *cname);
int cf_rtcp_write_bye(uint8_t *out, size_t cap, size_t *at, uint32_t ssrc);
/* The report block about a source at this moment; keeps the interval's counters (A.3). */
void cf_rtcp_fill_report(cf_rtcp_report *block, cf_rtp_source *source, uint32_t lsr, uint32_t dlsr);

#endif

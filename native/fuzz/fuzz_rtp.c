/* Any bytes as an RTP packet: parsed or -EBADMSG, every view inside the packet, and what we write we read back. */
#include "conferocore/rtcp.h"
#include "fuzzlib.h"
#include <errno.h>

/* Every element that is found is inside; those that fit the one-byte form are written and found again. */
static void check_extensions(const cf_rtp *rtp, const uint8_t *data, size_t size) {
    cf_rtp_ext ext[14];
    size_t count = 0;
    for (unsigned id = 0; id < 256; id++) {
        size_t len = SIZE_MAX;
        const uint8_t *found = cf_rtp_ext_find(rtp, (uint8_t)id, &len);
        HOLDS(found == NULL || (id > 0 && len <= 255));
        if (found)
            inside(found, len, data, size);
        if (found && id <= 14 && len >= 1 && len <= 16)
            ext[count++] = (cf_rtp_ext){(uint8_t)id, (uint8_t)len, found};
    }
    uint8_t out[512];
    int at = cf_rtp_write(out, sizeof out, rtp->pt, rtp->marker, rtp->seq, rtp->ts, rtp->ssrc, ext, count);
    cf_rtp back;
    HOLDS(at > 0 && cf_rtp_parse(&back, out, (size_t)at) == 0 && back.payload_len == 0);
    HOLDS(back.pt == rtp->pt && back.marker == rtp->marker && back.seq == rtp->seq && back.ts == rtp->ts &&
          back.ssrc == rtp->ssrc);
    for (size_t i = 0; i < count; i++) {
        size_t len;
        const uint8_t *found = cf_rtp_ext_find(&back, ext[i].id, &len);
        HOLDS(found && len == ext[i].len && memcmp(found, ext[i].data, len) == 0);
    }
}

/* The input again, as sequence numbers and timestamps of one source. */
static void check_source(const uint8_t *data, size_t size) {
    cf_rtp_source s;
    cf_rtp_source_init(&s, 1, size >= 2 ? cf_get16(data) : 0);
    for (size_t at = 0; at + 6 <= size; at += 6) {
        cf_rtp_source_update(&s, cf_get16(data + at), cf_get32(data + at + 2), (int64_t)(at * 160));
        int32_t lost = cf_rtp_source_lost(&s);
        HOLDS(lost >= -0x800000 && lost <= 0x7fffff && s.jitter >= 0 && s.jitter < 4294967296.0);
        if (at % 5 == 0) { /* an interval of a few packets */
            cf_rtcp_report report;
            cf_rtcp_fill_report(&report, &s, 0, 0);
            HOLDS(report.lost == lost && report.fraction_lost == s.fraction_lost);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    block b = copy_of(data, size, 0);
    bool rtcp = false;
    cf_rtp rtp;
    int result = cf_rtp_parse(&rtp, b.data, size);
    HOLDS(result == 0 || result == -EBADMSG);
    HOLDS(result != 0 || cf_rtp_looks_like(b.data, size, &rtcp));
    if (result == 0) {
        inside(rtp.ext, rtp.ext_len, b.data, size);
        inside(rtp.payload, rtp.payload_len, b.data, size);
        HOLDS(rtp.pt < 128 && rtp.payload && (rtp.ext || rtp.ext_len == 0));
        check_extensions(&rtp, b.data, size);
    }
    check_source(b.data, size);
    free(b.base);
    return 0;
}

/* SRTCP packets: E bit, explicit index and trailer (RFC 3711 section 3.4, RFC 7714 section 9). */
#include "srtp_state.h"
#include <errno.h>

enum { RTCP_HEADER = 8 }; /* the part of a compound that is never encrypted: first header and SSRC */
static const uint32_t INDEX_MAX = 0x7fffffff, E_BIT = 0x80000000;
static const cf_srtp_window NOTHING_YET;

/* HMAC's tag stands behind E bit and index, AEAD's before them. Both are authenticated. */
static cf_srtp_job make_job(const cf_srtp *srtp, uint8_t *pkt, size_t len, uint8_t **word) {
    bool hmac = srtp->suite->auth_len > 0;
    *word = pkt + len + (hmac ? 0 : srtp->suite->rtcp_tag_len);
    return (cf_srtp_job){.data = pkt,
                         .body = pkt + RTCP_HEADER,
                         .clear = RTCP_HEADER,
                         .len = len,
                         .ssrc = cf_get32(pkt + 4),
                         .word = *word,
                         .tag = pkt + len + (hmac ? CF_SRTP_WORD : 0),
                         .tag_len = srtp->suite->rtcp_tag_len};
}

static bool is_rtcp(const uint8_t *pkt, size_t len) {
    return len >= RTCP_HEADER && len <= CF_SRTP_PACKET_MAX && pkt[0] >> 6 == 2;
}

int cf_srtcp_protect(cf_srtp *srtp, uint8_t *pkt, size_t len, size_t cap) {
    size_t trailer = srtp->suite->rtcp_tag_len + CF_SRTP_WORD;
    if (!is_rtcp(pkt, len))
        return -EBADMSG;
    if (cap < len || cap - len < trailer)
        return -ENOSPC;
    uint8_t *word;
    cf_srtp_job job = make_job(srtp, pkt, len, &word);
    cf_srtp_stream *stream = cf_srtp_find(srtp, job.ssrc);
    if (stream == NULL && srtp->count == CF_SRTP_SSRCS)
        return -EMFILE;
    job.index = stream && stream->rtcp.started ? stream->rtcp.highest + 1 : 0;
    if (job.index > INDEX_MAX)
        return -EKEYEXPIRED;
    cf_put32(word, E_BIT | (uint32_t)job.index);
    int error = cf_srtp_seal(srtp->suite, &srtp->rtcp, &job);
    if (error)
        return error;
    cf_srtp_window_add(&cf_srtp_touch(srtp, stream, job.ssrc)->rtcp, job.index);
    return (int)(len + trailer);
}

int cf_srtcp_unprotect(cf_srtp *srtp, uint8_t *pkt, size_t len) {
    size_t trailer = srtp->suite->rtcp_tag_len + CF_SRTP_WORD;
    if (len < trailer || !is_rtcp(pkt, len - trailer))
        return -EBADMSG;
    uint8_t *word;
    cf_srtp_job job = make_job(srtp, pkt, len - trailer, &word);
    job.index = cf_get32(word) & INDEX_MAX;
    if (!(cf_get32(word) & E_BIT)) /* authenticated, not encrypted */
        job.clear = job.len;
    cf_srtp_stream *stream = cf_srtp_find(srtp, job.ssrc);
    int error = stream ? 0 : cf_srtp_may_admit(srtp, job.ssrc);
    if (error == 0)
        error = cf_srtp_window_check(stream ? &stream->rtcp : &NOTHING_YET, job.index);
    if (error == 0)
        error = cf_srtp_open(srtp->suite, &srtp->rtcp, &job);
    if (error)
        return error;
    cf_srtp_window_add(&cf_srtp_touch(srtp, stream, job.ssrc)->rtcp, job.index);
    return (int)job.len;
}

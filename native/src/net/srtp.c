/* SRTP packets: where their parts lie and which index they have (RFC 3711 section 3, RFC 7714 section 8). */
#include "srtp_state.h"
#include <errno.h>

enum { RTP_HEADER = 12 };
static const uint64_t INDEX_MAX = (UINT64_C(1) << 48) - 1;
static const cf_srtp_window NOTHING_YET;

/* Length of the header with contributing sources and extension, 0: not an RTP packet. */
static size_t header_length(const uint8_t *pkt, size_t len) {
    if (len < RTP_HEADER || len > CF_SRTP_PACKET_MAX || pkt[0] >> 6 != 2)
        return 0;
    size_t at = RTP_HEADER + 4u * (pkt[0] & 15);
    if (pkt[0] & 0x10) {
        if (at + 4 > len)
            return 0;
        at += 4 + 4u * cf_get16(pkt + at + 2);
    }
    return at <= len ? at : 0;
}

/* The index of a packet by what its SSRC has had: 0, -EALREADY, or -EKEYEXPIRED when all 2^48 are used up. */
static int find_index(const cf_srtp_window *w, const uint8_t *pkt, uint64_t *index) {
    *index = cf_srtp_window_guess(w, cf_get16(pkt + 2));
    return *index > INDEX_MAX ? -EKEYEXPIRED : cf_srtp_window_check(w, *index);
}

/* RFC 3711 section 4.2: the roll-over counter is authenticated behind the packet; with AEAD it is in the initialization
 * vector. */
static cf_srtp_job make_job(const cf_srtp *srtp, uint8_t *pkt, size_t header, size_t len, uint64_t index,
                            uint8_t roc[CF_SRTP_WORD]) {
    cf_put32(roc, (uint32_t)(index >> 16));
    return (cf_srtp_job){.data = pkt,
                         .body = pkt + header,
                         .clear = header,
                         .len = len,
                         .ssrc = cf_get32(pkt + 8),
                         .index = index,
                         .word = srtp->suite->auth_len ? roc : NULL,
                         .tag = pkt + len,
                         .tag_len = srtp->suite->tag_len};
}

static int open_at(cf_srtp *srtp, uint8_t *pkt, size_t header, size_t len, uint64_t index) {
    uint8_t roc[CF_SRTP_WORD];
    cf_srtp_job job = make_job(srtp, pkt, header, len, index, roc);
    return cf_srtp_open(srtp->suite, &srtp->rtp, &job);
}

/* The payload may stand elsewhere; what is sealed then stands behind the header. */
static int seal_at(cf_srtp *srtp, uint8_t *pkt, size_t header, const uint8_t *payload, size_t len, uint64_t index) {
    uint8_t roc[CF_SRTP_WORD];
    cf_srtp_job job = make_job(srtp, pkt, header, len, index, roc);
    job.body = payload;
    return cf_srtp_seal(srtp->suite, &srtp->rtp, &job);
}

static int protect(cf_srtp *srtp, uint8_t *pkt, size_t header, const uint8_t *payload, size_t len, size_t cap) {
    size_t tag_len = srtp->suite->tag_len;
    if (header == 0)
        return -EBADMSG;
    if (cap < len || cap - len < tag_len)
        return -ENOSPC;
    uint32_t ssrc = cf_get32(pkt + 8);
    cf_srtp_stream *stream = cf_srtp_find(srtp, ssrc);
    if (stream == NULL && srtp->count == CF_SRTP_SSRCS)
        return -EMFILE;
    uint64_t index;
    int error =
        find_index(stream ? &stream->rtp : &NOTHING_YET, pkt, &index); /* twice the same would reuse key stream */
    if (error == 0)
        error = seal_at(srtp, pkt, header, payload, len, index);
    if (error)
        return error;
    cf_srtp_window_add(&cf_srtp_touch(srtp, stream, ssrc)->rtp, index);
    return (int)(len + tag_len);
}

int cf_srtp_protect(cf_srtp *srtp, uint8_t *pkt, size_t len, size_t cap) {
    size_t header = header_length(pkt, len);
    return protect(srtp, pkt, header, pkt + header, len, cap);
}

int cf_srtp_protect_from(cf_srtp *srtp, uint8_t *pkt, size_t header_len, const uint8_t *payload, size_t payload_len,
                         size_t cap) {
    size_t header = header_length(pkt, header_len);
    if (header != header_len || payload_len > CF_SRTP_PACKET_MAX - header_len)
        return -EBADMSG;
    return protect(srtp, pkt, header, payload, header_len + payload_len, cap);
}

/* Opens with the guessed index. A source whose first packets were lost may have rolled over once before the first that
 * came; or it goes on as it was under the key before (RFC 3711 section 3.3.1). */
static int open_guessed(cf_srtp *srtp, const cf_srtp_window *w, uint8_t *pkt, size_t header, size_t len,
                        uint64_t *index) {
    int error = open_at(srtp, pkt, header, len, *index);
    if (error == 0 || w->started)
        return error;
    if (*index < 32768) {
        *index += 65536;
        error = open_at(srtp, pkt, header, len, *index);
    }
    if (error == 0 || !srtp->earlier.started || srtp->earlier_ssrc != cf_get32(pkt + 8))
        return error;
    *index = cf_srtp_window_guess(&srtp->earlier, cf_get16(pkt + 2));
    return open_at(srtp, pkt, header, len, *index);
}

int cf_srtp_unprotect(cf_srtp *srtp, uint8_t *pkt, size_t len) {
    size_t tag_len = srtp->suite->tag_len, header = len < tag_len ? 0 : header_length(pkt, len - tag_len);
    if (header == 0)
        return -EBADMSG;
    uint32_t ssrc = cf_get32(pkt + 8);
    cf_srtp_stream *stream = cf_srtp_find(srtp, ssrc);
    const cf_srtp_window *w = stream ? &stream->rtp : &NOTHING_YET;
    uint64_t index;
    int error = stream ? 0 : cf_srtp_may_admit(srtp, ssrc);
    if (error == 0)
        error = find_index(w, pkt, &index);
    if (error == 0)
        error = open_guessed(srtp, w, pkt, header, len - tag_len, &index);
    if (error)
        return error;
    cf_srtp_window_add(&cf_srtp_touch(srtp, stream, ssrc)->rtp, index);
    return (int)(len - tag_len);
}

/* Making and freeing one direction, and its bounded table of SSRCs. */
#include "srtp_state.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stddef.h>
#include <stdlib.h>

cf_srtp *cf_srtp_new_with(const cf_srtp_backend *backend, const cf_srtp_suite *suite, const cf_srtp_keys *rtp,
                          const cf_srtp_keys *rtcp) {
    cf_srtp *srtp = calloc(1, sizeof *srtp);
    if (srtp == NULL)
        return NULL;
    srtp->suite = suite;
    if (cf_srtp_session_init(&srtp->rtp, backend, suite, rtp) < 0 ||
        cf_srtp_session_init(&srtp->rtcp, backend, suite, rtcp) < 0) {
        cf_srtp_free(srtp);
        return NULL;
    }
    return srtp;
}

cf_srtp *cf_srtp_new_on(const cf_srtp_backend *backend, int profile, const uint8_t *key, size_t key_len,
                        const uint8_t *salt, size_t salt_len) {
    const cf_srtp_suite *suite = cf_srtp_suite_of(profile);
    if (suite == NULL || key_len != suite->key_len || salt_len != suite->salt_len)
        return NULL;
    cf_srtp_keys rtp, rtcp;
    cf_srtp *srtp = NULL;
    ERR_set_mark(); /* the thread's error list belongs to whoever else uses libcrypto in it */
    if (cf_srtp_derive(backend, suite, key, salt, CF_SRTP_LABEL_RTP, &rtp) == 0 &&
        cf_srtp_derive(backend, suite, key, salt, CF_SRTP_LABEL_RTCP, &rtcp) == 0)
        srtp = cf_srtp_new_with(backend, suite, &rtp, &rtcp);
    ERR_pop_to_mark();
    OPENSSL_cleanse(&rtp, sizeof rtp);
    OPENSSL_cleanse(&rtcp, sizeof rtcp);
    return srtp;
}

cf_srtp *cf_srtp_new(int profile, const uint8_t *key, size_t key_len, const uint8_t *salt, size_t salt_len) {
    return cf_srtp_new_on(cf_srtp_backend_best(), profile, key, key_len, salt, salt_len);
}

void cf_srtp_free(cf_srtp *srtp) {
    if (srtp == NULL)
        return;
    cf_srtp_session_clear(&srtp->rtp);
    cf_srtp_session_clear(&srtp->rtcp);
    free(srtp);
}

void cf_srtp_follow(cf_srtp *fresh, const cf_srtp *before) {
    fresh->earlier_ssrc = before->earlier_ssrc;
    fresh->earlier = before->earlier;
    uint64_t latest = 0;
    for (size_t i = 0; i < before->count; i++) {
        const cf_srtp_stream *stream = &before->streams[i];
        if (!stream->rtp.started || stream->last_packet <= latest)
            continue;
        latest = stream->last_packet;
        fresh->earlier_ssrc = before->ssrc[i];
        fresh->earlier = stream->rtp;
    }
}

cf_srtp_stream *cf_srtp_find(cf_srtp *srtp, uint32_t ssrc) {
    for (size_t i = 0; i < srtp->count; i++)
        if (srtp->ssrc[i] == ssrc)
            return &srtp->streams[i];
    return NULL;
}

static size_t longest_silent(const cf_srtp *srtp) {
    size_t at = 0;
    for (size_t i = 1; i < srtp->count; i++)
        if (srtp->streams[i].last_packet < srtp->streams[at].last_packet)
            at = i;
    return at;
}

int cf_srtp_may_admit(const cf_srtp *srtp, uint32_t ssrc) {
    for (size_t i = 0; i < srtp->retired_count; i++)
        if (srtp->retired[i] == ssrc)
            return -EALREADY;
    if (srtp->count < CF_SRTP_SSRCS)
        return 0;
    uint64_t silent = srtp->packets - srtp->streams[longest_silent(srtp)].last_packet;
    return silent >= CF_SRTP_SILENT && srtp->retired_count < CF_SRTP_RETIRED ? 0 : -EMFILE;
}

static cf_srtp_stream *admit(cf_srtp *srtp, uint32_t ssrc) {
    size_t at = srtp->count;
    if (at < CF_SRTP_SSRCS) {
        srtp->count++;
    } else {
        at = longest_silent(srtp);
        srtp->retired[srtp->retired_count++] = srtp->ssrc[at];
    }
    srtp->ssrc[at] = ssrc;
    srtp->streams[at] = (cf_srtp_stream){0};
    return &srtp->streams[at];
}

cf_srtp_stream *cf_srtp_touch(cf_srtp *srtp, cf_srtp_stream *stream, uint32_t ssrc) {
    if (stream == NULL)
        stream = admit(srtp, ssrc);
    stream->last_packet = ++srtp->packets;
    return stream;
}

void cf_srtp_warm(const cf_srtp *srtp) {
    cf_warm(srtp, offsetof(struct cf_srtp, streams[1]));
}

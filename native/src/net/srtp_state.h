/* What one direction keeps: its sessions, and the streams of its SSRCs. */
#ifndef CONFEROCORE_SRTP_STATE_H
#define CONFEROCORE_SRTP_STATE_H

#include "srtp_suite.h"
#include "srtp_window.h"

enum {
    CF_SRTP_RETIRED = 64,  /* SSRCs that may make room for others under one key */
    CF_SRTP_SILENT = 1024, /* packets of others after which a stream may make room: 20 s of audio */
    CF_SRTP_WORD = 4,      /* bytes of the roll-over counter, and of E bit with SRTCP index */
    CF_SRTP_PACKET_MAX = 65535
};

typedef struct cf_srtp_stream {
    cf_srtp_window rtp, rtcp;
    uint64_t last_packet; /* value of `packets` at its last one */
} cf_srtp_stream;

/* What each packet needs lies together at the beginning: the first stream is that of nearly every leg. */
struct cf_srtp {
    const cf_srtp_suite *suite;
    uint64_t packets; /* protected or authenticated so far */
    size_t count;     /* used entries of ssrc and streams */
    uint32_t ssrc[CF_SRTP_SSRCS];
    cf_srtp_session rtp;
    cf_srtp_stream streams[CF_SRTP_SSRCS];
    /* SSRCs that made room stay refused for the life of the key: their replay windows are gone */
    size_t retired_count;
    uint32_t retired[CF_SRTP_RETIRED];
    cf_srtp_session rtcp;
    uint32_t earlier_ssrc;  /* under the key before this one the last to come, */
    cf_srtp_window earlier; /* and how far it was; not started: there was none */
};

/* NULL: none yet. */
cf_srtp_stream *cf_srtp_find(cf_srtp *srtp, uint32_t ssrc);
/* Whether a new SSRC could be kept if its packet proves authentic: 0, -EMFILE, or -EALREADY (it made room once). */
int cf_srtp_may_admit(const cf_srtp *srtp, uint32_t ssrc);
/* Notes an authentic packet; `stream` NULL: the first of its SSRC, which cf_srtp_may_admit has allowed. Returns the
 * stream. */
cf_srtp_stream *cf_srtp_touch(cf_srtp *srtp, cf_srtp_stream *stream, uint32_t ssrc);

#endif

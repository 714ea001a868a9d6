/* SRTP and SRTCP over libcrypto (RFC 3711, RFC 7714): one context per direction of a leg, every SSRC with its own roll-over. */
#ifndef CONFEROCORE_SRTP_H
#define CONFEROCORE_SRTP_H

#include "base.h"

/*cdef*/
/* Numbers are the DTLS-SRTP protection profile ids (RFC 5764, RFC 7714). */
enum cf_srtp_profile {
    CF_SRTP_NONE = 0,
    CF_SRTP_AES128_CM_SHA1_80 = 0x0001,
    CF_SRTP_AEAD_AES_128_GCM = 0x0007,
    CF_SRTP_AEAD_AES_256_GCM = 0x0008
};
/*end*/
enum { CF_SRTP_OVERHEAD = 16, CF_SRTCP_OVERHEAD = 20, CF_SRTP_SSRCS = 16 };

typedef struct cf_srtp cf_srtp;

/* Master key (16 or 32 bytes) and salt (14 or 12 bytes) of one direction; NULL for a wrong profile or length, or no memory. */
cf_srtp *cf_srtp_new(int profile, const uint8_t *key, size_t key_len, const uint8_t *salt, size_t salt_len);
void cf_srtp_free(cf_srtp *srtp);
/* In place; pkt has room for `cap` bytes. Returns the new length, or: -EBADMSG not RTP/RTCP, -EAUTH (-EKEYREJECTED) wrong tag,
 * -EALREADY replayed or too old, -ENOSPC no room, -EMFILE more SSRCs than CF_SRTP_SSRCS (inbound: the longest silent one that
 * never authenticated makes room; state is only created by packets that authenticate). */
int cf_srtp_protect(cf_srtp *srtp, uint8_t *pkt, size_t len, size_t cap);
int cf_srtp_unprotect(cf_srtp *srtp, uint8_t *pkt, size_t len);
int cf_srtcp_protect(cf_srtp *srtp, uint8_t *pkt, size_t len, size_t cap);
int cf_srtcp_unprotect(cf_srtp *srtp, uint8_t *pkt, size_t len);

#endif

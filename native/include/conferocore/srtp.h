/* SRTP and SRTCP (RFC 3711, RFC 7714): one context per direction of a leg, every SSRC with its own roll-over. */
#ifndef CONFEROCORE_SRTP_H
#define CONFEROCORE_SRTP_H

#include "base.h"

/*cdef*/
/* Numbers are the DTLS-SRTP protection profile ids (RFC 5764, RFC 7714). */
enum cf_srtp_profile {
    CF_SRTP_NONE = 0,
    CF_SRTP_AES128_CM_SHA1_80 = 0x0001,
    CF_SRTP_AES128_CM_SHA1_32 = 0x0002, /* by SDES only: 4 bytes of tag, of SRTCP 10 (RFC 4568 section 6.2.2) */
    CF_SRTP_AEAD_AES_128_GCM = 0x0007,
    CF_SRTP_AEAD_AES_256_GCM = 0x0008
};
/*end*/
enum { CF_SRTP_OVERHEAD = 16, CF_SRTCP_OVERHEAD = 20, CF_SRTP_SSRCS = 16 };

/*cdef*/
typedef struct cf_srtp cf_srtp;

/* Master key (16 or 32 bytes) and salt (14 or 12 bytes) of one direction; NULL for a wrong profile or length, or no
 * memory. */
cf_srtp *cf_srtp_new(int profile, const uint8_t *key, size_t key_len, const uint8_t *salt, size_t salt_len);
void cf_srtp_free(cf_srtp *srtp);
/* In place; pkt has room for `cap` bytes. Returns the new length, or: -EBADMSG not RTP/RTCP, -EKEYREJECTED wrong tag,
 * -EALREADY replayed or too old (outbound too: an index is never used twice), -ENOSPC no room, -EKEYEXPIRED all indices
 * of the key are used up, -EMFILE more SSRCs than CF_SRTP_SSRCS, -EIO libcrypto failed (do not send). After any other
 * error the packet is as it was; only the room behind it may be written. Inbound state is only created by packets that
 * authenticate. When a seventeenth SSRC comes, the longest silent one makes room if 1024 packets of others have come
 * since its last; it stays refused (-EALREADY), as its replay window is gone. So 80 SSRCs can come under one key. */
int cf_srtp_protect(cf_srtp *srtp, uint8_t *pkt, size_t len, size_t cap);
int cf_srtp_unprotect(cf_srtp *srtp, uint8_t *pkt, size_t len);
/* The same for a payload that many packets share: the header alone stands in pkt, and the payload is read from where it
 * is. -EBADMSG also if header_len is not exactly the header's own length. */
int cf_srtp_protect_from(cf_srtp *srtp, uint8_t *pkt, size_t header_len, const uint8_t *payload, size_t payload_len,
                         size_t cap);
int cf_srtcp_protect(cf_srtp *srtp, uint8_t *pkt, size_t len, size_t cap);
int cf_srtcp_unprotect(cf_srtp *srtp, uint8_t *pkt, size_t len);
/* An RTP packet is about to be protected or unprotected: what that needs is fetched into the caches meanwhile. */
void cf_srtp_warm(const cf_srtp *srtp);
/* What new contexts encrypt by on this machine: "AES-NI" or "libcrypto". */
const char *cf_srtp_backend_name(void);
/*end*/
/* Inbound: `fresh` takes the place of `before`, whose source may go on with its roll-over counter under the new key. */
void cf_srtp_follow(cf_srtp *fresh, const cf_srtp *before);

#endif

/* What the SRTP tests share: the profiles, contexts with one key, and RTP packets. */
#ifndef CONFEROCORE_SRTPLIB_H
#define CONFEROCORE_SRTPLIB_H

#include "conferocore/srtp.h"
#include "net/srtp_suite.h"
#include "netlib.h"

static const int PROFILES[] = {CF_SRTP_AES128_CM_SHA1_80, CF_SRTP_AEAD_AES_128_GCM, CF_SRTP_AEAD_AES_256_GCM,
                               CF_SRTP_AES128_CM_SHA1_32};
enum { PROFILE_COUNT = 4, ROOM = 256 };

static inline size_t key_len_of(int profile) {
    return profile == CF_SRTP_AEAD_AES_256_GCM ? 32 : 16;
}
static inline bool is_counter_mode(int profile) {
    return profile == CF_SRTP_AES128_CM_SHA1_80 || profile == CF_SRTP_AES128_CM_SHA1_32;
}
static inline size_t salt_len_of(int profile) {
    return is_counter_mode(profile) ? 14 : 12;
}
static inline size_t rtcp_tag_len_of(int profile) {
    return is_counter_mode(profile) ? 10 : 16;
}
static inline size_t tag_len_of(int profile) {
    return profile == CF_SRTP_AES128_CM_SHA1_32 ? 4 : rtcp_tag_len_of(profile);
}

/* What new_srtp makes its contexts over. */
static const cf_srtp_backend *tested_backend = &cf_srtp_libcrypto;

/* A context whose key is made from `seed`. */
static inline cf_srtp *new_srtp(int profile, uint8_t seed) {
    uint8_t key[32], salt[14];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(seed + 7 * i);
    for (size_t i = 0; i < sizeof salt; i++)
        salt[i] = (uint8_t)(seed + 13 * i + 1);
    return cf_srtp_new_on(tested_backend, profile, key, key_len_of(profile), salt, salt_len_of(profile));
}

/* A packet whose payload tells its 32-bit index, so that a wrong roll-over cannot pass. Returns its length. */
static inline size_t make_rtp(uint8_t *pkt, uint32_t ssrc, uint32_t index) {
    pkt[0] = 0x80;
    pkt[1] = 111;
    cf_put16(pkt + 2, (uint16_t)index);
    cf_put32(pkt + 4, index * 960);
    cf_put32(pkt + 8, ssrc);
    for (size_t i = 0; i < 8; i++)
        cf_put32(pkt + 12 + 4 * i, index ^ (uint32_t)i);
    return 44;
}

static inline size_t make_rtcp(uint8_t *pkt, uint32_t ssrc) {
    size_t len = unhex(pkt, ROOM, "80c80006 00000000 01020304 05060708 090a0b0c 00000001 00000002");
    cf_put32(pkt + 4, ssrc);
    return len;
}

#endif

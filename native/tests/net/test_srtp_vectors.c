/* srtp_suite.c and srtp.c against the vectors of RFC 3711 (B.2, B.3), RFC 6188 (section 7) and RFC 7714 (sections 16,
 * 17). */
#include "net/srtp_state.h"
#include "netlib.h"
#include "testlib.h"
#include <errno.h>

static const char RTP[] = "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070"
                          "61727465 73207472 6573";
static const char RTCP[] = "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef"
                           "deadbeef deadbeef deadbeef";
enum { RFC7714_SRTCP_INDEX = 0x5d4 };

static const cf_srtp_backend *backend; /* every vector holds on each */

/* RFC 7714 gives session keys: 00 01 02 ... and the salt "Quid pro quo". */
static cf_srtp *new_rfc7714(int profile) {
    cf_srtp_keys keys = {.salt = "Quid pro quo"};
    for (size_t i = 0; i < sizeof keys.key; i++)
        keys.key[i] = (uint8_t)i;
    cf_srtp *srtp = cf_srtp_new_with(backend, cf_srtp_suite_of(profile), &keys, &keys);
    CHECK(srtp != NULL);
    return srtp;
}

static void check_bytes(const uint8_t *got, size_t got_len, const char *want_text) {
    uint8_t want[512];
    size_t len = unhex(want, sizeof want, want_text);
    CHECK_INT(got_len, len);
    CHECK(got_len == len && memcmp(got, want, len) == 0);
}

/* Protects at each alignment, compares, and takes it back. */
static void check_rtp(int profile, const char *want) {
    uint8_t plain[128];
    size_t len = unhex(plain, sizeof plain, RTP);
    for (size_t offset = 0; offset < 4; offset++) {
        cf_srtp *out = new_rfc7714(profile), *in = new_rfc7714(profile);
        placed p = place(plain, sizeof plain, offset);
        int n = cf_srtp_protect(out, p.data, len, len + CF_SRTP_OVERHEAD);
        check_bytes(p.data, n > 0 ? (size_t)n : 0, want);
        CHECK_INT(cf_srtp_unprotect(in, p.data, (size_t)n), len);
        check_bytes(p.data, len, RTP);
        cf_srtp_free(out);
        cf_srtp_free(in);
        free(p.block);
    }
}

static void test_rfc7714_16_1_rtp_128(void) {
    check_rtp(CF_SRTP_AEAD_AES_128_GCM,
              "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a"
              "51c7d19b 36de3adf 8833 899d7f27 beb16a91 52cf765e e4390cce");
}

static void test_rfc7714_16_2_rtp_256(void) {
    check_rtp(CF_SRTP_AEAD_AES_256_GCM,
              "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02"
              "76ffae0f 1ba63799 b87b 7aa3db36 dfffd6b0 f9bb7878 d7a76c13");
}

/* Has the outbound side reach the vector's index: one packet makes the stream, then its counter is set. */
static void set_srtcp_index(cf_srtp *srtp, uint32_t index) {
    uint8_t pkt[128];
    size_t len = unhex(pkt, sizeof pkt, RTCP);
    CHECK(cf_srtcp_protect(srtp, pkt, len, sizeof pkt) > 0);
    cf_srtp_find(srtp, 0x4d617273)->rtcp.highest = index - 1;
}

static void check_rtcp(int profile, const char *want) {
    uint8_t plain[128];
    size_t len = unhex(plain, sizeof plain, RTCP);
    for (size_t offset = 0; offset < 4; offset++) {
        cf_srtp *out = new_rfc7714(profile), *in = new_rfc7714(profile);
        placed p = place(plain, sizeof plain, offset);
        set_srtcp_index(out, RFC7714_SRTCP_INDEX);
        int n = cf_srtcp_protect(out, p.data, len, len + CF_SRTCP_OVERHEAD);
        check_bytes(p.data, n > 0 ? (size_t)n : 0, want);
        CHECK_INT(cf_srtcp_unprotect(in, p.data, (size_t)n), len);
        check_bytes(p.data, len, RTCP);
        CHECK_INT(cf_srtp_find(in, 0x4d617273)->rtcp.highest, RFC7714_SRTCP_INDEX);
        cf_srtp_free(out);
        cf_srtp_free(in);
        free(p.block);
    }
}

static void test_rfc7714_17_1_rtcp_128(void) {
    check_rtcp(CF_SRTP_AEAD_AES_128_GCM,
               "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda"
               "4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4");
}

static void test_rfc7714_17_2_rtcp_256(void) {
    check_rtcp(CF_SRTP_AEAD_AES_256_GCM,
               "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be"
               "8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4");
}

/* Sections 17.3 and 17.4: the E bit is 0, all is authenticated and nothing encrypted. We read it, and never write it.
 */
static void check_tag_only(int profile, const char *trailer) {
    uint8_t pkt[128];
    size_t len = unhex(pkt, sizeof pkt, RTCP), more = unhex(pkt + len, sizeof pkt - len, trailer);
    cf_srtp *in = new_rfc7714(profile);
    pkt[20] ^= 1;
    CHECK_INT(cf_srtcp_unprotect(in, pkt, len + more), -EKEYREJECTED);
    pkt[20] ^= 1;
    CHECK_INT(cf_srtcp_unprotect(in, pkt, len + more), len);
    check_bytes(pkt, len, RTCP);
    CHECK_INT(cf_srtcp_unprotect(in, pkt, len + more), -EALREADY);
    cf_srtp_free(in);
}

static void test_rfc7714_17_3_tag_only(void) {
    check_tag_only(CF_SRTP_AEAD_AES_128_GCM, "841dd968 3dd78ec9 2ae58790 125f62b3 000005d4");
}

static void test_rfc7714_17_4_tag_only(void) {
    check_tag_only(CF_SRTP_AEAD_AES_256_GCM, "91db4afb feee5a97 8fab4393 ed2615fe 000005d4");
}

/* With SSRC and index 0 the initialization vector is the session salt, and zeros show the key stream: 65,282 blocks. */
static void test_rfc3711_b2_key_stream(void) {
    enum { LEN = 1044512 };
    cf_srtp_keys keys = {0};
    unhex(keys.key, 16, "2b7e1516 28aed2a6 abf71588 09cf4f3c");
    unhex(keys.salt, 14, "f0f1f2f3 f4f5f6f7 f8f9fafb fcfd");
    cf_srtp_session session;
    uint8_t *zeros = calloc(1, LEN + CF_SRTP_OVERHEAD);
    const cf_srtp_suite *suite = cf_srtp_suite_of(CF_SRTP_AES128_CM_SHA1_80);
    CHECK_INT(cf_srtp_session_init(&session, backend, suite, &keys), 0);
    cf_srtp_job job = {.data = zeros, .body = zeros, .len = LEN, .tag = zeros + LEN};
    CHECK_INT(cf_srtp_seal(suite, &session, &job), 0);
    check_bytes(zeros, 48,
                "e03ead09 35c95e80 e166b16d d92b4eb4 d2351316 2b02d0f7 2a43a2fe 4a5f97ab"
                "41e95b3b b0a2e8dd 477901e4 fca894c0");
    check_bytes(zeros + 16 * 0xfeff, 48,
                "ec8cdf73 98607cb0 f2d21675 ea9ea1e4 362b7c3c 67735163 18a077d7 fc5073ae"
                "6a2cc378 7889374f beb4c81b 17ba6c44");
    cf_srtp_session_clear(&session);
    free(zeros);
}

static void test_rfc3711_b3_key_derivation(void) {
    uint8_t key[16], salt[14];
    cf_srtp_keys keys;
    unhex(key, sizeof key, "e1f97a0d 3e018be0 d64fa32c 06de4139");
    unhex(salt, sizeof salt, "0ec675ad 498afeeb b6960b3a abe6");
    const cf_srtp_suite *suite = cf_srtp_suite_of(CF_SRTP_AES128_CM_SHA1_80);
    CHECK_INT(cf_srtp_derive(backend, suite, key, salt, CF_SRTP_LABEL_RTP, &keys), 0);
    check_bytes(keys.key, 16, "c61e7a93 744f39ee 10734afe 3ff7a087");
    check_bytes(keys.salt, 14, "30cbbc08 863d8c85 d49db34a 9ae1");
    check_bytes(keys.auth, 20, "cebe321f 6ff7716b 6fd4ab49 af256a15 6d38baa4");
}

/* RFC 6188 section 7.2, whose salt has 14 bytes: the derivation with AES-256 that our GCM suite uses with 12. */
static void test_rfc6188_7_2_key_derivation(void) {
    uint8_t key[32], salt[14];
    cf_srtp_keys keys;
    unhex(key, sizeof key, "f0f04914 b513f276 3a1b1fa1 30f10e29 98f6f6e4 3e4309d1 e622a0e3 32b9f1b6");
    unhex(salt, sizeof salt, "3b04803d e51ee7c9 6423ab5b 78d2");
    cf_srtp_suite suite = *cf_srtp_suite_of(CF_SRTP_AEAD_AES_256_GCM);
    suite.salt_len = 14;
    suite.auth_len = 20;
    CHECK_INT(cf_srtp_derive(backend, &suite, key, salt, CF_SRTP_LABEL_RTP, &keys), 0);
    check_bytes(keys.key, 32, "5ba1064e 30ec5161 3cad926c 5a28ef73 1ec7fb39 7f70a960 653caf06 554cd8c4");
    check_bytes(keys.salt, 14, "fa317916 85ca444a 9e07c6c6 4e93");
    check_bytes(keys.auth, 20, "fd9c32d3 9ed5fbb5 a9dc96b3 0818454d 1313dc05");
}

static void run_all(void) {
    RUN(test_rfc7714_16_1_rtp_128);
    RUN(test_rfc7714_16_2_rtp_256);
    RUN(test_rfc7714_17_1_rtcp_128);
    RUN(test_rfc7714_17_2_rtcp_256);
    RUN(test_rfc7714_17_3_tag_only);
    RUN(test_rfc7714_17_4_tag_only);
    RUN(test_rfc3711_b2_key_stream);
    RUN(test_rfc3711_b3_key_derivation);
    RUN(test_rfc6188_7_2_key_derivation);
}

int main(void) {
    backend = &cf_srtp_libcrypto;
    run_all();
    backend = &cf_srtp_aes_ni;
    if (backend->usable())
        run_all();
    return REPORT();
}

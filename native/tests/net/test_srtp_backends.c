/* The same packets through both backends: equal byte by byte, and each opens what the other has sealed. */
#include "net/srtp_state.h"
#include "srtplib.h"
#include "testlib.h"
#include <errno.h>

enum { PACKETS = 1500, LONG_ROOM = 1600 };

static cf_srtp *on(const cf_srtp_backend *backend, int profile) {
    tested_backend = backend;
    cf_srtp *srtp = new_srtp(profile, 9);
    CHECK(srtp != NULL);
    return srtp;
}

/* With extension every third packet; sequence numbers that run through a roll-over. */
static size_t some_rtp(uint8_t *pkt, size_t *header, uint32_t n) {
    make_rtp(pkt, 1 + n % 3, 65000 + n);
    *header = 12;
    if (n % 3 == 0) {
        pkt[0] |= 0x10;
        unhex(pkt + 12, 8, "bede0001 10550000");
        *header = 20;
    }
    for (size_t i = 0; i < n; i++)
        pkt[*header + i] = (uint8_t)(i * 7 + n);
    return *header + n;
}

static void check_equal(int profile) {
    cf_srtp *plain = on(&cf_srtp_libcrypto, profile), *fast = on(&cf_srtp_aes_ni, profile);
    cf_srtp *plain_in = on(&cf_srtp_libcrypto, profile), *fast_in = on(&cf_srtp_aes_ni, profile);
    for (uint32_t n = 0; n < PACKETS; n++) {
        uint8_t a[LONG_ROOM], b[LONG_ROOM], c[LONG_ROOM];
        size_t header, len = some_rtp(a, &header, n);
        memcpy(b, a, len);
        memcpy(c, a, len);
        int n_a = cf_srtp_protect(plain, a, len, sizeof a), n_b = cf_srtp_protect(fast, b, len, sizeof b);
        CHECK(n_a > (int)len && n_a == n_b && memcmp(a, b, (size_t)n_a) == 0);
        CHECK_INT(cf_srtp_unprotect(plain_in, b, (size_t)n_b), len);
        CHECK_INT(cf_srtp_unprotect(fast_in, a, (size_t)n_a), len);
        CHECK(memcmp(a, c, len) == 0 && memcmp(b, c, len) == 0);
        len = make_rtcp(a, 1 + n % 3);
        memcpy(b, a, len);
        n_a = cf_srtcp_protect(plain, a, len, sizeof a);
        n_b = cf_srtcp_protect(fast, b, len, sizeof b);
        CHECK(n_a > (int)len && n_a == n_b && memcmp(a, b, (size_t)n_a) == 0);
        CHECK_INT(cf_srtcp_unprotect(fast_in, a, (size_t)n_a), len);
        CHECK_INT(cf_srtcp_unprotect(plain_in, b, (size_t)n_b), len);
    }
    cf_srtp_free(plain);
    cf_srtp_free(fast);
    cf_srtp_free(plain_in);
    cf_srtp_free(fast_in);
}

static void test_both_backends_are_one(void) {
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        check_equal(PROFILES[i]);
}

static void test_the_best_is_usable(void) {
    CHECK(cf_srtp_backend_best()->usable() && cf_srtp_libcrypto.usable());
    CHECK(strcmp(cf_srtp_backend_name(), cf_srtp_backend_best()->name) == 0);
    CHECK(cf_srtp_backend_best() == &cf_srtp_aes_ni || !cf_srtp_aes_ni.usable());
    setenv("CONFERO_SRTP", "libcrypto", 1);
    CHECK(cf_srtp_backend_best() == &cf_srtp_libcrypto);
    unsetenv("CONFERO_SRTP");
}

int main(void) {
    RUN(test_the_best_is_usable);
    if (cf_srtp_aes_ni.usable())
        RUN(test_both_backends_are_one);
    return REPORT();
}

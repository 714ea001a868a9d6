/* SRTP allocates when a context is made, never for a packet; and a context that cannot be made leaves nothing behind.
 */
#include "srtplib.h"
#include "testlib.h"
#include <openssl/crypto.h>

/* What libcrypto allocates goes through here; our own code only allocates the context itself. */
static long allocations, alive;
static long fail_at = -1; /* number of the allocation from now on that fails, -1: none */

static void *count_malloc(size_t size, const char *file, int line) {
    (void)file, (void)line;
    allocations++;
    if (fail_at >= 0 && fail_at-- == 0)
        return NULL;
    void *p = malloc(size);
    alive += p != NULL;
    return p;
}

static void *count_realloc(void *old, size_t size, const char *file, int line) {
    if (old == NULL)
        return count_malloc(size, file, line);
    allocations++;
    if (fail_at >= 0 && fail_at-- == 0)
        return NULL;
    return realloc(old, size);
}

static void count_free(void *p, const char *file, int line) {
    (void)file, (void)line;
    alive -= p != NULL;
    free(p);
}

/* Everything that can happen to a packet, good or bad. */
static void use(cf_srtp *out, cf_srtp *in, uint32_t index) {
    uint8_t pkt[ROOM], bad[ROOM];
    size_t len = make_rtp(pkt, index % 20, index);
    int n = cf_srtp_protect(out, pkt, len, sizeof pkt);
    if (n > 0) {
        memcpy(bad, pkt, sizeof bad);
        bad[n - 1] ^= 1;
        CHECK(cf_srtp_unprotect(in, bad, (size_t)n) < 0);
        CHECK_INT(cf_srtp_unprotect(in, pkt, (size_t)n), len);
        CHECK(cf_srtp_unprotect(in, pkt, (size_t)n) < 0);
    }
    len = make_rtcp(pkt, index % 20);
    n = cf_srtcp_protect(out, pkt, len, sizeof pkt);
    if (n > 0) {
        memcpy(bad, pkt, sizeof bad);
        bad[n - 1] ^= 1;
        CHECK(cf_srtcp_unprotect(in, bad, (size_t)n) < 0);
        CHECK_INT(cf_srtcp_unprotect(in, pkt, (size_t)n), len);
    }
}

static void test_no_allocation_for_a_packet(void) {
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        cf_srtp *out = new_srtp(PROFILES[i], 1), *in = new_srtp(PROFILES[i], 1);
        CHECK(out && in);
        use(out, in, 0); /* libcrypto may set up its thread's error list once */
        long before = allocations;
        for (uint32_t index = 1; index < 2000; index++)
            use(out, in, index);
        CHECK_INT(allocations, before);
        cf_srtp_free(out);
        cf_srtp_free(in);
    }
}

static void test_free_gives_all_back(void) {
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        cf_srtp_free(new_srtp(PROFILES[i], 1)); /* libcrypto keeps the fetched algorithms */
        long before = alive;
        cf_srtp *srtp = new_srtp(PROFILES[i], 1);
        CHECK(srtp && alive > before);
        cf_srtp_free(srtp);
        CHECK_INT(alive, before);
    }
}

/* The n-th allocation fails, for growing n, until all succeed. libcrypto can do without some of them. */
static void test_each_failing_allocation(void) {
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        int refused = 0;
        bool reached = true;
        cf_srtp_free(new_srtp(PROFILES[i], 1));
        for (int n = 0; reached; n++) {
            long before = alive;
            fail_at = n;
            cf_srtp *srtp = new_srtp(PROFILES[i], 1);
            reached = fail_at < 0;
            fail_at = -1;
            refused += srtp == NULL;
            CHECK(srtp || reached);
            cf_srtp_free(srtp);
            CHECK_INT(alive, before);
        }
        CHECK(refused >= 8); /* two for each of two derivations and two sessions */
    }
}

int main(void) {
    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1) {
        fprintf(stderr, "libcrypto has allocated already: its allocations cannot be counted\n");
        return EXIT_FAILURE;
    }
    tested_backend = &cf_srtp_aes_ni;
    if (tested_backend->usable()) {
        cf_srtp_free(new_srtp(PROFILES[0], 1)); /* libcrypto sets itself up */
        long before = allocations;
        RUN(test_no_allocation_for_a_packet);
        CHECK_INT(allocations, before); /* not even for a context */
    }
    tested_backend = &cf_srtp_libcrypto;
    RUN(test_no_allocation_for_a_packet);
    RUN(test_free_gives_all_back);
    RUN(test_each_failing_allocation);
    CHECK(allocations > 0);
    return REPORT();
}

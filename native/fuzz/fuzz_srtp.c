/* Streams of packets through SRTP with a key out of the input: honest ones come back, others are refused and left as
 * they were. Input: [profile and backend, seed], then records of [what, which, length, length, bytes]; what: 0 bytes as
 * SRTP, 1 bytes as SRTCP, 2 bytes as RTP to protect and send, 3 bytes as RTCP to protect and send; with 4: bit `which`
 * of the sent packet is flipped on its way; with 8: it is sent twice. */
#include "fuzzlib.h"
#include "net/srtp_state.h"
#include <errno.h>

enum { IS_RTCP = 1, SEND = 2, FLIP = 4, TWICE = 8 };

typedef int unprotect_fn(cf_srtp *srtp, uint8_t *pkt, size_t len);

static cf_srtp *make(const uint8_t *data) {
    static const int profiles[] = {CF_SRTP_AES128_CM_SHA1_80, CF_SRTP_AEAD_AES_128_GCM, CF_SRTP_AEAD_AES_256_GCM,
                                   CF_SRTP_AES128_CM_SHA1_32};
    const cf_srtp_suite *suite = cf_srtp_suite_of(profiles[data[0] % 4]);
    uint8_t key[32], salt[14];
    memset(key, data[1], sizeof key);
    memset(salt, data[1] ^ 0xff, sizeof salt);
    const cf_srtp_backend *backend = data[0] & 0x80 ? &cf_srtp_libcrypto : cf_srtp_backend_best();
    cf_srtp *srtp = cf_srtp_new_on(backend, suite->profile, key, suite->key_len, salt, suite->salt_len);
    HOLDS(srtp != NULL);
    return srtp;
}

/* Hands over a copy; what is refused must be as it was. Returns the result; the opened packet is left in `pkt`. */
static int deliver(cf_srtp *in, unprotect_fn *unprotect, uint8_t *pkt, size_t len) {
    block b = copy_of(pkt, len, 0);
    size_t count = in->count;
    int n = unprotect(in, b.data, len);
    HOLDS(n < (int)len && in->count <= CF_SRTP_SSRCS && in->retired_count <= CF_SRTP_RETIRED);
    if (n < 0) {
        HOLDS(n == -EBADMSG || n == -EKEYREJECTED || n == -EALREADY || n == -EMFILE || n == -EKEYEXPIRED);
        HOLDS(memcmp(b.data, pkt, len) == 0 && in->count == count);
    } else {
        memcpy(pkt, b.data, (size_t)n);
    }
    free(b.base);
    return n;
}

/* Nobody could have signed it. */
static void hostile(cf_srtp *in, const record *r) {
    block b = copy_of(r->data, r->len, 0);
    HOLDS(deliver(in, r->what & IS_RTCP ? cf_srtcp_unprotect : cf_srtp_unprotect, b.data, r->len) < 0);
    free(b.base);
}

static void honest(cf_srtp *out, cf_srtp *in, const record *r) {
    bool rtcp = r->what & IS_RTCP;
    unprotect_fn *unprotect = rtcp ? cf_srtcp_unprotect : cf_srtp_unprotect;
    block b = copy_of(r->data, r->len, CF_SRTCP_OVERHEAD);
    int n = rtcp ? cf_srtcp_protect(out, b.data, r->len, r->len + CF_SRTCP_OVERHEAD)
                 : cf_srtp_protect(out, b.data, r->len, r->len + CF_SRTP_OVERHEAD);
    HOLDS(n > (int)r->len || (n < 0 && memcmp(b.data, r->data, r->len) == 0));
    if (n > 0 && r->what & FLIP) {
        b.data[r->which / 8 % n] ^= (uint8_t)(1 << r->which % 8);
        HOLDS(deliver(in, unprotect, b.data, (size_t)n) < 0);
    } else if (n > 0) {
        block sent = copy_of(b.data, (size_t)n, 0);
        int got = deliver(in, unprotect, b.data, (size_t)n);
        HOLDS(got < 0 || (got == (int)r->len && memcmp(b.data, r->data, r->len) == 0));
        HOLDS(!(r->what & TWICE) || deliver(in, unprotect, sent.data, (size_t)n) < 0);
        free(sent.base);
    }
    free(b.base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    cf_srtp *out = make(data), *in = make(data);
    record r;
    for (size_t at = 2; next_record(&r, data, size, &at);)
        if (r.what & SEND)
            honest(out, in, &r);
        else
            hostile(in, &r);
    cf_srtp_free(out);
    cf_srtp_free(in);
    return 0;
}

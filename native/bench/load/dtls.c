/* A member's side of DTLS-SRTP over libssl's memory BIOs: client, the mixer's certificate known by its fingerprint,
 * keys from the exporter (RFC 5763, RFC 5764). */
#include "load.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <strings.h>

enum { MTU = 1200, RECORD_HEADER = 13, ALERT = 21, DAY_S = 86400 };

static const struct {
    int profile;
    const char *name;
    size_t key, salt;
} PROFILES[] = {{CF_SRTP_AEAD_AES_128_GCM, "SRTP_AEAD_AES_128_GCM", 16, 12},
                {CF_SRTP_AEAD_AES_256_GCM, "SRTP_AEAD_AES_256_GCM", 32, 12},
                {CF_SRTP_AES128_CM_SHA1_80, "SRTP_AES128_CM_SHA1_80", 16, 14}};

static void print_fingerprint(const X509 *certificate, char *out) {
    uint8_t digest[32];
    unsigned len = sizeof digest;
    if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1)
        fail("no digest of a certificate");
    for (unsigned i = 0; i < len; i++)
        sprintf(out + 3 * i, i + 1 < len ? "%02X:" : "%02X", digest[i]);
}

/* One certificate for all members: making it is no part of the load. */
static void use_certificate(SSL_CTX *tls, char *fingerprint) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    if (key == NULL || certificate == NULL)
        fail("no certificate");
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 30 * DAY_S);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"load", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    if (X509_sign(certificate, key, EVP_sha256()) == 0 || SSL_CTX_use_certificate(tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(tls, key) != 1)
        fail("no certificate");
    print_fingerprint(certificate, fingerprint);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

/* Self-signed by nature: the fingerprint is compared once the handshake is done (RFC 5763 section 5). */
static int any_chain(int ok, X509_STORE_CTX *store) {
    (void)ok, (void)store;
    return 1;
}

void dtls_set_up(load *l) {
    l->tls = SSL_CTX_new(DTLS_client_method());
    if (l->tls == NULL || SSL_CTX_set_min_proto_version(l->tls, DTLS1_2_VERSION) != 1)
        fail("no DTLS");
    SSL_CTX_set_options(l->tls, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(l->tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(l->tls, SSL_VERIFY_PEER, any_chain);
    use_certificate(l->tls, l->fingerprint);
    for (size_t i = 0; i < sizeof PROFILES / sizeof *PROFILES; i++)
        if (PROFILES[i].profile == l->plan.profile && SSL_CTX_set_tlsext_use_srtp(l->tls, PROFILES[i].name) != 0)
            fail("libssl does not know the SRTP profile");
}

/* What libssl has to say goes out, whole records in datagrams of at most MTU bytes (RFC 6347 section 4.1.1). */
static void flush(load *l, member *m) {
    uint8_t data[16384];
    int waiting = BIO_read(m->peer->out, data, sizeof data);
    size_t len = waiting > 0 ? (size_t)waiting : 0;
    for (size_t from = 0, at = 0; from < len; from = at) {
        while (at + RECORD_HEADER <= len) {
            size_t record = RECORD_HEADER + (size_t)cf_get16(data + at + RECORD_HEADER - 2);
            if (at > from && at + record - from > MTU)
                break;
            at += record;
        }
        if (at == from || at > len)
            fail("libssl wrote half a record");
        send_datagram(l, m, data + from, at - from);
    }
}

static bool is_mixer(const peer *p) {
    char fingerprint[100];
    X509 *certificate = SSL_get1_peer_certificate(p->ssl);
    if (certificate == NULL)
        return false;
    print_fingerprint(certificate, fingerprint);
    X509_free(certificate);
    return strcasecmp(fingerprint, p->fingerprint) == 0;
}

/* RFC 5764 section 4.2: client key, server key, client salt, server salt; ours are the client's. */
static bool take_keys(load *l, member *m) {
    static const char LABEL[] = "EXTRACTOR-dtls_srtp";
    const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(m->peer->ssl);
    uint8_t material[2 * (32 + 14)];
    for (size_t i = 0; i < sizeof PROFILES / sizeof *PROFILES; i++) {
        size_t key = PROFILES[i].key, salt = PROFILES[i].salt;
        if (chosen == NULL || chosen->id != (unsigned long)PROFILES[i].profile ||
            PROFILES[i].profile != l->plan.profile ||
            SSL_export_keying_material(m->peer->ssl, material, 2 * (key + salt), LABEL, sizeof LABEL - 1, NULL, 0, 0) !=
                1)
            continue;
        m->mouth = cf_srtp_new(PROFILES[i].profile, material, key, material + 2 * key, salt);
        m->hears = cf_srtp_new(PROFILES[i].profile, material + key, key, material + 2 * key + salt, salt);
    }
    return m->mouth != NULL && m->hears != NULL;
}

static void end(load *l, member *m, const char *why) {
    m->peer->stage = STAGE_FAILED;
    printf("failed %d %s\n", (int)(m - l->all), why);
    fflush(stdout);
}

static void step(load *l, member *m) {
    peer *p = m->peer;
    ERR_clear_error();
    int done = SSL_do_handshake(p->ssl), error = SSL_get_error(p->ssl, done);
    flush(l, m);
    if (done != 1) {
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            end(l, m, "dtls");
        return;
    }
    if (!is_mixer(p) || !take_keys(l, m)) {
        end(l, m, "certificate or keys");
        return;
    }
    p->stage = STAGE_UP;
    SSL_free(p->ssl); /* 60 kB; the server's was the last flight, so that we never send again */
    p->ssl = NULL;
    l->up++;
    printf("up %d\n", (int)(m - l->all));
    fflush(stdout);
}

void dtls_begin(load *l, member *m) {
    peer *p = m->peer;
    p->ssl = SSL_new(l->tls);
    p->in = BIO_new(BIO_s_mem());
    p->out = BIO_new(BIO_s_mem());
    if (p->ssl == NULL || p->in == NULL || p->out == NULL)
        fail("no memory for DTLS");
    BIO_set_mem_eof_return(p->in, -1); /* empty: try again */
    SSL_set_bio(p->ssl, p->in, p->out);
    SSL_set_mtu(p->ssl, MTU);
    SSL_set_connect_state(p->ssl);
    step(l, m);
}

void dtls_receive(load *l, member *m, const uint8_t *data, size_t len) {
    l->closed += m->peer->stage == STAGE_UP && data[0] == ALERT; /* close_notify: nothing else is said by then */
    if (m->peer->stage != STAGE_HANDSHAKE)
        return;
    BIO_write(m->peer->in, data, (int)len);
    step(l, m);
}

void dtls_timers(load *l, member *m) {
    struct timeval left;
    if (DTLSv1_get_timeout(m->peer->ssl, &left) != 1 || left.tv_sec > 0 || left.tv_usec > 0)
        return;
    if (DTLSv1_handle_timeout(m->peer->ssl) < 0) {
        end(l, m, "dtls timeout");
        return;
    }
    flush(l, m);
}

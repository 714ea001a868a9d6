/* TLS as the relay speaks it: 1.2 and 1.3, forward secrecy and authenticated ciphers only, no renegotiation (RFC 9325).
 */
#include "lobby.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

/* RFC 7443 names STUN and TURN; HTTP/1.1 is what the control side knows to pass on. */
static const unsigned char PROTOCOLS[] = "\x09stun.turn\x12stun.nat-discovery\x08http/1.1";

/* None that we have: the handshake goes on without, as it does with clients that name none. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *arg) {
    (void)ssl, (void)arg;
    unsigned char *chosen;
    int rc = SSL_select_next_proto(&chosen, out_len, PROTOCOLS, sizeof PROTOCOLS - 1, in, in_len);
    *out = chosen;
    return rc == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static bool configure(SSL_CTX *tls) {
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* Buffers of an idle connection are given back; a write that could not be done is given again from another place.
     */
    SSL_CTX_set_mode(tls,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(tls, 1); /* several records in one call */
    SSL_CTX_set_num_tickets(tls, 1);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set_session_id_context(tls, (const unsigned char *)"confero", 7) == 1;
}

SSL_CTX *cf_tls_new(const char *chain_path, const char *key_path) {
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL)
        return NULL;
    bool good = configure(tls) && SSL_CTX_use_certificate_chain_file(tls, chain_path) == 1 &&
                SSL_CTX_use_PrivateKey_file(tls, key_path, SSL_FILETYPE_PEM) == 1 &&
                SSL_CTX_check_private_key(tls) == 1;
    ERR_clear_error();
    if (good)
        return tls;
    SSL_CTX_free(tls);
    return NULL;
}

int cf_relay_certificate(cf_relay *relay, const char *chain_path, const char *key_path) {
    SSL_CTX *tls = cf_tls_new(chain_path, key_path);
    if (tls == NULL)
        return -EINVAL;
    cf_lobby_set_tls(relay->lobby, tls);
    return 0;
}

/* A running relay on loopback, clients and peers with sockets of their own, for the tests with threads. */
#ifndef CONFEROCORE_TESTS_RELAY_LIB_H
#define CONFEROCORE_TESTS_RELAY_LIB_H

#include "conferocore/relay.h"
#include "testlib.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
enum { PATIENCE_MS = 20000 };

static const uint8_t REQUEST[20] = {0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42, 't', 'e', 's', 't'};

static inline struct sockaddr_in any_port(void) {
    struct sockaddr_in name = {.sin_family = AF_INET};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return name;
}

static inline int bound_socket(int type, cf_addr *addr) {
    struct sockaddr_in name = any_port();
    socklen_t len = sizeof name;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, len) < 0 || getsockname(fd, (struct sockaddr *)&name, &len) < 0)
        abort();
    *addr = (cf_addr){.family = 4, .port = ntohs(name.sin_port)};
    memcpy(addr->ip, &name.sin_addr, 4);
    return fd;
}

static inline struct sockaddr_in name_of(const cf_addr *addr) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
    memcpy(&name.sin_addr, addr->ip, 4);
    return name;
}

static inline void send_to(int fd, const void *data, size_t len, const cf_addr *to) {
    struct sockaddr_in name = name_of(to);
    if (sendto(fd, data, len, 0, (struct sockaddr *)&name, sizeof name) < 0)
        abort();
}

/* What comes within the patience; -1: nothing. */
static inline ssize_t take(int fd, void *data, size_t cap) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, PATIENCE_MS) == 1 ? recv(fd, data, cap, 0) : -1;
}

static inline cf_relay_config small_config(int threads) {
    return (cf_relay_config){.threads = threads,
                             .allocations = 32,
                             .permissions = 8,
                             .connections = 32,
                             .handshakes = 16,
                             .handshakes_source = 16,
                             .first_message_ns = 20 * SECOND,
                             .idle_ns = 20 * SECOND,
                             .rest_ns = 200000,
                             .seed = 3};
}

/* The next event; false: none came. */
static inline bool next_event(cf_relay *relay, cf_relay_event *event) {
    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        if (cf_relay_events(relay, event, 1) == 1)
            return true;
        struct pollfd ready = {.fd = cf_relay_fileno(relay), .events = POLLIN};
        poll(&ready, 1, 10);
    }
    return false;
}

static inline bool event_of(cf_relay *relay, cf_relay_event *event, int type) {
    while (next_event(relay, event))
        if (event->type == type)
            return true;
    return false;
}

/* A certificate that signs itself, as two files. */
static inline void write_certificate(const char *chain, const char *key_path) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1,
                               0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_sign(cert, key, EVP_sha256());
    FILE *file = fopen(chain, "w");
    if (file == NULL || PEM_write_X509(file, cert) != 1 || fclose(file) != 0)
        abort();
    file = fopen(key_path, "w");
    if (file == NULL || PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) != 1 || fclose(file) != 0)
        abort();
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* A client's end of a connection that the relay has adopted. */
static inline int connected(cf_relay *relay, uint64_t *number) {
    cf_addr addr;
    int server = bound_socket(SOCK_STREAM, &addr), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in name = name_of(&addr);
    if (listen(server, 1) < 0 || connect(fd, (struct sockaddr *)&name, sizeof name) < 0)
        abort();
    int accepted = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    CHECK_INT(cf_relay_adopt(relay, accepted, CF_ADOPT_SNIFF, number), 0);
    close(server);
    return fd;
}

#endif

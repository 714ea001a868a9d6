/* Where connections wait until they have said something: a thread of its own, so that no handshake delays a packet. */
#ifndef CONFEROCORE_RELAY_LOBBY_H
#define CONFEROCORE_RELAY_LOBBY_H

#include "conn.h"

cf_lobby *cf_lobby_new(cf_relay *relay);
int cf_lobby_start(cf_lobby *lobby);
void cf_lobby_stop(cf_lobby *lobby); /* NULL is fine, as it is for the next */
void cf_lobby_free(cf_lobby *lobby); /* after the workers */
/* From the control side: -EAGAIN, too many are at the door. */
int cf_lobby_enter(cf_lobby *lobby, cf_worker *worker, uint64_t number, int fd, int how);
void cf_lobby_refused(cf_lobby *lobby);
void cf_lobby_stats(const cf_lobby *lobby, cf_relay_stats *stats);
/* A reference of the certificate in use, NULL: none; and another from now on, which becomes the lobby's. */
SSL_CTX *cf_lobby_tls(cf_lobby *lobby);
void cf_lobby_set_tls(cf_lobby *lobby, SSL_CTX *tls);

/* tls.c. NULL: they cannot be read, or do not fit each other. */
SSL_CTX *cf_tls_new(const char *chain_path, const char *key_path);

#endif

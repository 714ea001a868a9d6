/* A member's side of ICE: it controls, the mixer is ICE-lite (RFC 8445); consent is kept up (RFC 7675). */
#include "load.h"

#include "conferocore/stun.h"

#include <openssl/crypto.h>

/* RFC 8445 section 14: first retransmission after 500 ms. RFC 7675 section 5.1: each 5 s, varied by 20 %; 30 s without
 * an answer end it. */
enum { RETRY_MS = 500, CONSENT_MS = 5000, EXPIRY_MS = 30000, RECENT = 20, PRIORITY = 0x6E0001FF };

#define OWN_PASSWORD "benchmarkMembersPassword" /* also in lab/bench/joining.py */

static void check_send(load *l, member *m) {
    peer *p = m->peer;
    uint8_t out[CF_STUN_MAX], txid[12] = "load";
    char username[300];
    snprintf(username, sizeof username, "%s:m%05d", p->ufrag, (int)(m - l->all));
    cf_put32(txid + 4, (uint32_t)(m - l->all));
    cf_put32(txid + 8, ++p->txid);
    int len = cf_stun_write_request(out, sizeof out, txid, username, p->pwd, PRIORITY, true, 1, true);
    if (len > 0)
        send_datagram(l, m, out, (size_t)len);
}

void peer_join(load *l, member *m, int64_t now) {
    m->peer->stage = STAGE_CHECKING;
    m->peer->check_due = now;
    peer_timers(l, m, now);
}

/* An answer to one of our last checks, signed with the mixer's password. A busy mixer answers after the next one was
 * sent: that counts too. */
static bool check_answered(const member *m, const uint8_t *data, size_t len) {
    cf_stun_msg msg;
    return cf_stun_parse(&msg, data, len) == 0 && msg.type == CF_STUN_BINDING_SUCCESS &&
           m->peer->txid - cf_get32(msg.txid + 8) < RECENT && cf_stun_check_fingerprint(&msg) &&
           cf_stun_check_integrity(&msg, m->peer->pwd, strlen(m->peer->pwd));
}

/* A full agent checks the pair from its side as well, and is answered (RFC 8445 section 7.3). */
static void answer_check(load *l, member *m, const cf_stun_msg *msg) {
    uint8_t out[CF_STUN_MAX];
    if (!cf_stun_check_fingerprint(msg) || !cf_stun_check_integrity(msg, OWN_PASSWORD, strlen(OWN_PASSWORD)))
        return;
    int len = cf_stun_write_success(out, sizeof out, msg->txid, &m->remote, OWN_PASSWORD);
    if (len > 0)
        send_datagram(l, m, out, (size_t)len);
}

static void stun_receive(load *l, member *m, const uint8_t *data, size_t len, int64_t now) {
    cf_stun_msg msg;
    if (cf_stun_parse(&msg, data, len) == 0 && msg.type == CF_STUN_BINDING_REQUEST)
        answer_check(l, m, &msg);
    if (!check_answered(m, data, len))
        return;
    m->peer->consented = now;
    m->peer->check_due = now + (int64_t)(CONSENT_MS * (0.8 + 0.4 * cf_rng_unit(&l->rng))) * MS;
    if (m->peer->stage == STAGE_CHECKING) {
        m->peer->stage = STAGE_HANDSHAKE;
        dtls_begin(l, m);
    }
}

/* By the first byte (RFC 7983). */
void peer_receive(load *l, member *m, const uint8_t *data, size_t len, int64_t now) {
    if (len > 0 && data[0] <= 3)
        stun_receive(l, m, data, len, now);
    else if (len > 0 && data[0] >= 20 && data[0] <= 63)
        dtls_receive(l, m, data, len);
}

void peer_timers(load *l, member *m, int64_t now) {
    peer *p = m->peer;
    if (p->stage == STAGE_NONE || p->stage == STAGE_FAILED)
        return;
    if (p->stage == STAGE_HANDSHAKE)
        dtls_timers(l, m);
    if (p->stage != STAGE_CHECKING && now - p->consented > EXPIRY_MS * MS) {
        p->stage = STAGE_FAILED;
        l->consents_lost++;
        return;
    }
    if (now >= p->check_due) {
        check_send(l, m);
        p->check_due = now + RETRY_MS * MS;
    }
}

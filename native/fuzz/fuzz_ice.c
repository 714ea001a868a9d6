/* A sequence of messages to an ICE-lite agent: only right checks change it, its tables stay whole, its answers are
 * sound. Input: records of [what, which path, length, length, message]; bits of what: 1 sign the message, 2 mark it
 * with a FINGERPRINT, 4 let a second pass. */
#include "conferocore/ice.h"
#include "fuzzlib.h"
#include "net/stun_format.h"

enum { SIGN = 1, MARK = 2, WAIT = 4, GROWTH = 24 + 8 };
static const char PWD[] = "local-password-of-22-chars";

static cf_path path_of(uint8_t n) {
    cf_path p = {.socket = n & 1, .remote = {.ip = {192, 0, 2, n}, .port = 4000, .family = n & 2 ? 6 : 4}};
    return p;
}

/* Adds what the record asks for, right, behind a message; the header's length is set anew. Returns the length. */
static size_t complete(uint8_t *message, size_t len, uint8_t what) {
    if (len < CF_STUN_HEADER)
        return len;
    len &= ~(size_t)3;
    if (what & SIGN) {
        cf_put32(message + len, (uint32_t)CF_ATTR_MESSAGE_INTEGRITY << 16 | CF_SHA1_LEN);
        cf_stun_integrity(message, len, PWD, strlen(PWD), message + len + CF_STUN_ATTR_HEADER);
        len += CF_STUN_ATTR_HEADER + CF_SHA1_LEN;
    }
    if (what & MARK) {
        cf_put16(message + 2, (uint16_t)(len + 8 - CF_STUN_HEADER));
        cf_put32(message + len, (uint32_t)CF_ATTR_FINGERPRINT << 16 | 4);
        cf_put32(message + len + CF_STUN_ATTR_HEADER, cf_stun_fingerprint(message, len));
        len += 8;
    }
    if (what & (SIGN | MARK))
        cf_put16(message + 2, (uint16_t)(len - CF_STUN_HEADER));
    return len;
}

static void check_agent(const cf_ice *ice) {
    int nominated = 0;
    HOLDS(ice->path_count <= CF_ICE_PATHS && ice->selected < (int)ice->path_count);
    HOLDS((ice->path_count == 0) == (ice->selected == -1) && (ice->path_count == 0) == (ice->checks == 0));
    for (size_t i = 0; i < ice->path_count; i++)
        nominated += ice->paths[i].nominated;
    HOLDS(nominated <= 1 && (nominated == 0 || ice->paths[ice->selected].nominated));
}

static void check_reply(const cf_stun_msg *request, const uint8_t *reply, size_t len, bool accepted,
                        const cf_path *from) {
    cf_stun_msg msg;
    HOLDS(cf_stun_parse(&msg, reply, len) == 0 && cf_stun_check_fingerprint(&msg));
    HOLDS(memcmp(msg.txid, request->txid, CF_STUN_TXID) == 0);
    if (accepted) {
        HOLDS(msg.type == CF_STUN_BINDING_SUCCESS && cf_stun_check_integrity(&msg, PWD, strlen(PWD)));
        HOLDS(cf_addr_equal(&msg.mapped, &from->remote) && cf_stun_check_integrity(request, PWD, strlen(PWD)));
    } else {
        HOLDS(msg.type == CF_STUN_BINDING_ERROR && len <= 128);
    }
}

static void receive(cf_ice *ice, const cf_stun_msg *msg, const cf_path *from, int64_t now) {
    uint8_t reply[CF_STUN_MAX];
    size_t reply_len;
    cf_ice before = *ice;
    unsigned changed = cf_ice_receive(ice, msg, from, now, reply, sizeof reply, &reply_len);
    bool accepted = ice->checks > before.checks;
    HOLDS(accepted || (changed == 0 && memcmp(ice->paths, before.paths, sizeof ice->paths) == 0 &&
                       ice->selected == before.selected && ice->consent_at == before.consent_at));
    HOLDS(!accepted || (cf_ice_knows(ice, from) && reply_len > 0));
    HOLDS(!accepted || !msg->use_candidate || cf_path_equal(cf_ice_selected_path(ice), from));
    if (reply_len)
        check_reply(msg, reply, reply_len, accepted, from);
    check_agent(ice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cf_ice ice;
    HOLDS(cf_ice_init(&ice, "evtj", PWD, size % 2 ? "h6vY" : "") == 0);
    int64_t now = 0;
    record r;
    for (size_t at = 0; next_record(&r, data, size, &at);) {
        block b = copy_of(r.data, r.len, GROWTH);
        cf_stun_msg msg;
        cf_path from = path_of(r.which);
        now += r.what & WAIT ? 1000000000 : 1;
        if (cf_stun_parse(&msg, b.data, complete(b.data, r.len, r.what)) == 0)
            receive(&ice, &msg, &from, now);
        free(b.base);
    }
    return 0;
}

/* Any bytes as a STUN message: parsed or -EBADMSG, every view inside the message, and no forged integrity. */
#include "conferocore/ice.h"
#include "fuzzlib.h"
#include <errno.h>

static const char PASSWORD[] = "VOkJxbRl1RmTxUk/WvJxBt"; /* of RFC 5769, whose messages are in the corpus */

static void check_views(const cf_stun_msg *msg) {
    HOLDS(msg->len >= 20 && msg->len <= CF_STUN_MAX && msg->len % 4 == 0);
    inside(msg->txid, 12, msg->raw, msg->len);
    inside(msg->username, msg->username_len, msg->raw, msg->len);
    HOLDS(msg->integrity_at == 0 || msg->integrity_at + 24 <= msg->len);
    HOLDS(msg->fingerprint_at == 0 || msg->fingerprint_at + 8 == msg->len);
    HOLDS(msg->unknown_count <= CF_STUN_UNKNOWN_MAX);
    HOLDS(!msg->has_mapped || msg->mapped.family == 4 || msg->mapped.family == 6);
    HOLDS(msg->error_code == 0 || (msg->error_code >= 300 && msg->error_code <= 699));
}

/* What we answer to a message is a message that we read as we wrote it. */
static void check_answers(const cf_stun_msg *msg) {
    uint8_t out[CF_STUN_MAX];
    cf_stun_msg back;
    int len = cf_stun_write_error(out, sizeof out, msg->txid, 420, msg->unknown, msg->unknown_count, PASSWORD);
    HOLDS(len > 0 && cf_stun_parse(&back, out, (size_t)len) == 0 && back.error_code == 420);
    HOLDS(cf_stun_check_fingerprint(&back) && cf_stun_check_integrity(&back, PASSWORD, strlen(PASSWORD)));
    if (!msg->has_mapped)
        return;
    len = cf_stun_write_success(out, sizeof out, msg->txid, &msg->mapped, PASSWORD);
    HOLDS(len > 0 && cf_stun_parse(&back, out, (size_t)len) == 0 && cf_addr_equal(&back.mapped, &msg->mapped));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    block b = copy_of(data, size, 0);
    cf_stun_msg msg;
    char ufrag[CF_UFRAG_MAX + 1];
    int result = cf_stun_parse(&msg, b.data, size);
    HOLDS(result == 0 || result == -EBADMSG);
    HOLDS(result != 0 || cf_stun_looks_like(b.data, size));
    if (result == 0) {
        check_views(&msg);
        cf_stun_check_fingerprint(&msg);
        HOLDS(!cf_stun_check_integrity(&msg, "a password that signed nothing", 30));
        cf_stun_check_integrity(&msg, PASSWORD, strlen(PASSWORD));
        if (cf_ice_username_local(&msg, ufrag))
            HOLDS(strlen(ufrag) > 0 && strlen(ufrag) <= CF_UFRAG_MAX && strlen(ufrag) < msg.username_len);
        check_answers(&msg);
    }
    free(b.base);
    return 0;
}

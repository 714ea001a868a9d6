/* ICE-lite (RFC 8445 section 2.5): answers connectivity checks and keeps the paths over which authenticated ones came.
 */
#include "conferocore/ice.h"
#include <errno.h>
#include <string.h>

enum { ERRORS_PER_WINDOW = 10 };
static const int64_t ERROR_WINDOW_NS = 1000000000;

static bool copy_string(char *out, size_t max, const char *text) {
    size_t len = strnlen(text, max + 1);
    if (len > max)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

int cf_ice_init(cf_ice *ice, const char *local_ufrag, const char *local_pwd, const char *remote_ufrag) {
    *ice = (cf_ice){.selected = -1, .consent_at = -1};
    if (!local_ufrag[0] || !local_pwd[0] || strchr(local_ufrag, ':'))
        return -EINVAL;
    if (!copy_string(ice->local_ufrag, CF_UFRAG_MAX, local_ufrag) ||
        !copy_string(ice->local_pwd, CF_PWD_MAX, local_pwd) ||
        !copy_string(ice->remote_ufrag, CF_UFRAG_MAX, remote_ufrag))
        return -EINVAL;
    return 0;
}

/* Length of the part of USERNAME before the colon, 0: it is not "local:remote". */
static size_t local_part(const cf_stun_msg *msg) {
    const uint8_t *colon = msg->username ? memchr(msg->username, ':', msg->username_len) : NULL;
    if (colon == NULL || colon + 1 == msg->username + msg->username_len)
        return 0;
    return (size_t)(colon - msg->username);
}

bool cf_ice_username_local(const cf_stun_msg *msg, char out[CF_UFRAG_MAX + 1]) {
    size_t len = local_part(msg);
    if (len == 0 || len > CF_UFRAG_MAX || memchr(msg->username, 0, len))
        return false;
    memcpy(out, msg->username, len);
    out[len] = 0;
    return true;
}

static bool same_text(const uint8_t *bytes, size_t len, const char *text) {
    return len == strlen(text) && memcmp(bytes, text, len) == 0;
}

static bool username_fits(const cf_ice *ice, const cf_stun_msg *msg) {
    size_t local = local_part(msg);
    if (local == 0 || !same_text(msg->username, local, ice->local_ufrag))
        return false;
    return !ice->remote_ufrag[0] ||
           same_text(msg->username + local + 1, msg->username_len - local - 1, ice->remote_ufrag);
}

/* What is wrong with a request, as an error code, 0: nothing. *authentic tells whether the reply may be signed. */
static uint16_t judge(const cf_ice *ice, const cf_stun_msg *msg, bool *authentic) {
    *authentic = false;
    /* RFC 8489 section 9.1.3: USERNAME and MESSAGE-INTEGRITY must be there, then be right */
    if (!msg->username || !msg->integrity_at)
        return 400;
    if (!username_fits(ice, msg) || !cf_stun_check_integrity(msg, ice->local_pwd, strlen(ice->local_pwd)))
        return 401;
    *authentic = true;
    /* RFC 8489 section 6.3.1: comprehension-required attributes that are not known */
    if (msg->unknown_count)
        return 420;
    /* RFC 8445 section 7.3.1.1: a lite agent is controlled and stays so; the peer has to switch */
    return msg->controlled ? 487 : 0;
}

static bool may_answer_error(cf_ice *ice, int64_t now) {
    if (now - ice->error_window_at >= ERROR_WINDOW_NS) {
        ice->error_window_at = now;
        ice->errors_in_window = 0;
    }
    if (ice->errors_in_window >= ERRORS_PER_WINDOW)
        return false;
    ice->errors_in_window++;
    return true;
}

static int find_path(const cf_ice *ice, const cf_path *path) {
    for (size_t i = 0; i < ice->path_count; i++)
        if (cf_path_equal(&ice->paths[i].path, path))
            return (int)i;
    return -1;
}

/* A free place, else that of the oldest path which is not selected. */
static int place_for_path(cf_ice *ice) {
    for (size_t i = 0; i < ice->path_count; i++)
        if (ice->paths[i].checked_at == INT64_MIN)
            return (int)i;
    if (ice->path_count < CF_ICE_PATHS)
        return (int)ice->path_count++;
    int oldest = ice->selected == 0;
    for (int i = oldest + 1; i < CF_ICE_PATHS; i++)
        if (i != ice->selected && ice->paths[i].checked_at < ice->paths[oldest].checked_at)
            oldest = i;
    return oldest;
}

static int keep_path(cf_ice *ice, const cf_path *from, int64_t now) {
    int at = find_path(ice, from);
    if (at < 0) {
        at = place_for_path(ice);
        ice->paths[at] = (cf_ice_path){.path = *from};
    }
    ice->paths[at].checked_at = now;
    return at;
}

/* The newest nomination holds the selection; before any, the first authenticated path does. */
static bool select_path(cf_ice *ice, int at, bool nominated) {
    if (nominated) {
        for (size_t i = 0; i < ice->path_count; i++)
            ice->paths[i].nominated = false;
        ice->paths[at].nominated = true;
    }
    if (ice->selected == at || (ice->selected >= 0 && !nominated))
        return false;
    ice->selected = at;
    return true;
}

static unsigned accept_check(cf_ice *ice, const cf_stun_msg *msg, const cf_path *from, int64_t now) {
    unsigned changed = ice->checks++ == 0 ? CF_ICE_CHANGED_FIRST : 0;
    ice->consent_at = now;
    if (select_path(ice, keep_path(ice, from, now), msg->use_candidate))
        changed |= CF_ICE_CHANGED_SELECTED;
    return changed;
}

static void refuse(cf_ice *ice, const cf_stun_msg *msg, uint16_t code, bool authentic, int64_t now, uint8_t *reply,
                   size_t cap, size_t *reply_len) {
    ice->bad_checks++;
    if (!may_answer_error(ice, now))
        return;
    int len = cf_stun_write_error(reply, cap, msg->txid, code, msg->unknown, code == 420 ? msg->unknown_count : 0,
                                  authentic ? ice->local_pwd : NULL);
    *reply_len = len > 0 ? (size_t)len : 0;
}

unsigned cf_ice_receive(cf_ice *ice, const cf_stun_msg *msg, const cf_path *from, int64_t now, uint8_t *reply,
                        size_t cap, size_t *reply_len) {
    *reply_len = 0;
    /* A lite agent sends no request, so responses answer nothing; indications ask for nothing */
    if (msg->type != CF_STUN_BINDING_REQUEST)
        return 0;
    if (!cf_stun_check_fingerprint(msg)) { /* RFC 8445 section 7.3, RFC 8489 section 6.3: not for us, no answer */
        ice->bad_checks++;
        return 0;
    }
    bool authentic;
    uint16_t code = judge(ice, msg, &authentic);
    if (code) {
        refuse(ice, msg, code, authentic, now, reply, cap, reply_len);
        return 0;
    }
    int len = cf_stun_write_success(reply, cap, msg->txid, &from->remote, ice->local_pwd);
    *reply_len = len > 0 ? (size_t)len : 0;
    return accept_check(ice, msg, from, now);
}

bool cf_ice_knows(const cf_ice *ice, const cf_path *path) {
    return find_path(ice, path) >= 0;
}

const cf_path *cf_ice_selected_path(const cf_ice *ice) {
    return ice->selected < 0 ? NULL : &ice->paths[ice->selected].path;
}

/* Its place stays, empty, and is the first to be used again: the other paths keep theirs. */
void cf_ice_forget(cf_ice *ice, const cf_path *path) {
    int at = find_path(ice, path);
    if (at < 0)
        return;
    ice->paths[at] = (cf_ice_path){.checked_at = INT64_MIN};
    if (ice->selected != at)
        return;
    ice->selected = -1;
    for (int i = 0; i < (int)ice->path_count; i++)
        if (ice->paths[i].checked_at != INT64_MIN &&
            (ice->selected < 0 || ice->paths[i].checked_at > ice->paths[ice->selected].checked_at))
            ice->selected = i;
}

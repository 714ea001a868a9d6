/* The ICE-lite agent of one leg (RFC 8445 section 2.5): answers checks, keeps authenticated paths, latches the chosen
 * one. */
#ifndef CONFEROCORE_ICE_H
#define CONFEROCORE_ICE_H

#include "stun.h"

enum { CF_UFRAG_MAX = 32, CF_PWD_MAX = 64, CF_ICE_PATHS = 8 };
enum {
    CF_ICE_CHANGED_FIRST = 1, /* the first authenticated check of this agent */
    CF_ICE_CHANGED_SELECTED = 2
}; /* the selected path is new or has moved */

typedef struct cf_ice_path {
    cf_path path;
    int64_t checked_at; /* when the last authenticated check came over it */
    bool nominated;
} cf_ice_path;

typedef struct cf_ice {
    char local_ufrag[CF_UFRAG_MAX + 1], local_pwd[CF_PWD_MAX + 1], remote_ufrag[CF_UFRAG_MAX + 1];
    cf_ice_path paths[CF_ICE_PATHS]; /* the oldest not selected is replaced when full */
    size_t path_count;
    int selected;            /* index in paths, -1: none. Nominated, else the first authenticated */
    int64_t consent_at;      /* last authenticated check on any path (RFC 7675: silence ends consent), -1: never */
    int64_t error_window_at; /* errors are answered at a bounded rate */
    uint32_t errors_in_window;
    uint64_t checks, bad_checks;
} cf_ice;

/* -EINVAL if a string is empty or too long. remote_ufrag may be "" (any) until the offer is known. */
int cf_ice_init(cf_ice *ice, const char *local_ufrag, const char *local_pwd, const char *remote_ufrag);
/* Handles one parsed STUN message that arrived over `from`. Writes at most one reply (*reply_len 0: none) that goes
 * back over `from`. Returns a mask of CF_ICE_CHANGED_*, 0 if nothing changed or the message was dropped.
 * Only a request with valid FINGERPRINT, USERNAME (local:remote) and MESSAGE-INTEGRITY changes anything. Others are
 * answered 400 (missing) or 401 (wrong), authentic ones 420 (unknown required attribute) or 487 (ICE-CONTROLLED: we are
 * lite and stay controlled), ten a second at most; without FINGERPRINT there is no answer, and responses and
 * indications are ignored. */
unsigned cf_ice_receive(cf_ice *ice, const cf_stun_msg *msg, const cf_path *from, int64_t now, uint8_t *reply,
                        size_t cap, size_t *reply_len);
/* True if an authenticated check came over exactly this path. */
bool cf_ice_knows(const cf_ice *ice, const cf_path *path);
/* The path is no more. If it was selected the one that was checked last takes its place, if there is one. */
void cf_ice_forget(cf_ice *ice, const cf_path *path);
/* Where to send, or NULL before the first authenticated check. */
const cf_path *cf_ice_selected_path(const cf_ice *ice);
/* Copies the local ufrag out of "local:remote" of a USERNAME; false if it has no such form or is too long. */
bool cf_ice_username_local(const cf_stun_msg *msg, char out[CF_UFRAG_MAX + 1]);

#endif

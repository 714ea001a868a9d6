/* The index of SRTP packets: guessed from 16 bits, kept in a replay window (RFC 3711 sections 3.3.1 and 3.3.2). */
#ifndef CONFEROCORE_SRTP_WINDOW_H
#define CONFEROCORE_SRTP_WINDOW_H

#include "conferocore/base.h"

enum { CF_SRTP_WINDOW = 128 };

/* The last 128 indices up to the highest; all zero: no packet yet. */
typedef struct cf_srtp_window {
    uint64_t highest : 63; /* one word with `started`: a context has 32 of these */
    uint64_t started : 1;
    uint64_t seen[2]; /* bit n: index highest - n has come; n >= 64 in seen[1] */
} cf_srtp_window;

/* The index (roll-over counter * 65536 + seq) that lies nearest to the highest one; seq itself for the first packet.
 * May exceed 48 bits by one roll-over when they are used up. */
uint64_t cf_srtp_window_guess(const cf_srtp_window *w, uint16_t seq);
/* 0, or -EALREADY for an index that has come already or lies before the window. */
int cf_srtp_window_check(const cf_srtp_window *w, uint64_t index);
void cf_srtp_window_add(cf_srtp_window *w, uint64_t index);

#endif

/* Index guess and replay window of one SSRC. */
#include "srtp_window.h"
#include <errno.h>

uint64_t cf_srtp_window_guess(const cf_srtp_window *w, uint16_t seq) {
    if (!w->started)
        return seq;
    /* RFC 3711 appendix A; before the first roll-over nothing can be older than it */
    uint64_t roc = w->highest >> 16;
    int last = (int)(w->highest & 0xffff);
    if (last < 32768)
        roc -= seq - last > 32768 && roc > 0;
    else
        roc += last - 32768 > seq;
    return roc << 16 | seq;
}

int cf_srtp_window_check(const cf_srtp_window *w, uint64_t index) {
    if (!w->started || index > w->highest)
        return 0;
    uint64_t age = w->highest - index;
    if (age >= CF_SRTP_WINDOW || w->seen[age / 64] >> age % 64 & 1)
        return -EALREADY;
    return 0;
}

static void slide(cf_srtp_window *w, uint64_t by) {
    if (by >= 64) {
        w->seen[1] = by < CF_SRTP_WINDOW ? w->seen[0] << (by - 64) : 0;
        w->seen[0] = 0;
    } else if (by > 0) {
        w->seen[1] = w->seen[1] << by | w->seen[0] >> (64 - by);
        w->seen[0] <<= by;
    }
}

void cf_srtp_window_add(cf_srtp_window *w, uint64_t index) {
    if (!w->started || index > w->highest) {
        slide(w, w->started ? index - w->highest : CF_SRTP_WINDOW);
        w->highest = index;
        w->started = true;
    }
    uint64_t age = w->highest - index;
    if (age < CF_SRTP_WINDOW)
        w->seen[age / 64] |= UINT64_C(1) << age % 64;
}

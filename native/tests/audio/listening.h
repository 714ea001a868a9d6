/* Listening to a playout for minutes: what a pure tone has suffered, how long the delay was, and whether the books are
 * right. */
#ifndef CONFEROCORE_TESTS_LISTENING_H
#define CONFEROCORE_TESTS_LISTENING_H

#include "../testlib.h"
#include "playlab.h"

/* Under a sanitizer half an hour is three minutes: it looks for other faults, at a tenth of the speed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HALF_AN_HOUR_MS = 3 * 60 * 1000, MANY_SEEDS = 1 };
#else
enum { HALF_AN_HOUR_MS = 30 * 60 * 1000, MANY_SEEDS = 3 };
#endif
enum { WARM_UP_MS = 5000 };

typedef struct hearing {
    int bend;             /* largest second difference */
    double residual;      /* dB, the worst of the frames with a cut and two a second: what is not the tone */
    double weakest;       /* amplitude of the weakest frame, relative */
    uint32_t least, most; /* delay, ms */
    uint64_t gaps;        /* frames that were not audio */
} hearing;

static inline hearing listen(lab *l, int64_t ms) {
    hearing h = {.residual = -200, .weakest = 9, .least = UINT32_MAX};
    int16_t x[CF_FRAME + 2];
    uint64_t scaled_before = 0;
    for (int64_t i = 0; i < ms / 20; i++) {
        memcpy(x, l->pcm + CF_FRAME - 2, 2 * sizeof *x);
        h.gaps += lab_tick(l) != CF_PLAY_AUDIO;
        memcpy(x + 2, l->pcm, sizeof l->pcm);
        int bend = test_bend(x, CF_FRAME + 2);
        h.bend = bend > h.bend ? bend : h.bend;
        cf_playout_stats stats = lab_stats(l);
        uint64_t scaled = stats.squeezed + stats.stretched;
        if (scaled != scaled_before || i % 25 == 0)
            h.residual = fmax(h.residual, test_residual_db(l->pcm, CF_FRAME, l->hz, CF_RATE));
        h.weakest = fmin(h.weakest, test_rms(l->pcm, CF_FRAME) * sqrt(2) / l->amplitude);
        scaled_before = scaled;
        h.least = stats.delay_ms < h.least ? stats.delay_ms : h.least;
        h.most = stats.delay_ms > h.most ? stats.delay_ms : h.most;
    }
    return h;
}

/* Every packet that was sent or put is in exactly one place. */
static inline void check_books(const lab *l, uint64_t put_dropped) {
    cf_playout_stats s = lab_stats(l);
    CHECK_INT(s.packets + s.late + s.duplicate + s.undecodable + put_dropped, l->puts);
    CHECK_INT(s.late + s.duplicate, l->put_late);
    CHECK(s.recovered <= s.lost);
}

#endif

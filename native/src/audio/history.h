/* A fixed stretch of the most recent samples. */
#ifndef CONFEROCORE_AUDIO_HISTORY_H
#define CONFEROCORE_AUDIO_HISTORY_H

#include <stdint.h>
#include <string.h>

/* Of history (keep samples, oldest first) followed by in, keeps the last `keep` in history. */
static inline void cf_remember(int16_t *history, size_t keep, const int16_t *in, size_t n) {
    size_t fresh = n < keep ? n : keep;
    memmove(history, history + fresh, (keep - fresh) * sizeof *history);
    memcpy(history + keep - fresh, in + n - fresh, fresh * sizeof *history);
}

#endif

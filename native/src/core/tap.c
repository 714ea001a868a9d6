/* Taps: bounded rings of frames, written by the tick, read by any one thread. */
#include "tap.h"
#include "counter.h"
#include "leg.h"
#include "room.h"
#include "state.h"
#include "units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TAP_MS_MAX = 600000 };

cf_tap *cf_tap_new(int point, size_t milliseconds) {
    if (point < CF_TAP_LEG_IN || point > CF_TAP_ROOM || !milliseconds || milliseconds > TAP_MS_MAX)
        return NULL;
    size_t frames = (milliseconds + 19) / 20;
    cf_tap *tap = calloc(1, sizeof *tap + frames * sizeof tap->ring[0]);
    if (!tap)
        return NULL;
    tap->point = point;
    tap->frames = frames;
    return tap;
}

void cf_tap_free(cf_tap *tap) {
    free(tap);
}

/* The slot for the next frame, or NULL and counted: the newest is dropped, so that what was promised to the reader
 * stays. */
static struct tap_frame *tap_slot(cf_tap *tap, size_t tail) {
    if (tail - atomic_load_explicit(&tap->head, memory_order_acquire) < tap->frames)
        return &tap->ring[tail % tap->frames];
    counter_add(&tap->dropped, CF_FRAME);
    return NULL;
}

void taps_push(cf_tap *first, int point, const int16_t *pcm, int64_t at) {
    for (cf_tap *tap = first; tap; tap = tap->next_in_owner) {
        size_t tail = atomic_load_explicit(&tap->tail, memory_order_relaxed);
        struct tap_frame *frame = tap->point == point ? tap_slot(tap, tail) : NULL;
        if (!frame)
            continue;
        frame->at = at;
        memcpy(frame->pcm, pcm, sizeof frame->pcm);
        atomic_store_explicit(&tap->tail, tail + 1, memory_order_release);
    }
}

void taps_push_wide(cf_tap *first, int point, const int32_t *wide, int64_t at) {
    if (!first)
        return;
    int16_t pcm[CF_FRAME] = {0};
    if (wide)
        cf_mix_narrow(pcm, wide, CF_FRAME);
    taps_push(first, point, pcm, at);
}

/* One run of frames that follow one another without a gap, so that *at holds for all that is returned. */
size_t cf_tap_read(cf_tap *tap, int16_t *pcm, size_t n, int64_t *at) {
    size_t head = atomic_load_explicit(&tap->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&tap->tail, memory_order_acquire);
    size_t done = 0;
    int64_t expected = 0;
    while (done < n && head != tail) {
        const struct tap_frame *frame = &tap->ring[head % tap->frames];
        if (done && frame->at != expected)
            break;
        if (!done && at)
            *at = frame->at + (int64_t)tap->offset * SECOND / CF_RATE;
        expected = frame->at + PERIOD;
        size_t take = CF_FRAME - tap->offset < n - done ? CF_FRAME - tap->offset : n - done;
        memcpy(pcm + done, frame->pcm + tap->offset, take * sizeof *pcm);
        done += take;
        tap->offset = (tap->offset + take) % CF_FRAME;
        head += tap->offset == 0;
    }
    atomic_store_explicit(&tap->head, head, memory_order_release);
    return done;
}

uint64_t cf_tap_dropped(const cf_tap *tap) {
    return counter_get(&tap->dropped);
}

bool cf_tap_ended(const cf_tap *tap) {
    return atomic_load_explicit(&tap->ended, memory_order_acquire);
}

int cf_core_tap(cf_core *core, uint64_t id, cf_tap *tap) {
    tap->room = tap->point == CF_TAP_ROOM ? room_by_id(core, id) : NULL;
    tap->leg = tap->point == CF_TAP_ROOM ? NULL : leg_by_id(core, id);
    if (!tap->room && !tap->leg)
        return -ENOENT;
    room_wake(core, tap->room ? tap->room : tap->leg->room);
    cf_tap **owner = tap->room ? &tap->room->taps : &tap->leg->taps;
    tap->id = id;
    tap->next_in_owner = *owner;
    *owner = tap;
    tap->next_in_core = core->taps;
    core->taps = tap;
    return 0;
}

void taps_end(cf_tap **first) {
    for (cf_tap *tap = *first; tap; tap = tap->next_in_owner) {
        tap->leg = NULL;
        tap->room = NULL;
        atomic_store_explicit(&tap->ended, true, memory_order_release);
    }
    *first = NULL;
}

static void tap_detach(cf_tap *tap) {
    if (!tap->room && !tap->leg)
        return;
    cf_tap **at = tap->room ? &tap->room->taps : &tap->leg->taps;
    while (*at != tap)
        at = &(*at)->next_in_owner;
    *at = tap->next_in_owner;
}

cf_tap *cf_core_untap(cf_core *core, cf_tap *tap) {
    cf_tap **at = &core->taps;
    while (*at && *at != tap)
        at = &(*at)->next_in_core;
    if (!*at)
        return NULL;
    *at = tap->next_in_core;
    tap_detach(tap);
    tap->leg = NULL;
    tap->room = NULL;
    return tap;
}

/* Taps: numbered readers of PCM, ended with their leg or room, freed when nobody reads them and the media thread has
 * let go. */
#include "engine_internal.h"

#include <errno.h>
#include <stddef.h>

enum { TAP_MS_MAX = 60000 };

static cf_tap_handle *find_tap(cf_engine *engine, int number) {
    if (number < 0 || number >= CF_ENGINE_TAPS)
        return NULL;
    cf_tap_handle *h = &engine->taps[number];
    return h->state != CF_TAP_UNUSED && !h->forgotten ? h : NULL;
}

/* The thread of the leg or room that is to be tapped; NULL: there is none. */
static cf_media *target(cf_engine *engine, int point, uint64_t id) {
    if (point == CF_TAP_ROOM) {
        cf_room_handle *room = cf_table_find(&engine->rooms, id);
        return room != NULL && !room->leaving ? room->media : NULL;
    }
    cf_leg_handle *leg = cf_table_find(&engine->legs, id);
    return leg != NULL && !leg->leaving ? leg->media : NULL;
}

static int free_number(const cf_engine *engine) {
    for (int i = 0; i < CF_ENGINE_TAPS; i++)
        if (engine->taps[i].state == CF_TAP_UNUSED)
            return i;
    return -ENOSPC;
}

int cf_engine_tap(cf_engine *engine, int point, uint64_t id, int milliseconds) {
    if (point < CF_TAP_LEG_IN || point > CF_TAP_ROOM || milliseconds < 1 || milliseconds > TAP_MS_MAX)
        return -EINVAL;
    cf_media *media = target(engine, point, id);
    if (media == NULL)
        return -ENOENT;
    int number = free_number(engine);
    if (number < 0)
        return number;
    if (!cf_may_submit(media, 1, false))
        return -EAGAIN;
    cf_tap *tap = cf_tap_new(point, (size_t)milliseconds);
    if (tap == NULL)
        return -ENOMEM;
    engine->taps[number] = (cf_tap_handle){.state = CF_TAP_LIVE, .point = point, .id = id, .tap = tap, .media = media};
    cf_submit(media, &(cf_command){.op = CF_OP_TAP, .id = id, .value = number, .object = tap});
    return number;
}

int cf_engine_tap_read(cf_engine *engine, int tap, int16_t *pcm, size_t n, int64_t *at) {
    cf_tap_handle *h = find_tap(engine, tap);
    if (h == NULL)
        return -ENOENT;
    bool ended = h->state == CF_TAP_ENDED; /* before reading: what came before the end is still read */
    size_t got = cf_tap_read(h->tap, pcm, n, at);
    return got == 0 && n > 0 && ended ? -ENOENT : (int)got;
}

static void release(cf_tap_handle *h) {
    cf_tap_free(h->tap);
    *h = (cf_tap_handle){0};
}

static void end(cf_engine *engine, cf_tap_handle *h) {
    h->state = CF_TAP_ENDING;
    cf_submit(h->media, &(cf_command){.op = CF_OP_UNTAP, .id = h->id, .value = h - engine->taps, .object = h->tap});
}

int cf_engine_untap(cf_engine *engine, int tap) {
    cf_tap_handle *h = find_tap(engine, tap);
    if (h == NULL)
        return -ENOENT;
    if (h->state == CF_TAP_LIVE && !cf_may_submit(h->media, 1, true))
        return -EAGAIN;
    h->forgotten = true;
    if (h->state == CF_TAP_LIVE)
        end(engine, h);
    else if (h->state == CF_TAP_ENDED)
        release(h);
    return 0;
}

static bool hangs_on(const cf_tap_handle *h, bool room, uint64_t id) {
    return h->state == CF_TAP_LIVE && h->id == id && (h->point == CF_TAP_ROOM) == room;
}

size_t cf_taps_on(const cf_engine *engine, bool room, uint64_t id) {
    size_t n = 0;
    for (int i = 0; i < CF_ENGINE_TAPS; i++)
        n += hangs_on(&engine->taps[i], room, id);
    return n;
}

void cf_taps_end(cf_engine *engine, bool room, uint64_t id) {
    for (int i = 0; i < CF_ENGINE_TAPS; i++)
        if (hangs_on(&engine->taps[i], room, id))
            end(engine, &engine->taps[i]);
}

void cf_taps_done(cf_engine *engine, const cf_command *command) {
    cf_tap_handle *h = &engine->taps[command->value];
    if (command->op == CF_OP_TAP && (command->result == 0 || h->state == CF_TAP_ENDING))
        return; /* it hangs, or its end is on the way back */
    h->state = CF_TAP_ENDED;
    if (h->forgotten)
        release(h);
}

void cf_taps_free(cf_engine *engine) {
    for (int i = 0; i < CF_ENGINE_TAPS; i++) {
        cf_tap_handle *h = &engine->taps[i];
        if (h->state == CF_TAP_LIVE)
            cf_core_untap(h->media->core, h->tap);
        if (h->state != CF_TAP_UNUSED)
            release(h);
    }
}

/* Whose voice is mixed: a room has a few places, the loudest hold them, and who holds one is not pushed aside for a
 * breath.
 *
 * Who begins to talk gets a free place at once, so no first syllable is cut; a holder that has fallen silent makes way
 * at once as well. Only when all places are held by people who talk does loudness decide: once a tick, by a clear
 * margin, and not against who has just begun. */
#include "leg.h"
#include "room.h"

enum {
    SILENT_FRAMES = 10, /* 200 ms under the gate: a pause between sentences, not between words */
    SETTLED_TICKS = 30, /* 600 ms: as long as a place is kept whoever is louder */
    LOUDER = 4          /* dB over the weakest holder that a challenger must be; loudness is smoothed already */
};

static bool is_silent(const cf_leg *leg) {
    return leg->quiet_frames >= SILENT_FRAMES;
}

static cf_leg *silent_holder(const cf_room *room) {
    for (int i = 0; i < room->placed_count; i++)
        if (is_silent(room->placed[i]))
            return room->placed[i];
    return NULL;
}

void place_leave(cf_leg *leg) {
    cf_room *room = leg->room;
    if (!leg->placed)
        return;
    leg->placed = false;
    for (int i = 0; i < room->placed_count; i++)
        if (room->placed[i] == leg) {
            room->placed[i] = room->placed[--room->placed_count];
            return;
        }
}

static void place_give(cf_leg *leg) {
    cf_room *room = leg->room;
    leg->placed = true;
    leg->placed_at = room->ticks;
    if (room->config.talkers != CF_TALKERS_ALL)
        room->placed[room->placed_count++] = leg;
}

static bool place_free(const cf_room *room) {
    return room->config.talkers == CF_TALKERS_ALL || room->placed_count < room->config.talkers;
}

bool place_take(cf_leg *leg) {
    cf_room *room = leg->room;
    if (leg->placed)
        return true;
    if (!place_free(room)) {
        cf_leg *holder = silent_holder(room);
        if (holder)
            place_leave(holder);
    }
    if (place_free(room)) {
        place_give(leg);
        return true;
    }
    if (!room->challenger || leg->loudness > room->challenger->loudness)
        room->challenger = leg;
    return false;
}

static cf_leg *weakest_holder(const cf_room *room) {
    cf_leg *weakest = NULL;
    for (int i = 0; i < room->placed_count; i++) {
        cf_leg *leg = room->placed[i];
        bool settled = room->ticks - leg->placed_at >= SETTLED_TICKS;
        if (settled && (!weakest || leg->loudness < weakest->loudness))
            weakest = leg;
    }
    return weakest;
}

/* The loudest of those who found no place in this tick against the weakest of those who have one. */
void room_contest(cf_room *room) {
    cf_leg *challenger = room->challenger;
    room->challenger = NULL;
    cf_leg *weakest = challenger ? weakest_holder(room) : NULL;
    if (!weakest || challenger->loudness <= weakest->loudness + LOUDER)
        return;
    place_leave(weakest); /* fades out in its next frame */
    place_give(challenger);
}

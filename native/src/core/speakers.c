/* Who speaks: the loudest few of a room, in an order that does not flicker, told when it changes. */
#include "leg.h"
#include "room.h"
#include "state.h"
#include "units.h"

#include <string.h>

enum {
    ENTER = 127 - 55, /* loudness (dB over -127 dBov) that makes a speaker ... */
    LEAVE = 127 - 61, /* ... and under which one stops being one */
    TOP = 3,          /* a change among the first three is told at once */
    OVERTAKE = 3,     /* dB by which somebody must be louder to take another's place */
    LEVEL_STEP = 3    /* dB by which a level must move to be told again */
};

static bool is_speaker(const cf_room *room, const cf_leg *leg) {
    for (int i = 0; i < room->speaker_count; i++)
        if (room->speakers[i].leg == leg)
            return true;
    return false;
}

/* Moves the last entry up past everybody who is clearly quieter. */
static void settle_last(struct speaker *speakers, int count) {
    for (int i = count - 1; i > 0; i--) {
        struct speaker above = speakers[i - 1];
        if (speakers[i].leg->loudness <= above.leg->loudness + OVERTAKE)
            return;
        speakers[i - 1] = speakers[i];
        speakers[i] = above;
    }
}

static int offer(struct speaker *speakers, int count, cf_leg *leg) {
    if (count == SPEAKERS) {
        if (leg->loudness <= speakers[count - 1].leg->loudness + OVERTAKE)
            return count;
        count--;
    }
    double level = 127.0 - leg->loudness;
    speakers[count] = (struct speaker){.leg = leg, .id = leg->config.id, .level = (uint8_t)level};
    settle_last(speakers, count + 1);
    return count + 1;
}

/* Those who were speakers come first and in their old order, so that only who is clearly louder moves up. */
static int collect(const cf_room *room, struct speaker *speakers) {
    int count = 0;
    for (int i = 0; i < room->speaker_count; i++)
        if (room->speakers[i].leg->loudness >= LEAVE)
            count = offer(speakers, count, room->speakers[i].leg);
    for (cf_leg *leg = room->first; leg; leg = leg->next)
        if (leg->loudness >= ENTER && !is_speaker(room, leg))
            count = offer(speakers, count, leg);
    return count;
}

static bool top_differs(const cf_room *room, const struct speaker *speakers, int count) {
    int old = room->told_count < TOP ? room->told_count : TOP, fresh = count < TOP ? count : TOP;
    if (old != fresh)
        return true;
    for (int i = 0; i < fresh; i++)
        if (room->told[i].id != speakers[i].id)
            return true;
    return false;
}

static bool anything_moved(const cf_room *room, const struct speaker *speakers, int count) {
    if (count != room->told_count)
        return true;
    for (int i = 0; i < count; i++)
        if (room->told[i].id != speakers[i].id || speakers[i].level > room->told[i].level + LEVEL_STEP ||
            speakers[i].level + LEVEL_STEP < room->told[i].level)
            return true;
    return false;
}

static void tell(cf_core *core, cf_room *room, int64_t now) {
    cf_event event = event_about(core, CF_EVENT_SPEAKERS, NULL);
    event.room = room->config.id;
    event.count = room->speaker_count;
    for (int i = 0; i < room->speaker_count; i++) {
        event.ids[i] = room->speakers[i].id;
        event.levels[i] = room->speakers[i].level;
    }
    memcpy(room->told, room->speakers, sizeof room->told);
    room->told_count = room->speaker_count;
    room->told_at = now;
    event_send(core, &event);
}

void room_speakers(cf_core *core, cf_room *room, int64_t now) {
    struct speaker speakers[SPEAKERS];
    int count = collect(room, speakers);
    bool due =
        top_differs(room, speakers, count) || (now - room->told_at >= SECOND && anything_moved(room, speakers, count));
    memcpy(room->speakers, speakers, (size_t)count * sizeof *speakers);
    room->speaker_count = count;
    if (due)
        tell(core, room, now);
}

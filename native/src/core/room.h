/* A room: its settings, who is in it, and what a tick leaves for the next. */
#ifndef CONFEROCORE_CORE_ROOM_H
#define CONFEROCORE_CORE_ROOM_H

#include "conferocore/core.h"
#include "conferocore/mixer.h"
#include "conferocore/noise.h"
#include "play.h"
#include "stream.h"
#include "table.h"
#include "tap.h"

enum {
    SPEAKERS = 8 /* ids in CF_EVENT_SPEAKERS */
};

enum room_state { ROOM_PARKED = 0, ROOM_AWAKE = 1, ROOM_ASLEEP = 2 };

struct speaker {
    cf_leg *leg;
    uint64_t id;
    uint8_t level;
};

struct cf_room {
    cf_room_config config;
    uint32_t hold_frames; /* gate_hold_ms in ticks */
    struct node by_id;
    enum room_state state;
    cf_room *prev_in_list, *next_in_list; /* of its slot, or of those that sleep */
    int slot, bucket;
    uint32_t hush;                  /* ticks in a row in which nothing was added */
    uint32_t dozed;                 /* visits while it sleeps */
    bool needed;                    /* somebody wants a packet in each tick */
    cf_leg *placed[CF_TALKERS_MAX]; /* those who are mixed; unused with CF_TALKERS_ALL */
    int placed_count;
    cf_leg *challenger; /* of this tick: the loudest that found no place */
    uint32_t paired;    /* legs with pairs */
    cf_leg *first, *last;
    size_t legs;
    cf_limiter limiter; /* of the whole room: what everybody hears who adds nothing */
    struct stream streams[STREAMS];
    int32_t tail[CF_FRAME]; /* the faded last frame of those who left since the last tick */
    bool has_tail;
    cf_playing *plays;
    cf_noise noise;   /* of the mix, if it is to have some ... */
    cf_cn noise_told; /* ... and what is said of it where it is not heard */
    uint32_t ticks;
    struct speaker speakers[SPEAKERS], told[SPEAKERS]; /* now, and as last told (there only ids and levels count) */
    int speaker_count, told_count;
    int64_t told_at;
    cf_tap *taps;
    struct past past; /* of what everybody hears */
};

/* room.c */
void room_link(cf_room *room, cf_leg *leg);
void room_unlink(cf_room *room, cf_leg *leg); /* its voice fades out in the room's next tick */

/* select.c */
bool place_take(cf_leg *leg); /* false: all are taken by people who talk */
void place_leave(cf_leg *leg);
void room_contest(cf_room *room);

/* sleep.c */
void room_wake(cf_core *core, cf_room *room);
void room_leave_lists(cf_core *core, cf_room *room);
void room_rest_if_idle(cf_core *core, cf_room *room); /* after its tick */
void room_packet(cf_core *core, cf_leg *leg, int64_t now);
int64_t core_doze_deadline(const cf_core *core);
void core_doze(cf_core *core, int64_t now);

/* speakers.c */
void room_speakers(cf_core *core, cf_room *room, int64_t now);

/* tick.c */
void room_tick(cf_core *core, cf_room *room, int64_t at, int64_t now);

#endif

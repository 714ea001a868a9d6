/* What plays, from the control side: numbered, freed when the media thread has let go of it; and digits of legs. */
#include "engine_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Events may be lost when nobody reads them: what has ended unheard is found here. */
static void sweep(cf_engine *engine) {
    for (int i = 0; i < CF_ENGINE_PLAYS; i++)
        if (engine->plays[i].number && cf_playing_ended(engine->plays[i].playing))
            cf_plays_ended(engine, engine->plays[i].number);
}

static cf_play_handle *find_number(cf_engine *engine, uint64_t number) {
    for (int i = 0; i < CF_ENGINE_PLAYS; i++)
        if (engine->plays[i].number == number)
            return &engine->plays[i];
    return NULL;
}

static cf_play_handle *find_free(cf_engine *engine) {
    cf_play_handle *h = find_number(engine, 0);
    if (h == NULL)
        sweep(engine);
    return h != NULL ? h : find_number(engine, 0);
}

/* The thread of the leg or room; NULL: there is none. */
static cf_media *place(cf_engine *engine, bool room, uint64_t id) {
    if (room) {
        cf_room_handle *handle = cf_table_find(&engine->rooms, id);
        return handle != NULL && !handle->leaving ? handle->media : NULL;
    }
    cf_leg_handle *leg = cf_table_find(&engine->legs, id);
    return leg != NULL && !leg->leaving ? leg->media : NULL;
}

static int64_t play(cf_engine *engine, bool room, uint64_t id, cf_clip *clip, const cf_player_config *config) {
    cf_media *media = place(engine, room, id);
    if (media == NULL)
        return -ENOENT;
    cf_play_handle *h = find_free(engine);
    if (h == NULL)
        return -ENOSPC;
    if (!cf_may_submit(media, 1, false))
        return -EAGAIN;
    cf_playing *playing = cf_playing_new(engine->next_play + 1, clip, config);
    if (playing == NULL)
        return -EINVAL;
    *h = (cf_play_handle){.number = ++engine->next_play, .room = room, .id = id, .playing = playing};
    int op = room ? CF_OP_ROOM_PLAY : CF_OP_LEG_PLAY;
    cf_submit(media, &(cf_command){.op = op, .id = id, .value = (int64_t)h->number, .object = playing});
    return (int64_t)h->number;
}

int64_t cf_engine_room_play(cf_engine *engine, uint64_t room, cf_clip *clip, const cf_player_config *config) {
    return play(engine, true, room, clip, config);
}

int64_t cf_engine_leg_play(cf_engine *engine, uint64_t leg, cf_clip *clip, const cf_player_config *config) {
    return play(engine, false, leg, clip, config);
}

int cf_engine_play_stop(cf_engine *engine, int64_t number) {
    cf_play_handle *h = number > 0 ? find_number(engine, (uint64_t)number) : NULL;
    cf_media *media = h != NULL ? place(engine, h->room, h->id) : NULL;
    if (media == NULL)
        return -ENOENT; /* it has ended, or ends with its place */
    if (!cf_may_submit(media, 1, true))
        return -EAGAIN;
    cf_submit(media, &(cf_command){.op = h->room ? CF_OP_ROOM_STOP : CF_OP_LEG_STOP, .id = h->id, .value = number});
    return 0;
}

void cf_plays_ended(cf_engine *engine, uint64_t number) {
    cf_play_handle *h = number ? find_number(engine, number) : NULL;
    if (h == NULL)
        return; /* swept already */
    cf_playing_free(h->playing);
    *h = (cf_play_handle){0};
}

/* What has not ended hangs in a core, which frees it. */
void cf_plays_free(cf_engine *engine) {
    sweep(engine);
}

int cf_engine_leg_listen(cf_engine *engine, uint64_t leg, int on) {
    cf_dtmf *dtmf = on ? malloc(sizeof *dtmf) : NULL;
    if (on && dtmf == NULL)
        return -ENOMEM;
    if (on)
        cf_dtmf_init(dtmf);
    int rc = cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_LISTEN, .object = dtmf});
    if (rc < 0)
        free(dtmf);
    return rc;
}

int cf_engine_leg_digits(cf_engine *engine, uint64_t leg, const char *digits, int duration_ms) {
    if (!digits[0] || strlen(digits) > CF_EVENT_QUEUE || duration_ms < CF_EVENT_MIN_MS || duration_ms > CF_EVENT_MAX_MS)
        return -EINVAL;
    for (const char *d = digits; *d; d++)
        if (cf_event_code(*d) < 0)
            return -EINVAL;
    char *copy = strdup(digits);
    if (copy == NULL)
        return -ENOMEM;
    int rc = cf_command_leg(engine, leg, &(cf_command){.op = CF_OP_LEG_DIGITS, .object = copy, .value = duration_ms});
    if (rc < 0)
        free(copy);
    return rc;
}

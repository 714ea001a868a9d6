/* What the core's random test does to members and rooms, each of it possible at any time. */
#ifndef CONFEROCORE_TEST_CHAOS_CHANGES_H
#define CONFEROCORE_TEST_CHAOS_CHANGES_H

#include "chaos_members.h"

static cf_leg_config config_of(chaos *c, const member *m) {
    int i = (int)m->id - 1;
    cf_path path = path_of(m);
    cf_leg_config config = {.id = m->id,
                            .room = m->room,
                            .kind = CF_LEG_RTP,
                            .tx = params_of(i),
                            .tx_pt = PAYLOAD_TYPE,
                            .rx_count = 3,
                            .rx = {{PAYLOAD_TYPE, params_of(i).codec, clock_of(i)},
                                   {EVENT_TYPE, CF_CODEC_EVENT, clock_of(i)},
                                   {NOISE_TYPE, CF_CODEC_CN, clock_of(i)}},
                            .audio_level_ext = dice(c, 2) ? LEVEL_EXT : 0,
                            .csrc_level_ext = dice(c, 2) ? 2 : 0,
                            .dtx = dice(c, 2) != 0,
                            .event_pt = EVENT_TYPE,
                            .rtp_socket = (uint32_t)m->id,
                            .rtcp_socket = (uint32_t)m->id,
                            .remote_rtp = path.remote};
    config.cn_pt = config.tx.codec != CF_CODEC_OPUS && dice(c, 2) ? NOISE_TYPE : 0;
    return config;
}

static void join(chaos *c, member *m) {
    uint64_t id = m->id;
    *m = (member){.id = id, .room = 1 + dice(c, ROOMS), .connected = true, .sent_at = c->now, .seq = (uint16_t)c->now};
    cf_leg_config config = config_of(c, m);
    m->leg = cf_leg_new(&config, cf_rng_next(&c->rng));
    CHECK(m->leg != NULL);
    bool there = c->room_there[m->room - 1];
    CHECK_INT(cf_core_leg_add(c->core, m->leg, c->now), there ? 0 : -ENOENT);
    if (!there) {
        cf_leg_free(m->leg);
        m->leg = NULL;
    }
}

static void leave(chaos *c, member *m) {
    CHECK(cf_core_leg_remove(c->core, m->id, dice(c, 2), c->now) == m->leg);
    CHECK_INT(counter_get(&m->leg->count.tx_packets), m->total);
    c->shared += counter_get(&m->leg->count.shared_frames);
    cf_leg_free(m->leg);
    m->leg = NULL;
}

static void move(chaos *c, member *m) {
    uint64_t room = 1 + dice(c, ROOMS);
    if (cf_core_leg_move(c->core, m->id, room))
        CHECK(!c->room_there[room - 1]);
    else
        m->room = room;
}

static void connect(chaos *c, member *m) {
    cf_addr nowhere = {0}, remote = path_of(m).remote;
    m->connected = !m->connected;
    cf_core_leg_remote(c->core, m->id, m->connected ? &remote : &nowhere, &nowhere);
}

static void pair(chaos *c, member *m) {
    uint64_t talker = 1 + dice(c, LEGS);
    cf_pair *pair = cf_pair_new(talker, (int32_t)dice(c, CF_GAIN_ONE + 1));
    if (dice(c, 3))
        CHECK_INT(cf_core_pair(c->core, m->id, &pair), 0);
    else
        cf_core_unpair(c->core, m->id, talker);
    cf_pair_free(pair);
}

static void reap(chaos *c) {
    size_t size = sizeof c->playing / sizeof *c->playing;
    for (size_t i = 0; i < size; i++)
        if (c->playing[i] && cf_playing_ended(c->playing[i])) {
            cf_playing_free(c->playing[i]);
            c->playing[i] = NULL;
        }
}

static void play(chaos *c, member *m) {
    static const int16_t hum[3000] = {100, -100};
    size_t size = sizeof c->playing / sizeof *c->playing, at = c->plays % size;
    reap(c);
    if (c->playing[at])
        return;
    cf_clip *clip = cf_clip_new(hum, 960 + dice(c, 2000));
    cf_player_config config = {.gain_q14 = CF_GAIN_ONE, .loops = (int)dice(c, 3)};
    cf_playing *playing = cf_playing_new(c->plays + 1, clip, &config);
    cf_clip_free(clip);
    int result = dice(c, 2) ? cf_core_leg_play(c->core, m->id, playing) : cf_core_room_play(c->core, m->room, playing);
    if (result) {
        cf_playing_free(playing);
        return;
    }
    c->playing[at] = playing;
    c->plays++;
}

static void stop(chaos *c, member *m) {
    if (!c->plays)
        return;
    uint64_t number = c->plays - dice(c, 8) % c->plays;
    cf_core_leg_stop(c->core, m->id, number);
    cf_core_room_stop(c->core, m->room, number);
}

static void tap(chaos *c, member *m) {
    int16_t pcm[CF_FRAME * 4];
    if (c->tap) {
        while (cf_tap_read(c->tap, pcm, CF_FRAME * 4, NULL) > 0)
            ;
        CHECK(cf_core_untap(c->core, c->tap) == c->tap);
        cf_tap_free(c->tap);
        c->tap = NULL;
        return;
    }
    int point = 1 + (int)dice(c, 3);
    c->tap = cf_tap_new(point, 200);
    if (cf_core_tap(c->core, point == CF_TAP_ROOM ? 1 + dice(c, ROOMS) : m->id, c->tap)) {
        cf_tap_free(c->tap);
        c->tap = NULL;
    }
}

static void listen(chaos *c, member *m) {
    cf_dtmf *dtmf = dice(c, 2) ? calloc(1, sizeof *dtmf) : NULL;
    if (dtmf)
        cf_dtmf_init(dtmf);
    CHECK_INT(cf_core_leg_listen(c->core, m->id, &dtmf), 0);
    free(dtmf);
}

static void change_room(chaos *c, uint32_t i) {
    if (c->room_there[i]) {
        cf_room *room = cf_core_room_remove(c->core, i + 1);
        c->room_there[i] = room == NULL;
        cf_room_free(room);
        return;
    }
    CHECK_INT(cf_core_room_add(c->core, cf_room_new(&c->rooms[i]), c->now), 0);
    c->room_there[i] = true;
}

static void change(chaos *c, member *m) {
    m->calm = 0;
    switch (dice(c, 13)) {
    case 0:
        leave(c, m);
        break;
    case 1:
        move(c, m);
        break;
    case 2:
        cf_core_leg_mute(c->core, m->id, m->muted = !m->muted);
        break;
    case 3:
        cf_core_leg_deaf(c->core, m->id, m->deaf = !m->deaf);
        break;
    case 4:
        cf_core_leg_suspend(c->core, m->id, m->suspended = !m->suspended);
        break;
    case 5:
        cf_core_leg_aside(c->core, m->id, m->aside = !m->aside);
        break;
    case 6:
        pair(c, m);
        break;
    case 7:
        play(c, m);
        break;
    case 8:
        stop(c, m);
        break;
    case 9:
        tap(c, m);
        break;
    case 10:
        listen(c, m);
        break;
    case 11:
        connect(c, m);
        break;
    default:
        cf_core_leg_digits(c->core, m->id, "1A", 60);
    }
}

#endif

/* Everything at once, at random: members of all kinds come, talk, are moved, muted, paired and go, rooms fall asleep
 * and are woken, the core is held up. What must hold whatever happens is looked at after each step. */
#include "testlib.h"

#include "core_checks.h"

#include "conferocore/codec.h"

#include <math.h>

enum {
    ROOMS = 5,
    LEGS = 14,
    STEP = 20,          /* ms */
    LOOP = 50,          /* packets of each voice, which are sent round and round */
    SETTLED = 150,      /* steps without a change, after which nothing excuses a leg any more */
    UNHEARD = 25,       /* frames in a row without a talker: a place falls free after 10 of silence, and losses */
    SILENCE_MS = 3200,  /* the longest that a leg which takes pauses is not sent anything: while it falls asleep */
    AMPLITUDE = 1500,   /* so that all together stay under the limiter */
    HEARD = 600,        /* the amplitude in one frame that is a voice: above what ramps of others leave there */
    PAYLOAD_TYPE = 100, /* what all of them send and are sent */
    EVENT_TYPE = 101,
    NOISE_TYPE = 13,
    LEVEL_EXT = 1,
};

/* One member and what the core owes it. */
typedef struct member {
    cf_leg *leg; /* NULL: it is not there */
    uint64_t id, room;
    bool talks, present, lies;
    int turn, talked; /* steps until it does something else, and since it began to talk */
    uint16_t seq;
    uint32_t ts;
    bool muted, deaf, suspended, aside, connected;
    /* what it was sent */
    bool began;
    uint16_t last_seq;
    uint32_t last_ts;
    int packets; /* in this step */
    int64_t sent_at;
    uint64_t total;
    double tones[LEGS]; /* amplitudes of all voices in its last packet ... */
    bool listened;      /* ... which was one of this step */
    int unheard;        /* frames in a row without a voice that is owed */
    int calm;           /* steps since something about it was changed */
} member;

typedef struct chaos {
    cf_core *core;
    cf_rng rng;
    int64_t now;
    member members[LEGS];
    cf_room_config rooms[ROOMS];
    bool room_there[ROOMS];
    cf_tap *tap;
    uint64_t sent, received, shared, played, plays, held_up;
    cf_playing *playing[1024];
} chaos;

static uint8_t voices[LEGS][LOOP][CF_PAYLOAD_MAX], quiet[LEGS][LOOP][CF_PAYLOAD_MAX];
static int voice_len[LEGS][LOOP], quiet_len[LEGS][LOOP];

static uint32_t dice(chaos *c, uint32_t sides) {
    return cf_rng_u32(&c->rng) % sides;
}

/* All kinds of members, by their number. */
static cf_codec_params params_of(int i) {
    static const cf_codec_params kinds[] = {
        {.codec = CF_CODEC_PCMU},
        {.codec = CF_CODEC_PCMA},
        {.codec = CF_CODEC_L16, .rate = 8000},
        {.codec = CF_CODEC_OPUS, .complexity = 0, .low_delay = 1},
        {.codec = CF_CODEC_G722},
        {.codec = CF_CODEC_PCMU, .ptime_ms = 10},
        {.codec = CF_CODEC_PCMU},
    };
    return kinds[i % (int)(sizeof kinds / sizeof *kinds)];
}

static int clock_of(int i) {
    cf_codec_params params = params_of(i);
    return cf_codec_clock(params.codec, params.rate);
}

/* Whole periods in 20 ms, 200 Hz apart. */
static double hz_of(int i) {
    return 300 + 200 * i;
}

static void make_voice(int i, double amplitude, uint8_t out[LOOP][CF_PAYLOAD_MAX], int len[LOOP]) {
    cf_codec_params params = params_of(i);
    params.ptime_ms = 20;
    CHECK_INT(cf_codec_complete(&params), 0);
    cf_encoder *encoder = cf_encoder_new(&params);
    for (int n = -LOOP; n < LOOP; n++) { /* the first round sets the encoder going */
        int16_t pcm[CF_FRAME];
        for (int k = 0; k < CF_FRAME; k++)
            pcm[k] = (int16_t)lrint(amplitude * sin(2 * M_PI * hz_of(i) * k / CF_RATE));
        int at = (n + LOOP) % LOOP;
        len[at] = cf_encoder_once(encoder, pcm, out[at], CF_PAYLOAD_MAX);
    }
    cf_encoder_free(encoder);
}

static void make_voices(void) {
    for (int i = 0; i < LEGS; i++) {
        make_voice(i, AMPLITUDE, voices[i], voice_len[i]);
        make_voice(i, 0, quiet[i], quiet_len[i]);
    }
}

/* ---- what is sent ---- */

static cf_path path_of(const member *m) {
    cf_path path = {.socket = (uint32_t)m->id,
                    .remote = {.ip = {192, 0, 2, (uint8_t)m->id}, .port = 4000, .family = 4}};
    return path;
}

static bool can_listen_in(const member *m) {
    return params_of((int)m->id - 1).codec == CF_CODEC_PCMU || params_of((int)m->id - 1).codec == CF_CODEC_PCMA;
}

static void listen_in(member *m, const cf_rtp *rtp) {
    m->listened = true;
    bool ulaw = params_of((int)m->id - 1).codec == CF_CODEC_PCMU;
    for (int i = 0; i < LEGS; i++) {
        double re = 0, im = 0, step = 2 * M_PI * hz_of(i) / 8000;
        for (size_t k = 0; k < rtp->payload_len; k++) {
            double x = ulaw ? cf_ulaw_decode(rtp->payload[k]) : cf_alaw_decode(rtp->payload[k]);
            re += x * cos(step * (double)k);
            im += x * sin(step * (double)k);
        }
        m->tones[i] = 2 * sqrt(re * re + im * im) / (double)rtp->payload_len;
    }
}

/* Numbers follow each other; timestamps go forward, but within a digit. */
static void check_numbers(member *m, const cf_rtp *rtp) {
    if (m->began) {
        CHECK_INT(rtp->seq, (uint16_t)(m->last_seq + 1));
        int32_t forward = cf_ts_diff(rtp->ts, m->last_ts);
        CHECK(rtp->pt == EVENT_TYPE ? forward >= 0 : forward > 0);
    }
    m->began = true;
    m->last_seq = rtp->seq;
    m->last_ts = rtp->ts;
}

static void on_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    chaos *c = arg;
    member *m = &c->members[path->socket - 1];
    cf_rtp rtp;
    bool rtcp = false;
    c->sent++;
    CHECK(cf_rtp_looks_like(data, len, &rtcp));
    if (rtcp)
        return;
    CHECK_INT(cf_rtp_parse(&rtp, data, len), 0);
    CHECK(m->leg != NULL && m->connected && !m->suspended);
    check_numbers(m, &rtp);
    m->packets++;
    m->total++;
    m->sent_at = c->now;
    memset(m->tones, 0, sizeof m->tones);
    if (rtp.pt == PAYLOAD_TYPE && rtp.payload_len == 160 && can_listen_in(m))
        listen_in(m, &rtp);
}

static void on_event(void *arg, const cf_event *event) {
    chaos *c = arg;
    if (event->type == CF_EVENT_SPEAKERS)
        for (int i = 0; i < event->count; i++)
            CHECK(event->ids[i] >= 1 && event->ids[i] <= LEGS);
    c->played += event->type == CF_EVENT_PLAYED;
}

/* ---- what is done ---- */

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

/* ---- what comes in ---- */

static void decide(chaos *c, member *m) {
    if (m->turn-- > 0)
        return;
    m->turn = 1 + (int)dice(c, 300);
    m->talks = dice(c, 3) == 0;
    m->present = m->talks || dice(c, 2);
    m->lies = dice(c, 10) == 0;
    m->talked = 0;
}

static size_t write_packet(chaos *c, const member *m, uint8_t *out, size_t cap) {
    int i = (int)m->id - 1, at = m->seq % LOOP;
    uint8_t level = m->lies ? (uint8_t)dice(c, 128) : m->talks ? 30 : 127;
    cf_rtp_ext ext = {.id = LEVEL_EXT, .len = 1, .data = &level};
    bool says = m->leg->config.audio_level_ext;
    int head = cf_rtp_write(out, cap, PAYLOAD_TYPE, false, m->seq, m->ts, (uint32_t)m->id + 1000, &ext, says);
    int len = m->talks ? voice_len[i][at] : quiet_len[i][at];
    memcpy(out + head, m->talks ? voices[i][at] : quiet[i][at], (size_t)len);
    return (size_t)(head + len);
}

static void speak(chaos *c, member *m) {
    uint8_t packet[CF_DATAGRAM_MAX];
    cf_path path = path_of(m);
    decide(c, m);
    m->ts += (uint32_t)clock_of((int)m->id - 1) / CF_TICKS;
    m->talked += m->talks;
    if (!m->present)
        return;
    m->seq++;
    size_t len = write_packet(c, m, packet, sizeof packet);
    if (!dice(c, 100))
        return; /* lost */
    cf_core_receive(c->core, &path, packet, len, c->now);
    c->received++;
}

/* ---- what is owed ---- */

static bool may_pause(const chaos *c, const member *m) {
    if (m->leg->config.tx.codec == CF_CODEC_OPUS)
        return m->leg->config.dtx && !c->rooms[m->room - 1].noise_dbov;
    return m->leg->config.cn_pt;
}

static void check_packets(chaos *c, member *m) {
    int each = STEP / m->leg->config.tx.ptime_ms;
    if (!m->connected || m->suspended) {
        CHECK(!m->packets || m->calm == 0);
        return;
    }
    if (m->calm < SETTLED)
        return;
    if (!may_pause(c, m))
        CHECK_INT(m->packets, each);
    CHECK(m->packets <= each);
    CHECK(c->now - m->sent_at <= SILENCE_MS * MS);
}

static bool owed(const member *ear, const member *talker) {
    return talker->leg && talker != ear && talker->room == ear->room && talker->talked > 2 * UNHEARD && !talker->lies &&
           talker->calm >= SETTLED && !talker->muted && !talker->suspended && talker->connected && !talker->aside;
}

static void check_heard(chaos *c, member *ear) {
    int places = c->rooms[ear->room - 1].talkers, talkers = 0, heard = 0;
    for (int i = 0; i < LEGS; i++) {
        talkers += owed(ear, &c->members[i]);
        heard += i != (int)ear->id - 1 && ear->tones[i] >= HEARD;
    }
    places -= ear->leg->placed; /* its own is none that it hears */
    int wanted = c->rooms[ear->room - 1].talkers == CF_TALKERS_ALL || talkers < places ? talkers : places;
    bool excused = ear->calm < SETTLED || ear->deaf || ear->leg->pairs;
    ear->unheard = excused || heard >= wanted ? 0 : ear->unheard + 1;
    CHECK(ear->unheard < UNHEARD);
}

static void check_member(chaos *c, member *m) {
    check_packets(c, m);
    if (m->calm > 5) /* who comes back at once to where it was hears itself fade there */
        CHECK(m->tones[m->id - 1] < HEARD);
    if (m->packets == 1 && m->listened)
        check_heard(c, m);
    m->calm++;
}

static void check_counters(chaos *c) {
    cf_core_stats stats;
    uint64_t shared = c->shared;
    cf_core_stats_get(c->core, &stats);
    for (int i = 0; i < LEGS; i++)
        if (c->members[i].leg)
            shared += counter_get(&c->members[i].leg->count.shared_frames);
    CHECK_INT(stats.packets_out, c->sent);
    CHECK_INT(stats.packets_in, c->received);
    CHECK_INT(stats.packets_unknown, 0);
    CHECK_INT(stats.frames_shared, shared);
    CHECK(!stats.late_ticks || c->held_up);
}

/* ---- time ---- */

static void change_something(chaos *c) {
    member *m = &c->members[dice(c, LEGS)];
    if (!dice(c, 20))
        change_room(c, dice(c, ROOMS));
    if (m->leg)
        change(c, m);
    else
        join(c, m);
}

static void advance(chaos *c, int64_t to) {
    c->now = to;
    cf_core_advance(c->core, to);
}

/* The core finds out late: what it owes then is not looked at. */
static void hold_up(chaos *c) {
    advance(c, c->now + STEP * MS * (1 + dice(c, 30)));
    c->held_up++;
    for (int i = 0; i < LEGS; i++)
        c->members[i].calm = 0;
}

static void step(chaos *c) {
    int64_t end = c->now + STEP * MS;
    for (int i = 0; i < LEGS; i++) {
        c->members[i].packets = 0;
        c->members[i].listened = false;
        if (c->members[i].leg)
            speak(c, &c->members[i]);
    }
    while (dice(c, 15) == 0 && c->now < end) {
        advance(c, c->now + dice(c, (uint32_t)(end - c->now)));
        change_something(c);
        check_core(c->core);
    }
    advance(c, end);
    check_core(c->core);
    for (int i = 0; i < LEGS; i++)
        if (c->members[i].leg)
            check_member(c, &c->members[i]);
    if (!dice(c, 1500))
        hold_up(c);
}

/* Nobody ever is in these: they keep the others from ticking one right after the other. */
static void idle_rooms(chaos *c, uint64_t first) {
    for (uint64_t id = first; id < first + 3; id++) {
        cf_room_config config = {.id = id};
        CHECK_INT(cf_core_room_add(c->core, cf_room_new(&config), c->now), 0);
    }
}

static chaos *chaos_new(uint64_t seed) {
    static const cf_room_config rooms[ROOMS] = {{.talkers = CF_TALKERS_ALL},
                                                {.talkers = 1},
                                                {.talkers = 3, .gate_hold_ms = 3000},
                                                {.talkers = CF_TALKERS_MAX, .transcode = 1},
                                                {.talkers = CF_TALKERS_ALL, .noise_dbov = 70}};
    chaos *c = calloc(1, sizeof *c);
    cf_core_config config = {.seed = seed, .send = on_send, .event = on_event, .arg = c};
    cf_rng_seed(&c->rng, seed);
    c->core = cf_core_new(&config);
    c->now = SECOND;
    for (int i = 0; i < ROOMS; i++) {
        c->rooms[i] = rooms[i];
        c->rooms[i].id = (uint64_t)i + 1;
        change_room(c, (uint32_t)i);
        idle_rooms(c, 100 + (uint64_t)i * 10);
    }
    for (int i = 0; i < LEGS; i++)
        c->members[i].id = (uint64_t)i + 1;
    return c;
}

static void chaos_free(chaos *c) {
    if (dice(c, 2))
        for (int i = 0; i < LEGS; i++)
            if (c->members[i].leg)
                leave(c, &c->members[i]);
    check_core(c->core);
    reap(c);
    cf_core_free(c->core); /* whatever is still in it, in whatever state */
    free(c);
}

static void run_minutes(uint64_t seed, int minutes) {
    chaos *c = chaos_new(seed);
    int failed = checks_failed;
    for (int i = 0; i < minutes * 60 * CF_TICKS && checks_failed == failed; i++)
        step(c);
    check_counters(c);
    if (checks_failed != failed)
        fprintf(stderr, "seed %d, at %.2f s\n", (int)seed, (double)c->now / (double)SECOND);
    chaos_free(c);
}

static void test_whatever_happens_everybody_gets_what_is_theirs(void) {
    make_voices();
    for (uint64_t seed = 1; seed <= 6; seed++)
        run_minutes(seed, 2);
}

/* With a seed and minutes: that run, for a longer search. */
int main(int argc, char **argv) {
    if (argc == 3) {
        make_voices();
        for (int seed = atoi(argv[1]), end = seed + atoi(argv[2]); seed < end && !checks_failed; seed++)
            run_minutes((uint64_t)seed, 5);
        return REPORT();
    }
    RUN(test_whatever_happens_everybody_gets_what_is_theirs);
    return REPORT();
}

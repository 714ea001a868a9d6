/* Everything at once, at random: members of all kinds come, talk, are moved, muted, paired and go, rooms fall asleep
 * and are woken, the core is held up. What must hold whatever happens is looked at after each step. */
#include "testlib.h"

#include "chaos_changes.h"

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
        return;                                                                         /* lost */
    cf_core_receive(c->core, &path, packet, len, c->now - (dice(c, 100) ? 0 : 5 * MS)); /* time may even go back */
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
    return talker->leg && talker != ear && talker->room == ear->room && talker->talked > 0 && !talker->lies &&
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
    if (!dice(c, 100))
        cf_core_advance(c->core, to - 30 * MS);
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

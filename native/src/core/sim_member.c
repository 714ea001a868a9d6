/* A member of the simulated room: made, joined to the core as an RTP leg, and taken out again. */
#include "sim_internal.h"

#include <stdlib.h>

enum { TAP_MS = 3000 }; /* drained every second */

/* Payload types by codec; -1: not a member's. */
static const int8_t types[] = {-1, 0, 8, 111, 9, 96};
enum { CODECS = sizeof types / sizeof *types };

static bool codec_known(int codec) {
    return codec >= 0 && codec < CODECS && types[codec] >= 0;
}

int person_pt(const struct sim_person *person) {
    return types[person->config.codec.codec];
}

int person_clock(const struct sim_person *person) {
    return cf_codec_clock(person->config.codec.codec, person->config.codec.rate);
}

/* 10.0.0.1 and up; only the core sees these addresses. */
cf_path person_path(const struct sim_person *person) {
    uint16_t host = (uint16_t)(person->number + 1);
    cf_path path = {.socket = (uint32_t)person->number + 1,
                    .remote = {.ip = {10, 0, (uint8_t)(host >> 8), (uint8_t)host}, .port = 5004, .family = 4}};
    return path;
}

cf_srtp *person_srtp(const struct sim_person *person, int direction) {
    int profile = person->config.srtp_profile;
    size_t key = profile == CF_SRTP_AEAD_AES_256_GCM ? 32 : 16, salt = profile == CF_SRTP_AES128_CM_SHA1_80 ? 14 : 12;
    return cf_srtp_new(profile, person->keys[direction], key, person->keys[direction] + key, salt);
}

static bool member_valid(const cf_sim_member *m) {
    bool sends = !m->sends.codec || (m->sends.codec == m->codec.codec && m->sends.rate == m->codec.rate);
    return codec_known(m->codec.codec) && sends && link_valid(&m->up) && link_valid(&m->down) &&
           m->clock_ppm > -10000 && m->clock_ppm < 10000 && m->join_ms >= 0 && m->leave_ms >= 0;
}

/* One stream of random numbers for each thing that draws them, so that a change of one does not move the others. */
static void seed_streams(struct sim_person *person, uint64_t seed) {
    uint64_t base = hash_u64(seed) ^ hash_u64((uint64_t)person->number + 1);
    cf_rng_seed(&person->rng, base);
    cf_rng_seed(&person->up.rng, base + 1);
    cf_rng_seed(&person->down.rng, base + 2);
    for (size_t i = 0; i < sizeof person->keys; i++)
        ((uint8_t *)person->keys)[i] = (uint8_t)cf_rng_u32(&person->rng);
}

static cf_codec_params sender_params(const cf_sim_member *member) {
    if (member->sends.codec)
        return member->sends;
    return (cf_codec_params){.codec = member->codec.codec,
                             .ptime_ms = member->codec.ptime_ms,
                             .complexity = 0,
                             .low_delay = 1,
                             .rate = member->codec.rate};
}

static int person_make(struct sim_person *person) {
    const cf_sim_member *m = &person->config;
    cf_codec_params params = sender_params(m);
    cf_playout_config playout = {0};
    person->encoder = cf_encoder_new(&params);
    person->playout = cf_playout_new(&playout);
    if (!person->encoder || !person->playout)
        return -ENOMEM;
    if (m->srtp_profile) {
        person->outbound = person_srtp(person, 0);
        person->inbound = person_srtp(person, 1);
        if (!person->outbound || !person->inbound)
            return -EINVAL;
    }
    return cf_playout_map(person->playout, (uint8_t)person_pt(person), m->codec.codec, person_clock(person));
}

int person_init(struct sim_person *person, cf_sim *sim, const cf_sim_member *member) {
    if (!member_valid(member))
        return -EINVAL;
    person->config = *member;
    person->number = sim->count;
    person->frame_ns = 20e6 / (1 + member->clock_ppm * 1e-6);
    person->up.link = member->up;
    person->down.link = member->down;
    seed_streams(person, sim->seed);
    person->ssrc = cf_rng_u32(&person->rng) | 1;
    person->seq = (uint16_t)cf_rng_u32(&person->rng);
    person->ts_start = cf_rng_u32(&person->rng);
    return person_make(person);
}

void person_free(struct sim_person *person) {
    cf_encoder_free(person->encoder);
    cf_playout_free(person->playout);
    cf_srtp_free(person->inbound);
    cf_srtp_free(person->outbound);
    free(person->says);
    free(person->heard.data);
    free(person->tapped.data);
    free(person);
}

static cf_leg_config leg_config(const struct sim_person *person) {
    const cf_sim_member *m = &person->config;
    cf_leg_config config = {
        .id = (uint64_t)person->number + 1,
        .room = SIM_ROOM,
        .kind = CF_LEG_RTP,
        .tx = m->codec,
        .tx_pt = person_pt(person),
        .rx_count = 1,
        .rx = {{person_pt(person), m->codec.codec, person_clock(person)}},
        .dtx = m->dtx,
        .audio_level_ext = m->audio_level ? SIM_LEVEL_EXT : 0,
        .cname = "mixer",
        .rtp_socket = (uint32_t)person->number + 1,
        .rtcp_socket = (uint32_t)person->number + 1,
        .remote_rtp = person_path(person).remote,
        .secure = m->srtp_profile != 0,
    };
    return config;
}

static int leg_secure_it(cf_sim *sim, const struct sim_person *person) {
    cf_srtp *inbound = person_srtp(person, 0), *outbound = person_srtp(person, 1);
    if (!inbound || !outbound) {
        cf_srtp_free(inbound);
        cf_srtp_free(outbound);
        return -ENOMEM;
    }
    return cf_core_leg_keys(sim->core, (uint64_t)person->number + 1, &inbound, &outbound);
}

static int tap_attach(cf_sim *sim, struct sim_person *person) {
    if (!person->tap_point)
        return 0;
    person->tap = cf_tap_new(person->tap_point, TAP_MS);
    if (!person->tap)
        return -ENOMEM;
    uint64_t id = person->tap_point == CF_TAP_ROOM ? SIM_ROOM : (uint64_t)person->number + 1;
    return cf_core_tap(sim->core, id, person->tap);
}

int person_join(cf_sim *sim, struct sim_person *person) {
    cf_leg_config config = leg_config(person);
    cf_leg *leg = cf_leg_new(&config, cf_rng_next(&person->rng));
    if (!leg)
        return -ENOMEM;
    int result = cf_core_leg_add(sim->core, leg, sim->now);
    if (result) {
        cf_leg_free(leg);
        return result;
    }
    person->joined = true;
    result = person->config.srtp_profile ? leg_secure_it(sim, person) : 0;
    if (!result)
        result = tap_attach(sim, person);
    /* its sound card starts at a moment of its own */
    person->joined_at = sim->now + (int64_t)(cf_rng_unit(&person->rng) * (double)PERIOD);
    person->rtcp_at = person->joined_at + SECOND;
    return result ? result : sim_later(sim, person->joined_at, SIM_TICK, person->number);
}

int person_drain(struct sim_person *person) {
    int16_t pcm[CF_FRAME];
    size_t n;
    while (person->tap && (n = cf_tap_read(person->tap, pcm, CF_FRAME, NULL)))
        if (pcm_append(&person->tapped, pcm, n))
            return -ENOMEM;
    return 0;
}

void person_leave(cf_sim *sim, struct sim_person *person) {
    if (!person->joined || person->left)
        return;
    person->left = true;
    cf_leg *leg = cf_core_leg_remove(sim->core, (uint64_t)person->number + 1, true, sim->now);
    cf_leg_stats_get(leg, &person->last_stats);
    cf_leg_free(leg);
    if (!person->tap)
        return;
    cf_tap_free(cf_core_untap(sim->core, person->tap));
    person->tap = NULL;
}

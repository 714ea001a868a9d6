/* What the caller of a simulation asks of its members between two runs. */
#include "sim_internal.h"

#include <stdlib.h>

static struct sim_person *person_of(const cf_sim *sim, int member) {
    return member >= 0 && member < sim->count ? sim->people[member] : NULL;
}

static uint64_t leg_id(int member) {
    return (uint64_t)member + 1;
}

int cf_sim_say(cf_sim *sim, int member, const int16_t *pcm, size_t n, int loop) {
    struct sim_person *person = person_of(sim, member);
    if (!person)
        return -ENOENT;
    int16_t *copy = malloc(n ? n * sizeof *copy : 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, pcm, n * sizeof *copy);
    free(person->says);
    person->says = copy;
    person->says_len = n;
    person->says_at = 0;
    person->loops = loop && n;
    return 0;
}

size_t cf_sim_heard(cf_sim *sim, int member, int16_t *pcm, size_t n) {
    struct sim_person *person = person_of(sim, member);
    return person ? pcm_take(&person->heard, pcm, n) : 0;
}

size_t cf_sim_heard_waiting(cf_sim *sim, int member) {
    const struct sim_person *person = person_of(sim, member);
    return person ? person->heard.used : 0;
}

int cf_sim_tap(cf_sim *sim, int member, int point) {
    struct sim_person *person = person_of(sim, member);
    if (!person)
        return -ENOENT;
    if (person->joined)
        return -EBUSY;
    if (point < CF_TAP_LEG_IN || point > CF_TAP_ROOM)
        return -EINVAL;
    person->tap_point = point;
    return 0;
}

size_t cf_sim_tapped(cf_sim *sim, int member, int16_t *pcm, size_t n) {
    struct sim_person *person = person_of(sim, member);
    return person ? pcm_take(&person->tapped, pcm, n) : 0;
}

size_t cf_sim_tapped_waiting(cf_sim *sim, int member) {
    const struct sim_person *person = person_of(sim, member);
    return person ? person->tapped.used : 0;
}

int cf_sim_stats(cf_sim *sim, int member, cf_leg_stats *stats) {
    const struct sim_person *person = person_of(sim, member);
    if (!person || !person->joined)
        return -ENOENT;
    if (person->left)
        *stats = person->last_stats;
    else
        cf_leg_stats_get(leg_by_id(sim->core, leg_id(member)), stats);
    return 0;
}

int cf_sim_receiver_stats(cf_sim *sim, int member, cf_playout_stats *stats) {
    const struct sim_person *person = person_of(sim, member);
    if (!person)
        return -ENOENT;
    cf_playout_stats_get(person->playout, stats);
    return 0;
}

int cf_sim_core_stats(cf_sim *sim, cf_core_stats *stats) {
    cf_core_stats_get(sim->core, stats);
    return 0;
}

int cf_sim_mute(cf_sim *sim, int member, int muted) {
    return cf_core_leg_mute(sim->core, leg_id(member), muted);
}

int cf_sim_deaf(cf_sim *sim, int member, int deaf) {
    return cf_core_leg_deaf(sim->core, leg_id(member), deaf);
}

int cf_sim_suspend(cf_sim *sim, int member, int suspended) {
    return cf_core_leg_suspend(sim->core, leg_id(member), suspended);
}

int cf_sim_aside(cf_sim *sim, int member, int aside) {
    return cf_core_leg_aside(sim->core, leg_id(member), aside);
}

int cf_sim_gate(cf_sim *sim, int member, int gate_dbov) {
    return cf_core_leg_gate(sim->core, leg_id(member), gate_dbov);
}

int cf_sim_agc(cf_sim *sim, int member, int agc) {
    return cf_core_leg_agc(sim->core, leg_id(member), agc);
}

int cf_sim_pair(cf_sim *sim, int listener, int talker, int32_t gain_q14) {
    cf_pair *pair = cf_pair_new(leg_id(talker), gain_q14);
    if (!pair)
        return -EINVAL;
    int result = cf_core_pair(sim->core, leg_id(listener), &pair);
    cf_pair_free(pair);
    return result;
}

int cf_sim_unpair(cf_sim *sim, int listener, int talker) {
    return cf_core_unpair(sim->core, leg_id(listener), leg_id(talker));
}

int cf_sim_gain(cf_sim *sim, int member, int32_t gain_q14) {
    return cf_core_leg_gain(sim->core, leg_id(member), gain_q14);
}

/* The same core under a simulated clock: a room with members, links with loss, delay and jitter, and clocks that drift.
 */
#ifndef CONFEROCORE_SIM_H
#define CONFEROCORE_SIM_H

#include "core.h"

/*cdef*/
typedef struct cf_sim cf_sim;

typedef struct cf_sim_link {   /* one direction */
    double loss;               /* 0-1 */
    double burst;              /* mean length of a loss burst in packets; below 1: 1 */
    double duplicate, reorder; /* 0-1; a reordered packet is held back by reorder_ms */
    int delay_ms, jitter_ms;   /* jitter: uniform 0..jitter_ms on top */
    int reorder_ms;
} cf_sim_link;

typedef struct cf_sim_member {
    cf_codec_params codec; /* what it sends and is sent: how the mixer encodes for it */
    cf_codec_params sends; /* its own encoder, of the same codec; codec 0: the cheapest of that codec */
    int srtp_profile;      /* enum cf_srtp_profile: 0 plain */
    double clock_ppm;      /* its sound card against the mixer's clock */
    cf_sim_link up, down;
    int64_t join_ms, leave_ms; /* leave 0: stays */
    int audio_level;           /* 1: sends RFC 6464 and is sent it */
    int no_voice;              /* 1: sends no media at all */
    int dtx;                   /* 1: is sent next to nothing while the room is silent */
    int no_ear;                /* 1: what it is sent is counted, not decoded (large rooms) */
} cf_sim_member;

cf_sim *cf_sim_new(uint64_t seed, const cf_room_config *room);
void cf_sim_free(cf_sim *sim);
/* The member's number, or a negative errno. */
int cf_sim_add(cf_sim *sim, const cf_sim_member *member);
/* What it says: 48 kHz mono, copied; repeated from the start when it ends if `loop`. */
int cf_sim_say(cf_sim *sim, int member, const int16_t *pcm, size_t n, int loop);
/* Runs to this simulated time. -ENOSPC: the links held more packets than CF_SIM_PACKETS and some were dropped; -ENOMEM.
 */
int cf_sim_run(cf_sim *sim, int64_t until_ms);
/* What it heard since the last call, at 48 kHz on the member's own clock: samples. At most CF_SIM_KEPT wait; the newest
 * are dropped. */
size_t cf_sim_heard(cf_sim *sim, int member, int16_t *pcm, size_t n);
size_t cf_sim_heard_waiting(cf_sim *sim, int member);
/* One tap per member, asked for before it joins: what it adds, what it hears before the encoder (CF_TAP_LEG_OUT), or
 * the whole room; on the mixer's clock, from the member's first tick on. */
int cf_sim_tap(cf_sim *sim, int member, int point);
size_t cf_sim_tapped(cf_sim *sim, int member, int16_t *pcm, size_t n);
size_t cf_sim_tapped_waiting(cf_sim *sim, int member);
int cf_sim_stats(cf_sim *sim, int member, cf_leg_stats *stats);              /* the mixer's view of the leg */
int cf_sim_receiver_stats(cf_sim *sim, int member, cf_playout_stats *stats); /* the member's own jitter buffer */
int cf_sim_core_stats(cf_sim *sim, cf_core_stats *stats);
int cf_sim_mute(cf_sim *sim, int member, int muted);
int cf_sim_deaf(cf_sim *sim, int member, int deaf);
int cf_sim_gain(cf_sim *sim, int member, int32_t gain_q14);
int cf_sim_suspend(cf_sim *sim, int member, int suspended);
int cf_sim_aside(cf_sim *sim, int member, int aside);
int cf_sim_gate(cf_sim *sim, int member, int gate_dbov);
int cf_sim_agc(cf_sim *sim, int member, int agc);
int cf_sim_pair(cf_sim *sim, int listener, int talker, int32_t gain_q14);
int cf_sim_unpair(cf_sim *sim, int listener, int talker);
/* FNV-1a over every datagram that left the core, with its time and path: equal for equal seeds on one build. */
uint64_t cf_sim_digest(const cf_sim *sim);
/*end*/
enum { CF_SIM_MEMBERS = 8192, CF_SIM_PACKETS = 65536, CF_SIM_KEPT = 48000 * 60 * 20 }; /* bounds; samples: 20 minutes */

#endif

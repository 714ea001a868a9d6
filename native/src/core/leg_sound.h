/* What a leg adds to its room in a tick, and what it hears. */
#ifndef CONFEROCORE_CORE_LEG_SOUND_H
#define CONFEROCORE_CORE_LEG_SOUND_H

#include "conferocore/core.h"
#include "leg.h"
#include "room.h"

/* voice.c */
static inline int leg_gate(const cf_leg *leg) {
    return leg->config.gate_dbov ? leg->config.gate_dbov : leg->room->config.gate_dbov;
}
static inline bool leg_audible(const cf_leg *leg) {
    return !leg->muted && !leg->suspended && leg->gain;
}
void leg_voice(cf_core *core, cf_leg *leg, int64_t now);
/* A leg whose sender hears no voice, but something stronger than when it was last found silent; `level`: of a peek. */
bool leg_has_grown(const cf_leg *leg, int level);
void leg_fade(cf_core *core, cf_leg *leg); /* adds its faded next frame to its room's tail */

/* hear.c */
void leg_settle(cf_core *core,
                cf_leg *leg); /* before the room's limiter and encoders run: leaves a stream that is no longer right */
void leg_leave_stream(cf_leg *leg, bool keep);
void leg_hear(cf_core *core, cf_leg *leg, int64_t at, uint64_t period);

/* digits.c */
void leg_event_take(cf_core *core, cf_leg *leg, const cf_rtp *rtp, int clock_rate, int64_t now);
void leg_event_timers(cf_core *core, cf_leg *leg, int64_t now);
bool leg_listen(cf_core *core, cf_leg *leg, int16_t *pcm, int64_t now); /* true: something was cut out of the frame */
void leg_listen_silence(cf_core *core, cf_leg *leg, int64_t now);
bool leg_digit_send(cf_core *core, cf_leg *leg, uint64_t period); /* true: a report went out in the frame's place */

#endif

/* What the parts of a leg ask of one another between the wire and its decoder, and back. */
#ifndef CONFEROCORE_CORE_LEG_WIRE_H
#define CONFEROCORE_CORE_LEG_WIRE_H

#include "conferocore/core.h"
#include "conferocore/event.h"
#include "conferocore/rtp.h"
#include "leg.h"

enum {
    NOTICE_RATE = 2,  /* ICE_MOVED and BYE events a second that one peer may cause ... */
    NOTICE_BURST = 10 /* ... and at once: no peer can flood the event ring */
};

/* leg_ice.c */
void leg_stun(cf_core *core, const cf_path *path, const uint8_t *data, size_t len, int64_t now);
void leg_paths_age(cf_core *core, cf_leg *leg);
void leg_paths_drop(cf_core *core, cf_leg *leg);

/* leg_rtp.c */
bool leg_secure(const cf_leg *leg);   /* nothing passes before its keys are set */
bool leg_sendable(const cf_leg *leg); /* keys and address are there, consent is not lost */
static inline bool leg_hearing(const cf_leg *leg) {
    return !leg->suspended && !leg->held && leg_sendable(leg);
}
bool leg_may_be_at(const cf_leg *leg, const cf_addr *remote); /* RTP: whatever the port */
bool leg_reports(const cf_leg *leg);                          /* there is RTCP, both ways */
bool leg_dtls_allowed(const cf_leg *leg, const cf_path *path);
void leg_media(cf_core *core, cf_leg *leg, const cf_path *path, uint8_t *data, size_t len, int64_t now);

/* leg_payload.c */
const cf_pt_map *leg_payload_type(const cf_leg *leg, uint8_t pt); /* NULL: none of the leg's */
void leg_payload_take(cf_core *core, cf_leg *leg, const cf_rtp *rtp, const cf_pt_map *map, int level, int64_t now);

/* leg_red.c */
void leg_red_note(cf_leg *leg, uint8_t fraction_lost, int64_t now); /* the peer has reported */
/* The payload that goes out, its type in *pt: as it is, or with earlier ones in core->redundant. */
const uint8_t *leg_red_wrap(cf_core *core, cf_leg *leg, uint32_t ts, const uint8_t *payload, size_t *len, uint8_t *pt);

/* leg_rtcp.c */
void leg_rtcp_take(cf_core *core, cf_leg *leg, const uint8_t *data, size_t len, int64_t now);
void leg_rtcp_send(cf_core *core, cf_leg *leg, bool bye, int64_t now);
int64_t leg_rtcp_interval(cf_leg *leg);

/* leg_send.c */
/* ts: of the payload's first sample. */
void leg_send(cf_core *core, cf_leg *leg, const uint8_t *payload, size_t len, uint8_t level, uint32_t ts);
void leg_send_event(cf_core *core, cf_leg *leg, const cf_event_report *report);
/* True if the peer has agreed to be sent next to nothing while there is nothing to hear. */
static inline bool leg_may_pause(const cf_leg *leg) {
    if (leg->config.tx.codec == CF_CODEC_OPUS) /* has no words for the room's noise */
        return leg->config.dtx && !leg->room->config.noise_dbov;
    return leg->config.cn_pt;
}
void leg_send_pause(cf_core *core, cf_leg *leg, uint64_t period); /* in silence: keeps path and decoder going */
uint32_t leg_timestamp(const cf_leg *leg, uint64_t period);
uint32_t leg_timestamp_at(const cf_leg *leg, int64_t now);

/* leg_timers.c */
void leg_timers(cf_core *core, cf_leg *leg, int64_t now);
void leg_changed(cf_core *core, cf_leg *leg); /* keys, path or consent: it may be sent to now, or be heard */

/* expect.c */
/* While a leg of a room is sent to: what the next two will need. */
void leg_warm_ahead(const cf_leg *leg);

#endif

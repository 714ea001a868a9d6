/* The core itself: its tables, its slots, the scratch of a tick; and how it finds, tells and sends. */
#ifndef CONFEROCORE_CORE_STATE_H
#define CONFEROCORE_CORE_STATE_H

#include "conferocore/codec.h"
#include "conferocore/core.h"
#include "conferocore/event.h"
#include "conferocore/srtp.h"
#include "counter.h"
#include "leg.h"
#include "room.h"
#include "stream.h"
#include "table.h"
#include "units.h"

enum {
    SLOTS = 20,        /* rooms are spread over the period in steps of 1 ms: no burst, no extra wake-ups */
    DOZE_BUCKETS = 50, /* a sleeping room is looked at once a second: the shortest of its legs' times */
    CSRCS = 15,        /* RFC 3550 section 5.1 */
    PACKET_CAP = CF_DATAGRAM_MAX
};

struct slot {
    cf_room *first;
    int64_t next_at; /* INT64_MAX: no room */
    size_t rooms;
};

struct cf_core {
    cf_core_config config;
    int64_t now; /* the latest that the caller told */
    struct table legs_by_id, legs_by_ufrag, legs_by_path, legs_by_socket, rooms_by_id;
    struct slot slots[SLOTS];
    size_t rooms, legs;
    cf_room *asleep[DOZE_BUCKETS];
    size_t sleepers;
    uint32_t next_bucket, doze_turn;
    int64_t doze_at;
    cf_tap *taps;
    struct {
        CORE_COUNTERS(COUNTER_FIELD)
    } count;
    /* scratch of one room's tick */
    int mixed;            /* voices, clips and whatever else is in the sum */
    int voices;           /* legs that have added something */
    bool silent;          /* the whole room: room_pcm is silence */
    uint32_t csrc[CSRCS]; /* who is heard: sources and levels of the tick's voices */
    uint8_t csrc_level[CSRCS];
    cf_leg *csrc_leg[CSRCS];
    int csrc_count;
    int32_t sum[CF_FRAME], mix[CF_FRAME];
    int16_t pcm[CF_FRAME], room_pcm[CF_FRAME], own_pcm[CF_FRAME];
    uint8_t room_level;
    cf_encoded made[STREAMS]; /* of the room whose tick it is: what its streams are sent */
    cf_encoded own_made;
    uint8_t redundant[CF_PAYLOAD_MAX];
    uint8_t packet[PACKET_CAP];
    unsigned metered; /* packets whose cryptography was or was not timed */
};

/* core.c */
void core_send(cf_core *core, const cf_path *path, const uint8_t *data, size_t len);
uint64_t core_ntp(const cf_core *core, int64_t now); /* 32.32 */

/* outbox.c */
/* Room for PACKET_CAP bytes, where the next datagram is written, and its sending; nothing else may be sent between. */
uint8_t *core_reserve(cf_core *core);
void core_commit(cf_core *core, const cf_path *path, size_t len);
/* The header stands in `packet`, the payload goes behind it; the packet's length. NULL: in the clear. */
int core_seal(cf_core *core, cf_srtp *srtp, uint8_t *packet, size_t header_len, const uint8_t *payload, size_t len);
int core_open(cf_core *core, cf_srtp *srtp, uint8_t *packet, size_t len, bool rtcp);

/* find.c */
uint64_t hash_u64(uint64_t value);
uint64_t hash_text(const char *text);
uint64_t hash_path(const cf_core *core, const cf_path *path);
cf_leg *leg_by_id(const cf_core *core, uint64_t id);
cf_leg *leg_by_ufrag(const cf_core *core, const char *ufrag);
struct path_node *node_by_path(const cf_core *core, const cf_path *path);
cf_leg *leg_by_socket(const cf_core *core, uint32_t socket);
cf_room *room_by_id(const cf_core *core, uint64_t id);

/* event.c */
cf_event event_about(const cf_core *core, enum cf_event_type type, const cf_leg *leg);
void event_send(cf_core *core, const cf_event *event);
void event_leg(cf_core *core, enum cf_event_type type, cf_leg *leg);
void event_path(cf_core *core, enum cf_event_type type, cf_leg *leg, const cf_path *path);

/* The cost of a part, where somebody measures. */
static inline int64_t core_stopwatch(const cf_core *core) {
    return core->config.stopwatch ? core->config.stopwatch() : 0;
}

#endif

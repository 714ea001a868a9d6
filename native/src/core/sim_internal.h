/* What the files of the simulated-time shell share. */
#ifndef CONFEROCORE_SIM_INTERNAL_H
#define CONFEROCORE_SIM_INTERNAL_H

#include "leg.h"
#include "state.h"
#include "units.h"

#include "conferocore/sim.h"

enum { SIM_PACKET_BYTES = PACKET_CAP, SIM_LEVEL_EXT = 1, SIM_ROOM = 1 };

struct sim_packet {
    struct sim_packet *next; /* in the free list */
    size_t len;
    uint8_t data[SIM_PACKET_BYTES];
};

enum sim_what { SIM_JOIN, SIM_LEAVE, SIM_TICK, SIM_UP, SIM_DOWN };
struct sim_event {
    int64_t at;     /* simulated ns */
    uint64_t order; /* of events at one time: as they were made */
    enum sim_what what;
    int member;
    struct sim_packet *packet; /* SIM_UP, SIM_DOWN */
};

/* A binary heap of what is to happen, and the packets that are under way. */
struct sim_queue {
    struct sim_event *heap;
    size_t count, cap;
    uint64_t order;
    struct sim_packet *unused;
    void **chunks; /* the blocks that packets were taken from */
    size_t chunk_count, packets;
    bool overflow;
};
int queue_push(struct sim_queue *queue, const struct sim_event *event);
bool queue_pop(struct sim_queue *queue, struct sim_event *event);
int64_t queue_next_at(const struct sim_queue *queue);
struct sim_packet *queue_packet(struct sim_queue *queue, const uint8_t *data, size_t len); /* NULL: dropped */
void queue_packet_done(struct sim_queue *queue, struct sim_packet *packet);
void queue_free(struct sim_queue *queue);

/* One direction of a member's network. */
struct sim_wire {
    cf_sim_link link;
    cf_rng rng;
    bool bad; /* inside a burst of losses */
};
bool link_valid(const cf_sim_link *link);
/* The times at which a packet sent now arrives: 0, 1 or 2 of them. */
int wire_send(struct sim_wire *wire, int64_t now, int64_t arrivals[2]);

/* PCM that waits for the caller. */
struct sim_pcm {
    int16_t *data;
    size_t start, used, cap;
};
int pcm_append(struct sim_pcm *pcm, const int16_t *samples, size_t n); /* -ENOMEM; beyond CF_SIM_KEPT dropped */
size_t pcm_take(struct sim_pcm *pcm, int16_t *out, size_t n);

/* A member: its sound card, its encoder, its jitter buffer, its network, and its leg in the core. */
struct sim_person {
    cf_sim_member config;
    int number;
    bool joined, left;
    double frame_ns; /* 20 ms of its own clock */
    int64_t joined_at;
    uint64_t frames; /* ticks of its own clock so far */
    cf_rng rng;
    int16_t *says;
    size_t says_len, says_at;
    bool loops;
    cf_encoder *encoder;
    cf_playout *playout;
    cf_srtp *inbound, *outbound;
    uint8_t keys[2][46]; /* key and salt: to the mixer, from the mixer */
    struct sim_wire up, down;
    uint32_t ssrc, ts_start, octets;
    uint16_t seq;
    cf_rtp_source source;
    uint32_t sr_middle;
    int64_t sr_at, rtcp_at;
    struct sim_pcm heard, tapped;
    int tap_point;
    cf_tap *tap;
    cf_leg_stats last_stats; /* of the leg that has left */
};

struct cf_sim {
    cf_core *core;
    uint64_t seed, digest;
    int64_t now;
    int64_t drained_at;
    int error;
    struct sim_queue queue;
    struct sim_person **people;
    int count;
};

int person_init(struct sim_person *person, cf_sim *sim, const cf_sim_member *member);
void person_free(struct sim_person *person);
int person_join(cf_sim *sim, struct sim_person *person);
void person_leave(cf_sim *sim, struct sim_person *person);
int person_drain(struct sim_person *person);
cf_path person_path(const struct sim_person *person);
int person_pt(const struct sim_person *person);
int person_clock(const struct sim_person *person);                    /* of its RTP timestamps */
cf_srtp *person_srtp(const struct sim_person *person, int direction); /* 0: to the mixer, 1: from it */

/* sim_device.c */
int device_tick(cf_sim *sim, struct sim_person *person); /* speaks and listens for 20 ms of its own clock */
void device_receive(cf_sim *sim, struct sim_person *person, uint8_t *data, size_t len);

/* sim.c */
int sim_later(cf_sim *sim, int64_t at, enum sim_what what, int member);
int sim_carry(cf_sim *sim, struct sim_wire *wire, enum sim_what what, int member, const uint8_t *data, size_t len);

#endif

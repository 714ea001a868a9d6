/* Packets between arrival and decoding, found by their sequence number. */
#ifndef CONFEROCORE_AUDIO_STORE_H
#define CONFEROCORE_AUDIO_STORE_H

#include "conferocore/playout.h"

enum { CF_PACKET_MAX = CF_RTP_MAX - CF_RTP_HEADER };

typedef struct cf_packet {
    int64_t seq;      /* extended sequence number */
    int64_t pos;      /* media time of the first sample, samples at 48 kHz */
    uint16_t samples; /* at 48 kHz */
    uint16_t len;
    uint8_t entry; /* index of the payload type's entry */
    uint8_t payload[CF_PACKET_MAX];
} cf_packet;

typedef struct cf_store {
    int64_t next;    /* the sequence number to be decoded next: all slots hold next .. next + CF_PLAYOUT_SLOTS - 1 */
    uint64_t used;   /* bit (seq mod 64): the slot holds a packet */
    uint64_t missed; /* bit (seq mod 64) of the 64 numbers before next: it was not there in time */
    cf_packet slots[CF_PLAYOUT_SLOTS];
} cf_store;

/* Empties it; `next` is expected next. */
void cf_store_reset(cf_store *store, int64_t next);
/* The packet with the lowest sequence number, or NULL. */
cf_packet *cf_store_first(cf_store *store);
bool cf_store_has(const cf_store *store, int64_t seq);
/* The slot of seq, which must lie in the window and be free, now taken. */
cf_packet *cf_store_take_slot(cf_store *store, int64_t seq);
/* Moves next on to seq, never back; returns how many numbers it went past that were not there. Packets among them are
 * forgotten. */
uint32_t cf_store_advance(cf_store *store, int64_t seq);
/* True, once, if seq is one of the last 64 before next and was missed. */
bool cf_store_was_missed(cf_store *store, int64_t seq);

#endif

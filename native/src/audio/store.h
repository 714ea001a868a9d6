/* Packets between arrival and decoding, found by their sequence number, and the last few after it. */
#ifndef CONFEROCORE_AUDIO_STORE_H
#define CONFEROCORE_AUDIO_STORE_H

#include "conferocore/playout.h"

enum {
    CF_PACKET_MAX = CF_RTP_MAX - CF_RTP_HEADER,
    CF_PACKET_SMALL = 192, /* 20 ms of G.711, or of Opus up to 76 kbit/s */
    CF_STORE_KEPT = 3,     /* what a decoder needs to hear to be where it would be had it never stopped: CELT's energies
                              forget half of an error with each frame (RFC 6716 section 4.3.2.1) */
    CF_STORE_CHUNKS = CF_PLAYOUT_SLOTS + CF_STORE_KEPT,
};

/* Levels that are none: nothing is known, or nothing but that the sender's encoder heard no voice; where its gain is
 * known too, that is CF_LEVEL_HINT_QUIET - 1 - gain (silk_gain.h). */
enum { CF_LEVEL_UNKNOWN = -1, CF_LEVEL_HINT_QUIET = -2, CF_LEVEL_NONE = 127 };

typedef struct cf_packet {
    int64_t seq;      /* extended sequence number */
    int64_t pos;      /* media time of the first sample, samples at 48 kHz */
    uint16_t samples; /* at 48 kHz */
    uint16_t len;
    uint8_t entry; /* index of the payload type's entry */
    uint8_t chunk; /* where the payload is */
    int16_t level; /* -dBov as told or measured, or CF_LEVEL_... */
} cf_packet;

/* Free chunks of one size; the one used last is taken first, so that a calm stream touches a few and no more. */
typedef struct cf_chunks {
    uint8_t free[CF_STORE_CHUNKS];
    uint8_t count;
} cf_chunks;

/* Memory for payloads; never cleared, so that what is not used is not resident. */
typedef struct cf_payloads {
    uint8_t small[CF_STORE_CHUNKS][CF_PACKET_SMALL];
    uint8_t large[CF_STORE_CHUNKS][CF_PACKET_MAX];
} cf_payloads;

typedef struct cf_store {
    int64_t next;    /* the sequence number to be decoded next: all slots hold next .. next + CF_PLAYOUT_SLOTS - 1 */
    uint64_t used;   /* bit (seq mod 64): the slot holds a packet */
    uint64_t missed; /* bit (seq mod 64) of the 64 numbers before next: it was not there in time */
    uint64_t passed; /* bit (seq mod 64): the number carries no audio and is not waited for */
    cf_packet slots[CF_PLAYOUT_SLOTS];
    cf_packet kept[CF_STORE_KEPT]; /* retired last, newest first ... */
    uint32_t kept_count;           /* ... and how many there are */
    cf_chunks small, large;
    cf_payloads *payloads;
} cf_store;

/* Once; everything but the payloads has been set to zero. */
void cf_store_init(cf_store *store, cf_payloads *payloads);
/* Empties it, of kept packets too; `next` is expected next. */
void cf_store_reset(cf_store *store, int64_t next);
/* The packet with the lowest sequence number, or NULL. */
cf_packet *cf_store_first(cf_store *store);
/* The next one after seq that is there, or NULL. */
const cf_packet *cf_store_after(const cf_store *store, int64_t seq);
bool cf_store_has(const cf_store *store, int64_t seq);
/* The slot of seq, which must lie in the window and be free, now taken, with room for len octets. */
cf_packet *cf_store_take_slot(cf_store *store, int64_t seq, size_t len);
uint8_t *cf_store_payload(const cf_store *store, const cf_packet *packet);
/* Moves next on to seq, never back; returns how many numbers it went past that were not there. Packets among them are
 * forgotten. */
uint32_t cf_store_advance(cf_store *store, int64_t seq);
/* Moves next past the packet, which must be the next one, and keeps it until CF_STORE_KEPT more have been retired. */
void cf_store_retire(cf_store *store, const cf_packet *packet);
/* True, once, if seq is one of the last 64 before next and was missed. */
bool cf_store_was_missed(cf_store *store, int64_t seq);
/* No audio comes with this number, which must lie in the window. */
void cf_store_pass(cf_store *store, int64_t seq);
/* True if any number from next up to seq is neither there nor passed; seq lies in the window. */
bool cf_store_gap(const cf_store *store, int64_t seq);
/* True if next itself carries no audio. */
bool cf_store_pauses(const cf_store *store);

#endif

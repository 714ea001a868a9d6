/* Redundant audio data (RFC 2198): earlier payloads that ride along with the newest one, taken out and put in. */
#ifndef CONFEROCORE_RED_H
#define CONFEROCORE_RED_H

#include "base.h"
#include "rtp.h"

enum {
    CF_RED_BLOCKS = 8,   /* the newest payload and seven earlier ones: 140 ms at 20 ms, more than a buffer waits */
    CF_RED_HEADERS = 32, /* headers read in one packet: beyond it is no audio */
    CF_RED_OFFSET_MAX = 0x3FFF, /* what 14 and 10 bits can say (section 3) */
    CF_RED_LENGTH_MAX = 0x3FF,
    CF_RED_SEEN = 64,   /* packets remembered: the slots of a playout */
    CF_RED_EARLIER = 2, /* earlier payloads that a sender keeps: two losses in a row are mended */
    CF_RED_EARLIER_LENGTH =
        512, /* ... of at most so many bytes: 200 kbit/s at 20 ms; beyond it loss is not what hurts */
};

/* One block: a payload of its own, `offset` timestamp units older than the packet. */
typedef struct cf_red_block {
    uint8_t pt;
    uint16_t offset;
    const uint8_t *payload;
    size_t len;
} cf_red_block;

/* What a packet holds, in its own order: the primary, which has offset 0, is the last. Views into the packet. */
typedef struct cf_red {
    size_t count;
    cf_red_block blocks[CF_RED_BLOCKS];
} cf_red;

/* 0 or -EBADMSG: no header that ends the row, more than CF_RED_HEADERS, or blocks longer than the packet. Of more than
 * CF_RED_BLOCKS the first (oldest) are left out, and so are redundant blocks without a byte. */
int cf_red_parse(cf_red *red, const uint8_t *payload, size_t len);
/* Writes header and blocks, the last one as the primary; returns the length, or -ENOSPC if not even the primary fits,
 * -EINVAL for none, too many, or a payload type above 127. Redundant blocks whose offset or length the header cannot
 * say, or that do not fit, are left out, the oldest first. */
int cf_red_write(uint8_t *out, size_t cap, const cf_red_block *blocks, size_t count);

/* Which sequence numbers the blocks stand for. A block has a timestamp but no number (RFC 2198 has none for it), and
 * the jitter buffer needs both. The numbers around it are known from the packets that came:
 *   - a block with the timestamp of a packet that came is a copy of it: not wanted;
 *   - else it lies between the newest packet older than it and the oldest packet newer than it. One number missing
 *     between them: it is that one, whatever time passed (so it holds across DTX). None missing: it is nobody's;
 *   - several missing: the newer one's number less (its timestamp - the block's) / `duration`, if that divides without
 *     rest and lies among the missing, else nobody's. `duration` is the primary's length in timestamp units, 0:
 * unknown. A wrong guess would be played in another's place; so in doubt a block is dropped, which costs what having no
 * redundancy costs. */
typedef struct cf_red_seen {
    bool started;
    uint32_t ssrc;
    uint16_t newest;
    uint64_t known; /* bit (seq mod 64): that one of the last 64 numbers came */
    uint32_t ts[CF_RED_SEEN];
} cf_red_seen;

void cf_red_seen_init(cf_red_seen *seen);
/* Every packet of the stream goes in here, with redundancy or without, after its blocks were asked for. Another SSRC or
 * a number far off (more than CF_RED_SEEN) forgets the past. */
void cf_red_seen_note(cf_red_seen *seen, uint32_t ssrc, uint16_t seq, uint32_t ts);
/* The number of a block of the packet `red`, or -ENOENT: a copy, or nobody's. A block that has been given its number is
 * noted by the caller as a packet of its own, so that it comes out once. */
int cf_red_seq(const cf_red_seen *seen, const cf_rtp *red, const cf_red_block *block, uint32_t duration);

/* What a sender keeps of its last payloads. Plain data. */
typedef struct cf_red_sender {
    struct cf_red_kept {
        uint32_t ts;
        uint16_t len; /* 0: nothing kept */
        uint8_t pt;
        uint8_t payload[CF_RED_EARLIER_LENGTH];
    } kept[CF_RED_EARLIER]; /* the newest first */
} cf_red_sender;

void cf_red_sender_init(cf_red_sender *sender);
/* One payload with up to `depth` (0-CF_RED_EARLIER) earlier ones; it is kept for the next. Length or a negative errno
 * as of cf_red_write. */
int cf_red_send(cf_red_sender *sender, int depth, uint8_t pt, uint32_t ts, const uint8_t *payload, size_t len,
                uint8_t *out, size_t cap);

#endif

/* The way into a playout: payload types, packets, the delay that their arrival asks for. */
#include "base/lazy.h"
#include "estimate.h"
#include "playout_impl.h"

#include <errno.h>
#include <string.h>

#define MS INT64_C(1000000)
#define GUESS_NS (20 * MS) /* jitter assumed until there is a measurement */
#define MINIMUM_JITTER_NS (10 * MS)
#define GUESS_MAX_NS (60 * MS) /* what a new stream takes over from the one before */

enum {
    MIN_DELAY_MS = 10,
    MAX_DELAY_MS = 400,
    LIMIT_MS = 10000,
    SLACK = 2 * CF_FRAME,
    IDLE_SKIPS = 8, /* 160 ms without a packet: as long as it takes a stream that is heard to come to rest */
};

static int least(const cf_playout_config *config) {
    return config->min_delay_ms || config->minimum ? config->min_delay_ms : MIN_DELAY_MS;
}

static int most(const cf_playout_config *config) {
    return config->max_delay_ms ? config->max_delay_ms : MAX_DELAY_MS;
}

bool cf_playout_possible(const cf_playout_config *config) {
    return least(config) >= 0 && least(config) <= most(config) && most(config) <= LIMIT_MS &&
           (config->minimum == 0 || config->minimum == 1);
}

cf_playout *cf_playout_new(const cf_playout_config *config) {
    cf_playout *p = cf_playout_possible(config) ? cf_lazy_new(sizeof *p) : NULL;
    if (!p)
        return NULL;
    cf_store_init(&p->store, &p->payloads);
    p->min_delay = least(config) * MS;
    p->max_delay = most(config) * MS;
    p->minimum = config->minimum;
    p->most_jitter = config->minimum ? MINIMUM_JITTER_NS : LIMIT_MS * MS;
    p->slack_min = config->minimum ? MS / 2 : MS;
    p->slack_max = CF_FRAME_NS + (config->minimum ? 3 * MS / 2 : 4 * MS);
    p->decoded = -1;
    p->grid = CF_FRAME;
    cf_jitter_reset(&p->jitter, config->minimum ? 0 : GUESS_NS);
    return p;
}

void cf_playout_free(cf_playout *p) {
    for (size_t i = 0; p && i < p->entry_count; i++) {
        bool shared = false; /* two payload types of one codec have one decoder */
        for (size_t k = 0; k < i; k++)
            shared |= p->entries[k].decoder == p->entries[i].decoder;
        if (!shared)
            cf_decoder_free(p->entries[i].decoder);
    }
    cf_lazy_free(p);
}

static cf_playout_entry *find(cf_playout *p, uint8_t pt) {
    for (size_t i = 0; i < p->entry_count; i++)
        if (p->entries[i].pt == pt)
            return &p->entries[i];
    return NULL;
}

int cf_playout_map(cf_playout *p, uint8_t pt, int codec, int clock_rate) {
    if (clock_rate <= 0 || CF_RATE % clock_rate || find(p, pt))
        return -EINVAL;
    if (p->entry_count == CF_PLAYOUT_PTS)
        return -ENOSPC;
    cf_playout_entry entry = {.pt = pt, .codec = codec, .ratio = CF_RATE / clock_rate, .clock = (int)p->entry_count};
    for (size_t i = 0; i < p->entry_count; i++) {
        if (p->entries[i].ratio == entry.ratio)
            entry.clock = p->entries[i].clock;
        if (p->entries[i].codec == codec && p->entries[i].ratio == entry.ratio)
            entry.decoder = p->entries[i].decoder;
    }
    if (!entry.decoder && !(entry.decoder = cf_decoder_new(codec, clock_rate)))
        return cf_codec_clock(codec, clock_rate) ? -ENOMEM : -EINVAL;
    p->entries[p->entry_count++] = entry;
    return 0;
}

/* A packet has to be there when the frame is taken that it begins in. Frames lie on packets, so that this is their
 * beginning, but for what packets begin later within a frame. */
int64_t cf_playout_target(const cf_playout *p, int64_t now) {
    int64_t spread = cf_jitter_spread(&p->jitter, now);
    spread = spread < p->most_jitter ? spread : p->most_jitter;
    int64_t delay = spread + spread / 16 + MS + cf_pos_ns(CF_FRAME - p->grid);
    if (now < p->fec_until)
        delay += CF_FRAME_NS;
    delay = delay < p->min_delay ? p->min_delay : delay > p->max_delay ? p->max_delay : delay;
    return p->jitter.low + delay;
}

void cf_playout_advance(cf_playout *p, int64_t seq) {
    p->stats.lost += cf_store_advance(&p->store, seq);
}

void cf_playout_drop_first(cf_playout *p) {
    cf_packet *packet = cf_store_first(&p->store);
    cf_playout_advance(p, packet->seq);
    cf_store_advance(&p->store, packet->seq + 1);
    p->stats.overflow++;
    if (p->playing) {
        p->tail = packet->pos + packet->samples;
        p->debt = 0;
        p->seam = true;
    }
}

/* A new stream: nothing of the old one is worth waiting for, but for its jitter. */
static void start_over(cf_playout *p, int64_t seq) {
    int64_t spread = cf_jitter_spread(&p->jitter, p->now);
    while (cf_store_first(&p->store))
        cf_playout_drop_first(p);
    cf_playout_break(p);
    cf_jitter_reset(&p->jitter, spread < GUESS_MAX_NS ? spread : GUESS_MAX_NS);
    cf_store_reset(&p->store, seq);
    p->decoded = -1;
    p->fresh = true;
    p->fec_until = 0;
}

/* The buffer never holds more than max_delay: the oldest go. */
static void limit_delay(cf_playout *p) {
    int64_t limit = p->max_delay * 3 / 62500 + SLACK;
    for (cf_packet *first; (first = cf_store_first(&p->store)) && first->seq < p->line.newest;) {
        if (p->line.end - (p->playing ? cf_playout_head(p) : first->pos) <= limit)
            return;
        cf_playout_drop_first(p);
    }
}

static int common_length(int a, int b) {
    while (b > 0) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void measure(cf_playout *p, const cf_spot *spot) {
    int64_t transit = p->now - cf_pos_ns(spot->pos);
    bool unheard = p->skipping && p->idle < IDLE_SKIPS;
    bool stopped = !p->playing && !unheard && !p->fresh && !cf_store_first(&p->store);
    if (stopped && transit > p->jitter.high + p->max_delay / 4)
        cf_jitter_outage(&p->jitter, p->now);
    cf_jitter_add(&p->jitter, transit, p->now);
    if (spot->seq == p->line.newest) {
        p->newest_transit = transit;
        p->grid = common_length(CF_FRAME, spot->samples);
    }
}

/* One that is late tells how late others may be. */
static int too_late(cf_playout *p, const cf_spot *spot) {
    if (cf_store_was_missed(&p->store, spot->seq)) {
        p->stats.lost--; /* it did come */
        p->stats.late++;
        measure(p, spot);
    } else if (spot->seq < p->store.next - CF_PLAYOUT_SLOTS) {
        p->stats.late++;
    } else {
        p->stats.duplicate++;
    }
    return -EALREADY;
}

static void store(cf_playout *p, const cf_rtp *rtp, const cf_spot *spot, uint8_t entry, int level) {
    cf_packet *packet = cf_store_take_slot(&p->store, spot->seq, rtp->payload_len);
    packet->pos = spot->pos;
    packet->samples = (uint16_t)spot->samples;
    packet->entry = entry;
    if (level < 0)
        level = cf_estimate_level(p->entries[entry].codec, rtp->payload, rtp->payload_len);
    packet->level = (int16_t)(level > CF_LEVEL_NONE ? CF_LEVEL_NONE : level);
    memcpy(cf_store_payload(&p->store, packet), rtp->payload, rtp->payload_len);
    p->stats.packets++;
}

static int keep(cf_playout *p, const cf_rtp *rtp, const cf_spot *spot, uint8_t entry, int level) {
    if (p->fresh && spot->seq < p->store.next && p->line.newest - spot->seq < CF_PLAYOUT_SLOTS)
        p->store.next = spot->seq; /* the first packets came in the wrong order */
    if (spot->seq < p->store.next)
        return too_late(p, spot);
    if (cf_store_has(&p->store, spot->seq)) {
        p->stats.duplicate++;
        return -EALREADY;
    }
    measure(p, spot);
    for (cf_packet *first; (first = cf_store_first(&p->store)) && spot->seq - first->seq >= CF_PLAYOUT_SLOTS;)
        cf_playout_drop_first(p);
    if (spot->seq - p->store.next >= CF_PLAYOUT_SLOTS)
        cf_playout_advance(p, spot->seq - CF_PLAYOUT_SLOTS + 1);
    store(p, rtp, spot, entry, level);
    limit_delay(p);
    return 0;
}

int cf_playout_put(cf_playout *p, const cf_rtp *rtp, int level, int64_t now) {
    p->now = now;
    cf_playout_entry *entry = find(p, rtp->pt);
    int samples = -EBADMSG;
    if (entry && rtp->payload_len <= CF_PACKET_MAX)
        samples = cf_decoder_duration(entry->codec, CF_RATE / entry->ratio, rtp->payload, rtp->payload_len);
    if (samples < 0) {
        p->stats.undecodable++;
        return -EBADMSG;
    }
    cf_spot spot = {.clock = entry->clock, .ratio = entry->ratio, .samples = samples, .now = now};
    spot.low = p->jitter.count ? p->jitter.low : INT64_MIN;
    bool first = !p->line.started;
    switch (cf_timeline_place(&p->line, rtp, &spot)) {
    case CF_PLACE_NOWHERE:
        p->stats.overflow++;
        return -EOVERFLOW;
    case CF_PLACE_RESTART:
        p->stats.restarts += !first;
        start_over(p, spot.seq);
        break;
    case CF_PLACE_HERE:
        break;
    }
    return keep(p, rtp, &spot, (uint8_t)(entry - p->entries), level);
}

void cf_playout_stats_get(const cf_playout *p, cf_playout_stats *stats) {
    *stats = p->stats;
    stats->restarts += p->line.jumps;
    stats->target_ms = p->jitter.count ? (uint32_t)((cf_playout_target(p, p->now) - p->jitter.low) / MS) : 0;
    const cf_packet *first = cf_store_first((cf_store *)&p->store);
    int64_t from = p->playing ? cf_playout_head(p) : first ? first->pos : p->line.end;
    stats->delay_ms = p->line.end > from ? (uint32_t)((p->line.end - from) / 48) : 0;
}

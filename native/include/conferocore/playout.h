/* From a leg's packets to the mixer's frames: adaptive jitter buffer, decoding, FEC, concealment and clock skew in one
 * source of PCM. */
#ifndef CONFEROCORE_PLAYOUT_H
#define CONFEROCORE_PLAYOUT_H

#include "base.h"
#include "codec.h"
#include "rtp.h"

enum { CF_PLAYOUT_SLOTS = 64, CF_PLAYOUT_PTS = 8 };

/*cdef*/
typedef struct cf_playout_config {
    int min_delay_ms; /* target never below; 0: 10 */
    int max_delay_ms; /* target never above; 0: 400. Packets beyond it are dropped from the old end */
    int minimum; /* 1: a packet is used as soon as can be, more than 10 ms of jitter is not waited for; min_delay_ms may
                    then be 0. For local networks and measurements */
} cf_playout_config;

typedef struct cf_playout_stats {
    uint64_t packets; /* taken in */
    uint64_t late;    /* came after their moment: dropped */
    uint64_t duplicate;
    uint64_t lost;      /* never came */
    uint64_t recovered; /* of the lost: rebuilt from in-band FEC */
    uint64_t concealed; /* samples concealed */
    uint64_t overflow;  /* dropped: beyond max_delay, or of no known stream */
    uint64_t undecodable;
    uint64_t stretched; /* samples added by time scaling */
    uint64_t squeezed;  /* samples taken out by time scaling */
    uint64_t skipped;   /* packets that passed unheard */
    uint64_t restarts;  /* SSRC changes and jumps */
    uint32_t target_ms; /* what the estimator wants now */
    uint32_t delay_ms;  /* what is buffered now (packets and decoded samples) */
} cf_playout_stats;
/*end*/

/* What a frame is made of. */
enum cf_play {
    CF_PLAY_SILENCE = 0, /* nothing came (start, DTX, hold): zeros or faded out */
    CF_PLAY_AUDIO = 1,
    CF_PLAY_CONCEALED = 2
};

typedef struct cf_playout cf_playout;

/* False for a configuration that contradicts itself. */
bool cf_playout_possible(const cf_playout_config *config);
/* NULL without memory or for a configuration that contradicts itself (min above max, max above 10 s). All memory is
 * taken here and in cf_playout_map. */
cf_playout *cf_playout_new(const cf_playout_config *config);
void cf_playout_free(cf_playout *playout);
/* Which codec a payload type means, and its RTP clock (Opus 48000, G.711 8000). -ENOSPC beyond CF_PLAYOUT_PTS, -EINVAL
 * for an unknown codec, a clock that does not divide 48000 or a payload type mapped already, -ENOMEM. Decoders for
 * codecs named here are made here, so this is called at set-up, not on the packet path. */
int cf_playout_map(cf_playout *playout, uint8_t pt, int codec, int clock_rate);
/* A packet that arrived at `now`; copies the payload. `level` is what the sender says of it (RFC 6464: 0-127, in
 * -dBov), -1: nothing; then what can be told without decoding is found out here. 0, or: -EALREADY late or duplicate,
 * -EOVERFLOW the first packet of what may be another stream (a second in a row is believed), -EBADMSG unknown payload
 * type or not decodable by its form. SSRC changes, restarts, sequence and timestamp wraps are taken in stride. */
int cf_playout_put(cf_playout *playout, const cf_rtp *rtp, int level, int64_t now);
/* This sequence number came and carries no audio (telephone-event, comfort noise): it is not lost, and what follows is
 * a pause, not a gap to conceal. */
void cf_playout_pass(cf_playout *playout, uint16_t seq);
/* Exactly CF_FRAME samples at 48 kHz, all zero with CF_PLAY_SILENCE; returns enum cf_play. Called every 20 ms. */
int cf_playout_get(cf_playout *playout, int16_t *pcm, int64_t now);
/* How loud the next get would be, from what is known without decoding: the loudest of the packets that it needs, -dBov
 * (127: nothing to play, or only silence), CF_PEEK_UNKNOWN, or CF_PEEK_QUIET and what lies below it: unknown, but
 * the sender's encoder heard no voice. Changes nothing. */
enum { CF_PEEK_UNKNOWN = -1, CF_PEEK_QUIET = -2 };
int cf_playout_peek(const cf_playout *playout, int64_t now);
static inline bool cf_peek_is_quiet(int level) {
    return level <= CF_PEEK_QUIET;
}
/* Of a quiet frame: SILK's gain, 0-63 in steps of 1.4 dB, which follows the loudness of what sounds the same otherwise;
 * -1: not known. */
static inline int cf_peek_gain(int level) {
    return CF_PEEK_QUIET - 1 - level;
}
/* In the place of a get: 20 ms pass unheard and undecoded. Packets that are due are dropped and counted as skipped; the
 * position follows the clock at the wanted delay. The next get begins with a fade of 5 ms, otherwise as if every packet
 * had been decoded. */
void cf_playout_skip(cf_playout *playout, int64_t now);
/* True if the last get's frame was exactly one packet of 20 ms, whole and undisturbed, which can stand for it. The
 * payload stays valid until the next get or skip. */
bool cf_playout_verbatim(const cf_playout *playout, const uint8_t **payload, size_t *len, int *codec);
void cf_playout_stats_get(const cf_playout *playout, cf_playout_stats *stats);

/* A packet is about to be put: what that needs is fetched into the caches meanwhile. The second step reads what the
 * first has fetched. */
void cf_playout_warm(const cf_playout *p);
void cf_playout_warm_more(const cf_playout *p);

#endif

/* Audio codecs behind one face: Opus, G.711, G.722 and L16, at 48 kHz mono on the mixer's side whatever runs on the
 * wire.
 *
 * What a signal goes through on its way (RATE of the wire; resample.h promises the conversion's pass-band and aliases):
 *
 *   codec       wire      RTP clock  kept up to (-0.2 dB)  delay, encoder + decoder
 *   PCMU, PCMA  8 kHz     8000       3.5 kHz               186 samples at 48 kHz (3.9 ms)
 *   G722        16 kHz    8000       7 kHz                 159 (3.3 ms): conversion 93, band filters 66
 *   L16         its rate  its rate   0.875 of its half     186, 93, 62 (8, 16, 24 kHz); none at 48 kHz
 *   Opus        48 kHz    48000      its band              312 (6.5 ms); 120 (2.5 ms) with low_delay
 */
#ifndef CONFEROCORE_CODEC_H
#define CONFEROCORE_CODEC_H

#include "base.h"

#include <errno.h>
#include <string.h>

/*cdef*/
/* The last three are formats of RTP that carry or accompany sound: they have no encoder and no decoder. */
enum cf_codec {
    CF_CODEC_NONE = 0,
    CF_CODEC_PCMU = 1,
    CF_CODEC_PCMA = 2,
    CF_CODEC_OPUS = 3,
    CF_CODEC_G722 = 4,
    CF_CODEC_L16 = 5,
    CF_CODEC_RED = 6,   /* RFC 2198 */
    CF_CODEC_EVENT = 7, /* RFC 4733 */
    CF_CODEC_CN = 8     /* RFC 3389 */
};

/* How a leg's stream is coded. Two legs with equal parameters that hear the same share one encoding. */
typedef struct cf_codec_params {
    int codec;        /* enum cf_codec */
    int ptime_ms;     /* 10, 20, 30 (not Opus), 40 or 60, as far as the payload allows (L16); 0: 20 */
    int bitrate;      /* Opus, bit/s; 0: 32000 */
    int complexity;   /* Opus, 0-10; -1: 5 */
    int fec;          /* Opus in-band FEC: 0 or 1 */
    int loss_percent; /* Opus: expected loss, 0-100 */
    int low_delay;    /* Opus: 1 = CELT only (restricted low delay) */
    int rate;         /* L16: 8000, 16000, 24000 or 48000; 0: 16000. Opus: what the peer plays, and 12000; 0: 48000 */
    int channels;     /* Opus: 2 = stereo, of which both sides are the mix; 0: 1 */
} cf_codec_params;
/*end*/

/* The mixer's rate, samples in its tick of 20 ms, and ticks in a second. */
enum { CF_RATE = 48000, CF_FRAME = 960, CF_TICKS = CF_RATE / CF_FRAME };
enum {
    /* Octets of one payload: a frame of Opus needs up to 1,275, 40 ms of L16 at 16 kHz are 1,280. With headers of IPv6,
     * UDP and RTP, extensions and the tag of SRTP a packet stays below 1,400, which tunnels let through. */
    CF_PAYLOAD_MAX = 1280,
    CF_DECODE_MAX = 5760, /* samples at 48 kHz of 120 ms */
    CF_ENCODED_MAX = 2,   /* packets that end within one tick: two of 10 ms */
};

/* The packets that a tick has completed, in order. */
typedef struct cf_encoded {
    int count;
    struct {
        uint16_t len;
        int32_t offset; /* the packet's first sample, counted from the tick's first at 48 kHz; < 0: held back before */
    } part[CF_ENCODED_MAX];
    uint8_t payload[CF_ENCODED_MAX][CF_PAYLOAD_MAX];
} cf_encoded;

typedef struct cf_encoder cf_encoder;
typedef struct cf_decoder cf_decoder;

/* Writes the defaults out and sets to zero what the codec does not use: equal coding has equal parameters. -EINVAL for
 * what cannot be sent so. */
int cf_codec_complete(cf_codec_params *params);
/* The clock of the codec's RTP timestamps; rate: as in cf_codec_params. 0 for what is not sound. */
int cf_codec_clock(int codec, int rate);

/* NULL for parameters that the codec does not know, or no memory. */
cf_encoder *cf_encoder_new(const cf_codec_params *params);
void cf_encoder_free(cf_encoder *encoder);
/* 20 ms to the packets that they complete: two of 10 ms, one, or none while more is to come (30 ms: two packets in
 * three ticks). 0, or a negative errno and no packet. */
int cf_encoder_encode(cf_encoder *encoder, const int16_t pcm[CF_FRAME], cf_encoded *out);
/* The one packet of a tick from an encoder of 20 ms: its length or a negative errno. */
static inline int cf_encoder_once(cf_encoder *encoder, const int16_t pcm[CF_FRAME], uint8_t *out, size_t cap) {
    cf_encoded made;
    int result = cf_encoder_encode(encoder, pcm, &made);
    if (result < 0)
        return result;
    if (made.count != 1 || made.part[0].len > cap)
        return -ENOSPC;
    memcpy(out, made.payload[0], made.part[0].len);
    return made.part[0].len;
}
/* dst goes on exactly as src would (conversion and what is held back included), keeping dst's own parameters
 * afterwards: a listener who starts to talk hears no seam. Both must be of one codec, rate (L16), ptime_ms, low_delay
 * and channels: else -EINVAL. */
int cf_encoder_clone(cf_encoder *dst, cf_encoder *src);
int cf_encoder_set_loss(cf_encoder *encoder, int percent);
void cf_encoder_reset(cf_encoder *encoder);
/* The next frame is that of this tick, and the ones before it were not encoded: what would be held back of them is
 * silence. Packets of one length begin at the same ticks wherever ticks are counted alike. */
void cf_encoder_align(cf_encoder *encoder, uint64_t tick);

/* clock_rate: of the RTP timestamps; it tells the rate of L16. NULL if the codec does not run so, or no memory. */
cf_decoder *cf_decoder_new(int codec, int clock_rate);
void cf_decoder_free(cf_decoder *decoder);
/* The samples at 48 kHz that a payload holds, or -EBADMSG; does not decode. */
int cf_decoder_duration(int codec, int clock_rate, const uint8_t *payload, size_t len);
/* Decodes to 48 kHz mono (stereo: the middle of both sides); returns how many samples, or -EBADMSG, or -ENOSPC if they
 * are more than cap (then nothing has changed). */
int cf_decoder_decode(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm, size_t cap);
/* The frame before this payload from its in-band FEC; 0 if it carries none. */
int cf_decoder_decode_fec(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm, size_t samples);
/* Conceals `samples` (a multiple of 120) that never came: Opus's own concealment, for the others a faded pitch
 * repetition (after G.711 App. I). Pieces of any length join on to each other. */
int cf_decoder_conceal(cf_decoder *decoder, int16_t *pcm, size_t samples);
void cf_decoder_reset(cf_decoder *decoder);

/* ITU-T G.711, bit by bit. */
uint8_t cf_ulaw_encode(int16_t sample);
int16_t cf_ulaw_decode(uint8_t code);
uint8_t cf_alaw_encode(int16_t sample);
int16_t cf_alaw_decode(uint8_t code);

#endif

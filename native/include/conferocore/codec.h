/* Audio codecs behind one face: Opus and G.711, at 48 kHz mono on the mixer's side whatever runs on the wire. */
#ifndef CONFEROCORE_CODEC_H
#define CONFEROCORE_CODEC_H

#include "base.h"

/*cdef*/
enum cf_codec { CF_CODEC_NONE = 0, CF_CODEC_PCMU = 1, CF_CODEC_PCMA = 2, CF_CODEC_OPUS = 3 };

/* How a leg's stream is coded. Two legs with equal parameters that hear the same share one encoding. */
typedef struct cf_codec_params {
    int codec;        /* enum cf_codec */
    int ptime_ms;     /* 20 (10-60 later); 0: 20 */
    int bitrate;      /* Opus, bit/s; 0: 32000 */
    int complexity;   /* Opus, 0-10; -1: 5 */
    int fec;          /* Opus in-band FEC: 0 or 1 */
    int loss_percent; /* Opus: expected loss, 0-100 */
    int low_delay;    /* Opus: 1 = CELT only (restricted low delay) */
} cf_codec_params;
/*end*/

enum { CF_RATE = 48000, CF_FRAME = 960 };             /* the mixer's rate, and samples in its 20 ms tick */
enum { CF_PAYLOAD_MAX = 1275, CF_DECODE_MAX = 5760 }; /* bytes of one payload; samples at 48 kHz of 120 ms */

typedef struct cf_encoder cf_encoder;
typedef struct cf_decoder cf_decoder;

/* NULL for parameters that the codec does not know, or no memory. */
cf_encoder *cf_encoder_new(const cf_codec_params *params);
void cf_encoder_free(cf_encoder *encoder);
/* 20 ms (CF_FRAME samples at 48 kHz) to one payload: its length or a negative errno. */
int cf_encoder_encode(cf_encoder *encoder, const int16_t *pcm, uint8_t *out, size_t cap);
/* dst goes on exactly as src would (resampler state included), keeping dst's own parameters afterwards: a listener who
 * starts to talk hears no seam. Both must be of one codec and one low_delay: else -EINVAL. */
int cf_encoder_clone(cf_encoder *dst, const cf_encoder *src);
int cf_encoder_set_loss(cf_encoder *encoder, int percent);
void cf_encoder_reset(cf_encoder *encoder);

cf_decoder *cf_decoder_new(int codec);
void cf_decoder_free(cf_decoder *decoder);
/* The samples at 48 kHz that a payload holds, or -EBADMSG; does not decode. */
int cf_decoder_duration(int codec, const uint8_t *payload, size_t len);
/* Decodes to 48 kHz mono; returns how many samples, or -EBADMSG, or -ENOSPC if they are more than cap (then nothing has
 * changed). */
int cf_decoder_decode(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm, size_t cap);
/* The frame before this payload from its in-band FEC; 0 if it carries none. */
int cf_decoder_decode_fec(cf_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm, size_t samples);
/* Conceals `samples` (a multiple of 120) that never came: Opus's own concealment, for G.711 a faded pitch repetition
 * (after G.711 App. I). Pieces of any length join on to each other. */
int cf_decoder_conceal(cf_decoder *decoder, int16_t *pcm, size_t samples);
void cf_decoder_reset(cf_decoder *decoder);

/* ITU-T G.711, bit by bit. */
uint8_t cf_ulaw_encode(int16_t sample);
int16_t cf_ulaw_decode(uint8_t code);
uint8_t cf_alaw_encode(int16_t sample);
int16_t cf_alaw_decode(uint8_t code);

#endif

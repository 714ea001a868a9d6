/* All that the codec face asks of libopus. */
#ifndef CONFEROCORE_AUDIO_OPUS_FACE_H
#define CONFEROCORE_AUDIO_OPUS_FACE_H

#include "conferocore/codec.h"

#include <opus.h>

/* An encoder's memory (base/lazy.h), not begun yet. params are checked and complete. NULL without memory; freed with
 * cf_lazy_free(). */
OpusEncoder *cf_opus_encoder_new(const cf_codec_params *params);
/* Before the first use, unless another encoder is copied over it. 0 or -EINVAL. */
int cf_opus_encoder_begin(OpusEncoder *encoder, const cf_codec_params *params);
/* Sets everything that params say, but not low_delay and channels, which are fixed at the start. 0 or -EINVAL. */
int cf_opus_encoder_apply(OpusEncoder *encoder, const cf_codec_params *params);
void cf_opus_encoder_copy(OpusEncoder *dst, const OpusEncoder *src, int channels);
/* samples: mono, on both sides of a stereo encoder. out: CF_PAYLOAD_MAX octets. The length or -EINVAL. */
int cf_opus_encode(OpusEncoder *encoder, const int16_t *pcm, int samples, int channels, uint8_t *out);

OpusDecoder *cf_opus_decoder_new(void); /* likewise */
void cf_opus_decoder_begin(OpusDecoder *decoder);
/* opus_pristine.c: octets of a state (of a mono decoder), */
size_t cf_opus_decoder_size(void);
size_t cf_opus_encoder_size(int channels);
/* and a state as good as opus_decoder_init and opus_encoder_init leave it. */
void cf_opus_decoder_pristine(OpusDecoder *decoder);
void cf_opus_encoder_pristine(OpusEncoder *encoder, int channels, bool low_delay);
/* Samples at 48 kHz, or -EBADMSG unless every frame of the payload is in place (RFC 6716 section 3.4). */
int cf_opus_duration(const uint8_t *payload, size_t len);
/* True if the payload starts with a redundant copy of the frame before it (LBRR, RFC 6716 section 4.2.4). */
bool cf_opus_has_fec(const uint8_t *payload, size_t len);
/* True if the payload is coded by CELT alone, which carries no redundancy and mends none. */
static inline bool cf_opus_is_celt(uint8_t toc) {
    return toc & 0x80;
}

#endif

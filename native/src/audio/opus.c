/* The codec face's Opus side: encoders as plain memory that can be copied, and a look into payloads before they are
 * decoded. */
#include "opus_face.h"

#include "base/lazy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MAX = 60 * CF_RATE / 1000 }; /* of an encoded packet */
enum { FRAMES_MAX = 48 };                   /* RFC 6716 section 3.2.5: at most 48 frames, 120 ms */

OpusEncoder *cf_opus_encoder_new(const cf_codec_params *params) {
    return cf_lazy_new(cf_opus_encoder_size(params->channels));
}

int cf_opus_encoder_begin(OpusEncoder *encoder, const cf_codec_params *params) {
    cf_opus_encoder_pristine(encoder, params->channels, params->low_delay);
    return cf_opus_encoder_apply(encoder, params);
}

/* RFC 7587 section 6.1: what the peer cannot play (maxplaybackrate) is not worth encoding. */
static int bandwidth(int rate) {
    return rate <= 8000    ? OPUS_BANDWIDTH_NARROWBAND
           : rate <= 12000 ? OPUS_BANDWIDTH_MEDIUMBAND
           : rate <= 16000 ? OPUS_BANDWIDTH_WIDEBAND
           : rate <= 24000 ? OPUS_BANDWIDTH_SUPERWIDEBAND
                           : OPUS_BANDWIDTH_FULLBAND;
}

int cf_opus_encoder_apply(OpusEncoder *encoder, const cf_codec_params *params) {
    int failed = 0;
    failed |= opus_encoder_ctl(encoder, OPUS_SET_BITRATE(params->bitrate));
    failed |= opus_encoder_ctl(encoder, OPUS_SET_VBR(1));
    failed |= opus_encoder_ctl(encoder, OPUS_SET_MAX_BANDWIDTH(bandwidth(params->rate)));
    failed |= opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(params->complexity));
    failed |= opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(params->fec));
    failed |= opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(params->loss_percent));
    failed |= opus_encoder_ctl(encoder, OPUS_SET_DTX(0)); /* the mixer decides silence itself, and cheaper */
    return failed == OPUS_OK ? 0 : -EINVAL;
}

/* opus.h: the state holds no pointer into itself, "only a shallow copy is sufficient". */
void cf_opus_encoder_copy(OpusEncoder *dst, const OpusEncoder *src, int channels) {
    memcpy(dst, src, cf_opus_encoder_size(channels));
}

int cf_opus_encode(OpusEncoder *encoder, const int16_t *pcm, int samples, int channels, uint8_t *out) {
    int16_t both[2 * SAMPLES_MAX];
    for (int i = 0; channels == 2 && i < samples; i++)
        both[2 * i] = both[2 * i + 1] = pcm[i];
    int len = opus_encode(encoder, channels == 2 ? both : pcm, samples, out, CF_PAYLOAD_MAX);
    return len > 0 ? len : -EINVAL;
}

OpusDecoder *cf_opus_decoder_new(void) {
    return cf_lazy_new(cf_opus_decoder_size());
}

void cf_opus_decoder_begin(OpusDecoder *decoder) {
    cf_opus_decoder_pristine(decoder);
}

int cf_opus_duration(const uint8_t *payload, size_t len) {
    opus_int16 sizes[FRAMES_MAX];
    if (len == 0 || len > INT16_MAX || opus_packet_parse(payload, (opus_int32)len, NULL, NULL, sizes, NULL) <= 0)
        return -EBADMSG;
    int samples = opus_packet_get_nb_samples(payload, (opus_int32)len, CF_RATE);
    return samples > 0 && samples <= CF_DECODE_MAX ? samples : -EBADMSG;
}

/* RFC 6716 sections 4.2.3 and 4.2.4: a SILK frame begins with one VAD flag for each 20 ms and then the LBRR flag, mid
 * channel first, each an even bit of the range coder and therefore readable from the top of the first octet. */
bool cf_opus_has_fec(const uint8_t *payload, size_t len) {
    const uint8_t *frames[FRAMES_MAX];
    opus_int16 sizes[FRAMES_MAX];
    if (len == 0 || len > INT16_MAX || cf_opus_is_celt(payload[0]) ||
        opus_packet_parse(payload, (opus_int32)len, NULL, frames, sizes, NULL) <= 0 || sizes[0] == 0)
        return false;
    int blocks = opus_packet_get_samples_per_frame(payload, CF_RATE) / CF_FRAME;
    int vad = blocks > 1 ? blocks : 1;
    bool stereo = opus_packet_get_nb_channels(payload) == 2;
    return frames[0][0] >> (7 - vad) & 1 || (stereo && frames[0][0] >> (6 - 2 * vad) & 1);
}

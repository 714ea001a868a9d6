/* The level of a packet before it is decoded: G.711 and L16 are PCM and can be measured; Opus says little, but whether
 * its encoder heard a voice, and how strong SILK's frames are that have none. */
#include "estimate.h"

#include "conferocore/mixer.h"
#include "g711.h"
#include "l16.h"
#include "opus_face.h"
#include "silk_gain.h"
#include "store.h"

enum {
    FRAMES_MAX = 48, /* RFC 6716 section 3.2.5 */
    DTX_MAX = 2,     /* octets: the packet of an encoder that has nothing to say (RFC 6716 3.1, RFC 7587 3.1.3) */
    G711_MAX = CF_DECODE_MAX / 6, /* samples of the longest packet */
    L16_MAX = CF_RTP_MAX / 2,     /* samples that a datagram holds, at any rate */
};

static int measure_g711(int codec, const uint8_t *payload, size_t len) {
    int16_t pcm[G711_MAX];
    if (len > G711_MAX)
        return CF_LEVEL_UNKNOWN;
    cf_g711_decode(codec, payload, len, pcm);
    return cf_level(pcm, len);
}

static int measure_l16(const uint8_t *payload, size_t len) {
    int16_t pcm[L16_MAX];
    if (len / 2 > L16_MAX)
        return CF_LEVEL_UNKNOWN;
    cf_l16_decode(payload, len / 2, pcm);
    return cf_level(pcm, len / 2);
}

/* RFC 6716 section 4.2.3: a SILK frame begins with a VAD flag for each 20 ms, then the LBRR flag; of the mid channel
 * first and then of the side. All are even bits of the range coder, readable from the top of the first octet. */
static bool hears_voice(uint8_t first, int flags, bool stereo) {
    int mask = (1 << flags) - 1;
    bool mid = first >> (8 - flags) & mask;
    return mid || (stereo && first >> (7 - 2 * flags) & mask);
}

/* RFC 6716 section 4.3.3: a CELT frame begins with the silence flag, whose probability is one in 2^15. */
static bool is_celt_silence(const uint8_t *frame, int size) {
    return size <= 1 || (frame[0] == 0xFF && frame[1] >= 0xFE);
}

static int look_at_celt(const uint8_t *const *frames, const opus_int16 *sizes, int count) {
    for (int i = 0; i < count; i++)
        if (!is_celt_silence(frames[i], sizes[i]))
            return CF_LEVEL_UNKNOWN;
    return CF_LEVEL_NONE;
}

/* The strongest frame's gain, where that stands at the beginning of each. */
static int quiet_by(const uint8_t *const *frames, const opus_int16 *sizes, int count) {
    int most = 0;
    for (int i = 0; i < count; i++) {
        int gain = sizes[i] > 1 ? cf_silk_gain(frames[i], (size_t)sizes[i]) : 0;
        if (gain < 0)
            return CF_LEVEL_HINT_QUIET;
        most = gain > most ? gain : most;
    }
    return CF_LEVEL_HINT_QUIET - 1 - most;
}

static int look_at_silk(uint8_t toc, const uint8_t *const *frames, const opus_int16 *sizes, int count) {
    int blocks = opus_packet_get_samples_per_frame(&toc, CF_RATE) / CF_FRAME;
    bool stereo = opus_packet_get_nb_channels(&toc) == 2;
    for (int i = 0; i < count; i++)
        if (sizes[i] > 1 && hears_voice(frames[i][0], blocks > 1 ? blocks : 1, stereo))
            return CF_LEVEL_UNKNOWN;
    return stereo || blocks > 1 ? CF_LEVEL_HINT_QUIET : quiet_by(frames, sizes, count);
}

static int look_at_opus(const uint8_t *payload, size_t len) {
    const uint8_t *frames[FRAMES_MAX];
    opus_int16 sizes[FRAMES_MAX];
    if (len <= DTX_MAX)
        return CF_LEVEL_NONE;
    int count = opus_packet_parse(payload, (opus_int32)len, NULL, frames, sizes, NULL);
    if (count <= 0)
        return CF_LEVEL_UNKNOWN;
    if (cf_opus_is_celt(payload[0]))
        return look_at_celt(frames, sizes, count);
    return look_at_silk(payload[0], frames, sizes, count);
}

int cf_estimate_level(int codec, const uint8_t *payload, size_t len) {
    switch (codec) {
    case CF_CODEC_PCMU:
    case CF_CODEC_PCMA:
        return measure_g711(codec, payload, len);
    case CF_CODEC_L16:
        return measure_l16(payload, len);
    case CF_CODEC_OPUS:
        return look_at_opus(payload, len);
    default:
        return CF_LEVEL_UNKNOWN;
    }
}

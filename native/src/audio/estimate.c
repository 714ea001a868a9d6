/* The level of a packet before it is decoded: G.711 and L16 are PCM and can be measured; Opus says little, but whether
 * its encoder heard a voice. */
#include "estimate.h"

#include "conferocore/mixer.h"
#include "g711.h"
#include "l16.h"
#include "opus_face.h"
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

static int look_at_opus(const uint8_t *payload, size_t len) {
    const uint8_t *frames[FRAMES_MAX];
    opus_int16 sizes[FRAMES_MAX];
    if (len <= DTX_MAX)
        return CF_LEVEL_NONE;
    int count = opus_packet_parse(payload, (opus_int32)len, NULL, frames, sizes, NULL);
    if (count <= 0 || cf_opus_is_celt(payload[0]))
        return CF_LEVEL_UNKNOWN;
    int blocks = opus_packet_get_samples_per_frame(payload, CF_RATE) / CF_FRAME;
    bool stereo = opus_packet_get_nb_channels(payload) == 2;
    for (int i = 0; i < count; i++)
        if (sizes[i] > 1 && hears_voice(frames[i][0], blocks > 1 ? blocks : 1, stereo))
            return CF_LEVEL_UNKNOWN;
    return CF_LEVEL_HINT_QUIET;
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

/* Opus states that nobody has used, to begin others from. libopus asks the CPU what it can at every init and reset, by
 * an instruction that a hypervisor has to answer: measured there, 48 us for a decoder, twice a frame's decoding, where
 * a copy takes 0.5. */
#include "opus_face.h"

#include <string.h>

/* Room for the states of libopus 1.3 and 1.6, and some; a version that needs more is initialised each time. */
enum { DECODER_ROOM = 48 << 10, ENCODER_ROOM = 96 << 10, MONO = 1, CHANNELS = 2 };

typedef struct pristine {
    _Alignas(16) uint8_t decoder[DECODER_ROOM];
    _Alignas(16) uint8_t encoders[CHANNELS][2][ENCODER_ROOM]; /* by channels - 1 and low delay */
} pristine;

static pristine kept;

static int application(bool low_delay) {
    return low_delay ? OPUS_APPLICATION_RESTRICTED_LOWDELAY : OPUS_APPLICATION_VOIP;
}

static bool decoder_fits(void) {
    return opus_decoder_get_size(MONO) <= DECODER_ROOM;
}

static bool encoder_fits(int channels) {
    return opus_encoder_get_size(channels) <= ENCODER_ROOM;
}

/* Before main, so that no thread has to wait for another. */
__attribute__((constructor)) static void keep(void) {
    if (decoder_fits())
        opus_decoder_init((OpusDecoder *)kept.decoder, CF_RATE, MONO);
    for (int channels = 1; channels <= CHANNELS; channels++)
        for (int low = 0; low < 2 && encoder_fits(channels); low++)
            opus_encoder_init((OpusEncoder *)kept.encoders[channels - 1][low], CF_RATE, channels, application(low));
}

/* opus.h, of both: the state holds no pointer into itself, "only a shallow copy is sufficient". */
void cf_opus_decoder_pristine(OpusDecoder *decoder) {
    if (decoder_fits())
        memcpy(decoder, kept.decoder, (size_t)opus_decoder_get_size(MONO));
    else
        opus_decoder_init(decoder, CF_RATE, MONO); /* fails for other rates and channels only */
}

void cf_opus_encoder_pristine(OpusEncoder *encoder, int channels, bool low_delay) {
    if (encoder_fits(channels))
        memcpy(encoder, kept.encoders[channels - 1][low_delay], (size_t)opus_encoder_get_size(channels));
    else
        opus_encoder_init(encoder, CF_RATE, channels, application(low_delay)); /* likewise */
}

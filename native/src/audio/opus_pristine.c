/* Opus states that nobody has used, to begin others from, and their sizes. libopus asks the CPU what it can at every
 * init, reset and even question for a size, by an instruction that a hypervisor has to answer: measured there, 48 us
 * for a decoder, twice a frame's decoding, where a copy takes 0.5. */
#include "opus_face.h"

#include <string.h>

/* Room for the states of libopus 1.3 and 1.6, and some; a version that needs more is initialised each time. */
enum { DECODER_ROOM = 48 << 10, ENCODER_ROOM = 96 << 10, MONO = 1, CHANNELS = 2 };

static struct pristine {
    size_t decoder_size, encoder_sizes[CHANNELS];
    _Alignas(16) uint8_t decoder[DECODER_ROOM];
    _Alignas(16) uint8_t encoders[CHANNELS][2][ENCODER_ROOM]; /* by channels - 1 and low delay */
} kept;

size_t cf_opus_decoder_size(void) {
    return kept.decoder_size;
}

size_t cf_opus_encoder_size(int channels) {
    return kept.encoder_sizes[channels - 1];
}

static int application(bool low_delay) {
    return low_delay ? OPUS_APPLICATION_RESTRICTED_LOWDELAY : OPUS_APPLICATION_VOIP;
}

/* SILK's side sets up a second channel, and asks again, when a packet has more channels than the one before; before the
 * first there were none. So this one has heard a mono packet, whatever it says, and has been reset. */
static void keep_decoder(OpusDecoder *decoder) {
    static const uint8_t silk[] = {0x48, 0x0B, 0xE4, 0xC1, 0x36, 0xEC, 0xC5, 0x80}; /* wide band, 20 ms, mono */
    int16_t pcm[CF_FRAME];
    opus_decoder_init(decoder, CF_RATE, MONO);
    if (opus_decode(decoder, silk, sizeof silk, pcm, CF_FRAME, 0) > 0)
        opus_decoder_ctl(decoder, OPUS_RESET_STATE);
}

static void keep_encoders(int channels) {
    for (int low = 0; low < 2; low++)
        opus_encoder_init((OpusEncoder *)kept.encoders[channels - 1][low], CF_RATE, channels, application(low));
}

/* Before main, so that no thread has to wait for another. */
__attribute__((constructor)) static void keep(void) {
    kept.decoder_size = (size_t)opus_decoder_get_size(MONO);
    if (kept.decoder_size <= DECODER_ROOM)
        keep_decoder((OpusDecoder *)kept.decoder);
    for (int channels = 1; channels <= CHANNELS; channels++) {
        kept.encoder_sizes[channels - 1] = (size_t)opus_encoder_get_size(channels);
        if (cf_opus_encoder_size(channels) <= ENCODER_ROOM)
            keep_encoders(channels);
    }
}

/* opus.h, of both: the state holds no pointer into itself, "only a shallow copy is sufficient". */
void cf_opus_decoder_pristine(OpusDecoder *decoder) {
    if (kept.decoder_size <= DECODER_ROOM)
        memcpy(decoder, kept.decoder, kept.decoder_size);
    else
        opus_decoder_init(decoder, CF_RATE, MONO); /* fails for other rates and channels only */
}

void cf_opus_encoder_pristine(OpusEncoder *encoder, int channels, bool low_delay) {
    size_t size = cf_opus_encoder_size(channels);
    if (size <= ENCODER_ROOM)
        memcpy(encoder, kept.encoders[channels - 1][low_delay], size);
    else
        opus_encoder_init(encoder, CF_RATE, channels, application(low_delay)); /* likewise */
}

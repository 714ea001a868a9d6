/* ITU-T G.711 by the kernels: samples one by one, and whole frames. */
#include "g711.h"

#include "kernels/kernels.h"
#include "kernels/portable.h"

uint8_t cf_ulaw_encode(int16_t sample) {
    uint8_t code;
    cf_ulaw_encode_c(&code, &sample, 1);
    return code;
}

int16_t cf_ulaw_decode(uint8_t code) {
    int16_t sample;
    cf_ulaw_decode_c(&sample, &code, 1);
    return sample;
}

uint8_t cf_alaw_encode(int16_t sample) {
    uint8_t code;
    cf_alaw_encode_c(&code, &sample, 1);
    return code;
}

int16_t cf_alaw_decode(uint8_t code) {
    int16_t sample;
    cf_alaw_decode_c(&sample, &code, 1);
    return sample;
}

void cf_g711_encode(int codec, const int16_t *in, size_t n, uint8_t *out) {
    (codec == CF_CODEC_PCMU ? cf_kernels_now->ulaw_encode : cf_kernels_now->alaw_encode)(out, in, n);
}

void cf_g711_decode(int codec, const uint8_t *in, size_t n, int16_t *out) {
    (codec == CF_CODEC_PCMU ? cf_kernels_now->ulaw_decode : cf_kernels_now->alaw_decode)(out, in, n);
}

/* Any payload to any decoder: no more samples than announced and asked for, and concealment goes on after whatever
 * came. */
#include "conferocore/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CANARY = 0x5A5A };

static const struct {
    int codec, rate;
} kinds[] = {{CF_CODEC_PCMU, 8000}, {CF_CODEC_PCMA, 8000}, {CF_CODEC_OPUS, 48000}, {CF_CODEC_G722, 8000},
             {CF_CODEC_L16, 8000},  {CF_CODEC_L16, 16000}, {CF_CODEC_L16, 24000},  {CF_CODEC_L16, 48000}};

static void run(cf_decoder *decoder, int codec, int rate, const uint8_t *payload, size_t len) {
    int16_t pcm[CF_DECODE_MAX + 1];
    memset(pcm, 0x5A, sizeof pcm);
    int announced = cf_decoder_duration(codec, rate, payload, len);
    if (announced > CF_DECODE_MAX || (announced < 0 && announced != -EBADMSG))
        abort();
    int fec = cf_decoder_decode_fec(decoder, payload, len, pcm, CF_FRAME);
    if (fec != 0 && (fec != CF_FRAME || announced < 0))
        abort();
    int decoded = cf_decoder_decode(decoder, payload, len, pcm, CF_DECODE_MAX);
    if (decoded != announced || pcm[CF_DECODE_MAX] != CANARY)
        abort();
    if (announced > 0 && cf_decoder_decode(decoder, payload, len, pcm, (size_t)announced - 1) != -ENOSPC)
        abort();
    if (cf_decoder_conceal(decoder, pcm, CF_FRAME) != CF_FRAME)
        abort();
}

/* The data is a row of payloads, each behind one octet that tells its length. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        int codec = kinds[k].codec, rate = kinds[k].rate;
        cf_decoder *decoder = cf_decoder_new(codec, rate);
        for (size_t at = 0, len; at < size; at += len) {
            len = data[at++];
            len = len < size - at ? len : size - at;
            uint8_t *copy = malloc(len + 1); /* so that reading past it is seen */
            memcpy(copy, data + at, len);
            run(decoder, codec, rate, copy, len);
            free(copy);
        }
        cf_decoder_free(decoder);
    }
    return 0;
}

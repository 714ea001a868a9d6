/* Whole frames of G.711, for the codec face. */
#ifndef CONFEROCORE_AUDIO_G711_H
#define CONFEROCORE_AUDIO_G711_H

#include "conferocore/codec.h"

/* codec: CF_CODEC_PCMU or CF_CODEC_PCMA; n samples at 8 kHz to n octets and back. */
void cf_g711_encode(int codec, const int16_t *in, size_t n, uint8_t *out);
void cf_g711_decode(int codec, const uint8_t *in, size_t n, int16_t *out);

#endif

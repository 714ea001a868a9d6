/* What the codec face's two halves know of each codec: the rate on the wire and how samples become octets. */
#ifndef CONFEROCORE_AUDIO_CODEC_FORM_H
#define CONFEROCORE_AUDIO_CODEC_FORM_H

#include "conferocore/codec.h"

/* Of samples at the rate that runs on the wire; a rate of 0: the codec is given its rate (L16), or is not sound. */
typedef struct cf_codec_form {
    int rate;        /* samples a second */
    int clock;       /* of RTP timestamps */
    int octets, per; /* `octets` for each `per` samples; 0: as many as the encoder makes of them */
} cf_codec_form;

/* rate: of L16, else ignored. A form with rate 0 for what is not sound or cannot be converted. */
cf_codec_form cf_codec_form_of(int codec, int rate);

#endif

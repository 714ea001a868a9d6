/* How loud a packet is, as far as that can be told without decoding it. */
#ifndef CONFEROCORE_AUDIO_ESTIMATE_H
#define CONFEROCORE_AUDIO_ESTIMATE_H

#include "conferocore/base.h"

/* -dBov, or one of the levels that are none (store.h). The payload is one that cf_decoder_duration accepts. */
int cf_estimate_level(int codec, const uint8_t *payload, size_t len);

#endif

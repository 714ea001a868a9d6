/* How strong a SILK frame is, from its first octets. */
#ifndef CONFEROCORE_AUDIO_SILK_GAIN_H
#define CONFEROCORE_AUDIO_SILK_GAIN_H

#include "conferocore/base.h"

/* The quantization gain of the first subframe, 0-63, in steps of about 1.4 dB, of a mono SILK frame of 10 or 20 ms (RFC
 * 6716 section 4.2.7.4) in which its encoder heard no voice. -1: there was one, or a redundant frame stands before it.
 */
int cf_silk_gain(const uint8_t *frame, size_t len);

#endif

/* Digits by their sound (ITU-T Q.23, Q.24): found in a leg's audio while something listens for them. */
#ifndef CONFEROCORE_DTMF_H
#define CONFEROCORE_DTMF_H

#include "base.h"
#include "codec.h"
#include "event.h"
#include "resample.h"

enum {
    CF_DTMF_RATE = 8000,
    CF_DTMF_TONES = 8,                        /* four of the low group, four of the high */
    CF_DTMF_WINDOW = 160,                     /* 20 ms looked at, ... */
    CF_DTMF_HOP = 40,                         /* ... every 5 ms */
    CF_DTMF_RATIO = 6,                        /* 48 kHz to 8 */
    CF_DTMF_BLOCK = CF_FRAME / CF_DTMF_RATIO, /* samples at 8 kHz taken at once, at most */
};

/* Accepted (ITU-T Q.24, the widest of its columns that still keep apart): both tones within 1.5 % of their frequencies,
 * each from 0 to -36 dBm0, the high one from 4 dB above to 8 dB below the low one, for 40 ms or longer, 40 ms apart,
 * under noise 15 dB below. Refused: a tone 3.5 % off, 23 ms or shorter, or under -45 dBm0. A gap of 10 ms does not cut
 * a digit in two. What is looked at is the share of both tones in all of the sound and the phase's advance from one
 * window to the next; speech has neither for long (dtmf.c). Plain data, 2 kB. */
typedef struct cf_dtmf {
    cf_resampler down;
    int16_t past[CF_DTMF_WINDOW];
    uint32_t clock;                             /* samples at 8 kHz since the beginning */
    float re[CF_DTMF_TONES], im[CF_DTMF_TONES]; /* of the window before */
    bool heard;                                 /* there was sound in it */
    char digit;                                 /* what windows in a row have shown, 0: nothing */
    uint16_t run;                               /* how many of them */
    uint16_t missing;                           /* windows since the last of them */
    uint32_t begin, end;                        /* of the first and the last of them, on the clock */
    float power;                                /* of the loudest of them */
} cf_dtmf;

void cf_dtmf_init(cf_dtmf *dtmf);
/* n samples at 48 kHz, a multiple of 6 up to CF_FRAME (or at 8 kHz, up to CF_DTMF_BLOCK). 1: a digit has ended, *out is
 * what and how long (to 5 ms). */
int cf_dtmf_run(cf_dtmf *dtmf, const int16_t *pcm, size_t n, cf_digit *out);
int cf_dtmf_run_8k(cf_dtmf *dtmf, const int16_t *pcm, size_t n, cf_digit *out);
/* True: there is a digit in what was just looked at, or there was a moment ago; the caller cuts the frame out of the
 * mix. Of a digit's beginning at most 25 ms have gone by then. */
bool cf_dtmf_present(const cf_dtmf *dtmf);

/* The two frequencies of a digit, Hz; false for what has none. */
bool cf_dtmf_tones(char digit, int *low, int *high);

#endif

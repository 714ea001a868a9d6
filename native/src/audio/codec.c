/* Which codecs there are, in what forms, and which parameters they can be run with. */
#include "codec_form.h"

#include <errno.h>

enum { BITRATE_DEFAULT = 32000, BITRATE_MIN = 6000, BITRATE_MAX = 510000, COMPLEXITY_DEFAULT = 5, L16_DEFAULT = 16000 };

/* RFC 3551 section 4.5.2: G.722 has a clock of 8 kHz for its 16, an error that stays. RFC 7587 section 4.1: Opus always
 * has one of 48 kHz. */
static const cf_codec_form forms[] = {
    [CF_CODEC_PCMU] = {8000, 8000, 1, 1},
    [CF_CODEC_PCMA] = {8000, 8000, 1, 1},
    [CF_CODEC_OPUS] = {CF_RATE, CF_RATE, 0, 1},
    [CF_CODEC_G722] = {16000, 8000, 1, 2},
    [CF_CODEC_L16] = {0, 0, 2, 1},
};

static bool one_of(int v, const int *list, int n) {
    for (int i = 0; i < n; i++)
        if (list[i] == v)
            return true;
    return false;
}
static bool within(int v, int lo, int hi) {
    return v >= lo && v <= hi;
}

cf_codec_form cf_codec_form_of(int codec, int rate) {
    static const int rates[] = {8000, 16000, 24000, CF_RATE};
    if (!within(codec, CF_CODEC_PCMU, CF_CODEC_L16))
        return (cf_codec_form){0};
    cf_codec_form form = forms[codec];
    if (codec == CF_CODEC_L16 && one_of(rate, rates, 4))
        form.rate = form.clock = rate;
    return form;
}

int cf_codec_clock(int codec, int rate) {
    return cf_codec_form_of(codec, rate ? rate : L16_DEFAULT).clock;
}

static int complete_opus(cf_codec_params *p) {
    static const int ptimes[] = {10, 20, 40, 60}, rates[] = {8000, 12000, 16000, 24000, CF_RATE};
    p->bitrate = p->bitrate ? p->bitrate : BITRATE_DEFAULT;
    p->complexity = p->complexity == -1 ? COMPLEXITY_DEFAULT : p->complexity;
    p->rate = p->rate ? p->rate : CF_RATE;
    p->channels = p->channels ? p->channels : 1;
    bool ok = one_of(p->ptime_ms, ptimes, 4) && one_of(p->rate, rates, 5) && within(p->channels, 1, 2) &&
              within(p->bitrate, BITRATE_MIN, BITRATE_MAX) && within(p->complexity, 0, 10) && within(p->fec, 0, 1) &&
              within(p->loss_percent, 0, 100) && within(p->low_delay, 0, 1);
    return ok ? 0 : -EINVAL;
}

/* The others have but a ptime, and L16 its rate: whose payloads must fit. */
static int complete_pcm(cf_codec_params *p) {
    static const int ptimes[] = {10, 20, 30, 40, 60};
    int rate = p->codec == CF_CODEC_L16 ? p->rate ? p->rate : L16_DEFAULT : 0;
    cf_codec_form form = cf_codec_form_of(p->codec, rate);
    *p = (cf_codec_params){.codec = p->codec, .ptime_ms = p->ptime_ms, .rate = rate};
    bool ok = form.rate && one_of(p->ptime_ms, ptimes, 5) &&
              form.rate / 1000 * p->ptime_ms / form.per * form.octets <= CF_PAYLOAD_MAX;
    return ok ? 0 : -EINVAL;
}

int cf_codec_complete(cf_codec_params *params) {
    params->ptime_ms = params->ptime_ms ? params->ptime_ms : 20;
    return params->codec == CF_CODEC_OPUS ? complete_opus(params) : complete_pcm(params);
}

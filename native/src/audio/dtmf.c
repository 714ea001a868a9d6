/* Digits by their sound: windows of 20 ms every 5 ms, judged by the share of two tones in them and by their phases.
 *
 * Under a Hann window the two tones of a digit hold all of a window's energy, also when the window is only partly
 * filled, whatever their levels; noise 15 dB below takes 3 %. Speech with its many harmonics seldom comes near, and not
 * with both frequencies right. Frequencies are measured, not filtered for: from one window to the next a tone's phase
 * advances by its frequency, and what it is ahead of the nominal advance is how far it is off. That tells 1.5 % from
 * 3.5 % at 697 Hz (14 Hz) in 25 ms, which a filter would need 70 ms for.
 *
 * A window passes from about 3 ms after the beginning under its middle until 3 ms before the end; so CONFIRM windows in
 * a row need 28 ms of tone, half way between what Q.24 wants refused and accepted. */
#include "conferocore/dtmf.h"

#include <math.h>
#include <string.h>

enum {
    WINDOW = CF_DTMF_WINDOW,
    HOP = CF_DTMF_HOP,
    TONES = CF_DTMF_TONES,
    GROUP = TONES / 2,
    CONFIRM = 5, /* windows in a row that make a digit */
    SHOW = 2,    /* ... that make it be cut from the mix: what speech imitates for one window is left alone */
    EDGE = 40,   /* samples of tone on either side of the middles of the windows that pass */
    GONE = 5,    /* windows without it that end it: a gap of 10 ms spoils three or four */
};
#define PI 3.14159265358979323846
#define SHARE_MIN 0.70F  /* of both tones in the window's energy */
#define OFF_MAX 0.025F   /* of the nominal frequency: half way between 1.5 and 3.5 % */
#define TWIST_UP 3.55F   /* high over low in power: 5.5 dB, 4 and a margin */
#define TWIST_DOWN 11.2F /* low over high: 10.5 dB, 8 and a margin for noise in the weak one */
#define POWER_MIN 3.4e4F /* of one tone: 42 dB under a full-scale sine, which is +3.14 dBm0 (G.711) */

static const int frequency[TONES] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};
static const char keys[GROUP][GROUP + 1] = {"123A", "456B", "789C", "*0#D"};

static float hann[WINDOW], cosine[WINDOW][TONES], sine[WINDOW][TONES]; /* the tones under the window */
static float turn_re[TONES], turn_im[TONES];                           /* the nominal advance over a hop */
static float sum_1, sum_2;                                             /* of the window and of its squares */

/* Before main and before any thread: the tables are only read afterwards. */
__attribute__((constructor)) static void design(void) {
    for (int i = 0; i < WINDOW; i++) {
        double s = sin(PI * (i + 0.5) / WINDOW);
        hann[i] = (float)(s * s);
        sum_1 += hann[i];
        sum_2 += hann[i] * hann[i];
        for (int k = 0; k < TONES; k++) {
            double phase = 2 * PI * frequency[k] * i / CF_DTMF_RATE;
            cosine[i][k] = (float)(s * s * cos(phase));
            sine[i][k] = (float)(s * s * sin(phase));
        }
    }
    for (int k = 0; k < TONES; k++) {
        turn_re[k] = (float)cos(2 * PI * frequency[k] * HOP / CF_DTMF_RATE);
        turn_im[k] = (float)sin(2 * PI * frequency[k] * HOP / CF_DTMF_RATE);
    }
}

bool cf_dtmf_tones(char digit, int *low, int *high) {
    for (int row = 0; row < GROUP; row++) {
        const char *at = digit ? strchr(keys[row], digit) : NULL;
        if (at) {
            *low = frequency[row];
            *high = frequency[GROUP + (at - keys[row])];
            return true;
        }
    }
    return false;
}

void cf_dtmf_init(cf_dtmf *d) {
    memset(d, 0, sizeof *d);
    cf_resampler_init(&d->down, CF_DTMF_RATIO);
}

bool cf_dtmf_present(const cf_dtmf *d) {
    return d->run >= SHOW;
}

/* A window and what was found in it. */
struct view {
    float energy; /* sum of squares under the window */
    float re[TONES], im[TONES];
};

/* False: too soft for any digit, nothing more was looked for. Eight sums side by side: one vector. */
static bool look(const int16_t *x, struct view *v) {
    float re[TONES] = {0}, im[TONES] = {0};
    v->energy = 0;
    for (int i = 0; i < WINDOW; i++)
        v->energy += hann[i] * hann[i] * (float)(x[i] * x[i]);
    if (v->energy < 2 * POWER_MIN * sum_2 * SHARE_MIN)
        return false;
    for (int i = 0; i < WINDOW; i++)
        for (int k = 0; k < TONES; k++) {
            re[k] += x[i] * cosine[i][k];
            im[k] -= x[i] * sine[i][k];
        }
    memcpy(v->re, re, sizeof re);
    memcpy(v->im, im, sizeof im);
    return true;
}

static int strongest(const struct view *v, int from) {
    int best = from;
    for (int k = from; k < from + GROUP; k++)
        if (v->re[k] * v->re[k] + v->im[k] * v->im[k] > v->re[best] * v->re[best] + v->im[best] * v->im[best])
            best = k;
    return best;
}

static void remember(cf_dtmf *d, const struct view *v, bool heard) {
    d->heard = heard;
    if (!heard)
        return;
    memcpy(d->re, v->re, sizeof d->re);
    memcpy(d->im, v->im, sizeof d->im);
}

/* How far tone k is off, Hz, by its advance since the window before. */
static float off_hz(const cf_dtmf *d, const struct view *v, int k) {
    float re = v->re[k] * d->re[k] + v->im[k] * d->im[k], im = v->im[k] * d->re[k] - v->re[k] * d->im[k];
    float ahead = atan2f(im * turn_re[k] - re * turn_im[k], re * turn_re[k] + im * turn_im[k]);
    return ahead * (float)(CF_DTMF_RATE / (2 * PI * HOP));
}

/* The power of tone k: what the window shows of it, made good for what a Hann window takes off beside its middle. 0 if
 * its frequency is not the nominal one. */
static float power_of(const cf_dtmf *d, const struct view *v, int k) {
    float off = off_hz(d, v, k);
    if (fabsf(off) > OFF_MAX * (float)frequency[k])
        return 0;
    float bins = off * WINDOW / CF_DTMF_RATE, x = (float)PI * bins;
    float seen = fabsf(x) < 1e-3F ? 1 : sinf(x) / (x * (1 - bins * bins));
    return 2 * (v->re[k] * v->re[k] + v->im[k] * v->im[k]) / (sum_1 * sum_1 * seen * seen);
}

/* The digit that fills the window, or 0. */
static char judge(const cf_dtmf *d, const struct view *v, float *power) {
    int low = strongest(v, 0), high = strongest(v, GROUP);
    float p_low = power_of(d, v, low), p_high = power_of(d, v, high);
    *power = p_low + p_high;
    bool loud = p_low >= POWER_MIN && p_high >= POWER_MIN;
    bool even = p_high <= TWIST_UP * p_low && p_low <= TWIST_DOWN * p_high;
    bool alone = *power * sum_2 >= SHARE_MIN * v->energy;
    return loud && even && alone ? keys[low][high - GROUP] : 0;
}

/* dBm0 of a power: a full-scale sine has 2^29 and +3.14 dBm0. */
static uint8_t volume_of(float power) {
    float volume = -10 * log10f(power / 536870912.0F) - 3.14F;
    return (uint8_t)(volume < 0 ? 0 : volume > 63 ? 63 : volume + 0.5F);
}

/* The run has ended: 1 if it was a digit. */
static int finish(cf_dtmf *d, cf_digit *out) {
    bool long_enough = d->run >= CONFIRM;
    if (long_enough) {
        uint32_t begin = d->begin - WINDOW / 2 - EDGE, length = d->end - d->begin + 2 * EDGE;
        *out = (cf_digit){d->digit, volume_of(d->power), length * 1000 / CF_DTMF_RATE, begin};
    }
    d->digit = 0;
    d->run = d->missing = 0;
    return long_enough;
}

static int track(cf_dtmf *d, char digit, float power, cf_digit *out) {
    int ended = 0;
    if (d->digit && digit != d->digit) {
        d->missing++;
        if (!digit && d->run >= CONFIRM && d->missing < GONE)
            return 0;
        ended = finish(d, out);
    }
    if (!digit)
        return ended;
    if (d->run == 0) {
        d->digit = digit;
        d->begin = d->clock;
        d->power = 0;
    }
    d->run += d->run < UINT16_MAX;
    d->missing = 0;
    d->end = d->clock;
    d->power = fmaxf(d->power, power);
    return ended;
}

static int window(cf_dtmf *d, const int16_t *x, cf_digit *out) {
    struct view view;
    float power = 0;
    bool heard = look(x, &view);
    char digit = heard && d->heard ? judge(d, &view, &power) : 0;
    remember(d, &view, heard);
    return track(d, digit, power, out);
}

int cf_dtmf_run_8k(cf_dtmf *d, const int16_t *pcm, size_t n, cf_digit *out) {
    int16_t x[WINDOW + CF_DTMF_BLOCK];
    int ended = 0;
    memcpy(x, d->past, sizeof d->past);
    memcpy(x + WINDOW, pcm, n * sizeof *pcm);
    for (size_t at = 1; at <= n; at++)
        if (++d->clock % HOP == 0)
            ended |= window(d, x + at, out);
    memcpy(d->past, x + n, sizeof d->past);
    return ended;
}

int cf_dtmf_run(cf_dtmf *d, const int16_t *pcm, size_t n, cf_digit *out) {
    int16_t low[CF_DTMF_BLOCK];
    cf_resample_down(&d->down, pcm, n, low);
    return cf_dtmf_run_8k(d, low, n / CF_DTMF_RATIO, out);
}

/* Comfort noise descriptions (RFC 3389): payloads, and the measuring of a room by linear prediction. */
#include "conferocore/noise.h"

#include <errno.h>
#include <math.h>

/* RFC 3389 section 3.2: k = 258 * (N - 127) / 32768 for N from 0 to 254; 255 is not one. */
enum { CENTRE = 127, INDEX_MAX = 254 };
#define STEP (258.0F / 32768.0F)

#define PI 3.14159265358979323846
#define NEW_PART 0.125 /* of a frame in what is told: a room's noise is steady for some tenths of a second */
#define FLOOR 1e-4     /* white noise of 40 dB less: no coefficient comes too near to 1 */

int cf_cn_parse(cf_cn *cn, const uint8_t *payload, size_t len) {
    if (len == 0)
        return -EBADMSG;
    *cn = (cf_cn){.level = payload[0] & 127}; /* the first bit is unused */
    cn->order = (uint8_t)(len - 1 < CF_CN_ORDER ? len - 1 : CF_CN_ORDER);
    for (int i = 0; i < cn->order; i++) {
        int index = payload[1 + i] < INDEX_MAX ? payload[1 + i] : INDEX_MAX;
        cn->reflection[i] = (float)(index - CENTRE) * STEP;
    }
    return 0;
}

size_t cf_cn_write(const cf_cn *cn, uint8_t out[CF_CN_MAX]) {
    out[0] = cn->level < CF_CN_SILENCE ? cn->level : CF_CN_SILENCE;
    for (int i = 0; i < cn->order; i++) {
        float index = roundf(cn->reflection[i] / STEP) + CENTRE;
        out[1 + i] = (uint8_t)(index < 0 ? 0 : index > INDEX_MAX ? INDEX_MAX : index);
    }
    return (size_t)cn->order + 1;
}

void cf_cn_meter_init(cf_cn_meter *meter) {
    *meter = (cf_cn_meter){0};
}

/* Autocorrelation under a Hann window, scaled as if there had been none. */
static void correlate(const int16_t *pcm, size_t n, double *power) {
    float x[CF_CN_FRAME];
    for (size_t i = 0; i < n; i++)
        x[i] = pcm[i] * (float)(0.5 - 0.5 * cos(2 * PI * ((double)i + 0.5) / (double)n));
    for (size_t lag = 0; lag <= CF_CN_ORDER; lag++) {
        double sum = 0;
        for (size_t i = lag; i < n; i++)
            sum += x[i] * x[i - lag];
        power[lag] = sum;
    }
}

void cf_cn_meter_hear(cf_cn_meter *meter, const int16_t *pcm, size_t n) {
    double power[CF_CN_ORDER + 1], square = 0, part = meter->heard ? NEW_PART : 1;
    if (n <= CF_CN_ORDER || n > CF_CN_FRAME)
        return;
    correlate(pcm, n, power);
    for (size_t i = 0; i < n; i++)
        square += (double)pcm[i] * pcm[i];
    for (int lag = 0; lag <= CF_CN_ORDER; lag++)
        meter->power[lag] += part * (power[lag] / (double)n - meter->power[lag]);
    meter->mean_square += part * (square / (double)n - meter->mean_square);
    meter->heard = true;
}

/* Levinson and Durbin: the reflection coefficients that predict noise of this autocorrelation. */
static void predict(const double *power, float *reflection) {
    double a[CF_CN_ORDER + 1] = {1}, error = power[0] * (1 + FLOOR);
    for (int m = 1; m <= CF_CN_ORDER; m++) {
        double sum = power[m], before[CF_CN_ORDER + 1];
        for (int i = 1; i < m; i++)
            sum += a[i] * power[m - i];
        double k = -sum / error;
        for (int i = 1; i < m; i++)
            before[i] = a[i];
        for (int i = 1; i < m; i++)
            a[i] += k * before[m - i];
        a[m] = k;
        error *= 1 - k * k;
        reflection[m - 1] = (float)k;
    }
}

void cf_cn_meter_tell(const cf_cn_meter *meter, cf_cn *cn) {
    double level = -10 * log10((meter->mean_square + 1e-9) / (32768.0 * 32768.0));
    *cn = (cf_cn){.level = (uint8_t)(level < 0 ? 0 : level > CF_CN_SILENCE ? CF_CN_SILENCE : lrint(level))};
    if (meter->power[0] < 1)
        return; /* digital silence, or one step of the converter: without colour */
    cn->order = CF_CN_ORDER;
    predict(meter->power, cn->reflection);
}

/* Any comfort noise payloads: what is read is written back alike, and what is rendered is never louder than told by
 * more than chance. */
#include "conferocore/noise.h"
#include "fuzzlib.h"

#include <math.h>

enum { FRAME = 160, FRAMES = 4 };

static void run(cf_cng *cng, const uint8_t *payload, size_t len) {
    cf_cn cn, again;
    int16_t pcm[FRAME];
    uint8_t out[CF_CN_MAX];
    if (cf_cn_parse(&cn, payload, len)) {
        HOLDS(len == 0);
        return;
    }
    HOLDS(cn.level <= CF_CN_SILENCE && cn.order <= CF_CN_ORDER && cn.order < len);
    size_t n = cf_cn_write(&cn, out);
    HOLDS(n == (size_t)cn.order + 1 && cf_cn_parse(&again, out, n) == 0 && memcmp(&again, &cn, sizeof cn) == 0);
    cf_cng_set(cng, &cn);
    for (int i = 0; i < FRAMES; i++)
        cf_cng_render(cng, pcm, FRAME);
    for (int i = 0; i <= CF_CN_ORDER; i++)
        HOLDS(isfinite(cng->back[i]));
}

/* The data is a row of payloads, each behind one octet that tells its length; and a room's noise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cf_cng cng;
    cf_cn_meter meter;
    cf_cn told;
    cf_cng_init(&cng, 1);
    cf_cn_meter_init(&meter);
    for (size_t at = 0, len; at < size; at += len) {
        len = data[at++];
        len = len < size - at ? len : size - at;
        block b = copy_of(data + at, len, 0);
        run(&cng, b.data, len);
        int16_t pcm[CF_CN_FRAME];
        memcpy(pcm, b.data, len & ~(size_t)1);
        cf_cn_meter_hear(&meter, pcm, len / 2);
        free(b.base);
    }
    cf_cn_meter_tell(&meter, &told);
    for (int i = 0; i < told.order; i++)
        HOLDS(fabsf(told.reflection[i]) < 1);
    return 0;
}

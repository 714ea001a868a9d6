/* Any bytes as an RTCP compound: nothing is handed out of a broken one, every view is inside, and what we write we read
 * back. */
#include "conferocore/rtcp.h"
#include "fuzzlib.h"
#include <errno.h>

typedef struct visit {
    const uint8_t *data;
    size_t size, calls;
    uint8_t out[4096]; /* SR, RR, CNAME and BYE, written again */
    size_t at;
    uint64_t sum; /* of bytes read, so that reading is not left out */
} visit;

static void read_all(visit *v, const uint8_t *view, size_t len) {
    inside(view, len, v->data, v->size);
    for (size_t i = 0; i < len; i++)
        v->sum += view[i];
    v->calls++;
}

static void on_sr(void *arg, const cf_rtcp_sr *sr) {
    visit *v = arg;
    v->calls++;
    cf_rtcp_write_sr(v->out, sizeof v->out, &v->at, sr, NULL, 0);
}

static void on_report(void *arg, uint32_t sender, const cf_rtcp_report *block) {
    visit *v = arg;
    v->calls++;
    HOLDS(block->lost >= -0x800000 && block->lost <= 0x7fffff);
    cf_rtcp_write_rr(v->out, sizeof v->out, &v->at, sender, block, 1);
}

static void on_cname(void *arg, uint32_t ssrc, const uint8_t *text, size_t len) {
    visit *v = arg;
    char name[256];
    read_all(v, text, len);
    HOLDS(len <= 255);
    memcpy(name, text, len);
    name[len] = 0;
    cf_rtcp_write_cname(v->out, sizeof v->out, &v->at, ssrc, name);
}

static void on_bye(void *arg, uint32_t ssrc) {
    visit *v = arg;
    v->calls++;
    cf_rtcp_write_bye(v->out, sizeof v->out, &v->at, ssrc);
}

static void on_feedback(void *arg, uint8_t pt, uint8_t fmt, uint32_t sender, uint32_t media, const uint8_t *fci,
                        size_t len) {
    (void)sender, (void)media;
    HOLDS((pt == CF_RTCP_RTPFB || pt == CF_RTCP_PSFB) && fmt < 32);
    read_all(arg, fci, len);
}

static int parse(visit *v, const uint8_t *data, size_t size) {
    cf_rtcp_visitor visitor = {v, on_sr, on_report, on_cname, on_bye, on_feedback};
    v->data = data;
    v->size = size;
    int result = cf_rtcp_parse(data, size, &visitor);
    HOLDS(result == 0 || (result == -EBADMSG && v->calls == 0));
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static visit first, second;
    block b = copy_of(data, size, 0);
    first.calls = first.at = second.calls = second.at = 0;
    if (parse(&first, b.data, size) == 0 && first.at > 0) {
        HOLDS(first.at <= sizeof first.out && first.at % 4 == 0);
        HOLDS(parse(&second, first.out, first.at) == 0);
        HOLDS(second.at == first.at && memcmp(second.out, first.out, first.at) == 0);
    }
    free(b.base);
    return 0;
}

/* A sender's memory for redundancy: its last payloads, each sent again with the next. */
#include "conferocore/red.h"
#include <errno.h>
#include <string.h>

void cf_red_sender_init(cf_red_sender *sender) {
    memset(sender, 0, sizeof *sender);
}

/* A payload too long to keep leaves a hole, so that the next ones keep their places. */
static void keep(cf_red_sender *sender, uint8_t pt, uint32_t ts, const uint8_t *payload, size_t len) {
    for (int i = CF_RED_EARLIER - 1; i > 0; i--) {
        struct cf_red_kept *to = &sender->kept[i], *from = &sender->kept[i - 1];
        *to = (struct cf_red_kept){.ts = from->ts, .len = from->len, .pt = from->pt};
        memcpy(to->payload, from->payload, from->len);
    }
    struct cf_red_kept *newest = &sender->kept[0];
    newest->ts = ts;
    newest->pt = pt;
    newest->len = (uint16_t)(len <= CF_RED_EARLIER_LENGTH ? len : 0);
    memcpy(newest->payload, payload, newest->len);
}

int cf_red_send(cf_red_sender *sender, int depth, uint8_t pt, uint32_t ts, const uint8_t *payload, size_t len,
                uint8_t *out, size_t cap) {
    cf_red_block blocks[CF_RED_EARLIER + 1];
    size_t count = 0;
    if (depth < 0 || depth > CF_RED_EARLIER || pt > 0x7F)
        return -EINVAL;
    for (int i = depth - 1; i >= 0; i--) {
        const struct cf_red_kept *kept = &sender->kept[i];
        uint32_t offset = ts - kept->ts;
        if (kept->len && offset <= CF_RED_OFFSET_MAX)
            blocks[count++] = (cf_red_block){kept->pt, (uint16_t)offset, kept->payload, kept->len};
    }
    blocks[count++] = (cf_red_block){pt, 0, payload, len};
    int size = cf_red_write(out, cap, blocks, count);
    keep(sender, pt, ts, payload, len);
    return size;
}

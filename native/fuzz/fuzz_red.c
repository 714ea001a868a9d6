/* Any bytes as redundant payloads of one stream: parsed or -EBADMSG, every block inside, what is written is read back,
 * and no number is given out twice. */
#include "conferocore/red.h"
#include "fuzzlib.h"
#include <errno.h>

static void check_blocks(const cf_red *red, const uint8_t *data, size_t len) {
    HOLDS(red->count >= 1 && red->count <= CF_RED_BLOCKS && red->blocks[red->count - 1].offset == 0);
    for (size_t i = 0; i < red->count; i++) {
        HOLDS(red->blocks[i].payload && red->blocks[i].pt < 128);
        HOLDS(red->blocks[i].len > 0 || i + 1 == red->count);
        inside(red->blocks[i].payload, red->blocks[i].len, data, len);
    }
}

static void check_round_trip(const cf_red *red, size_t len) {
    uint8_t *out = malloc(len);
    int size = cf_red_write(out, len, red->blocks, red->count);
    cf_red back;
    HOLDS(size > 0 && (size_t)size <= len && cf_red_parse(&back, out, (size_t)size) == 0 && back.count == red->count);
    for (size_t i = 0; i < red->count; i++)
        HOLDS(back.blocks[i].pt == red->blocks[i].pt && back.blocks[i].offset == red->blocks[i].offset &&
              back.blocks[i].len == red->blocks[i].len &&
              memcmp(back.blocks[i].payload, red->blocks[i].payload, red->blocks[i].len) == 0);
    free(out);
}

/* A number given to a block is one that has not come, before the packet's own. */
static void check_numbers(cf_red_seen *seen, const cf_red *red, const cf_rtp *packet, uint32_t duration) {
    for (size_t i = 0; i + 1 < red->count; i++) {
        int seq = cf_red_seq(seen, packet, &red->blocks[i], duration);
        HOLDS(seq == -ENOENT || (seq >= 0 && seq <= 65535));
        if (seq < 0)
            continue;
        HOLDS(cf_seq_diff(packet->seq, (uint16_t)seq) > 0 && cf_seq_diff(packet->seq, (uint16_t)seq) < CF_RED_SEEN);
        cf_red_seen_note(seen, packet->ssrc, (uint16_t)seq, packet->ts - red->blocks[i].offset);
        HOLDS(cf_red_seq(seen, packet, &red->blocks[i], duration) == -ENOENT);
    }
    cf_red_seen_note(seen, packet->ssrc, packet->seq, packet->ts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cf_red_seen seen;
    cf_red_seen_init(&seen);
    size_t at = 0;
    uint16_t seq = 65530;
    uint32_t ts = 0xffffff00u;
    for (record r; next_record(&r, data, size, &at);) {
        block b = copy_of(r.data, r.len, 0);
        cf_red red;
        seq = (uint16_t)(seq + 1 + (r.what & 0x1F));
        ts += 960u * (1 + (r.what >> 5)) + r.which;
        int result = cf_red_parse(&red, b.data, r.len);
        HOLDS(result == 0 || result == -EBADMSG);
        if (result == 0) {
            cf_rtp packet = {.ssrc = r.which == 255, .seq = seq, .ts = ts};
            check_blocks(&red, b.data, r.len);
            check_round_trip(&red, r.len);
            check_numbers(&seen, &red, &packet, r.which & 1 ? 0 : 960);
        }
        free(b.base);
    }
    return 0;
}

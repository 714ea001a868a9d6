/* Redundant audio data on the wire: RFC 2198 section 3, read and written. */
#include "conferocore/red.h"
#include <errno.h>
#include <string.h>

enum { MORE = 0x80, PRIMARY_HEADER = 1, HEADER = 4 };

/* The headers, without payloads yet; returns where the data begins, 0 for a row that does not end. Only the last
 * CF_RED_BLOCKS are kept; *skipped is what the left-out ones hold. */
static size_t read_headers(cf_red *red, const uint8_t *p, size_t len, size_t *skipped) {
    size_t at = 0;
    for (int i = 0; i < CF_RED_HEADERS && at < len; i++) {
        if (red->count == CF_RED_BLOCKS) {
            *skipped += red->blocks[0].len;
            memmove(red->blocks, red->blocks + 1, --red->count * sizeof *red->blocks);
        }
        cf_red_block *block = &red->blocks[red->count++];
        *block = (cf_red_block){.pt = p[at] & 0x7F};
        if (!(p[at] & MORE))
            return at + PRIMARY_HEADER;
        if (len - at < HEADER)
            return 0;
        block->offset = (uint16_t)(cf_get16(p + at + 1) >> 2);
        block->len = cf_get16(p + at + 2) & CF_RED_LENGTH_MAX;
        at += HEADER;
    }
    return 0;
}

static void drop_empty(cf_red *red) {
    size_t kept = 0;
    for (size_t i = 0; i < red->count; i++)
        if (red->blocks[i].len || i + 1 == red->count)
            red->blocks[kept++] = red->blocks[i];
    red->count = kept;
}

int cf_red_parse(cf_red *red, const uint8_t *payload, size_t len) {
    size_t skipped = 0;
    red->count = 0;
    size_t at = read_headers(red, payload, len, &skipped);
    if (at == 0 || skipped > len - at)
        return -EBADMSG;
    at += skipped;
    for (size_t i = 0; i < red->count; i++) {
        cf_red_block *block = &red->blocks[i];
        if (i + 1 == red->count)
            block->len = len - at; /* the primary has no length: it is the rest */
        if (block->len > len - at)
            return -EBADMSG;
        block->payload = payload + at;
        at += block->len;
    }
    drop_empty(red);
    return 0;
}

static bool sayable(const cf_red_block *block) {
    return block->pt <= 0x7F && block->offset <= CF_RED_OFFSET_MAX && block->len > 0 && block->len <= CF_RED_LENGTH_MAX;
}

static uint8_t *write_header(uint8_t *p, const cf_red_block *block) {
    cf_put32(p, (uint32_t)(MORE | block->pt) << 24 | (uint32_t)block->offset << 10 | (uint32_t)block->len);
    return p + HEADER;
}

int cf_red_write(uint8_t *out, size_t cap, const cf_red_block *blocks, size_t count) {
    if (count < 1 || count > CF_RED_BLOCKS || blocks[count - 1].pt > 0x7F)
        return -EINVAL;
    const cf_red_block *primary = &blocks[count - 1];
    size_t size = PRIMARY_HEADER + primary->len, first = count - 1;
    if (primary->len >= cap)
        return -ENOSPC;
    for (; first > 0; first--) { /* backwards, so that the oldest is what does not fit */
        const cf_red_block *block = &blocks[first - 1];
        size_t more = sayable(block) ? HEADER + block->len : 0;
        if (more > cap - size)
            break;
        size += more;
    }
    uint8_t *p = out;
    for (size_t i = first; i + 1 < count; i++)
        if (sayable(&blocks[i]))
            p = write_header(p, &blocks[i]);
    *p++ = primary->pt;
    for (size_t i = first; i < count; i++)
        if (i + 1 == count || sayable(&blocks[i])) {
            if (blocks[i].len)
                memcpy(p, blocks[i].payload, blocks[i].len);
            p += blocks[i].len;
        }
    return (int)size;
}

/* Datagrams of any kind into a core with legs of every kind: whatever comes, the receive path neither crashes nor
 * writes where it should not, and the ticks after it go on. Input: records of [where, time, length, length, bytes ...].
 */
#include "conferocore/core.h"
#include "conferocore/stun.h"

#include "fuzzlib.h"

enum { ROOM = 1, PLAIN = 1, SYMMETRIC = 2, SECURE = 3, WEB = 4, SHARED_SOCKET = 90, MTU = 1500 };

static uint64_t told;

static void on_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    (void)arg;
    HOLDS(len <= MTU + 24 && path->remote.family != 0);
    for (size_t i = 0; i < len; i++)
        told += data[i]; /* every byte is there to be read */
}

static void on_event(void *arg, const cf_event *event) {
    (void)arg;
    HOLDS(event->count <= 8 && memchr(event->text, 0, sizeof event->text) != NULL);
    told++;
}

static cf_leg_config leg_config(uint64_t id) {
    cf_leg_config config = {
        .id = id,
        .room = ROOM,
        .kind = id == WEB ? CF_LEG_WEBRTC : CF_LEG_RTP,
        .tx = {.codec = CF_CODEC_OPUS, .low_delay = 1}, /* not instrumented: most of the time is ours */
        .tx_pt = 111,
        .rx_count = 5,
        .rx = {{0, CF_CODEC_PCMU, 8000},
               {111, CF_CODEC_OPUS, 48000},
               {63, CF_CODEC_RED, 48000},
               {101, CF_CODEC_EVENT, 8000},
               {13, CF_CODEC_CN, 8000}},
        .event_pt = 101,
        .red_pt = 63,
        .red = CF_RED_AUTO,
        .audio_level_ext = 1,
        .mid_ext = 2,
        .mid = "0",
        .cname = "fuzz",
        .rtp_socket = (uint32_t)id,
        .rtcp_socket = id == PLAIN ? 50 : (uint32_t)id,
        .symmetric = id == SYMMETRIC,
        .secure = id == SECURE,
        .local_ufrag = "ufrag",
        .local_pwd = "a-password-of-some-length",
        .remote_ufrag = "far"};
    if (id != SYMMETRIC && id != WEB)
        config.remote_rtp = (cf_addr){.ip = {192, 0, 2, 1}, .port = 4000, .family = 4};
    return config;
}

static void keys_set(cf_core *core, uint64_t id) {
    uint8_t key[16] = {1}, salt[12] = {2};
    cf_srtp *inbound = cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, key, 16, salt, 12);
    cf_srtp *outbound = cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, key, 16, salt, 12);
    cf_core_leg_keys(core, id, &inbound, &outbound);
}

/* Where a record goes: the shared socket from a proved or from a strange path, and the RTP legs' sockets. */
static cf_path path_of(uint8_t where) {
    static const uint32_t SOCKETS[] = {SHARED_SOCKET, SHARED_SOCKET, PLAIN, 50, SYMMETRIC, SECURE};
    size_t index = where % (sizeof SOCKETS / sizeof *SOCKETS);
    cf_path path = {.socket = SOCKETS[index], .remote = {.ip = {192, 0, 2, 1}, .port = 4000, .family = 4}};
    if (index == 1)
        path.remote.port = 4100;
    if (SOCKETS[index] == 50)
        path.remote.port = 4001;
    return path;
}

static void web_connects(cf_core *core, int64_t now) {
    uint8_t request[CF_STUN_MAX], txid[12] = {1};
    cf_path path = path_of(0);
    int len = cf_stun_write_request(request, sizeof request, txid, "ufrag:far", "a-password-of-some-length", 1, true, 2,
                                    true);
    cf_core_receive(core, &path, request, (size_t)len, now);
}

static cf_core *core_make(cf_leg **web) {
    cf_core_config config = {.send = on_send, .event = on_event, .max_legs = 8, .max_rooms = 1};
    cf_core *core = cf_core_new(&config);
    cf_room_config room = {.id = ROOM};
    cf_core_room_add(core, cf_room_new(&room), 0);
    for (uint64_t id = PLAIN; id <= WEB; id++) {
        cf_leg_config leg = leg_config(id);
        *web = cf_leg_new(&leg, id);
        cf_core_leg_add(core, *web, 0);
    }
    keys_set(core, SECURE);
    cf_dtmf *dtmf = malloc(sizeof *dtmf);
    cf_dtmf_init(dtmf);
    cf_core_leg_listen(core, PLAIN, &dtmf);
    cf_core_leg_digits(core, SYMMETRIC, "0123456789*#ABCD!", 40);
    web_connects(core, 0);
    return core;
}

/* Mostly a few ms, so that datagrams and not ticks are what is tried; now and then long enough for time-outs. */
static int64_t pause_ms(uint8_t code) {
    return code < 250 ? code % 25 : (code - 249) * 10000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cf_leg *web = NULL;
    cf_core *core = core_make(&web);
    int64_t now = 0;
    for (size_t at = 0; at + 4 <= size;) {
        cf_path path = path_of(data[at]);
        now += pause_ms(data[at + 1]) * INT64_C(1000000);
        size_t len = cf_get16(data + at + 2) % (MTU + 1);
        at += 4;
        len = len < size - at ? len : size - at;
        uint8_t *packet = malloc(len ? len : 1); /* of exactly its length: over-reads are seen */
        memcpy(packet, data + at, len);
        cf_core_receive(core, &path, packet, len, now);
        free(packet);
        at += len;
        cf_core_advance(core, now);
    }
    uint8_t out[MTU];
    while (cf_leg_dtls_take(web, out, sizeof out))
        ;
    keys_set(core, WEB);
    cf_core_advance(core, now + 40000000);
    cf_core_free(core);
    return 0;
}

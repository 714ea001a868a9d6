/* A room's members as a load generator: sends everybody's packets in time, receives everybody's mix, and judges both.
 * Usage: bench_load MEMBERS TALKERS opus|pcmu rtp|webrtc open|quiet SECONDS < targets
 * Targets: one line "IPv4 PORT" for each member. Prints "measuring" after the warm-up and one line of JSON at the end.
 */
#include "bench_lib.h"
#include "conferocore/stun.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Slots are short, because the packets of many members come spread, not in bursts: that is what a mixer has to live
 * with. */
enum { MS = 1000000, PERIOD = 20 * MS, SLOT = MS / 10, WARM_MS = 2000, READY = 256, DRAIN_MS = 100 };
#define PASSWORD "benchmark password"

typedef struct member {
    int fd;
    int64_t due, check_due; /* ns */
    mouth mouth;
    cf_srtp *hears;
    bool started;
    uint16_t first_seq;
    uint32_t received;
    int64_t *sent_at; /* by sequence number from first_seq on: when the packet left the mixer; 0: it never came */
} member;

typedef struct load {
    int members, talkers, codec, secure, open, epoll;
    uint32_t expected; /* packets of one member in the measured time, and some more */
    member *all;
    ear ears[2]; /* of the first talker and of the last member */
    int64_t start, measure_from;
    uint64_t sent, refused;
    double *own_late_ms; /* of each packet that was sent, in the measured time */
    size_t own_count, own_cap;
} load;

static int64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void open_socket(load *l, int i) {
    char host[64];
    unsigned port;
    if (scanf("%63s %u", host, &port) != 2)
        fail("a target for each member is needed");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), on = 1;
    /* The kernel's stamp is the moment at which the mixer sent: loopback has no delay, and our own lateness does not
     * count. */
    if (fd < 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0)
        fail("cannot open a member's socket");
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event);
    l->all[i].fd = fd;
}

static void set_up_member(load *l, int i, const voice *says) {
    member *m = &l->all[i];
    open_socket(l, i);
    m->mouth =
        (mouth){.says = says, .codec = l->codec, .ssrc = 1000 + (uint32_t)i, .quiet = i >= l->talkers && !l->open};
    m->due = m->check_due = l->start + (int64_t)PERIOD * i / l->members;
    m->sent_at = calloc(l->expected, sizeof *m->sent_at);
    if (l->secure) {
        m->mouth.srtp = srtp_of((uint32_t)i, 1);
        m->hears = srtp_of((uint32_t)i, 0);
    }
}

static void set_up(load *l, double seconds) {
    l->epoll = epoll_create1(0);
    l->all = calloc((size_t)l->members, sizeof *l->all);
    l->expected = (uint32_t)(seconds * 50) + 50;
    l->own_cap = (size_t)l->members * l->expected;
    l->own_late_ms = calloc(l->own_cap, sizeof *l->own_late_ms);
    l->start = now_ns(CLOCK_MONOTONIC) + 100 * MS;
    l->measure_from = l->start + (int64_t)WARM_MS * MS;
    const voice *silence = voice_make(l->codec, 0);
    for (int i = 0; i < l->members; i++)
        set_up_member(l, i, i < l->talkers ? voice_make(l->codec, voice_hertz(i)) : silence);
    for (int i = 0; i < 2; i++)
        ear_open(&l->ears[i], l->codec);
}

static void send_datagram(load *l, member *m, const uint8_t *data, size_t len) {
    if (send(m->fd, data, len, MSG_DONTWAIT) < 0)
        l->refused++;
}

/* An authenticated check each second, as a browser keeps its consent. */
static void send_check(load *l, int i) {
    member *m = &l->all[i];
    uint8_t out[512], txid[12] = {0};
    char username[48];
    cf_put32(txid, (uint32_t)i);
    snprintf(username, sizeof username, "m%d:peer", i);
    int len = cf_stun_write_request(out, sizeof out, txid, username, PASSWORD, 1, true, 1, true);
    send_datagram(l, m, out, (size_t)len);
    m->check_due += 50 * (int64_t)PERIOD;
}

static void send_due(load *l, int64_t now) {
    for (int i = 0; i < l->members; i++) {
        member *m = &l->all[i];
        if (l->secure && m->check_due <= now)
            send_check(l, i);
        for (; m->due <= now; m->due += PERIOD) {
            uint8_t packet[PACKET_MAX];
            size_t len = mouth_packet(&m->mouth, packet);
            if (len == 0)
                continue;
            send_datagram(l, m, packet, len);
            l->sent++;
            if (m->due >= l->measure_from && l->own_count < l->own_cap)
                l->own_late_ms[l->own_count++] = (double)(now - m->due) / MS;
        }
    }
}

static void take(load *l, int i, uint8_t *data, size_t len, int64_t stamp) {
    member *m = &l->all[i];
    bool rtcp;
    if (!cf_rtp_looks_like(data, len, &rtcp) || rtcp)
        return;
    int which = i == l->members - 1 ? 1 : i == 0 ? 0 : -1;
    if (which >= 0 && l->secure) { /* the others only count theirs: our decryption is not what is measured */
        int n = cf_srtp_unprotect(m->hears, data, len);
        if (n < 0)
            return;
        len = (size_t)n;
    }
    cf_rtp rtp;
    if (cf_rtp_parse(&rtp, data, len) < 0 || rtp.pt != codec_pt(l->codec))
        return;
    if (which >= 0)
        ear_hear(&l->ears[which], rtp.payload, rtp.payload_len);
    if (stamp < l->measure_from)
        return;
    if (!m->started)
        m->first_seq = rtp.seq;
    m->started = true;
    uint16_t at = (uint16_t)(rtp.seq - m->first_seq);
    if (at < l->expected && m->sent_at[at] == 0) {
        m->sent_at[at] = stamp;
        m->received++;
    }
}

static void receive(load *l, int i, int64_t real_minus_mono) {
    for (;;) {
        uint8_t data[2048], control[64];
        struct iovec iov = {data, sizeof data};
        struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t n = recvmsg(l->all[i].fd, &h, MSG_DONTWAIT);
        if (n < 0)
            return;
        int64_t stamp = 0;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c != NULL; c = CMSG_NXTHDR(&h, c)) {
            struct timespec t;
            if (c->cmsg_type == SCM_TIMESTAMPNS) {
                memcpy(&t, CMSG_DATA(c), sizeof t);
                stamp = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - real_minus_mono;
            }
        }
        take(l, i, data, (size_t)n, stamp);
    }
}

static void receive_all(load *l, int64_t real_minus_mono) {
    struct epoll_event ready[READY];
    int n;
    do {
        n = epoll_wait(l->epoll, ready, READY, 0);
        for (int i = 0; i < n; i++)
            receive(l, (int)ready[i].data.u32, real_minus_mono);
    } while (n == READY);
}

static void run(load *l, double seconds) {
    int64_t real_minus_mono = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);
    int64_t end = l->measure_from + (int64_t)(seconds * 1e9);
    bool told = false;
    for (int64_t now = l->start, slot = now; now < end + (int64_t)DRAIN_MS * MS; slot += SLOT) {
        struct timespec at = {slot / 1000000000, slot % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        now = now_ns(CLOCK_MONOTONIC);
        if (now > slot) /* slots that were missed are past: their packets go out now */
            slot = now;
        if (now < end)
            send_due(l, now);
        receive_all(l, real_minus_mono);
        if (!told && now >= l->measure_from) {
            printf("measuring\n");
            fflush(stdout);
            told = true;
        }
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_spread(const char *name, double *values, size_t n) {
    qsort(values, n, sizeof *values, by_value);
    printf("\"%s\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}, ", name, n ? values[n / 2] : 0,
           n ? values[n * 99 / 100] : 0, n ? values[n - 1] : 0);
}

/* A member's packets leave every 20 ms: how much later than the punctual one did each leave? */
static size_t lateness(const load *l, const member *m, double *out) {
    int64_t base = INT64_MAX;
    size_t n = 0;
    for (uint32_t k = 0; k < l->expected; k++)
        if (m->sent_at[k] != 0 && m->sent_at[k] - (int64_t)k * PERIOD < base)
            base = m->sent_at[k] - (int64_t)k * PERIOD;
    for (uint32_t k = 0; k < l->expected; k++)
        if (m->sent_at[k] != 0)
            out[n++] = (double)(m->sent_at[k] - (int64_t)k * PERIOD - base) / MS;
    return n;
}

static void report(load *l) {
    double *late = calloc((size_t)l->members * l->expected, sizeof *late);
    uint64_t received = 0, lost = 0, silent = 0;
    size_t n = 0;
    for (int i = 0; i < l->members; i++) {
        const member *m = &l->all[i];
        uint32_t last = 0;
        for (uint32_t k = 0; k < l->expected; k++)
            last = m->sent_at[k] != 0 ? k + 1 : last;
        received += m->received;
        lost += last - m->received;
        silent += m->received == 0;
        n += lateness(l, m, late + n);
    }
    printf("{\"sent\": %llu, \"refused\": %llu, \"received\": %llu, \"lost\": %llu, \"unheard_members\": %llu, ",
           (unsigned long long)l->sent, (unsigned long long)l->refused, (unsigned long long)received,
           (unsigned long long)lost, (unsigned long long)silent);
    print_spread("late_ms", late, n);
    print_spread("generator_late_ms", l->own_late_ms, l->own_count);
    printf("\"listener_hears_db\": %.1f, \"own_voice_db\": %.1f}\n", ear_level(&l->ears[1], voice_hertz(0)),
           ear_level(&l->ears[0], voice_hertz(0)));
}

static void allow_many_sockets(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
    if (argc != 7)
        fail("usage: bench_load MEMBERS TALKERS opus|pcmu rtp|webrtc open|quiet SECONDS < targets");
    static load l;
    l.members = atoi(argv[1]);
    l.talkers = atoi(argv[2]);
    l.codec = codec_named(argv[3]);
    l.secure = strcmp(argv[4], "webrtc") == 0;
    l.open = listeners_named(argv[5]);
    double seconds = atof(argv[6]);
    if (l.members < 2 || l.members > 8192 || l.talkers < 1 || l.talkers >= l.members ||
        !(seconds >= 1 && seconds <= 600))
        fail("2 to 8192 members, at least one talker and one listener, 1 to 600 seconds");
    allow_many_sockets();
    set_up(&l, seconds);
    run(&l, seconds);
    report(&l);
    return 0;
}

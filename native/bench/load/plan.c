/* What is asked for, from the command line. */
#include "load.h"

_Noreturn void fail(const char *what) {
    fprintf(stderr, "bench_load: %s\n", what);
    exit(1);
}

int64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Written once, so that no page fault comes while we measure. */
void *zeroed(size_t count, size_t size) {
    void *p = malloc(count * size + 1);
    if (p == NULL)
        fail("no memory");
    memset(p, 0, count * size);
    return p;
}

static int named(const char *value, const char *const names[], int count) {
    for (int i = 0; i < count; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    fail(value);
}

static void take_argument(plan *p, const char *name, const char *value) {
    static const char *const PASSIVE[] = {"silence", "dtx", "nothing"}, *const CODECS[] = {"opus", "pcmu"};
    const struct {
        const char *name;
        int *to;
    } numbers[] = {{"members", &p->members}, {"rooms", &p->rooms},     {"talkers", &p->talkers},
                   {"loud", &p->loud},       {"secure", &p->secure},   {"profile", &p->profile},
                   {"ears", &p->ears},       {"minimum", &p->minimum}, {"low_delay", &p->low_delay},
                   {"seed", &p->seed}};
    const struct {
        const char *name;
        double *to;
    } reals[] = {{"loss", &p->loss}, {"seconds", &p->seconds}, {"warm", &p->warm}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0)
            *numbers[i].to = atoi(value);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        if (strcmp(name, reals[i].name) == 0)
            *reals[i].to = atof(value);
    if (strcmp(name, "passive") == 0)
        p->passive = named(value, PASSIVE, 3);
    if (strcmp(name, "codec") == 0)
        p->codec = named(value, CODECS, 2) == 0 ? CF_CODEC_OPUS : CF_CODEC_PCMU;
}

static void check(const plan *p) {
    if (p->members < 2 || p->members > MEMBERS_MAX || p->rooms < 1 || p->members % p->rooms != 0)
        fail("2 to 8192 members, as many in each room");
    if (p->talkers < 1 || p->talkers > p->members / p->rooms || p->loud < 1 || p->loud > p->talkers)
        fail("1 talker in a room at least, and no more loud ones than talkers");
    if (p->ears < 2 || p->ears > EARS_MAX || !(p->seconds >= 1 && p->seconds <= 3600) || !(p->warm >= 0))
        fail("2 to 32 ears, 1 to 3600 seconds");
    if (!(p->loss >= 0 && p->loss < 1))
        fail("a loss of less than 1");
}

plan plan_of(int argc, char **argv) {
    plan p = {.members = 10, .rooms = 1, .talkers = 1, .loud = 1, .codec = CF_CODEC_OPUS, .seconds = 5, .warm = 3};
    p.ears = 16;
    p.profile = CF_SRTP_AEAD_AES_128_GCM;
    for (int i = 1; i < argc; i++) {
        char name[16];
        const char *equals = strchr(argv[i], '=');
        if (equals == NULL || (size_t)(equals - argv[i]) >= sizeof name)
            fail("arguments are name=value");
        snprintf(name, sizeof name, "%.*s", (int)(equals - argv[i]), argv[i]);
        take_argument(&p, name, equals + 1);
    }
    check(&p);
    return p;
}

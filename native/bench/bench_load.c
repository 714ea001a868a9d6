/* Peers of a mixer: N members that connect (ICE, DTLS), talk, and judge what they hear; told by a front on stdin.
 * Usage: bench_load members=100 rooms=1 talkers=4 loud=4 codec=opus secure=1 profile=7 passive=silence loss=0 seed=1
 *                   seconds=5 warm=3 ears=16
 * Says "ready FINGERPRINT PORT..." first, "up I" for each member that is connected, "measuring", and a line of JSON.
 * The front says "join ..." for each member (see load/members.c), then "go"; after each
 * line of JSON "next" asks for another window, and the end of the input for the end. */
#include "load/load.h"

#include <sys/resource.h>

static void allow_many_sockets(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void set_up(load *l) {
    dtls_set_up(l);
    load_open(l, true);
    printf("ready %s", l->fingerprint);
    for (int i = 0; i < l->plan.members; i++)
        printf(" %d", l->all[i].port);
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv) {
    static load l;
    l.plan = plan_of(argc, argv);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16); /* a line in one piece, whoever writes it */
    allow_many_sockets();
    set_up(&l);
    run_join(&l);
    run(&l);
    return 0;
}

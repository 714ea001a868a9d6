/* A leg's own socket is connected once its media has settled, and nothing that a telephone may do is lost by that. */
#include "engine_lib.h"
#include "testlib.h"

enum { WINDOW = PHONE_RATE / 2, SETTLED_FRAMES = 60 }; /* samples; more than the 50 after which it is asked */

static phone phones[2];

static cf_engine *settled_call(void) {
    cf_engine *engine = cf_engine_new(1, 42);
    CHECK_INT(cf_engine_start(engine), 0);
    CHECK_INT(cf_engine_room_add(engine, 0, &(cf_room_config){.id = 1}), 0);
    phone_open(&phones[0], 440, 100);
    phone_open(&phones[1], 1000, 200);
    CHECK(phone_join(engine, 0, 1, 10, &phones[0]) >= 0);
    CHECK(phone_join(engine, 0, 1, 20, &phones[1]) >= 0);
    phones_talk(phones, 2, SETTLED_FRAMES);
    return engine;
}

static void end_call(cf_engine *engine) {
    cf_engine_free(engine);
    close(phones[0].fd);
    close(phones[1].fd);
}

static bool all_is_well(void) {
    return phone_hears(&phones[0], 1000, WINDOW) > 4000 && phone_hears(&phones[1], 440, WINDOW) > 4000;
}

static void talk_until_well(void) {
    for (int more = 0; more < 10; more++) {
        phones_talk(phones, 2, 30);
        if (all_is_well())
            break;
    }
    CHECK(all_is_well());
}

static uint64_t packets_in(cf_engine *engine) {
    cf_core_stats stats;
    CHECK_INT(cf_engine_stats(engine, 0, &stats), 0);
    return stats.packets_in;
}

/* The kernel's own answer: only the peer's packets come in. */
static void test_strangers_do_not_get_as_far_as_the_core(void) {
    cf_engine *engine = settled_call();
    talk_until_well();
    cf_addr addr;
    int stranger = test_socket(&addr);
    uint64_t before = packets_in(engine);
    uint8_t packet[172] = {0x80, 0};
    for (int i = 0; i < 1000; i++)
        test_send(stranger, &phones[0].engine, packet, sizeof packet);
    phones_talk(phones, 2, 20);
    CHECK(packets_in(engine) - before < 200);
    CHECK(packets_in(engine) - before > 10);
    close(stranger);
    end_call(engine);
}

/* Its new address is not told: it is learnt, since its signalling comes from there, though the socket was another's. */
static void test_a_telephone_moves(void) {
    cf_engine *engine = settled_call();
    talk_until_well();
    close(phones[0].fd);
    phones[0].fd = test_socket(&phones[0].addr);
    CHECK_INT(cf_engine_leg_remote(engine, 10, &(cf_addr){0}, &(cf_addr){0}), 0);
    talk_until_well();
    phones_talk(phones, 2, SETTLED_FRAMES);
    talk_until_well();
    end_call(engine);
}

static void bind_again(phone *p) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(p->addr.port)};
    memcpy(&name.sin_addr, p->addr.ip, 4);
    p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK_INT(bind(p->fd, (struct sockaddr *)&name, sizeof name), 0);
}

/* While it is away its host refuses what is sent, which a connected socket is told. */
static void test_a_telephone_is_away_and_comes_back(void) {
    cf_engine *engine = settled_call();
    talk_until_well();
    close(phones[0].fd);
    phones[0].fd = -1;
    phones_talk(phones + 1, 1, 20);
    bind_again(&phones[0]);
    talk_until_well();
    end_call(engine);
}

int main(void) {
    RUN(test_strangers_do_not_get_as_far_as_the_core);
    RUN(test_a_telephone_moves);
    RUN(test_a_telephone_is_away_and_comes_back);
    return REPORT();
}

/* Simulated time around one core and one room: takes the next thing that happens, a packet, a sound card's tick or the
 * mixer's, until the asked time is reached. */
#include "sim_internal.h"

#include <stdlib.h>
#include <time.h>

static const int64_t WALL_OFFSET =
    INT64_C(1700000000) * SECOND; /* the simulated clock's zero in Unix time: a fixed date, so that runs repeat */
static const uint64_t FNV_START = UINT64_C(0xCBF29CE484222325), FNV_PRIME = UINT64_C(0x100000001B3);

static uint64_t fnv(uint64_t hash, const void *data, size_t len) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    return hash;
}

static void digest(cf_sim *sim, const cf_path *path, const uint8_t *data, size_t len) {
    sim->digest = fnv(sim->digest, &sim->now, sizeof sim->now);
    sim->digest = fnv(sim->digest, &path->socket, sizeof path->socket);
    sim->digest = fnv(sim->digest, &path->remote, sizeof path->remote);
    sim->digest = fnv(sim->digest, data, len);
}

static void on_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    cf_sim *sim = arg;
    digest(sim, path, data, len);
    struct sim_person *person = sim->people[path->socket - 1];
    int result = sim_carry(sim, &person->down, SIM_DOWN, person->number, data, len);
    if (result)
        sim->error = result;
}

/* CPU time of this thread: what a tick costs, whatever else the machine does. */
static int64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static int room_make(cf_sim *sim, const cf_room_config *config) {
    cf_room_config copy = config ? *config : (cf_room_config){0};
    copy.id = SIM_ROOM;
    cf_room *room = cf_room_new(&copy);
    if (!room)
        return -EINVAL;
    return cf_core_room_add(sim->core, room, 0);
}

cf_sim *cf_sim_new(uint64_t seed, const cf_room_config *room) {
    cf_sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        return NULL;
    cf_core_config config = {.seed = seed,
                             .max_legs = CF_SIM_MEMBERS,
                             .max_rooms = 1,
                             .send = on_send,
                             .arg = sim,
                             .wall_offset_ns = WALL_OFFSET,
                             .stopwatch = cpu_ns};
    sim->seed = seed;
    sim->digest = FNV_START;
    sim->core = cf_core_new(&config);
    if (!sim->core || room_make(sim, room)) {
        cf_sim_free(sim);
        return NULL;
    }
    return sim;
}

void cf_sim_free(cf_sim *sim) {
    if (!sim)
        return;
    cf_core_free(sim->core);
    for (int i = 0; i < sim->count; i++)
        person_free(sim->people[i]);
    free(sim->people);
    queue_free(&sim->queue);
    free(sim);
}

int sim_later(cf_sim *sim, int64_t at, enum sim_what what, int member) {
    struct sim_event event = {.at = at, .what = what, .member = member};
    return queue_push(&sim->queue, &event);
}

int sim_carry(cf_sim *sim, struct sim_wire *wire, enum sim_what what, int member, const uint8_t *data, size_t len) {
    int64_t arrivals[2];
    int copies = wire_send(wire, sim->now, arrivals);
    for (int i = 0; i < copies; i++) {
        struct sim_event event = {.at = arrivals[i], .what = what, .member = member};
        event.packet = queue_packet(&sim->queue, data, len);
        if (!event.packet)
            return -ENOSPC;
        if (queue_push(&sim->queue, &event))
            return -ENOMEM;
    }
    return 0;
}

static int plan(cf_sim *sim, const struct sim_person *person) {
    int64_t join = person->config.join_ms * MS, leave = person->config.leave_ms * MS;
    int result = sim_later(sim, join > sim->now ? join : sim->now, SIM_JOIN, person->number);
    return result || !leave ? result : sim_later(sim, leave > sim->now ? leave : sim->now, SIM_LEAVE, person->number);
}

int cf_sim_add(cf_sim *sim, const cf_sim_member *member) {
    if (sim->count == CF_SIM_MEMBERS)
        return -ENOSPC;
    struct sim_person **people = realloc(sim->people, ((size_t)sim->count + 1) * sizeof *people);
    if (!people)
        return -ENOMEM;
    sim->people = people;
    struct sim_person *person = calloc(1, sizeof *person);
    int result = person ? person_init(person, sim, member) : -ENOMEM;
    if (!result)
        result = plan(sim, person);
    if (result) {
        if (person)
            person_free(person);
        return result;
    }
    people[sim->count] = person;
    return sim->count++;
}

static int handle(cf_sim *sim, struct sim_event *event) {
    struct sim_person *person = sim->people[event->member];
    switch (event->what) {
    case SIM_JOIN:
        return person_join(sim, person);
    case SIM_LEAVE:
        person_drain(person);
        person_leave(sim, person);
        return 0;
    case SIM_TICK:
        return person->left ? 0 : device_tick(sim, person);
    case SIM_UP: {
        cf_path path = person_path(person);
        cf_core_receive(sim->core, &path, event->packet->data, event->packet->len, sim->now);
        break;
    }
    case SIM_DOWN:
        device_receive(sim, person, event->packet->data, event->packet->len);
        break;
    }
    queue_packet_done(&sim->queue, event->packet);
    return 0;
}

static int drain(cf_sim *sim) {
    sim->drained_at = sim->now;
    for (int i = 0; i < sim->count; i++)
        if (person_drain(sim->people[i]))
            return -ENOMEM;
    return 0;
}

/* One thing that happens not after `until`; false when there is none. What comes at the same time as a tick comes
 * before it. */
static bool step(cf_sim *sim, int64_t until) {
    int64_t event_at = queue_next_at(&sim->queue), tick_at = cf_core_deadline(sim->core);
    int64_t at = event_at <= tick_at ? event_at : tick_at;
    if (at > until)
        return false;
    sim->now = at;
    int result = 0;
    struct sim_event event;
    if (event_at <= tick_at && queue_pop(&sim->queue, &event))
        result = handle(sim, &event);
    else
        cf_core_advance(sim->core, at);
    if (!result && sim->now - sim->drained_at >= SECOND)
        result = drain(sim);
    if (result)
        sim->error = result;
    return !sim->error;
}

int cf_sim_run(cf_sim *sim, int64_t until_ms) {
    int64_t until = until_ms * MS;
    sim->error = 0;
    while (step(sim, until))
        ;
    if (!sim->error && until > sim->now)
        sim->now = until;
    return sim->error ? sim->error : drain(sim);
}

uint64_t cf_sim_digest(const cf_sim *sim) {
    return sim->digest;
}

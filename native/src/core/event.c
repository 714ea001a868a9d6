/* What the core tells upwards: filled in at one place, rate-limited where a peer could cause it at will. */
#include "leg.h"
#include "room.h"
#include "state.h"

#include <arpa/inet.h>
#include <stdio.h>

cf_event event_about(const cf_core *core, enum cf_event_type type, const cf_leg *leg) {
    cf_event event = {.type = type, .at = core->now};
    if (leg) {
        event.leg = leg->config.id;
        event.room = leg->room ? leg->room->config.id : 0;
    }
    return event;
}

void event_send(cf_core *core, const cf_event *event) {
    if (core->config.event)
        core->config.event(core->config.arg, event);
}

void event_leg(cf_core *core, enum cf_event_type type, cf_leg *leg) {
    cf_event event = event_about(core, type, leg);
    event_send(core, &event);
}

static void format_addr(char *out, size_t cap, const cf_addr *addr) {
    char ip[INET6_ADDRSTRLEN] = "";
    inet_ntop(addr->family == 6 ? AF_INET6 : AF_INET, addr->ip, ip, sizeof ip);
    snprintf(out, cap, addr->family == 6 ? "[%s]:%u" : "%s:%u", ip, addr->port);
}

void event_path(cf_core *core, enum cf_event_type type, cf_leg *leg, const cf_path *path) {
    cf_event event = event_about(core, type, leg);
    format_addr(event.text, sizeof event.text, &path->remote);
    event_send(core, &event);
}

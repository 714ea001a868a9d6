/* ice.c: what a lite agent answers, what changes its state, and what never does. */
#include "conferocore/ice.h"
#include "net/stun_format.h"
#include "netlib.h"
#include "testlib.h"
#include <errno.h>

#define UFRAG "locl"
#define PWD "local-password-of-22-chars"
#define SECOND INT64_C(1000000000)

static cf_ice ice;
static cf_stun_msg reply;
static uint8_t reply_bytes[CF_STUN_MAX];
static size_t reply_len;
static uint8_t txid[12] = {7, 7, 7};

static cf_path path(uint8_t n) {
    cf_path p = {.socket = 3,
                 .local = {.ip = {192, 0, 2, 1}, .port = 5000, .family = 4},
                 .remote = {.ip = {198, 51, 100, n}, .port = (uint16_t)(40000 + n), .family = 4}};
    return p;
}

static void start(void) {
    CHECK_INT(cf_ice_init(&ice, UFRAG, PWD, "remo"), 0);
}

/* Hands bytes to the agent at an odd address; the reply, if any, must be whole and carry the request's transaction. */
static unsigned receive(const uint8_t *data, size_t len, const cf_path *from, int64_t now) {
    cf_stun_msg msg;
    placed p = place(data, len, 1);
    CHECK_INT(cf_stun_parse(&msg, p.data, len), 0);
    unsigned changed = cf_ice_receive(&ice, &msg, from, now, reply_bytes, sizeof reply_bytes, &reply_len);
    if (reply_len) {
        CHECK_INT(cf_stun_parse(&reply, reply_bytes, reply_len), 0);
        CHECK(cf_stun_check_fingerprint(&reply) && memcmp(reply.txid, txid, 12) == 0);
    }
    free(p.block);
    return changed;
}

static unsigned check_with(const char *username, const char *password, bool controlling, bool use_candidate,
                           const cf_path *from, int64_t now) {
    uint8_t out[CF_STUN_MAX];
    txid[3]++;
    int len = cf_stun_write_request(out, sizeof out, txid, username, password, 1, controlling, 99, use_candidate);
    CHECK(len > 0);
    return receive(out, (size_t)len, from, now);
}

static unsigned check(const cf_path *from, bool use_candidate, int64_t now) {
    return check_with(UFRAG ":remo", PWD, true, use_candidate, from, now);
}

static void expect_error(uint16_t code, bool is_signed) {
    CHECK(reply_len > 0 && reply.type == CF_STUN_BINDING_ERROR);
    CHECK_INT(reply.error_code, code);
    CHECK(is_signed == cf_stun_check_integrity(&reply, PWD, strlen(PWD)));
    CHECK(is_signed == (reply.integrity_at != 0));
}

/* No path, no selection, no consent: as fresh, whatever has been counted. */
static void expect_untouched(void) {
    CHECK(ice.path_count == 0 && ice.selected == -1 && ice.consent_at == -1 && ice.checks == 0);
    CHECK(cf_ice_selected_path(&ice) == NULL);
}

static void test_init_bounds(void) {
    char ufrag[40], pwd[80];
    memset(ufrag, 'u', sizeof ufrag);
    memset(pwd, 'p', sizeof pwd);
    ufrag[CF_UFRAG_MAX] = pwd[CF_PWD_MAX] = 0;
    CHECK_INT(cf_ice_init(&ice, ufrag, pwd, ufrag), 0);
    CHECK(strlen(ice.local_ufrag) == CF_UFRAG_MAX && strlen(ice.local_pwd) == CF_PWD_MAX);
    CHECK_INT(cf_ice_init(&ice, "", "p", "r"), -EINVAL);
    CHECK_INT(cf_ice_init(&ice, "u", "", "r"), -EINVAL);
    CHECK_INT(cf_ice_init(&ice, "a:b", "p", "r"), -EINVAL);
    CHECK_INT(cf_ice_init(&ice, "u", "p", ""), 0);
    ufrag[CF_UFRAG_MAX] = 'u';
    ufrag[CF_UFRAG_MAX + 1] = pwd[CF_PWD_MAX + 1] = 0;
    pwd[CF_PWD_MAX] = 'p';
    CHECK_INT(cf_ice_init(&ice, ufrag, "p", ""), -EINVAL);
    CHECK_INT(cf_ice_init(&ice, "u", pwd, ""), -EINVAL);
    CHECK_INT(cf_ice_init(&ice, "u", "p", ufrag), -EINVAL);
}

static void test_first_check_is_answered_and_selected(void) {
    cf_path from = path(1);
    start();
    CHECK_INT(check(&from, false, 5 * SECOND), CF_ICE_CHANGED_FIRST | CF_ICE_CHANGED_SELECTED);
    CHECK(reply.type == CF_STUN_BINDING_SUCCESS && reply.has_mapped && cf_addr_equal(&reply.mapped, &from.remote));
    CHECK(cf_stun_check_integrity(&reply, PWD, strlen(PWD)));
    CHECK(cf_path_equal(cf_ice_selected_path(&ice), &from) && cf_ice_knows(&ice, &from));
    CHECK_INT(ice.consent_at, 5 * SECOND);
    CHECK_INT(check(&from, false, 6 * SECOND), 0);
    CHECK(reply_len > 0 && ice.consent_at == 6 * SECOND && ice.checks == 2 && ice.bad_checks == 0);
}

static void test_ipv6_is_answered_with_ipv6(void) {
    cf_path from = {.socket = 1, .remote = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 9, .family = 6}};
    start();
    check(&from, false, 0);
    CHECK(reply.has_mapped && cf_addr_equal(&reply.mapped, &from.remote));
}

/* Another socket or local address is another path, though the remote address is the same. */
static void test_knows_exactly_the_path(void) {
    cf_path from = path(1), other = from;
    start();
    CHECK(!cf_ice_knows(&ice, &from));
    check(&from, false, 0);
    other.socket++;
    CHECK(!cf_ice_knows(&ice, &other));
    other = from;
    other.local.ip[3]++;
    CHECK(!cf_ice_knows(&ice, &other));
    other = from;
    other.remote.port++;
    CHECK(!cf_ice_knows(&ice, &other));
}

static void test_nomination_moves_the_selection(void) {
    cf_path a = path(1), b = path(2), c = path(3);
    start();
    check(&a, false, 1);
    CHECK_INT(check(&b, false, 2), 0); /* not nominated: the first stays */
    CHECK(cf_path_equal(cf_ice_selected_path(&ice), &a));
    CHECK_INT(check(&b, true, 3), CF_ICE_CHANGED_SELECTED);
    CHECK(cf_path_equal(cf_ice_selected_path(&ice), &b));
    CHECK_INT(check(&b, true, 4), 0); /* again: nothing new */
    CHECK_INT(check(&a, false, 5), 0);
    CHECK_INT(check(&c, true, 6), CF_ICE_CHANGED_SELECTED); /* a newer nomination, on a path not seen before */
    CHECK(cf_path_equal(cf_ice_selected_path(&ice), &c));
    int nominated = 0;
    for (size_t i = 0; i < ice.path_count; i++)
        nominated += ice.paths[i].nominated;
    CHECK_INT(nominated, 1);
}

static void test_a_forgotten_path_leaves_the_selection_to_the_latest(void) {
    cf_path a = path(1), b = path(2), c = path(3), d = path(4);
    start();
    check(&a, false, 1);
    check(&b, true, 2);
    check(&c, false, 4);
    check(&a, false, 3);
    cf_ice_forget(&ice, &d); /* never known */
    cf_ice_forget(&ice, &b);
    CHECK(!cf_ice_knows(&ice, &b) && cf_path_equal(cf_ice_selected_path(&ice), &c));
    check(&d, false, 5);
    CHECK_INT(ice.path_count, 3); /* in the place of b; the others keep theirs */
    CHECK(cf_path_equal(&ice.paths[1].path, &d) && cf_path_equal(cf_ice_selected_path(&ice), &c));
    cf_ice_forget(&ice, &a);
    CHECK(cf_path_equal(cf_ice_selected_path(&ice), &c));
    cf_ice_forget(&ice, &c);
    cf_ice_forget(&ice, &d);
    CHECK(cf_ice_selected_path(&ice) == NULL);
    check(&b, false, 6);
    CHECK(cf_path_equal(cf_ice_selected_path(&ice), &b));
}

static void test_first_check_may_nominate(void) {
    cf_path a = path(1);
    start();
    CHECK_INT(check(&a, true, 0), CF_ICE_CHANGED_FIRST | CF_ICE_CHANGED_SELECTED);
    CHECK(ice.paths[0].nominated);
}

static void test_wrong_credentials_are_401(void) {
    cf_path from = path(1);
    const char *users[] = {"locx:remo", "loc:remo", "locll:remo", UFRAG ":remx", UFRAG ":", UFRAG, ":remo", ":"};
    start();
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        CHECK_INT(check_with(users[i], PWD, true, true, &from, (int64_t)i), 0);
        expect_error(401, false);
    }
    CHECK_INT(check_with(UFRAG ":remo", "another", true, true, &from, 0), 0);
    expect_error(401, false);
    CHECK_INT(ice.bad_checks, 9);
    expect_untouched();
}

static void test_any_remote_ufrag_until_it_is_known(void) {
    cf_path from = path(1);
    CHECK_INT(cf_ice_init(&ice, UFRAG, PWD, ""), 0);
    CHECK(check_with(UFRAG ":whoever", PWD, true, false, &from, 0) != 0);
    CHECK_INT(check_with(UFRAG ":", PWD, true, false, &from, 0), 0); /* but there must be one */
    expect_error(401, false);
}

#define USERNAME_HEX "00060009 6c6f636c 3a72656d 6f000000" /* locl:remo */

enum { SIGNED = 1, MARKED = 2 }; /* with MESSAGE-INTEGRITY, with FINGERPRINT */

/* A message made by hand: attributes in hexadecimal, then what `with` asks for, right. */
static unsigned receive_raw(uint16_t type, const char *attributes, int with, const cf_path *from, int64_t now) {
    uint8_t out[CF_STUN_MAX];
    size_t at = CF_STUN_HEADER + unhex(out + CF_STUN_HEADER, sizeof out - CF_STUN_HEADER, attributes);
    cf_put16(out, type);
    cf_put32(out + 4, CF_STUN_COOKIE);
    memcpy(out + 8, txid, sizeof txid);
    if (with & SIGNED) {
        cf_put32(out + at, CF_ATTR_MESSAGE_INTEGRITY << 16 | CF_SHA1_LEN);
        cf_stun_integrity(out, at, PWD, strlen(PWD), out + at + CF_STUN_ATTR_HEADER);
        at += CF_STUN_ATTR_HEADER + CF_SHA1_LEN;
    }
    cf_put16(out + 2, (uint16_t)(at - CF_STUN_HEADER + (with & MARKED ? 8 : 0)));
    if (with & MARKED) {
        cf_put32(out + at, (uint32_t)CF_ATTR_FINGERPRINT << 16 | 4);
        cf_put32(out + at + CF_STUN_ATTR_HEADER, cf_stun_fingerprint(out, at));
        at += 8;
    }
    return receive(out, at, from, now);
}

static void test_raw_request_is_a_good_one(void) {
    cf_path from = path(1);
    start();
    CHECK(receive_raw(CF_STUN_BINDING_REQUEST, USERNAME_HEX, SIGNED | MARKED, &from, 0) != 0);
    CHECK_INT(reply.type, CF_STUN_BINDING_SUCCESS);
}

static void test_missing_attributes_are_400(void) {
    cf_path from = path(1);
    start();
    CHECK_INT(receive_raw(CF_STUN_BINDING_REQUEST, USERNAME_HEX, MARKED, &from, 0), 0);
    expect_error(400, false);
    CHECK_INT(receive_raw(CF_STUN_BINDING_REQUEST, "80220000", SIGNED | MARKED, &from, 0), 0);
    expect_error(400, false);
    CHECK_INT(receive_raw(CF_STUN_BINDING_REQUEST, "", MARKED, &from, 0), 0);
    expect_error(400, false);
    CHECK_INT(ice.bad_checks, 3);
    expect_untouched();
}

/* Without a right FINGERPRINT it is not a check at all (RFC 8489 section 7.3): no answer. */
static void test_without_fingerprint_no_answer(void) {
    cf_path from = path(1);
    uint8_t out[CF_STUN_MAX];
    start();
    CHECK_INT(receive_raw(CF_STUN_BINDING_REQUEST, USERNAME_HEX, SIGNED, &from, 0), 0);
    CHECK_INT(reply_len, 0);
    int len = cf_stun_write_request(out, sizeof out, txid, UFRAG ":remo", PWD, 1, true, 9, true);
    out[len - 1] ^= 1;
    CHECK_INT(receive(out, (size_t)len, &from, 0), 0);
    CHECK_INT(reply_len, 0);
    CHECK_INT(ice.bad_checks, 2);
    expect_untouched();
}

static void test_unknown_required_attribute_is_420(void) {
    cf_path from = path(1);
    start();
    CHECK_INT(receive_raw(CF_STUN_BINDING_REQUEST, USERNAME_HEX "7ff10000", SIGNED | MARKED, &from, 0), 0);
    expect_error(420, true);
    uint8_t want[8];
    unhex(want, sizeof want, "000a0002 7ff10000");
    CHECK(memcmp(reply_bytes + 20 + 4 + 4 + 20, want, sizeof want) == 0);
    expect_untouched();
    CHECK(receive_raw(CF_STUN_BINDING_REQUEST, USERNAME_HEX "ff000000", SIGNED | MARKED, &from, 0) != 0); /* optional */
}

/* RFC 8445 section 7.3.1.1: the lite agent stays controlled, the other side must switch. */
static void test_role_conflict_is_487(void) {
    cf_path from = path(1);
    start();
    CHECK_INT(check_with(UFRAG ":remo", PWD, false, true, &from, 0), 0);
    expect_error(487, true);
    expect_untouched();
    CHECK(check_with(UFRAG ":remo", PWD, true, true, &from, 0) != 0);
}

/* An error of a forger must not turn into a flood, nor keep honest checks from their answers. */
static void test_errors_are_answered_at_a_bounded_rate(void) {
    cf_path from = path(1);
    start();
    int answered = 0;
    for (int i = 0; i < 1000; i++) {
        check_with("x:y", PWD, true, true, &from, 100 * SECOND + i * (SECOND / 1000));
        answered += reply_len > 0;
    }
    CHECK_INT(answered, 10);
    CHECK_INT(ice.bad_checks, 1000);
    CHECK(check(&from, true, 101 * SECOND - 1) != 0);
    CHECK(reply_len > 0 && reply.type == CF_STUN_BINDING_SUCCESS);
    check_with("x:y", PWD, true, true, &from, 101 * SECOND);
    expect_error(401, false);
}

static void test_bad_checks_change_nothing_of_a_connected_agent(void) {
    cf_path good = path(1), evil = path(2);
    start();
    check(&good, true, 7 * SECOND);
    cf_ice before = ice;
    check_with(UFRAG ":remo", "wrong", true, true, &evil, 9 * SECOND);
    check_with(UFRAG ":remo", PWD, false, true, &evil, 9 * SECOND);
    check_with("x:y", PWD, true, true, &good, 9 * SECOND);
    receive_raw(CF_STUN_BINDING_REQUEST, USERNAME_HEX "00250000 7ff10000", SIGNED | MARKED, &evil, 9 * SECOND);
    CHECK(memcmp(ice.paths, before.paths, sizeof ice.paths) == 0);
    CHECK(ice.path_count == 1 && ice.selected == before.selected && ice.consent_at == 7 * SECOND);
    CHECK(!cf_ice_knows(&ice, &evil) && ice.checks == 1 && ice.bad_checks == 4);
}

static void test_only_requests_count(void) {
    cf_path from = path(1);
    const uint16_t types[] = {CF_STUN_BINDING_INDICATION, CF_STUN_BINDING_SUCCESS, CF_STUN_BINDING_ERROR, 0x0003};
    start();
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        CHECK_INT(receive_raw(types[i], USERNAME_HEX "00250000", SIGNED | MARKED, &from, 0), 0);
        CHECK_INT(reply_len, 0);
    }
    CHECK_INT(ice.bad_checks, 0);
    expect_untouched();
}

/* USE-CANDIDATE behind MESSAGE-INTEGRITY could be anyone's. */
static void test_unprotected_nomination_is_ignored(void) {
    cf_path a = path(1), b = path(2);
    uint8_t out[CF_STUN_MAX];
    start();
    check(&a, false, 0);
    int len = cf_stun_write_request(out, sizeof out, txid, UFRAG ":remo", PWD, 1, true, 9, false);
    size_t at = (size_t)len - 8; /* in place of FINGERPRINT, which then follows anew */
    cf_put32(out + at, 0x00250000);
    cf_put16(out + 2, (uint16_t)(at + 4 + 8 - CF_STUN_HEADER));
    cf_put32(out + at + 4, (uint32_t)CF_ATTR_FINGERPRINT << 16 | 4);
    cf_put32(out + at + 8, cf_stun_fingerprint(out, at + 4));
    CHECK_INT(receive(out, at + 12, &b, 1), 0);
    CHECK(cf_ice_knows(&ice, &b) && cf_path_equal(cf_ice_selected_path(&ice), &a));
}

static void test_path_table_replaces_the_oldest_not_selected(void) {
    start();
    for (uint8_t n = 0; n < CF_ICE_PATHS; n++) {
        cf_path p = path(n);
        check(&p, n == 0, n + 1); /* path 0 is the oldest, and selected */
    }
    cf_path again = path(1), fresh = path(100);
    check(&again, false, 50); /* so path 2 is the oldest of the others */
    CHECK_INT(check(&fresh, false, 51), 0);
    CHECK_INT(ice.path_count, CF_ICE_PATHS);
    for (uint8_t n = 0; n < CF_ICE_PATHS; n++) {
        cf_path p = path(n);
        CHECK(cf_ice_knows(&ice, &p) == (n != 2));
    }
    cf_path first = path(0);
    CHECK(cf_ice_knows(&ice, &fresh) && cf_path_equal(cf_ice_selected_path(&ice), &first));
}

/* Many paths in turn, some nominated: the table stays bounded and the selection is always the last nominated one. */
static void test_selection_survives_any_churn(void) {
    cf_rng rng;
    cf_rng_seed(&rng, 11);
    start();
    cf_path last = path(0);
    check(&last, true, 0);
    for (int i = 1; i < 3000; i++) {
        cf_path p = path((uint8_t)(cf_rng_u32(&rng) % 30));
        bool nominate = cf_rng_u32(&rng) % 5 == 0;
        check(&p, nominate, i);
        if (nominate)
            last = p;
        CHECK(cf_path_equal(cf_ice_selected_path(&ice), &last));
        CHECK(cf_ice_knows(&ice, &p) && ice.path_count <= CF_ICE_PATHS);
    }
}

static void test_no_room_for_a_reply(void) {
    cf_path from = path(1);
    cf_stun_msg msg;
    uint8_t out[CF_STUN_MAX], small[20];
    start();
    int len = cf_stun_write_request(out, sizeof out, txid, UFRAG ":remo", PWD, 1, true, 9, true);
    CHECK_INT(cf_stun_parse(&msg, out, (size_t)len), 0);
    CHECK(cf_ice_receive(&ice, &msg, &from, 0, small, sizeof small, &reply_len) != 0);
    CHECK_INT(reply_len, 0);
}

static void test_username_local(void) {
    char name[CF_UFRAG_MAX + 1];
    struct {
        const char *username, *local;
    } cases[] = {{"abcd:efgh", "abcd"},
                 {"a:b:c", "a"},
                 {"abcd", NULL},
                 {":efgh", NULL},
                 {"abcd:", NULL},
                 {"0123456789abcdef0123456789abcdef:x", "0123456789abcdef0123456789abcdef"},
                 {"0123456789abcdef0123456789abcdefg:x", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_stun_msg msg = {.username = (const uint8_t *)cases[i].username, .username_len = strlen(cases[i].username)};
        CHECK(cf_ice_username_local(&msg, name) == (cases[i].local != NULL));
        if (cases[i].local)
            CHECK(strcmp(name, cases[i].local) == 0);
    }
    cf_stun_msg none = {0}, nul = {.username = (const uint8_t *)"ab\0d:x", .username_len = 6};
    CHECK(!cf_ice_username_local(&none, name) && !cf_ice_username_local(&nul, name));
}

int main(void) {
    RUN(test_init_bounds);
    RUN(test_first_check_is_answered_and_selected);
    RUN(test_ipv6_is_answered_with_ipv6);
    RUN(test_knows_exactly_the_path);
    RUN(test_nomination_moves_the_selection);
    RUN(test_a_forgotten_path_leaves_the_selection_to_the_latest);
    RUN(test_first_check_may_nominate);
    RUN(test_wrong_credentials_are_401);
    RUN(test_any_remote_ufrag_until_it_is_known);
    RUN(test_raw_request_is_a_good_one);
    RUN(test_missing_attributes_are_400);
    RUN(test_without_fingerprint_no_answer);
    RUN(test_unknown_required_attribute_is_420);
    RUN(test_role_conflict_is_487);
    RUN(test_errors_are_answered_at_a_bounded_rate);
    RUN(test_bad_checks_change_nothing_of_a_connected_agent);
    RUN(test_only_requests_count);
    RUN(test_unprotected_nomination_is_ignored);
    RUN(test_path_table_replaces_the_oldest_not_selected);
    RUN(test_selection_survives_any_churn);
    RUN(test_no_room_for_a_reply);
    RUN(test_username_local);
    return REPORT();
}

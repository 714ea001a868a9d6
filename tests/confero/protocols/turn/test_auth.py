"""Who asks: the checks of RFC 8489 section 9.2.4 in their order, one scenario for each; nonces, time-limited names, guesses."""

from __future__ import annotations

import pytest

from confero.protocols.stun import (
    MD5,
    PASSWORD_ALGORITHMS_BIT,
    SHA256,
    USERNAME_ANONYMITY_BIT,
    Algorithm,
    Kind,
    Message,
    Method,
    build,
    features_of,
    make_key,
    nonce_cookie,
    proves,
    user_hash,
)
from confero.protocols.stun import attributes as a
from confero.protocols.turn import Accounts, Settings, issue, rest_password
from confero.ratelimit import Rate

from .world import PEER, SECRET, UDP_ROW, USERS, Caller, World, signed

OFFERED = (SHA256, MD5)
NAMED = (a.PASSWORD_ALGORITHMS.of(OFFERED), a.PASSWORD_ALGORITHM.of(SHA256))
CREDENTIALS = (a.USERNAME, a.USERHASH, a.MESSAGE_INTEGRITY, a.MESSAGE_INTEGRITY_SHA256)


def key(algorithm: Algorithm = MD5, username: str = "ann") -> bytes:
    return make_key(username, "confero", USERS[username], algorithm)


def test_who_says_nothing_is_challenged() -> None:
    """401 with realm, nonce and algorithms, and with nothing of credentials."""
    caller = World().caller()
    code, reply = caller.ask(build(Method.ALLOCATE, Kind.REQUEST, bytes(12), [UDP_ROW]))
    assert (code, reply.kind, reply.method) == (401, Kind.ERROR, Method.ALLOCATE)
    assert reply.get(a.REALM) == "confero" and reply.get(a.PASSWORD_ALGORITHMS) == OFFERED
    nonce = reply.get(a.NONCE)
    assert nonce is not None and features_of(nonce) == PASSWORD_ALGORITHMS_BIT | USERNAME_ANONYMITY_BIT
    assert not any(one in reply for one in CREDENTIALS)


@pytest.mark.parametrize("method", [Method.REFRESH, Method.CREATE_PERMISSION, Method.CHANNEL_BIND])
def test_every_method_of_turn_wants_credentials(method: Method) -> None:
    assert World().caller().ask(build(method, Kind.REQUEST, bytes(12)))[0] == 401


@pytest.mark.parametrize("missing", [a.USERNAME, a.REALM, a.NONCE])
def test_integrity_without_a_name_a_realm_or_a_nonce(missing: a.Attribute[object]) -> None:
    """400, with nothing that would help."""
    caller = World().caller()
    code, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, without=[missing.number]))
    assert code == 400
    assert not any(one in reply for one in (*CREDENTIALS, a.REALM, a.NONCE))


def test_a_client_that_knows_no_algorithms() -> None:
    """Neither attribute: MD5 it is, and replies are proven by SHA-1."""
    caller = World().caller()
    code, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW))
    assert code == 0 and a.MESSAGE_INTEGRITY_SHA256 not in reply
    assert a.MESSAGE_INTEGRITY in reply and proves(reply, key())
    assert a.REALM not in reply and a.NONCE not in reply and a.USERNAME not in reply


def test_sha256_without_a_named_algorithm_is_answered_by_sha1() -> None:
    """As though MD5: the last paragraph of 9.2.4."""
    caller = World().caller()
    code, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, sha256=True))
    assert code == 0 and a.MESSAGE_INTEGRITY in reply and proves(reply, key())


@pytest.mark.parametrize("algorithm", OFFERED)
@pytest.mark.parametrize("sha256", [True, False])
def test_a_named_algorithm_is_answered_by_sha256(algorithm: Algorithm, sha256: bool) -> None:
    caller = World().caller()
    named = (a.PASSWORD_ALGORITHMS.of(OFFERED), a.PASSWORD_ALGORITHM.of(algorithm))
    data = signed(caller, Method.ALLOCATE, UDP_ROW, algorithm=algorithm, sha256=sha256, more=named)
    code, reply = caller.ask(data)
    assert code == 0 and a.MESSAGE_INTEGRITY not in reply and a.MESSAGE_INTEGRITY_SHA256 in reply
    assert proves(reply, key(algorithm))


@pytest.mark.parametrize(
    "named",
    [
        (a.PASSWORD_ALGORITHM.of(SHA256),),
        (a.PASSWORD_ALGORITHMS.of(OFFERED),),
        (a.PASSWORD_ALGORITHMS.of((MD5,)), a.PASSWORD_ALGORITHM.of(MD5)),
        (a.PASSWORD_ALGORITHMS.of((MD5, SHA256)), a.PASSWORD_ALGORITHM.of(SHA256)),
        (a.PASSWORD_ALGORITHMS.of(OFFERED), a.PASSWORD_ALGORITHM.of(Algorithm(3))),
        (a.PASSWORD_ALGORITHMS.of(OFFERED), a.PASSWORD_ALGORITHM.of(Algorithm(2, b"x"))),
    ],
    ids=["no list", "none named", "list cut", "list turned", "unknown", "with parameters"],
)
def test_bidding_down_is_seen(named: tuple[a.Row, ...]) -> None:
    """400, though the integrity is right: somebody has changed what we offered."""
    caller = World().caller()
    code, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, algorithm=SHA256, sha256=True, more=named))
    assert code == 400 and a.NONCE not in reply and a.MESSAGE_INTEGRITY_SHA256 not in reply


def test_a_nonce_without_a_cookie_promises_no_algorithms() -> None:
    """What is named beside it is not looked at: MD5 it is, and then the nonce is nobody's."""
    caller = World().caller()
    data = signed(caller, Method.ALLOCATE, UDP_ROW, nonce=b"plain", more=[a.PASSWORD_ALGORITHM.of(SHA256)])
    assert caller.ask(data)[0] == 438


def test_a_hashed_name_of_somebody_else() -> None:
    """441, as for a name that is not hashed; by its own hash the holder goes on."""
    world = World()
    caller = world.caller()
    assert caller.allocate() == 0
    for name, code in (("bob", 441), ("ann", 0)):
        more = (a.USERHASH.of(user_hash(name, "confero")), *NAMED)
        data = signed(
            caller,
            Method.REFRESH,
            username=name,
            algorithm=SHA256,
            sha256=True,
            without=[a.USERNAME.number],
            more=more,
        )
        assert caller.ask(data)[0] == code


def test_a_cookie_without_its_features_is_no_nonce_of_ours() -> None:
    """Who takes the bit away so that the client need not name an algorithm has a nonce that proves nothing (9.2.1)."""
    caller = World().caller()
    nonce = nonce_cookie(0) + caller.challenge()[1][13:]
    code, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, nonce=nonce))
    assert code == 438 and reply.get(a.PASSWORD_ALGORITHMS) == OFFERED


@pytest.mark.parametrize(
    ("username", "password"), [("ann", "wrong"), ("nobody", "password of ann"), ("bob", USERS["ann"])]
)
def test_wrong_names_and_passwords(username: str, password: str) -> None:
    world = World()
    caller = world.caller()
    code, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, username=username, password=password))
    assert code == 401 and reply.get(a.REALM) == "confero" and reply.get(a.PASSWORD_ALGORITHMS) == OFFERED
    assert reply.get(a.NONCE) is not None and not any(one in reply for one in CREDENTIALS)
    assert [(event.code, event.user) for event in world.path.events if hasattr(event, "code")] == [(401, "")]


def test_another_realm_is_a_wrong_key() -> None:
    caller = World().caller()
    other = World(Settings(realm="elsewhere")).caller()
    assert caller.ask(signed(other, Method.ALLOCATE, UDP_ROW, nonce=caller.challenge()[1]))[0] == 401


def test_the_client_finds_its_way() -> None:
    """401, the same once more with SHA-256 and a hashed name, success."""
    world = World()
    caller = world.caller()
    assert caller.allocate() == 0
    first, second = (Message.parse(data) for data in caller.said)
    assert first.unknown({a.REQUESTED_TRANSPORT.number}) == ()
    assert second.get(a.USERHASH) == user_hash("ann", "confero") and a.USERNAME not in second
    assert second.get(a.PASSWORD_ALGORITHM) == SHA256 and a.MESSAGE_INTEGRITY_SHA256 in second
    assert caller.turn.relayed == (("198.51.100.1", 49152),) and caller.turn.mapped == caller.client.peer


def test_an_unknown_hash() -> None:
    caller = World().caller(username="nobody", password="x")
    assert caller.allocate() == 401


# -- nonces --


def test_a_stale_nonce_is_renewed() -> None:
    world = World(Settings(nonce_life_s=600))
    caller = world.caller()
    assert caller.allocate() == 0
    world.wait(590)
    assert caller.refresh() == 0 and len(caller.said) == 3
    world.wait(11)
    assert caller.refresh() == 0 and len(caller.said) == 5
    nonces = [Message.parse(data).get(a.NONCE) for data in caller.said[1:]]
    assert nonces[0] == nonces[1] == nonces[2] != nonces[3]


def test_438_has_what_the_next_try_needs() -> None:
    world = World()
    caller = world.caller()
    data = signed(caller, Method.ALLOCATE, UDP_ROW)
    world.wait(600)
    assert caller.ask(signed(caller, Method.REFRESH, nonce=Message.parse(data).get(a.NONCE)))[0] == 437
    world.wait(1)
    code, reply = caller.ask(data)
    assert code == 438 and reply.get(a.REALM) == "confero" and reply.get(a.PASSWORD_ALGORITHMS) == OFFERED
    assert caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, nonce=reply.get(a.NONCE)))[0] == 0


@pytest.mark.parametrize(
    "other",
    [
        {"peer": ("192.0.2.1", 9999)},
        {"peer": ("192.0.2.2", 7777)},
        {"peer": ("2001:db8::7", 7777)},
        {"peer": ("192.0.2.1", 7777), "transport": "tcp"},
        {"peer": ("192.0.2.1", 7777), "transport": "tls"},
    ],
)
def test_a_nonce_is_its_clients_alone(other: dict[str, object]) -> None:
    world = World()
    nonce = world.caller(peer=("192.0.2.1", 7777)).challenge()[1]
    thief = world.caller(**other)
    assert thief.ask(signed(thief, Method.ALLOCATE, UDP_ROW, nonce=nonce))[0] == 438


def test_a_nonce_that_was_bent() -> None:
    world = World()
    caller = world.caller()
    nonce = caller.challenge()[1]
    for at in range(len(nonce)):
        bent = bytearray(nonce)
        bent[at] ^= 1
        code, _ = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, nonce=bytes(bent)))
        # The bit of algorithms may be what was bent; nothing is named, so that this alone is no fault.
        assert code == 438, at
    for strange in (nonce[:-1], nonce + b"A", b"", nonce[:13], b"\xff" * 29):
        assert caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, nonce=strange))[0] == 438


def test_a_nonce_of_before_the_restart() -> None:
    nonce = World(seed=1).caller(peer=("192.0.2.1", 7777)).challenge()[1]
    caller = World(seed=2).caller(peer=("192.0.2.1", 7777))
    assert caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, nonce=nonce))[0] == 438


def test_nonces_survive_their_stamps_turning_over() -> None:
    world = World()
    world.now = float((1 << 24) * 3 - 5)
    caller = world.caller()
    data = signed(caller, Method.ALLOCATE, UDP_ROW)
    world.wait(10)
    assert caller.ask(data)[0] == 0


# -- time-limited names --


def rest(world: World, user: str = "carl", ttl: float = 3600, secret: bytes = SECRET) -> Caller:
    username, password = issue(secret, user, world.wall + ttl)
    return world.caller(username=username, password=password)


def test_a_name_signed_by_the_application_server() -> None:
    world = World(users={}, secrets=[SECRET])
    caller = rest(world)
    assert caller.allocate() == 0
    # A hash of a name that others make cannot be looked up: the cookie does not ask for one.
    assert features_of(caller.challenge()[1]) == PASSWORD_ALGORITHMS_BIT
    assert Message.parse(caller.said[1]).get(a.USERNAME) == "1800003600:carl"
    (opened,) = world.path.events
    assert getattr(opened, "user", "") == "carl"


def test_the_form_that_others_use() -> None:
    """HMAC-SHA1 of the name in base64; the value is of `openssl dgst -sha1 -hmac`."""
    assert rest_password(b"north", "1433895918:john") == "KGPujGYLGNR1HUbw099ksRlACFc="
    assert issue(SECRET, "carl", 1800000000.9)[0] == "1800000000:carl"


def test_time_runs_out() -> None:
    world = World(users={}, secrets=[SECRET])
    early, late = rest(world, ttl=60), rest(world, ttl=60)
    world.wait(59)
    assert early.allocate() == 0
    world.wait(1)
    assert late.allocate() == 401


def test_an_allocation_outlives_its_name() -> None:
    """But makes no other one."""
    world = World(users={}, secrets=[SECRET])
    caller = rest(world, ttl=60)
    assert caller.allocate() == 0
    world.wait(300)
    assert caller.permit(PEER) == 0 and caller.refresh() == 0 and caller.bind(0x4000, PEER) == 0
    assert caller.refresh(0) == 0
    assert caller.allocate() == 401


@pytest.mark.parametrize(
    "username",
    [
        "1800003601:carl",
        "1800003600:dora",
        "9999999999999:carl",
        "01800003600:carl",
        "-1:carl",
        "1800003600",
        "carl",
        "²:carl",
    ],
)
def test_a_name_that_was_bent(username: str) -> None:
    world = World(users={}, secrets=[SECRET])
    password = issue(SECRET, "carl", 1_800_003_600)[1]
    assert world.caller(username=username, password=password).allocate() == 401


def test_secrets_are_rotated() -> None:
    old, new = b"the secret of yesterday", b"the secret of today"
    world = World(users={}, secrets=[new, old])
    assert rest(world, secret=old).allocate() == rest(world, secret=new).allocate() == 0
    assert rest(world, secret=b"a secret of nobody").allocate() == 401


def test_secrets_are_rotated_while_it_runs() -> None:
    """What lives goes on; new names are of the new secret."""
    world = World(users={}, secrets=[SECRET])
    early, late = rest(world), rest(world, "dora")
    assert early.allocate() == 0
    world.accounts.rotate([b"the secret of tomorrow"])
    assert early.refresh() == 0 and late.allocate() == 401
    assert rest(world, secret=b"the secret of tomorrow").allocate() == 0
    for wrong in ([], [b"short"]):
        with pytest.raises(ValueError):
            world.accounts.rotate(wrong)


def test_users_and_signed_names_side_by_side() -> None:
    world = World(secrets=[SECRET])
    assert world.caller("ann").allocate() == rest(world).allocate() == 0


@pytest.mark.parametrize("secrets", [[b"short"], [SECRET] * 5])
def test_secrets_that_are_no_good(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError):
        Accounts("confero", lambda: 0.0, secrets=secrets)


@pytest.mark.parametrize("user", ["", "a\0"])
def test_users_that_no_name_can_hold(user: str) -> None:
    with pytest.raises(ValueError):
        Accounts("confero", lambda: 0.0, users={user: "x"})
    with pytest.raises(ValueError):
        issue(SECRET, "a" * 600, 0)


# -- guesses --


def test_who_guesses_is_not_heard_for_a_while() -> None:
    """In one source, over all its ports; its allocations are."""
    world = World(Settings(failures=Rate(burst=10, per_s=1)))
    holder = world.caller()
    assert holder.allocate() == 0
    for _ in range(10):
        assert world.caller(password="guess").allocate() == 401
    guess = world.caller(password="guess")
    data = signed(guess, Method.ALLOCATE, UDP_ROW)
    assert guess.silence(data) and world.server.silent["guesses"] == 1
    assert holder.refresh() == 0
    assert world.caller(peer=("192.0.2.77", 5000)).allocate() == 0
    world.wait(1.1)
    assert world.caller().allocate() == 0


def test_nobody_is_locked_out_by_forgeries() -> None:
    """Over UDP a source may be forged: without our nonce, failures are counted apart."""
    world = World(Settings(failures=Rate(burst=10, per_s=0.001)))
    for port in range(20):
        forged = world.caller(peer=("192.0.2.1", 20_000 + port))
        world.tell(forged.client, signed(forged, Method.ALLOCATE, UDP_ROW, nonce=b"none", password="guess"))
    assert world.server.silent["guesses"] == 10
    assert world.caller().allocate() == 0


def test_a_connection_has_a_source_without_a_nonce() -> None:
    world = World(Settings(failures=Rate(burst=3, per_s=0.001)))
    for _ in range(4):
        forged = world.caller(transport="tcp")
        world.tell(forged.client, signed(forged, Method.ALLOCATE, UDP_ROW, nonce=b"none", password="guess"))
    assert world.server.silent["guesses"] == 1
    guess = world.caller(transport="tls")
    assert guess.silence(signed(guess, Method.ALLOCATE, UDP_ROW))

"""Allocate and Refresh: the numbered checks of RFC 8656 section 7.2 in their order, lifetimes, and what is given back."""

from __future__ import annotations

import pytest

from confero.protocols.stun import IPV4, IPV6, FamilyError, Kind, Message, Method, build
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import Row
from confero.protocols.turn import TCP, Alternate, Settings, actions
from confero.protocols.turn.client import Failed

from .world import BOTH, PEER, PEER6, UDP_ROW, FakePorts, World, signed

V4, V6 = a.REQUESTED_ADDRESS_FAMILY.of(IPV4), a.REQUESTED_ADDRESS_FAMILY.of(IPV6)
ALSO_V6 = a.ADDITIONAL_ADDRESS_FAMILY.of(IPV6)
EVEN, PAIR = a.EVEN_PORT.of(False), a.EVEN_PORT.of(True)


def test_success_has_all_that_is_due() -> None:
    world = World()
    caller = world.caller()
    code, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW))
    assert code == 0 and reply.get(a.XOR_RELAYED_ADDRESS) == ("198.51.100.1", 49152)
    assert reply.get(a.XOR_MAPPED_ADDRESS) == caller.client.peer and reply.get(a.LIFETIME) == 600
    assert a.RESERVATION_TOKEN not in reply and a.ADDRESS_ERROR_CODE not in reply
    (entry,) = world.path.entries.values()
    assert entry.client == caller.client and entry.until == {IPV4: world.now + 600}
    (opened,) = world.path.events
    assert opened == actions.Opened(1, "ann", caller.client, entry.relays)


def test_2_the_5_tuple_is_in_use() -> None:
    caller = World().caller()
    assert caller.allocate() == 0 and caller.allocate() == 437


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_2_another_5_tuple_is_another_allocation(transport: str) -> None:
    world = World()
    peer = ("192.0.2.1", 10_001)
    callers = [
        world.caller(peer=peer),
        world.caller(peer=peer, transport=transport),
        world.caller(peer=("192.0.2.9", 10_001)),
    ]
    assert [caller.allocate() for caller in callers] == [0, 0, 0] and world.server.allocations == 3


def test_2_the_same_request_come_again_is_answered_alike() -> None:
    """RFC 8489 section 6.3.1: nothing more is made, and what has changed since does not matter."""
    world = World()
    caller = world.caller()
    data = signed(caller, Method.ALLOCATE, UDP_ROW, PAIR)
    first = world.tell(caller.client, data)
    world.wait(39)
    assert world.tell(caller.client, data) == first and world.ports.reserved == 2
    world.wait(1)
    assert caller.ask(data)[0] == 437


def test_2_it_is_not_repeated_for_somebody_else() -> None:
    world = World()
    caller = world.caller()
    data = signed(caller, Method.ALLOCATE, UDP_ROW)
    assert caller.ask(data)[0] == 0
    other = signed(caller, Method.ALLOCATE, UDP_ROW, username="bob")
    assert caller.ask(other)[0] == 437


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (None, 400),
        (a.REQUESTED_TRANSPORT.of(0), 442),
        (a.REQUESTED_TRANSPORT.of(TCP), 442),
        (a.REQUESTED_TRANSPORT.of(58), 442),
    ],
)
def test_3_requested_transport(row: Row | None, code: int) -> None:
    caller = World().caller()
    assert caller.ask(signed(caller, Method.ALLOCATE, *([row] if row else [])))[0] == code


def test_3_requested_transport_is_malformed() -> None:
    caller = World().caller()
    bent = signed(caller, Method.ALLOCATE, (a.Attribute(0x0019, "short", a.EVEN_PORT.codec), True))
    assert caller.ask(bent)[0] == 400


def test_4_dont_fragment() -> None:
    assert World().caller().allocate(a.DONT_FRAGMENT.of(True)) == 0
    caller = World(Settings(dont_fragment=False)).caller()
    caller.turn.allocate(0.0, a.DONT_FRAGMENT.of(True))
    failure = caller.failure()
    assert failure.code == 420 and failure.reply is not None
    assert failure.reply.get(a.UNKNOWN_ATTRIBUTES) == (a.DONT_FRAGMENT.number,)


@pytest.mark.parametrize("beside", [EVEN, PAIR, V4, V6, ALSO_V6])
def test_5_a_token_stands_alone(beside: Row) -> None:
    assert World(Settings(families=BOTH)).caller().allocate(a.RESERVATION_TOKEN.of(b"12345678"), beside) == 400


def test_5_a_token_that_is_not_valid() -> None:
    assert World().caller().allocate(a.RESERVATION_TOKEN.of(b"12345678")) == 508


def reserve(world: World, username: str = "ann") -> bytes:
    """Makes an allocation with a reserved neighbour; the token."""
    caller = world.caller(username)
    code, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, PAIR, username=username))
    token = reply.get(a.RESERVATION_TOKEN)
    assert code == 0 and token is not None
    return token


def test_5_a_reserved_port_is_for_its_token() -> None:
    world = World()
    token = reserve(world)
    assert world.server.reservations == 1 and world.ports.reserved == 2
    other = world.caller()
    assert other.allocate() == 0 and other.turn.relayed == (("198.51.100.1", 49154),)
    second = world.caller(transport="tls", peer=("192.0.2.99", 1))
    assert second.allocate(a.RESERVATION_TOKEN.of(token)) == 0
    assert second.turn.relayed == (("198.51.100.1", 49153),)
    assert world.server.reservations == 0 and world.caller().allocate(a.RESERVATION_TOKEN.of(token)) == 508


def test_5_a_token_is_its_users() -> None:
    world = World()
    token = reserve(world)
    assert world.caller("bob").allocate(a.RESERVATION_TOKEN.of(token)) == 508
    assert world.caller("ann").allocate(a.RESERVATION_TOKEN.of(token)) == 0


def test_5_a_reservation_lapses_after_30_seconds() -> None:
    world = World()
    token = reserve(world)
    world.wait(29.9)
    assert world.server.reservations == 1
    world.wait(0.1)
    assert world.server.reservations == 0 and world.ports.released == 1
    assert world.caller().allocate(a.RESERVATION_TOKEN.of(token)) == 508


def test_6_requested_and_additional_family() -> None:
    assert World(Settings(families=BOTH)).caller().allocate(V4, ALSO_V6) == 400


@pytest.mark.parametrize(
    ("families", "rows", "code"),
    [
        ({IPV4}, (), 0),
        ({IPV4}, (V4,), 0),
        ({IPV4}, (V6,), 440),
        ({IPV6}, (), 0),
        ({IPV6}, (V4,), 440),
        ({IPV6}, (V6,), 0),
        (BOTH, (), 0),
        (BOTH, (V6,), 0),
        (BOTH, (a.REQUESTED_ADDRESS_FAMILY.of(3),), 440),
        (BOTH, (a.REQUESTED_ADDRESS_FAMILY.of(0),), 440),
    ],
)
def test_7_families(families: set[int], rows: tuple[Row, ...], code: int) -> None:
    caller = World(Settings(families=frozenset(families))).caller()
    assert caller.allocate(*rows) == code
    if code == 0:
        assert len(caller.turn.relayed) == 1 and (":" in caller.turn.relayed[0][0]) == (
            rows == (V6,) or families == {IPV6}
        )


def test_8_a_pair_beside_an_additional_family() -> None:
    assert World(Settings(families=BOTH)).caller().allocate(PAIR, ALSO_V6) == 400


def test_8_an_even_port() -> None:
    world = World()
    assert world.caller().allocate() == 0
    for _ in range(3):
        caller = world.caller()
        assert caller.allocate(EVEN) == 0 and caller.turn.relayed[0][1] % 2 == 0
    assert world.server.reservations == 0


def test_8_no_such_port_is_left() -> None:
    world = World(ports=FakePorts(49153, 49154))
    assert world.caller().allocate(PAIR) == 508
    assert world.caller().allocate(EVEN) == 0
    assert world.caller().allocate(EVEN) == 508
    assert world.caller().allocate() == 0 and world.caller().allocate() == 508


def test_9_both_families() -> None:
    world = World(Settings(families=BOTH))
    caller = world.caller()
    assert caller.allocate(ALSO_V6) == 0
    assert caller.turn.relayed == (("198.51.100.1", 49152), ("2001:db8::1", 49152))
    (entry,) = world.path.entries.values()
    assert entry.until == {IPV4: 1600.0, IPV6: 1600.0}
    assert caller.permit(PEER, PEER6) == 0 and caller.reaches(PEER) and caller.reaches(PEER6)


def test_9_an_additional_family_of_ipv4() -> None:
    assert World(Settings(families=BOTH)).caller().allocate(a.ADDITIONAL_ADDRESS_FAMILY.of(IPV4)) == 400


@pytest.mark.parametrize(
    ("families", "taken", "relayed", "partly"),
    [
        ({IPV4}, None, "198.51.100.1", FamilyError(IPV6, 440, "Address Family not Supported")),
        ({IPV6}, None, "2001:db8::1", FamilyError(IPV4, 440, "Address Family not Supported")),
        (BOTH, IPV6, "198.51.100.1", FamilyError(IPV6, 508, "Insufficient Capacity")),
        (BOTH, IPV4, "2001:db8::1", FamilyError(IPV4, 508, "Insufficient Capacity")),
    ],
)
def test_9_one_of_both_families(families: set[int], taken: int | None, relayed: str, partly: FamilyError) -> None:
    world = World(Settings(families=frozenset(families)), ports=FakePorts(49152, 49152))
    if taken:
        world.ports.reserve(taken)
    caller = world.caller()
    code, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, ALSO_V6))
    assert code == 0 and [ip for ip, _ in reply.all(a.XOR_RELAYED_ADDRESS)] == [relayed]
    assert reply.get(a.ADDRESS_ERROR_CODE) == partly


def test_9_neither_of_both_families() -> None:
    world = World(Settings(families=BOTH), ports=FakePorts(49152, 49151))
    assert world.caller().allocate(ALSO_V6) == 508


def test_10_a_users_quota() -> None:
    """486, told to the operator; others are not concerned, and what ends is free again."""
    world = World(Settings(allocations_per_user=3))
    callers = [world.caller() for _ in range(4)]
    assert [caller.allocate() for caller in callers] == [0, 0, 0, 486]
    denied = world.path.events[-1]
    assert isinstance(denied, actions.Denied) and (denied.code, denied.user) == (486, "ann")
    assert world.caller("bob").allocate() == 0
    assert callers[0].refresh(0) == 0 and callers[3].allocate() == 0


def test_10_a_reserved_port_counts() -> None:
    world = World(Settings(allocations_per_user=3))
    token = reserve(world)
    assert world.caller().allocate(PAIR) == 486
    assert world.caller().allocate() == 0 and world.caller().allocate() == 486
    assert world.caller().allocate(a.RESERVATION_TOKEN.of(token)) == 0


def test_10_the_quota_in_all() -> None:
    world = World(Settings(allocations=3))
    assert [world.caller(name).allocate() for name in ("ann", "bob", "ann", "bob")] == [0, 0, 0, 508]


V4_SERVER = Alternate(("203.0.113.5", 443), "turn5.example.org")
V6_SERVER = Alternate(("2001:db8::5", 443))


def sent_elsewhere(world: World, **client: object) -> Message:
    caller = world.caller(**client)
    caller.turn.allocate(world.now)
    failure = caller.run()
    assert isinstance(failure, Failed) and failure.code == 300 and failure.reply is not None
    assert a.MESSAGE_INTEGRITY_SHA256 in failure.reply
    return failure.reply


def test_11_draining_sends_elsewhere() -> None:
    """300, proven, with an address of the client's family first (RFC 8489 section 10)."""
    world = World()
    stays = world.caller()
    assert stays.allocate() == 0
    world.server.redirect((V6_SERVER, V4_SERVER), draining=True)
    reply = sent_elsewhere(world)
    assert reply.all(a.ALTERNATE_SERVER) == [V4_SERVER.address, V6_SERVER.address]
    assert a.ALTERNATE_DOMAIN not in reply
    reply = sent_elsewhere(world, peer=("2001:db8::9", 1))
    assert reply.all(a.ALTERNATE_SERVER) == [V6_SERVER.address, V4_SERVER.address]
    assert sent_elsewhere(world, transport="tls").get(a.ALTERNATE_DOMAIN) == "turn5.example.org"
    assert stays.refresh() == 0


def test_11_who_has_proven_nothing_is_not_sent_anywhere() -> None:
    """Section 14.8: a 300 is only for who has shown its credentials."""
    world = World()
    world.server.redirect((V4_SERVER,), draining=True)
    assert world.caller().ask(build(Method.ALLOCATE, Kind.REQUEST, bytes(12), [UDP_ROW]))[0] == 401
    assert world.caller(password="wrong").allocate() == 401


def test_11_draining_without_another_server() -> None:
    world = World()
    world.server.redirect((), draining=True)
    assert world.caller().allocate() == 508
    world.server.redirect((V6_SERVER,), draining=True)
    assert world.caller().allocate() == 508
    world.server.redirect(())
    assert world.caller().allocate() == 0


def test_11_load_sends_elsewhere() -> None:
    world = World()
    world.server.redirect((V4_SERVER,), above=2)
    callers = [world.caller() for _ in range(3)]
    assert [caller.allocate() for caller in callers] == [0, 0, 300]
    assert callers[0].refresh(0) == 0 and callers[2].allocate() == 0


# -- lifetimes --


@pytest.mark.parametrize(
    ("asked", "given"),
    [(None, 600), (0, 600), (1, 600), (599, 600), (601, 601), (3600, 3600), (3601, 3600), (2**32 - 1, 3600)],
)
def test_lifetimes(asked: int | None, given: int) -> None:
    caller = World().caller()
    assert caller.allocate(*([] if asked is None else [a.LIFETIME.of(asked)])) == 0
    assert caller.turn.lifetime == given
    if asked:
        assert caller.refresh(asked) == 0 and caller.turn.lifetime == given


def test_it_ends_to_the_second() -> None:
    world = World()
    caller = world.caller()
    assert caller.allocate() == 0
    world.wait(599.9)
    assert world.server.allocations == 1 and world.server.timer() == 1600.0
    world.wait(0.1)
    assert world.server.allocations == 0 and world.server.timer() is None and world.ports.taken == {}
    assert world.path.entries == {}
    assert world.path.events[-1] == actions.Closed(1, "ann", "expired", 600.0)
    assert caller.refresh() == 437 and caller.allocate() == 0


def test_nothing_is_granted_when_the_timer_is_late() -> None:
    """A message finds what has ended gone, even if ``expire`` was not called yet."""
    world = World()
    caller = world.caller()
    assert caller.allocate() == 0
    world.now += 600
    assert caller.refresh() == 437 and world.path.entries == {}


def test_refreshed_it_lives_on() -> None:
    world = World()
    caller = world.caller()
    assert caller.allocate() == 0
    for _ in range(5):
        world.wait(550)
        assert caller.refresh(600) == 0
    assert world.server.allocations == 1
    world.wait(600)
    assert world.server.allocations == 0


def test_deleted_at_once() -> None:
    world = World()
    caller = world.caller()
    assert caller.allocate() == 0 and caller.permit(PEER) == 0
    assert caller.refresh(0) == 0 and caller.turn.lifetime == 0
    assert world.ports.taken == {} and not caller.reaches(PEER) and world.server.timer() is None
    assert world.path.events[-1] == actions.Closed(1, "ann", "deleted", 0.0)
    assert caller.refresh(0) == 437


def test_one_of_two_is_deleted() -> None:
    """Section 8.1: the other family's permissions and channels stay."""
    world = World(Settings(families=BOTH))
    caller = world.caller()
    assert caller.allocate(ALSO_V6) == 0 and caller.permit(PEER, PEER6) == 0
    assert caller.bind(0x4000, PEER) == caller.bind(0x4001, PEER6) == 0
    assert caller.refresh(0, V4) == 0
    assert not caller.reaches(PEER) and caller.reaches(PEER6)
    assert list(world.ports.taken) == [(IPV6, 17, 49152)]
    assert caller.refresh(600, V4) == 443 and caller.permit(PEER) == 443 and caller.bind(0x4000, PEER) == 443
    assert caller.bind(0x4000, PEER6) == 400
    assert caller.refresh(0, V6) == 0 and world.server.allocations == 0


def test_one_of_two_is_refreshed() -> None:
    world = World(Settings(families=BOTH))
    caller = world.caller()
    assert caller.allocate(ALSO_V6) == 0
    world.wait(500)
    assert caller.refresh(1000, V6) == 0
    world.wait(100)
    (entry,) = world.path.entries.values()
    assert list(entry.until) == [IPV6] and world.server.allocations == 1
    world.wait(900)
    assert world.server.allocations == 0 and world.ports.taken == {}


@pytest.mark.parametrize("family", [IPV6, 7])
def test_a_refresh_of_another_family(family: int) -> None:
    caller = World().caller()
    assert caller.allocate() == 0 and caller.refresh(600, a.REQUESTED_ADDRESS_FAMILY.of(family)) == 443


@pytest.mark.parametrize("method", [Method.REFRESH, Method.CREATE_PERMISSION, Method.CHANNEL_BIND])
def test_without_an_allocation(method: Method) -> None:
    caller = World().caller()
    code, reply = caller.ask(signed(caller, method))
    assert code == 437 and a.MESSAGE_INTEGRITY in reply


@pytest.mark.parametrize("method", [Method.REFRESH, Method.CREATE_PERMISSION, Method.CHANNEL_BIND])
def test_with_other_credentials_of_a_valid_user(method: Method) -> None:
    """Section 5: 441, and told."""
    world = World()
    caller = world.caller()
    assert caller.allocate() == 0
    code, reply = caller.ask(signed(caller, method, username="bob"))
    assert code == 441 and a.MESSAGE_INTEGRITY in reply
    denied = world.path.events[-1]
    assert isinstance(denied, actions.Denied) and (denied.code, denied.user) == (441, "bob")


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_connection_takes_its_allocation_along(transport: str) -> None:
    world = World()
    caller, other = world.caller(transport=transport), world.caller(transport=transport)
    assert caller.allocate() == other.allocate() == 0
    world.path.do(world.server.closed(caller.client, world.now))
    world.path.do(world.server.closed(caller.client, world.now))
    assert world.server.allocations == 1 and world.path.events[-1] == actions.Closed(1, "ann", "connection lost", 0.0)


def test_the_operator_and_a_broken_socket_end_it() -> None:
    world = World()
    callers = [world.caller(), world.caller()]
    assert [caller.allocate() for caller in callers] == [0, 0]
    assert [one.id for one in world.server.listing()] == [1, 2]
    world.path.do(world.server.close(1, world.now))
    world.path.do(world.server.close(2, world.now, "relay failed"))
    assert world.server.close(1, world.now) == [] and world.ports.taken == {}
    assert [event.reason for event in world.path.events[2:] if isinstance(event, actions.Closed)] == [
        "closed by operator",
        "relay failed",
    ]
    assert callers[0].refresh() == 437


@pytest.mark.parametrize(
    "wrong",
    [
        {"realm": ""},
        {"realm": 'a"b'},
        {"realm": "a\n"},
        {"families": frozenset()},
        {"families": frozenset({3})},
        {"default_lifetime_s": 0},
        {"max_lifetime_s": 599},
        {"nonce_life_s": 3601},
        {"nonce_life_s": 0},
        {"reservation_s": 29},
        {"allocations": 0},
        {"channels_per_allocation": 0},
        {"bytes_per_s": -1},
    ],
)
def test_settings_that_are_no_good(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Settings(**wrong)  # type: ignore[arg-type]

"""Who has proven nothing: no state is made for it, replies are few and small, and what cannot be read is not answered."""

from __future__ import annotations

import pytest

from confero.protocols.stun import Kind, Method, build, has_true_fingerprint, proves
from confero.protocols.stun import attributes as a
from confero.protocols.turn import Settings
from confero.protocols.turn.server import MAX_REQUEST
from confero.protocols.turn.settings import MAX_REALM, PACKET_HEAD, REPLY_FACTOR
from confero.ratelimit import Rate

from .world import UDP_ROW, World, signed

BINDING = build(Method.BINDING, Kind.REQUEST, bytes(12))


@pytest.mark.parametrize("peer", [("192.0.2.1", 4000), ("2001:db8::9", 4000)])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_binding(transport: str, peer: tuple[str, int]) -> None:
    caller = World().caller(transport=transport, peer=peer)
    code, reply = caller.ask(BINDING)
    assert (code, reply.kind, reply.get(a.XOR_MAPPED_ADDRESS)) == (0, Kind.SUCCESS, peer)
    caller.turn.binding(0.0)
    caller.run()
    assert caller.turn.mapped == peer


def test_a_fingerprint_is_answered_by_one() -> None:
    caller = World().caller()
    _, reply = caller.ask(build(Method.BINDING, Kind.REQUEST, bytes(12), fingerprint=True))
    assert has_true_fingerprint(reply)
    _, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW, fingerprint=True))
    assert has_true_fingerprint(reply) and a.MESSAGE_INTEGRITY in reply


def test_unknown_attributes_of_a_binding_request() -> None:
    """420; CHANGE-REQUEST (RFC 5780) is one, and those of ICE are."""
    caller = World().caller()
    data = build(Method.BINDING, Kind.REQUEST, bytes(12), [a.PRIORITY.of(1), a.USE_CANDIDATE.of(True)])
    code, reply = caller.ask(data)
    assert code == 420 and reply.get(a.UNKNOWN_ATTRIBUTES) == (a.PRIORITY.number, a.USE_CANDIDATE.number)
    code, reply = caller.ask(b"\0\1\0\x08" + BINDING[4:] + b"\0\3\0\4\0\0\0\6")
    assert code == 420 and reply.get(a.UNKNOWN_ATTRIBUTES) == (3,)


def test_unknown_attributes_of_who_is_known() -> None:
    """RFC 8489 section 6.3: credentials come first, so that the 420 is proven."""
    caller = World().caller()
    data = signed(caller, Method.ALLOCATE, UDP_ROW, a.PRIORITY.of(1))
    code, reply = caller.ask(data)
    assert code == 420 and reply.get(a.UNKNOWN_ATTRIBUTES) == (a.PRIORITY.number,) and a.MESSAGE_INTEGRITY in reply
    code, reply = caller.ask(build(Method.ALLOCATE, Kind.REQUEST, bytes(12), [UDP_ROW, a.PRIORITY.of(1)]))
    assert code == 401


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "malformed"),
        (b"\x40\x00\x00\x00", "malformed"),
        (BINDING[:-1], "malformed"),
        (BINDING[:4] + b"\0\0\0\0" + BINDING[8:], "malformed"),
        (build(Method.BINDING, Kind.INDICATION, bytes(12)), "no request"),
        (build(Method.BINDING, Kind.SUCCESS, bytes(12)), "no request"),
        (build(Method.SEND, Kind.INDICATION, bytes(12)), "no request"),
        (build(Method.SEND, Kind.REQUEST, bytes(12)), "unknown method"),
        (build(Method.CONNECT, Kind.REQUEST, bytes(12)), "unknown method"),
        (build(0x002, Kind.REQUEST, bytes(12)), "unknown method"),
        (build(0x0FF, Kind.REQUEST, bytes(12)), "unknown method"),
        (build(Method.ALLOCATE, Kind.REQUEST, bytes(12), [a.DATA.of(bytes(MAX_REQUEST))]), "malformed"),
    ],
)
def test_silence(data: bytes, word: str) -> None:
    world = World()
    assert world.caller().silence(data) and world.server.silent == {word: 1}


@pytest.mark.parametrize("method", [Method.BINDING, Method.ALLOCATE, Method.REFRESH, Method.CHANNEL_BIND])
@pytest.mark.parametrize("realm", ["c", "confero", "r" * MAX_REALM])
@pytest.mark.parametrize("fingerprint", [False, True])
@pytest.mark.parametrize("size", range(0, 60, 4))
def test_replies_are_not_much_larger_than_requests(method: Method, realm: str, fingerprint: bool, size: int) -> None:
    world = World(Settings(realm=realm))
    rows = [a.SOFTWARE.of("s" * (size - 4))] if size else []
    data = build(method, Kind.REQUEST, bytes(12), rows, fingerprint=fingerprint)
    for reply in world.tell(world.caller(peer=("2001:db8::9", 1)).client, data):
        assert len(reply) + PACKET_HEAD <= REPLY_FACTOR * (len(data) + PACKET_HEAD)


def test_the_longest_realm_still_lets_a_browser_in() -> None:
    """Its first request has REQUESTED-TRANSPORT and nothing else."""
    caller = World(Settings(realm="r" * MAX_REALM)).caller()
    assert caller.allocate() == 0 and len(caller.said[0]) == 28
    with pytest.raises(ValueError):
        Settings(realm="r" * (MAX_REALM + 1))


def test_the_phrase_goes_where_there_is_room() -> None:
    caller = World().caller()
    _, short = caller.ask(build(Method.ALLOCATE, Kind.REQUEST, bytes(12)))
    _, long = caller.ask(build(Method.ALLOCATE, Kind.REQUEST, bytes(12), [UDP_ROW, a.LIFETIME.of(600)]))
    assert [reply.get(a.ERROR_CODE) for reply in (short, long)] == [(401, ""), (401, "Unauthenticated")]


def test_replies_to_one_source_are_few() -> None:
    world = World(Settings(strangers=Rate(burst=20, per_s=2)))
    answered = sum(len(world.tell(world.caller(peer=("192.0.2.1", port)).client, BINDING)) for port in range(1, 101))
    assert answered == 20 and world.server.silent["too many"] == 80
    assert world.tell(world.caller(peer=("192.0.2.2", 1)).client, BINDING)
    world.wait(1)
    assert sum(len(world.tell(world.caller().client, BINDING)) for _ in range(5)) == 2


def test_a_network_of_ipv6_is_one_source() -> None:
    world = World(Settings(strangers=Rate(burst=5, per_s=0.001)))
    clients = [world.caller(peer=(f"2001:db8:0:1::{n:x}", 1)).client for n in range(1, 20)]
    assert sum(len(world.tell(client, BINDING)) for client in clients) == 5
    assert world.tell(world.caller(peer=("2001:db8:0:2::1", 1)).client, BINDING)


def test_connections_are_not_counted() -> None:
    """Nobody can pretend to have one."""
    world = World(Settings(strangers=Rate(burst=1, per_s=0.001)))
    assert sum(len(world.tell(world.caller(transport="tcp").client, BINDING)) for _ in range(10)) == 10


def test_who_is_known_is_not_counted() -> None:
    world = World(Settings(strangers=Rate(burst=1, per_s=0.001)))
    caller = world.caller()
    assert caller.allocate() == 0
    assert [caller.refresh() for _ in range(50)] == [0] * 50


def test_no_state_is_made() -> None:
    """20,000 sources ask: nothing is reserved, told or due, and what is kept for the rates is bounded."""
    world = World()
    for number in range(20_000):
        client = world.caller(peer=(f"20.0.{number >> 8}.{number & 255}", 1)).client
        assert len(world.tell(client, build(Method.ALLOCATE, Kind.REQUEST, bytes(12), [UDP_ROW]))) == 1
    assert world.server.allocations == 0 and world.server.timer() is None and world.ports.reserved == 0
    assert world.path.events == [] and len(world.server._strangers) == 10_000


def test_replies_are_counted_for_the_operator() -> None:
    world = World()
    caller = world.caller()
    assert caller.allocate() == 0 and caller.refresh(0) == 0 and caller.refresh(0) == 437
    assert world.server.replies == {
        (Method.ALLOCATE, 401): 1,
        (Method.ALLOCATE, 0): 1,
        (Method.REFRESH, 0): 1,
        (Method.REFRESH, 437): 1,
    }


def test_software_is_told_to_who_is_known() -> None:
    world = World(Settings(software="confero"))
    caller = world.caller()
    _, reply = caller.ask(build(Method.ALLOCATE, Kind.REQUEST, bytes(12), [UDP_ROW, a.LIFETIME.of(600)]))
    assert a.SOFTWARE not in reply
    _, reply = caller.ask(signed(caller, Method.ALLOCATE, UDP_ROW))
    assert reply.get(a.SOFTWARE) == "confero" and not proves(reply, b"other")

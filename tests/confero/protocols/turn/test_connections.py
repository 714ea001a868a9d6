"""TCP allocations: Connect, ConnectionAttempt and ConnectionBind with all their errors and timers (RFC 6062 section 5)."""

from __future__ import annotations

import pytest

from confero.protocols.stun import IPV6, Kind, Message, Method
from confero.protocols.stun import attributes as a
from confero.protocols.turn import TCP, UDP, Client, Settings, actions
from confero.protocols.turn.client import Answered, Attempted, Data, Failed

from .world import BOTH, PEER, PEER6, Caller, World, signed

OTHER = ("8.8.8.8", 80)
WITH_TCP = Settings(tcp=True)


def ready(world: World | None = None, transport: str = "tcp") -> Caller:
    caller = (world or World(WITH_TCP)).caller(transport=transport)
    assert caller.allocate(protocol=TCP) == 0
    return caller


def connecting(caller: Caller, peer: tuple[str, int] = PEER) -> int:
    """Asks for a connection; the number under which the data path makes it."""
    caller.turn.connect(caller.world.now, peer)
    assert caller.run() is None
    connect = caller.world.path.told[-1]
    assert isinstance(connect, actions.Connect) and connect.peer == peer
    return connect.connection


def deliver(caller: Caller) -> object:
    """What the server said by itself, as the client understands it."""
    path = caller.world.path
    for client, data in path.replies:
        if client == caller.client:
            caller.turn.receive(data, caller.world.now)
    path.replies = [(client, data) for client, data in path.replies if client != caller.client]
    return caller.turn.next_event()


def connected(caller: Caller, number: int, success: bool = True) -> object:
    world = caller.world
    world.path.do(world.server.connected(number, success, world.now))
    return deliver(caller)


def bind(world: World, number: int, username: str = "ann", **client: object) -> tuple[Caller, int]:
    caller = world.caller(username, **{"transport": "tcp", **client})
    caller.turn.connection_bind(world.now, number)
    return caller, caller.result()


def test_off_by_default() -> None:
    world = World()
    caller = world.caller(transport="tcp")
    assert caller.allocate(protocol=TCP) == 442
    assert caller.allocate() == 0 and caller.silence(signed(caller, Method.CONNECT, a.XOR_PEER_ADDRESS.of(PEER)))


def test_asked_for_over_udp() -> None:
    assert World(WITH_TCP).caller().allocate(protocol=TCP) == 400


@pytest.mark.parametrize(
    "row", [a.EVEN_PORT.of(False), a.DONT_FRAGMENT.of(True), a.RESERVATION_TOKEN.of(b"12345678")], ids=repr
)
def test_what_is_of_datagrams(row: a.Row) -> None:
    assert World(WITH_TCP).caller(transport="tls").allocate(row, protocol=TCP) == 400


def test_an_allocation_of_its_own_ports() -> None:
    world = World(WITH_TCP)
    caller = ready(world, "tls")
    assert list(world.ports.taken) == [(1, TCP, 49152)]
    assert caller.bind(0x4000, PEER) == 400
    assert world.caller(transport="tcp").allocate() == 0 and (1, UDP, 49152) in world.ports.taken


def test_connect_answers_when_it_is_connected() -> None:
    caller = ready()
    number = connecting(caller)
    event = connected(caller, number)
    assert isinstance(event, Answered) and event.method == Method.CONNECT
    assert event.reply.get(a.CONNECTION_ID) == number != 0


def test_connect_that_fails() -> None:
    """447, and the peer may be tried again."""
    caller = ready()
    event = connected(caller, connecting(caller), success=False)
    assert isinstance(event, Failed) and event.code == 447
    connecting(caller)


def test_connect_that_takes_too_long() -> None:
    """447 after 30 s; what comes afterwards is closed."""
    caller = ready()
    world = caller.world
    number = connecting(caller)
    world.wait(29.9)
    assert deliver(caller) is None
    world.wait(0.1)
    event = deliver(caller)
    assert isinstance(event, Failed) and event.code == 447
    assert world.path.told[-1] == actions.Disconnect(number)
    assert world.server.connected(number, True, world.now) == [actions.Disconnect(number)]
    assert world.server.connected(number, False, world.now) == []


def test_one_connection_to_one_peer() -> None:
    """446 while it is being made, while it waits, and while it is joined."""
    caller = ready()
    number = connecting(caller)

    def again() -> int:
        caller.turn.connect(caller.world.now, PEER)
        return caller.result()

    assert again() == 446
    connected(caller, number)
    assert again() == 446
    assert bind(caller.world, number)[1] == 0 and again() == 446
    caller.world.path.do(caller.world.server.ended(number, caller.world.now))
    connecting(caller)


@pytest.mark.parametrize(
    ("peer", "code"), [(("10.0.0.1", 80), 403), ((PEER[0], 0), 403), (("2606:4700::1111", 80), 443)]
)
def test_connect_to_where_nobody_goes(peer: tuple[str, int], code: int) -> None:
    caller = ready()
    caller.turn.connect(caller.world.now, peer)
    assert caller.result() == code and caller.world.path.told == []


def test_connect_without_a_peer_or_an_allocation_or_for_udp() -> None:
    world = World(WITH_TCP)
    caller = ready(world)
    assert caller.ask(signed(caller, Method.CONNECT))[0] == 400
    stranger, udp = world.caller(transport="tcp"), world.caller(transport="tcp")
    stranger.turn.connect(world.now, PEER)
    assert stranger.result() == 437
    assert udp.allocate() == 0
    udp.turn.connect(world.now, PEER)
    assert udp.result() == 400


def test_connections_are_bounded() -> None:
    caller = ready(World(Settings(tcp=True, connections_per_allocation=2)))
    connecting(caller)
    connecting(caller, OTHER)
    caller.turn.connect(caller.world.now, ("1.1.1.1", 1))
    assert caller.result() == 508


def test_connections_are_bounded_in_all() -> None:
    world = World(Settings(tcp=True, connections=2))
    one, other = ready(world), ready(world)
    connecting(one)
    number = connecting(other)
    other.turn.connect(world.now, OTHER)
    assert other.result() == 508
    connected(other, number, success=False)
    connecting(other, OTHER)


def test_a_family_takes_its_connections_along() -> None:
    world = World(Settings(tcp=True, families=BOTH))
    caller = world.caller(transport="tcp")
    assert caller.allocate(a.ADDITIONAL_ADDRESS_FAMILY.of(IPV6), protocol=TCP) == 0
    four, six = connecting(caller), connecting(caller, PEER6)
    connected(caller, six)
    world.path.told.clear()
    assert caller.refresh(0, a.REQUESTED_ADDRESS_FAMILY.of(IPV6)) == 0
    assert world.path.told == [actions.Disconnect(six)]
    assert list(world.server.listing()[0].connections) == [PEER]
    assert isinstance(connected(caller, four), Answered)


# -- the client's end --


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_connection_is_joined(transport: str) -> None:
    """The reply goes first; from then on it carries the peer's data alone."""
    caller = ready()
    world = caller.world
    number = connecting(caller)
    connected(caller, number)
    joined, code = bind(world, number, transport=transport)
    join = world.path.told[-1]
    assert code == 0 and isinstance(join, actions.Join) and join[:2] == (joined.client, number)
    joined.turn.receive(b"\x16\x03\x01", world.now)
    assert joined.turn.next_event() == Data(None, b"\x16\x03\x01")
    world.wait(590)
    assert world.server.listing()[0].connections[PEER].client == joined.client


def test_the_join_has_the_reply() -> None:
    """In one, so that nothing of what the client says next is taken for a message."""
    caller = ready()
    world = caller.world
    number = connecting(caller)
    connected(caller, number)
    joined = world.caller(transport="tcp")
    todo = world.server.receive(
        joined.client, signed(joined, Method.CONNECTION_BIND, a.CONNECTION_ID.of(number)), world.now
    )
    (join,) = todo
    assert isinstance(join, actions.Join) and Message.parse(join.data).kind == Kind.SUCCESS
    assert world.server.replies[Method.CONNECTION_BIND, 0] == 1


def test_nobody_comes_for_it() -> None:
    """After 30 s it is closed."""
    caller = ready()
    world = caller.world
    number = connecting(caller)
    connected(caller, number)
    world.wait(29.9)
    assert not isinstance(world.path.told[-1], actions.Disconnect)
    world.wait(0.1)
    assert world.path.told[-1] == actions.Disconnect(number)
    assert bind(world, number)[1] == 400 and deliver(caller) is None


def test_connection_bind_that_is_wrong() -> None:
    """400 for no number, or of nothing, of what is not connected yet, joined, another user's; over UDP; on a used 5-tuple."""
    caller = ready()
    world = caller.world
    number = connecting(caller)
    assert bind(world, number)[1] == 400
    connected(caller, number)
    assert bind(world, number ^ 1)[1] == 400
    assert bind(world, number, "bob")[1] == 400
    assert bind(world, number, transport="udp")[1] == 400
    caller.turn.connection_bind(world.now, number)
    assert caller.result() == 400
    empty = world.caller(transport="tcp")
    assert empty.ask(signed(empty, Method.CONNECTION_BIND))[0] == 400
    assert bind(world, number)[1] == 0 and bind(world, number)[1] == 400


@pytest.mark.parametrize("end", ["client", "peer"])
def test_one_end_closes_both(end: str) -> None:
    caller = ready()
    world = caller.world
    number = connecting(caller)
    connected(caller, number)
    joined, _ = bind(world, number)
    server = world.server
    todo = server.closed(joined.client, world.now) if end == "client" else server.ended(number, world.now)
    assert todo == [actions.Disconnect(number)]
    assert world.server.closed(joined.client, world.now) == world.server.ended(number, world.now) == []
    assert world.server.allocations == 1 and world.server.listing()[0].connections == {}


def test_the_allocation_takes_its_connections_along() -> None:
    caller = ready()
    world = caller.world
    numbers = [connecting(caller), connecting(caller, OTHER)]
    connected(caller, numbers[0])
    joined, _ = bind(world, numbers[0])
    world.path.do(world.server.closed(caller.client, world.now))
    table = world.server._desk.table
    assert world.server.allocations == 0 and table.connections == {} and table.joined == {}
    assert world.server.timer() is None
    assert world.server.connected(numbers[1], True, world.now) == [actions.Disconnect(numbers[1])]
    assert world.server.closed(joined.client, world.now) == []


# -- peers that connect --


def accept(caller: Caller, peer: tuple[str, int] = PEER) -> int | None:
    world = caller.world
    number, todo = world.server.accepted(1, peer, world.now)
    world.path.do(todo)
    return number


def test_a_peer_connects() -> None:
    """Its client is told, and takes it within 30 s."""
    caller = ready()
    assert accept(caller) is None
    assert caller.permit(PEER) == 0
    number = accept(caller)
    assert number and deliver(caller) == Attempted(PEER, number)
    assert bind(caller.world, number)[1] == 0


def test_a_peer_waits_in_vain() -> None:
    caller = ready()
    assert caller.permit(PEER) == 0
    number = accept(caller)
    assert accept(caller) is None
    caller.world.wait(30)
    assert caller.world.path.told[-1] == actions.Disconnect(number or 0) and accept(caller)


def test_a_permission_is_wanted_then() -> None:
    caller = ready()
    assert caller.permit(PEER) == 0
    caller.world.now += 300
    assert accept(caller) is None and accept(caller, OTHER) is None


def test_peers_are_bounded_too() -> None:
    caller = ready(World(Settings(tcp=True, connections_per_allocation=2)))
    assert caller.permit(PEER) == 0
    assert [bool(accept(caller, (PEER[0], port))) for port in (1, 2, 3)] == [True, True, False]


def test_peers_of_no_allocation() -> None:
    world = World(WITH_TCP)
    assert world.server.accepted(1, PEER, world.now) == (None, [])
    udp = world.caller(transport="tcp")
    assert udp.allocate() == 0 and udp.permit(PEER) == 0
    assert world.server.accepted(1, PEER, world.now) == (None, [])


def test_a_connection_is_of_a_client() -> None:
    caller = ready()
    assert isinstance(caller.client, Client) and caller.client.connection

"""Whatever clients say, in whatever order, the server goes on, and its data path, its ports and its own tables agree."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confero.protocols.stun import IPV6, SHA256, Integrity, Kind, Message, build, make_key
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import ATTRIBUTES, Attribute
from confero.protocols.stun.values import opaque
from confero.protocols.turn import TCP, UDP, PeerPolicy, Reach, Settings, actions
from confero.ratelimit import Rate

from .world import BOTH, SERVER, USERS, Caller, FakePorts, World

EASY = Settings(
    families=BOTH,
    tcp=True,
    allocations=6,
    allocations_per_user=4,
    permissions_per_allocation=4,
    channels_per_allocation=4,
    connections_per_allocation=3,
    strangers=Rate(burst=1e9, per_s=1e9),
    failures=Rate(burst=1e9, per_s=1e9),
)
METHODS = [0x003, 0x004, 0x008, 0x009, 0x00A, 0x00B]
PEERS = [
    ("8.8.8.8", 1),
    ("8.8.8.8", 2),
    ("8.8.4.4", 1),
    ("10.0.0.5", 5004),
    ("10.0.0.5", 80),
    ("2606:4700::1", 1),
    ("::1", 5),
]


def world(seed: int = 1) -> World:
    policy = PeerPolicy([Reach.parse("10.0.0.5:5000-15000")])
    return World(EASY, policy=policy, ports=FakePorts(49152, 49165), seed=seed)


def check(one: World) -> None:
    """What must be true after every step."""
    path, listing = one.path, one.server.listing()
    assert {entry.id for entry in listing} == set(path.entries)
    for allocation in listing:
        entry = path.entries[allocation.id]
        assert entry.client == allocation.client
        assert {family: lease.until for family, lease in allocation.leases.items()} == entry.until
        live = {ip: until for ip, until in allocation.permissions.items() if until > one.now}
        assert live == {ip: until for ip, (until, _) in entry.permits.items() if until > one.now}
        channels = {n: (c.peer, c.until) for n, c in allocation.channels.items() if c.until > one.now}
        assert channels == {n: value for n, value in entry.channels.items() if value[1] > one.now}
        assert len({peer for peer, _ in channels.values()}) == len(channels)
        assert len(allocation.permissions) <= EASY.permissions_per_allocation
        assert len(allocation.channels) <= EASY.channels_per_allocation
        assert len(allocation.connections) <= EASY.connections_per_allocation
    leases = sum(len(allocation.leases) for allocation in listing)
    assert leases + one.server.reservations == len(one.ports.taken)
    assert one.server.allocations + one.server.reservations <= EASY.allocations
    table = one.server._desk.table
    assert sum(table._users.values()) == one.server.allocations + one.server.reservations
    assert set(table.connections.values()) == {c for one in listing for c in one.connections.values()}
    assert len(table.deadlines) < 3 * 1024


def credentials(caller: Caller, username: str) -> tuple[list[a.Row], Integrity]:
    realm, nonce = caller.challenge()
    key = make_key(username, realm, USERS[username], SHA256)
    algorithms = caller.world.server._auth.challenge(caller.client, caller.world.now)[2]
    rows = [a.USERNAME.of(username), a.REALM.of(realm), a.NONCE.of(nonce), algorithms, a.PASSWORD_ALGORITHM.of(SHA256)]
    return rows, Integrity(key, sha256=True)


values: dict[int, Callable[[random.Random], Any]] = {
    a.REQUESTED_TRANSPORT.number: lambda luck: luck.choice([UDP, UDP, UDP, TCP, 0]),
    a.LIFETIME.number: lambda luck: luck.choice([0, 1, 600, 900, 2**32 - 1]),
    a.XOR_PEER_ADDRESS.number: lambda luck: luck.choice(PEERS),
    a.CHANNEL_NUMBER.number: lambda luck: luck.choice([0x3FFF, 0x4000, 0x4001, 0x4002, 0x4FFF, 0x5000]),
    a.EVEN_PORT.number: lambda luck: luck.random() < 0.5,
    a.REQUESTED_ADDRESS_FAMILY.number: lambda luck: luck.choice([1, 2, 2, 3]),
    a.ADDITIONAL_ADDRESS_FAMILY.number: lambda luck: luck.choice([IPV6, IPV6, 1]),
    a.DONT_FRAGMENT.number: lambda luck: True,
}
USUAL = {
    0x003: [a.REQUESTED_TRANSPORT],
    0x004: [a.LIFETIME],
    0x008: [a.XOR_PEER_ADDRESS],
    0x009: [a.CHANNEL_NUMBER, a.XOR_PEER_ADDRESS],
    0x00A: [a.XOR_PEER_ADDRESS],
    0x00B: [],
}


def wish(luck: random.Random, one: World, tokens: list[bytes]) -> tuple[int, list[a.Row]]:
    """Mostly a sensible request, with something more or less."""
    method = luck.choice(METHODS)
    wanted = [row for row in USUAL[method] if luck.random() < 0.95]
    wanted += [ATTRIBUTES[number] for number in values if luck.random() < 0.06]
    rows = [row.of(values[row.number](luck)) for row in wanted]
    if tokens and method == 0x003 and luck.random() < 0.2:
        rows.append(a.RESERVATION_TOKEN.of(luck.choice(tokens)))
    if method == 0x00B and luck.random() < 0.95:
        rows.append(a.CONNECTION_ID.of(luck.choice([*one.server._desk.table.connections, 7])))
    return method, rows


def step(luck: random.Random, one: World, callers: list[Caller], tokens: list[bytes]) -> None:
    caller, dice = luck.choice(callers), luck.random()
    connects = [told.connection for told in one.path.told if isinstance(told, actions.Connect)]
    # What was said by itself meanwhile is nobody's answer.
    one.path.replies.clear()
    if dice < 0.7:
        method, rows = wish(luck, one, tokens)
        more, integrity = credentials(caller, "ann" if luck.random() < 0.8 else "bob")
        data = build(method, Kind.REQUEST, one.random.randbytes(12), [*rows, *more], integrity=integrity)
        for reply in one.tell(caller.client, data) + (one.tell(caller.client, data) if luck.random() < 0.1 else []):
            token = Message.parse(reply).get(a.RESERVATION_TOKEN)
            tokens += [token] if token else []
    elif dice < 0.85:
        one.wait(luck.choice([0.5, 10, 31, 100, 299, 301, 600]))
    elif dice < 0.88:
        one.path.do(one.server.closed(caller.client, one.now))
    elif dice < 0.93 and connects:
        one.path.do(one.server.connected(luck.choice(connects), luck.random() < 0.7, one.now))
    elif dice < 0.96:
        one.path.do(one.server.accepted(luck.randint(1, 40), luck.choice(PEERS), one.now)[1])
    elif dice < 0.98 and connects:
        one.path.do(one.server.ended(luck.choice(connects), one.now))
    else:
        one.path.do(one.server.close(luck.randint(1, 40), one.now))


@pytest.mark.parametrize("seed", range(25))
def test_any_order(seed: int) -> None:
    """300 steps of six clients; when an hour and a bit has passed nothing is left, and every port is back."""
    luck, one, tokens = random.Random(seed), world(seed), []
    callers = [one.caller(transport=kind, local=SERVER) for kind in ("udp", "udp", "udp", "tcp", "tcp", "tls")]
    for _ in range(300):
        step(luck, one, callers, tokens)
        check(one)
    assert one.server.replies[0x003, 0] > 3
    one.wait(3601)
    check(one)
    assert one.server.allocations == one.server.reservations == 0 and one.path.entries == {}
    assert one.ports.taken == {} and one.ports.released == one.ports.reserved and one.server.timer() is None
    assert one.server._desk.table._users == {} and one.server._desk.table.connections == {}


def test_the_orders_meet_everything() -> None:
    """So that the walk above is one through all of the machine: each code of each method comes up."""
    seen: set[int] = set()
    for seed in range(25):
        luck, one, tokens = random.Random(seed), world(seed), []
        callers = [one.caller(transport=kind) for kind in ("udp", "udp", "udp", "tcp", "tcp", "tls")]
        for _ in range(300):
            step(luck, one, callers, tokens)
        seen |= {code for _, code in one.server.replies}
    assert seen >= {0, 400, 401, 403, 437, 440, 441, 442, 443, 446, 447, 486, 508}


raw_rows = st.lists(st.tuples(st.sampled_from(sorted(ATTRIBUTES)), st.binary(max_size=24)), max_size=8)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(METHODS), raw_rows, st.booleans())
def test_attributes_of_noise_by_who_is_known(method: int, rows: list[tuple[int, bytes]], allocated: bool) -> None:
    one = world()
    caller = one.caller(transport="tcp")
    assert not allocated or caller.allocate() == 0
    more, integrity = credentials(caller, "ann")
    noise = [Attribute(number, "noise", opaque()).of(value) for number, value in rows]
    data = build(method, Kind.REQUEST, bytes(12), [*noise, *more], integrity=integrity)
    one.tell(caller.client, data)
    check(one)


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    one = world()
    caller = one.caller()
    more, integrity = credentials(caller, "ann")
    rows = [a.REQUESTED_TRANSPORT.of(UDP), a.XOR_PEER_ADDRESS.of(PEERS[0]), a.CHANNEL_NUMBER.of(0x4000)]
    data = bytearray(
        build(draw(st.sampled_from(METHODS)), Kind.REQUEST, bytes(12), [*rows, *more], integrity=integrity)
    )
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(bent(), st.binary(max_size=120)))
def test_noise_changes_nothing_for_who_is_there(data: bytes) -> None:
    """A running allocation goes on, whatever comes beside it and on its own 5-tuple."""
    one = world()
    caller, other = one.caller("bob"), one.caller()
    assert caller.allocate() == 0 and caller.permit(PEERS[0]) == 0
    for client in (other.client, caller.client):
        one.tell(client, data)
        check(one)
    assert caller.reaches(PEERS[0]) and caller.refresh() == 0

"""TCP allocations (RFC 6062) as clients and peers find them, in a network of public addresses that a test makes itself."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from confero.models.turn import TurnTransport
from confero.protocols.stun import IPV6, Address
from confero.protocols.stun import attributes as a
from confero.protocols.turn import UDP

from ..support.opennet import host, host6, open_network
from ..support.waiting import until
from .conftest import HouseMaker
from .house import PEER as EXCEPTED
from .house import House
from .tcpclient import Connection

HERE, PEER, STRANGER, HERE6, PEER6 = host(1), host(2), host(3), host6(1), host6(2)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def network() -> Iterator[None]:
    with open_network():
        yield


@pytest.fixture
async def tcp_house(network: None, make_house: HouseMaker) -> House:
    house: House = await make_house(bind=[HERE, HERE6], tcp_allocations=True)
    return house


class Peer:
    """Listens; ``met`` are the connections that have come."""

    def __init__(self) -> None:
        self.met: asyncio.Queue[Streams] = asyncio.Queue()
        self.server: asyncio.Server

    async def start(self, where: str = PEER) -> Address:
        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.met.put_nowait((reader, writer))

        self.server = await asyncio.start_server(meet, where, 0)
        name = self.server.sockets[0].getsockname()
        return (name[0], name[1])

    async def next(self) -> Streams:
        return await asyncio.wait_for(self.met.get(), 10)


Open = Callable[..., Awaitable[Connection]]


@pytest.fixture
async def open_connection(tcp_house: House) -> AsyncIterator[Open]:
    made: list[Connection] = []

    async def make(via: TurnTransport = "tcp", where: str = HERE, user: str = "alice") -> Connection:
        made.append(await Connection.open(tcp_house, where, via, user))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
async def peer(network: None) -> AsyncIterator[Peer]:
    made = Peer()
    yield made
    made.server.close()


async def ended(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 10) == b""
    return True


@pytest.mark.parametrize("via", ["tcp", "tls"])
async def test_a_client_connects_to_a_peer(
    tcp_house: House, open_connection: Open, peer: Peer, via: TurnTransport
) -> None:
    where, control = await peer.start(), await open_connection(via)
    relayed = await control.allocate()
    assert relayed[0] == HERE and 49_152 <= relayed[1] <= 65_535
    number = await control.connect(where)
    reader, writer = await peer.next()
    assert writer.get_extra_info("peername") == relayed
    data = await (await open_connection(via)).bind(number)
    there, back = random.randbytes(1 << 20), random.randbytes(1 << 20)
    data.writer.write(there)
    writer.write(back)
    got = await asyncio.gather(asyncio.wait_for(reader.readexactly(len(there)), 20), data.read(len(back)))
    assert got == [there, back]
    (row,) = await tcp_house.get("/v1/allocations")
    assert (row["peers"], row["connections"], row["transport"]) == ("tcp", 1, via)
    assert row["to_peer_bytes"] == row["to_client_bytes"] == 1 << 20
    assert await tcp_house.metric("peer_connections_made", how="connected") == 1
    # The control connection is as it was.
    control.turn.refresh(control.now, 600)
    await control.answer()


async def test_a_peer_connects_to_a_client(tcp_house: House, open_connection: Open) -> None:
    """What it says before the client has come is kept for it."""
    control = await open_connection()
    relayed = await control.allocate()
    await control.permit((PEER, 0))
    reader, writer = await asyncio.open_connection(*relayed, local_addr=(PEER, 0))
    writer.write(b"the peer was first")
    attempt = await control.attempt()
    assert attempt.peer == writer.get_extra_info("sockname")
    data = await (await open_connection()).bind(attempt.connection)
    assert await data.read(18) == b"the peer was first"
    data.writer.write(b"hello")
    assert await asyncio.wait_for(reader.readexactly(5), 10) == b"hello"
    writer.close()


async def test_who_is_not_permitted_is_not_heard(tcp_house: House, open_connection: Open) -> None:
    control = await open_connection()
    relayed = await control.allocate()
    await control.permit((PEER, 0))
    reader, writer = await asyncio.open_connection(*relayed, local_addr=(STRANGER, 0))
    assert await ended(reader)
    writer.close()
    await until(lambda: tcp_house.app.bridge.streams.refused == 1, "the refusal")


@pytest.mark.parametrize(
    "where",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", EXCEPTED, "::1", "fd00::1", "::ffff:11.0.77.2"],
)
async def test_special_peers_are_never_reached_not_even_excepted_ones(open_connection: Open, where: str) -> None:
    """An exception is for media over UDP."""
    control = await open_connection()
    rows = (a.REQUESTED_ADDRESS_FAMILY.of(IPV6),) if ":" in where else ()
    await control.allocate(*rows)
    control.turn.connect(control.now, (where, 22_000))
    assert await control.refusal() == 403
    control.turn.create_permission(control.now, (where, 22_000))
    assert await control.refusal() == 403


@pytest.mark.parametrize("end", ["client", "peer", "control", "refresh", "operator"])
async def test_one_end_takes_the_other_along(tcp_house: House, open_connection: Open, peer: Peer, end: str) -> None:
    where, control = await peer.start(), await open_connection()
    await control.allocate()
    number = await control.connect(where)
    reader, writer = await peer.next()
    data = await (await open_connection()).bind(number)
    data.writer.write(b"last words")
    assert await asyncio.wait_for(reader.readexactly(10), 10) == b"last words"
    if end == "client":
        data.close()
    elif end == "peer":
        writer.close()
    elif end == "control":
        control.close()
    elif end == "refresh":
        control.turn.refresh(control.now, 0)
        await control.answer()
    else:
        tcp_house.app.bridge.close(1)
    assert await ended(reader)
    if end != "client":
        assert await data.over()
    await until(lambda: len(tcp_house.app.bridge.streams) == 0, "the end")
    if end == "peer":
        await control.connect(where)
    elif end == "client":  # we have closed the peer's: TCP keeps the pair of addresses for a minute (TIME-WAIT)
        assert len(tcp_house.app.ports) == 1
    else:
        await until(lambda: (tcp_house.app.server.allocations, len(tcp_house.app.ports)) == (0, 0), "the whole end")
    writer.close()


async def test_what_a_peer_said_before_it_closed_comes_whole(open_connection: Open, peer: Peer) -> None:
    where, control = await peer.start(), await open_connection()
    await control.allocate()
    number = await control.connect(where)
    _, writer = await peer.next()
    writer.write(b"good bye")
    writer.close()
    data = await open_connection()
    await data.bind(number)
    assert await data.read(8) == b"good bye" and await data.over()


async def test_a_peer_that_is_not_there(open_connection: Open, peer: Peer) -> None:
    """447, and it may be tried again."""
    where, control = await peer.start(), await open_connection()
    peer.server.close()
    await control.allocate()
    for _ in range(2):
        control.turn.connect(control.now, where)
        assert await control.refusal() == 447


async def test_a_connection_is_its_users(open_connection: Open, peer: Peer) -> None:
    where, control = await peer.start(), await open_connection()
    await control.allocate()
    number = await control.connect(where)
    other = await open_connection(user="bob")
    other.turn.connection_bind(other.now, number)
    assert await other.refusal() == 400
    assert await (await open_connection()).bind(number)


async def test_both_families_and_the_end_of_one(tcp_house: House, open_connection: Open, peer: Peer) -> None:
    where, control = await peer.start(PEER6), await open_connection()
    await control.allocate(a.ADDITIONAL_ADDRESS_FAMILY.of(IPV6))
    relayed6 = control.turn.relayed[1]
    number = await control.connect(where)
    reader, writer = await peer.next()
    assert writer.get_extra_info("peername")[:2] == relayed6 and relayed6[0] == HERE6
    data = await (await open_connection()).bind(number)
    control.turn.refresh(control.now, 0, a.REQUESTED_ADDRESS_FAMILY.of(IPV6))
    await control.answer()
    assert await ended(reader) and await data.over()
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*relayed6)
    assert tcp_house.app.server.allocations == 1 and len(tcp_house.app.ports) == 1


async def test_of_two_udp_sockets_one_can_go(open_connection: Open) -> None:
    control = await open_connection()
    await control.allocate(a.ADDITIONAL_ADDRESS_FAMILY.of(IPV6), protocol=UDP)
    four, six = control.turn.relayed
    control.turn.refresh(control.now, 0, a.REQUESTED_ADDRESS_FAMILY.of(IPV6))
    await control.answer()
    await until(lambda: free(six), "the socket's end")
    assert not free(four)


def free(address: Address) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM) as made:
        try:
            made.bind(address)
        except OSError:
            return False
    return True


async def test_off_by_default(network: None, make_house: HouseMaker) -> None:
    house: House = await make_house(bind=[HERE])
    control = await Connection.open(house, HERE)
    control.turn.allocate(control.now, protocol=6)
    assert await control.refusal() == 442
    control.close()


@pytest.mark.parametrize("way", ["there", "back"])
async def test_the_allocations_limit_holds_for_its_connections_together(
    network: None, make_house: HouseMaker, peer: Peer, way: str
) -> None:
    """100 kB/s, 64 kB of it at once: 264 kB over two connections take two seconds, and come whole."""
    house: House = await make_house(bind=[HERE], tcp_allocations=True, max_bytes_per_s=100_000)
    other, where = Peer(), await peer.start()
    there, control = [where, await other.start()], await Connection.open(house, HERE)
    await control.allocate()
    both = []
    for one, met in zip(there, (peer, other), strict=True):
        data = await Connection.open(house, HERE)
        await data.bind(await control.connect(one))
        both.append((data, *await met.next()))
    said, began = random.randbytes(132_768), control.now
    for data, _, writer in both:
        (data.writer if way == "there" else writer).write(said)
    for data, reader, _ in both:
        got = reader.readexactly(len(said)) if way == "there" else data.read(len(said))
        assert await asyncio.wait_for(got, 20) == said
    assert control.now - began > 1.5
    for data, _, _ in both:
        data.close()
    control.close()
    other.server.close()


async def test_connections_that_come_and_go_leave_nothing(tcp_house: House, open_connection: Open, peer: Peer) -> None:
    where = await peer.start()
    for index in range(30):
        control = await open_connection()
        await control.allocate()
        number = await control.connect(where)
        data = await open_connection()
        if index % 3:
            await data.bind(number)
        for one in (data, control) if index % 2 else (control, data):
            one.close()
    streams = tcp_house.app.bridge.streams
    await until(lambda: not tcp_house.app.server.allocations, "the allocations' end")
    await until(lambda: (len(streams), len(tcp_house.app.ports)) == (0, 0), "the connections' end")

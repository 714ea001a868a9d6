"""aioice's TURN clients as judges of the server machine: over UDP, and over TCP, where it frames for itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aioice.stun import TransactionFailed
from aioice.turn import TurnClientTcpProtocol, TurnClientUdpProtocol

from confero.protocols.turn import Client, StreamFramer, actions, issue

from .world import PEER, SECRET, SERVER, World


class Wire:
    """Stands for the transport: what the client sends is heard by the server at once, the replies come in the next turn."""

    def __init__(self, world: World, protocol: Any, client: Client) -> None:
        self.world = world
        self.protocol = protocol
        self.client = client
        self.data: list[bytes] = []
        self.framer = StreamFramer()
        self.closed = False
        protocol.connection_made(self)

    def sendto(self, data: bytes) -> None:
        if data[0] >= 0x40:
            self.data.append(data)
            return
        for reply in self.world.tell(self.client, data):
            asyncio.get_running_loop().call_soon(self.hear, reply)

    def write(self, data: bytes) -> None:
        for message in self.framer.feed(data):
            self.sendto(message)

    def hear(self, data: bytes) -> None:
        if self.client.transport == "udp":
            self.protocol.datagram_received(data, SERVER)
        else:
            for at in range(len(data)):
                self.protocol.data_received(data[at : at + 1])

    def get_extra_info(self, name: str) -> Any:
        return SERVER

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


class Receiver:
    def __init__(self) -> None:
        self.got: list[tuple[bytes, tuple[str, int]]] = []

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        self.got.append((data, peer))

    def connection_lost(self, exc: Exception | None) -> None: ...


def theirs(
    world: World, transport: str, *, username: str = "ann", password: str = "password of ann"
) -> tuple[Any, Wire]:
    kind = TurnClientUdpProtocol if transport == "udp" else TurnClientTcpProtocol
    protocol = kind(server=SERVER, username=username, password=password, lifetime=900, channel_refresh_time=500)
    where = Client("udp" if transport == "udp" else "tcp", ("192.0.2.50", 5000), SERVER, int(transport != "udp"))
    wire = Wire(world, protocol, where)
    protocol.receiver = Receiver()
    return protocol, wire


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_it_allocates_sends_hears_and_deletes(transport: str) -> None:
    world = World()
    protocol, wire = theirs(world, transport)
    assert await protocol.connect() == ("198.51.100.1", 49152)
    assert protocol.mapped_address == ("192.0.2.50", 5000)
    (entry,) = world.path.entries.values()
    assert set(entry.until.values()) == {world.now + 900}
    await protocol.send_data(b"hello", PEER)
    assert world.path.channel(wire.client, 0x4000, world.now) == PEER
    assert wire.data[0].rstrip(b"\0") == b"\x40\x00\x00\x05hello"
    wire.hear(b"\x40\x00\x00\x02hi" + (b"" if transport == "udp" else b"\0\0"))
    assert protocol.receiver.got == [(b"hi", PEER)]
    await protocol.delete()
    assert world.server.allocations == 0 and wire.closed


async def test_it_comes_through_a_stale_nonce() -> None:
    world = World()
    protocol, _ = theirs(world, "udp")
    await protocol.connect()
    world.wait(700)
    await protocol.channel_bind(0x4001, PEER)
    assert world.server.replies[9, 438] == 1 and world.server.replies[9, 0] == 1
    await protocol.delete()


async def test_it_takes_a_time_limited_name() -> None:
    world = World(users={}, secrets=[SECRET])
    username, password = issue(SECRET, "carl", world.wall + 60)
    protocol, _ = theirs(world, "udp", username=username, password=password)
    await protocol.connect()
    (opened,) = world.path.events
    assert isinstance(opened, actions.Opened) and opened.user == "carl"
    await protocol.delete()


@pytest.mark.parametrize(("peer", "code"), [(("10.0.0.1", 1), 403), (("2606:4700::1", 1), 443)])
async def test_it_reads_our_errors(peer: tuple[str, int], code: int) -> None:
    """They are proven, or it would go on asking."""
    world = World()
    protocol, _ = theirs(world, "udp")
    await protocol.connect()
    with pytest.raises(TransactionFailed) as failed:
        await protocol.channel_bind(0x4000, peer)
    assert failed.value.response.error_code == code
    world.path.do(world.server.close(1, world.now))
    with pytest.raises(TransactionFailed) as failed:
        await protocol.channel_bind(0x4000, PEER)
    assert failed.value.response.error_code == 437
    await protocol.delete()


async def test_a_wrong_password() -> None:
    protocol, _ = theirs(World(), "udp", password="wrong")
    with pytest.raises(TransactionFailed) as failed:
        await protocol.connect()
    assert failed.value.response.error_code == 401

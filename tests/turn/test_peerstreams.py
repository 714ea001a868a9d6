"""TCP to peers on loopback, with a machine and a data path that note what they are told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from confero.protocols.turn import TCP, Client, actions
from confero.relay import RelayBusy, UnknownFlow
from confero.turn.peerstreams import PeerStreams
from confero.turn.ports import bind_socket

from ..support.waiting import until
from .house import PEER, SERVER

V4, V6 = 1, 2
CLIENT = Client("tcp", ("192.0.2.1", 4000), ("198.51.100.1", 443), connection=33)
HELD = 1 << 20
"""Far more than the kernel keeps for a connection that nobody reads."""


class Machine:
    """Numbers peers' connections as a test says; answers with what is put there."""

    def __init__(self) -> None:
        self.called: list[tuple[Any, ...]] = []
        self.numbers: list[int | None] = []
        self.wants: list[actions.Action] = []

    def connected(self, connection: int, success: bool, now: float) -> list[actions.Action]:
        self.called.append(("connected", connection, success))
        return self.wants

    def accepted(self, allocation: int, peer: tuple[str, int], now: float) -> tuple[int | None, list[actions.Action]]:
        self.called.append(("accepted", allocation, peer))
        return (self.numbers.pop(0) if self.numbers else None), self.wants

    def ended(self, connection: int, now: float) -> list[actions.Action]:
        self.called.append(("ended", connection))
        return [actions.Disconnect(connection)]


class Path:
    def __init__(self) -> None:
        self.joined: list[tuple[int, socket.socket, bytes, int]] = []
        self.failure: Exception | None = None

    def join(self, connection: int, fd: int, said: bytes, allocation: int) -> None:
        if self.failure is not None:
            raise self.failure
        self.joined.append((connection, socket.socket(fileno=fd), said, allocation))


class Bench:
    """Allocation 1 listens at ``address``."""

    def __init__(self) -> None:
        self.machine, self.path = Machine(), Path()
        self.hung_up: list[int] = []
        self.streams = PeerStreams(self.path, self.machine, lambda: 1000.0, self.do, self.hung_up.append)
        listening = bind_socket(SERVER, 0, TCP)
        self.address: tuple[str, int] = listening.getsockname()
        self.streams.listen(1, {V4: listening})
        self.peers: list[socket.socket] = []

    def do(self, wanted: Iterable[actions.Action]) -> None:
        for one in wanted:
            if isinstance(one, actions.Disconnect):
                self.streams.end(one.connection)
            elif isinstance(one, actions.Close):
                self.streams.forget(one.allocation)

    def peer(self) -> socket.socket:
        """One that listens."""
        made = socket.create_server((PEER, 0))
        self.peers.append(made)
        return made

    def caller(self) -> socket.socket:
        """A peer that connects."""
        made = socket.create_connection(self.address, timeout=5, source_address=(PEER, 0))
        self.peers.append(made)
        return made

    async def connect(self, number: int, peer: socket.socket, success: bool = True) -> None:
        self.streams.connect(actions.Connect(1, number, peer.getsockname()))
        await until(lambda: ("connected", number, success) in self.machine.called, "what came of it")

    def close(self) -> None:
        self.streams.close()
        for one in (*self.peers, *(one[1] for one in self.path.joined)):
            one.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    made.close()


async def over(sock: socket.socket) -> bool:
    """Nothing comes but its end."""
    sock.setblocking(False)
    try:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 100), 5) == b""
    except ConnectionResetError:
        return True


async def test_peers_are_reached_from_the_relayed_address_while_it_listens(bench: Bench) -> None:
    bench.machine.numbers = [9]
    for number in (5, 6):
        peer = bench.peer()
        await bench.connect(number, peer)
        accepted, source = peer.accept()
        bench.peers.append(accepted)
        assert source == bench.address
    caller = bench.caller()
    await until(lambda: ("accepted", 1, caller.getsockname()) in bench.machine.called, "the peer's connection")
    assert len(bench.streams) == 3 and (bench.streams.connected, bench.streams.accepted) == (2, 1)


async def test_a_peer_that_is_not_there(bench: Bench) -> None:
    peer = bench.peer()
    where = peer.getsockname()
    peer.close()
    bench.streams.connect(actions.Connect(1, 5, where))
    await until(lambda: ("connected", 5, False) in bench.machine.called, "the refusal")
    assert len(bench.streams) == 0 and bench.streams.failed == 1


@pytest.mark.parametrize("wanted", [actions.Connect(2, 5, (PEER, 1)), actions.Connect(1, 5, ("2606:4700::1111", 1))])
async def test_where_no_relayed_address_is_none_is_connected(bench: Bench, wanted: actions.Connect) -> None:
    bench.streams.connect(wanted)
    assert bench.machine.called == [("connected", 5, False)]


async def test_a_peer_that_is_not_wanted_is_closed(bench: Bench) -> None:
    caller = bench.caller()
    assert await over(caller) and bench.streams.refused == 1 and len(bench.streams) == 0


async def test_what_a_peer_says_before_waits_within_a_bound_and_goes_along(bench: Bench) -> None:
    bench.machine.numbers = [9]
    caller = bench.caller()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    await until(lambda: bool(bench.streams.accepted), "the peer's connection")
    caller.settimeout(0.2)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < HELD:
            sent += caller.send(b"x" * 4096)
    bench.streams.join(actions.Join(CLIENT, 9, 1, b"reply"), 71)
    ((connection, taken, said, allocation),) = bench.path.joined
    assert (connection, said, allocation) == (33, b"reply", 71) and taken.recv(4) == b"xxxx" and not bench.hung_up
    bench.streams.end(9)
    bench.streams.end(9)
    assert bench.hung_up == [33] and len(bench.streams) == 0 and taken.fileno() >= 0


@pytest.mark.parametrize("failure", [RelayBusy("busy"), UnknownFlow("gone")])
async def test_a_connection_that_cannot_be_joined_ends_at_both_ends(bench: Bench, failure: Exception) -> None:
    bench.machine.numbers = [9]
    caller = bench.caller()
    await until(lambda: bool(bench.streams.accepted), "the peer's connection")
    bench.path.failure = failure
    with pytest.raises(type(failure)):
        bench.streams.join(actions.Join(CLIENT, 9, 1, b"reply"), 71)
    assert bench.hung_up == [33] and ("ended", 9) in bench.machine.called and len(bench.streams) == 0
    assert await over(caller)
    with pytest.raises(UnknownFlow):
        bench.streams.join(actions.Join(CLIENT, 9, 1, b"reply"), 71)


async def test_an_allocation_ends_with_all_that_it_has(bench: Bench) -> None:
    bench.machine.numbers = [8, 9]
    waiting, joined, peer = bench.caller(), bench.caller(), bench.peer()
    await until(lambda: bench.streams.accepted == 2, "the peers' connections")
    bench.streams.join(actions.Join(CLIENT, 9, 1, b""), 71)
    bench.streams.connect(actions.Connect(1, 5, peer.getsockname()))
    bench.streams.forget(1)
    bench.streams.forget(1)
    assert len(bench.streams) == 0 and bench.hung_up == [33] and await over(waiting)
    with pytest.raises(ConnectionRefusedError):
        bench.caller()
    await asyncio.sleep(0.1)
    assert not any(name == "connected" for name, *_ in bench.machine.called)
    assert joined.fileno() >= 0


async def test_one_that_is_not_answered_can_be_given_up(bench: Bench) -> None:
    deaf = socket.socket()
    deaf.bind((PEER, 0))
    deaf.listen(0)
    bench.peers += [deaf, socket.create_connection(deaf.getsockname(), timeout=5)]
    bench.streams.connect(actions.Connect(1, 5, deaf.getsockname()))
    await asyncio.sleep(0.2)
    assert bench.machine.called == [] and len(bench.streams) == 1
    bench.streams.end(5)
    await asyncio.sleep(0.1)
    assert bench.machine.called == [] and len(bench.streams) == 0


async def test_an_allocation_that_ends_while_its_peers_connect(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Its time was over when the first of them was asked for: the listening socket is closed within its own turn."""
    bench.machine.wants = [actions.Close(1, "expired")]
    callers = [bench.caller() for _ in range(3)]
    assert all([await over(one) for one in callers])
    await asyncio.sleep(0.1)
    assert bench.streams.refused == 1 and not caplog.records


async def test_a_port_is_one_allocations_however_it_is_used(bench: Bench) -> None:
    bench.machine.numbers = [9]
    bench.caller()
    await bench.connect(5, bench.peer())
    await until(lambda: bool(bench.streams.accepted), "the peer's connection")
    with pytest.raises(OSError):
        bind_socket(*bench.address, TCP)
    bench.streams.join(actions.Join(CLIENT, 9, 1, b""), 71)
    bench.streams.forget(1)
    # The data path still has a connection of it.
    bind_socket(*bench.address, TCP).close()


async def test_of_two_families_one_can_go(bench: Bench) -> None:
    six = bind_socket("::1", 0, TCP)
    where = six.getsockname()
    bench.streams.listen(2, {V6: six, V4: bind_socket(SERVER, 0, TCP)})
    bench.streams.drop(2, V6)
    bench.streams.drop(2, V6)
    bench.streams.drop(3, V6)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where[:2], timeout=5)
    peer = bench.peer()
    bench.streams.connect(actions.Connect(2, 5, peer.getsockname()))
    await until(lambda: bench.streams.connected == 1, "the connection")

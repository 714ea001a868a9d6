"""Accepting by itself: places by source, bursts, and a process without descriptors."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from confero.runtime import accepting
from confero.runtime.accepting import Acceptor, Connections, listening_sockets

from ...support.waiting import until

WAIT_S = 5.0


# --- places ----------------------------------------------------------------------------------------------------------


def test_places_by_source() -> None:
    connections = Connections(limit=10, per_source=2)
    first, second = connections.admit("192.0.2.1"), connections.admit("192.0.2.1")
    assert first is not None
    assert second is not None
    assert connections.admit("192.0.2.1") is None
    assert connections.admit("192.0.2.2") is not None
    first.leave()
    assert connections.admit("192.0.2.1") is not None
    assert connections.count == 3


def test_the_addresses_of_a_host_are_one_source() -> None:
    connections = Connections(limit=10, per_source=1)
    assert connections.admit("2001:db8::1") is not None
    assert connections.admit("2001:db8::2") is None
    assert connections.admit("2001:db8:0:1::1") is not None
    assert connections.admit("::ffff:192.0.2.1") is not None
    assert connections.admit("192.0.2.1") is None


def test_a_place_is_given_back_once() -> None:
    connections = Connections(limit=2, per_source=2)
    places = [connections.admit("192.0.2.1"), connections.admit("192.0.2.1")]
    assert connections.admit("192.0.2.9") is None
    for _ in range(3):
        assert places[0] is not None
        places[0].leave()
    assert connections.count == 1
    assert connections.admit("192.0.2.9") is not None
    assert connections.admit("192.0.2.9") is None


# --- sockets ---------------------------------------------------------------------------------------------------------


class Taken:
    """An acceptor on a free port that keeps what it accepts."""

    def __init__(self) -> None:
        self.connections: list[tuple[socket.socket, str]] = []

    async def __aenter__(self) -> Taken:
        self.socket = (await listening_sockets("127.0.0.1", 0, backlog=200, reuse_port=False))[0]
        self.port: int = self.socket.getsockname()[1]
        self.acceptor = Acceptor(self.socket, lambda *taken: self.connections.append(taken))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.acceptor.close()
        self.acceptor.close()
        for connection, _ in self.connections:
            connection.close()

    def call(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), WAIT_S)


async def test_a_burst_is_accepted_in_turns() -> None:
    async with Taken() as it:
        callers = [it.call() for _ in range(accepting.AT_ONCE + 10)]
        it.acceptor._accept()
        assert len(it.connections) == accepting.AT_ONCE
        await until(lambda: len(it.connections) == len(callers))
        assert {address for _, address in it.connections} == {"127.0.0.1"}
        for caller in callers:
            caller.close()


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENOBUFS, errno.EPERM])
async def test_accepting_that_fails_is_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    monkeypatch.setattr(accepting, "PAUSE_S", 0.05)
    async with Taken() as it:
        failing = Failing(it.socket, code)
        monkeypatch.setattr(it.acceptor, "_socket", failing)
        caller = it.call()
        await until(lambda: bool(it.connections))
        assert failing.failures == 1
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        caller.close()


class Failing:
    """A listening socket whose first ``accept`` fails."""

    def __init__(self, listening: socket.socket, code: int) -> None:
        self._listening = listening
        self._code = code
        self.failures = 0

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if self.failures == 0:
            self.failures += 1
            raise OSError(self._code, "cannot")
        return self._listening.accept()

    def fileno(self) -> int:
        return self._listening.fileno()

    def close(self) -> None:
        self._listening.close()


async def test_closed_while_it_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "PAUSE_S", 0.01)
    async with Taken() as it:
        failing = Failing(it.socket, errno.EMFILE)
        monkeypatch.setattr(it.acceptor, "_socket", failing)
        caller = it.call()
        await until(lambda: failing.failures == 1)
        it.acceptor.close()
        await asyncio.sleep(0.03)
        assert it.connections == []
        caller.close()


async def test_every_address_of_a_name_gets_the_same_port() -> None:
    sockets = await listening_sockets("localhost", 0, backlog=1, reuse_port=False)
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
        assert len({one.getsockname()[0] for one in sockets}) == len(sockets)
    finally:
        for one in sockets:
            one.close()


async def test_a_name_that_is_none() -> None:
    with pytest.raises(OSError):
        await listening_sockets("256.256.256.256", 0, backlog=1, reuse_port=False)

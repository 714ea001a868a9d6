"""Sockets from hand to hand: what arrives, who may, who waits for whom, and how much."""

from __future__ import annotations

import array
import asyncio
import errno
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confero.clock import FakeClock
from confero.errors import LocalError, RemoteError
from confero.runtime import giving, handover
from confero.runtime.giving import Giver
from confero.runtime.handover import Flags, Handed, Receiver, pack, receive, unpack

from ...support.waiting import until

CLIENT = ("192.0.2.7", 4711)


# --- messages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "handed",
    [Handed("https", CLIENT), Handed("x" * 64, ("fe80::1%eth0", 65_535), Flags.TLS_ENDED), Handed("turn", ("", 0))],
)
def test_messages(handed: Handed) -> None:
    assert unpack(pack(handed)) == handed


@pytest.mark.parametrize("handed", [Handed("", CLIENT), Handed("x" * 65, CLIENT), Handed("turn", ("x" * 65, 1))])
def test_what_does_not_fit(handed: Handed) -> None:
    with pytest.raises(LocalError):
        pack(handed)


GOOD = pack(Handed("https", CLIENT))


@pytest.mark.parametrize(
    "data",
    [b"", GOOD[:5], GOOD[:-1], GOOD + b"x", b"\x02" + GOOD[1:], GOOD[:1] + b"\x02" + GOOD[2:], GOOD[:-1] + b"\xff"],
)
def test_messages_that_are_none(data: bytes) -> None:
    with pytest.raises(RemoteError):
        unpack(data)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        unpack(data)
    except RemoteError:
        return
    assert pack(unpack(data)) == data


# --- one end and the other -------------------------------------------------------------------------------------------


class Taker:
    """A receiver that keeps what it gets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.got: list[tuple[socket.socket, str, tuple[str, int], Flags]] = []
        self.receiver: Receiver

    async def start(self) -> None:
        self.receiver = await receive(self.path, lambda *taken: self.got.append(taken))

    def stop(self) -> None:
        self.receiver.close()
        for connection, *_ in self.got:
            connection.close()


@pytest.fixture
async def taker(tmp_path: Path) -> AsyncIterator[Taker]:
    made = Taker(tmp_path / "run" / "taker.sock")
    yield made
    if hasattr(made, "receiver"):
        made.stop()


class Giving:
    """A giver, and what it was told."""

    def __init__(self, path: Path) -> None:
        self.clock = FakeClock()
        self.told: list[tuple[Handed, bool]] = []
        self.giver = Giver(path, self.clock, lambda handed, taken: self.told.append((handed, taken)))
        self.others: list[socket.socket] = []

    def give(self, kind: str = "https", flags: Flags = Flags.NONE) -> socket.socket:
        """The other end of a connection that is handed on."""
        ours, other = socket.socketpair()
        self.others.append(other)
        self.giver.give(ours, Handed(kind, CLIENT, flags))
        return other


@pytest.fixture
async def given_(taker: Taker) -> AsyncIterator[Giving]:
    made = Giving(taker.path)
    yield made
    made.giver.close()
    for other in made.others:
        other.close()


def ended(other: socket.socket) -> bool:
    other.setblocking(False)
    try:
        return other.recv(1) == b""
    except BlockingIOError:
        return False


async def test_a_connection_arrives_as_it_was(taker: Taker, given_: Giving) -> None:
    await taker.start()
    other = given_.give("tls", Flags.TLS_ENDED)
    other.send(b"unread")
    await until(lambda: len(taker.got) == 1)
    connection, kind, client, flags = taker.got[0]
    assert (kind, client, flags) == ("tls", CLIENT, Flags.TLS_ENDED)
    assert connection.gettimeout() == 0 and not os.get_inheritable(connection.fileno())
    assert connection.recv(10) == b"unread"
    assert given_.told == [(Handed("tls", CLIENT, Flags.TLS_ENDED), True)]
    given_.giver.close()
    connection.send(b"still open")
    assert other.recv(20) == b"still open", "the giver's end does not matter any more"


async def test_the_file_is_its_owners_alone(taker: Taker) -> None:
    await taker.start()
    assert stat.S_IMODE(taker.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(taker.path.parent.stat().st_mode) == 0o700
    assert [one.name for one in taker.path.parent.iterdir()] == ["taker.sock"]


async def test_many_in_order(taker: Taker, given_: Giving) -> None:
    await taker.start()
    for number in range(200):
        given_.give(f"k{number}")
    await until(lambda: len(taker.got) == 200)
    assert [kind for _, kind, _, _ in taker.got] == [f"k{number}" for number in range(200)]


async def test_who_comes_while_the_taker_restarts_waits(taker: Taker, given_: Giving) -> None:
    await taker.start()
    given_.give("before")
    await until(lambda: len(taker.got) == 1)
    taker.receiver.close()
    others = [given_.give("meanwhile") for _ in range(3)]
    assert len(given_.giver) == 3 and not any(map(ended, others))
    await taker.start()
    await until(lambda: len(taker.got) == 4)
    assert [taken for _, taken in given_.told] == [True] * 4


async def test_patience_ends_and_begins_again(taker: Taker, given_: Giving) -> None:
    other = given_.give()
    given_.clock.advance(giving.PATIENCE_S - 0.1)
    await asyncio.sleep(3 * giving.RETRY_S)
    assert not ended(other)
    given_.clock.advance(0.2)
    await until(lambda: ended(other))
    assert ended(given_.give()), "from then on at once"
    await taker.start()
    given_.give()
    await until(lambda: len(taker.got) == 1)
    assert [taken for _, taken in given_.told] == [False, False, True]
    taker.receiver.close()
    await until(lambda: not given_.giver.is_there())
    assert not ended(given_.give())


async def test_so_many_wait_and_no_more(given_: Giving) -> None:
    others = [given_.give() for _ in range(giving.WAITING + 1)]
    assert ended(others[-1]) and not any(map(ended, others[:-1]))
    given_.giver.close()
    assert all(map(ended, others))


async def test_a_taker_that_hangs_is_given_up(taker: Taker, given_: Giving) -> None:
    with listening(taker.path):
        for _ in range(2 * giving.WAITING):
            given_.give()
            if len(given_.giver) == 2:
                break
        assert len(given_.giver) == 2, "the kernel's queue is full"
        given_.clock.advance(giving.PATIENCE_S + 1)
        await until(lambda: len(given_.giver) == 0)
        assert [taken for _, taken in given_.told[-2:]] == [False, False]


def listening(path: Path) -> socket.socket:
    """Somebody who listens there, and never takes."""
    path.parent.mkdir(exist_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made.bind(str(path))
    made.listen()
    return made


async def test_strangers_are_neither_given_to_nor_taken_from(
    taker: Taker, given_: Giving, monkeypatch: pytest.MonkeyPatch
) -> None:
    await taker.start()
    monkeypatch.setattr(handover, "peer_uid", lambda _: 12_345)
    given_.give()
    await until(lambda: not taker.receiver._givers and given_.giver._channel is None)
    await asyncio.sleep(0.05)
    assert taker.got == []
    monkeypatch.setattr(giving, "peer_uid", lambda _: 12_345)
    assert not given_.giver.is_there()


async def test_the_kernel_says_who_it_is() -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        assert handover.peer_uid(one) == os.geteuid()
    assert handover.trusted([5]) == {os.geteuid(), 5}


@asynccontextmanager
async def speaking_to(taker: Taker) -> AsyncIterator[Callable[[bytes, list[int]], None]]:
    """Whoever is at the other end may send what it likes."""
    await taker.start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel:
        channel.connect(str(taker.path))

        def send(data: bytes, descriptors: list[int]) -> None:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
            channel.sendmsg([data], rights)

        yield send
        await until(lambda: not taker.receiver._givers)
        assert taker.got == []


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_messages_that_are_not_understood_end_the_giver_and_leave_no_descriptor(taker: Taker) -> None:
    reading, writing = os.pipe()
    datagram = socket.socket(type=socket.SOCK_DGRAM)
    stream = socket.socket()
    with datagram, stream:
        wrong: list[tuple[bytes, list[int]]] = [
            (GOOD, [reading]),
            (GOOD, []),
            (GOOD, [stream.fileno(), stream.fileno()]),
            (GOOD, [stream.fileno()] * 10),
            (GOOD, [datagram.fileno()]),
            (b"nonsense", [stream.fileno()]),
            (GOOD + bytes(1000), [stream.fileno()]),
        ]
        for data, descriptors in wrong:
            async with speaking_to(taker) as send:
                before = open_files()
                send(data, descriptors)
            taker.stop()
            assert open_files() < before, (data, descriptors)
    os.close(reading)
    os.close(writing)


async def test_no_more_givers_than_so_many(taker: Taker) -> None:
    await taker.start()
    givers = [Giving(taker.path) for _ in range(handover.GIVERS + 1)]
    for one in givers:
        assert one.giver.is_there()
        await asyncio.sleep(0)
    await until(lambda: not all(one.giver._channel for one in givers))
    assert len(taker.receiver._givers) == handover.GIVERS
    for one in givers:
        one.giver.close()


async def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "x.sock", tmp_path / ("x" * 120)):
        with pytest.raises(LocalError, match="cannot listen at"):
            await receive(path, lambda *_: None)


async def test_without_descriptors_a_connection_is_lost_and_the_giver_stays(
    taker: Taker, given_: Giving, monkeypatch: pytest.MonkeyPatch
) -> None:
    await taker.start()
    true = handover._receive

    def cut(giver: socket.socket) -> tuple[bytes, list[int], bool]:
        data, descriptors, _ = true(giver)
        handover._close(descriptors)
        return data, [], True

    monkeypatch.setattr(handover, "_receive", cut)
    other = given_.give()
    await until(lambda: taker.receiver.lost == 1)
    assert ended(other)
    monkeypatch.setattr(handover, "_receive", true)
    given_.give()
    await until(lambda: len(taker.got) == 1)


class Exhausted:
    """A listening socket that fails once."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.failures = 0

    def accept(self) -> tuple[socket.socket, object]:
        if self.failures == 0:
            self.failures += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._listening.accept()

    def fileno(self) -> int:
        return self._listening.fileno()

    def close(self) -> None:
        self._listening.close()


async def test_without_descriptors_a_giver_is_taken_on_later(
    taker: Taker, given_: Giving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "PAUSE_S", 0.05)
    await taker.start()
    failing = Exhausted(taker.receiver._listening)
    monkeypatch.setattr(taker.receiver, "_listening", failing)
    given_.give()
    await until(lambda: len(taker.got) == 1)
    assert failing.failures == 1

"""Our TURN client against coturn, over UDP and TCP: what the doctor and the probes speak is what others understand."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import SystemRandom

import pytest
import pytest_asyncio

from confero.protocols.stun import Method
from confero.protocols.stun import attributes as a
from confero.protocols.turn import TurnClient
from confero.protocols.turn.client import Answered, Data, Event, Failed

HOST = "127.0.31.1"
PORT = 3478
WAIT_S = 10.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coturn(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    home = tmp_path_factory.mktemp("coturn")
    process = await asyncio.create_subprocess_exec(
        *(shutil.which("turnserver") or "turnserver", "-n", f"--listening-ip={HOST}", f"--relay-ip={HOST}"),
        *(f"--listening-port={PORT}", "--allow-loopback-peers", "--lt-cred-mech", "--user=ann:secret", "--realm=test"),
        *("--no-cli", "--no-tls", "--no-dtls", "--log-file=stdout", f"--pidfile={home}/pid", f"--userdb={home}/db"),
        stdout=(home / "log").open("wb"),
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        await up()
        yield home
    finally:
        process.terminate()
        await process.wait()


async def up() -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, PORT)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


class Caller:
    """The client machine with a socket."""

    def __init__(self, sock: socket.socket, *, password: str = "secret") -> None:
        self.sock = sock
        self.loop = asyncio.get_running_loop()
        stream = sock.type == socket.SOCK_STREAM
        self.turn = TurnClient(SystemRandom(), username="ann", password=password, reliable=stream)

    async def event(self) -> Event:
        """The next one; what has to be sent is sent."""
        async with asyncio.timeout(WAIT_S):
            while (found := self.turn.next_event()) is None:
                await self.flush()
                self.turn.receive(await self.loop.sock_recv(self.sock, 65_536), self.loop.time())
                await self.flush()
        return found

    async def flush(self) -> None:
        for data in self.turn.data_to_send():
            await self.loop.sock_sendall(self.sock, data)

    async def answered(self, method: Method) -> Answered:
        event = await self.event()
        assert isinstance(event, Answered) and event.method == method, event
        return event


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        sock.setblocking(False)
        yield sock


async def connected(kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (HOST, PORT))
    return sock


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
async def test_relayed_both_ways(coturn: Path, kind: socket.SocketKind, peer: socket.socket) -> None:
    """Binding, Allocate with its 401, a permission, an indication each way, a channel each way, and the end."""
    loop = asyncio.get_running_loop()
    with await connected(kind) as sock:
        caller = Caller(sock)
        turn, there = caller.turn, peer.getsockname()
        turn.binding(loop.time())
        await caller.answered(Method.BINDING)
        assert turn.mapped == sock.getsockname()
        turn.allocate(loop.time(), a.LIFETIME.of(900))
        await caller.answered(Method.ALLOCATE)
        assert turn.lifetime == 900 and turn.relayed[0][0] == HOST
        turn.create_permission(loop.time(), there)
        await caller.answered(Method.CREATE_PERMISSION)
        turn.send(there, b"by an indication")
        await caller.flush()
        assert await loop.sock_recvfrom(peer, 100) == (b"by an indication", turn.relayed[0])
        await loop.sock_sendto(peer, b"back", turn.relayed[0])
        assert await caller.event() == Data(there, b"back")
        turn.bind_channel(loop.time(), 0x4000, there)
        await caller.answered(Method.CHANNEL_BIND)
        turn.send_on(0x4000, b"by a channel")
        await caller.flush()
        assert await loop.sock_recvfrom(peer, 100) == (b"by a channel", turn.relayed[0])
        await loop.sock_sendto(peer, b"and back", turn.relayed[0])
        assert await caller.event() == Data(there, b"and back")
        turn.refresh(loop.time(), 0)
        await caller.answered(Method.REFRESH)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_password(coturn: Path) -> None:
    with await connected(socket.SOCK_STREAM) as sock:
        caller = Caller(sock, password="wrong")
        caller.turn.allocate(caller.loop.time())
        event = await caller.event()
        assert isinstance(event, Failed) and event.code == 401

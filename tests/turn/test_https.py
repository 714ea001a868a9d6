"""What begins with something that is not STUN: HTTP inside of TLS goes to the application server, all else ends."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from confero.clock import SystemClock
from confero.relay import Client, NotStun, RelayBusy
from confero.runtime.handover import Address, Flags, receive
from confero.turn.https import HttpsInside

from ..support.waiting import until

REQUEST = b"GET /r/lobby HTTP/1.1\r\nHost: meet.example\r\n"


class Joined:
    """Joins a connection to a descriptor; ``busy`` refuses."""

    def __init__(self) -> None:
        self.busy = False
        self.joined: dict[int, socket.socket] = {}
        self.ended: list[int] = []

    def join(self, connection: int, fd: int) -> None:
        if self.busy:
            raise RelayBusy("busy")
        self.joined[connection] = socket.socket(fileno=fd)

    def hang_up(self, connection: int) -> None:
        self.ended.append(connection)


def begins(data: bytes, transport: str = "tls") -> NotStun:
    return NotStun(Client(transport, ("192.0.2.1", 4000), ("198.51.100.1", 443), 7), data)  # type: ignore[arg-type]


async def test_the_application_server_gets_the_inside_with_the_clients_address(tmp_path: Path) -> None:
    got: list[tuple[socket.socket, str, Address, Flags]] = []
    receiver = await receive(tmp_path / "appserver.sock", lambda *about: got.append(about))
    path = Joined()
    https = HttpsInside(path, tmp_path, SystemClock())
    https.decide(begins(REQUEST))
    await until(lambda: got, "the connection")
    ((connection, kind, client, flags),) = got
    assert (kind, client, flags) == ("https", ("192.0.2.1", 4000), Flags.TLS_ENDED)
    path.joined[7].send(REQUEST)
    assert await asyncio.get_running_loop().sock_recv(connection, 100) == REQUEST
    assert https.given == 1 and not path.ended
    connection.close()
    path.joined[7].close()
    receiver.close()
    https.close()


@pytest.mark.parametrize(
    ("data", "transport"), [(REQUEST, "tcp"), (b"SSH-2.0-x\r\n", "tls"), (b"\x80\x00", "tls"), (b"GETS ", "tls")]
)
async def test_what_is_no_such_thing_ends(tmp_path: Path, data: bytes, transport: str) -> None:
    path = Joined()
    https = HttpsInside(path, tmp_path, SystemClock())
    https.decide(begins(data, transport))
    assert path.ended == [7] and https.ended == 1
    https.close()


async def test_without_a_front_door_and_without_room_it_ends(tmp_path: Path) -> None:
    path = Joined()
    alone = HttpsInside(path, None, SystemClock())
    alone.decide(begins(REQUEST))
    assert path.ended == [7]
    path.busy = True
    https = HttpsInside(path, tmp_path, SystemClock())
    https.decide(begins(REQUEST))
    assert path.ended == [7, 7] and not path.joined
    https.close()

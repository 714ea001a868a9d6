"""A relay with real sockets on loopback, clients that speak TURN's framing, and peers; the tables are set by hand."""

from __future__ import annotations

import os
import select
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from confero.relay import Adopt, Client, Disconnected, Event, NotStun, Relay, RelayConfig, Request

SERVER, CLIENT, PEER, RELAYED = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"
PATIENCE_S = 10.0
COOKIE = 0x2112A442
E = TypeVar("E", bound=Event)


def udp(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, port))
    s.settimeout(PATIENCE_S)
    return s


def stun(kind: int, *attributes: tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack("!HH", t, len(v)) + v + bytes(-len(v) % 4) for t, v in attributes)
    return struct.pack("!HHI", kind, len(body), COOKIE) + os.urandom(12) + body


def allocate() -> bytes:
    """Any request will do: what it says is the service's to read."""
    return stun(0x0003)


def channel(number: int, data: bytes, *, padded: bool = False) -> bytes:
    return struct.pack("!HH", number, len(data)) + data + (bytes(-len(data) % 4) if padded else b"")


def xor(host: str, port: int, txid: bytes) -> bytes:
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    key = struct.pack("!I", COOKIE) + txid
    masked = bytes(a ^ b for a, b in zip(packed, key, strict=False))
    return struct.pack("!BBH", 0, 1 if len(packed) == 4 else 2, port ^ COOKIE >> 16) + masked


def send_indication(peer: tuple[str, int], data: bytes, *more: tuple[int, bytes]) -> bytes:
    empty = stun(0x0016)
    txid = empty[8:20]
    attributes = ((0x0012, xor(*peer[:2], txid)), (0x0013, data), *more)
    body = b"".join(struct.pack("!HH", t, len(v)) + v + bytes(-len(v) % 4) for t, v in attributes)
    return struct.pack("!HHI", 0x0016, len(body), COOKIE) + txid + body


def read_data_indication(message: bytes) -> tuple[tuple[str, int], bytes]:
    """The peer and the data of a Data indication; anything else is an error."""
    kind, length, cookie = struct.unpack("!HHI", message[:8])
    assert (kind, length, cookie) == (0x0017, len(message) - 20, COOKIE)
    found: dict[int, bytes] = {}
    at = 20
    while at < len(message):
        t, size = struct.unpack("!HH", message[at : at + 4])
        found[t] = message[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4
    family, port = struct.unpack("!xBH", found[0x0012][:4])
    key = struct.pack("!I", COOKIE) + message[8:20]
    packed = bytes(a ^ b for a, b in zip(found[0x0012][4:], key, strict=False))
    host = socket.inet_ntop(socket.AF_INET if family == 1 else socket.AF_INET6, packed)
    return (host, port ^ COOKIE >> 16), found[0x0013]


class Rig:
    """The relay, what listens, and the events in their order."""

    def __init__(self, relay: Relay, address: tuple[str, int]) -> None:
        self.relay = relay
        self.address = address
        self.waiting: list[Event] = []

    def event(self, kind: type[E]) -> E:
        """The next event of this kind; others before it wait."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for event in self.waiting:
                if isinstance(event, kind):
                    self.waiting.remove(event)
                    return event
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.relay], [], [], left)[0], f"no {kind.__name__}: {self.waiting}"
            self.waiting += self.relay.events()

    def udp_client(self, host: str = CLIENT) -> tuple[socket.socket, Client]:
        s = udp(host)
        s.sendto(allocate(), self.address)
        return s, self.event(Request).client

    def open(
        self, client: Client, relayed: str = RELAYED, seconds: float = 60, rate: int = 0
    ) -> tuple[int, tuple[str, int]]:
        s = udp(relayed)
        address = s.getsockname()[:2]
        fd = s.detach()
        pair = (None, fd) if ":" in relayed else (fd, None)
        number = self.relay.open(client, self.until(seconds), relay4=pair[0], relay6=pair[1], bytes_per_second=rate)
        return number, address

    def until(self, seconds: float) -> float:
        return self.relay.now() + seconds

    def settle(self, client: Client, s: socket.socket) -> None:
        """Until all that was ordered before has been done."""
        self.relay.reply(client, b"\x01\x03\x00\x00done")
        assert s.recv(100).endswith(b"done")

    def dropped(self, reason: str, at_least: int = 1) -> int:
        """Waits until so many have been dropped for this reason."""
        deadline = time.monotonic() + PATIENCE_S
        while (n := self.relay.stats().drops[reason]) < at_least:
            assert time.monotonic() < deadline, (reason, self.relay.stats())
            time.sleep(0.002)
        return n

    def connect(self, how: Adopt = Adopt.SNIFF, host: str = CLIENT) -> tuple[socket.socket, int]:
        """A client's end of a TCP connection that the relay has adopted, and its number."""
        with socket.create_server((SERVER, 0)) as server:
            s = socket.create_connection(server.getsockname(), timeout=PATIENCE_S, source_address=(host, 0))
            accepted, _ = server.accept()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s, self.relay.adopt(accepted.detach(), how)

    def tls(self, context: ssl.SSLContext, host: str = CLIENT) -> tuple[ssl.SSLSocket, int]:
        s, number = self.connect(Adopt.SNIFF, host)
        return context.wrap_socket(s, server_hostname="turn.test"), number

    def not_stun(self) -> NotStun:
        return self.event(NotStun)

    def disconnected(self) -> Disconnected:
        return self.event(Disconnected)


def read_exactly(s: socket.socket, n: int) -> bytes:
    data = bytearray()
    while len(data) < n:
        more = s.recv(n - len(data))
        assert more, f"{len(data)} bytes and the end, not {n}"
        data += more
    return bytes(data)


def ended(s: socket.socket) -> bool:
    """Nothing comes but the end; a reset, where bytes were left unread, is one."""
    try:
        return s.recv(100) == b""
    except ConnectionResetError:
        return True


def read_channel(s: socket.socket) -> tuple[int, bytes]:
    """A ChannelData message of a stream, its padding taken away."""
    number, size = struct.unpack("!HH", read_exactly(s, 4))
    return number, read_exactly(s, size + -size % 4)[:size]


@contextmanager
def running(host: str = SERVER, config: RelayConfig | None = None) -> Iterator[Rig]:
    relay = Relay(config or RelayConfig(connections=64))
    s = udp(host)
    address = s.getsockname()[:2]
    relay.listen(s.detach())
    with relay:
        yield Rig(relay, address)

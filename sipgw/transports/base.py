"""What all transports have in common: who is told of messages and failures, and what bounds there are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Protocol

from confero.protocols.sip.target import Target

MAX_MESSAGE = 65_535
"""Bytes of a message: what a datagram can hold; streams get no more."""
MAX_WAITING = 256 * 1024
"""Bytes that may wait for a peer that reads slowly; beyond it its connection is cut, and its transactions fail."""
CONNECT_S = 5.0
"""For a connection of ours, TLS included."""
IDLE_S = 300.0
"""A connection on which nothing has come for this long is closed; phones keep theirs with CRLF every 95-120 s (RFC 5626 4.4.1)."""
CONNECTIONS = 4096
"""At once, over all stream transports."""
PER_SOURCE = 512
"""Connections from one IPv4 address or IPv6 /64: a PBX that opens one for each call, not a flood."""


_numbers = count(1 << 20)
"""Beyond those of UDP sockets."""


def next_connection() -> int:
    """A number for a connection, new over all transports and for the life of the process."""
    return next(_numbers)


class Receiver(Protocol):
    """Whom transports tell; in the event loop, and never from within a call of ``send``."""

    def received(self, data: bytes, source: Target) -> None:
        """A whole message; over UDP whatever a datagram held."""
        ...

    def failed(self, target: Target, reason: str) -> None:
        """What was sent to ``target`` last may not have arrived, and nothing will on its connection."""
        ...


@dataclass(frozen=True)
class Local:
    """Where a transport listens, as peers may reach it."""

    address: str
    port: int


def authority(host: str, port: int) -> str:
    """``host:port``, IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

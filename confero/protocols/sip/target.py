"""Where bytes go, or where they came from: a transport, an address, and the connection if there is one."""

from __future__ import annotations

from typing import Literal, NamedTuple

Transport = Literal["udp", "tcp", "tls", "ws", "wss"]

DEFAULT_PORTS: dict[Transport, int] = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
"""RFC 3261 section 18.2.2 and RFC 7118 section 4: where a Via without port listens."""


class Target(NamedTuple):
    """One end of a hop. A named tuple: it is a key of tables that are used for every message."""

    transport: Transport
    host: str
    """An address, without brackets for IPv6."""
    port: int
    connection: int | None = None
    """The owner's number of an open connection; None asks for UDP, or for whatever connection leads there."""

    @property
    def reliable(self) -> bool:
        return self.transport != "udp"

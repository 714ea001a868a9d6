"""Who speaks to a TURN server and what it has to give: clients, relayed addresses, and who hands these out."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from confero.protocols.stun import Address, family_of

Transport = Literal["udp", "tcp", "tls"]
"""Between client and server; TLS is over TCP."""
UDP, TCP = 17, 6
"""What REQUESTED-TRANSPORT says: between server and peers. IP protocol numbers."""
PortRange = tuple[int, int]
"""First and last port."""
PortRanges = tuple[PortRange, ...]


class Client(NamedTuple):
    """A 5-tuple, as the data path names it: the key of an allocation (RFC 8656 section 6)."""

    transport: Transport
    peer: Address
    """Where the client is. IPv4 is never written as IPv6."""
    local: Address
    """Where it was heard."""
    connection: int = 0
    """Which TCP connection; 0 for UDP."""
    thread: int = 0
    """The data path's thread that heard it."""


class Relay(NamedTuple):
    """A relayed address, with a socket behind it."""

    handle: int
    """What its owner knows it by: a file descriptor, say."""
    protocol: int
    address: Address
    """As clients and peers are told: the external one, where the socket's own is internal."""

    @property
    def family(self) -> int:
        return family_of(self.address[0])


class Ports(Protocol):
    """Who hands out relayed addresses. Neither call waits for anything."""

    def reserve(
        self, family: int, protocol: int = UDP, *, even: bool = False, pair: bool = False
    ) -> tuple[Relay, ...] | None:
        """A free address; with ``even`` of an even port; with ``pair`` two, the even one and the next above.

        None: there is no such address left.
        """
        ...

    def release(self, relay: Relay) -> None:
        """It is not needed any more. The data path may hold its socket until it has done the ``Close`` or ``Drop`` before."""
        ...


class Random(Protocol):
    """A source of unguessable bytes."""

    def randbytes(self, n: int, /) -> bytes: ...

"""What crosses between the relay and the service: clients, events, counters, and the relay's configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, NamedTuple, Protocol

from confero.media._core import lib

Address = tuple[str, int]
"""A literal IPv4 or IPv6 address and a port. IPv4 is never written as IPv6."""
Transport = Literal["udp", "tcp", "tls"]
TRANSPORTS: tuple[Transport, ...] = ("udp", "tcp", "tls")
"""By their number in C."""
DROPS = (
    *("malformed", "no_allocation", "no_channel", "no_permission", "port", "family", "rate", "rate_total", "slow"),
    *("gone", "too_big", "send", "events"),
)
"""Why a packet was not relayed or a request not handed up, by their number in C (``enum cf_relay_drop``)."""


class Flow(Protocol):
    """A client's flow, whoever names it."""

    @property
    def transport(self) -> Transport: ...
    @property
    def peer(self) -> Address: ...
    @property
    def local(self) -> Address: ...
    @property
    def connection(self) -> int: ...
    @property
    def thread(self) -> int: ...


class Client(NamedTuple):
    """A client's flow as the relay names it."""

    transport: Transport
    peer: Address
    local: Address
    """The address that was asked."""
    connection: int = 0
    """The number of a TCP connection; 0 for UDP."""
    thread: int = 0


class Adopt(IntEnum):
    """What a TCP connection is taken for."""

    PLAIN = lib.CF_ADOPT_PLAIN
    TLS = lib.CF_ADOPT_TLS
    SNIFF = lib.CF_ADOPT_SNIFF
    """Its first byte tells."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What an allocation, or a transport, has relayed; bytes are payload."""

    to_peer_packets: int = 0
    to_peer_bytes: int = 0
    to_client_packets: int = 0
    to_client_bytes: int = 0
    drops: dict[str, int] = field(default_factory=dict)
    """By reason (:data:`DROPS`); of an allocation only."""


@dataclass(frozen=True, slots=True)
class Request:
    """STUN that is no indication of data: the TURN server's to answer."""

    client: Client
    data: bytes


@dataclass(frozen=True, slots=True)
class NotStun:
    """A connection begins with something else, and waits for :meth:`Relay.join` or :meth:`Relay.hang_up`."""

    client: Client
    data: bytes
    """Its first bytes, at most 1,500; they are not used up."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A connection has ended; its allocations relay nothing more."""

    client: Client
    reason: int
    """0: hung up by us; else an errno."""


@dataclass(frozen=True, slots=True)
class Closed:
    """An allocation is gone."""

    allocation: int
    reason: int
    """0: it was closed; else the errno that says why it never came to be."""
    traffic: Traffic


Event = Request | NotStun | Disconnected | Closed


@dataclass(frozen=True, slots=True)
class RelayStats:
    """Counters of a thread, or of all."""

    by_transport: dict[str, Traffic]
    drops: dict[str, int]
    """By reason (:data:`DROPS`)."""
    requests: int
    replies: int
    allocations: int
    """Now."""
    connections: int
    """Now, without those that have not said anything yet."""
    accepted: int
    refused: int
    """Connections, for want of room."""
    timed_out: int
    """Connections that were silent for too long."""
    handshakes: int
    handshakes_failed: int
    joined: int
    receive_drops: int
    """Datagrams that the kernel dropped because a listening socket's buffer was full."""
    turns: int
    """Times that a thread woke up."""


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """How much the relay holds, and how long it waits."""

    threads: int = 1
    """Each with its own listening sockets and allocations, 1 to 64."""
    allocations: int = 16384
    """Of one thread."""
    permissions: int = 64
    """Of one allocation; the same number of channels. More are not installed."""
    connections: int = 4096
    """Of one thread."""
    handshakes: int = 512
    """Connections that have not said anything yet, or shake hands; beyond, the oldest of them is closed."""
    handshakes_source: int = 64
    """Of these, from one IPv4 address or IPv6 /64; beyond, the new one is closed."""
    first_message_s: float = 5.0
    """As long as a connection may take to its first whole message."""
    idle_s: float = 60.0
    """A connection without an allocation that says nothing is closed."""
    bytes_per_second: int = 0
    """Relayed by all allocations, each way; 0: no limit."""
    rest_ms: float = 0.75
    """The longest rest between two turns of a thread that has much to do: fewer wake-ups, that much delay. 0 to 1."""

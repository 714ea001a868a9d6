"""What the server machine wants done, in order: replies to clients, entries of the data path's tables, and news.

Times are of the machine's clock, in seconds; from that moment on the entry is void. An allocation's entries end with it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from confero.protocols.stun import Address

from .types import Client, PortRanges, Relay

Reason = Literal["expired", "deleted", "connection lost", "relay failed", "closed by operator"]


class Reply(NamedTuple):
    """Send it where the request came from."""

    client: Client
    data: bytes


class Open(NamedTuple):
    """Relay between this client and what is permitted."""

    allocation: int
    client: Client
    relays: tuple[Relay, ...]
    """One, or one of each family (RFC 8656: a dual allocation)."""
    until: float
    bytes_per_s: int
    """To and from peers, each; 0: no limit."""


class Refresh(NamedTuple):
    """The relayed address of this family lives until then."""

    allocation: int
    family: int
    until: float
    longest: float
    """Until when the longest-lived of its relayed addresses does: for a data path that knows one time for both."""


class Drop(NamedTuple):
    """Of two relayed addresses this one goes, with permissions and channels of its family."""

    allocation: int
    family: int


class Close(NamedTuple):
    """Forget the allocation and all that belongs to it."""

    allocation: int
    reason: Reason


class Permit(NamedTuple):
    """Peers at this address may be sent to and heard."""

    allocation: int
    ip: str
    until: float
    ports: PortRanges
    """On these ports only; empty: on all. Each packet is to be checked, as permissions themselves are by address."""


class Bind(NamedTuple):
    """This channel is this peer. A ``Permit`` goes before it."""

    allocation: int
    channel: int
    peer: Address
    until: float


class Connect(NamedTuple):
    """Open a TCP connection from the relayed address (RFC 6062); tell ``Server.connected`` what came of it."""

    allocation: int
    connection: int
    peer: Address


class Join(NamedTuple):
    """Say ``data`` to this client connection; what it says from then on goes to the peer's connection, and back.

    Both in one: what a client answers at once is the peer's already.
    """

    client: Client
    connection: int
    allocation: int
    data: bytes


class Disconnect(NamedTuple):
    """Close a peer's connection, and the client's that is joined to it."""

    connection: int


class Opened(NamedTuple):
    """An allocation was made."""

    allocation: int
    user: str
    client: Client
    relays: tuple[Relay, ...]


class Closed(NamedTuple):
    """An allocation has ended."""

    allocation: int
    user: str
    reason: Reason
    seconds: float
    """How long it lived."""


class Denied(NamedTuple):
    """A request was refused for a reason that an operator may want to see: credentials, peers, quotas, ports."""

    client: Client
    method: int
    code: int
    detail: str
    user: str = ""
    """Whose request it was, as far as that is proven."""


Event = Opened | Closed | Denied


class Told(NamedTuple):
    """Nothing is to be done."""

    event: Event


Action = Reply | Open | Refresh | Drop | Close | Permit | Bind | Connect | Join | Disconnect | Told

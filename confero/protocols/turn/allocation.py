"""An allocation and what belongs to it: relayed addresses, permissions, channels, connections to peers (RFC 8656 section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from confero.protocols.stun import Address, family_of

from .auth import Proven
from .types import TCP, Client, Relay

if TYPE_CHECKING:
    from .connections import PeerConnection

CHANNEL_REST_S = 300.0
"""How long an expired channel means nobody but whom it meant (section 12): late packets are not to reach somebody else."""


class Lease(NamedTuple):
    """A relayed address and its time-to-expiry."""

    relay: Relay
    until: float


class Channel(NamedTuple):
    """Whom a channel means, and until when; it rests for ``CHANNEL_REST_S`` after that."""

    peer: Address
    until: float


class Allocation:
    """What the server knows of one 5-tuple. Entries whose time has come are void, whether they are still there or not."""

    __slots__ = (
        *("_numbers", "channels", "client", "connections", "holder", "id", "leases", "made", "permissions", "reply"),
        "wakes_at",
    )

    def __init__(self, number: int, client: Client, holder: Proven, leases: dict[int, Lease], made: float) -> None:
        self.id = number
        self.client = client
        self.holder = holder
        """Whose it is: all requests must be of this name (section 5)."""
        self.leases = leases
        """By address family, one or two."""
        self.made = made
        self.reply = b""
        """What the Allocate request was answered, for when it is repeated."""
        self.permissions: dict[str, float] = {}
        """Until when, by address."""
        self.channels: dict[int, Channel] = {}
        self._numbers: dict[Address, int] = {}
        """Channels by their peers."""
        self.connections: dict[Address, PeerConnection] = {}
        """Over TCP, by their peers (RFC 6062)."""
        self.wakes_at: float | None = None

    @property
    def protocol(self) -> int:
        """UDP or TCP, between server and peers."""
        return next(iter(self.leases.values())).relay.protocol

    @property
    def is_tcp(self) -> bool:
        return self.protocol == TCP

    def channel_of(self, peer: Address) -> int | None:
        """Which channel means this peer, resting ones included."""
        return self._numbers.get(peer)

    def bind(self, number: int, peer: Address, until: float) -> None:
        """What channel and peer meant before is forgotten."""
        old = self.channels.get(number)
        if old is not None:
            self._numbers.pop(old.peer, None)
        other = self._numbers.get(peer)
        if other is not None:
            self.channels.pop(other, None)
        self.channels[number] = Channel(peer, until)
        self._numbers[peer] = number

    def forget_family(self, family: int) -> None:
        """A relayed address goes, with its permissions and channels (RFC 8656 section 8.1)."""
        del self.leases[family]
        for ip in [ip for ip in self.permissions if family_of(ip) == family]:
            del self.permissions[ip]
        for number in [one for one, channel in self.channels.items() if family_of(channel.peer[0]) == family]:
            del self._numbers[self.channels.pop(number).peer]

    def forget_expired(self, now: float) -> float | None:
        """Drops what is void, and returns when the next entry will be; None if there is none."""
        for ip in [ip for ip, until in self.permissions.items() if until <= now]:
            del self.permissions[ip]
        for number in [one for one, channel in self.channels.items() if channel.until + CHANNEL_REST_S <= now]:
            del self._numbers[self.channels.pop(number).peer]
        ends = [*self.permissions.values(), *(one.until + CHANNEL_REST_S for one in self.channels.values())]
        return min([*ends, *(lease.until for lease in self.leases.values())], default=None)

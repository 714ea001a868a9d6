"""The rules of a TURN server, in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass

from confero.protocols.stun import IPV4, IPV6, Address, family_of, opaque_string
from confero.ratelimit import Rate

MAX_REALM = 32
"""Bytes. With a longer one the reply to a browser's first request would be more than ``REPLY_FACTOR`` times as large."""
REPLY_FACTOR = 2.5
"""How much larger than a request the reply may be as long as nobody has proven who asks."""
PACKET_HEAD = 28
"""Bytes of an IPv4 and a UDP head, which both have: the least that goes over the wire beside the message."""

STRANGERS = Rate(burst=200, per_s=50)
FAILURES = Rate(burst=100, per_s=5)


@dataclass(frozen=True)
class Settings:
    """What is granted, for how long, and how often."""

    realm: str = "confero"
    families: frozenset[int] = frozenset({IPV4})
    """Of relayed addresses: 1 is IPv4, 2 is IPv6."""
    tcp: bool = False
    """Relay TCP too (RFC 6062)."""
    dont_fragment: bool = True
    """The data path can set DF."""
    software: str = ""
    """Told in SOFTWARE to those who have proven themselves; nothing if empty."""
    default_lifetime_s: int = 600
    """RFC 8656 section 3.2; nobody gets less."""
    max_lifetime_s: int = 3600
    nonce_life_s: float = 600.0
    """Section 5 wants an hour at most."""
    reservation_s: float = 30.0
    """How long a port waits for who has its token; section 7.2 wants 30 s at least."""
    allocations: int = 16_000
    """In all: as many as there are ports."""
    allocations_per_user: int = 40
    """With reservations. A browser makes one for each URL and interface, and leaves them behind when its page is loaded anew."""
    permissions_per_allocation: int = 64
    channels_per_allocation: int = 64
    connections_per_allocation: int = 16
    """To peers, over TCP."""
    connections: int = 2048
    """Of these in all: each is a descriptor, and the kernel keeps for it what its client has not come for."""
    bytes_per_s: int = 0
    """To and from the peers of an allocation, each; 0: no limit."""
    strangers: Rate = STRANGERS
    """Replies over UDP to requests that are not proven, for one source: an office behind one address is one source."""
    failures: Rate = FAILURES
    """Wrong names and passwords of one source that are looked at."""

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if len(self.realm.encode()) > MAX_REALM or opaque_string(self.realm) != self.realm or '"' in self.realm:
            raise ValueError(f"a realm has at most {MAX_REALM} bytes, all of them to be seen, and no quotes")
        if not self.families or not self.families <= {IPV4, IPV6}:
            raise ValueError(f"families are 1 and 2, not {sorted(self.families)}")
        if not 1 <= self.default_lifetime_s <= self.max_lifetime_s:
            raise ValueError("the default lifetime is at least 1 s and at most the greatest")
        if not 0 < self.nonce_life_s <= 3600 or self.reservation_s < 30:
            raise ValueError("nonces live an hour at most, reservations 30 s at least")
        limits = (self.allocations, self.allocations_per_user, self.permissions_per_allocation)
        more = (self.channels_per_allocation, self.connections_per_allocation, self.connections)
        if min(*limits, *more) < 1 or self.bytes_per_s < 0:
            raise ValueError("limits are at least 1")

    @property
    def usual_family(self) -> int:
        """Of who names none: IPv4 (RFC 8656 section 7.2). IPv6 where nothing else is relayed: browsers never name one."""
        return IPV4 if IPV4 in self.families else IPV6


@dataclass(frozen=True)
class Alternate:
    """Another server that clients are sent to (RFC 8489 section 10)."""

    address: Address
    """Its port is of the transport that the client uses here."""
    domain: str = ""
    """The name in its certificate, if that is not ours."""

    @property
    def family(self) -> int:
        return family_of(self.address[0])

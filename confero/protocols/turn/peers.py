"""Which peers a client may reach: none in special-purpose networks in any spelling, but for what the operator names with its ports.

The networks are IANA's "IPv4/IPv6 Special-Purpose Address Registry" (RFC 6890), whole, with what has an IPv4 address inside.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from confero import ports
from confero.protocols.stun import Address

from .types import PortRange, PortRanges

Network = IPv4Network | IPv6Network

SPECIAL_IPV4: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this network (RFC 791)"),
    ("10.0.0.0/8", "private (RFC 1918)"),
    ("100.64.0.0/10", "shared by carriers (RFC 6598)"),
    ("127.0.0.0/8", "loopback (RFC 1122)"),
    ("168.63.129.16/32", "agents of virtual machines; not in the registry"),
    ("169.254.0.0/16", "link-local, metadata of clouds (RFC 3927)"),
    ("172.16.0.0/12", "private (RFC 1918)"),
    ("192.0.0.0/24", "protocol assignments (RFC 6890)"),
    ("192.0.2.0/24", "documentation (RFC 5737)"),
    ("192.31.196.0/24", "AS112 (RFC 7535)"),
    ("192.52.193.0/24", "AMT (RFC 7450)"),
    ("192.88.99.0/24", "6to4 relays, deprecated (RFC 7526)"),
    ("192.168.0.0/16", "private (RFC 1918)"),
    ("192.175.48.0/24", "AS112 (RFC 7534)"),
    ("198.18.0.0/15", "benchmarks (RFC 2544)"),
    ("198.51.100.0/24", "documentation (RFC 5737)"),
    ("203.0.113.0/24", "documentation (RFC 5737)"),
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("240.0.0.0/4", "reserved, and broadcast (RFC 1112)"),
)
SPECIAL_IPV6: tuple[tuple[str, str], ...] = (
    (
        "::/3",
        "nothing of it is global unicast (RFC 4291): unspecified, loopback, IPv4-compatible, -mapped, -translated",
    ),
    ("64:ff9b:1::/48", "NAT64 of local use (RFC 8215)"),
    ("100::/64", "discarded (RFC 6666)"),
    ("100:0:0:1::/64", "dummy prefix (RFC 9780)"),
    ("2001::/23", "protocol assignments: Teredo, benchmarks, ORCHID (RFC 2928)"),
    ("2001:db8::/32", "documentation (RFC 3849)"),
    ("2002::/16", "6to4 (RFC 3056), deprecated (RFC 7526)"),
    ("2620:4f:8000::/48", "AS112 (RFC 7534)"),
    ("3fff::/20", "documentation (RFC 9637)"),
    ("4000::/2", "not global unicast; segment routing (RFC 9602)"),
    ("8000::/1", "not global unicast: unique local, link-local, site-local, multicast (RFC 4193, 4291)"),
)
NAT64 = "64:ff9b::/96"
"""RFC 6052: an IPv4 address in its last 32 bits, which decides. The one of ``::/3`` that is global."""
ISATAP = (0x00005EFE, 0x02005EFE)
"""RFC 5214: an interface of this upper half has an IPv4 address for its lower one."""
NEVER = ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/96", "::ffff:0:0/96", "2002::/16", "2001::/32", "ff00::/8")
"""What no exception may name: nobody's address, everybody's, or another spelling of one."""
LOOPBACK = IPv6Network("::1")
"""It is among them, but means somebody."""
WIDEST = {4: 8, 6: 32}
"""Prefix lengths: an exception is for media servers."""
MAX_RANGES = 8
"""Port ranges that the data path checks for one address."""
MAX_KNOWN = 4096
ANY: PortRanges = ()


@dataclass(frozen=True)
class Reach:
    """An exception: these addresses may be reached on these UDP ports, whatever network they are in."""

    network: Network
    low: int
    high: int

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if not 1024 <= self.low <= self.high <= 65535:
            raise ValueError(f"{self}: ports are of 1024-65535, the lower one first")
        if self.network.prefixlen < WIDEST[self.network.version]:
            raise ValueError(f"{self}: wider than /{WIDEST[self.network.version]}")
        if self.network != LOOPBACK and any(_overlap(self.network, ip_network(one)) for one in NEVER):
            raise ValueError(f"{self}: nobody's own address, or not its own spelling")

    @classmethod
    def parse(cls, text: str) -> Reach:
        """``10.0.0.5:5000-15000``, ``10.0.0.0/24:5000-15000`` or ``[fd00::5]:5000-15000``. Raises ValueError."""
        where, _, span = text.strip().rpartition(":")
        low, dash, high = span.partition("-")
        high = high if dash else low
        if not where or not low.isdecimal() or not high.isdecimal():
            raise ValueError(f"{text!r}: an address or network and its ports are wanted, such as 10.0.0.5:5000-15000")
        if (":" in where) != (where.startswith("[") and where.endswith("]")):
            raise ValueError(f"{text!r}: an IPv6 address stands in brackets")
        return cls(ip_network(where.strip("[]")), int(low), int(high))

    def __str__(self) -> str:
        where = f"[{self.network}]" if self.network.version == 6 else str(self.network)
        return f"{where}:{self.low}-{self.high}"


def _overlap(one: Network, other: Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


class PeerPolicy:
    """Says of an address which ports of it may be reached.

    ``reach``: the exceptions. ``only``: nothing else is reached at all. ``own``: addresses of this machine and of services
    beside it, which are refused as special ones are. ``nat64``: prefixes of 96 bits of the network that the server is in.
    ``reserved``: ports that no exception opens; the fixed ports of the port map.
    """

    def __init__(
        self,
        reach: Iterable[Reach] = (),
        *,
        only: bool = False,
        own: Iterable[str] = (),
        nat64: Iterable[str] = (),
        reserved: Collection[int] | None = None,
    ) -> None:
        """Raises ValueError for what is no address, or for exceptions of more than ``MAX_RANGES`` ranges for one address."""
        self._reach = tuple(reach)
        self._only = only
        self._own = {ip_address(one) for one in own}
        self._nat64 = _Networks((NAT64, *nat64))
        self._reserved = ports.reserved() if reserved is None else frozenset(reserved)
        self._known: dict[str, tuple[PortRanges | None, PortRanges | None]] = {}
        for one in self._reach:
            self._excepted(one.network.network_address)

    def ports(self, ip: str, *, tcp: bool = False) -> PortRanges | None:
        """The ports that may be reached there, ``ANY`` of them if empty; None: none at all.

        ``ip`` is as Python writes it. ``tcp``: exceptions are for media over UDP and do not count.
        """
        known = self._known.get(ip)
        if known is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            known = self._known[ip] = self._judge(ip_address(ip))
        return known[tcp]

    def admits(self, peer: Address, *, tcp: bool = False) -> bool:
        """May this very peer be reached?"""
        found = self.ports(peer[0], tcp=tcp)
        if found is None or peer[1] == 0:
            return False
        return not found or any(low <= peer[1] <= high for low, high in found)

    def _judge(self, ip: IPv4Address | IPv6Address) -> tuple[PortRanges | None, PortRanges | None]:
        """For UDP and for TCP."""
        openly = ANY if not self._only and not self._is_special(ip) else None
        # An address that is open anyway stays so: an exception takes nothing away.
        return (openly if openly is not None else self._excepted(ip)), openly

    def _is_special(self, ip: IPv4Address | IPv6Address) -> bool:
        if ip in self._own:
            return True
        if isinstance(ip, IPv4Address):
            return ip in IPV4
        if ip in self._nat64:
            return self._is_special(IPv4Address(int(ip) & 0xFFFFFFFF))
        if int(ip) >> 32 & 0xFFFFFFFF in ISATAP and self._is_special(IPv4Address(int(ip) & 0xFFFFFFFF)):
            return True
        return ip in IPV6

    def _excepted(self, ip: IPv4Address | IPv6Address) -> PortRanges | None:
        spans = [(one.low, one.high) for one in self._reach if ip in one.network]
        ranges = _without(spans, self._reserved)
        if len(ranges) > MAX_RANGES:
            raise ValueError(f"{ip}: {len(ranges)} ranges of ports; {MAX_RANGES} are the limit")
        return ranges or None


class _Networks:
    """Networks of one family, merged and sorted, so that one search tells whether an address is in any."""

    def __init__(self, networks: Iterable[str]) -> None:
        spans = sorted((int(net[0]), int(net[-1])) for net in map(ip_network, networks))
        self._firsts = [first for first, _ in spans]
        self._lasts: list[int] = []
        for _, last in spans:
            self._lasts.append(max(last, self._lasts[-1] if self._lasts else last))

    def __contains__(self, ip: IPv4Address | IPv6Address) -> bool:
        at = bisect_right(self._firsts, int(ip)) - 1
        return at >= 0 and int(ip) <= self._lasts[at]


IPV4 = _Networks(network for network, _ in SPECIAL_IPV4)
IPV6 = _Networks(network for network, _ in SPECIAL_IPV6)


def _without(spans: Iterable[PortRange], reserved: Collection[int]) -> PortRanges:
    """The ports of all spans less the reserved ones, as few ranges, in order."""
    found: list[PortRange] = []
    at = 0
    for low, high in sorted(spans):
        first = max(low, at)
        for stop in sorted(port for port in reserved if first <= port <= high):
            _join(found, first, stop - 1)
            first = stop + 1
        _join(found, first, high)
        at = max(at, high + 1)
    return tuple(found)


def _join(found: list[PortRange], first: int, last: int) -> None:
    if first > last:
        return
    if found and found[-1][1] + 1 == first:
        found[-1] = (found[-1][0], last)
    else:
        found.append((first, last))

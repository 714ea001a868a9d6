"""Where a SIP URI leads (RFC 3263): a machine that asks for DNS records and ends with the hops to try, in order.

It is a generator: each ``Question`` that it yields is answered by sending the records that were found, none being an empty
sequence. ``sipgw.resolve`` drives it with a resolver, tests with a table.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal, Protocol, TypeVar

from .target import DEFAULT_PORTS, Transport

SERVICES: dict[str, Transport] = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
"""NAPTR services (RFC 3263 section 4.1); SCTP and those of WebSocket servers are not for us."""
SRV_NAMES: dict[Transport, str] = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}
ORDER: tuple[Transport, ...] = ("udp", "tcp", "tls")
"""In which SRV records are asked for when there are no NAPTR records; a sips URI asks for the last only."""
MAX_HOPS = 16
"""More addresses than these are not tried: a caller waits up to 32 s for each."""
MAX_RECORDS = 64
"""Of one answer; what comes after them is not looked at."""


@dataclass(frozen=True)
class Destination:
    """What of a URI says where a request goes: ``maddr`` or host, and the parameters."""

    host: str
    """Name or address; an IPv6 address without its brackets."""
    port: int | None = None
    transport: Transport | None = None
    """As the URI's parameter says it; ``tls`` is written ``tcp`` with ``secure`` or, as older peers do, ``transport=tls``."""
    secure: bool = False
    """A sips URI: no hop without TLS."""


@dataclass(frozen=True)
class Hop:
    """One place to send to."""

    transport: Transport
    address: str
    port: int
    name: str = ""
    """The name whose certificate a TLS peer must show: the URI's host, not what DNS made of it (RFC 5922 section 7.2)."""


@dataclass(frozen=True)
class Naptr:
    """RFC 3403 section 4.1."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


@dataclass(frozen=True)
class Srv:
    """RFC 2782."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True)
class Question:
    """What is to be looked up; ``ADDRESS`` means A and AAAA, the answer to it is addresses in the order of preference."""

    kind: Literal["NAPTR", "SRV", "ADDRESS"]
    name: str


class Random(Protocol):
    """``random.Random`` is one."""

    def randint(self, low: int, high: int, /) -> int: ...


Record = TypeVar("Record", Naptr, Srv, str)
Answer = Sequence[Naptr] | Sequence[Srv] | Sequence[str]
Looking = Generator[Question, Answer, list[Hop]]


def locate(destination: Destination, random: Random, supported: Iterable[Transport] = ORDER) -> Looking:
    """The hops for a request, at most ``MAX_HOPS``; none: the name leads nowhere that we can reach.

    ``supported``: the transports that we have. ``random``: shares load among servers of one priority (RFC 2782).
    """
    have = frozenset(supported)
    transport = _explicit(destination)
    # 4.1: a transport that is given, an address or a port leave nothing to select.
    if transport is None and (is_address(destination.host) or destination.port is not None):
        transport = "tls" if destination.secure else "udp"
    if transport is not None:
        return (yield from _by_transport(destination, transport, random)) if transport in have else []
    return (yield from _by_naptr(destination, random, have))


def _explicit(destination: Destination) -> Transport | None:
    """4.1: the parameter; ``tcp`` of a sips URI is TLS over TCP, and ``udp`` cannot be had securely."""
    if destination.secure and destination.transport is not None:
        return "wss" if destination.transport in ("ws", "wss") else "tls"
    return destination.transport


def _by_transport(destination: Destination, transport: Transport, random: Random) -> Looking:
    """4.2: address and port for a transport that is settled."""
    host = destination.host
    if is_address(host):
        return [Hop(transport, host, destination.port or DEFAULT_PORTS[transport], host)]
    if destination.port is None and transport in SRV_NAMES:
        hops = yield from _by_srv(SRV_NAMES[transport] + host, transport, host, random)
        if hops:
            return hops
    return (yield from _by_name(host, transport, destination.port or DEFAULT_PORTS[transport], host))


def _by_naptr(destination: Destination, random: Random, have: frozenset[Transport]) -> Looking:
    """4.1: the domain's own preference among transports."""
    host = destination.host
    records = _of(Naptr, (yield Question("NAPTR", host)))
    hops: list[Hop] = []
    for record in sorted(records, key=lambda one: (one.order, one.preference)):
        transport = SERVICES.get(record.service.upper())
        if transport not in have or record.flags.lower() != "s" or (destination.secure and transport != "tls"):
            continue
        hops += yield from _by_srv(record.replacement.rstrip("."), transport, host, random)
        if len(hops) >= MAX_HOPS:
            break
    return hops[:MAX_HOPS] if hops else (yield from _by_guess(destination, random, have))


def _by_guess(destination: Destination, random: Random, have: frozenset[Transport]) -> Looking:
    """4.1: without NAPTR records SRV records are asked for, of each transport; without these the address alone remains."""
    host = destination.host
    hops: list[Hop] = []
    for transport in ORDER:
        if transport in have and (transport == "tls" or not destination.secure):
            hops += yield from _by_srv(SRV_NAMES[transport] + host, transport, host, random)
    if hops:
        return hops[:MAX_HOPS]
    last: Transport = "tls" if destination.secure else "udp"
    return (yield from _by_name(host, last, DEFAULT_PORTS[last], host)) if last in have else []


def _by_srv(name: str, transport: Transport, certificate: str, random: Random) -> Looking:
    records = _of(Srv, (yield Question("SRV", name)))
    hops: list[Hop] = []
    for record in by_weight(records, random):
        target = record.target.rstrip(".")
        # RFC 2782: the root as target says that there is no such service.
        if target and 0 < record.port < 65_536 and len(hops) < MAX_HOPS:
            hops += yield from _by_name(target, transport, record.port, certificate)
    return hops[:MAX_HOPS]


def _by_name(name: str, transport: Transport, port: int, certificate: str) -> Looking:
    addresses = _of(str, (yield Question("ADDRESS", name)))
    return [Hop(transport, address, port, certificate) for address in addresses if is_address(address)][:MAX_HOPS]


def by_weight(records: Sequence[Srv], random: Random) -> list[Srv]:
    """Lower priorities first; among equals drawn by weight, those of weight 0 having a small chance (RFC 2782)."""
    ordered: list[Srv] = []
    for priority in sorted({one.priority for one in records}):
        left = sorted((one for one in records if one.priority == priority), key=lambda one: one.weight > 0)
        while left:
            ordered.append(left.pop(_drawn(left, random)))
    return ordered


def _drawn(records: Sequence[Srv], random: Random) -> int:
    """Index of the first whose running sum of weights reaches a number between 0 and the whole sum."""
    number = random.randint(0, sum(one.weight for one in records))
    total = 0
    for index, record in enumerate(records):
        total += record.weight
        if total >= number:
            return index
    raise AssertionError("the running sum ends at the whole sum")


def _of(kind: type[Record], answer: Answer) -> list[Record]:
    return [one for one in answer[:MAX_RECORDS] if isinstance(one, kind)]


def is_address(host: str) -> bool:
    """Whether this is an IP address and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

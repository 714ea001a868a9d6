"""Which addresses peers are told: configured ones, pairs for 1:1 NAT, or the machine's own."""

from __future__ import annotations

import contextlib
import ipaddress
import time
from collections.abc import Callable, Iterable, Sequence

import ifaddr

from confero.advertised import Advertised, IPAddress, parse_advertised, parse_ip
from confero.errors import LocalError

__all__ = ["Advertised", "AdvertisedAddresses", "IPAddress", "advertised", "machine_addresses", "parse_ip"]

FRESH_S = 5.0
"""So long what the machine's interfaces had is taken for what they have."""


def machine_addresses() -> list[str]:
    """Every address of the machine's interfaces, in the order of the interfaces; IPv6 link-local ones are left out."""
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ipaddress.ip_address(text)
            if not (address.version == 6 and address.is_link_local):
                found.append(str(address))
    return found


def advertised(bind: Sequence[str], configured: Sequence[str], machine: Iterable[str]) -> tuple[Advertised, ...]:
    """The addresses to put into candidates and SDP.

    ``bind`` are the bound addresses, wildcards included; ``configured`` entries are ``addr`` or ``external=internal``; ``machine``
    is what :func:`machine_addresses` found. Without configured entries an explicit address stands for itself, and a wildcard for
    the machine's addresses of its family: loopback only if there is nothing else. Raises LocalError for an entry that cannot work.
    """
    bound = [parse_ip(text) for text in bind]
    if configured:
        return _unique(_parse_entry(entry, bound) for entry in configured)
    own = [parse_ip(text) for text in machine]
    explicit = [address for address in bound if not address.is_unspecified]
    families = {address.version for address in bound if address.is_unspecified}
    reachable = [a for a in own if a.version in families and not a.is_loopback and not a.is_link_local]
    if not explicit and not reachable:
        reachable = [a for a in own if a.version in families]
    return _unique(Advertised(str(a), str(a)) for a in (*explicit, *reachable))


class AdvertisedAddresses:
    """What to advertise now: where a wildcard stands for the machine's addresses, they may change while we run.

    Raises LocalError as :func:`advertised` does, when it is made.
    """

    def __init__(
        self,
        bind: Sequence[str],
        configured: Sequence[str],
        machine: Callable[[], Iterable[str]] = machine_addresses,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bind = bind
        self._monotonic = monotonic
        self._machine = machine
        self._follows = not configured and any(parse_ip(text).is_unspecified for text in bind)
        self._found = advertised(bind, configured, machine())
        self._until = monotonic() + FRESH_S

    def current(self) -> tuple[Advertised, ...]:
        """At most ``FRESH_S`` old. While the machine has no address, or none can be read, the last ones."""
        now = self._monotonic()
        if self._follows and now >= self._until:
            self._until = now + FRESH_S
            with contextlib.suppress(OSError, LocalError):
                self._found = advertised(self._bind, (), self._machine()) or self._found
        return self._found


def _parse_entry(entry: str, bound: Sequence[IPAddress]) -> Advertised:
    found = parse_advertised(entry)
    external, internal = parse_ip(found.external), parse_ip(found.internal or found.external)
    if found.internal is not None and not any(_covers(b, internal) for b in bound):
        raise LocalError(f"{entry!r}: {internal} is not bound")
    if not any(b.version == external.version for b in bound):
        raise LocalError(f"{entry!r}: no IPv{external.version} address is bound")
    return found if external not in bound else Advertised(found.external, found.internal or found.external)


def _covers(bound: IPAddress, address: IPAddress) -> bool:
    return bound == address or (bound.is_unspecified and bound.version == address.version)


def _unique(found: Iterable[Advertised]) -> tuple[Advertised, ...]:
    return tuple({entry.external: entry for entry in found}.values())

"""Addresses as an operator writes them that peers are to be told: one, or a pair for 1:1 NAT."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from confero.errors import LocalError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Advertised:
    """One address as peers see it, and the local one behind it."""

    external: str
    internal: str | None = None
    """The local address that it is mapped to; None: not known."""


def parse_ip(text: str) -> IPAddress:
    """An IPv4 or IPv6 address without scope. Raises LocalError."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        raise LocalError(f"{text!r} is not an IP address") from None
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address.ipv4_mapped):
        raise LocalError(f"{text!r}: neither scoped nor IPv4-mapped addresses can be used here")
    return address


def parse_advertised(entry: str) -> Advertised:
    """``address`` or ``external=internal``. Raises LocalError for what is no address, a wildcard, or two of different families."""
    external_text, pair, internal_text = entry.partition("=")
    external = parse_ip(external_text)
    if external.is_unspecified:
        raise LocalError(f"{entry!r}: a wildcard cannot be advertised")
    if not pair:
        return Advertised(str(external))
    internal = parse_ip(internal_text)
    if internal.version != external.version:
        raise LocalError(f"{entry!r}: both addresses must be of one family")
    return Advertised(str(external), str(internal))

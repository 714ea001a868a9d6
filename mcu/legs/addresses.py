"""Which address a plain RTP leg uses, and which addresses it may be told to send to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from confero import ports
from confero.media import Address
from confero.media.addresses import Advertised, IPAddress, parse_ip
from confero.protocols.sdp import Endpoint, SdpError

LOWEST_PORT = 1024
"""RTP has no business below: a description must not aim packets at name servers and the like."""
BROADCAST = ipaddress.IPv4Address("255.255.255.255")


@dataclass(frozen=True)
class LocalAddress:
    """Where a leg's sockets are bound, and what the peer is told."""

    bind: str
    external: str


def choose_local(
    family: int, bound: Iterable[str], advertised: Iterable[Advertised], route: str | None = None
) -> LocalAddress:
    """The advertised address of this family (4, 6) that lies on the route to the peer, else the first of the family.

    Raises SdpError if there is none.
    """
    entries = [entry for entry in advertised if parse_ip(entry.external).version == family]
    if not entries:
        raise SdpError(f"there is no IPv{family} address for media here", code="sdp-no-usable-media")
    entry = next((e for e in entries if e.internal is not None and e.internal == route), entries[0])
    if entry.internal is not None:
        return LocalAddress(entry.internal, entry.external)
    same = [address for address in bound if parse_ip(address).version == family]
    return LocalAddress(same[0], entry.external)


def route_to(address: str) -> str | None:
    """Our own address on the way to another; asks the kernel's table, sends nothing. None: no way there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def check_remote(endpoint: Endpoint, own: Iterable[str]) -> Address:
    """The peer's address for the engine. ``own``: all addresses of this MCU. Raises SdpError for what must not be sent to."""
    try:
        ip = ipaddress.ip_address(endpoint.address)
    except ValueError:
        raise SdpError(f"media goes to IP addresses only, not to the name {endpoint.address!r}") from None
    reason = _why_not(ip, endpoint.port, own)
    if reason:
        raise SdpError(f"media cannot go to {ip} port {endpoint.port}: {reason}")
    return Address(str(ip), endpoint.port)


def _why_not(ip: IPAddress, port: int, own: Iterable[str]) -> str:
    mapped = isinstance(ip, ipaddress.IPv6Address) and (ip.ipv4_mapped or ip.scope_id)
    here = ip.is_loopback or str(ip) in set(own)
    checks = (
        (ip.is_unspecified, "it is no address"),
        (ip.is_multicast, "it is a multicast address"),
        (ip == BROADCAST, "it is the broadcast address"),
        (bool(mapped), "it is mapped or scoped"),
        (ip.version == 6 and ip.is_link_local, "it is link-local"),
        (port < LOWEST_PORT, f"ports below {LOWEST_PORT} are not for media"),
        (here and port in ports.reserved(), "it is a service of our own"),
    )
    return next((reason for wrong, reason in checks if wrong), "")

"""Which address a plain RTP leg uses, and which addresses it may be told to send to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from confero import ports
from confero.media import Address
from confero.media.addresses import Advertised, IPAddress, parse_ip
from confero.protocols.sdp import Endpoint, SdpError

LOWEST_PORT = 1024
"""RTP has no business below: a description must not aim packets at name servers and the like."""
NOT_HOSTS = tuple(ipaddress.ip_network(net) for net in ("0.0.0.0/8", "240.0.0.0/4"))
"""RFC 6890: "this network", and what is reserved, with the broadcast address."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address."""


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


def check_remote(endpoint: Endpoint, own: Iterable[str], *, loopback: bool = False, connects: bool = False) -> Address:
    """The peer's address for the engine. ``own``: all addresses of this MCU; ``loopback``: it may be this machine, which it may
    also where the MCU itself is advertised there; ``connects``: the peer does, and nothing is sent to the port that it names.

    Raises SdpError for what must not be sent to.
    """
    try:
        ip = ipaddress.ip_address(endpoint.address)
    except ValueError:
        raise SdpError(f"media goes to IP addresses only, not to the name {endpoint.address!r}") from None
    port = LOWEST_PORT if connects else endpoint.port
    reason = _why_not(ip, port, set(own), loopback=loopback)
    if reason:
        raise SdpError(f"media cannot go to {ip} port {endpoint.port}: {reason}")
    return Address(str(ip), endpoint.port)


def _why_not(ip: IPAddress, port: int, own: set[str], *, loopback: bool) -> str:
    here = ip.is_loopback or str(ip) in own
    lab = loopback or any(parse_ip(address).is_loopback for address in own)
    checks = (
        (ip.is_unspecified, "it is no address"),
        (ip.is_multicast, "it is a multicast address"),
        (any(ip in net for net in NOT_HOSTS), "it is no host's address"),
        (_wraps_another(ip), "it is mapped or scoped"),
        (ip.is_link_local, "it is link-local"),
        (ip.is_loopback and not lab, "it is this machine"),
        (port < LOWEST_PORT, f"ports below {LOWEST_PORT} are not for media"),
        (here and port in ports.reserved(), "it is a service of our own"),
    )
    return next((reason for wrong, reason in checks if wrong), "")


def _wraps_another(ip: IPAddress) -> bool:
    """An IPv6 address that leads to an IPv4 one, which these checks would not see, or names an interface of ours."""
    if not isinstance(ip, ipaddress.IPv6Address):
        return False
    return bool(ip.ipv4_mapped or ip.scope_id or ip.sixtofour or ip.teredo) or ip in NAT64

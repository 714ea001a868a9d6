"""Where relayed media comes and goes: what is configured, or this machine's own addresses, also when these change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

from confero.media.addresses import Advertised, advertised
from confero.runtime.logging import get_logger
from confero.runtime.routes import route_to

from .ports import RelayPorts

log = get_logger(__name__)

LOOK_S = 5.0
"""How often it is looked whether the way out has another address."""
ANY_ADDRESS = ("0.0.0.0", "::")
LOOPBACK = "127.0.0.1"
OUTSIDE = {4: "192.0.2.1", 6: "2001:db8::1"}
"""Addresses of nobody (RFC 5737, 3849): the way to them is the way out."""


def relay_addresses(bind: Sequence[str], configured: Sequence[str]) -> list[Advertised]:
    """Where relayed media comes and goes, each with its local address. Raises LocalError.

    Without configured ones: the bound addresses; for a wildcard our own on the way out, loopback where there is no such way.
    """
    if configured:
        found = advertised(ANY_ADDRESS, configured, ())
        return [Advertised(one.external, one.internal or one.external) for one in found]
    explicit = [one for one in bind if not ip_address(one).is_unspecified]
    if explicit:
        return [Advertised(one, one) for one in explicit]
    return way_out(bind) or [Advertised(LOOPBACK, LOOPBACK)]


def way_out(bind: Sequence[str]) -> list[Advertised]:
    """Our own addresses on the way out, of the families that are bound; none where there is no such way."""
    routes = [route for one in bind if (route := route_to(OUTSIDE[ip_address(one).version])) is not None]
    return [Advertised(one, one) for one in routes if not ip_address(one).is_link_local]


def follows(bind: Sequence[str], configured: Sequence[str]) -> bool:
    """Whether nobody has said which addresses it is to be."""
    return not configured and all(ip_address(one).is_unspecified for one in bind)


async def follow(bind: Sequence[str], ports: RelayPorts) -> None:
    """Until cancelled. While there is no way out nothing changes: the address from before may come back."""
    while True:
        await asyncio.sleep(LOOK_S)
        found = way_out(bind)
        if found and ports.use(found):
            log.info("relayed addresses have changed", addresses=[one.external for one in found])


def is_address(text: str) -> bool:
    """Not a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

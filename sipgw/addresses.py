"""Under which address peers reach us: what is advertised, or our own address on the way to them."""

from __future__ import annotations

import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from confero.advertised import Advertised, parse_advertised
from confero.clock import Clock
from confero.errors import LocalError
from confero.runtime.routes import route_to

REMEMBERED_S = 30.0
"""Routes change when a machine is carried to another network, not from call to call."""
ROUTES = 4096
"""That are remembered; the oldest goes first."""


def advertised(entries: Sequence[str]) -> tuple[Advertised, ...]:
    """As ``sip_advertise`` has them. Raises LocalError."""
    try:
        return tuple(parse_advertised(entry) for entry in entries)
    except LocalError as error:
        raise LocalError(f"sip_advertise: {error}") from None


def can_bind(address: str) -> bool:
    """Whether this machine has the address. Nothing listens there for it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if ip_address(address).is_unspecified or ip_address(address).is_multicast:
        return False
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
            return True
    except OSError:
        return False


@lru_cache(maxsize=ROUTES)
def _parsed(address: str) -> IPv4Address | IPv6Address:
    """Asked twice for each message."""
    return ip_address(address)


class OwnAddresses:
    """Answers with the address to tell a peer; routes are asked of the kernel once in ``REMEMBERED_S``."""

    def __init__(
        self,
        clock: Clock,
        advertised: Sequence[Advertised] = (),
        route: Callable[[str], str | None] = route_to,
        is_here: Callable[[str], bool] = can_bind,
    ) -> None:
        """``route``, ``is_here``: ask the kernel."""
        self._clock = clock
        self._advertised = tuple(advertised)
        self._route = route
        self._is_here = is_here
        self._routes: OrderedDict[str, tuple[float, str | None]] = OrderedDict()

    def towards(self, peer: str, bound: str = "") -> str:
        """The address under which ``peer`` reaches us. ``bound``: of the socket in use, where it is a particular one."""
        local = bound if bound and not _parsed(bound).is_unspecified else self._local(peer)
        if not self._advertised:
            return local or peer
        version = _parsed(peer).version
        same = [one for one in self._advertised if _parsed(one.external).version == version]
        mapped = next((one.external for one in same if one.internal is not None and one.internal == local), None)
        plain = next((one.external for one in same if one.internal is None), None)
        return mapped or plain or local or peer

    def is_own(self, host: str) -> bool:
        """Whether an address is one of ours: advertised, or local to this machine."""
        if any(host in (one.external, one.internal) for one in self._advertised):
            return True
        # Of several addresses of one interface the route to one may begin at another; who can bind it has it.
        return self._local(host) == host or self._is_here(host)

    def _local(self, peer: str) -> str | None:
        now = self._clock.monotonic()
        known = self._routes.get(peer)
        if known is not None and now - known[0] < REMEMBERED_S:
            return known[1]
        local = self._route(peer)
        self._routes[peer] = (now, local)
        self._routes.move_to_end(peer)
        if len(self._routes) > ROUTES:
            self._routes.popitem(last=False)
        return local

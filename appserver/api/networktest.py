"""The public REST API of the network's test: relays to try before one joins, for whoever opens the page.

What is handed out is for our own relays, which lead to media servers alone, and lasts a minute: it is worth nothing to anybody
who is not let into a room. Relays of others that the operator has named may lead anywhere, and are for those who join.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from confero.clock import Clock
from confero.ids import new_id
from confero.models.joining import NetworkTest
from confero.ratelimit import Rate, RateLimiter
from confero.runtime.http import Route, reply

from ..relays.iceservers import IceServers
from ..web import BAD_HOST, origin_of
from .limiting import limited

TESTS = Rate(burst=6, per_s=0.1)
"""Of one source address; each takes places at the relays."""
TTL_S = 60.0


class NetworkTestApi:
    """``/api/v1/network-test``."""

    def __init__(self, ice: IceServers, clock: Clock, public_url: str) -> None:
        self._ice = ice
        self._tests = RateLimiter(TESTS, clock)
        self._public_url = public_url

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST", "/api/v1/network-test", limited(self._tests, self.begin), rule="site.network",
                summary="Get relays to try for a minute, to see whether the network lets media through",
                reply=NetworkTest, errors=(BAD_HOST, "429 too-many-requests"),
            ),
        ]  # fmt: skip

    async def begin(self, request: web.Request) -> web.Response:
        host = urlsplit(origin_of(request, self._public_url)).hostname or ""
        # A name of its own for each test: the relays' quota is by name.
        servers = self._ice.for_stranger(new_id("test"), host, TTL_S)
        return reply(NetworkTest(ice_servers=servers, ice_policy=self._ice.rules.policy))

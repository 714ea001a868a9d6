"""The control port's API (2134, /v1): allocations as they are, to be ended, and the whole server to be drained."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aiohttp import web
from pydantic import Field

from confero.errors import Refused
from confero.models import Reply
from confero.models.turn import TurnAllocation
from confero.protocols.turn import Server
from confero.protocols.turn.allocation import Allocation
from confero.relay import Traffic, UnknownFlow
from confero.runtime.http import Route, read_query, reply

from .bridge import Bridge
from .news import shown

SCOPE = "turn:allocations"
MOST = 1000
"""Allocations in one answer."""


class Page(Reply):
    """The query of the list."""

    after: int = Field(default=0, ge=0)
    """Those with a greater id only: they are in the order in which they were made."""
    user: str = ""
    """Those of this participant only."""


class AllocationsApi:
    """What an operator sees and does."""

    def __init__(
        self,
        server: Server,
        bridge: Bridge,
        traffic: Callable[[int], Traffic],
        now: Callable[[], float],
        drain: Callable[[], None],
    ) -> None:
        """``traffic``: by the data path's number. ``now``: the clock of the allocations."""
        self._server = server
        self._bridge = bridge
        self._traffic = traffic
        self._now = now
        self._drain = drain

    def routes(self) -> list[Route]:
        path, unknown = "/v1/allocations", ("404 allocation-unknown",)
        listed = "The allocations, at most 1000 from the oldest on; `after` gives those that follow"
        return [
            Route("GET", path, self._list, SCOPE, listed, reply=list[TurnAllocation], query=Page),
            Route("DELETE", path + "/{allocation}", self._end, SCOPE, "End an allocation", status=204, errors=unknown),
            Route("POST", "/v1/drain", self._drained, SCOPE, "No new allocations until the next start", status=204),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        page = read_query(request, Page)
        found = [self._row(one) for one in self._chosen(page)]
        return reply(found)

    def _chosen(self, page: Page) -> Iterator[Allocation]:
        """Bounded; the machine keeps them in order."""
        count = 0
        for one in self._server.listing():
            if one.id > page.after and page.user in ("", one.holder.user):
                yield one
                count += 1
            if count == MOST:
                return

    def _row(self, one: Allocation) -> TurnAllocation:
        traffic = self._traffic_of(one)
        return TurnAllocation(
            id=one.id,
            user=one.holder.user,
            transport=one.client.transport,
            client=shown(one.client.peer),
            relayed=[shown(lease.relay.address) for lease in one.leases.values()],
            permissions=len(one.permissions),
            channels=len(one.channels),
            peers="tcp" if one.is_tcp else "udp",
            connections=len(one.connections),
            seconds=round(self._now() - one.made, 1),
            to_peer_bytes=traffic.to_peer_bytes,
            to_client_bytes=traffic.to_client_bytes,
            drops={reason: count for reason, count in traffic.drops.items() if count},
        )

    def _traffic_of(self, one: Allocation) -> Traffic:
        number = self._bridge.number_of(one.id)
        try:
            return Traffic() if number is None else self._traffic(number)
        except UnknownFlow:
            return Traffic()

    async def _end(self, request: web.Request) -> web.Response:
        text = request.match_info["allocation"]
        number = int(text) if text.isdecimal() and len(text) < 16 else 0
        if self._bridge.number_of(number) is None:
            raise Refused("There is no such allocation.", status=404, code="allocation-unknown")
        self._bridge.close(number)
        return reply(None)

    async def _drained(self, request: web.Request) -> web.Response:
        self._drain()
        return reply(None)

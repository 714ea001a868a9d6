"""The internal API of TURN servers on port 80: they register, and hear which media servers they may reach."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from confero.ids import new_id
from confero.models.turn import TurnHeartbeat, TurnPeers, TurnRegister
from confero.runtime.http import Route, read_model, reply
from confero.runtime.logging import get_logger

from ..relays.fleet import Fleet
from ..rooms.farm import Farm

log = get_logger(__name__)
SCOPE = "appserver:turns"


class RelaysApi:
    """``/internal/v1/turns``."""

    def __init__(self, fleet: Fleet, farm: Farm) -> None:
        self._fleet = fleet
        self._farm = farm
        self._boot = new_id("boot")
        """Versions are counted from the start of this process."""
        self._news = asyncio.Event()
        """Set when the farm has changed; then there is another."""
        self._ended = False
        farm.changed.append(self._wake)

    def end(self) -> None:
        """Who waits is answered now. Idempotent."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def routes(self) -> list[Route]:
        started, lives = "A TURN server has started, or was forgotten", "A TURN server lives; 404: register again"
        return [
            Route(
                "POST", "/internal/v1/turns", self.register, SCOPE, started, TurnRegister, TurnPeers,
                errors=("503 too-many-turns",),
            ),
            Route(
                "PUT", "/internal/v1/turns/{turn}/heartbeat", self.heartbeat, SCOPE, lives, TurnHeartbeat, TurnPeers,
                errors=("404 turn-unknown",),
            ),
        ]  # fmt: skip

    async def register(self, request: web.Request) -> web.Response:
        body = await read_model(request, TurnRegister)
        if self._fleet.register(body):
            listeners = [f"{one.transport} {one.host or '*'}:{one.port}" for one in body.listeners]
            log.info("turn registered", turn=body.id, boot=body.boot, listeners=listeners)
        return reply(self._peers())

    async def heartbeat(self, request: web.Request) -> web.Response:
        """A TURN server that knows all there is waits: an MCU that has just come is to be reached at once."""
        body = await read_model(request, TurnHeartbeat)
        self._fleet.heartbeat(request.match_info["turn"], body)
        if body.known == self._version and not self._ended:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(body.wait_s):
                    await self._news.wait()
        return reply(self._peers())

    @property
    def _version(self) -> str:
        return f"{self._boot}.{self._farm.version}"

    def _peers(self) -> TurnPeers:
        return TurnPeers(media=self._farm.media(), version=self._version)

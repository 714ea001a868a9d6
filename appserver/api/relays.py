"""The internal API of TURN servers on port 80: they register, and hear which media servers they may reach."""

from __future__ import annotations

from aiohttp import web

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
        self._fleet.heartbeat(request.match_info["turn"], await read_model(request, TurnHeartbeat))
        return reply(self._peers())

    def _peers(self) -> TurnPeers:
        return TurnPeers(media=self._farm.media())

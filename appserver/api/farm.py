"""The public API of the farm, for administrators: media servers, draining, and what is live."""

from __future__ import annotations

from aiohttp import web

from confero.clock import Clock
from confero.models.history import LiveList, McuInfo, McuList, McuPatch
from confero.runtime.http import Route, read_model, reply

from ..history.store import RecordStore
from ..history.views import live_room
from ..rooms.drains import Drains
from ..rooms.farm import Farm, Mcu

MOST_LIVE = 1000
"""Meetings shown, those that have gone on longest."""


class FarmApi:
    """``/api/v1/mcus`` and ``/api/v1/live``."""

    def __init__(self, farm: Farm, drains: Drains, records: RecordStore, clock: Clock) -> None:
        self._farm = farm
        self._drains = drains
        self._records = records
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route(
                *("GET", "/api/v1/mcus", self.mcus),
                summary="Media servers: those that live, and those lost within the hour",
                rule="farm.read",
                reply=McuList,
            ),
            Route(
                *("PATCH", "/api/v1/mcus/{mcu}", self.change),
                summary="Drain a media server, or let rooms go there again",
                rule="farm.change",
                body=McuPatch,
                reply=McuInfo,
                errors=("404 mcu-unknown",),
            ),
            Route(
                *("GET", "/api/v1/live", self.live),
                summary="Meetings that are going on, the longest first",
                rule="farm.read",
                reply=LiveList,
            ),
        ]

    async def mcus(self, request: web.Request) -> web.Response:
        return reply(McuList(items=[self._info(*one) for one in self._farm.shown()]))

    async def change(self, request: web.Request) -> web.Response:
        mcu = request.match_info["mcu"]
        await self._drains.put(mcu, draining=(await read_model(request, McuPatch)).draining)
        return reply(next(self._info(*one) for one in self._farm.shown() if one[0].id == mcu))

    async def live(self, request: web.Request) -> web.Response:
        going = await self._records.going(self._clock.wall(), MOST_LIVE)
        return reply(LiveList(items=[live_room(one) for one in going]))

    def _info(self, mcu: Mcu, lives: bool, silent_s: float) -> McuInfo:
        draining = self._farm.is_draining(mcu)
        return McuInfo(
            id=mcu.id,
            url=mcu.url,
            state="lost" if not lives else "draining" if draining else "up",
            capacity=mcu.capacity,
            used=mcu.load if lives else 0.0,
            rooms=mcu.rooms if lives else 0,
            legs=mcu.legs if lives else 0,
            drained=lives and draining and mcu.legs == 0,
            seen_s=round(silent_s, 1),
            version=mcu.version,
        )

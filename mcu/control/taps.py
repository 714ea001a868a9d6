"""What is heard inside the mixer, as a WAV stream (``/v1/rooms/{room}/tap``, ``/v1/legs/{leg}/tap``)."""

from __future__ import annotations

from contextlib import aclosing
from typing import Literal

from aiohttp import web
from pydantic import Field

from confero.errors import Refused
from confero.media import TapPoint, UnknownId
from confero.runtime.http import Route, read_query

from ..conference import Conference
from ..pipeline.engine import MediaEngine
from ..taps import BUFFER_MS, Readable, Taps
from . import legs, rooms
from .query import Query

SCOPE = "mcu:taps"
WAV = "audio/wav"
TOO_MANY = "429 too-many-taps"
ROOM_SUMMARY = "The room's sum, as it is heard"
LEG_SUMMARY = "What a leg adds (in) or hears (out), as it is heard"


class RoomTapQuery(Query):
    """GET /v1/rooms/{room}/tap"""

    seconds: int = Field(ge=1, le=60)


class LegTapQuery(RoomTapQuery):
    """GET /v1/legs/{leg}/tap"""

    point: Literal["in", "out"] = "in"


class TapCalls:
    def __init__(self, conference: Conference, engine: MediaEngine) -> None:
        self._registry = conference.registry
        self._engine = engine
        self._taps = Taps(conference.removals.tap)

    def routes(self) -> list[Route]:
        room, leg = f"{rooms.ROOM}/tap", f"{legs.LEG}/tap"
        room_faults, leg_faults = (rooms.UNKNOWN, TOO_MANY), (legs.UNKNOWN, TOO_MANY)
        return [
            Route("GET", room, self._room, SCOPE, ROOM_SUMMARY, None, None, 200, room_faults, RoomTapQuery, WAV),
            Route("GET", leg, self._leg, SCOPE, LEG_SUMMARY, None, None, 200, leg_faults, LegTapQuery, WAV),
        ]

    async def _room(self, request: web.Request) -> web.StreamResponse:
        query = read_query(request, RoomTapQuery)
        room = self._registry.room(request.match_info["room"])
        return await self._tap(request, TapPoint.ROOM, room.number, query.seconds)

    async def _leg(self, request: web.Request) -> web.StreamResponse:
        query = read_query(request, LegTapQuery)
        participant, _ = self._registry.leg(request.match_info["leg"])
        point = TapPoint.LEG_IN if query.point == "in" else TapPoint.LEG_OUT
        return await self._tap(request, point, participant.leg.number, query.seconds)

    async def _tap(self, request: web.Request, point: TapPoint, target: int, seconds: int) -> web.StreamResponse:
        self._taps.check()
        try:
            tap = self._engine.tap(point, target, milliseconds=BUFFER_MS)
        except UnknownId as error:
            raise Refused("There is nothing to be heard yet.", status=404, code="leg-unknown") from error
        return await self._respond(request, tap, seconds)

    async def _respond(self, request: web.Request, tap: Readable, seconds: int) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": WAV, "Cache-Control": "no-store"})

        def stamp(at: int) -> None:
            response.headers["X-Confero-Tap-Start"] = str(at)

        async with aclosing(self._taps.stream(tap, seconds, start=stamp)) as parts:
            async for part in parts:
                if not response.prepared:
                    await response.prepare(request)
                await response.write(part)
        await response.write_eof()
        return response

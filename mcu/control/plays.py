"""What plays to a room or to a leg alone (``/v1/rooms/{room}/play``, ``/v1/legs/{leg}/play``)."""

from __future__ import annotations

from aiohttp import web

from confero import models
from confero.runtime.http import Route, read_model, reply

from ..conference import Conference
from . import legs, rooms

FAULTS = ("404 prompt-unknown", "422 prompt-unreadable", "422 tone-invalid", "503 engine-full")
NO_SUCH_PLAY = "404 play-unknown"


class RoomPlayCalls:
    def __init__(self, conference: Conference) -> None:
        self._conference = conference

    def routes(self) -> list[Route]:
        path, play, playing = f"{rooms.ROOM}/play", models.PlayRequest, models.Playing
        start, stop = "Plays a file or a tone to the room", "Stops what plays to the room"
        faults, unknown = (rooms.UNKNOWN, *FAULTS), (rooms.UNKNOWN, NO_SUCH_PLAY)
        return [
            Route("POST", path, self._start, rooms.SCOPE, start, play, playing, 201, faults),
            Route("DELETE", path + "/{number}", self._stop, rooms.SCOPE, stop, status=204, errors=unknown),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        wish = await read_model(request, models.PlayRequest)
        return reply(await self._conference.sounds.to_room(request.match_info["room"], wish), 201)

    async def _stop(self, request: web.Request) -> web.Response:
        room = self._conference.registry.room(request.match_info["room"])
        self._conference.plays.stop(room, None, number(request))
        return reply(None)


class LegPlayCalls:
    def __init__(self, conference: Conference) -> None:
        self._conference = conference

    def routes(self) -> list[Route]:
        path, play, playing = f"{legs.LEG}/play", models.PlayRequest, models.Playing
        start, stop = "Plays a file or a tone to this leg alone", "Stops what plays to this leg alone"
        faults, unknown = (legs.UNKNOWN, "409 no-media", *FAULTS), (legs.UNKNOWN, NO_SUCH_PLAY)
        return [
            Route("POST", path, self._start, legs.SCOPE, start, play, playing, 201, faults),
            Route("DELETE", path + "/{number}", self._stop, legs.SCOPE, stop, status=204, errors=unknown),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        wish = await read_model(request, models.PlayRequest)
        return reply(await self._conference.sounds.to_leg(request.match_info["leg"], wish), 201)

    async def _stop(self, request: web.Request) -> web.Response:
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        self._conference.plays.stop(None, participant, number(request))
        return reply(None)


def number(request: web.Request) -> int:
    """What plays, as the path names it; 0, which is nothing, for what is no number."""
    text = request.match_info["number"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0

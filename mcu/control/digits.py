"""Keys of the telephone: sent to a leg, collected from it (``/v1/legs/{leg}/digits``, ``/v1/legs/{leg}/collect``)."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from confero import models
from confero.runtime.http import Route, read_model, read_query, reply

from ..conference import Conference
from .legs import LEG, SCOPE, UNKNOWN
from .query import Query

COLLECT = f"{LEG}/collect"
SEND_FAULTS = (UNKNOWN, "409 no-media", "409 no-events", "422 tone-invalid")
COLLECT_FAULTS = (UNKNOWN, "409 no-media")
READ_SUMMARY = "The digits so far; waits for the next one if asked to"
READ_FAULTS = (UNKNOWN, "409 not-collecting")


class CollectQuery(Query):
    """GET /v1/legs/{leg}/collect"""

    after: int = Field(default=0, ge=0)
    wait_s: float = Field(default=0, ge=0, le=30)


class DigitCalls:
    def __init__(self, conference: Conference) -> None:
        self._conference = conference

    def routes(self) -> list[Route]:
        path, send, collect = f"{LEG}/digits", models.DigitsSend, models.CollectRequest
        start, stop = "Keeps the leg's digits from now on", "Keeps no more digits"
        return [
            Route("POST", path, self._send, SCOPE, "Sends digits", send, None, 204, SEND_FAULTS),
            Route("POST", COLLECT, self._start, SCOPE, start, collect, None, 204, COLLECT_FAULTS),
            Route("GET", COLLECT, self._read, SCOPE, READ_SUMMARY, None, models.Digits, 200, READ_FAULTS, CollectQuery),
            Route("DELETE", COLLECT, self._stop, SCOPE, stop, status=204, errors=READ_FAULTS),
        ]

    async def _send(self, request: web.Request) -> web.Response:
        wish = await read_model(request, models.DigitsSend)
        await self._conference.sounds.dial(request.match_info["leg"], wish)
        return reply(None)

    async def _start(self, request: web.Request) -> web.Response:
        wish = await read_model(request, models.CollectRequest)
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        self._conference.digits.start(participant, wish)
        return reply(None)

    async def _read(self, request: web.Request) -> web.Response:
        query = read_query(request, CollectQuery)
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        return reply(await self._conference.digits.read(participant, query.after, query.wait_s))

    async def _stop(self, request: web.Request) -> web.Response:
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        self._conference.digits.stop(participant)
        return reply(None)

"""Rooms: made, looked at, ended (``/v1/rooms``)."""

from __future__ import annotations

import re

from aiohttp import web

from confero import models
from confero.errors import Refused
from confero.runtime.http import Route, read_model, read_query, reply

from ..conference import Conference
from .query import Query

SCOPE = "mcu:rooms"
ROOM = "/v1/rooms/{room}"
ROOM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PEOPLE = f"{ROOM}/participants"
UNKNOWN = "404 room-unknown"
CREATE_SUMMARY = "Makes the room if it is new (201); changes nothing if it is there (200)"
CREATE_FAULTS = ("422 invalid-id", "503 draining", "503 mcu-full")
ORDER = "Mute, hold by rule, roles: of many at once"
REMOVE = "Ends whatever leg the participant has"
GONE = (UNKNOWN, "404 participant-unknown")


class EndQuery(Query):
    """DELETE /v1/rooms/{room}/participants/{participant}"""

    reason: models.RoomEndReason = "removed"


class RoomEndQuery(Query):
    """DELETE /v1/rooms/{room}"""

    reason: models.RoomEnd = "room-closed"


class RoomCalls:
    def __init__(self, conference: Conference) -> None:
        self._conference = conference

    def routes(self) -> list[Route]:
        state, stats = models.RoomState, models.RoomStats
        return [
            Route("GET", "/v1/rooms", self._list, SCOPE, "All rooms", reply=list[models.RoomState]),
            Route("PUT", ROOM, self._put, SCOPE, CREATE_SUMMARY, models.RoomSpec, state, errors=CREATE_FAULTS),
            Route("GET", ROOM, self._get, SCOPE, "A room", reply=state, errors=(UNKNOWN,)),
            Route("DELETE", ROOM, self._delete, SCOPE, "Ends the room", None, None, 204, (UNKNOWN,), RoomEndQuery),
            Route(
                "PATCH", PEOPLE, self._order, SCOPE, ORDER, models.RoomOrders, models.RoomOrdersDone, 200, (UNKNOWN,)
            ),
            Route("DELETE", f"{PEOPLE}/{{participant}}", self._remove, SCOPE, REMOVE, None, None, 204, GONE, EndQuery),
            Route("GET", f"{ROOM}/stats", self._stats, SCOPE, "Sums over its legs", reply=stats, errors=(UNKNOWN,)),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        return reply([room.view() for room in self._conference.registry])

    async def _put(self, request: web.Request) -> web.Response:
        spec = await read_model(request, models.RoomSpec)
        room, new = self._conference.put_room(new_id(request), spec)
        return reply(room.view(), 201 if new else 200)

    async def _get(self, request: web.Request) -> web.Response:
        return reply(self._conference.registry.room(request.match_info["room"]).view())

    async def _stats(self, request: web.Request) -> web.Response:
        return reply(self._conference.room_stats(request.match_info["room"]))

    async def _delete(self, request: web.Request) -> web.Response:
        query = read_query(request, RoomEndQuery)
        self._conference.remove_room(request.match_info["room"], query.reason)
        return reply(None)

    async def _order(self, request: web.Request) -> web.Response:
        wish = await read_model(request, models.RoomOrders)
        done = self._conference.moderation.order(request.match_info["room"], wish.orders)
        return reply(models.RoomOrdersDone(done=done))

    async def _remove(self, request: web.Request) -> web.Response:
        query, names = read_query(request, EndQuery), request.match_info
        self._conference.moderation.remove(names["room"], names["participant"], query.reason)
        return reply(None)


def new_id(request: web.Request) -> str:
    """A new room's id. Raises Refused for one that no other service could write."""
    id = request.match_info["room"]
    if not ROOM_ID.fullmatch(id):
        raise Refused("A room id is 1 to 64 of A-Z a-z 0-9 _ -.", status=422, code="invalid-id")
    return id

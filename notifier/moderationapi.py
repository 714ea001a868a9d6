"""The notifier's internal calls for moderation: orders, removals, the end of a room."""

from __future__ import annotations

from aiohttp import web

from confero.models import RoomEndQuery, RoomOrders, RoomOrdersAt, RoomOrdersDone
from confero.runtime.http import Route, read_model, read_query, reply

from .api import path_id
from .moderation import Moderation

SCOPE = "notifier:rooms"
ROOM = "/internal/v1/rooms/{room}"
FAULTS = ("404 not-found", "503 unavailable")
ORDER = "Mute, hold by rule, roles: passed on to the MCU, and true of the next legs of those who are ordered"
REMOVE = "A participant is sent away"
END = "Everybody is sent away, and the room ends at its MCU"


class ModerationApi:
    """Handlers for the application server."""

    def __init__(self, moderation: Moderation) -> None:
        self._moderation = moderation

    def routes(self) -> list[Route]:
        people = f"{ROOM}/participants"
        one, ask = f"{people}/{{participant}}", RoomEndQuery
        return [
            Route("PATCH", people, self.order, SCOPE, ORDER, RoomOrdersAt, RoomOrdersDone, 200, FAULTS),
            Route("DELETE", one, self.remove, SCOPE, REMOVE, None, None, 204, FAULTS, ask),
            Route("DELETE", ROOM, self.end, SCOPE, END, None, None, 204, FAULTS, ask),
        ]

    async def order(self, request: web.Request) -> web.Response:
        room, wish = path_id(request, "room"), await read_model(request, RoomOrdersAt)
        return reply(await self._moderation.order(wish.mcu_url, room, RoomOrders(orders=wish.orders)))

    async def remove(self, request: web.Request) -> web.Response:
        room, participant = path_id(request, "room"), path_id(request, "participant")
        query = read_query(request, RoomEndQuery)
        await self._moderation.remove(query.mcu_url, room, participant, query.reason)
        return reply(None)

    async def end(self, request: web.Request) -> web.Response:
        query = read_query(request, RoomEndQuery)
        await self._moderation.end(query.mcu_url, path_id(request, "room"), query.reason)
        return reply(None)

"""The internal API on port 80: for the notifier and the MCUs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from confero.models import (
    LegRecords,
    McuHeartbeat,
    McuRegister,
    SessionNotices,
    SessionsSnapshot,
    TokenCheck,
    TokenGrant,
    UserGrant,
)
from confero.runtime.http import Handler, Route, read_model, reply

from ..news.herald import Herald
from ..rooms.presence import Presence
from ..rooms.reception import Reception
from .news import EventsTokens

Body = TypeVar("Body", bound=BaseModel)


class InternalApi:
    """``/internal/v1``."""

    def __init__(self, reception: Reception, presence: Presence, tokens: EventsTokens, herald: Herald) -> None:
        self._reception = reception
        self._presence = presence
        self._tokens = tokens
        self._herald = herald

    def routes(self) -> list[Route]:
        presence = self._presence
        return [
            Route(
                "POST",
                "/internal/v1/tokens/validate",
                self.validate,
                scope="appserver:tokens",
                summary="What a token allows, and where its room lives",
                body=TokenCheck,
                reply=TokenGrant | UserGrant,
                errors=("401 token-invalid", "401 token-expired", "404 room-unknown", "503 no-media-server"),
            ),
            _told("POST", "sessions", "appserver:sessions", SessionNotices, self.sessions),
            _told("PUT", "sessions", "appserver:sessions", SessionsSnapshot, self.snapshot),
            _told("POST", "mcus", "appserver:mcus", McuRegister, presence.registered),
            _told("POST", "records", "appserver:records", LegRecords, self.records),
            Route(
                "PUT",
                "/internal/v1/mcus/{mcu}/heartbeat",
                self.heartbeat,
                scope="appserver:mcus",
                summary="An MCU lives and is this loaded; 404: register again",
                body=McuHeartbeat,
                status=204,
                errors=("404 mcu-unknown",),
            ),
        ]

    async def validate(self, request: web.Request) -> web.Response:
        token = (await read_model(request, TokenCheck)).token
        return reply(await self._tokens.check(token) or await self._reception.check(token))

    async def sessions(self, told: SessionNotices) -> None:
        """Pages have come and gone."""
        await self._presence.sessions(told)
        self._herald.told(told.users)
        for room in {notice.room for notice in told.notices}:
            self._herald.changed("live", room)

    async def snapshot(self, snapshot: SessionsSnapshot) -> None:
        """All pages of a notifier."""
        await self._presence.snapshot(snapshot)
        self._herald.snapshot(snapshot.notifier, snapshot.users)

    async def records(self, told: LegRecords) -> None:
        """Legs have come and gone."""
        await self._presence.records(told)
        for room in {record.room for record in told.records}:
            self._herald.changed("live", room)

    async def heartbeat(self, request: web.Request) -> web.Response:
        self._presence.heartbeat(request.match_info["mcu"], await read_model(request, McuHeartbeat))
        return reply(None)


SUMMARIES = {
    ("POST", "sessions"): "Browsers have come and gone",
    ("PUT", "sessions"): "All sessions of a notifier; its others are over",
    ("POST", "mcus"): "An MCU has started, or was forgotten",
    ("POST", "records"): "What happened to legs",
}


def _told(method: str, path: str, scope: str, body: type[Body], take: Callable[[Body], Awaitable[None]]) -> Route:
    """A route on which something is told, and nothing answered."""

    async def handle(request: web.Request) -> web.Response:
        await take(await read_model(request, body))
        return reply(None)

    handler: Handler = handle
    return Route(
        method, f"/internal/v1/{path}", handler, scope=scope, summary=SUMMARIES[method, path], body=body, status=204
    )

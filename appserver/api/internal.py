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
)
from confero.runtime.http import Handler, Route, read_model, reply

from ..rooms.presence import Presence
from ..rooms.reception import Reception

Body = TypeVar("Body", bound=BaseModel)


class InternalApi:
    """``/internal/v1``."""

    def __init__(self, reception: Reception, presence: Presence) -> None:
        self._reception = reception
        self._presence = presence

    def routes(self) -> list[Route]:
        presence = self._presence
        return [
            Route(
                "POST",
                "/internal/v1/tokens/validate",
                self.validate,
                scope="appserver:tokens",
                summary="What a join token allows, and where its room lives",
                body=TokenCheck,
                reply=TokenGrant,
                errors=("401 token-invalid", "401 token-expired", "404 room-unknown", "503 no-media-server"),
            ),
            _told("POST", "sessions", "appserver:sessions", SessionNotices, presence.sessions),
            _told("PUT", "sessions", "appserver:sessions", SessionsSnapshot, presence.snapshot),
            _told("POST", "mcus", "appserver:mcus", McuRegister, presence.registered),
            _told("POST", "records", "appserver:records", LegRecords, presence.records),
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
        return reply(await self._reception.check((await read_model(request, TokenCheck)).token))

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

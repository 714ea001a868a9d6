"""Stand-ins for what the notifier meets: an application server, a sink, grants."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from confero.clock import SystemClock
from confero.errors import Refused
from confero.models import (
    SessionNotice,
    SessionNotices,
    SessionsSnapshot,
    TokenCheck,
    TokenGrant,
    UserGrant,
    UserNotice,
)
from confero.notifier.messages import Message
from confero.runtime.http import HttpApp, Listener, Route, read_model, reply

SECRET = b"a secret of the notifier's tests 123"


def grant(participant: str = "alice", room: str = "lobby", **changes: Any) -> TokenGrant:
    """What a good token of ``participant`` allows."""
    values: dict[str, Any] = {
        "participant": participant,
        "display_name": participant.title(),
        "role": "guest",
        "room": room,
        "room_name": room.title(),
        "max_participants": 10,
        "mcu": "mcu-1",
        "mcu_url": "http://mcu-1",
        "expires": time.time() + 600,
    }
    return TokenGrant(**(values | changes))


WELCOME = Message(b"welcome")


class FakeSink:
    """Keeps what a session sends, as text."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closed: tuple[int, str] | None = None

    def send(self, message: Message) -> None:
        if self.closed is None:
            self.sent.append(message.json.decode())

    def close(self, code: int, reason: str) -> None:
        if self.closed is None:
            self.closed = (code, reason)


class FakeAppServer:
    """Knows the tokens in ``grants``; an exception there is the answer. Keeps notices and snapshots."""

    def __init__(self) -> None:
        self.grants: dict[str, TokenGrant | UserGrant | Refused] = {}
        self.notices: list[tuple[str, SessionNotice]] = []
        self.users: list[UserNotice] = []
        self.snapshots: list[SessionsSnapshot] = []
        self.listener: Listener | None = None
        self.port = 0

    async def start(self) -> None:
        routes = [
            Route("POST", "/internal/v1/tokens/validate", self._validate, scope="appserver:tokens"),
            Route("POST", "/internal/v1/sessions", self._notice, scope="appserver:sessions"),
            Route("PUT", "/internal/v1/sessions", self._snapshot, scope="appserver:sessions"),
        ]
        app = HttpApp("appserver", routes, secret=SECRET, clock=SystemClock())
        self.listener = await Listener.start(app.app, "127.0.0.1", self.port, shutdown_s=0.1)
        self.port = self.listener.port

    async def stop(self) -> None:
        if self.listener is not None:
            await self.listener.close()
            self.listener = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kinds(self, participant: str) -> list[str]:
        return [kind for kind, notice in self.notices if notice.participant == participant]

    async def _validate(self, request: web.Request) -> web.Response:
        check = await read_model(request, TokenCheck)
        found = self.grants.get(check.token, Refused("not a token", status=401, code="token-invalid"))
        if isinstance(found, Refused):
            raise found
        return reply(found)

    async def _notice(self, request: web.Request) -> web.Response:
        told = await read_model(request, SessionNotices)
        self.users += told.users
        self.notices += [(notice.kind, notice) for notice in told.notices]
        return reply(None)

    async def _snapshot(self, request: web.Request) -> web.Response:
        self.snapshots.append(await read_model(request, SessionsSnapshot))
        return reply(None)

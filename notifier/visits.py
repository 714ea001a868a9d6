"""A browser that comes by plain HTTP: from where it may, who it is, and which session it goes on with.

The join token stands in ``Authorization``, as bearer token, never in the URL (RFC 6750 section 2.3 says why).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from aiohttp import web

from confero.errors import Refused, RemoteError
from confero.ratelimit import TokenBucket
from confero.runtime.http import read_json
from confero.runtime.listener import when_lost
from confero.runtime.problems import InvalidBody

from . import wire
from .entry import Upgrade
from .messages import Message
from .session import Session, Sink
from .shared import Open, Shared, welcome_of
from .wire import Hello, Opening

PROXY = "X-Confero-Proxy"
"""Carries the application server's service token, where ``Authorization`` is the browser's."""


def upgrade_of(request: web.Request) -> Upgrade:
    """The facts of the request that the gate judges."""
    return Upgrade(
        origins=request.headers.getall("Origin", []),
        host=request.host,
        scheme=request.scheme,
        remote=request.remote or "",
        forwarded_for=request.headers.get("X-Forwarded-For", ""),
        forwarded_proto=request.headers.get("X-Forwarded-Proto", ""),
        bearer=request.headers.get(PROXY) or bearer_of(request),
        query=request.query,
    )


def bearer_of(request: web.Request) -> str:
    """The bearer token (RFC 6750), or nothing."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    return credentials if scheme.lower() == "bearer" else ""


class Visitor(Sink, Open, Protocol):
    """A session's connection while one request is answered."""

    def close(self, code: int, reason: str) -> None:
        """As Sink's."""
        ...

    def lost(self) -> None:
        """Nobody is there any more who would read the answer."""
        ...

    async def serve(self, wait_s: float) -> web.StreamResponse:
        """The answer, once it has come to its end; ``wait_s``: what the browser said of waiting."""
        ...


Begin = Callable[[web.Request, Mapping[str, str]], Awaitable[Visitor]]
"""Begins the answer to a request; the headers that it needs beside its own (CORS)."""


class Visits:
    """Who comes by HTTP."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def serve(self, request: web.Request, begin: Begin, *, greet: bool = False) -> web.StreamResponse:
        """A whole visit; ``greet`` as for ``enter``, also if the browser asks for it. Raises Refused, RemoteError or Unavailable
        before the answer has begun."""
        with self.place(request) as cors:
            opening = await opening_of(request)
            session, welcome = await self.enter(request, opening, greet=greet or opening.greet)
            visitor, hub = await begin(request, cors), self._shared.sessions.hub
            with self._shared.opened(visitor):
                hub.attach(session, visitor, welcome)
                when_lost(request, visitor.lost)
                try:
                    return await visitor.serve(opening.wait_s)
                finally:
                    hub.detach(session, visitor)

    @contextmanager
    def place(self, request: web.Request) -> Iterator[dict[str, str]]:
        """A connection's place, as a WebSocket's, while the request is answered; the headers that the answer needs (CORS).

        Raises RemoteError 400 for a query, Refused 403 for a foreign origin, 429 for too many.
        """
        upgrade = upgrade_of(request)
        gate = self._shared.gate
        with gate.slot(gate.judge(upgrade, bare=True)):
            yield cors_of(upgrade)

    async def enter(self, request: web.Request, opening: Opening, *, greet: bool) -> tuple[Session, Message | None]:
        """The session, and the welcome; without ``greet`` there is none if the browser goes on where it was.

        Raises Refused or Unavailable.
        """
        sessions, token = self._shared.sessions, token_of(request)
        session = self._shared.again(opening.resume, token, opening.seen)
        resumed = session is not None
        if session is None:
            grant = await sessions.validate(token)
            session, resumed = await sessions.enter(grant, Hello(token, opening.resume, opening.seen))
        self.spend(session)
        if resumed and not greet:
            return session, None
        return session, welcome_of(session, resumed, await sessions.signaling.roster(session))

    def spend(self, session: Session) -> None:
        """One request of the session's rate. Raises Refused 429."""
        if session.budget is None:
            session.budget = TokenBucket(self._shared.rate, self._shared.clock)
        wait_s = session.budget.take()
        if wait_s:
            raise Refused("Too many requests.", status=429, code="too-many-requests", retry_after_s=wait_s)


def token_of(request: web.Request) -> str:
    """The join token. Raises Refused 401."""
    token = bearer_of(request)
    if not 0 < len(token) <= 4096:
        raise Refused("The token goes into the Authorization header.", status=401, code="token-invalid")
    return token


async def opening_of(request: web.Request) -> Opening:
    """What the browser has seen. Raises RemoteError 400, 408, 413, 415 or InvalidBody."""
    data = await read_json(request)
    try:
        return wire.read_opening(data)
    except wire.Malformed as error:
        raise refused(error) from None


def refused(error: wire.Malformed) -> RemoteError:
    """The answer to a body that is none of ours."""
    if isinstance(error, wire.NotJson):
        return RemoteError("the body is not JSON", status=400, code="not-json")
    return InvalidBody.text(str(error))


def cors_of(upgrade: Upgrade) -> dict[str, str]:
    """What lets a page of an origin that the gate has taken read the answer (Fetch, section 3.3)."""
    if not upgrade.origins:
        return {}
    return {"Access-Control-Allow-Origin": upgrade.origins[0], "Vary": "Origin"}

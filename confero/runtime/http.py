"""HTTP for a service: its routes as a table; around them health, readiness, metrics, errors, authentication and OpenAPI."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from confero.access import ACCESS
from confero.clock import Clock
from confero.errors import LocalError
from confero.runtime import openapi
from confero.runtime.bodies import read_bytes, read_json, read_model, read_query, reply
from confero.runtime.collector import Pauses
from confero.runtime.listener import Listener
from confero.runtime.looplag import LoopLag
from confero.runtime.metrics import Metrics
from confero.runtime.middleware import Guard, Handler, Observer, answer_errors, caller, finish_head, identify
from confero.runtime.tasks import spawn

__all__ = [
    "Handler",
    "HttpApp",
    "Listener",
    "Route",
    "caller",
    "read_bytes",
    "read_json",
    "read_model",
    "read_query",
    "reply",
]

CHECK_S = 2.0
"""Seconds a readiness check may take."""
Check = Callable[[], bool | Awaitable[bool]]


@dataclass(frozen=True)
class Route:
    """One operation of an API."""

    method: str
    path: str
    """As aiohttp writes it: ``/v1/rooms/{room}``."""
    handler: Handler
    scope: str | None = None
    """Key of ``confero.access.ACCESS``; None: public."""
    summary: str = ""
    body: Any = None
    """Model, union of models or TypeAdapter of the request; for the description, ``read_model`` reads it."""
    reply: Any = None
    """Model, list of models or TypeAdapter of the answer; None: no JSON."""
    status: int = 200
    errors: tuple[str, ...] = ()
    """Problems that it may answer beside the usual ones: ``"404 room-unknown"``."""
    query: Any = None
    """Model of the query string; ``read_query`` reads it."""
    reply_type: str = ""
    """Content type of an answer that is not JSON."""
    rule: str = ""
    """Name of the rule of authorisation under which a public route stands; the application server's guard holds it to that."""
    documented: bool = True
    """Whether it appears in the OpenAPI description."""


class HttpApp:
    """The aiohttp application of a service: ``app``. One event loop, one start."""

    def __init__(
        self,
        service: str,
        routes: Sequence[Route],
        *,
        secret: bytes,
        clock: Clock,
        max_body: int = 65_536,
        title: str = "",
        metrics: Metrics | None = None,
        probes: bool = True,
    ) -> None:
        """``service``: the audience of tokens. ``max_body``: bytes. ``metrics``: shared by several apps of one service.
        ``probes``: serve ``/health``, ``/ready``, ``/metrics``; public ports should not.

        Raises LocalError for a scope that ``confero.access`` does not know.
        """
        self.service = service
        self.title = title or f"confero {service}"
        self.metrics = metrics or Metrics()
        self._ready = False
        self._checks: dict[str, Check] = {}
        self._routes = tuple(routes)
        observer = Observer(self.metrics)
        self.app = web.Application(
            client_max_size=max_body, middlewares=[identify, observer.middleware(), answer_errors]
        )
        self.app.on_response_prepare.append(finish_head)
        guard = Guard(service, secret, clock)
        for route in [*self._routes, *(self._probes() if probes else ())]:
            self._add(route, guard)
        if probes:
            self.app.cleanup_ctx.append(self._measure_loop)

    def _add(self, route: Route, guard: Guard) -> None:
        if route.scope is not None and route.scope not in ACCESS:
            raise LocalError(f"{route.method} {route.path}: no scope {route.scope!r} in confero.access")
        handler = route.handler if route.scope is None else guard.protect(route.handler, route.scope)
        self.app.router.add_route(route.method, route.path, handler)

    def _probes(self) -> list[Route]:
        return [
            Route("GET", "/health", self._health),
            Route("GET", "/ready", self._ready_state),
            Route("GET", "/metrics", self._metrics),
        ]

    def set_ready(self, ready: bool) -> None:
        """What ``/ready`` says, provided that the checks agree. False at first, and again while draining."""
        self._ready = ready

    def add_check(self, name: str, check: Check) -> None:
        """A named condition of readiness, asked at each ``/ready``; it may be async and is given 2 s. Raising means no."""
        self._checks[name] = check

    @property
    def routes(self) -> tuple[Route, ...]:
        """Those given to the constructor."""
        return self._routes

    def openapi(self, words: openapi.Words | None = None) -> dict[str, Any]:
        """OpenAPI 3.1 of the routes given to the constructor; ``words``: what is said beside them."""
        return openapi.describe(self.title, [route for route in self._routes if route.documented], words)

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready_state(self, request: web.Request) -> web.Response:
        names = list(self._checks)
        results = await asyncio.gather(*(self._ask(self._checks[name]) for name in names))
        checks = {"started": self._ready, **dict(zip(names, results, strict=True))}
        ready = all(checks.values())
        body = {"status": "ready" if ready else "not-ready", "checks": checks}
        return web.json_response(body, status=200 if ready else 503)

    async def _ask(self, check: Check) -> bool:
        with suppress(Exception):
            async with asyncio.timeout(CHECK_S):
                answer = check()
                return bool(await answer if inspect.isawaitable(answer) else answer)
        return False

    async def _metrics(self, request: web.Request) -> web.Response:
        text, content_type = self.metrics.render()
        return web.Response(body=text, headers={"Content-Type": content_type})

    async def _measure_loop(self, app: web.Application) -> AsyncIterator[None]:
        tasks = [
            spawn(LoopLag(self.metrics).run(), name=f"{self.service}: loop lag"),
            spawn(Pauses(self.metrics).run(), name=f"{self.service}: gc pauses"),
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

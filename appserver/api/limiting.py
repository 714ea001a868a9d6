"""A handler within a limit for each source."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import ceil

from aiohttp import web

from confero.errors import Refused
from confero.ratelimit import RateLimiter, source_of
from confero.runtime.http import Handler
from confero.runtime.problems import problem_of, respond


def limited(limiter: RateLimiter, handler: Callable[[web.Request], Awaitable[web.Response]]) -> Handler:
    """``handler`` within the limit for the source of the request; beyond it 429 with ``Retry-After`` (RFC 6585 section 4)."""

    async def handle(request: web.Request) -> web.StreamResponse:
        wait_s = limiter.take(source_of(request.remote or ""))
        if wait_s:
            refused = Refused("Too many requests; try again shortly.", status=429, code="too-many-requests")
            return respond(problem_of(refused), {"Retry-After": str(ceil(wait_s))})
        return await handler(request)

    return handle

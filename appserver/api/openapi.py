"""The description of the public API, as the API itself serves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from confero.runtime.http import Route


def openapi_route(describe: Callable[[], dict[str, Any]]) -> Route:
    """``GET /api/v1/openapi.json``; the document is made at the first request."""
    made: list[dict[str, Any]] = []

    async def handle(request: web.Request) -> web.Response:
        if not made:
            made.append(describe())
        return web.json_response(made[0])

    return Route(
        "GET", "/api/v1/openapi.json", handle, summary="This document", rule="site.read", reply_type="application/json"
    )

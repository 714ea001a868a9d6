"""Who watches the messages that go by: ``GET /v1/trace`` on the control port, a line of JSON for each."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from confero.errors import Refused
from confero.runtime.http import Route

from .redact import redacted
from .trace import Seen, Trace, Watcher

WATCHERS = 8
"""At once; each is a connection that is written to for every message."""
QUIET_S = 15.0
"""After so long without a message an empty line goes out, which shows whether the watcher is still there."""


class TraceApi:
    """Bodies are shown without what would let somebody in: passwords of SDES, PINs in INFO, digests."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._watching = 0

    def routes(self) -> list[Route]:
        summary = (
            "What went by lately, then what goes by: a line of JSON for each message, until the connection is closed"
        )
        return [
            Route(
                "GET",
                "/v1/trace",
                self._watch,
                "sipgw:trace",
                summary,
                reply_type="application/x-ndjson",
                errors=("503 too-many-watchers",),
            )
        ]

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        if self._watching >= WATCHERS:
            raise Refused(f"{WATCHERS} others watch already.", status=503, code="too-many-watchers")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
        await response.prepare(request)
        self._watching += 1
        try:
            with self._trace.watch() as watcher:
                await self._write(response, watcher)
        except (ConnectionError, asyncio.CancelledError):
            return response
        finally:
            self._watching -= 1
        return response

    async def _write(self, response: web.StreamResponse, watcher: Watcher) -> None:
        while True:
            try:
                async with asyncio.timeout(QUIET_S):
                    seen = await watcher.next()
            except TimeoutError:
                await response.write(b"\n")
                continue
            missed, watcher.missed = watcher.missed, 0
            await response.write(json.dumps(shown(seen) | ({"missed": missed} if missed else {})).encode() + b"\n")


def shown(seen: Seen) -> dict[str, Any]:
    """As a line has it."""
    message = seen.message
    return {
        "at": message.at,
        "transport": message.transport,
        "source": list(message.source),
        "destination": list(message.destination),
        "came": seen.came,
        "title": seen.title,
        "call": message.correlation,
        "text": redacted(message.data.decode("utf-8", "replace")),
    }

"""What the checks of one run share: the place, the clock, one way to the page's API, and what one of them learns for the others."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import aiohttp

from confero.clock import Clock, SystemClock
from confero.models import Problem
from confero.runtime.tasks import spawn

from .findings import Unwell
from .place import Place
from .wire import unverified
from .words import met

REQUEST_S = 5.0
MAX_BODY = 1 << 20
"""Bytes of an answer that are read."""
T = TypeVar("T")


class Patient:
    """Close it after use."""

    def __init__(self, place: Place, clock: Clock | None = None) -> None:
        self.place = place
        self.clock = clock or SystemClock()
        self.random = random.SystemRandom()
        self.stage = asyncio.Lock()
        """For what costs so much that it would disturb itself."""
        self._http: aiohttp.ClientSession | None = None
        self._learned: dict[str, asyncio.Task[Any]] = {}
        self._farewells: list[Callable[[], Awaitable[None]]] = []

    @property
    def http(self) -> aiohttp.ClientSession:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=REQUEST_S)
            self._http = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self._http

    async def learn(self, what: str, how: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What ``how`` finds, asked once in a run; its error is everybody's who asks."""
        if what not in self._learned:
            self._learned[what] = spawn(how(), name=f"doctor learns {what}", logged=False)
        found: T = await asyncio.shield(self._learned[what])
        return found

    def at_the_end(self, farewell: Callable[[], Awaitable[None]]) -> None:
        """Called when the run is over, the last first."""
        self._farewells.append(farewell)

    def page(self) -> dict[str, Any]:
        """Arguments of a request to the page's port: whatever address answers there is asked under the page's own name."""
        place = self.place
        authority = place.origin.removeprefix("https://")
        return {
            "ssl": unverified(("http/1.1",)),
            "server_hostname": place.name,
            "headers": {"Host": authority, "Origin": place.origin},
        }

    def page_url(self, path: str) -> str:
        return f"https://{self.place.page}{path}"

    async def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Status and JSON of a call of the public API. Raises Unwell when there is no such answer."""
        try:
            async with self.http.request(method, self.page_url(path), json=body, **self.page()) as response:
                text = await response.content.read(MAX_BODY)
                if "json" not in response.content_type:
                    raise Unwell(*_not_ours(self.place, path, response))
                return response.status, _json(text)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            found = met(error, self.place.page, self.place.page_row)
            raise Unwell(found.what, found.advice) from error

    async def close(self) -> None:
        """Says goodbye for all who asked for it, and closes everything. Idempotent."""
        farewells, self._farewells = self._farewells, []
        for task in self._learned.values():
            task.cancel()
        await asyncio.gather(*self._learned.values(), return_exceptions=True)
        await asyncio.gather(*(farewell() for farewell in reversed(farewells)), return_exceptions=True)
        if self._http is not None:
            await self._http.close()


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _not_ours(place: Place, path: str, response: aiohttp.ClientResponse) -> tuple[str, str]:
    server = response.headers.get("Server", "a server that does not say its name")
    return (
        f"{place.page}{path} answers {response.status} as {response.content_type}: not the application server",
        f"{server[:60]} answers there; let it pass everything on to the application server, or take the port from it",
    )


def problem(status: int, body: Any) -> tuple[str, str]:
    """Code and text of an error's answer (RFC 9457)."""
    try:
        found = Problem.model_validate(body)
    except ValueError:
        return "", f"status {status}"
    return found.type.rpartition(":")[2], found.detail or found.title

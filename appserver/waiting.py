"""An application server whose database is not there yet: it is open all the same, says so to whoever asks, and waits for as long
as it takes.

To end instead would end calls that go on without it: whoever supervises it gives up after some starts in vain, and stops
everything with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from confero.clock import Clock
from confero.errors import Unavailable
from confero.runtime.http import Handler, Route
from confero.runtime.logging import get_logger
from confero.runtime.tasks import spawn

from .db.breaker import Breaker
from .db.faults import away

log = get_logger(__name__)

HEAD_START_S = 2.0
"""For the first try, before the doors are opened: those who come during a restart wait at the front door, which is better for them
than a refusal."""
PAUSE_S = 1.0
"""Between two tries."""
SAID_S = 10.0
"""Between two lines of the log."""
TURNED_AWAY = "database-refused"
"""Code of an Unavailable: the server is there, and does not let us in."""
TRIES = 30
"""With a server that turns us away, since users and databases are often made just then; afterwards it is a wrong setting."""


class WaitingRoom:
    """Routes that need the database are held in it until ``open``: each request is refused as if it had been there and gone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._breaker = Breaker()
        self._breaker.away(clock.monotonic())

    def hold(self, routes: Iterable[Route]) -> list[Route]:
        """The routes, held. To be put around whatever else asks the database, such as who somebody is."""
        return [replace(route, handler=self._held(route.handler)) for route in routes]

    def open(self) -> None:
        """The database is there, and all has been read that answers depend on."""
        self._breaker.probed(self._clock.monotonic(), answered=True)

    def _held(self, handler: Handler) -> Handler:
        async def handle(request: Any) -> Any:
            if self._breaker.is_open:
                raise away(self._breaker.retry_after_s(self._clock.monotonic()))
            return await handler(request)

        return handle


async def wait_for_database(
    prepare: Callable[[], Coroutine[Any, Any, None]], listen: Callable[[], Awaitable[None]]
) -> None:
    """Until ``prepare`` has done it, which is tried again whenever it raises Unavailable. ``listen``: called once it is known that
    this takes longer. Raises Unavailable ``database-refused``, and what else the two raise.
    """
    first = spawn(prepare(), name="prepare the database", logged=False)
    try:
        await asyncio.wait([first], timeout=HEAD_START_S)
        if not first.done() or isinstance(first.exception(), Unavailable):
            await listen()
        await first
    except Unavailable as error:
        log.warning("waiting for the database", reason=error.detail)
        await _try_on(prepare)
    finally:
        first.cancel()
        await asyncio.wait([first])


async def _try_on(prepare: Callable[[], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    refusals, said_at = 0, loop.time()
    while True:
        await asyncio.sleep(PAUSE_S)
        try:
            return await prepare()
        except Unavailable as error:
            refusals = refusals + 1 if error.code == TURNED_AWAY else 0
            if refusals >= TRIES:
                raise
            if loop.time() - said_at >= SAID_S:
                said_at = loop.time()
                log.warning("waiting for the database", reason=error.detail)

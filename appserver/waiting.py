"""An application server whose database is not there yet: it says so to whoever asks, and waits for as long as it takes.

To end instead would end calls that go on without it: whoever supervises it gives up after some starts in vain, and stops
everything with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn

from confero.clock import Clock
from confero.errors import Unavailable
from confero.runtime.http import HttpApp, Listener, Route
from confero.runtime.logging import get_logger

log = get_logger(__name__)

PAUSE_S = 1.0
"""Between two tries."""
SAID_S = 10.0
"""Between two lines of the log."""
TURNED_AWAY = "database-refused"
"""Code of an Unavailable: the server is there, and does not let us in."""
TRIES = 30
"""With a server that turns us away, since users and databases are often made just then; afterwards it is a wrong setting."""


async def wait_for_database(migrate: Callable[[], Awaitable[None]]) -> None:
    """Until ``migrate`` has done it. Raises Unavailable ``database-refused``, and what else ``migrate`` raises."""
    refusals, said_at = 0, float("-inf")
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(PAUSE_S)
        try:
            return await migrate()
        except Unavailable as error:
            refusals = refusals + 1 if error.code == TURNED_AWAY else 0
            if refusals >= TRIES:
                raise
            if loop.time() - said_at >= SAID_S:
                said_at = loop.time()
                log.warning("waiting for the database", reason=error.detail)


@asynccontextmanager
async def waiting_room(host: str, port: int, *, secret: bytes, clock: Clock) -> AsyncIterator[Listener]:
    """On the internal port meanwhile: alive, not ready, and 503 for everything else, after which others tell it again."""
    app = HttpApp("appserver", [Route("*", "/{rest:.*}", _refuse)], secret=secret, clock=clock)
    app.add_check("database", lambda: False)
    listener = await Listener.start(app.app, host, port)
    try:
        yield listener
    finally:
        await listener.close()


async def _refuse(_: object) -> NoReturn:
    raise Unavailable("The database is not there yet; try again in a moment.", code="database-down", retry_after_s=1)

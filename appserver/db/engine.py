"""The connection to the database: SQLite or MySQL/MariaDB behind one face, with retries and errors of our own family."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, Row, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.errors import LocalError, Unavailable
from confero.runtime.metrics import Metrics

from .connections import Limits
from .faults import away
from .meters import Kind, Meters
from .server import TRIES, Server, Value, Work
from .sqlite import Sqlite
from .tls import check_parameters

DRIVERS = {
    "sqlite": "sqlite",
    "mysql": "mysql+aiomysql",
    "mariadb": "mysql+aiomysql",
    "sqlite+aiosqlite": "sqlite",
    "mysql+aiomysql": "mysql+aiomysql",
    "mariadb+aiomysql": "mysql+aiomysql",
}
"""Schemes that a database URL may have, and the driver that is used."""
DEFAULT = Limits()
RETRY_S = 0.02
LOCKED = "database is locked"
"""What SQLite says of another process that writes for longer than it waits."""


def database_url(text: str | None, state_dir: Path) -> URL:
    """The URL with its driver; SQLite in ``state_dir`` when there is none. Raises LocalError for one that cannot be used."""
    if text is None:
        return URL.create("sqlite", database=str(state_dir / "confero.db"))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise LocalError("database_url is not a database URL") from None
    if url.drivername not in DRIVERS:
        raise LocalError(f"database_url: {url.drivername} is not supported; use sqlite or mysql")
    url = url.set(drivername=DRIVERS[url.drivername])
    if url.drivername.startswith("sqlite"):
        return url
    check_parameters(url, text)
    return url.update_query_dict({"charset": "utf8mb4"})


class Database:
    """Transactions on one database. ``close`` it."""

    def __init__(self, url: URL, metrics: Metrics | None = None, limits: Limits = DEFAULT) -> None:
        """``metrics``: of the service; without, nobody reads what is measured."""
        self._meters = Meters(metrics or Metrics(), limits.slow_s)
        self._timeout_s = limits.timeout_s
        self.is_sqlite = url.drivername.startswith("sqlite")
        self.file = Path(url.database) if self.is_sqlite and url.database else None
        self.sqlite = Sqlite(url) if self.is_sqlite else None
        self._server = None if self.is_sqlite else Server(url, self._meters, limits)

    async def rows(self, query: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """All rows of one statement that does not write. ``values``: of its bound parameters. Raises Unavailable."""

        async def work(connection: AsyncConnection) -> Sequence[Row[Any]]:
            return (await connection.execute(query, values)).all()

        if self.sqlite is None:
            return await self.server.read(work, lambda: str(query))
        return await self._in_file(self.sqlite.read, work, "read", lambda: str(query))

    async def value(self, query: Executable) -> Any:
        """The first column of the first row; None if there is no row. Raises Unavailable."""
        found = await self.rows(query)
        return found[0][0] if found else None

    async def write(self, work: Work[Value]) -> Value:
        """Run ``work`` in a transaction, again from its start if another one was in its way, or its connection was lost before
        COMMIT. Raises Unavailable.

        It awaits nothing but its connection: others wait for it.
        """
        if self.sqlite is None:
            return await self.server.write(work, lambda: work.__qualname__)
        return await self._in_file(self.sqlite.write, work, "write", lambda: work.__qualname__)

    async def _in_file(
        self, way: Callable[[Work[Value]], Awaitable[Value]], work: Work[Value], kind: Kind, what: Callable[[], str]
    ) -> Value:
        with self._meters.timed(kind, what):
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await _unlocked(way, work)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> Unavailable:
        """Without the statement and its values, which name people."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        self._meters.failures.labels("file").inc()
        self._meters.say_failed("database failed", error=type(cause).__name__, detail=str(cause)[:200])
        return away(RETRY_S)

    @property
    def server(self) -> Server:
        """Where the database is no file."""
        assert self._server is not None, "asked for after is_sqlite"
        return self._server

    async def answers(self) -> bool:
        """Whether the database can be asked; for readiness. One that is away is not asked once more. Raises Unavailable."""
        if self._server is not None:
            return not self._server.is_away and await self._server.answers()
        await self.rows(text("SELECT 1"))
        return True

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        if self.sqlite is not None:
            await self.sqlite.close()
        if self._server is not None:
            await self._server.close()


async def _unlocked(way: Callable[[Work[Value]], Awaitable[Value]], work: Work[Value]) -> Value:
    """Another process that writes is waited for by SQLite itself, and then here, since it gives up at once in some cases."""
    for _ in range(1, TRIES):
        try:
            return await way(work)
        except OperationalError as error:
            if LOCKED not in str(error.orig):
                raise
        await asyncio.sleep(RETRY_S)
    return await way(work)

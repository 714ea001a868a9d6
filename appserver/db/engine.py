"""The connection to the database: SQLite or MySQL/MariaDB behind one face, with retries and errors of our own family."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Executable, Row, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from confero.errors import LocalError, Unavailable
from confero.runtime.logging import get_logger

from .sqlite import Sqlite

log = get_logger(__name__)
Value = TypeVar("Value")

DRIVERS = {
    "sqlite": "sqlite",
    "mysql": "mysql+aiomysql",
    "mariadb": "mysql+aiomysql",
    "sqlite+aiosqlite": "sqlite",
    "mysql+aiomysql": "mysql+aiomysql",
    "mariadb+aiomysql": "mysql+aiomysql",
}
"""Schemes that a database URL may have, and the driver that is used."""
TIMEOUT_S = 5.0
"""A transaction with all its tries."""
TRIES = 4
RETRY_S = 0.02
MYSQL_CONFLICTS = frozenset({1205, 1213})
"""Lock wait time-out and deadlock: the transaction was undone and may be tried again (also how Galera says no at commit)."""


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
    return url.update_query_dict({"charset": "utf8mb4"}) if url.drivername.startswith("mysql") else url


class Database:
    """Transactions on one database. ``close`` it: aiomysql complains about connections that are only forgotten."""

    def __init__(self, url: URL) -> None:
        self.is_sqlite = url.drivername.startswith("sqlite")
        self.file = Path(url.database) if self.is_sqlite and url.database else None
        self.sqlite = Sqlite(url) if self.is_sqlite else None
        self._mysql = None if self.is_sqlite else _mysql_engine(url)

    async def rows(self, query: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """All rows of one statement that does not write. ``values``: of its bound parameters. Raises Unavailable."""

        async def work(connection: AsyncConnection) -> Sequence[Row[Any]]:
            return (await connection.execute(query, values)).all()

        try:
            async with asyncio.timeout(TIMEOUT_S):
                if self.sqlite is not None:
                    return await self.sqlite.read(work)
                async with self.mysql.connect() as connection:
                    return await work(connection)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _unavailable(error) from error

    async def value(self, query: Executable) -> Any:
        """The first column of the first row; None if there is no row. Raises Unavailable."""
        found = await self.rows(query)
        return found[0][0] if found else None

    async def write(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, Value]]) -> Value:
        """Run ``work`` in a transaction, again from its start if another one was in its way. Raises Unavailable.

        It awaits nothing but its connection: others wait for it.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S):
                for attempt in range(1, TRIES + 1):
                    try:
                        return await self._transaction(work)
                    except OperationalError as error:
                        if attempt == TRIES or not _is_conflict(error):
                            raise
                        await asyncio.sleep(RETRY_S * attempt)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _unavailable(error) from error
        raise AssertionError("unreachable")

    async def _transaction(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, Value]]) -> Value:
        if self.sqlite is not None:
            return await self.sqlite.write(work)
        async with self.mysql.connect() as connection, connection.begin():
            return await work(connection)

    @property
    def mysql(self) -> AsyncEngine:
        """Where the database is no file."""
        assert self._mysql is not None, "asked for after is_sqlite"
        return self._mysql

    async def answers(self) -> bool:
        """Whether the database can be asked; for readiness."""
        await self.rows(text("SELECT 1"))
        return True

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        if self.sqlite is not None:
            await self.sqlite.close()
        if self._mysql is not None:
            await self._mysql.dispose()


def _mysql_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_pre_ping=True,  # a restarted server costs no failed request
        pool_recycle=1800,  # below the server's wait_timeout
        pool_size=10,
        max_overflow=10,
        pool_timeout=TIMEOUT_S,
        isolation_level="READ COMMITTED",  # no gap locks, so inserts do not meet
        connect_args={"connect_timeout": TIMEOUT_S},
    )


def _is_conflict(error: OperationalError) -> bool:
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return bool(arguments) and (arguments[0] in MYSQL_CONFLICTS or "database is locked" in str(arguments[0]))


def _unavailable(error: Exception) -> Unavailable:
    """Without the statement and its values, which name people."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    log.error("database failed", error=type(cause).__name__, detail=str(cause)[:200])
    return Unavailable("The database does not answer; try again in a moment.", code="database-down")

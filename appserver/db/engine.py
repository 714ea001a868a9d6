"""The connection to the database: SQLite or MySQL/MariaDB behind one face, with retries and errors of our own family."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from confero.errors import LocalError, Unavailable
from confero.runtime.logging import get_logger

log = get_logger(__name__)
Value = TypeVar("Value")

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "mysql": "mysql+aiomysql",
    "mariadb": "mysql+aiomysql",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "mysql+aiomysql": "mysql+aiomysql",
    "mariadb+aiomysql": "mysql+aiomysql",
}
"""Schemes that a database URL may have, and the driver that is used."""
TIMEOUT_S = 5.0
"""A transaction with all its tries."""
BUSY_MS = 4000
"""How long SQLite waits for another writer; below TIMEOUT_S."""
TRIES = 4
RETRY_S = 0.02
MYSQL_CONFLICTS = frozenset({1205, 1213})
"""Lock wait time-out and deadlock: the transaction was undone and may be tried again (also how Galera says no at commit)."""
WRITES = {"confero_writes": True}
"""Execution options of a connection that will write."""


def database_url(text: str | None, state_dir: Path) -> URL:
    """The URL with its driver; SQLite in ``state_dir`` when there is none. Raises LocalError for one that cannot be used."""
    if text is None:
        return URL.create("sqlite+aiosqlite", database=str(state_dir / "confero.db"))
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
        self.file = Path(url.database) if self.is_sqlite and url.database and url.database != ":memory:" else None
        self.engine = _sqlite_engine(url) if self.is_sqlite else _mysql_engine(url)
        # SQLite has one writer, and lets others look again ever more seldom: in a queue of our own all get their turn.
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if self.is_sqlite else nullcontext()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """For one statement that does not write. Raises Unavailable."""
        try:
            async with asyncio.timeout(TIMEOUT_S), self.engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _unavailable(error) from error

    async def write(self, work: Callable[[AsyncConnection], Awaitable[Value]]) -> Value:
        """Run ``work`` in a transaction, again from its start if another one was in its way. Raises Unavailable."""
        try:
            async with asyncio.timeout(TIMEOUT_S), self._turn:
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

    async def _transaction(self, work: Callable[[AsyncConnection], Awaitable[Value]]) -> Value:
        async with self.engine.connect() as connection:
            await connection.execution_options(**WRITES)
            async with connection.begin():
                return await work(connection)

    async def answers(self) -> bool:
        """Whether the database can be asked; for readiness."""
        async with self.read() as connection:
            await connection.exec_driver_sql("SELECT 1")
        return True

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        await self.engine.dispose()


def _sqlite_engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": BUSY_MS / 1000})

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", f"busy_timeout={BUSY_MS}", "synchronous=NORMAL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:
        # A transaction that reads first and then writes could not get the write lock without losing its snapshot: take it at once.
        # One statement that reads needs none: four trips to the connection's thread less.
        if connection.get_execution_options().get("confero_writes"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


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

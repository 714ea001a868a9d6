"""Connections to MariaDB or MySQL: how each is made, what it is told, how many there are, and which are too old to be used."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from .faults import Fault, fault_of
from .tls import Tls, without_tls

CONNECT_S = 3.0
"""To wait for a connection of the pool, or for the server to take a new one."""
RECYCLE_S = 1800
"""A connection is not used for longer than this, which is less than the server leaves it open."""
SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', "
    "wait_timeout = 3600, innodb_lock_wait_timeout = {lock_s}"
    "/*M! , max_statement_time = {timeout_s}, idle_transaction_timeout = {idle_s} */"
)
"""What each connection is told, whatever the server's own settings are: what does not fit is an error and not cut off; whoever
waits for a lock hears of it while there is time to try again; what we have given up is given up by the server too, with its locks.
MariaDB reads the comment, MySQL does not."""
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
# It logs a trace for each connection that it finds dead when it is given back; what that means for whom is said here.


@dataclass(frozen=True)
class Limits:
    """What an installation may set."""

    connections: int = 20
    """At most; half of them are kept."""
    timeout_s: float = 5.0
    """A transaction with all its tries."""
    slow_s: float = 0.5
    """What takes longer is logged."""


class Ages:
    """Which connections are from before the server was away: they may lead to a machine that is gone without a word."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._age = 0
        event.listen(engine.sync_engine, "connect", self._made)
        event.listen(engine.sync_engine, "checkout", self._taken)

    def end(self) -> None:
        """Those that there are now are not used any more."""
        self._age += 1

    def _made(self, _: object, record: ConnectionPoolEntry) -> None:
        record.info["age"] = self._age

    def _taken(self, _: object, record: ConnectionPoolEntry, __: object) -> None:
        if record.info["age"] != self._age:
            raise DisconnectionError  # the pool closes it, and makes another


def pooled(url: URL, limits: Limits) -> AsyncEngine:
    """For transactions that people wait for."""
    kept = max(1, limits.connections // 2)
    engine = create_async_engine(
        without_tls(url),
        pool_recycle=RECYCLE_S,
        pool_size=kept,
        max_overflow=limits.connections - kept,
        pool_timeout=min(CONNECT_S, limits.timeout_s),
        isolation_level="READ COMMITTED",  # no gap locks, so inserts do not meet
        connect_args=_arguments(url, min(CONNECT_S, limits.timeout_s)),
    )
    event.listen(engine.sync_engine, "handle_error", _mark_lost)
    event.listen(engine.sync_engine, "connect", _session(limits))
    return engine


def alone(url: URL) -> AsyncEngine:
    """For what takes as long as it takes: each connection is made when it is asked for, and without limits of time."""
    return create_async_engine(without_tls(url), poolclass=NullPool, connect_args=_arguments(url, CONNECT_S))


def _arguments(url: URL, connect_s: float) -> dict[str, Any]:
    """For each connection."""
    tls = Tls(url)
    return {"connect_timeout": connect_s, **({"async_creator_fn": tls.connect} if tls else {})}


def _session(limits: Limits) -> Callable[[Any, object], None]:
    whole = max(1, round(limits.timeout_s))
    told = SESSION.format(lock_s=max(1, whole // 2), timeout_s=limits.timeout_s, idle_s=2 * whole)

    def connected(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(told)
        cursor.close()

    return connected


def _mark_lost(context: ExceptionContext) -> None:
    """Connections of the pool that are as old go with one that is lost: they lead to the same server."""
    if context.connection is not None and fault_of(context.original_exception) is Fault.LOST:
        context.is_disconnect = True

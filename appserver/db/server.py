"""MariaDB or MySQL over a pool of connections: transactions are tried again where that is safe, and nobody waits for a server
that is away.

A transaction that has not sent COMMIT has done nothing, so it may begin again on another connection. Once COMMIT is under way only
the server's own word that it undid it allows that (docs/decisions/069).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from confero.errors import Unavailable
from confero.runtime.logging import get_logger
from confero.runtime.tasks import spawn

from .breaker import Breaker
from .connections import CONNECT_S, Ages, Limits, alone, pooled
from .faults import Fault, away, busy, fault_of, unsure
from .meters import Kind, Meters

log = get_logger(__name__)
Value = TypeVar("Value")
Work = Callable[[AsyncConnection], Coroutine[Any, Any, Value]]

PROBE_S = 2.0
"""Until a probe counts as not answered."""
TRIES = 4
RETRY_S = 0.02
"""Before the second try; longer before each further one, and never the same for two who were in each other's way."""
WAITING = 2000
"""Transactions at once, most of which wait for a connection; of more each is refused at once."""
PROBE = text("SELECT version_num FROM alembic_version")
"""Of a table: without quorum a node of Galera answers questions that need none."""


class _Try:
    """How far a try of a transaction has come."""

    connected = False
    committing = False

    def may_begin_again(self, fault: Fault) -> bool:
        """Whether nothing has been done for certain, and another try may fare better."""
        return fault is Fault.CONFLICT or (fault is Fault.LOST and self.connected and not self.committing)


Way = Callable[[Work[Value], _Try], Awaitable[Value]]


class Server:
    """One database on a server. ``close`` it: aiomysql complains about connections that are only forgotten."""

    def __init__(self, url: URL, meters: Meters, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self.limits = limits
        self.engine = pooled(url, limits)
        self._ages = Ages(self.engine)
        self._meters = meters
        self._clock = clock
        self._breaker = Breaker()
        self._waiting = 0
        self._prober: asyncio.Task[None] | None = None
        pool = self.engine.pool
        assert isinstance(pool, QueuePool)
        meters.pool(pool.checkedout, pool.checkedin)

    @property
    def is_away(self) -> bool:
        """Requests are refused at once."""
        return self._breaker.is_open

    async def read(self, work: Work[Value], what: Callable[[], str]) -> Value:
        """``work`` does not write. Raises Unavailable. ``what`` names it in the log."""
        return await self._run(self._reading, work, "read", what)

    async def write(self, work: Work[Value], what: Callable[[], str]) -> Value:
        """Once it is committed. Raises Unavailable, ``database-unsure`` if nobody knows whether it was."""
        return await self._run(self._writing, work, "write", what)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[AsyncConnection]:
        """A connection of its own, for what takes long and is not tried again. Raises what SQLAlchemy raises, and TimeoutError
        where a connection is taken and nothing is said.
        """
        engine = alone(self._url)
        try:
            async with AsyncExitStack() as stack:
                yield await _opened(engine, stack)
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Idempotent."""
        prober, self._prober = self._prober, None
        if prober is not None:
            prober.cancel()
            await asyncio.wait([prober])
        await self.engine.dispose()

    # --- a transaction --------------------------------------------------------------------------------------------

    async def _run(self, way: Way[Value], work: Work[Value], kind: Kind, what: Callable[[], str]) -> Value:
        self._admit()
        self._waiting += 1
        try:
            with self._meters.timed(kind, what):
                value = await self._tried(way, work)
        finally:
            self._waiting -= 1
        self._breaker.answered()
        return value

    def _admit(self) -> None:
        if self._breaker.is_open:
            self._meters.refused.labels("away").inc()
            raise away(self._breaker.retry_after_s(self._clock()))
        if self._waiting >= WAITING:
            self._meters.refused.labels("busy").inc()
            raise busy()

    async def _tried(self, way: Way[Value], work: Work[Value]) -> Value:
        now = _Try()
        try:
            async with asyncio.timeout(self.limits.timeout_s):
                return await self._tries(way, work, now)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise self._given_up(error, now) from error

    async def _tries(self, way: Way[Value], work: Work[Value], now: _Try) -> Value:
        for number in range(1, TRIES):
            try:
                return await way(work, now)
            except (DBAPIError, OSError) as error:
                if not now.may_begin_again(fault_of(error)):
                    raise
                self._meters.retries.labels(fault_of(error).value).inc()
            await asyncio.sleep(RETRY_S * number * (0.5 + random.random()))
        return await way(work, now)

    async def _reading(self, work: Work[Value], now: _Try) -> Value:
        now.connected = now.committing = False
        async with self.engine.connect() as connection:
            now.connected = True
            return await work(connection)

    async def _writing(self, work: Work[Value], now: _Try) -> Value:
        now.connected = now.committing = False
        async with self.engine.connect() as connection:
            now.connected = True
            async with connection.begin():
                value = await work(connection)
                now.committing = True
            return value

    # --- when it does not answer ----------------------------------------------------------------------------------

    def _given_up(self, error: Exception, last: _Try) -> Unavailable:
        """Without the statement and its values, which name people."""
        fault = fault_of(error)
        if not last.connected and fault is Fault.LOST:
            fault = Fault.AWAY
        self._meters.failures.labels(fault.value).inc()
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        self._meters.say_failed(
            "database failed", fault=fault.value, error=type(cause).__name__, detail=str(cause)[:200]
        )
        self._note(fault)
        if last.committing and fault in (Fault.LOST, Fault.SLOW):
            return unsure()
        return busy() if fault is Fault.FULL else away(max(1.0, self._breaker.retry_after_s(self._clock())))

    def _note(self, fault: Fault) -> None:
        now = self._clock()
        if fault in (Fault.STATEMENT, Fault.CONFLICT):
            self._breaker.answered()
        elif self._breaker.away(now) if fault is Fault.AWAY else self._breaker.failed(now):
            log.error("the database is away: requests are refused until it is back", fault=fault.value)
            self._meters.up.set(0)
            self._prober = spawn(self._probe(), name="database probe")

    async def _probe(self) -> None:
        """Until it is back."""
        self._ages.end()
        while (due := self._breaker.get_timer()) is not None:
            await asyncio.sleep(max(0.0, due - self._clock()))
            if self._breaker.handle_timer(self._clock()):
                answered = await self.answers()
                if away_s := self._breaker.probed(self._clock(), answered=answered):
                    log.warning("the database is back", away_s=round(away_s, 1))
                    self._meters.up.set(1)

    async def answers(self) -> bool:
        """Whether it takes a connection and answers on it."""
        try:
            async with asyncio.timeout(PROBE_S), self.engine.connect() as connection:
                await connection.execute(PROBE)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            return fault_of(error) is Fault.STATEMENT  # such as that the table is not made yet
        return True


async def _opened(engine: AsyncEngine, stack: AsyncExitStack) -> AsyncConnection:
    """A connection, until the stack ends. The driver bounds the time until TCP connects, and not what follows."""
    try:
        async with asyncio.timeout(CONNECT_S):
            return await stack.enter_async_context(engine.connect())
    except TimeoutError:
        raise TimeoutError(f"it has not let us in within {CONNECT_S:g} s") from None

"""SQLite by two threads of its own, one that writes and one that reads: what waits for the writer shares one commit.

A transaction is a coroutine that awaits nothing but its connection. Here it runs to its end in the writer's thread, so it costs
one trip there and back, and not one for each of its steps; and those that came while the last commit was made are the next one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.errors import LocalError, Unavailable

Value = TypeVar("Value")
Work = Callable[[AsyncConnection], Coroutine[Any, Any, Any]]
Outcome = tuple[Any, BaseException | None]

BUSY_MS = 4000
"""How long SQLite waits for another process that writes; below the time a transaction has."""
MOST = 64
"""Transactions in one commit: those behind them wait a few milliseconds."""
WAITING = 10_000
"""That may wait; of more each is refused at once."""
PRAGMAS = ("journal_mode=WAL", f"busy_timeout={BUSY_MS}", "synchronous=NORMAL")


class Sqlite:
    """One database file. ``close`` it."""

    def __init__(self, url: URL) -> None:
        self._engine = _engine(url)
        self._writer = _Thread("sqlite writer", self._engine, _together)
        self._reader = _Thread("sqlite reader", self._engine, _each)

    async def write(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, Value]]) -> Value:
        """What ``work`` returns, once it is committed. Raises what it raises; then nothing has been done.

        It may run twice, its first run undone, if another one of the same commit fails.
        """
        return cast(Value, await self._writer.run(work))

    async def read(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, Value]]) -> Value:
        """For statements that do not write: what was committed before."""
        return cast(Value, await self._reader.run(work))

    async def close(self) -> None:
        """Idempotent; what waits is done first."""
        for thread in (self._writer, self._reader):
            await thread.close()
        self._engine.dispose()


def _engine(url: URL) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


class _Job:
    """A transaction that waits, and who waits for it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def tell(self, outcome: Outcome) -> None:
        """In the event loop. Nobody may be waiting any more."""
        value, error = outcome
        if self.future.done():
            return
        if error is None:
            self.future.set_result(value)
        else:
            self.future.set_exception(error)


Run = Callable[[Connection, Sequence[_Job]], list[Outcome]]


class _Thread:
    """Takes what waits, all at once, and tells the event loop of all at once. Begins with the first job."""

    def __init__(self, name: str, engine: Engine, run: Run) -> None:
        self._name = name
        self._engine = engine
        self._run = run
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def run(self, work: Work) -> Any:
        """Raises what ``work`` raises, and Unavailable when too many wait."""
        if self._closed:
            raise LocalError("the database is closed")
        if self._jobs.qsize() >= WAITING:
            raise Unavailable("The database has too much to do; try again in a moment.", code="database-down")
        if self._thread is None:
            self._thread = threading.Thread(target=self._live, name=self._name, daemon=True)
            self._thread.start()
        job = _Job(work)
        self._jobs.put(job)
        return await job.future

    async def close(self) -> None:
        """Idempotent."""
        self._closed = True
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)

    # -- in the thread --

    def _live(self) -> None:
        ended = False
        while not ended:
            jobs = [self._jobs.get()]
            with suppress(Empty):
                while len(jobs) < MOST:
                    jobs.append(self._jobs.get_nowait())
            ended = jobs[-1] is None  # nothing comes after it
            if wanted := [job for job in jobs if job is not None and not job.future.done()]:
                self._do(wanted)

    def _do(self, jobs: list[_Job]) -> None:
        try:
            with self._engine.connect() as connection:
                outcomes = self._run(connection, jobs)
        except BaseException as error:  # the connection itself: whoever waits is to hear of it
            outcomes = [(None, error)] * len(jobs)
        for loop in {job.loop for job in jobs}:
            mine = [(job, outcome) for job, outcome in zip(jobs, outcomes, strict=True) if job.loop is loop]
            with suppress(RuntimeError):  # the loop has ended, and who waited with it
                loop.call_soon_threadsafe(_tell, mine)


def _tell(outcomes: Sequence[tuple[_Job, Outcome]]) -> None:
    for job, outcome in outcomes:
        job.tell(outcome)


def _together(connection: Connection, jobs: Sequence[_Job]) -> list[Outcome]:
    """One commit for all. If one fails nothing has been done, and each is done by itself."""
    try:
        with _transaction(connection):
            return [(_finished(job.work, connection), None) for job in jobs]
    except Exception as error:
        if len(jobs) == 1:
            return [(None, error)]
    return [_together(connection, [job])[0] for job in jobs]


def _each(connection: Connection, jobs: Sequence[_Job]) -> list[Outcome]:
    """Readers do not mind one another."""
    outcomes: list[Outcome] = []
    for job in jobs:
        try:
            outcomes.append((_finished(job.work, connection), None))
        except Exception as error:
            outcomes.append((None, error))
    return outcomes


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    try:
        # One that reads first and then writes could not get the write lock without losing its snapshot: take it at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _finished(work: Work, connection: Connection) -> Any:
    """What the transaction returns: nothing in it waits for anybody else, so its first step is its last."""
    coroutine = work(cast(AsyncConnection, _Direct(connection)))
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise LocalError("a transaction awaits nothing but its connection")


class _Direct:
    """What transactions use of an AsyncConnection, done at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        return self._connection.execute(statement, parameters)

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        return self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Any, parameters: Any = None) -> Any:
        return self._connection.scalars(statement, parameters)

    async def run_sync(self, function: Callable[[Connection], Value]) -> Value:
        return function(self._connection)

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        with self._connection.begin_nested():
            yield

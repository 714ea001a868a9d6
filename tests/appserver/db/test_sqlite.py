"""SQLite's threads: one commit for what waits, each transaction whole or not at all, and nobody is kept waiting for nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.appserver.db import sqlite
from confero.appserver.db.sqlite import Sqlite
from confero.errors import LocalError, Unavailable
from confero.runtime.tasks import spawn

from ...support.waiting import until


class Bench:
    """A table of names, and how often it was committed."""

    def __init__(self, path: Path) -> None:
        self.sqlite = Sqlite(URL.create("sqlite", database=str(path)))
        self.commits = 0
        self.taken, self.held = threading.Event(), threading.Event()
        event.listen(self.sqlite._engine, "commit", self._committed)

    def _committed(self, _: object) -> None:
        self.commits += 1

    async def start(self) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(text("CREATE TABLE names (name TEXT PRIMARY KEY)"))

        await self.sqlite.write(work)
        self.commits = 0

    async def add(self, name: str) -> str:
        async def work(connection: AsyncConnection) -> str:
            await connection.execute(text("INSERT INTO names VALUES (:name)"), {"name": name})
            if name.startswith("bad"):
                raise KeyError(name)
            return name

        return await self.sqlite.write(work)

    async def block(self) -> None:
        """Keeps the writer busy until ``held`` is set."""

        async def work(connection: AsyncConnection) -> None:
            self.taken.set()
            assert self.held.wait(10)

        await self.sqlite.write(work)

    async def names(self) -> list[str]:
        async def work(connection: AsyncConnection) -> list[str]:
            return list(await connection.scalars(text("SELECT name FROM names ORDER BY name")))

        return await self.sqlite.read(work)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "x.db")
    await bench.start()
    yield bench
    bench.held.set()
    await bench.sqlite.close()


async def blocked(bench: Bench) -> asyncio.Task[None]:
    task = spawn(bench.block(), name="test", logged=False)
    await until(bench.taken.is_set, "the writer is busy")
    return task


async def test_what_waits_shares_a_commit(bench: Bench) -> None:
    task = await blocked(bench)
    waiting = [spawn(bench.add(f"n{number}"), name="test", logged=False) for number in range(20)]
    await asyncio.sleep(0)
    bench.held.set()
    assert await asyncio.gather(*waiting) == [f"n{number}" for number in range(20)]
    await task
    assert bench.commits == 2
    assert len(await bench.names()) == 20


async def test_one_that_fails_takes_nobody_along(bench: Bench) -> None:
    await blocked(bench)
    waiting = [spawn(bench.add(name), name="test", logged=False) for name in ("a", "bad", "c", "a")]
    await asyncio.sleep(0)
    bench.held.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert found[0] == "a" and found[2] == "c"
    assert isinstance(found[1], KeyError) and type(found[3]).__name__ == "IntegrityError"
    assert await bench.names() == ["a", "c"]


async def test_who_has_given_up_changes_nothing(bench: Bench) -> None:
    await blocked(bench)
    waiting = spawn(bench.add("late"), name="test", logged=False)
    await asyncio.sleep(0)
    waiting.cancel()
    bench.held.set()
    await bench.add("next")
    assert await bench.names() == ["next"]


async def test_readers_see_what_is_committed_while_somebody_writes(bench: Bench) -> None:
    await bench.add("before")
    await blocked(bench)
    assert await bench.names() == ["before"]


async def test_a_transaction_waits_for_nobody_else(bench: Bench) -> None:
    never = asyncio.get_running_loop().create_future()

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO names VALUES ('a')"))
        await never

    with pytest.raises(LocalError, match="awaits nothing but"):
        await bench.sqlite.write(work)
    assert await bench.names() == []


async def test_too_many_are_told_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WAITING", 2)
    await blocked(bench)
    waiting = [spawn(bench.add(name), name="test", logged=False) for name in "ab"]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await bench.add("c")
    bench.held.set()
    await asyncio.gather(*waiting)


async def test_what_waits_is_done_before_it_closes(bench: Bench, tmp_path: Path) -> None:
    await blocked(bench)
    waiting = spawn(bench.add("last"), name="test", logged=False)
    await asyncio.sleep(0)
    closing = spawn(bench.sqlite.close(), name="test", logged=False)
    await asyncio.sleep(0)
    bench.held.set()
    assert await waiting == "last"
    await closing
    await bench.sqlite.close()
    with pytest.raises(LocalError):
        await bench.add("too late")

"""A server that is lost, away, slow or full, by a real one behind a wire that is cut."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiomysql
import pytest
from pymysql.err import OperationalError as DriverError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.appserver.db import server
from confero.appserver.db.connections import Limits
from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.migrate import migrate
from confero.errors import Unavailable
from confero.runtime.metrics import Metrics
from confero.runtime.tasks import spawn

from ...support.waiting import until
from ..mariadb import MariaDb
from .wire import Cut, Wire

CONNECTIONS = 20
Work = Callable[[AsyncConnection], Any]


class Bench:
    """A database at the other end of a wire, with a table ``mcus`` that is used as a list of names."""

    def __init__(self, wire: Wire, database: Database, metrics: Metrics) -> None:
        self.wire = wire
        self.database = database
        self.metrics = metrics
        self.starts = 0

    def adding(self, name: str, between: Callable[[], object] | None = None) -> Work:
        async def work(connection: AsyncConnection) -> str:
            self.starts += 1
            await connection.execute(text(f"INSERT INTO mcus VALUES ('{name}', 'b', 'u', 1, 0)"))
            if between is not None and self.starts == 1:
                between()
            await connection.execute(text("UPDATE mcus SET capacity = 2"))
            return name

        return work

    async def names(self) -> list[str]:
        return [row.id for row in await self.database.rows(text("SELECT id FROM mcus ORDER BY id"))]

    async def is_down(self) -> str:
        with pytest.raises(Unavailable) as caught:
            await self.names()
        return caught.value.code

    def measured(self, line: str) -> float:
        found = [text for text in self.metrics.render()[0].decode().splitlines() if text.startswith(f"confero_{line} ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0


@pytest.fixture
async def bench(mariadb: MariaDb, tmp_path: Path) -> AsyncIterator[Bench]:
    assert mariadb.sql("CREATE DATABASE IF NOT EXISTS confero_wire").returncode == 0
    wire, metrics = Wire(mariadb.port), Metrics()
    await wire.connect()
    database = Database(database_url(f"mysql://root@127.0.0.1:{wire.port}/confero_wire", tmp_path), metrics)
    await migrate(database)

    async def sweep(connection: AsyncConnection) -> None:
        await connection.execute(text("DELETE FROM mcus"))

    await database.write(sweep)
    yield Bench(wire, database, metrics)
    await database.close()
    await wire.disconnect()


async def test_connections_that_died_while_nobody_used_them_cost_nobody_a_request(bench: Bench) -> None:
    await asyncio.gather(*(bench.names() for _ in range(8)))
    bench.wire.break_all()
    assert await asyncio.gather(*(bench.names() for _ in range(8))) == [[]] * 8
    bench.wire.break_all()
    assert await bench.database.write(bench.adding("a")) == "a"
    assert await bench.names() == ["a"] and bench.measured('database_retries_total{fault="lost"}') > 0


async def test_lost_before_commit_begins_again(bench: Bench) -> None:
    assert await bench.database.write(bench.adding("a", between=bench.wire.break_all)) == "a"
    assert bench.starts == 2 and await bench.names() == ["a"]


@pytest.mark.parametrize(("cut", "there"), [("before", []), ("after", ["a"])])
async def test_lost_at_commit_is_never_repeated(bench: Bench, cut: Cut, there: list[str]) -> None:
    """Whether it was done cannot be known here: it may have been, and once is what is allowed."""
    bench.wire.cut_at_commit = cut
    with pytest.raises(Unavailable) as caught:
        await bench.database.write(bench.adding("a"))
    assert caught.value.code == "database-unsure" and bench.starts == 1
    assert await bench.names() == there


async def test_away_is_told_at_once_and_ends_by_itself(bench: Bench) -> None:
    await bench.names()
    await bench.wire.disconnect()
    assert await bench.is_down() == "database-down"
    begun, connections = time.monotonic(), bench.wire.connections
    for _ in range(200):
        assert await bench.is_down() == "database-down"
    assert time.monotonic() - begun < 1 and bench.wire.connections == connections, "nobody has asked the server"
    assert not await bench.database.answers()
    assert bench.measured("database_up") == 0 and bench.measured('database_refused_total{reason="away"}') >= 200
    await bench.wire.connect()
    await until(lambda: bench.measured("database_up"), "the probe", 4)
    assert await bench.names() == [] and await bench.database.answers()


async def test_who_is_refused_is_told_when_to_come_again(bench: Bench) -> None:
    await bench.wire.disconnect()
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await bench.names()
        assert caught.value.retry_after_s >= 1


async def test_silence_opens_after_three_and_ends_by_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.names()
    monkeypatch.setattr(bench.database.server, "limits", Limits(timeout_s=0.2))
    bench.wire.mute = True
    for _ in range(3):
        assert bench.measured("database_up") == 1
        assert await bench.is_down() == "database-down"
    assert bench.measured("database_up") == 0
    bench.wire.mute = False
    monkeypatch.undo()
    await until(lambda: bench.measured("database_up"), "the probe", 5)
    assert await bench.names() == []


async def test_a_slow_one_among_quick_ones_is_its_own_fault(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        with monkeypatch.context() as hurried, pytest.raises(Unavailable):
            hurried.setattr(bench.database.server, "limits", Limits(timeout_s=0.1))
            await bench.database.rows(text("SELECT SLEEP(1)"))
        assert await bench.names() == []


async def test_errors_of_statements_are_answers(bench: Bench) -> None:
    for _ in range(4):
        with pytest.raises(Unavailable):
            await bench.database.rows(text("SELECT * FROM nowhere"))
    assert await bench.names() == []


async def test_a_full_pool_is_waited_for_and_then_said(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty hold every connection, others have to wait; what can be served afterwards is."""
    held = asyncio.Event()

    async def hold(connection: AsyncConnection) -> None:
        await connection.execute(text("SELECT 1"))
        await held.wait()

    holders = [spawn(bench.database.write(hold), name="test") for _ in range(CONNECTIONS)]
    await until(lambda: bench.measured('database_connections{use="busy"}') == CONNECTIONS)
    waiting = spawn(bench.names(), name="test", logged=False)
    await until(lambda: bench.database.server._waiting == len(holders) + 1)
    monkeypatch.setattr(bench.database.server.engine.pool, "_timeout", 0.1)
    assert await bench.is_down() == "database-down"
    monkeypatch.setattr(server, "WAITING", len(holders) + 1)
    assert await bench.is_down() == "database-down"
    assert bench.measured('database_refused_total{reason="busy"}') == 1
    held.set()
    assert await waiting == []
    await asyncio.gather(*holders)


async def test_when_others_have_taken_every_connection_ours_go_on(mariadb: MariaDb, bench: Bench) -> None:
    await bench.names()
    mariadb.sql("SET GLOBAL max_connections = 10")
    others: list[aiomysql.Connection] = []
    try:
        with pytest.raises(DriverError, match="Too many connections"):
            while len(others) < 20:
                others.append(await aiomysql.connect(host="127.0.0.1", port=mariadb.port, user="root"))
        found = await asyncio.gather(bench.names(), bench.names(), return_exceptions=True)
        assert [] in found and any(isinstance(one, Unavailable) for one in found)
        assert [await bench.names() for _ in range(4)] == [[]] * 4
    finally:
        for other in others:
            other.close()
        await asyncio.to_thread(mariadb.command, "SET GLOBAL max_connections = 151")  # they are closed by this loop
    assert await bench.names() == [] and bench.measured("database_up") == 1

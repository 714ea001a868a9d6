"""The connection: URLs, retries, errors without secrets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pymysql.err import OperationalError as Deadlock
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.appserver.db.engine import Database, database_url
from confero.errors import LocalError, Unavailable

from ..mariadb import MariaDb


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (None, "sqlite:////state/confero.db"),
        ("sqlite:////data/x.db", "sqlite:////data/x.db"),
        ("sqlite+aiosqlite:////data/x.db", "sqlite:////data/x.db"),
        ("mysql://u:p@h:3306/d", "mysql+aiomysql://u:p@h:3306/d?charset=utf8mb4"),
        ("mariadb://u:p@h/d", "mysql+aiomysql://u:p@h/d?charset=utf8mb4"),
        ("mysql+aiomysql://u:p@h/d", "mysql+aiomysql://u:p@h/d?charset=utf8mb4"),
    ],
)
def test_urls(given: str | None, used: str) -> None:
    assert database_url(given, Path("/state")).render_as_string(hide_password=False) == used


@pytest.mark.parametrize("given", ["nonsense", "postgresql://u:sesame@h/d", "mysql:// :sesame", "://sesame"])
def test_urls_that_cannot_be_used(given: str) -> None:
    with pytest.raises(LocalError) as caught:
        database_url(given, Path("/state"))
    assert "sesame" not in str(caught.value)


async def test_wrong_password_is_not_shown(mariadb: MariaDb, tmp_path: Path) -> None:
    database = Database(database_url(f"mysql://nobody:sesame@127.0.0.1:{mariadb.port}/x", tmp_path))
    assert not await database.answers()
    with pytest.raises(Unavailable) as caught:
        await database.rows(text("SELECT 1"))
    assert "sesame" not in caught.value.detail
    await database.close()


async def test_answers(database: Database) -> None:
    assert await database.answers()


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO mcus VALUES ('m', 'b', 'u', 1, 0)"))
        raise KeyError("on purpose")

    with pytest.raises(KeyError):
        await database.write(work)
    assert await database.value(text("SELECT COUNT(*) FROM mcus")) == 0


async def test_bad_statement_is_an_error_of_ours(database: Database) -> None:
    with pytest.raises(Unavailable) as caught:
        await database.rows(text("SELECT * FROM nowhere"))
    assert (caught.value.status, caught.value.code) == (503, "database-down")
    assert "nowhere" not in caught.value.detail


async def test_deadlock_is_tried_again(database: Database) -> None:
    """Two transactions that take the same two rows in opposite order: one is undone by the database, and both end well."""

    async def prepare(connection: AsyncConnection) -> None:
        for name in "ab":
            await connection.execute(text(f"INSERT INTO mcus VALUES ('{name}', 'b', 'u', 0, 0)"))

    await database.write(prepare)
    starts = 0

    def increase(first: str, second: str) -> Any:
        async def work(connection: AsyncConnection) -> None:
            nonlocal starts
            starts += 1
            await connection.execute(text(f"UPDATE mcus SET capacity = capacity + 1 WHERE id = '{first}'"))
            if not database.is_sqlite:  # there nothing can come between
                await asyncio.sleep(0.1)
            await connection.execute(text(f"UPDATE mcus SET capacity = capacity + 1 WHERE id = '{second}'"))

        return work

    await asyncio.gather(database.write(increase("a", "b")), database.write(increase("b", "a")))
    assert [row.capacity for row in await database.rows(text("SELECT capacity FROM mcus ORDER BY id"))] == [2, 2]
    assert starts == (2 if database.is_sqlite else 3)


async def test_many_writers_all_get_their_turn(database: Database) -> None:
    """SQLite's by asking, so that none waits for ever while others overtake it; MariaDB has locks by row."""
    lock = "" if database.is_sqlite else " FOR UPDATE"
    order: list[int] = []

    async def prepare(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO mcus VALUES ('a', 'b', 'u', 0, 0)"))

    def increase(number: int) -> Any:
        async def work(connection: AsyncConnection) -> None:
            count = await connection.scalar(text(f"SELECT capacity FROM mcus WHERE id = 'a'{lock}")) or 0
            order.append(number)
            await connection.execute(text(f"UPDATE mcus SET capacity = {count + 1} WHERE id = 'a'"))

        return work

    await database.write(prepare)
    await asyncio.gather(*(database.write(increase(number)) for number in range(60)))
    assert await database.value(text("SELECT capacity FROM mcus")) == 60
    assert (order if database.is_sqlite else sorted(order)) == list(range(60))


async def test_conflict_without_end_is_given_up(database: Database) -> None:
    starts = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal starts
        starts += 1
        raise OperationalError("x", {}, Exception("database is locked") if database.is_sqlite else Deadlock(1213, "x"))

    with pytest.raises(Unavailable):
        await database.write(work)
    assert starts == 4

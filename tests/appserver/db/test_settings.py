"""What MariaDB is told by each connection, and what its tables are like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiomysql
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.appserver.db.connections import Limits
from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.migrate import migrate
from confero.appserver.db.repositories import SqlStore
from confero.appserver.rooms.entities import Room
from confero.errors import Unavailable
from confero.runtime.tasks import spawn

from ...support.waiting import until
from ..mariadb import MariaDb
from .conftest import SHARED

IN = f"information_schema.tables WHERE table_schema = '{SHARED}' AND table_name <> 'alembic_version'"
TOLD = (
    *("sql_mode", "time_zone", "innodb_lock_wait_timeout"),
    *("max_statement_time", "idle_transaction_timeout", "tx_isolation"),
)
HURRIED = Limits(connections=4, timeout_s=2.0)


@pytest.fixture
async def database(mariadb: MariaDb, tmp_path: Path) -> AsyncIterator[Database]:
    assert mariadb.sql(f"CREATE DATABASE IF NOT EXISTS {SHARED}").returncode == 0
    database = Database(database_url(mariadb.url(SHARED), tmp_path), limits=HURRIED)
    await migrate(database)
    yield database
    await database.close()


async def asked(database: Database, query: str) -> Sequence[Any]:
    return [tuple(row) for row in await database.rows(text(query))]


async def test_what_a_connection_is_told(mariadb: MariaDb, database: Database) -> None:
    """Whatever the server's own settings are."""
    mariadb.sql(
        "SET GLOBAL sql_mode = 'ANSI_QUOTES'; SET GLOBAL innodb_lock_wait_timeout = 50; SET GLOBAL time_zone = '+05:00'"
    )
    try:
        names = (
            "sql_mode",
            "time_zone",
            "innodb_lock_wait_timeout",
            "max_statement_time",
            "idle_transaction_timeout",
            "tx_isolation",
        )
        (found,) = await asked(database, "SELECT " + ", ".join(f"@@session.{name}" for name in names))
        mode, zone, lock_s, statement_s, idle_s, isolation = found
        assert set(mode.split(",")) == {"STRICT_ALL_TABLES", "ERROR_FOR_DIVISION_BY_ZERO", "NO_ENGINE_SUBSTITUTION"}
        assert (zone, lock_s, float(statement_s), idle_s, isolation) == ("+00:00", 1, 2.0, 4, "READ-COMMITTED")
        charsets = await asked(
            database, "SELECT @@character_set_client, @@character_set_connection, @@character_set_results"
        )
        assert charsets == [("utf8mb4",) * 3]
    finally:
        mariadb.sql("SET GLOBAL sql_mode = DEFAULT; SET GLOBAL time_zone = 'SYSTEM'")


async def test_every_table_is_fit_for_a_cluster(database: Database) -> None:
    """InnoDB, characters of four bytes, ids that differ in case, and a primary key, which Galera wants of each."""
    tables = await asked(database, f"SELECT engine, table_collation, COUNT(*) FROM {IN} GROUP BY 1, 2")
    assert [row[:2] for row in tables] == [("InnoDB", "utf8mb4_bin")] and tables[0][2] > 20
    columns = f"SELECT DISTINCT collation_name FROM {IN.replace('.tables', '.columns')} AND collation_name IS NOT NULL"
    assert await asked(database, columns) == [("utf8mb4_bin",)]
    keys = f"{IN.replace('.tables', '.statistics')} AND index_name = 'PRIMARY'"
    assert await asked(database, f"SELECT COUNT(DISTINCT table_name) FROM {keys}") == [(tables[0][2],)]


async def test_too_long_is_an_error_and_not_cut_off(database: Database) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text(f"INSERT INTO mcus VALUES ('{'x' * 65}', 'b', 'u', 1, 0)"))

    with pytest.raises(Unavailable):
        await database.write(work)
    assert await asked(database, "SELECT COUNT(*) FROM mcus") == [(0,)]


async def test_names_and_ids_come_back_as_they_were(database: Database) -> None:
    store, name = SqlStore(database), "Zoë 👩‍👩‍👧 ｍｅｅｔ \u202e שלום"
    try:
        for room in ("case", "Case"):
            assert await store.add_room(Room(room, name, 5, created_at=1.0, used_at=2.0), 1000, 1000) == "added"
        for room in ("case", "Case"):
            found = await store.room(room)
            assert found is not None and (found.id, found.name) == (room, name)
    finally:
        for room in ("case", "Case"):
            await store.delete_room(room)


async def test_what_we_have_given_up_the_server_gives_up_too(mariadb: MariaDb, database: Database) -> None:
    """A statement that takes too long does not go on there."""

    def sleepers() -> int:
        query = (
            "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(%' AND info NOT LIKE '%COUNT%'"
        )
        return int(mariadb.sql(query).stdout)

    with pytest.raises(Unavailable):
        await database.rows(text("SELECT SLEEP(60)"))
    await until(lambda: not sleepers(), "it has ended there")


async def test_who_waits_for_a_lock_in_vain_leaves_nothing_behind(mariadb: MariaDb, database: Database) -> None:
    other = await aiomysql.connect(host="127.0.0.1", port=mariadb.port, user="root", db=SHARED, autocommit=False)
    starts = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal starts
        starts += 1
        await connection.execute(text("INSERT INTO mcus VALUES ('lock', 'b', 'u', 1, 0)"))

    try:
        await (await other.cursor()).execute("INSERT INTO mcus VALUES ('lock', 'b', 'u', 1, 0)")
        with pytest.raises(Unavailable):
            await database.write(work)
        assert starts == 2, "the first try heard of it in time for a second"
        waiting = spawn(database.write(work), name="test")
        await asyncio.sleep(0.1)
        await other.rollback()
        await waiting
    finally:
        other.close()
        mariadb.sql(f"DELETE FROM {SHARED}.mcus")

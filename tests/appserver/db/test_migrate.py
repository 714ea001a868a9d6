"""Migrations: they give the tables that the program means, once, whoever comes first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, text

from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.migrate import downgrade, migrate
from confero.appserver.db.models import metadata, rooms
from confero.appserver.db.repositories import SqlStore
from confero.appserver.rooms.entities import Room
from confero.errors import LocalError, Unavailable


async def tables(database: Database) -> set[str]:
    return set(await database.write(lambda connection: connection.run_sync(lambda c: inspect(c).get_table_names())))


async def test_empty_database_gets_every_table(empty: Database) -> None:
    await migrate(empty)
    assert await tables(empty) == {*metadata.tables, "alembic_version"}


async def test_tables_are_those_of_the_models(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    assert await database.write(lambda connection: connection.run_sync(differences)) == []


async def test_again_changes_nothing(database: Database) -> None:
    await migrate(database)
    assert await tables(database) == {*metadata.tables, "alembic_version"}


async def test_many_processes_at_once(url_text: str, tmp_path: Path) -> None:
    databases = [Database(database_url(url_text, tmp_path)) for _ in range(4)]
    try:
        await asyncio.gather(*(migrate(database) for database in databases))
        assert await tables(databases[0]) == {*metadata.tables, "alembic_version"}
    finally:
        for database in databases:
            await database.close()


async def test_rooms_of_the_version_before_are_kept(empty: Database) -> None:
    await migrate(empty)

    async def fill(connection: Any) -> None:
        old = {"id": "old", "name": "Old", "max_participants": 5, "created_at": 1.0, "used_at": 2.0, "permanent": False}
        await connection.execute(insert(rooms).values(**old, talkers=3))

    await downgrade(empty, "0002")
    await empty.write(fill)
    await migrate(empty)
    room = await SqlStore(empty).room("old")
    assert room == Room("old", "Old", 5, created_at=1.0, used_at=2.0, talkers=3, noise_dbov=None, announce=False)


async def test_tables_of_a_later_version(empty: Database) -> None:
    await migrate(empty)

    async def work(connection: Any) -> None:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    await empty.write(work)
    with pytest.raises(LocalError, match="another version"):
        await migrate(empty)


@pytest.mark.parametrize("url", ["mysql://root@127.0.0.1:9/nothing", "sqlite:////proc/nothing/confero.db"])
async def test_database_that_is_not_there(url: str, tmp_path: Path) -> None:
    database = Database(database_url(url, tmp_path))
    with pytest.raises((Unavailable, LocalError)):
        await migrate(database)
    await database.close()

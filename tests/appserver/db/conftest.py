"""A migrated database, each test on SQLite and on MariaDB."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.migrate import migrate
from confero.appserver.db.models import metadata
from confero.appserver.db.repositories import SqlStore

from ..mariadb import MariaDb
from ..migrated import give_tables

_numbers = itertools.count()
SHARED = "confero_shared"


@pytest.fixture(params=["sqlite", "mariadb"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def url_text(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, as a user would configure it."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/confero.db"
    return _create(request, f"confero_{next(_numbers)}")


def _create(request: pytest.FixtureRequest, name: str) -> str:
    server: MariaDb = request.getfixturevalue("mariadb")
    created = server.sql(f"CREATE DATABASE IF NOT EXISTS {name}")
    assert created.returncode == 0, created.stderr
    return server.url(name)


@pytest.fixture
async def empty(url_text: str, tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(database_url(url_text, tmp_path))
    yield database
    await database.close()


@pytest.fixture
async def database(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """With tables, which are empty. MariaDB's are made once and swept before each test."""
    url = f"sqlite:///{tmp_path}/confero.db" if kind == "sqlite" else _create(request, SHARED)
    if kind == "sqlite":
        await give_tables(tmp_path / "confero.db")
    database = Database(database_url(url, tmp_path))
    await migrate(database)
    await database.write(_sweep)
    yield database
    await database.close()


async def _sweep(connection: AsyncConnection) -> None:
    for table in metadata.tables.values():
        await connection.execute(delete(table))


@pytest.fixture
def store(database: Database) -> SqlStore:
    return SqlStore(database)
